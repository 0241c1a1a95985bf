"""What locustfiles and plug-ins import: modules and names of stock Locust, and what it depends on."""

from __future__ import annotations

import importlib
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest

from locust_c import alias
from locust_c.util import cache, date, exception_handler, rounding, stock_names

#: Names by module, as they are imported from stock Locust.
NAMES_TEXT = """
    locust: Events FastHttpUser HttpLocust HttpUser LoadTestShape Locust MarkovTaskSet
        SequentialTaskSet TaskSet User __version__ between constant constant_pacing
        constant_throughput events poisson run_single_user tag task transition transitions wait_time
        argument_parser env log runners stats web
    locust._version: version version_tuple
    locust.argument_parser: LocustArgumentParser get_parser parse_options get_empty_argument_parser
        timespan default_args_dict ui_extra_args_dict setup_parser_arguments parse_locustfile_option
        positive_integer gt_zero
    locust.clients: HttpSession ResponseContextManager RestResponseContextManager LocustHttpAdapter
        absolute_http_url_regexp CatchResponseError LocustError ResponseError
    locust.contrib:
    locust.contrib.csv_request_logger: CSV_COLUMNS CsvRequestLogger
    locust.contrib.fasthttp: FastHttpSession FastHttpUser FastResponse ErrorResponse
        ResponseContextManager FastRequest LocustUserAgent LocustBadStatusCode FAILURE_EXCEPTIONS
        CatchResponseError
    locust.debug: run_single_user PrintListener
    locust.dispatch: UsersDispatcher
    locust.env: Environment
    locust.event: EventHook Events
    locust.exception: LocustError ResponseError CatchResponseError MissingWaitTimeError
        InterruptTaskSet StopTest StopUser RescheduleTask RescheduleTaskImmediately RPCError
        RPCSendError RPCReceiveError RunnerAlreadyExistsError
    locust.html: get_html_report process_html_filename PERCENTILES_FOR_HTML_REPORT
    locust.input_events: input_listener
    locust.log: setup_logging get_logs LogReader greenlet_exception_logger
        unhandled_greenlet_exception
    locust.main: main create_environment load_locustfile version
    locust.rpc: Message
    locust.rpc.protocol: Message
    locust.runners: Runner LocalRunner MasterRunner WorkerRunner DistributedRunner WorkerNode
        WorkerNodes STATE_INIT STATE_SPAWNING STATE_RUNNING STATE_CLEANUP STATE_STOPPING
        STATE_STOPPED STATE_MISSING WORKER_REPORT_INTERVAL CPU_MONITOR_INTERVAL HEARTBEAT_INTERVAL
        HEARTBEAT_LIVENESS ExceptionDict
    locust.shape: LoadTestShape
    locust.stats: RequestStats StatsEntry StatsError StatsCSV StatsCSVFileWriter print_stats
        stats_printer stats_history print_percentile_stats print_error_report get_stats_summary
        sort_stats PERCENTILES_TO_REPORT CONSOLE_STATS_INTERVAL_SEC CSV_STATS_INTERVAL_SEC
        get_readable_percentiles
    locust.user: User HttpUser task tag TaskSet
    locust.user.inspectuser: get_ratio print_task_ratio print_task_ratio_json
    locust.user.markov_taskset: MarkovTaskSet transition transitions NoMarkovTasksError
        InvalidTransitionError NonMarkovTaskTransitionError MarkovTaskTagError
    locust.user.sequential_taskset: SequentialTaskSet
    locust.user.task: TaskT TaskSet DefaultTaskSet TaskSetMeta tag task LOCUST_STATE_RUNNING
        LOCUST_STATE_WAITING LOCUST_STATE_STOPPING
    locust.user.users: User HttpUser UserMeta PytestUser
    locust.user.wait_time: between constant constant_pacing constant_throughput poisson
    locust.util.cache: memoize
    locust.util.date: format_utc_timestamp format_safe_timestamp format_duration
    locust.util.deprecation: DeprecatedLocustClass DeprecatedHttpLocustClass
        DeprecatedFastHttpLocustClass
    locust.util.directory: get_abspaths_in
    locust.util.exception_handler: retry
    locust.util.load_locustfile: load_locustfile load_locustfile_pytest is_user_class is_shape_class
    locust.util.rounding: proper_round
    locust.util.timespan: parse_timespan
    locust.util.url: is_url
    locust.web: WebUI HOST_IS_REQUIRED DEFAULT_CACHE_TIME AuthArgs AuthProvider CustomForm InputField
    pytest_locust.plugin: session fastsession pytest_addoption
"""
NAMES = {
    module: names.split()
    for module, names in re.findall(r"^ {4}(\S+):((?: *[\w ]*\n)+)", NAMES_TEXT, re.MULTILINE)
}

#: What stock Locust depends on.
LIBRARIES = """
    requests urllib3 geventhttpclient gevent flask flask_login flask_cors werkzeug jinja2 msgpack zmq psutil
    configargparse typing_extensions pytest brotli
"""


@pytest.mark.parametrize("module", NAMES)
def test_the_names_of_a_module_can_be_imported(module: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "meta_path", list(sys.meta_path))
    alias.install()
    importlib.import_module(module)
    missing = [name for name in NAMES[module] if not hasattr(sys.modules[module], name)]
    assert missing == []


@pytest.mark.parametrize("library", LIBRARIES.split())
def test_what_locust_depends_on_can_be_imported(library: str) -> None:
    assert importlib.import_module(library).__name__ == library


def test_pytest_is_loaded_for_locustfiles_without_users_only(tmp_path: Path) -> None:
    (tmp_path / "locustfile.py").write_text("from locust import HttpUser\nclass Nobody(HttpUser): pass\n")
    program = (
        "import sys; from locust_c import alias, main; alias.install()\n"
        "from locust_c.command import locustfiles; print(*locustfiles.load(['locustfile.py']).user_classes)\n"
        "from locust.user.users import PytestUser; print(PytestUser.abstract, 'pytest' in sys.modules)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, timeout=60
    )
    assert (done.stdout.split(), done.stderr) == (["Nobody", "True", "False"], "")


def test_memoize_repeats_an_answer() -> None:
    answers = iter(range(10))

    @cache.memoize(timeout=60, dynamic_timeout=True)
    def count(*_: object) -> int:
        return next(answers)

    assert [count(), count("whatever the arguments"), count()] == [0, 0, 0]
    count.clear_cache()  # type: ignore[attr-defined]
    assert count() == 1


def test_a_memoized_none_is_an_answer() -> None:
    calls: list[int] = []
    remembered = cache.memoize(60)(lambda: calls.append(1))
    assert remembered() is remembered() is None
    assert calls == [1]


def test_an_answer_is_worked_out_again_after_its_time(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter((0.0, 0.0, 4.9, 5.0, 5.0, 9.9, 10.0, 10.0))
    monkeypatch.setattr(time, "monotonic", lambda: next(clock))
    answers = iter(range(10))
    remembered = cache.memoize(5)(lambda: next(answers))
    assert [remembered() for _ in range(5)] == [0, 0, 1, 1, 2]


def test_durations_and_times_in_words(monkeypatch: pytest.MonkeyPatch) -> None:
    ends = {0.4: "0 seconds", 1: "1 second", 60: "1 minute", 3600: "1 hour"}
    ends |= {65: "1 minute and 5 seconds", 3725.4: "1 hour, 2 minutes and 5 seconds"}
    ends |= {90061: "1 day, 1 hour, 1 minute and 1 second"}
    assert {end: date.format_duration(0, end) for end in ends} == ends
    assert date.format_utc_timestamp(1767323045.678) == "2026-01-02T03:04:05Z"
    monkeypatch.setenv("TZ", "UTC-2")
    time.tzset()
    assert date.format_safe_timestamp(1767323045.678) == "2026-01-02-05h04"
    monkeypatch.undo()
    time.tzset()


def test_names_are_found_where_stock_has_them_by_an_import_of_its_own() -> None:
    for module, homes in stock_names._HOMES.items():
        here = importlib.import_module(f"locust.{module}")
        for name, home in homes.items():
            there = importlib.import_module(home, "locust_c")
            assert getattr(here, name) is getattr(there, name), (module, name)


def test_other_names_are_missing_as_before() -> None:
    with pytest.raises(AttributeError, match=r"module 'locust_c\.env' has no attribute 'nothing'"):
        importlib.import_module("locust.env").nothing  # noqa: B018
    with pytest.raises(
        ImportError, match=r"locust\.runners\.SlaveNode is from before Locust 1\.0: use WorkerNode"
    ):
        from locust.runners import SlaveNode  # noqa: F401
    with pytest.raises(ImportError, match=r"cannot import name 'nothing' from 'locust_c\.web'"):
        from locust.web import nothing  # noqa: F401


def test_halves_are_rounded_upward() -> None:
    rounded = {0.5: 1.0, 1.5: 2.0, 2.5: 3.0, 2.4: 2.0, -0.5: 0.0, -1.6: -2.0}
    assert {value: rounding.proper_round(value) for value in rounded} == rounded
    assert rounding.proper_round(2.345, 2) == 2.35


def test_retry_calls_again_after_each_delay(monkeypatch: pytest.MonkeyPatch) -> None:
    slept: list[float] = []
    monkeypatch.setattr(time, "sleep", slept.append)
    calls: list[int] = []

    @exception_handler.retry(delays=(1, 2), exception=LookupError)
    def fail(times: int) -> str:
        calls.append(1)
        if len(calls) <= times:
            raise KeyError(len(calls))
        return "done"

    assert fail(2) == "done"
    assert (slept, len(calls)) == ([1, 2], 3)
    calls.clear()
    with pytest.raises(KeyError, match="3"):
        fail(9)

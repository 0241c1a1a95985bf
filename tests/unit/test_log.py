"""Logging as Locust sets it up."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import gevent
import pytest

from locust_c import log

LINE = re.compile(r"\[\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3}\] [^/.]+/INFO/locust\.main: hello\n")


@pytest.fixture(autouse=True)
def loggers_put_back() -> Iterator[None]:
    names = ("", "locust", "locust.stats_logger")
    before = [(logging.getLogger(n).handlers[:], logging.getLogger(n).level) for n in names]
    failed = log.unhandled_greenlet_exception
    yield
    log.unhandled_greenlet_exception = failed
    for name, (handlers, level) in zip(names, before, strict=True):
        logger = logging.getLogger(name)
        for handler in logger.handlers:
            if handler not in handlers:
                handler.close()
        logger.handlers[:] = handlers
        logger.setLevel(level)
        logger.propagate = True


def test_lines_go_to_stderr_with_time_host_level_and_logger(capsys: pytest.CaptureFixture[str]) -> None:
    log.setup_logging("info")
    logging.getLogger("locust.main").info("hello")
    logging.getLogger("locust.main").debug("quiet")
    captured = capsys.readouterr()
    assert LINE.fullmatch(captured.err)
    assert captured.out == ""


def test_loggers_that_the_locustfile_has_disabled_write_again(capsys: pytest.CaptureFixture[str]) -> None:
    logger = logging.getLogger("locust.main")
    logger.disabled = True
    try:
        log.setup_logging("info")
        logger.info("hello")
    finally:
        logger.disabled = False
    assert LINE.fullmatch(capsys.readouterr().err)


def test_a_file_takes_the_log_and_the_tables_stay_on_the_terminal(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "made" / "on the way" / "x.log"
    log.setup_logging("INFO", str(path))
    logging.getLogger("locust.main").info("hello")
    logging.getLogger("locust.stats_logger").info("a table")
    logging.getLogger("mine").warning("from a locustfile")
    assert capsys.readouterr().err == "a table\n"
    text = path.read_text()
    assert LINE.match(text)
    assert text.endswith("/WARNING/mine: from a locustfile\n")


def test_what_a_full_disk_does_not_take_goes_to_the_terminal(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "x.log"
    path.symlink_to("/dev/full")
    log.setup_logging("INFO", str(path))
    logging.getLogger("locust.main").info("hello")
    logging.getLogger("locust.main").info("hello")
    first, *lines = capsys.readouterr().err.splitlines(keepends=True)
    why = "No space left on device; the log goes to stderr"
    assert first.endswith(f"/ERROR/locust.main: --logfile: cannot write to '{path}': {why}\n")
    assert len(lines) == 2
    assert all(LINE.fullmatch(line) for line in lines)
    with suppress(OSError):
        log_file = next(h for h in logging.getLogger("locust").handlers if isinstance(h, log.LogFile))
        log_file.close()


def test_the_last_lines_are_remembered_for_the_page() -> None:
    log.setup_logging("INFO")
    logger = logging.getLogger("locust.main")
    for number in range(log.LOG_LINES_KEPT + 10):
        logger.info("line %d", number)
    lines = log.get_logs()
    assert len(lines) == log.LOG_LINES_KEPT
    assert lines[0].endswith("line 10")
    assert lines[-1].endswith(f"line {log.LOG_LINES_KEPT + 9}")


def test_handlers_have_the_names_that_programs_look_for() -> None:
    log.setup_logging("INFO")
    names = {
        handler.name
        for name in ("", "locust", "locust.stats_logger")
        for handler in logging.getLogger(name or None).handlers
    }
    assert {"console", "console_plain", "log_reader"} <= names


def test_without_our_logging_there_are_no_lines() -> None:
    assert log.get_logs() == []


def test_an_unknown_level_is_refused() -> None:
    with pytest.raises(ValueError, match="LOUD"):
        log.setup_logging("LOUD")


def test_a_failed_greenlet_is_logged_and_remembered(caplog: pytest.LogCaptureFixture) -> None:
    log.unhandled_greenlet_exception = False

    def fail() -> None:
        raise KeyError("lost")

    hub = gevent.get_hub()
    reported, hub.handle_error = hub.handle_error, lambda *args: None
    try:
        greenlet = gevent.spawn(fail)
        greenlet.link_exception(log.greenlet_exception_logger(logging.getLogger("locust.web")))
        greenlet.join()
        gevent.sleep(0)
    finally:
        hub.handle_error = reported
    assert log.unhandled_greenlet_exception is True
    assert caplog.records[-1].name == "locust.web"
    assert caplog.records[-1].levelname == "CRITICAL"
    assert "KeyError: 'lost'" in caplog.text

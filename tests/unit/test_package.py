"""The names of the package, and what importing it changes in other libraries."""

import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import requests

import locust_c
from locust_c.exception import LocustError
from locust_c.util import deprecation

ROOT = Path(__file__).parents[2]

# As Locust's documentation of 2.47 lists them.
PUBLIC_NAMES = {
    *("FastHttpUser", "HttpLocust", "HttpUser", "Locust", "LoadTestShape", "User", "__version__", "events"),
    *("MarkovTaskSet", "SequentialTaskSet", "TaskSet", "tag", "task", "transition", "transitions"),
    *("between", "constant", "constant_pacing", "constant_throughput", "poisson", "wait_time"),
    "run_single_user",
}

FACTS_AFTER_IMPORT = """
import sys, locust_c, queue, urllib3.connectionpool
from gevent.monkey import is_module_patched
print(is_module_patched("socket"), "gevent" in urllib3.connectionpool.ConnectionPool.QueueCls.__module__)
print(sorted({"flask", "zmq", "locust_c.main", "locust_c.web"} & sys.modules.keys()))
"""


def facts_after_import(**variables: str) -> list[str]:
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", FACTS_AFTER_IMPORT],
        cwd=ROOT,
        env={name: value for name, value in os.environ.items() if not name.startswith("LOCUST_")} | variables,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_the_public_names_are_those_of_locust() -> None:
    assert set(locust_c.__all__) == PUBLIC_NAMES
    for name in PUBLIC_NAMES | {"Events"}:
        assert hasattr(locust_c, name)


def test_the_version_is_that_of_the_project() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert locust_c.__version__ == project["version"]


def test_importing_patches_the_standard_library_and_urllib3_and_loads_neither_web_nor_command() -> None:
    assert facts_after_import() == ["True True", "[]"]


def test_monkey_patching_can_be_left_out() -> None:
    assert facts_after_import(LOCUST_SKIP_MONKEY_PATCH="1") == ["False False", "[]"]


@pytest.mark.parametrize("decide", ["success", "failure"])
def test_a_plain_response_cannot_be_decided(decide: str) -> None:
    with pytest.raises(LocustError, match="catch_response=True"):
        getattr(requests.Response(), decide)()


@pytest.mark.parametrize(
    ("old", "name", "new"),
    [
        (deprecation.DeprecatedLocustClass, "Locust", "User"),
        (deprecation.DeprecatedHttpLocustClass, "HttpLocust", "HttpUser"),
        (deprecation.DeprecatedFastHttpLocustClass, "FastHttpLocust", "FastHttpUser"),
    ],
)
def test_subclassing_a_class_of_before_1_0_says_what_it_is_called_today(
    old: type, name: str, new: str
) -> None:
    with pytest.raises(ImportError, match=f"The {name} class has been renamed to {new} in version 1.0"):
        type("Mine", (old,), {})

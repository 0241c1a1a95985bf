"""The clients that are compared: how each is started, pinned, watched and ended."""

from __future__ import annotations

import argparse
import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import venv
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from benchmarks.server import BEARER, COOKIE_HEADER, Nginx

ROOT = Path(__file__).resolve().parent.parent
LOCUSTFILES = Path(__file__).resolve().parent / "locustfiles"
STOCK_VERSION = "2.47.0"
STOCK_VARIABLE = "LOCUST_C_BENCH_STOCK"
END_TIMEOUT_S = 15.0


class ClientError(RuntimeError):
    """A client is missing, ended early or failed; the text holds the end of what it printed."""


@dataclass
class Setup:
    """Where clients come from and where they run."""

    client_core: int
    server_core: int
    ours: str
    stock: str | None
    environment: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Command:
    """One client's command line, with the directory and the additions to the environment it needs."""

    name: str
    arguments: list[str]
    directory: Path
    environment: dict[str, str]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options every benchmark has: cores, and where ours and stock Locust are."""
    cores = sorted(os.sched_getaffinity(0))
    parser.add_argument("--client-core", type=int, default=cores[0], help="the core clients run on")
    parser.add_argument("--server-core", type=int, default=cores[-1], help="the core the server runs on")
    parser.add_argument("--ours", default=sys.executable, help="a Python with locust-c (default: this one)")
    parser.add_argument(
        "--stock",
        default=os.environ.get(STOCK_VARIABLE),
        help=f"a virtual environment that has stock Locust (default: ${STOCK_VARIABLE}, else one is made)",
    )
    parser.add_argument("--no-stock", action="store_true", help="leave stock Locust out")


def setup_from(options: argparse.Namespace) -> Setup:
    """The Setup that the options of `add_arguments` describe; makes stock Locust's environment if needed."""
    if options.client_core == options.server_core:
        print("warning: one core for client and server: the figures say little", file=sys.stderr)
    stock = None if options.no_stock else stock_python(options.stock)
    return Setup(options.client_core, options.server_core, options.ours, stock)


def stock_python(environment: str | None) -> str:
    """The Python of stock Locust's environment: the one given, or one made under the user's cache directory.

    Raises ClientError when it cannot be made or has no Locust of the expected version.
    """
    if environment is None:
        directory = cached_directory(f"locust-{STOCK_VERSION}")
        if not (directory / "complete").exists():
            _make_stock_environment(directory)
    else:
        directory = Path(environment).absolute()
    python = str(directory / "bin" / "python")
    question = "import importlib.metadata as m; print(m.version('locust'))"
    try:
        asked = subprocess.run([python, "-I", "-c", question], capture_output=True, text=True, check=False)
    except OSError as error:
        raise ClientError(f"no stock Locust in {directory}: {error}") from error
    if asked.returncode != 0 or asked.stdout.strip() != STOCK_VERSION:
        raise ClientError(
            f"{directory} does not hold Locust {STOCK_VERSION}: {asked.stdout}{asked.stderr[-300:]}"
        )
    return python


def cached_directory(name: str) -> Path:
    """Where what is installed once is kept, under the user's cache directory."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return cache / "locust-c-bench" / name


def wrk(setup: Setup, url: str, connections: int, seconds: float, *options: str) -> Command:
    """wrk with one thread; it ends by itself after `seconds`, or earlier when ended."""
    binary = shutil.which("wrk")
    if binary is None:
        raise ClientError("wrk is not installed (Debian: apt install wrk)")
    arguments = [
        binary,
        "-t1",
        f"-c{connections}",
        f"-d{max(1, round(seconds))}s",
        "--timeout",
        "10s",
        *options,
        url,
    ]
    return Command("wrk", arguments, ROOT, dict(setup.environment))


def ours(setup: Setup, locustfile: str, user_class: str, host: str, users: int, *options: str) -> Command:
    """locust-c, headless, one process."""
    return _locust(
        setup, "ours", [setup.ours, "-m", "locust_c"], locustfile, user_class, host, users, *options
    )


def stock(setup: Setup, locustfile: str, user_class: str, host: str, users: int, *options: str) -> Command:
    """Stock Locust, headless, one process."""
    if setup.stock is None:
        raise ClientError("stock Locust was left out")
    command = [setup.stock, "-m", "locust"]
    return _locust(setup, "stock", command, locustfile, user_class, host, users, *options)


def both(setup: Setup) -> list[str]:
    """The names of the two Locusts that this set-up has."""
    return ["stock", "ours"] if setup.stock else ["ours"]


def bench_environment(server: Nginx) -> dict[str, str]:
    """What the bundled locustfiles and scripts read from the environment."""
    return {"BENCH_CA": str(server.ca_file), "BENCH_BEARER": BEARER, "BENCH_COOKIES": COOKIE_HEADER}


@contextlib.contextmanager
def running(setup: Setup, command: Command) -> Iterator[subprocess.Popen[bytes]]:
    """Runs a client pinned to the client's core; at the end of the block it is ended with SIGTERM.

    Raises ClientError with the client's last words when the block fails, when the client is gone before its
    end, and when it says that requests failed.
    """
    with tempfile.TemporaryFile() as output:
        process = _start(setup, command, output)
        try:
            yield process
            if process.poll() is not None:
                raise ClientError(f"ended early with code {process.returncode}")
            end(process)
            # A Locust that was ended in time says by 1 that requests failed: such a figure means nothing.
            if process.returncode == 1:
                raise ClientError("requests failed")
        except (ClientError, TimeoutError, OSError) as error:
            raise ClientError(f"{command.name}: {error}\n{_last_words(output)}") from error
        finally:
            end(process)


@contextlib.contextmanager
def finishing(
    setup: Setup, command: Command, seconds: float, said: list[str] | None = None
) -> Iterator[subprocess.Popen[bytes]]:
    """Runs a client that ends by itself; at the end of the block its end is waited for.

    What it printed is added to `said`. Raises ClientError when it takes more than `seconds` from then on, or
    ends with another code than 0.
    """
    with tempfile.TemporaryFile() as output:
        process = _start(setup, command, output)
        try:
            yield process
            process.wait(timeout=seconds)
        except subprocess.TimeoutExpired:
            raise ClientError(f"{command.name} took over {seconds:.0f} s\n{_last_words(output)}") from None
        finally:
            end(process)
        if process.returncode != 0:
            raise ClientError(f"{command.name} ended with code {process.returncode}\n{_last_words(output)}")
        output.seek(0)
        if said is not None:
            said.append(output.read().decode(errors="replace"))


def run_to_end(setup: Setup, command: Command, seconds: float) -> str:
    """Runs a client until it ends by itself; returns what it printed.

    Raises ClientError when it takes more than `seconds` or ends with another code than 0.
    """
    said: list[str] = []
    with finishing(setup, command, seconds, said):
        pass
    return said[0]


def end(process: subprocess.Popen[bytes]) -> None:
    """SIGTERM, and SIGKILL when that was not enough."""
    if process.poll() is None:
        process.send_signal(signal.SIGCONT)
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(timeout=END_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _locust(
    setup: Setup,
    name: str,
    command: list[str],
    locustfile: str,
    user_class: str,
    host: str,
    users: int,
    *options: str,
) -> Command:
    arguments = [
        *command,
        "-f",
        str(LOCUSTFILES / locustfile),
        "--headless",
        "--only-summary",
        "-L",
        "WARNING",
    ]
    arguments += ["-H", host, "-u", str(users)]
    if "-r" not in options:
        arguments += ["-r", str(users)]
    arguments += [*options, user_class]
    # Ours may be a checkout that was built in place; stock must not find the checkout's `locust.py`.
    directory = ROOT if name == "ours" else Path(tempfile.gettempdir())
    return Command(name, arguments, directory, {"PYTHONUNBUFFERED": "1", **setup.environment})


def _clean_environment() -> dict[str, str]:
    """This environment without what would steer a client: paths, proxies, trust stores, Locust options."""
    hidden = {
        "PYTHONPATH",
        "PYTHONHOME",
        "PYTHONDONTWRITEBYTECODE",
        "VIRTUAL_ENV",
        "REQUESTS_CA_BUNDLE",
        "CURL_CA_BUNDLE",
        "SSL_CERT_FILE",
    }
    return {
        name: value
        for name, value in os.environ.items()
        if name not in hidden and not name.startswith("LOCUST_") and not name.lower().endswith("_proxy")
    }


def _start(setup: Setup, command: Command, output: IO[bytes]) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        ["taskset", "-c", str(setup.client_core), *command.arguments],
        cwd=command.directory,
        env={**_clean_environment(), **command.environment},
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.STDOUT,
    )


def _last_words(output: IO[bytes]) -> str:
    output.seek(0)
    return output.read().decode(errors="replace")[-2000:].strip()


def _make_stock_environment(directory: Path) -> None:
    """Installs stock Locust into `directory`, once; says so, for it takes half a minute."""
    print(f"installing locust=={STOCK_VERSION} into {directory} (once)", file=sys.stderr)
    started = time.monotonic()
    venv.create(directory, with_pip=True, clear=True)
    command = [str(directory / "bin" / "python"), "-m", "pip", "install", "-q", f"locust=={STOCK_VERSION}"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=directory)
    if done.returncode != 0:
        raise ClientError(f"pip could not install Locust: {done.stderr[-1000:]}")
    (directory / "complete").write_text(f"{time.monotonic() - started:.0f} s\n")

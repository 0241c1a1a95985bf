"""Includes and imports go downward only: no edge that the drawing below has not."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CORE = """
    lc:              block: lc        buf: block       url: buf         sock: lc
    timers: lc
    bins: lc         hist: bins       phases: bins     rounded: lc
    seconds: lc      window: rounded  stats: hist phases rounded seconds window
    http1: buf       filter: http1    decoder: filter  decode: decoder
    tls: sock buf    tls_sessions: tls                 curl_loop: lc
    resolve: address source: address  dial: source sock                proxy: url
    tunnel: source sock proxy curl_loop                connect: lookup dial resolve tunnel
    transfer: buf conn connect curl_loop
    cookie_date: lc  cookie_host: buf cookies: cookie_date cookie_host  set_cookie: cookies
    home: lc         address: lc      lookup: address  watchdog: home
    conn: tls_sessions http1 cookies decode    engine: connect transfer conn timers url home
    origin: engine   exchange: engine
"""
PYTHON = """
    main: web rpc    web: runners     rpc:             runners: env rpc log      env: user event stats
    user: clients    clients: hub     hub: _core       event: _core log  stats: _core
    log:
"""
LATE = {"env → runners", "env → web", "event → runners"}
HEADERS = {
    "Python.h": "py/.*",
    "greenlet.h": "py/wake",
    "curl/": "curl_loop|tunnel|transfer",
    "openssl/": "tls.*",
    "zlib.h": "filter_zlib",
    "brotli/": "filter_brotli",
    "zstd": "filter_zstd",
    "uv.h": "conn|curl_loop|connect|dial|tunnel|transfer|lookup.*|timers|engine.*|origin|exchange|watchdog",
    # The binding sees no socket; libcurl's global initialisation is part of the module's.
    "(sock|tls|conn|transfer).h": "(?!py/).*",
    "connect.h": "(?!py/).*|py/module",
    # The binding joins the statistics and the engine, in py_stats; the core does not.
    "stats.h": "stats|py/py_stats.*",
}


def drawn(text: str) -> dict[str, set[str]]:
    """Each node with all that is below it."""
    edges = {name: set(below.split()) for name, below in re.findall(r"(\w+):((?: \w+\b(?!:))*)", text)}
    for _ in edges:
        for below in edges.values():
            below.update(*(edges.get(name, ()) for name in set(below)))
    return edges


def test_the_core_includes_downward_only() -> None:
    edges, wrong = drawn(CORE), []
    for path in (ROOT / "csrc").glob("*.[ch]"):
        own = path.stem if path.stem in edges else path.stem.split("_")[0]
        for header in re.findall(r'#include "(\w+)\.h"', path.read_text()):
            part = header if header in edges else header.split("_")[0]
            if part != own and part not in edges.get(own, ()):
                wrong.append(f"{path.name} → {header}.h")
    assert wrong == []


def test_each_library_has_its_files() -> None:
    wrong = []
    for path in (ROOT / "csrc").rglob("*.[ch]"):
        own = path.relative_to(ROOT / "csrc").with_suffix("").as_posix()
        for header in re.findall(r'#include [<"]([^>"]+)[>"]', path.read_text()):
            for pattern, users in HEADERS.items():
                if re.match(pattern, header) and not re.fullmatch(users, own):
                    wrong.append(f"{own} → {header}")
    assert wrong == []


def imports(path: Path) -> Iterator[tuple[str, bool]]:
    """What a module of ours imports of ours (the first name below the package), and whether late."""
    tree = ast.parse(path.read_text())
    package = ["locust_c", *path.relative_to(ROOT / "locust_c").parts[:-1]]
    checked = [n for n in ast.walk(tree) if isinstance(n, ast.If) and "TYPE_CHECKING" in ast.unparse(n.test)]
    typing_only = {id(inner) for block in checked for inner in ast.walk(block)}
    top = {id(node) for node in ast.iter_child_nodes(tree)}
    for node in ast.walk(tree):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            start = package[: len(package) - node.level + 1] if node.level else []
            names = [".".join([*start, node.module or "", alias.name]) for alias in node.names]
        for name in names:
            parts = [part for part in name.split(".") if part]
            if parts[0] == "locust_c" and len(parts) > 1 and id(node) not in typing_only:
                yield parts[1], id(node) not in top


def test_the_python_layer_imports_downward_only() -> None:
    edges, wrong = drawn(PYTHON), set()
    for path in (ROOT / "locust_c").rglob("*.py"):
        own = path.relative_to(ROOT / "locust_c").with_suffix("").parts[0]
        for name, late in imports(path):
            if own in edges and name in edges and name != own and name not in edges[own]:
                edge = f"{own} → {name}"
                wrong |= set() if late and edge in LATE else {edge}
    assert wrong == set()


def test_each_python_library_has_its_package() -> None:
    wrong = []
    for path in (ROOT / "locust_c").rglob("*.py"):
        own = path.relative_to(ROOT / "locust_c").parts[0]
        text = path.read_text()
        for library, package in (("flask", "web"), ("zmq", "rpc")):
            if own != package and re.search(rf"^\s*(import|from) {library}\b", text, re.MULTILINE):
                wrong.append(f"{path.name} → {library}")
    assert wrong == []

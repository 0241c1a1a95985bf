"""The mistakes that C extensions make most often, found by reading the sources."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

CSRC = Path(__file__).resolve().parents[2] / "csrc"
SOURCES = sorted(CSRC.rglob("*.[ch]"))
# Tables that CPython wants to be mutable, although nobody changes them.
TABLES = r"PyMethodDef|PyGetSetDef|PyMemberDef|PyType_Slot|PyModuleDef_Slot|PyModuleDef|PyType_Spec"


def code_of(path: Path) -> str:
    """The source without comments and texts."""
    text = re.sub(r"/\*.*?\*/|//[^\n]*", "", path.read_text(), flags=re.DOTALL)
    return re.sub(r'"(?:\\.|[^"\\\n])*"', '""', text)


def function_named(code: str, name: str) -> str:
    match = re.search(rf"^[^\n;]*\b{name}\([^;{{]*\)\n\{{\n.*?^\}}", code, re.DOTALL | re.MULTILINE)
    return match.group() if match else ""


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.name)
def test_no_variable_outlives_a_call(path: Path) -> None:
    code = code_of(path)
    at_file_scope = (
        r"^(?!struct \w+;|typedef|extern)[A-Za-z_][\w *]*[ *]\w+(?:\[[^\]]*\])* *(?:= *[^;]*?[;{]|;)$"
    )
    in_functions = r"^ +static [\w *]+(?:\[[^\]]*\])* *[=;]"
    found = re.findall(at_file_scope, code, re.MULTILINE) + re.findall(in_functions, code, re.MULTILINE)
    # Allocation is counted and made to fail by thread, large blocks are kept by thread; CPython wants
    # keyword lists as char *[].
    by_thread = r"|_Thread_local" if path.name in ("lc.c", "block.c") else ""
    allowed = r"\bconst\b|static char \*\w+\[\]|" + TABLES + by_thread
    assert [line for line in found if not re.search(allowed, line)] == []


def test_only_the_binding_knows_python() -> None:
    assert [path.name for path in CSRC.glob("*.[ch]") if "Python.h" in path.read_text()] == []


def test_every_dealloc_gives_its_type_back() -> None:
    without, found = [], 0
    for path in SOURCES:
        code = code_of(path)
        for name in re.findall(r"\{Py_tp_dealloc, (?:\(void \*\))?(\w+)\}", code):
            found += 1
            body = function_named(code, name)
            if not re.search(r"Py_DECREF\((tp|type)\);\n\}$", body):
                without.append(f"{path.name}: {name}")
    assert without == [] and found > 0


def test_exceptions_are_cleared_only_after_looking_at_them() -> None:
    bare = []
    for path in SOURCES:
        for function in re.split(r"^\}", code_of(path), flags=re.MULTILINE):
            before, clears, _ = function.partition("PyErr_Clear()")
            if clears and "PyErr_ExceptionMatches(" not in before:
                bare.append(path.name)
    assert bare == []


@pytest.mark.parametrize("call", ["PyDict_GetItem(", "PyDict_GetItemString(", "PyState_FindModule("])
def test_calls_that_hide_errors_are_not_made(call: str) -> None:
    assert [path.name for path in SOURCES if call in code_of(path)] == []


def test_every_type_is_collected_by_the_garbage_collector() -> None:
    for path in SOURCES:
        code = code_of(path)
        for spec in re.findall(r"^PyType_Spec \w+ = \{.*?^\};", code, re.DOTALL | re.MULTILINE):
            assert "Py_TPFLAGS_HAVE_GC" in spec, path.name
        if "Py_tp_traverse" in code:
            visits = re.search(r"Py_VISIT\(Py_TYPE\(\w+\)\);", code)
            assert visits, f"{path.name}: a traverse function does not visit the type"

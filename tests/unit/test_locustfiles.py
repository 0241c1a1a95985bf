"""From paths of locustfiles to user classes, and the errors on the way."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from locust_c.command import locustfiles
from locust_c.command.errors import CommandError
from locust_c.util.load_locustfile import load_locustfile

USER = "from locust_c import User, task\n\nclass {0}(User):\n    @task\n    def t(self): pass\n"


@pytest.fixture(autouse=True)
def imports_put_back() -> Iterator[None]:
    path, modules = sys.path[:], set(sys.modules)
    yield
    sys.path[:] = path
    for name in set(sys.modules) - modules:
        if not name.startswith("locust_c"):
            del sys.modules[name]


def write(folder: Path, name: str, text: str) -> str:
    path = folder / name
    path.write_text(text)
    return str(path)


def message(path: str) -> str:
    with pytest.raises(CommandError) as error:
        locustfiles.load([path])
    assert error.value.exit_code == 1
    return str(error.value)


def test_user_classes_and_shapes_are_found(tmp_path: Path) -> None:
    text = USER.format("A") + (
        "class Base(User):\n    abstract = True\n"
        "from locust_c import LoadTestShape, HttpUser\n"
        "class Steps(LoadTestShape):\n    def tick(self): return None\n"
        "Alias = Steps\n"
    )
    user_classes, shapes = load_locustfile(write(tmp_path, "lf_found.py", text))
    assert list(user_classes) == ["A"]
    assert [type(shape).__name__ for shape in shapes] == ["Steps"]


def test_the_folder_of_the_locustfile_comes_first_then_the_current_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "tests").mkdir()
    monkeypatch.chdir(tmp_path)
    path = write(tmp_path / "tests", "lf_path.py", "import sys\npath = sys.path[:2]\n")
    load_locustfile(path)
    assert sys.modules["lf_path"].path == [str(tmp_path / "tests"), str(tmp_path)]


def test_a_locustfile_does_not_hide_an_imported_module(tmp_path: Path) -> None:
    import json

    load_locustfile(write(tmp_path, "json.py", USER.format("A")))
    assert sys.modules["json"] is json


def test_the_name_of_the_file_does_not_matter(tmp_path: Path) -> None:
    for name in ("no_suffix", "with-dash.and.dots.py"):
        user_classes, _ = load_locustfile(write(tmp_path, name, USER.format("A")))
        assert list(user_classes) == ["A"]


def test_a_class_that_two_files_import_is_one_class(tmp_path: Path) -> None:
    write(tmp_path, "lf_common.py", USER.format("Shared"))
    first = write(tmp_path, "lf_one.py", "from lf_common import Shared\n")
    second = write(tmp_path, "lf_two.py", "from lf_common import Shared\n" + USER.format("Own"))
    files = locustfiles.load([first, second])
    assert list(files.user_classes) == ["Shared", "Own"]


def test_two_classes_of_one_name_are_an_error(tmp_path: Path) -> None:
    first = write(tmp_path, "lf_a.py", USER.format("A"))
    second = write(tmp_path, "lf_b.py", USER.format("A"))
    with pytest.raises(CommandError) as error:
        locustfiles.load([first, second])
    assert str(error.value) == f"Duplicate user class names: A is defined in both {first} and {second}"


def test_two_shapes_of_one_name_are_an_error(tmp_path: Path) -> None:
    shape = "from locust_c import LoadTestShape\nclass S(LoadTestShape):\n    def tick(self): return None\n"
    paths = [write(tmp_path, name, shape) for name in ("lf_s1.py", "lf_s2.py")]
    with pytest.raises(CommandError, match="Duplicate shape classes: S"):
        locustfiles.load(paths)


def test_classes_are_selected_in_the_order_of_the_file(tmp_path: Path) -> None:
    files = locustfiles.load([write(tmp_path, "lf_sel.py", USER.format("B") + USER.format("A"))])
    assert [cls.__name__ for cls in files.select([])] == ["B", "A"]
    assert [cls.__name__ for cls in files.select(["A", "B"])] == ["B", "A"]
    with pytest.raises(CommandError, match=r"^Unknown User\(s\): C, D$"):
        files.select(["A", "C", "D"])


def test_a_file_without_users_is_an_error_when_it_is_to_run(tmp_path: Path) -> None:
    files = locustfiles.load([write(tmp_path, "lf_none.py", "x = 1\n")])
    with pytest.raises(CommandError, match=r"^No User class found!$"):
        files.select([])


def test_a_syntax_error_names_file_and_line(tmp_path: Path) -> None:
    path = write(tmp_path, "lf_syntax.py", "x = 1\ndef f(:\n    pass\n")
    text = message(path)
    assert text.startswith(f"Syntax error in {path}, line 2:\n")
    assert "def f(:" in text
    assert "Traceback" not in text


def test_a_syntax_error_in_an_imported_file_names_both(tmp_path: Path) -> None:
    other = write(tmp_path, "lf_other.py", "x = (\n")
    path = write(tmp_path, "lf_importing.py", "import lf_other\n")
    assert message(path).startswith(f"Syntax error in {other}, line 1 (imported by {path}):\n")


def test_python_2_print_gets_a_hint(tmp_path: Path) -> None:
    text = message(write(tmp_path, "lf_print.py", 'print "x: %s" % (1)\n'))
    assert text.splitlines()[-1] == 'Hint: this is Python 2. In Python 3, print is a function: print("...").'


def test_bytes_that_no_file_can_have_are_a_syntax_error_without_a_line(tmp_path: Path) -> None:
    path = write(tmp_path, "lf_nul.py", "x = 1\n\0")
    assert message(path).splitlines()[0] in (f"Syntax error in {path}:", f"Syntax error in {path}, line 1:")


def test_so_they_are_where_python_raises_a_value_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write(tmp_path, "lf_old_nul.py", "x = 1\n")

    def refuse(self: object, data: bytes, name: str) -> None:
        raise ValueError("source code string cannot contain null bytes")

    with monkeypatch.context() as patch:
        patch.setattr("importlib.machinery.SourceFileLoader.source_to_code", refuse)
        assert message(path).splitlines() == [
            f"Syntax error in {path}:",
            "SyntaxError: source code string cannot contain null bytes",
        ]


def test_a_file_that_cannot_be_read_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(tmp_path, "lf_secret.py", "x = 1\n")

    def refuse(self: object, name: str) -> bytes:
        raise PermissionError(13, "Permission denied", name)

    with monkeypatch.context() as patch:
        patch.setattr("importlib.machinery.SourceFileLoader.get_data", refuse)
        assert message(path) == f"Could not read '{path}': Permission denied"


def test_a_file_that_the_locustfile_does_not_find_is_its_own_affair(tmp_path: Path) -> None:
    path = write(tmp_path, "lf_data.py", "open('no_such_file.csv')\n")
    assert "FileNotFoundError" in message(path).splitlines()[-1]
    assert f'  File "{path}", line 1, in <module>' in message(path)


def test_an_exception_shows_the_traceback_of_the_file_only(tmp_path: Path) -> None:
    path = write(tmp_path, "lf_raise.py", "def f():\n    raise KeyError('lost')\n\nf()\n")
    text = message(path)
    assert text.splitlines()[0] == f"{path} cannot be used: it failed while being imported."
    assert text.splitlines()[1] == "Traceback (most recent call last):"
    assert text.splitlines()[2] == f'  File "{path}", line 4, in <module>'
    assert text.splitlines()[-1] == "KeyError: 'lost'"
    assert "importlib" not in text
    assert "locust_c" not in text


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (
            "options = locust.ConnectionOptions(limit=0)",
            "limit must be a positive number of connections, not 0",
        ),
        (
            "type('A', (locust.HttpUser,), {'http_version': '2.5'})",
            'A.http_version must be "1.0", "1.1" or "2", not',
        ),
        ("type('A', (locust.User,), {'weight': -1})", "A.weight must not be negative, got -1"),
    ],
)
def test_a_refused_value_is_one_line_with_file_and_line(tmp_path: Path, line: str, words: str) -> None:
    path = write(tmp_path, "lf_refused.py", f"import locust_c as locust\n{line}\n")
    text = message(path)
    assert text.startswith(f"Error in {path}, line 2: {words}")
    assert len(text.splitlines()) == 1


def test_a_refused_value_in_an_imported_file_names_both(tmp_path: Path) -> None:
    other = write(
        tmp_path, "lf_opts.py", "from locust_c import ConnectionOptions\nConnectionOptions(limit=0)\n"
    )
    path = write(tmp_path, "lf_uses_opts.py", "import lf_opts\n")
    assert message(path).startswith(f"Error in {other}, line 2 (imported by {path}): limit must be")


def test_a_module_that_is_missing_is_named(tmp_path: Path) -> None:
    text = message(write(tmp_path, "lf_missing.py", "import no_such_module\n"))
    assert text.endswith("ModuleNotFoundError: No module named 'no_such_module'")


def test_an_exit_at_import_passes_through(tmp_path: Path) -> None:
    with pytest.raises(SystemExit) as end:
        locustfiles.load([write(tmp_path, "lf_exit.py", "raise SystemExit(7)\n")])
    assert end.value.code == 7

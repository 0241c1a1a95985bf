"""_core.ClassWatch: what counts as a change, and what is refused."""

from __future__ import annotations

import gc
import weakref
from typing import Any

import pytest

from locust_c import _core


class Base:
    def method(self) -> None: ...

    other = 1


class Derived(Base): ...


@pytest.fixture(params=[True, False], ids=["by flag", "by comparing"])
def watch(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> _core.ClassWatch:
    for name in ("method", "other"):
        monkeypatch.setattr(Base, name, Base.__dict__[name])
    guard = type("Guard", (Derived,), {})
    return _core.ClassWatch(guard, ((Base, "method"), (Derived, "other")), request.param)


def test_a_change_is_counted_when_somebody_looks(watch: _core.ClassWatch) -> None:
    assert [watch.look(), watch.look()] == [0, 0]
    Base.method = lambda self: None  # type: ignore[method-assign]
    Base.other = 2
    assert [watch.look(), watch.look()] == [1, 1]
    Base.other = 3
    assert watch.look() == 2


def test_what_is_not_watched_is_no_change(watch: _core.ClassWatch) -> None:
    Base.method = Base.method  # type: ignore[method-assign]
    Base.third = 1  # type: ignore[attr-defined]
    _ = Derived.method, Derived.other
    assert watch.look() == 0
    del Base.third  # type: ignore[attr-defined]
    assert watch.look() == 0


def test_an_attribute_that_is_gone_raises(watch: _core.ClassWatch) -> None:
    other = Base.other
    del Base.other
    with pytest.raises(AttributeError):
        watch.look()
    Base.other = other
    assert watch.look() == 0


@pytest.mark.parametrize(
    ("attributes", "error"),
    [
        ((), ValueError),
        (("method",), TypeError),
        (((Base, 1),), TypeError),
        ((("Base", "method"),), TypeError),
        (((int, "real"),), TypeError),
        (((Base, "nothing"),), AttributeError),
    ],
)
def test_what_cannot_be_watched_is_refused(attributes: Any, error: type[Exception]) -> None:
    with pytest.raises(error):
        _core.ClassWatch(Derived, attributes, True)


def test_a_session_takes_no_other_watch() -> None:
    session = _core.Session()
    with pytest.raises(TypeError):
        session._watch = Base()  # type: ignore[assignment]
    assert session._watch is None


def test_a_class_that_holds_its_own_watch_is_collected() -> None:
    class Own: ...

    Own.value = 1  # type: ignore[attr-defined]
    guard = type("Guard", (Own,), {})
    Own.watch = _core.ClassWatch(guard, ((Own, "value"),), True)  # type: ignore[attr-defined]
    gone = weakref.ref(Own)
    del Own, guard
    gc.collect()
    assert gone() is None

"""UsersDispatcher: which classes and workers get the users, step by step."""

from __future__ import annotations

from typing import Any

import gevent
import pytest

from locust_c import User
from locust_c.dispatch import UsersDispatcher
from locust_c.runners import WorkerNode


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The pauses that dispatchers make, without making them."""
    made: list[float] = []
    monkeypatch.setattr(gevent, "sleep", made.append)
    return made


def user_class(name: str, weight: float = 1, fixed_count: int = 0) -> type[User]:
    return type(User)(name, (User,), {"weight": weight, "fixed_count": fixed_count})


def dispatcher(*classes: type[User], workers: tuple[str, ...] = ("w",)) -> UsersDispatcher:
    return UsersDispatcher([WorkerNode(name) for name in workers], classes)


def ramp(made: UsersDispatcher, count: int, rate: float = 1, classes: Any = None) -> list[dict[str, Any]]:
    """The steps of a ramp, without the classes of which there are no users."""
    made.new_dispatch(count, rate, classes)
    return [
        {worker: {name: n for name, n in counts.items() if n} for worker, counts in step.items()}
        for step in made
    ]


def order(made: UsersDispatcher, count: int) -> str:
    """The names of the classes in the order in which their users come, or go."""
    before: dict[str, int] = {}
    found = ""
    for step in ramp(made, count):
        (counts,) = step.values()
        found += "".join(name for name in {**before, **counts} if counts.get(name) != before.get(name))
        before = counts
    return found


@pytest.mark.parametrize(
    ("weights", "sequence"),
    [
        ((5, 1), "AABAAAAABAAAAABA"),
        ((3, 2, 1), "ABCABAABCABA"),
        ((1, 1), "ABABABAB"),
        ((1, 2), "BABBABBAB"),
        ((0.5, 0.25), "ABAABAABA"),
        ((10, 3, 3, 1), "AABCAADABCAAABCAAAABCAAA"),
    ],
)
def test_the_order_keeps_the_proportions_at_every_moment(
    weights: tuple[float, ...], sequence: str, pauses: list[float]
) -> None:
    classes = [user_class(name, weight) for name, weight in zip("ABCD", weights, strict=False)]
    assert order(dispatcher(*reversed(classes)), len(sequence)) == sequence


def test_classes_of_a_fixed_count_come_first_in_proportion_to_what_is_missing(pauses: list[float]) -> None:
    made = dispatcher(user_class("A"), user_class("B", fixed_count=3), user_class("C", fixed_count=2))
    assert order(made, 8) == "BCBCBAAA"


def test_a_fixed_count_is_filled_up_again_after_ramping_down(pauses: list[float]) -> None:
    made = dispatcher(user_class("A"), user_class("F", fixed_count=2))
    ramp(made, 4, 100)
    assert ramp(made, 1, 100) == [{"w": {"F": 1}}]
    assert ramp(made, 3, 100) == [{"w": {"F": 2, "A": 1}}]


def test_only_fixed_classes_end_the_ramp_when_all_are_there(pauses: list[float]) -> None:
    made = dispatcher(user_class("A", fixed_count=2), user_class("B", fixed_count=3))
    assert ramp(made, 12, 100)[0] == {"w": {"A": 2, "B": 3}}
    assert not made.dispatch_in_progress
    assert made.get_current_user_count() == 5


def test_a_weight_that_was_set_to_0_means_no_users(pauses: list[float]) -> None:
    assert order(dispatcher(user_class("A", 0), user_class("B", 2), user_class("C", 1)), 6) == "BCBBCB"
    assert order(dispatcher(user_class("A", 0), user_class("B", fixed_count=1)), 3) == "B"


def test_ramping_down_takes_away_what_came_last(pauses: list[float]) -> None:
    made = dispatcher(user_class("A", 3), user_class("B", 2), user_class("C"))
    ramp(made, 6, 100)  # ABCABA
    steps = ramp(made, 2)
    assert steps == [
        {"w": {"A": 2, "B": 2, "C": 1}},
        {"w": {"A": 2, "B": 1, "C": 1}},
        {"w": {"A": 1, "B": 1, "C": 1}},
        {"w": {"A": 1, "B": 1}},
    ]


@pytest.mark.parametrize(
    ("rate", "count", "sizes", "pause"),
    [
        (0.5, 3, [1, 1, 1], 2.0),
        (1, 3, [1, 1, 1], 1.0),
        (1.5, 3, [1, 1, 1], 1 / 1.5),
        (2.9, 5, [2, 2, 1], 2 / 2.9),
        (120, 300, [120, 120, 60], 1.0),
        (1000, 300, [300], None),
    ],
)
def test_the_spawn_rate_decides_steps_and_pauses(
    rate: float, count: int, sizes: list[int], pause: float | None, pauses: list[float]
) -> None:
    made = dispatcher(user_class("A"))
    made.new_dispatch(count, rate)
    found, before = [], 0
    for step in made:
        found.append(step["w"]["A"] - before)
        before = step["w"]["A"]
    assert found == sizes
    assert pauses == pytest.approx([pause] * (len(sizes) - 1) if pause else [], rel=0.02)
    assert len(made.dispatch_iteration_durations) == len(sizes)


def test_the_same_target_again_is_one_step_without_change(pauses: list[float]) -> None:
    made = dispatcher(user_class("A"))
    assert ramp(made, 2, 2) == ramp(made, 2, 2) == [{"w": {"A": 2}}]
    assert ramp(made, 0, 2) == [{"w": {}}]


def test_hosts_are_filled_evenly(pauses: list[float]) -> None:
    made = dispatcher(user_class("A"), workers=("h1_a", "h1_b", "h2_x"))
    assert ramp(made, 3) == [
        {"h1_a": {"A": 1}, "h2_x": {}, "h1_b": {}},
        {"h1_a": {"A": 1}, "h2_x": {"A": 1}, "h1_b": {}},
        {"h1_a": {"A": 1}, "h2_x": {"A": 1}, "h1_b": {"A": 1}},
    ]


def test_workers_stay_even_through_many_ramps(pauses: list[float]) -> None:
    made = dispatcher(user_class("A"), workers=("a", "b", "c"))
    for count in (5, 4, 5, 1, 9, 2, 6):
        (step,) = ramp(made, count, 100)
        shares = [counts.get("A", 0) for counts in step.values()]
        assert sum(shares) == count
        assert max(shares) - min(shares) <= 1


def test_a_worker_that_comes_or_goes_makes_one_step_of_the_same_users(pauses: list[float]) -> None:
    made = dispatcher(user_class("A"), user_class("B"), workers=("a",))
    made.new_dispatch(6, 2)
    assert next(made) == {"a": {"A": 1, "B": 1}}
    assert next(made) == {"a": {"A": 2, "B": 2}}
    made.add_worker(WorkerNode("b"))
    assert next(made) == {"a": {"A": 2, "B": 0}, "b": {"A": 0, "B": 2}}
    assert next(made) == {"a": {"A": 3, "B": 0}, "b": {"A": 0, "B": 3}}
    with pytest.raises(StopIteration):
        next(made)
    made.remove_worker(WorkerNode("b"))
    assert ramp(made, 6) == [{"a": {"A": 3, "B": 3}}]


def test_without_workers_there_is_no_user(pauses: list[float]) -> None:
    made = dispatcher(user_class("A"), workers=("a",))
    ramp(made, 3, 3)
    made.remove_worker(WorkerNode("a"))
    assert ramp(made, 3) == [{}, {}]
    assert made.get_current_user_count() == 0


def test_other_classes_count_for_what_is_added_from_then_on(pauses: list[float]) -> None:
    old, new = user_class("Old"), user_class("New")
    made = dispatcher(old, new)
    ramp(made, 2, 2, [old])
    assert ramp(made, 4, 2, [new]) == [{"w": {"Old": 2, "New": 2}}]


@pytest.mark.parametrize(
    ("count", "rate", "message"),
    [
        (-1, 1, "target_user_count must be >= 0, got -1"),
        (1, 0, "spawn_rate must be > 0, got 0"),
        (1, float("inf"), "spawn_rate must be a finite number, got inf"),
        (1, float("nan"), "spawn_rate must be a finite number, got nan"),
    ],
)
def test_impossible_targets_are_refused(count: int, rate: float, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        dispatcher(user_class("A")).new_dispatch(count, rate)

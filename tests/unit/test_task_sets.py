"""Sequential and Markov task sets, and tags."""

# ruff: noqa: RUF012 - tasks are declared as in a locustfile
from __future__ import annotations

from typing import Any

import pytest
from run_fixtures import holder_of, names, plain, run_user

from locust_c import MarkovTaskSet, SequentialTaskSet, TaskSet, User, tag, task, transition, transitions
from locust_c.exception import StopUser
from locust_c.user.markov_taskset import (
    InvalidTransitionError,
    MarkovTaskTagError,
    NoMarkovTasksError,
    NonMarkovTaskTransitionError,
)
from locust_c.user.tags import filter_tasks_by_tags


class TestSequential:
    def test_the_order_is_that_of_the_body(self) -> None:
        class Base(SequentialTaskSet):
            @task(2)
            def one(self) -> None: ...

            tasks = {plain: 2}

            @task
            def two(self) -> None: ...

        class Derived(Base):
            @task
            def three(self) -> None: ...

        assert names(Derived.tasks) == ["one", "one", "plain", "plain", "two", "three"]

    def test_tasks_are_run_in_order_over_and_over(self) -> None:
        order: list[int] = []

        class Steps(SequentialTaskSet):
            @task
            def one(self) -> None:
                order.append(1)

            @task
            def two(self) -> None:
                order.append(2)
                if len(order) >= 6:
                    raise StopUser

        run_user(holder_of(Steps))
        assert order == [1, 2, 1, 2, 1, 2]


class TestMarkov:
    def test_the_first_declared_is_first_and_transitions_follow(self) -> None:
        order: list[str] = []

        class Chain(MarkovTaskSet):
            @transition("b")
            def a(self) -> None:
                order.append("a")

            @transitions([("c", 2)])
            def b(self) -> None:
                order.append("b")

            @transitions({"a": 1})
            def c(self) -> None:
                order.append("c")
                if len(order) == 6:
                    raise StopUser

        run_user(holder_of(Chain))
        assert order == ["a", "b", "c", "a", "b", "c"]
        assert Chain.b.transitions == ["c", "c"]  # type: ignore[attr-defined]

    def test_a_chain_that_cannot_work_is_refused(self) -> None:
        with pytest.raises(NoMarkovTasksError, match="No Markov tasks defined in class Empty"):

            class Empty(MarkovTaskSet): ...

        with pytest.raises(InvalidTransitionError, match="Transition to b from a is invalid"):

            class Unknown(MarkovTaskSet):
                @transition("b")
                def a(self) -> None: ...

        with pytest.raises(NonMarkovTaskTransitionError, match=r"DeadEnd\.b cannot be used as a target"):

            class DeadEnd(MarkovTaskSet):
                @transition("b")
                def a(self) -> None: ...

                def b(self) -> None: ...

        with pytest.raises(MarkovTaskTagError, match="Tags are unsupported for MarkovTaskSet"):

            class Tagged(MarkovTaskSet):
                @tag("x")
                @transition("a")
                def a(self) -> None: ...

    def test_a_task_that_nothing_follows_is_refused(self) -> None:
        with pytest.raises(InvalidTransitionError, match=r"Ends\.a has no transition with a weight above 0"):

            class Ends(MarkovTaskSet):
                @transitions({"a": 0})
                def a(self) -> None: ...

    @pytest.mark.parametrize(
        ("weights", "message"),
        [
            (5, r"@transitions takes a dict \{name: weight\} or a list"),
            ("a", r"@transitions takes a dict .* not 'a'"),
            ([5], r"@transitions: a transition is the name of a method, not 5"),
            ({"a": "x"}, r"@transitions to a: a weight is an int, not 'x'"),
            ([("a", 0.5)], r"@transitions to a: a weight is an int, not 0\.5"),
            ({"a": -1}, r"@transitions to a: a weight is not negative, got -1"),
        ],
    )
    def test_transitions_that_cannot_be_are_refused(self, weights: Any, message: str) -> None:
        with pytest.raises((TypeError, ValueError), match=message):
            transitions(weights)

    def test_an_abstract_chain_is_not_checked(self) -> None:
        class Later(MarkovTaskSet):
            abstract = True

        assert Later.tasks == []

    def test_what_cannot_be_reached_is_warned_of(self, caplog: pytest.LogCaptureFixture) -> None:
        class Island(MarkovTaskSet):
            @transition("a")
            def a(self) -> None: ...

            @transition("a")
            def b(self) -> None: ...

        assert "unreachable in class Island: {'b'}" in caplog.text


class TestTags:
    def make(self) -> type[User]:
        class Tagged(User):
            @task
            def untagged(self) -> None: ...

            @tag("a")
            @task
            def one(self) -> None: ...

            @tag("a", "b")
            @task
            def both(self) -> None: ...

            @tag("c")
            @task
            class Inner(TaskSet):
                @task
                def inside(self) -> None: ...

        return Tagged

    @pytest.mark.parametrize(
        ("tags", "exclude_tags", "left"),
        [
            (None, None, ["untagged", "one", "both", "Inner"]),
            ({"a"}, None, ["one", "both"]),
            ({"c"}, None, ["Inner"]),
            (None, {"b"}, ["untagged", "one", "Inner"]),
            ({"a"}, {"b"}, ["one"]),
            (None, {"c"}, ["untagged", "one", "both"]),
        ],
    )
    def test_filter(self, tags: set[str] | None, exclude_tags: set[str] | None, left: list[str]) -> None:
        user_class = self.make()
        filter_tasks_by_tags(user_class, tags, exclude_tags)
        assert names(user_class.tasks) == left

    def test_a_class_without_tasks_left_is_warned_of(self, caplog: pytest.LogCaptureFixture) -> None:
        filter_tasks_by_tags(self.make(), {"nobody"})
        assert "Tagged had no tasks left after filtering, instantiating it will fail!" in caplog.text

    def test_a_markov_chain_stays_whole(self) -> None:
        class Chain(MarkovTaskSet):
            @transition("a")
            def a(self) -> None: ...

        class Holder(User):
            tasks = [Chain]

        filter_tasks_by_tags(Holder, {"x"})
        assert Holder.tasks == [Chain]

    def test_a_tag_needs_a_name(self) -> None:
        with pytest.raises(ValueError, match="No tag name was supplied"):
            tag()
        with pytest.raises(ValueError, match="No tag name was supplied"):
            tag(plain)  # type: ignore[arg-type]

"""Tests as users: the same file runs under pytest, and as a load test."""

import pytest


@pytest.fixture
def basket(session):
    return session.post("/anything/tests/basket").json()["path"]


def test_basket(session, basket):
    session.get(f"{basket}/content")


@pytest.mark.parametrize("size", [1, 2])
def test_bytes(fastsession, size):
    assert len(fastsession.get(f"/bytes/{size}").content) == size


class TestStatus:
    def test_teapot(self, session):
        with session.get("/status/418", catch_response=True) as answer:
            assert answer.status_code == 418
            answer.success()

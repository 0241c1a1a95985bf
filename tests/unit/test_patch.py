"""What `import locust_c` changes elsewhere, and only while it must."""

from __future__ import annotations

from importlib import metadata

import pytest

from locust_c import patch


def test_entry_points_are_found_as_before_and_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    original, reads = metadata.entry_points, []
    expected = original(group="console_scripts")
    monkeypatch.setattr(metadata, "entry_points", lambda **wanted: reads.append(wanted) or original(**wanted))
    watched = metadata.entry_points
    with patch._entry_points_read_once():
        for _ in range(3):
            assert set(metadata.entry_points(group="console_scripts")) == set(expected)
        assert not list(metadata.entry_points(group="gevent.plugins.monkey.will_patch_nothing"))
    assert len(reads) == 1
    assert metadata.entry_points is watched

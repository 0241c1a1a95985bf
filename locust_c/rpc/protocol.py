"""What a message between runners holds."""

from __future__ import annotations

from typing import Any

__all__ = ["Message"]


class Message:
    """A message: its ``type``, its ``data``, and ``node_id``, which runner it is from or to."""

    def __init__(self, message_type: str, data: Any, node_id: str | None) -> None:
        self.type = message_type
        self.data = data
        self.node_id = node_id

    def __repr__(self) -> str:
        return f"<Message {self.type}:{self.node_id}>"

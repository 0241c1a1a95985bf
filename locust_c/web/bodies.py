"""Bodies of requests: what is larger than any form is dropped, and no user of the test waits for that."""

from __future__ import annotations

import io
from typing import Any

import gevent
from flask import Request, abort

__all__ = ["MAX_BODY", "drop", "refuse_large_body"]

#: Bytes of the body of a request to a route of ours; users' own take what they like.
MAX_BODY = 1_000_000

_CHUNK = 65_536


def refuse_large_body(request: Request) -> None:
    """Answer 413 if the body has more than :data:`MAX_BODY` bytes.

    One without a stated length (chunked) is read here, since Flask takes it for empty otherwise.
    """
    environ = request.environ
    stream = environ["wsgi.input"]
    length = request.content_length or 0
    if environ.pop("HTTP_TRANSFER_ENCODING", None) is not None:
        body = stream.read(MAX_BODY + 1)
        length = len(body)
        environ.update({"wsgi.input": io.BytesIO(body), "CONTENT_LENGTH": str(length)})
    if length > MAX_BODY:
        drop(stream)
        abort(413, f"The body has more than {MAX_BODY:,} bytes")


def drop(stream: Any) -> None:
    """Read to its end the body of a request that is refused."""
    # Left to the server, it would be read without a pause: a gigabyte blocks everybody for seconds.
    while stream.read(_CHUNK):
        gevent.sleep(0)

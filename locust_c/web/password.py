"""The built-in login: one password, with or without a user's name, sessions, and programs that send it."""

from __future__ import annotations

import hashlib
import hmac
import logging
import math
import secrets
import time
from collections import OrderedDict
from typing import TYPE_CHECKING

from .throttle import Throttle

if TYPE_CHECKING:
    from werkzeug.wrappers import Request

logger = logging.getLogger("locust.web")

#: A session ends when it was not used for this long, or when so many newer ones have begun.
SESSION_S = 24 * 3600.0
MAX_SESSIONS = 1000


class WrongPassword(Exception):
    """Name or password are not right."""


class TooManyTries(Exception):
    """The client was wrong too often; it may try again after ``wait_s`` seconds."""

    def __init__(self, wait_s: float) -> None:
        self.wait_s = math.ceil(wait_s)
        super().__init__(f"Too many wrong passwords: try again in {self.wait_s} s.")


class PasswordLogin:
    """Knows the password, and who has given it."""

    def __init__(self, user: str | None, password: str, cookie: str) -> None:
        """:param user: the name that is asked for with the password; None: only the password is asked.
        :param cookie: name of the cookie of a session.
        """
        self.user = user
        self.cookie = cookie
        self.throttle = Throttle()
        self._key = secrets.token_bytes(32)
        self._user_digest = self._digest((user or "").encode("utf-8", "surrogateescape"))
        self._password_digest = self._digest(password.encode("utf-8", "surrogateescape"))
        self._sessions: OrderedDict[bytes, float] = OrderedDict()

    def _digest(self, value: bytes) -> bytes:
        """Of equal length for all values, so that comparing takes equal time, too."""
        return hmac.digest(self._key, value, hashlib.sha256)

    def check(self, client: str, user: bytes | None, password: bytes) -> None:
        """Return if ``user`` (None: not given) and ``password`` are right.

        :param client: the IP address that they came from.
        :raises WrongPassword: they are not.
        :raises TooManyTries: nobody looked at them.
        """
        wait_s = self.throttle.wait_s(client)
        if wait_s > 0:
            raise TooManyTries(wait_s)
        # Both are compared whatever the first one says.
        right = hmac.compare_digest(self._digest(password), self._password_digest)
        if self.user is not None and user is not None:
            right &= hmac.compare_digest(self._digest(user), self._user_digest)
        if not right:
            if self.throttle.wrong(client):
                logger.warning("Wrong password for the web page from %s", client)
            raise WrongPassword("Wrong password." if self.user is None else "Wrong user name or password.")
        self.throttle.right(client)

    def begin_session(self) -> str:
        """Return the value of the cookie of a new session."""
        value = secrets.token_urlsafe(32)
        self._sessions[self._digest(value.encode())] = time.monotonic()
        while len(self._sessions) > MAX_SESSIONS:
            self._sessions.popitem(last=False)
        return value

    def has_session(self, request: Request) -> bool:
        """Whether the request has the cookie of a session that has not ended."""
        key, now = self._session_key(request), time.monotonic()
        last_used = self._sessions.pop(key, None)
        if last_used is None or now - last_used > SESSION_S:
            return False
        self._sessions[key] = now
        return True

    def end_session(self, request: Request) -> None:
        """End the session of the request, if it has one."""
        self._sessions.pop(self._session_key(request), None)

    def _session_key(self, request: Request) -> bytes:
        return self._digest(request.cookies.get(self.cookie, "").encode("utf-8", "surrogateescape"))

    def sent_password(self, request: Request) -> tuple[bytes | None, bytes] | None:
        """The name and the password of ``Authorization``, as Basic (RFC 7617) or Bearer (RFC 6750).

        With no name to ask for, any name will do for Basic.
        """
        header = request.headers.get("Authorization", "")
        kind, _, value = header.partition(" ")
        if kind.lower() == "bearer":
            return None, value.strip().encode("latin-1")
        sent = request.authorization
        if sent is None or sent.type != "basic":
            return None
        return (sent.username or "").encode(), (sent.password or "").encode()

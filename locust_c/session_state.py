"""What a session keeps for its user in the forms that requests users know: headers and cookies.

The engine reads the headers' store directly and owns the cookies; both objects are made only when
somebody asks for them, so that thousands of sessions that never do stay small.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from http.cookiejar import Cookie
from typing import TYPE_CHECKING, Any

from requests.cookies import RequestsCookieJar
from requests.structures import CaseInsensitiveDict

if TYPE_CHECKING:
    from locust_c import _core

__all__ = ["SessionCookies", "SessionHeaders", "response_headers"]


class SessionHeaders(CaseInsensitiveDict):  # type: ignore[type-arg]
    """Default headers of a session; `_store` is a plain dict that the engine writes out as it is."""

    __slots__ = ()

    def __init__(self, data: Mapping[str, Any] | Iterable[tuple[str, Any]] = (), **kwargs: Any) -> None:
        self._store: dict[str, tuple[str, Any]] = {}
        self.update(data, **kwargs)

    def copy(self) -> CaseInsensitiveDict[Any]:
        return CaseInsensitiveDict(self._store.values())


def response_headers(lines: Iterable[tuple[str, str]]) -> CaseInsensitiveDict[str]:
    """Header lines as requests shows them: repeated names joined by a comma (RFC 9110, 5.3)."""
    joined: dict[str, tuple[str, str]] = {}
    for name, value in lines:
        first = joined.get(name.lower())
        joined[name.lower()] = (name, value) if first is None else (first[0], f"{first[1]}, {value}")
    return CaseInsensitiveDict(joined.values())


def _cookie(row: tuple[Any, ...]) -> Cookie:
    domain, path, name, value, expires, secure, http_only, domain_given, path_given = row
    rest: dict[str, Any] = {"HttpOnly": None} if http_only else {}
    return Cookie(
        version=0,
        name=name,
        value=value,
        port=None,
        port_specified=False,
        domain=domain,
        domain_specified=domain_given,
        domain_initial_dot=domain.startswith("."),
        path=path,
        path_specified=path_given,
        secure=secure,
        expires=expires,
        discard=expires is None,
        comment=None,
        comment_url=None,
        rest=rest,
    )


class SessionCookies(RequestsCookieJar):
    """The engine's cookie jar of one session, as a RequestsCookieJar.

    Reading makes `http.cookiejar.Cookie` objects of what the engine holds at that moment; setting and
    clearing act on the engine's jar.
    """

    def __init__(self, session: _core.Session) -> None:
        super().__init__()
        self._session = session

    @property
    def _cookies(self) -> dict[str, dict[str, dict[str, Cookie]]]:
        tree: dict[str, dict[str, dict[str, Cookie]]] = {}
        for row in self._session._cookie_list():
            cookie = _cookie(row)
            tree.setdefault(cookie.domain, {}).setdefault(cookie.path, {})[cookie.name] = cookie
        return tree

    @_cookies.setter
    def _cookies(self, tree: dict[str, dict[str, dict[str, Cookie]]]) -> None:
        """http.cookiejar assigns an empty tree when it is cleared, and when it is set up."""
        if not hasattr(self, "_session"):
            return  # what the engine's jar holds already stays
        self._session._cookie_remove(None, None, None)
        for paths in tree.values():
            for names in paths.values():
                for cookie in names.values():
                    self.set_cookie(cookie)

    def set_cookie(self, cookie: Cookie, *args: Any, **kwargs: Any) -> None:
        # As http.cookiejar writes it out, whatever it is; None is a cookie without "=".
        value = None if cookie.value is None else str(cookie.value)
        if isinstance(value, str) and value.startswith('"') and value.endswith('"'):
            value = value.replace('\\"', "")
        self._session._cookie_put(
            cookie.domain,
            cookie.path,
            cookie.name,
            value,
            cookie.expires,
            bool(cookie.secure),
            cookie.has_nonstandard_attr("HttpOnly"),
            bool(cookie.domain_specified),
            bool(cookie.path_specified),
        )

    def clear(self, domain: str | None = None, path: str | None = None, name: str | None = None) -> None:
        """Removes the cookies of a domain, of a path in it, one cookie, or all (http.cookiejar).

        Raises ValueError for a path or name without what leads to it, KeyError if nothing matches.
        """
        if name is not None and (domain is None or path is None):
            raise ValueError("domain and path must be given to remove a cookie by name")
        if path is not None and domain is None:
            raise ValueError("domain must be given to remove cookies by path")
        removed = self._session._cookie_remove(domain, path, name)
        if not removed and domain is not None:
            raise KeyError(name or path or domain)

    def clear_session_cookies(self) -> None:
        for cookie in self:
            if cookie.discard:
                self.clear(cookie.domain, cookie.path, cookie.name)

    def clear_expired_cookies(self) -> None:
        for cookie in self:
            if cookie.is_expired():
                self.clear(cookie.domain, cookie.path, cookie.name)

    def copy(self) -> RequestsCookieJar:
        """A jar of its own with the cookies of this moment."""
        jar = RequestsCookieJar()
        for cookie in self:
            jar.set_cookie(cookie)
        return jar

    def __getstate__(self) -> dict[str, Any]:
        return self.copy().__dict__ | {"_cookies_lock": None}

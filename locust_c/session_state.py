"""What a session keeps for its user in the forms that requests users know: headers and cookies.

The engine reads the headers' store directly and owns the cookies; both objects are made only when
somebody asks for them, so that thousands of sessions that never do stay small.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from http.cookiejar import Cookie, CookiePolicy, DefaultCookiePolicy
from typing import TYPE_CHECKING, Any, cast

from requests.cookies import RequestsCookieJar
from requests.structures import CaseInsensitiveDict

from locust_c.raw import Message

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


def _is_default(policy: CookiePolicy) -> bool:
    settings = {name: value for name, value in vars(policy).items() if name != "_now"}
    return type(policy) is DefaultCookiePolicy and settings == vars(DefaultCookiePolicy())


class SessionCookies(RequestsCookieJar):
    """The engine's cookie jar of one session, as a RequestsCookieJar.

    Reading makes `http.cookiejar.Cookie` objects of what the engine holds at that moment; setting and
    clearing act on the engine's jar. The engine knows one policy, http.cookiejar's default: with another
    one, or one that somebody may change, requests handles the cookies.
    """

    _session: _core.Session
    _policy: CookiePolicy
    _policy_is_known = True

    def __init__(self, session: _core.Session) -> None:
        super().__init__()
        self._session = session

    def attach(self, jar: RequestsCookieJar) -> bool:
        """Makes another jar the view of the session's cookies, and this one a jar on its own.

        False: not possible, the other jar is of a class or has a policy that the engine does not know.
        """
        policy: CookiePolicy = jar._policy  # type: ignore[attr-defined]
        if type(jar) is not RequestsCookieJar or not _is_default(policy):
            return False
        session, tree = self.detach(), jar._cookies  # type: ignore[attr-defined]
        jar.__class__ = SessionCookies
        del jar.__dict__["_cookies"]
        jar._session = session  # type: ignore[attr-defined]
        jar._cookies = tree  # type: ignore[attr-defined]
        return True

    def detach(self) -> _core.Session:
        """Ends the view: a jar on its own with the cookies of this moment. Returns the session."""
        session, tree = self._session, self._cookies
        del self._session
        self.__class__ = RequestsCookieJar  # type: ignore[assignment]
        self._cookies = tree
        return session

    @property
    def is_for_engine(self) -> bool:
        """Whether the engine does with cookies what this jar's policy says."""
        return self._policy_is_known and _is_default(self._policy)

    def set_policy(self, policy: CookiePolicy) -> None:
        super().set_policy(policy)
        self._policy_matters()

    def get_policy(self) -> CookiePolicy:
        self._policy_is_known = False  # whoever has it may change it
        self._policy_matters()
        return self._policy

    def _policy_matters(self) -> None:
        look_again = getattr(self._session, "_look_again", None)
        if look_again is not None:
            self._session._cookies_are_ours = self.is_for_engine  # type: ignore[attr-defined]
            look_again()

    def extract_cookies(self, response: Any, request: Any) -> None:
        headers = response.info()
        taken = isinstance(headers, Message) and headers.session is self._session
        if not (taken and self.is_for_engine):
            super().extract_cookies(response, request)

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
        jar = RequestsCookieJar(self._policy)
        for cookie in self:
            jar.set_cookie(cookie)
        return jar

    def __reduce__(self) -> Any:
        return _restored, (self.copy().__getstate__(),)


def _restored(state: dict[str, Any]) -> RequestsCookieJar:
    jar: Any = RequestsCookieJar.__new__(RequestsCookieJar)
    jar.__setstate__(state)
    return cast(RequestsCookieJar, jar)

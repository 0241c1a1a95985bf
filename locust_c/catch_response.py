"""The with block of a request made with ``catch_response=True``, the same for both HTTP clients."""

from __future__ import annotations

from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from locust_c.exception import CatchResponseError, LocustError, ResponseError

__all__ = ["CatchResponse"]


class CatchResponse:
    """Mixin of the response classes: the request is reported at the end of the with block.

    What ``success()`` or ``failure()`` said last counts; without them a ``ResponseError`` raised in the
    block, which ends there, and else the status. Any other exception passes on, and nothing is reported
    (Locust's documented behaviour).
    """

    error: Any
    request_meta: dict[str, Any]
    _exception: Any
    _catch_response: bool
    _name: str
    _manual_result: bool | Exception | None = None
    _entered = False

    if TYPE_CHECKING:

        def _report(self) -> None: ...
        @property
        def _meta_made(self) -> bool: ...
        def _status_error(self, name: str) -> Exception | None:
            """What the status counts as; `name`: the sample's."""

    def __enter__(self) -> Self:
        if not self._catch_response:
            raise LocustError(
                "In order to use a with-block, you need to pass catch_response=True to the request method"
            )
        self._entered = True
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        exception: BaseException | None,
        traceback: TracebackType | None,
    ) -> bool:
        caught = False
        if self._manual_result is not None:
            self._set_exception(None if self._manual_result is True else self._manual_result)
        elif exception is not None:
            if not isinstance(exception, ResponseError):
                return False
            caught = True
            self._set_exception(exception)
        elif self._exception is None:
            self._set_exception(self._status_error(self._sample_name()))
        self._report()
        return caught

    def _sample_name(self) -> str:
        """The name as the block may have changed it."""
        return str(self.request_meta["name"]) if self._meta_made else self._name

    def _set_exception(self, exception: BaseException | bool | None) -> None:
        self._exception = exception
        if self._meta_made:
            self.request_meta["exception"] = exception

    def success(self) -> None:
        """Counts the request as a success, whatever its status. Raises LocustError outside a with block."""
        self._require_block("success()")
        self._manual_result = True

    def failure(self, exc: Any) -> None:
        """Counts the request as a failure; `exc` is an exception or a text. LocustError outside a block."""
        self._require_block("failure(...)")
        self._manual_result = exc if isinstance(exc, Exception) else CatchResponseError(exc)

    def _require_block(self, call: str) -> None:
        if not self._entered:
            raise LocustError(
                "Tried to set status on a request that has not yet been made. Make sure you use a "
                "with-block, like this:\n\n"
                f"with self.client.request(..., catch_response=True) as response:\n    response.{call}"
            )

    def raise_for_status(self) -> None:
        """Raises the request's error, if any; after success() or failure() what they said counts."""
        if self._manual_result is True:
            return
        if isinstance(self._manual_result, Exception):
            raise self._manual_result
        if self.error is not None:
            raise self.error
        super().raise_for_status()  # type: ignore[misc]  # of the response class it is mixed into

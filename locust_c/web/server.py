"""The socket and the WSGI server of the web page."""

from __future__ import annotations

import logging
import socket as constants
import ssl
from typing import Any

from gevent import socket
from gevent.pywsgi import WSGIHandler, WSGIServer

logger = logging.getLogger("locust.web")

ALL_ADDRESSES = ("", "*")

_BACKLOG = 256
_TLS_HANDSHAKE = b"\x16"


def listen(host: str, port: int) -> Any:
    """Return a socket that listens on ``port`` of ``host``.

    :param host: ``""`` and ``"*"`` stand for all IPv4 addresses of the machine.
    :param port: 0 for a free one.

    :raises OSError: the port is taken or not allowed, or the host is no address of this machine.
    """
    address = "0.0.0.0" if host in ALL_ADDRESSES else host
    family, kind, protocol, _, target = socket.getaddrinfo(
        address, port, type=constants.SOCK_STREAM, flags=constants.AI_PASSIVE
    )[0]
    listener = socket.socket(family, kind, protocol)
    try:
        listener.setsockopt(constants.SOL_SOCKET, constants.SO_REUSEADDR, 1)
        # What is accepted inherits it: head and body of an answer are two writes, and on a kept connection
        # the second would wait 40 ms for the client's kernel to acknowledge the first.
        listener.setsockopt(constants.IPPROTO_TCP, constants.TCP_NODELAY, 1)
        listener.bind(target)
        listener.listen(_BACKLOG)
        listener.setblocking(False)
    except BaseException:
        listener.close()
        raise
    return listener


class _Handler(WSGIHandler):  # type: ignore[misc]
    """Says what is wrong when a browser speaks https to a page that is served over http."""

    def read_requestline(self) -> str:
        # Looked at before the line is read: a TLS client waits for an answer without ever sending a line end.
        if self.rfile.peek(1)[:1] == _TLS_HANDSHAKE:
            logger.warning("Got a https request, but the page is served over http: use an http:// address")
            return ""
        line: str = super().read_requestline()
        return line


class Server(WSGIServer):  # type: ignore[misc]
    """gevent's server without an access log; failed TLS handshakes are no errors of ours."""

    def __init__(self, listener: Any, application: Any, context: ssl.SSLContext | None) -> None:
        tls: dict[str, Any] = {} if context is None else {"ssl_context": context}
        super().__init__(listener, application, log=None, error_log=logger, handler_class=_Handler, **tls)

    def wrap_socket_and_handle(self, client_socket: Any, address: Any) -> Any:
        """Serve one connection over TLS."""
        try:
            return super().wrap_socket_and_handle(client_socket, address)
        except ssl.SSLError as error:
            if error.reason == "HTTP_REQUEST":
                logger.warning(
                    "Got a http request, but the page is served over https: use an https:// address"
                )
            else:
                logger.debug("TLS handshake with %s failed: %s", address, error)
        except OSError as error:
            logger.debug("Connection from %s broke: %s", address, error)
        finally:
            client_socket.close()
        return None

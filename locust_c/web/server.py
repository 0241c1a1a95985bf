"""The socket and the WSGI server of the web page."""

from __future__ import annotations

import contextlib
import logging
import re
import socket as constants
import ssl
from collections import OrderedDict
from typing import Any

import gevent
from gevent import socket
from gevent.pywsgi import WSGIHandler, WSGIServer

logger = logging.getLogger("locust.web")

ALL_ADDRESSES = ("", "*")

#: How many connections are open at once at most: far more than browsers need, far fewer than descriptors.
MAX_CONNECTIONS = 512
#: How long one read from a client, or one write, may take.
TIMEOUT_S = 120.0

_BACKLOG = 256
_TLS_HANDSHAKE = b"\x16"
_BAD_REQUEST = b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"

_HINT_TIMEOUT_S = 5.0
_MAX_HINT_HEAD = 16_384
_HINT_HEAD = (
    b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Type: text/plain; charset=utf-8\r\n"
    b"X-Content-Type-Options: nosniff\r\nContent-Length: %d\r\n\r\n"
)


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
    """Serves one connection; what a client does wrong is no error of ours and no traceback."""

    def read_requestline(self) -> str:
        # Looked at before the line is read: a TLS client waits for an answer without ever sending a line end.
        if self.rfile.peek(1)[:1] == _TLS_HANDSHAKE:
            logger.warning("Got a https request, but the page is served over http: use an http:// address")
            return ""
        line: str = super().read_requestline()
        return line

    def handle_one_response(self) -> None:
        connection = self.socket
        self.server.connections.answer(connection)
        if self._connection_upgrade_requested():
            # A WebSocket of a user's page may be silent for as long as it likes.
            connection.settimeout(None)
        super().handle_one_response()
        self.server.connections.wait(connection)

    def _handle_client_error(self, error: Exception) -> tuple[str, bytes] | None:
        logger.debug("Request from %s: %s", self.client_address, error)
        return None if isinstance(error, OSError) else ("400", _BAD_REQUEST)


class _Connections:
    """The open connections, bounded: a new one takes the place of the one that has waited longest.

    So clients that connect and say nothing, or very slowly, neither use up descriptors nor keep others out.
    """

    def __init__(self) -> None:
        self._waiting: OrderedDict[Any, None] = OrderedDict()
        self._answered: OrderedDict[Any, None] = OrderedDict()

    def __len__(self) -> int:
        return len(self._waiting) + len(self._answered)

    def wait(self, connection: Any) -> None:
        """Note that the client is to send a request; it counts as new."""
        if self._answered.pop(connection, False) is None:
            self._waiting[connection] = None

    def answer(self, connection: Any) -> None:
        """Note that a request is being answered."""
        if self._waiting.pop(connection, False) is None:
            self._answered[connection] = None

    def add(self, connection: Any) -> None:
        """Take a new connection, and close another one if there are too many."""
        while len(self) >= MAX_CONNECTIONS:
            longest, _ = (self._waiting or self._answered).popitem(last=False)
            _hang_up(longest)
        self._waiting[connection] = None

    def replace(self, connection: Any, successor: Any) -> None:
        """Go on with ``successor``, if the connection was not closed meanwhile."""
        if self._waiting.pop(connection, False) is None:
            self._waiting[successor] = None
        else:
            _hang_up(successor)

    def remove(self, connection: Any) -> None:
        """Forget a connection that has ended."""
        self._waiting.pop(connection, None)
        self._answered.pop(connection, None)


def _hang_up(connection: Any) -> None:
    """End a connection; whoever serves it learns that at its next read or write, and closes the socket.

    A socket of TLS would forget its state in a shutdown of its own, in the middle of a handshake.
    """
    with contextlib.suppress(OSError):
        socket.socket.shutdown(connection, constants.SHUT_RDWR)


class Server(WSGIServer):  # type: ignore[misc]
    """gevent's server without an access log, for a bounded number of connections."""

    def __init__(self, listener: Any, application: Any, context: ssl.SSLContext | None) -> None:
        tls: dict[str, Any] = {} if context is None else {"ssl_context": context}
        self.connections = _Connections()
        super().__init__(listener, application, log=None, error_log=logger, handler_class=_Handler, **tls)

    def do_handle(self, connection: Any, address: Any) -> None:
        """Serve a connection that was just accepted, in a greenlet of its own."""
        connection.settimeout(TIMEOUT_S)
        self.connections.add(connection)
        super().do_handle(connection, address)

    def do_close(self, connection: Any, *address: Any) -> None:
        """Close a connection that has been served."""
        self.connections.remove(connection)
        super().do_close(connection, *address)

    def handle(self, connection: Any, address: Any) -> None:
        """Serve a connection until its end."""
        try:
            super().handle(connection, address)
        except OSError as error:
            logger.debug("Connection from %s broke: %s", address, error)

    def wrap_socket_and_handle(self, client_socket: Any, address: Any) -> None:
        """Serve one connection over TLS."""
        secure = client_socket
        try:
            # A client that speaks first in plain text would only see the connection closed by OpenSSL.
            first = client_socket.recv(1, constants.MSG_PEEK)
            if first != _TLS_HANDSHAKE:
                self._explain_https(client_socket, address)
                return
            secure = self.wrap_socket(client_socket, do_handshake_on_connect=False, **self.ssl_args)
            self.connections.replace(client_socket, secure)
            secure.do_handshake()
            self.handle(secure, address)
        except OSError as error:
            logger.debug("Connection from %s broke: %s", address, error)
        finally:
            self.connections.remove(secure)
            secure.close()
            client_socket.close()

    def _explain_https(self, client_socket: Any, address: Any) -> None:
        """Answer a request in plain text that came to the port of TLS; anything else is left unanswered."""
        with gevent.Timeout(_HINT_TIMEOUT_S, False):
            head = b""
            while b"\n\r\n" not in head and len(head) < _MAX_HINT_HEAD:
                data = client_socket.recv(4096)
                if not data:
                    break
                head += data
            asked = re.match(rb"[A-Z]+ (/[!-~]*) HTTP/1\.[01]\r?\n", head)
            if asked is None:
                logger.debug("Connection from %s is neither TLS nor HTTP", address)
                return
            host = re.search(rb"^host:[ \t]*([\w.:\[\]-]+)[ \t]*\r?$", head, re.IGNORECASE | re.MULTILINE)
            name = host[1] if host is not None else b"%s:%d" % (address[0].encode(), self.server_port)
            place = f"https://{name.decode()}{asked[1].decode()}"
            logger.warning(
                "Got a http request, but the page is served over https: use an https:// address, %s", place
            )
            body = f"This page is served over https: use {place}\n".encode()
            client_socket.sendall(_HINT_HEAD % len(body) + body)
            client_socket.shutdown(constants.SHUT_WR)
            # Closed with something unread, the connection would be reset and the answer lost.
            unread = _MAX_HINT_HEAD
            while unread > 0 and (data := client_socket.recv(4096)):
                unread -= len(data)

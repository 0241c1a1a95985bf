"""The web page of one environment: its application, its server, and what the templates are given."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Callable, Iterable
from functools import wraps
from typing import TYPE_CHECKING, Any

import gevent
from flask import Flask
from jinja2 import ChoiceLoader, FileSystemLoader

import locust_c.web

from .. import __version__, log, stats
from ..argument_parser import ui_extra_args_dict
from ..credentials import without_userinfo
from ..html import short_history
from ..states import STATE_MISSING
from . import built, login, tls
from .application import Registrations, make_app
from .figures import Figures
from .guard import Access, Guard
from .login import LoginManager, make_login_manager, refuse_if_not_signed_in
from .routes import locust as routes
from .routes import request_stats
from .server import ALL_ADDRESSES, Server, listen
from .swarm import Swarming

if TYPE_CHECKING:
    from ..env import Environment
    from ..user.users import User

logger = logging.getLogger("locust.web")

#: Under this name an application knows its page, and the registrations made before it had one.
EXTENSION = "locust"


class WebUI:
    """Serves the page on which a test is started, watched and stopped (Locust's documented class).

    ``app`` is the Flask application: the first page of a process takes ``locust.web.app``, later ones get an
    application of their own with everything that had been registered on that one before.
    """

    def __init__(
        self,
        environment: Environment,
        host: str,
        port: int,
        web_base_path: str | None = None,
        web_login: bool = False,
        tls_cert: str | None = None,
        tls_key: str | None = None,
        stats_csv_writer: Any = None,
        delayed_start: bool = False,
        userclass_picker_is_active: bool = False,
        build_path: str | None = None,
        access: Access | None = None,
    ) -> None:
        """Bind the port; serve at once unless ``delayed_start`` is set.

        :param host: address to listen on; ``""`` and ``"*"``: all IPv4 addresses of the machine.
        :param port: 0 for a free one, see :attr:`port`.
        :param web_base_path: what all paths start with, such as ``/locust``.
        :param web_login: let nobody in whom Flask-Login does not know: :attr:`login_manager`.
        :param tls_cert: path of a certificate, for https, with ``tls_key``.
        :param access: who may use the page; in the command, options say so. Default: whoever reaches it.
        :param build_path: folder with an ``index.html``, and ``auth.html`` and ``assets/`` if need be, to be
            served instead of ours.
        :raises OSError: the port cannot be had.
        :raises locust_c.web.tls.TlsError: certificate and key cannot be used.
        :raises ValueError: an argument asks for something that this version does not have.
        """
        #: Folder of the user's own page; None: ours.
        self.build_path = built.check_build_path(build_path) if build_path else None
        if web_login and access is not None and access.password is not None:
            raise ValueError("web_login and a password of the page cannot be used together")
        context = tls.context_of(tls.find_files(tls_cert, tls_key, {}))
        self.environment = environment
        self.host = host
        self.web_base_path = web_base_path or ""
        self.tls_cert = tls_cert
        self.tls_key = tls_key
        self.stats_csv_writer = stats_csv_writer
        self.userclass_picker_is_active = userclass_picker_is_active
        self.display_name: str | None = None
        #: Another one for each start of a server, so that a page that is open notices.
        self.instance = secrets.token_hex(8)
        self.template_args: dict[str, Any] = {}
        self.auth_args: dict[str, Any] = {}
        self.greenlet: gevent.Greenlet | None = None
        self.swarming = Swarming(environment, userclass_picker_is_active)
        self.figures = Figures(environment)
        listener = listen(host, port)
        address, self.port = listener.getsockname()[:2]
        self.app = self._take_app()
        if web_login:
            #: Only with ``web_login``; users give it their ``user_loader``.
            self.login_manager: LoginManager = make_login_manager(self.app)
        self.guard = Guard(self, access or Access(), address)
        self.server = Server(listener, self.guard, context)
        if not delayed_start:
            self.start()

    def _take_app(self) -> Flask:
        app = locust_c.web.app
        known: Registrations | None = app.extensions.get(EXTENSION + ".before")
        if known is None:
            app.extensions[EXTENSION + ".before"] = Registrations.of(app)
        else:
            app = make_app()
            known.apply(app)
        app.extensions[EXTENSION] = self
        if self.build_path is not None:
            own = FileSystemLoader(self.build_path)
            app.jinja_loader = own if app.jinja_loader is None else ChoiceLoader([own, app.jinja_loader])
        app.register_blueprint(routes, url_prefix=self.web_base_path or None)
        app.view_functions["locust.request_stats"] = self._with_clear_cache(request_stats)
        return app

    def _with_clear_cache(self, view: Callable[[], Any]) -> Callable[[], Any]:
        """The view as Locust documents it: ``view.clear_cache()`` forgets the remembered answer."""

        @wraps(view)
        def call() -> Any:
            return view()

        call.clear_cache = self.figures.clear  # type: ignore[attr-defined]
        return call

    @property
    def url(self) -> str:
        """Address of the page, for people."""
        scheme = "https" if self.server.ssl_enabled else "http"
        host = self.display_name or ("0.0.0.0" if self.host in ALL_ADDRESSES else self.host)
        if ":" in host and not host.startswith("["):
            host = f"[{host}]"
        return f"{scheme}://{host}:{self.port}{self.web_base_path}"

    def start(self) -> None:
        """Serve the page in a greenlet of its own (:attr:`greenlet`); once started, nothing happens."""
        if self.greenlet is None:
            if self.build_path is None and not built.is_built():
                logger.warning("%s", built.MISSING.removeprefix("Error: "))
            self.greenlet = gevent.spawn(self.server.serve_forever)
            self.greenlet.link_exception(log.greenlet_exception_logger(logger))

    def stop(self) -> None:
        """Stop serving and free the port."""
        self.swarming.cancel()
        if self.greenlet is not None and not self.server.started:
            # It has not had its turn since start(): it would find the socket closed.
            self.greenlet.kill()
        self.server.stop(timeout=0)
        if self.greenlet is not None and self.greenlet is not gevent.getcurrent():
            self.greenlet.join(timeout=1)
        if not self.server.closed:
            self.server.close()

    def auth_required_if_enabled(self, view: Callable[..., Any]) -> Callable[..., Any]:
        """Decorator for views that need a login where the page has one (``web_login``).

        A password of the page (:class:`locust_c.web.Access`) is needed for all views anyway.
        """

        @wraps(view)
        def call(*args: Any, **kwargs: Any) -> Any:
            refusal = refuse_if_not_signed_in(self)
            return view(*args, **kwargs) if refusal is None else refusal

        return call

    def update_template_args(self) -> None:
        """Bring :attr:`template_args`, what the page is rendered with, up to date."""
        environment = self.environment
        options = environment.parsed_options
        runner = environment.runner
        shape = environment.shape_class
        # With the picker the form says whether there is a shape.
        decides = shape is not None and not shape.use_common_options and not self.userclass_picker_is_active
        host, overridden, missing = self._host()
        self.template_args.update(
            {
                "instance": self.instance,
                "locustfile": environment.locustfile,
                "state": runner.state if runner is not None else STATE_MISSING,
                "is_distributed": False,
                "user_count": runner.user_count if runner is not None else 0,
                "worker_count": 0,
                "version": __version__,
                "host": without_userinfo(host or ""),
                "history": short_history(environment),
                "override_host_warning": overridden,
                "missing_host_warning": missing,
                "is_host_required": locust_c.web.HOST_IS_REQUIRED,
                "num_users": getattr(options, "num_users", None),
                "spawn_rate": getattr(options, "spawn_rate", None),
                "run_time": getattr(options, "run_time", None),
                "profile": environment.profile,
                "hide_common_options": decides,
                "shape_use_common_options": shape is not None and shape.use_common_options,
                "shape": None if shape is None or self.userclass_picker_is_active else type(shape).__name__,
                "stats_history_enabled": bool(getattr(options, "stats_history_enabled", False)),
                "tasks": "{}",
                "extra_options": self._custom_arguments(),
                "show_userclass_picker": self.userclass_picker_is_active,
                "available_user_classes": sorted(environment.available_user_classes or {}),
                "available_shape_classes": ["Default", *sorted(environment.available_shape_classes or {})],
                "shapes_with_common_options": [
                    name
                    for name, available in sorted((environment.available_shape_classes or {}).items())
                    if available.use_common_options
                ],
                "available_user_tasks": {
                    name: [getattr(task, "__name__", str(task)) for task in tasks]
                    for name, tasks in (environment.available_user_tasks or {}).items()
                },
                "users": {kind.__name__: self._described(kind) for kind in self._shown_classes()},
                "percentiles_to_chart": list(stats.PERCENTILES_TO_CHART),
                "percentiles_to_statistics": list(stats.PERCENTILES_TO_STATISTICS),
                **login.template_args(self),
            }
        )

    def _shown_classes(self) -> Iterable[type[User]]:
        if self.userclass_picker_is_active and self.environment.available_user_classes:
            return self.environment.available_user_classes.values()
        return self.environment.user_classes

    @staticmethod
    def _described(user_class: type[User]) -> dict[str, Any]:
        described = user_class.json()
        return {**described, "host": without_userinfo(described.get("host") or "") or None}

    def _host(self) -> tuple[str | None, bool, bool]:
        """The host of the test; whether the user classes set several; whether one of them sets none."""
        if self.environment.host:
            return self.environment.host, False, False
        hosts = {user_class.host for user_class in self.environment.user_classes}
        host = hosts.pop() if len(hosts) == 1 else None
        return host, bool(hosts), not host and (not hosts or None in hosts)

    def _custom_arguments(self) -> dict[str, dict[str, Any]]:
        options = self.environment.parsed_options
        if options is None:
            return {}
        arguments = ui_extra_args_dict([])
        for name, argument in arguments.items():
            argument["default_value"] = getattr(options, name, argument["default_value"])
        return arguments

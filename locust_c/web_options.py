"""The options of the web page."""

from __future__ import annotations

from .argument_types import base_path, origins, port_number, user_name
from .option_rows import OptionGroup, flag, renamed, value

WEB = OptionGroup(
    "Web UI options",
    (
        value(
            "--web-host",
            metavar="<ip>",
            default="",
            env="LOCUST_WEB_HOST",
            help="address that the web page listens on. Default: all addresses of this machine",
        ),
        value("--web-host-display-name", default=None, env="LOCUST_WEB_HOST_DISPLAY_NAME", help=None),
        value(
            "--web-port",
            "-P",
            metavar="<port number>",
            type=port_number,
            default=8089,
            env="LOCUST_WEB_PORT",
            help="port that the web page listens on. Default: 8089",
        ),
        flag(
            "--headless",
            env="LOCUST_HEADLESS",
            help="no web page: start the test at once, with -u, -r and -t",
        ),
        flag(
            "--autostart", env="LOCUST_AUTOSTART", help="start the test at once, and serve the web page too"
        ),
        value(
            "--autoquit",
            metavar="<seconds>",
            type=int,
            default=-1,
            env="LOCUST_AUTOQUIT",
            help="with --autostart: exit this many seconds after the test. Default: run until Ctrl-C",
        ),
        flag("--headful", env="LOCUST_HEADFUL", help=None),
        flag(
            "--web-login",
            env="LOCUST_WEB_LOGIN",
            help="let only those in whom the locustfile knows, by Flask-Login. For a password without code,"
            " set LOCUST_WEB_PASSWORD in the environment instead",
        ),
        value(
            "--tls-cert",
            metavar="<filename>",
            default="",
            env="LOCUST_TLS_CERT",
            help="certificate (PEM), to serve the page over https; SSL_CERT in the environment does the same",
        ),
        value(
            "--tls-key",
            metavar="<filename>",
            default="",
            env="LOCUST_TLS_KEY",
            help="private key (PEM) of that certificate; SSL_KEY in the environment does the same. The pass"
            " phrase of an encrypted key is asked for, or taken from SSL_KEY_PASSWORD",
        ),
        flag(
            "--class-picker",
            env="LOCUST_USERCLASS_PICKER",
            help="let who starts a test over the web choose the user classes and the load shape",
        ),
        value("--build-path", default="", env="LOCUST_BUILD_PATH", help=None),
        value(
            "--web-base-path",
            metavar="<path>",
            type=base_path,
            default="",
            env="LOCUST_WEB_BASE_PATH",
            help="path that all addresses of the web page start with, such as /locust",
        ),
        renamed("--web-auth", "is now --web-login", env="LOCUST_WEB_AUTH"),
        renamed(
            "--legacy-ui", "is gone, leave it out: there is one page", env="LOCUST_LEGACY_UI", default=False
        ),
    ),
)

#: What Locust does not have, see ``options.BEYOND_LOCUST``.
ALLOW_ORIGIN_OPTION = value(
    "--web-allow-origin",
    dest="web_allowed_origins",
    metavar="<origin>",
    type=origins,
    action="extend",
    default=[],
    env="LOCUST_WEB_ALLOW_ORIGIN",
    help="web site whose pages may read and change what the web page shows, such as"
    " https://board.example.com; may be given several times. Default: none but the web page itself",
)

USER_OPTION = value(
    "--web-user",
    dest="web_password_user",
    metavar="<name>",
    type=user_name,
    env="LOCUST_WEB_USER",
    help="name to sign in with on the web page, with the password that LOCUST_WEB_PASSWORD in the environment"
    " holds. With that variable alone, only the password is asked for",
)

"""The command: ``locust`` and ``locust-c``."""

from __future__ import annotations

import argparse
import faulthandler
import importlib
import itertools
import logging
import os
import sys
import threading
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import gevent

import locust_c

from . import __version__ as version
from . import argument_parser, log, stats
from .command import console, locustfiles
from .command.download import remove_downloads
from .command.errors import CommandError
from .command.limits import raise_descriptor_limit
from .command.local_run import LocalRun
from .command.signals import Interrupts
from .util.load_locustfile import load_locustfile as load_locustfile

if TYPE_CHECKING:
    from .env import Environment
    from .event import Events
    from .shape import LoadTestShape
    from .user.users import User

__all__ = ["create_environment", "main"]

logger = logging.getLogger("locust.main")

_PASSWORD_VARIABLE = "LOCUST_WEB_PASSWORD"


def main() -> None:
    """Run the command with the arguments of the process, and exit (``SystemExit``) with its exit code."""
    _explain_crashes()
    interrupts = Interrupts()
    interrupts.before_leaving.append(remove_downloads)
    if threading.current_thread() is threading.main_thread():
        interrupts.install()
    try:
        code = _run(interrupts)
    except KeyboardInterrupt:
        interrupts.begin_end()
        sys.stderr.write("Interrupted before there was a test.\n")
        code = interrupts.exit_code
    except BrokenPipeError:
        # Nobody reads what --list and the like print. What is still buffered must not fail at exit again.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = 1
    sys.exit(code)


def _explain_crashes() -> None:
    """Have a crash in C leave the stacks on stderr, unless the user has arranged where they go."""
    if sys.__stderr__ is not None and not faulthandler.is_enabled():
        faulthandler.enable(sys.__stderr__)


def create_environment(
    user_classes: Sequence[type[User]],
    options: argparse.Namespace,
    events: Events | None = None,
    shape_class: LoadTestShape | None = None,
    locustfile: str | None = None,
    parsed_locustfiles: list[str] | None = None,
    available_user_classes: dict[str, type[User]] | None = None,
    available_shape_classes: dict[str, LoadTestShape] | None = None,
    available_user_tasks: dict[str, list[Any]] | None = None,
) -> Environment:
    """Return an environment for ``user_classes`` that follows the parsed ``options`` of the command.

    :raises ValueError: as :class:`locust_c.env.Environment`.
    """
    from .env import Environment

    return Environment(
        locustfile=locustfile,
        user_classes=user_classes,
        shape_class=shape_class,
        events=events,
        host=options.host,
        tags=options.tags,
        exclude_tags=options.exclude_tags,
        reset_stats=options.reset_stats,
        stop_timeout=options.stop_timeout,
        parsed_options=options,
        parsed_locustfiles=parsed_locustfiles,
        available_user_classes=available_user_classes,
        available_shape_classes=available_shape_classes,
        available_user_tasks=available_user_tasks,
        profile=options.profile,
    )


def _run(interrupts: Interrupts) -> int:
    """The whole command; mistakes of the user become one clear message and an exit code."""
    if sys.argv[1:2] in (["adopt"], ["release"]):
        from . import adopt

        return adopt.main(sys.argv[1:])
    try:
        files, options = _read_input()
        _set_up_logging(options)
    except CommandError as error:
        sys.stderr.write(f"{error}\n")
        return error.exit_code
    try:
        return _run_with_logging(files, options, interrupts)
    except CommandError as error:
        logger.error("%s", error)
        return error.exit_code


def _read_input() -> tuple[locustfiles.Locustfiles, argparse.Namespace]:
    """Import the locustfiles, then parse the command line, which they may have extended."""
    from . import alias

    # Before the first line of the user's code: `import locust` in it has to be us.
    alias.install()
    _load_plugins()
    first_pass = argument_parser.parse_locustfile_option()
    if first_pass.help:
        _print_help(first_pass)
    files = locustfiles.load(argument_parser.get_locustfiles_locally(first_pass))
    parser = argument_parser.get_parser()
    if log.unhandled_greenlet_exception:
        raise CommandError("An init_command_line_parser listener failed: no test is started.")
    options = parser.parse_args()
    if options.stats_history_enabled and not options.csv_prefix:
        parser.error("'--csv-full-history' requires '--csv'.")
    if options.headful:
        options.headless = False
    if options.autoquit != -1 and not options.autostart:
        raise CommandError("--autoquit is only meaningful in combination with --autostart")
    if options.web_base_path and not options.web_base_path.startswith("/"):
        raise CommandError(f"--web-base-path must start with '/', not '{options.web_base_path}'")
    return files, options


def _load_plugins() -> None:
    """Import ``locust_plugins`` if it is installed: it adds options and listeners of its own."""
    try:
        importlib.import_module("locust_plugins")
    except ModuleNotFoundError as error:
        if error.name != "locust_plugins":
            raise CommandError(f"locust_plugins is installed, but cannot be imported: {error}") from error
    except Exception as error:
        raise CommandError(f"locust_plugins is installed, but cannot be imported: {error!r}") from error


def _print_help(first_pass: argparse.Namespace) -> None:
    """Print the help, with the custom arguments if there is a locustfile that can be imported, and exit."""
    try:
        paths = [path for path in first_pass.locustfile.split(",") if os.path.exists(path)]
        if paths:
            locustfiles.load(argument_parser.parse_locustfile_paths(paths))
    except CommandError as error:
        sys.stderr.write(f"{error}\n\n")
    try:
        argument_parser.get_parser().parse_args(["--help"])
    except (KeyError, TypeError, ValueError) as error:
        raise CommandError(
            f"The help of an argument that the locustfile adds cannot be printed: {error}. Write %% for a %."
        ) from error


def _set_up_logging(options: argparse.Namespace) -> None:
    if options.skip_log_setup:
        return
    try:
        log.setup_logging(options.loglevel, options.logfile)
    except OSError as error:
        log.setup_logging(options.loglevel)
        why = f"cannot write to '{options.logfile}': {error.strerror or error}"
        logger.error("--logfile: %s; the log goes to stderr", why)


def _run_with_logging(
    files: locustfiles.Locustfiles, options: argparse.Namespace, interrupts: Interrupts
) -> int:
    logger.info("Starting Locust %s (locust-c, C engine)", version)
    if options.list_commands:
        console.print_user_class_names(list(files.user_classes))
        return 0
    environment = _make_environment(files, files.select(options.user_classes), options)
    if options.show_task_ratio or options.show_task_ratio_json:
        as_json = options.show_task_ratio_json
        console.print_task_ratios(environment.user_classes, options.num_users or 0, as_json=as_json)
        return 0
    if options.equal_weights:
        environment.assign_equal_weights()
    stats.validate_stats_configuration()
    _note_what_has_no_effect(environment, options)
    raise_descriptor_limit()
    _make_hub()
    environment.create_local_runner()
    if not options.headless:
        _create_web_page(environment, options)
    if options.class_picker:
        logger.debug("Locust is running with the UserClass Picker Enabled")
    return _run_test(LocalRun(environment, options, interrupts))


def _make_hub() -> None:
    """gevent reads its variables when it makes the hub, which it does where the hub is first needed."""
    try:
        gevent.get_hub()
    except ImportError as error:
        # The interpreter's end needs a hub, too.
        gevent.config.loop = gevent.config.settings["loop"].default
        raise CommandError(
            f"gevent cannot start with GEVENT_LOOP={os.environ.get('GEVENT_LOOP')}: {error}"
        ) from error


def _run_test(run: LocalRun) -> int:
    try:
        run.fire_init()
        run.start()
        run.wait()
    except KeyboardInterrupt:
        logger.debug("The test is ended by a signal")
    except SystemExit as request:
        run.note_exit(request)
    return run.end()


def _note_what_has_no_effect(environment: Environment, options: argparse.Namespace) -> None:
    if options.headless and options.autostart:
        logger.info("The --autostart argument is implied by --headless, no need to set both.")
        options.autostart = False
    shape = environment.shape_class
    if shape is not None and not shape.use_common_options:
        given = {
            "--users": options.num_users,
            "--spawn-rate": options.spawn_rate,
            "--run-time": options.run_time,
        }
        ignored = [name for name, value in given.items() if value]
        if ignored:
            logger.warning(
                "--run-time, --users or --spawn-rate have no impact on LoadShapes unless the shape class"
                " explicitly reads them."
            )
            logger.warning("The following option(s) will be ignored: %s", ", ".join(ignored))
    fixed = sum(user_class.fixed_count for user_class in environment.user_classes)
    if options.num_users is not None and fixed > options.num_users:
        logger.info(
            "Total fixed_count of User classes (%d) is greater than the specified number of users (%d),"
            " so not all will be spawned.",
            fixed,
            options.num_users,
        )


def _make_environment(
    files: locustfiles.Locustfiles, user_classes: Sequence[type[User]], options: argparse.Namespace
) -> Environment:
    try:
        environment = create_environment(
            user_classes,
            options,
            # Late, as an attribute of the package: programs replace it.
            events=locust_c.events,
            shape_class=files.shape_class,
            locustfile=os.path.basename(files.paths[0]),
            parsed_locustfiles=files.paths,
            available_user_classes=files.user_classes,
            available_shape_classes=files.shape_classes,
            available_user_tasks={name: list(cls.tasks or []) for name, cls in files.user_classes.items()},
        )
    except ValueError as error:
        raise CommandError(str(error)) from error
    if options.config_users:
        _change_user_classes(environment, user_classes, options.config_users)
    return environment


def _change_user_classes(
    environment: Environment, chosen: Sequence[type[User]], settings: list[list[dict[str, Any]]]
) -> None:
    """Carry out ``--config-users``."""
    try:
        for item in itertools.chain.from_iterable(settings):
            environment.update_user_class(item)
    except (TypeError, ValueError) as error:
        raise CommandError(f"--config-users: {error}", exit_code=255) from error
    environment.user_classes = [cls for cls in chosen if cls.weight > 0 or cls.fixed_count]
    if not environment.user_classes:
        raise CommandError("There are no users with weight > 0.")


def _web_password(options: argparse.Namespace) -> str | None:
    """The password of the web page; in no option, so that no list of processes and no log shows it."""
    password = os.environ.get(_PASSWORD_VARIABLE)
    if password is None and options.web_password_user:
        raise CommandError(f"--web-user needs a password: set {_PASSWORD_VARIABLE} in the environment.")
    if password == "":
        raise CommandError(
            f"{_PASSWORD_VARIABLE} is empty: set a password, or unset it for a page without login."
        )
    if password is not None and options.web_login:
        raise CommandError(f"--web-login and {_PASSWORD_VARIABLE} are two kinds of login: use one of them.")
    return password


def _create_web_page(environment: Environment, options: argparse.Namespace) -> None:
    """Bind the port, so that a start that cannot work fails before there is a test."""
    from .web import Access, built, reach, tls

    password = _web_password(options)
    try:
        files = tls.find_files(options.tls_cert, options.tls_key, os.environ)
        web_ui = environment.create_web_ui(
            host=options.web_host,
            port=options.web_port,
            web_base_path=options.web_base_path,
            tls_cert=files.certificate,
            tls_key=files.key,
            delayed_start=True,
            web_login=options.web_login,
            userclass_picker_is_active=options.class_picker,
            build_path=options.build_path or None,
            access=Access(tuple(options.web_allowed_origins), password, options.web_password_user or None),
        )
    except tls.TlsError as error:
        raise CommandError(str(error)) from error
    except built.BuildPathError as error:
        raise CommandError(f"--build-path: {error}") from error
    except OSError as error:
        where = f"port {options.web_port}" + (f" of {options.web_host}" if options.web_host else "")
        raise CommandError(
            f"The web page cannot be served on {where}: {error.strerror or error}."
            " Choose another one with --web-port (or --web-host), or start with --headless."
        ) from error
    web_ui.display_name = options.web_host_display_name
    logger.info("Starting web interface at %s, press enter to open your default browser.", web_ui.url)
    described = reach.describe_reach(web_ui)
    if described is not None:
        logger.log(*described)


if __name__ == "__main__":
    main()

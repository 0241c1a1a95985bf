"""The command line: options, environment variables, configuration files and custom arguments.

Options come from the table in :mod:`locust_c.options`; a locustfile adds its own with the event
``init_command_line_parser``. Later sources win: ``~/.locust.conf``, ``locust.conf``, ``pyproject.toml``,
``--config``, environment, command line (Locust's documented behaviour).
"""

from __future__ import annotations

import argparse
import difflib
import json
import os
import platform
import sys
from collections.abc import Sequence
from dataclasses import replace
from typing import IO, Any, NoReturn

import configargparse

from .argument_types import gt_zero, json_user_config, positive_integer, timespan
from .command.download import download_locustfile_from_url
from .option_rows import Option
from .options import BEYOND_LOCUST, CONFIG_OPTION, GROUPS, LOCUSTFILE_OPTION, OLD_NAMES
from .util.directory import get_abspaths_in
from .util.url import is_url

__all__ = [
    "LocustArgumentParser",
    "default_args_dict",
    "download_locustfile_from_master",
    "download_locustfile_from_url",
    "get_empty_argument_parser",
    "get_locustfiles_locally",
    "get_parser",
    "gt_zero",
    "json_user_config",
    "parse_locustfile_option",
    "parse_locustfile_paths",
    "parse_options",
    "positive_integer",
    "setup_parser_arguments",
    "timespan",
    "ui_extra_args_dict",
]

DEFAULT_CONFIG_FILES = ("~/.locust.conf", "locust.conf", "pyproject.toml")

_EXAMPLES = """Examples:

    locust -f my_test.py -H https://www.example.com

    locust --headless -u 100 -r 10 -t 20m MyUser AnotherUser
"""


class _ConfigFileParser(configargparse.ConfigFileParser):  # type: ignore[misc]
    """Reads ``[tool.locust]`` of a ``.toml`` file, and ``key = value`` lines of any other."""

    def __init__(self) -> None:
        self._toml = configargparse.TomlConfigParser(["tool.locust"])
        self._lines = configargparse.DefaultConfigFileParser()

    def get_syntax_description(self) -> str:
        return "key = value lines, or the section tool.locust of a .toml file"

    def parse(self, stream: IO[str]) -> dict[str, Any]:
        if not str(stream.name).endswith(".toml"):
            return dict(self._lines.parse(stream))
        try:
            return dict(self._toml.parse(stream))
        except configargparse.ConfigFileParserException as error:
            raise configargparse.ConfigFileParserException(f"{stream.name}: {error}") from error


class LocustArgumentParser(configargparse.ArgumentParser):  # type: ignore[misc]
    """The parser that ``init_command_line_parser`` listeners get.

    Its ``add_argument`` takes what ``argparse`` and ConfigArgParse (``env_var=``) take, and says how the web
    page shows the argument.
    """

    def add_argument(
        self,
        *args: Any,
        include_in_web_ui: bool = True,
        is_secret: bool = False,
        is_required: bool = False,
        is_multiple: bool = False,
        **kwargs: Any,
    ) -> argparse.Action:
        """Add an argument.

        :param include_in_web_ui: show it in the start form of the web page.
        :param is_secret: the form does not show what is typed.
        :param is_required: the form does not start a test without it.
        :param is_multiple: the form lets the user pick several of its choices.
        """
        action: argparse.Action = super().add_argument(*args, **kwargs)
        for name, value in (
            ("include_in_web_ui", include_in_web_ui),
            ("is_secret", is_secret),
            ("is_required", is_required),
            ("is_multiple", is_multiple),
        ):
            setattr(action, name, value)
        return action

    def _arguments_with(self, attribute: str, default: bool = False) -> dict[str, argparse.Action]:
        return {
            action.dest: action
            for action in self._actions
            if action.dest not in ("help", "version") and getattr(action, attribute, default)
        }

    @property
    def args_included_in_web_ui(self) -> dict[str, argparse.Action]:
        """Arguments that the start form shows, by name."""
        return self._arguments_with("include_in_web_ui", default=True)

    @property
    def secret_args_included_in_web_ui(self) -> dict[str, argparse.Action]:
        """Arguments of the start form whose value is not shown."""
        shown = self.args_included_in_web_ui
        return {name: action for name, action in self._arguments_with("is_secret").items() if name in shown}

    @property
    def required_args_included_in_web_ui(self) -> dict[str, argparse.Action]:
        """Arguments that the start form insists on."""
        shown = self.args_included_in_web_ui
        return {name: action for name, action in self._arguments_with("is_required").items() if name in shown}

    @property
    def multiple_args_included_in_web_ui(self) -> dict[str, argparse.Action]:
        """Arguments of which the start form accepts several choices."""
        shown = self.args_included_in_web_ui
        return {name: action for name, action in self._arguments_with("is_multiple").items() if name in shown}

    def convert_item_to_command_line_arg(
        self, action: argparse.Action | None, key: str, value: Any
    ) -> list[str]:
        """Arguments for what a file or variable says; objects in lists stay JSON, as --config-users wants."""
        if isinstance(value, list):
            value = [json.dumps(item) if isinstance(item, dict) else item for item in value]
        arguments: list[str] = super().convert_item_to_command_line_arg(action, key, value)
        return arguments

    def parse_known_args(self, *args: Any, **kwargs: Any) -> tuple[argparse.Namespace, list[str]]:
        """Parse as ConfigArgParse does; a configuration file that cannot be read is an error of one line."""
        try:
            namespace, rest = super().parse_known_args(*args, **kwargs)
        except (OSError, UnicodeDecodeError) as error:
            self.error(f"configuration file: {error}")
        return namespace, rest

    def parse_args(self, *args: Any, **kwargs: Any) -> argparse.Namespace:
        """Parse everything; what is not known ends the program with exit code 2 and a suggestion."""
        namespace, unknown = self.parse_known_args(*args, **kwargs)
        if unknown:
            names = [word for word in unknown if word.startswith("-")] or unknown
            for old in map(_old_name, names):
                if old is not None:
                    self.error(f"argument {old}: {OLD_NAMES[old]}")
            self.error(f"unrecognized arguments: {' '.join(names)}" + self._suggestions(names))
        _refuse_unavailable(self, namespace)
        return namespace

    def _suggestions(self, names: Sequence[str]) -> str:
        known = [flag for action in self._actions for flag in action.option_strings]
        lines = []
        for name in names:
            close = difflib.get_close_matches(name.split("=", 1)[0], known, n=1)
            if close:
                lines.append(f"\nDid you mean '{close[0]}'?")
        return "".join(lines)

    def error(self, message: str) -> NoReturn:
        """Print ``message`` in one line on stderr and exit with code 2."""
        self.exit(2, f"{self.prog}: error: {message}\n")
        raise AssertionError("exit() returned")


def _old_name(word: str) -> str | None:
    """The option of before Locust 1.0 that ``word`` is: ``--clients``, ``--clients=5``, ``-c`` or ``-c5``."""
    name = word.split("=", 1)[0] if word.startswith("--") else word[:2]
    return name if name in OLD_NAMES else None


def _version_text() -> str:
    from . import __version__, adopt

    folder = os.path.dirname(os.path.abspath(__file__))
    text = f"locust {__version__} from {folder} (Python {platform.python_version()})"
    pth = adopt.adopted_by()
    return f"{text}, adopted by {pth}" if pth else text


class _ShowVersion(argparse.Action):
    """Prints the version in one line; argparse's own action would fill it to the width of the terminal."""

    def __init__(self, option_strings: Sequence[str], dest: str, help: str | None = None) -> None:
        super().__init__(option_strings, dest, nargs=0, default=argparse.SUPPRESS, help=help)

    def __call__(self, parser: argparse.ArgumentParser, *_: Any) -> None:
        print(_version_text())
        parser.exit()


def _add_option(target: Any, option: Option) -> None:
    arguments = dict(option.arguments)
    if option.env_var is not None:
        arguments["env_var"] = option.env_var
    shown = option.help if option.is_shown else configargparse.SUPPRESS
    target.add_argument(*option.flags, help=shown, **arguments)


def _add_beyond_locust(parser: LocustArgumentParser) -> None:
    """Add the options that Locust does not have, under those of their names that nobody else has taken."""
    for group, option in BEYOND_LOCUST:
        free = tuple(flag for flag in option.flags if flag not in parser._option_string_actions)
        arguments = option.arguments
        parser.set_defaults(**{arguments["dest"]: arguments.get("default")})
        if free:
            titled = [each for each in parser._action_groups if each.title == group.title]
            _add_option(titled[0] if titled else parser, replace(option, flags=free))


def _refuse_unavailable(parser: LocustArgumentParser, namespace: argparse.Namespace) -> None:
    """End with exit code 2 if an option was given that the table has, but this version does not offer."""
    for group in GROUPS:
        for option in group.options:
            if option.available == "yes":
                continue
            action = next((a for a in parser._actions if option.flags[0] in a.option_strings), None)
            if action is not None and getattr(namespace, action.dest, action.default) != action.default:
                parser.error(f"argument {option.flags[-1]}: {option.help}")


def _refuse_at_once(args: Sequence[str] | None) -> None:
    """Refuse what this version does not offer before the locustfile is imported: nothing is to start.

    Abbreviations are left to the full parser, because they may be names that the locustfile adds.
    """
    parser = get_empty_argument_parser(add_help=False, allow_abbrev=False)
    _add_option(parser, CONFIG_OPTION)
    for group in GROUPS:
        for option in group.options:
            if option.available != "yes":
                _add_option(parser, option)
    _refuse_unavailable(parser, parser.parse_known_args(args=args)[0])


def get_empty_argument_parser(
    add_help: bool = True,
    default_config_files: Sequence[str] = DEFAULT_CONFIG_FILES,
    allow_abbrev: bool = True,
) -> LocustArgumentParser:
    """Return a parser that knows no option yet, except for the help."""
    parser = LocustArgumentParser(
        prog="locust",
        default_config_files=list(default_config_files),
        config_file_parser_class=_ConfigFileParser,
        add_config_file_help=False,
        add_env_var_help=False,
        add_help=False,
        allow_abbrev=allow_abbrev,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        usage=argparse.SUPPRESS,
        description="Usage: locust [options] [UserClass ...]",
        epilog=_EXAMPLES,
    )
    if add_help:
        # ConfigArgParse would offer the environment and the configuration files for the help, too.
        parser.add_argument("-h", "--help", action="help", help="print this help and exit")
    return parser


def setup_parser_arguments(parser: LocustArgumentParser) -> None:
    """Give ``parser`` every option of the command, in the groups that the help shows."""
    parser._optionals.title = GROUPS[0].title
    for group in GROUPS:
        if group is GROUPS[0]:
            target: Any = parser
        else:
            target = parser.add_argument_group(group.title)
        for option in group.options:
            _add_option(target, option)
    parser._action_groups[-1].add_argument(
        "--version", "-V", action=_ShowVersion, help="print the version and exit"
    )
    classes = parser.add_argument_group("User classes")
    classes.add_argument(
        "user_classes",
        nargs="*",
        metavar="<UserClass1 UserClass2>",
        default=os.environ.get("LOCUST_USER_CLASSES", "").split(),
        help="user classes to run; LOCUST_USER_CLASSES in the environment does the same. Default: all of"
        " the locustfile",
    )


def get_parser(default_config_files: Sequence[str] = DEFAULT_CONFIG_FILES) -> LocustArgumentParser:
    """Return the whole parser: all options, and what ``init_command_line_parser`` listeners add."""
    import locust_c

    parser = get_empty_argument_parser(default_config_files=default_config_files)
    setup_parser_arguments(parser)
    locust_c.events.init_command_line_parser.fire(parser=parser)
    _add_beyond_locust(parser)
    return parser


def parse_options(args: Sequence[str] | None = None) -> argparse.Namespace:
    """Return the options of ``args`` (default: the program's own). Deprecated: use :func:`get_parser`."""
    sys.stderr.write("parse_options() is deprecated: use get_parser().parse_args()\n")
    return get_parser().parse_args(args=args)


def parse_locustfile_option(args: Sequence[str] | None = None) -> argparse.Namespace:
    """First pass over the command line: which locustfile, and whether help or version were asked for.

    The rest can be judged only when the locustfile has been imported and has added its own arguments.
    """
    parser = get_empty_argument_parser(add_help=False)
    parser.add_argument("-h", "--help", action="store_true", default=False)
    parser.add_argument("--version", "-V", action=_ShowVersion)
    for option in (LOCUSTFILE_OPTION, CONFIG_OPTION):
        _add_option(parser, option)
    # `--head` would be taken as short for --help, if this pass did not know what the full parser knows.
    parser.add_argument("--headless", "--headful", action="store_true", default=False)
    options, _ = parser.parse_known_args(args=args)
    if not options.help:
        _refuse_at_once(args)
    return options


def get_locustfiles_locally(options: argparse.Namespace) -> list[str]:
    """Return the paths of the locustfiles that ``options.locustfile`` names, folders expanded.

    Ends the program with exit code 1 if one does not exist.
    """
    return parse_locustfile_paths([part.strip() for part in options.locustfile.split(",")])


def parse_locustfile_paths(paths: Sequence[str]) -> list[str]:
    """Expand ``paths`` (files, folders, addresses) into the paths of locustfiles.

    Ends the program with exit code 1 and one line on stderr if one of them cannot be used.
    """
    found: list[str] = []
    for path in paths:
        if path == "-":
            _exit_with("-f -: a locustfile that comes from the master is for workers only (--worker)")
        elif is_url(path):
            found.append(_download(path))
        elif os.path.isdir(path):
            files = get_abspaths_in(path, ".py")
            if not files:
                _exit_with(f"Could not find any locustfiles in directory '{path}'")
            found.extend(files)
        elif path.endswith(".py") and os.path.isfile(path):
            found.append(os.path.abspath(path))
        else:
            _exit_with(
                f"Could not find '{path}'. Ensure your locustfile ends with '.py' or is a directory"
                " with locustfiles. See --help for available options."
            )
    return list(dict.fromkeys(found))


def _download(url: str) -> str:
    try:
        return download_locustfile_from_url(url)
    except ValueError as error:
        _exit_with(str(error))


def download_locustfile_from_master(master_host: str, master_port: int) -> str:
    """Fetch the locustfile of a master; distributed tests are not part of this version."""
    raise NotImplementedError(
        f"This version of locust-c has no workers: nothing is fetched from {master_host}:{master_port}"
    )


def _exit_with(message: str) -> NoReturn:
    sys.stderr.write(message + "\n")
    sys.exit(1)


def default_args_dict() -> dict[str, Any]:
    """Return the defaults of all options that the command itself has, by name."""
    parser = get_empty_argument_parser(default_config_files=())
    setup_parser_arguments(parser)
    _add_beyond_locust(parser)
    return vars(parser.parse_known_args(args=[], env_vars={})[0])


def ui_extra_args_dict(args: Sequence[str] | None = None) -> dict[str, dict[str, Any]]:
    """Return what the start form shows for each custom argument: default, help, choices, how to ask."""
    own = default_args_dict()
    parser = get_parser()
    values = vars(parser.parse_known_args(args=args)[0])
    return {
        name: {
            "default_value": values.get(name),
            "is_secret": name in parser.secret_args_included_in_web_ui,
            "is_required": name in parser.required_args_included_in_web_ui,
            "is_multiple": name in parser.multiple_args_included_in_web_ui,
            "help_text": _expanded_help(action),
            "choices": list(action.choices) if action.choices is not None else None,
        }
        for name, action in parser.args_included_in_web_ui.items()
        if name not in own
    }


def _expanded_help(action: argparse.Action) -> str | None:
    """The help as ``--help`` prints it, placeholders filled in; as it is written if they are wrong."""
    try:
        return action.help and action.help % vars(action)
    except (KeyError, TypeError, ValueError):
        return action.help

"""Options of the command line, made from the fields of the settings records.

Each can also be given as the environment variable ``DPSS_<OPTION>``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

from dpss.cli.logs import FORMATS, LEVELS
from dpss.engine.options import Option, all_options
from dpss.engine.run_settings import RunSettings

F = TypeVar("F", bound=Callable[..., Any])


def option(*names: str, **attributes: Any) -> Callable[[F], F]:
    """Return `click.option` with an environment variable that help does not show."""
    flags = (name.partition("/")[0] for name in names if name.startswith("--"))
    longest = max(flags, key=len)
    variable = "DPSS_" + longest.strip("-").replace("-", "_").upper()
    return click.option(*names, envvar=variable, **attributes)


def combined(*decorators: Callable[[F], F]) -> Callable[[F], F]:
    """Return several options as one decorator; the help lists them in this order."""

    def decorate(function: F) -> F:
        for decorator in reversed(decorators):
            function = decorator(function)
        return function

    return decorate


def setting_options(*groups: str) -> Callable[[F], F]:
    """Return all options of settings in these groups as one decorator."""
    return combined(
        *(
            option(*_names(each), **_attributes(default, each))
            for default, each in all_options(RunSettings)
            if each.group in groups
        )
    )


def setting_option(name: str, **attributes: Any) -> Callable[[F], F]:
    """Return one option of settings; ``attributes`` replace those of its field."""
    default, found = next(each for each in all_options(RunSettings) if each[1].name == name)
    return option(*_names(found), **(_attributes(default, found) | attributes))


def repeated_options(record: type, help: str) -> Callable[[F], F]:
    """Return all options of a settings record as one decorator, each with the same description."""
    return combined(
        *(
            setting_option(
                each.name,
                help=help,
                **({} if each.kind is bool else {"default": None, "show_default": False}),
                **({"metavar": "WORD"} if each.choices else {}),
            )
            for _, each in all_options(record)
        )
    )


def _names(setting: Option) -> list[str]:
    flag = f"{setting.flag}/--no-{setting.name}" if setting.negatable else setting.flag
    return [flag, *(f"--{alias}" for alias in setting.aliases), setting.parameter]


def _attributes(default: object, setting: Option) -> dict[str, Any]:
    if setting.kind is bool:
        unset = {"default": None} if setting.negatable else {}
        return {"is_flag": True, "help": setting.help} | unset
    return {
        "type": click.Choice(setting.choices) if setting.choices else setting.kind,
        "default": default if setting.show_default else None,
        "show_default": setting.show_default,
        "multiple": setting.multiple,
        "metavar": setting.metavar,
        "help": setting.help,
    }


log_options = combined(
    option(
        "--log-format",
        type=click.Choice(FORMATS),
        default="text",
        show_default=True,
        help="Log lines for people, or as JSON for machines.",
    ),
    option(
        "--log-level",
        type=click.Choice(LEVELS),
        help="How much is logged.  [default: info; warning on a terminal, which has bars]",
    ),
    option("--debug", is_flag=True, help="Log everything, and show tracebacks of errors."),
)

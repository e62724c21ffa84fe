"""Options: the name, type, check and description of a field of a settings record.

A field that is made by `setting` is an option. The command line, the environment variable, the
reference and the check of the value follow from it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import MISSING, dataclass, field, fields, is_dataclass
from typing import Any, TypeVar

from dpss.errors import SettingsError

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class Option:
    """An option of the command line and its environment variable."""

    help: str
    """Description for the command line and the reference."""
    group: str
    """Name of the group: a command has all options of a group."""
    name: str = ""
    """Name without leading dashes; empty for the name of the field."""
    kind: type = str
    """Type of the value on the command line: ``str``, ``int``, ``float`` or ``bool``."""
    metavar: str | None = None
    """Placeholder for the value in the help."""
    choices: tuple[str, ...] = ()
    """Allowed values; empty for all."""
    aliases: tuple[str, ...] = ()
    """Other names without leading dashes."""
    negatable: bool = False
    """Whether a flag has an opposite, ``--no-NAME``."""
    multiple: bool = False
    """Whether the option may be given several times."""
    show_default: bool = False
    """Whether the help shows the default of the field."""
    parse: Callable[[Any], Any] | None = None
    """Converts the given value to that of the field; raises `ValueError`."""
    check: Callable[[Any], bool] | None = None
    """Returns whether a value of the field is allowed."""
    wants: str = ""
    """Description of the allowed values, for error messages."""

    @property
    def parameter(self) -> str:
        """Name of the parameter in Python."""
        return self.name.replace("-", "_")

    @property
    def flag(self) -> str:
        """Name on the command line."""
        return f"--{self.name}"

    @property
    def variable(self) -> str:
        """Name of the environment variable."""
        return f"DPSS_{self.parameter.upper()}"

    def fault(self, value: object) -> str:
        """Describe a value that is not allowed."""
        shown = f"{value:g}" if isinstance(value, float) else value
        wants = f"there is: {', '.join(self.choices)}" if self.choices else self.wants
        return f"{self.flag} ({self.variable}) is {shown}; {wants}"

    def allows(self, value: Any) -> bool:
        """Return whether a value of the field is allowed."""
        if self.choices and value not in self.choices:
            return False
        return self.check is None or self.check(value)


def setting(
    default: Any = None, *, default_factory: Callable[[], Any] | None = None, **option: Any
) -> Any:
    """Return a dataclass field that is an option.

    Args:
        default: Value where the option is not given.
        default_factory: Returns this value, instead of ``default``.
        option: Fields of `Option`.
    """
    metadata = {"option": option}
    if default_factory is not None:
        return field(default_factory=default_factory, metadata=metadata)
    return field(default=default, metadata=metadata)


def own_options(record: type) -> Iterator[tuple[str, Any, Option]]:
    """Yield field name, default and option of each option of a settings record."""
    for each in fields(record):
        if "option" in each.metadata:
            name = each.name.replace("_", "-")
            default = None if each.default is MISSING else each.default
            yield each.name, default, Option(**({"name": name} | each.metadata["option"]))


def all_options(record: type) -> Iterator[tuple[Any, Option]]:
    """Yield default and option of a settings record and of the records in its fields."""
    own = {name: (default, option) for name, default, option in own_options(record)}
    for each in fields(record):
        factory: Any = each.default_factory
        if each.name in own:
            yield own[each.name]
        elif isinstance(factory, type) and is_dataclass(factory):
            yield from all_options(factory)


def find_faults(settings: Any) -> list[str]:
    """Return one line for each value of a settings record that is not allowed."""
    return [
        option.fault(value)
        for name, _, option in own_options(type(settings))
        if (value := getattr(settings, name)) not in (None, "") and not option.allows(value)
    ]


def check_settings(settings: Any) -> None:
    """Check the values of a settings record.

    Raises:
        SettingsError: Some are not allowed; all in one message.
    """
    if faults := find_faults(settings):
        raise SettingsError("\n".join(faults))


def parse_values(record: type, given: Mapping[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """Return values by field of a settings record, and a line for each faulty one.

    Args:
        record: Class of the record.
        given: Values by the parameters' names; ``None`` and empty text are not given.
    """
    values, faults = {}, []
    for name, _, option in own_options(record):
        value = given.get(option.parameter)
        if value is None or value == "":
            continue
        try:
            values[name] = option.parse(value) if option.parse else value
        except SettingsError as error:
            faults.append(f"{option.flag} ({option.variable}): {error}")
        except ValueError:
            faults.append(option.fault(value))
    return values, faults


def make_settings(record: type[T], given: Mapping[str, Any]) -> T:
    """Make a settings record that checks its values; arguments as for `parse_values`.

    Raises:
        SettingsError: Values are not allowed; all in one message.
    """
    values, faults = parse_values(record, given)
    try:
        made = record(**values)
    except SettingsError as error:
        faults = [str(error), *faults]
    if faults:
        raise SettingsError("\n".join(faults))
    return made

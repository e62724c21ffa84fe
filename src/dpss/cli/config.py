"""The settings of a run, made from options; all faults are reported in one error."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, TypeVar

from dpss.engine.options import all_options, find_faults, make_settings, parse_values
from dpss.engine.run_settings import SOURCES, RunSettings, bucket_of
from dpss.engine.settings import ReadSettings, StatSettings
from dpss.errors import SettingsError

T = TypeVar("T")


def make_run_settings(*, output_needed: bool = True, **given: Any) -> RunSettings:
    """Fill in defaults that follow from other settings, and check all of them.

    Args:
        output_needed: Whether a missing output is a fault.
        given: Options of ``dpss run`` by name; ``None`` and empty text count as not given.

    Raises:
        SettingsError: Values are missing, not allowed or contradict each other; one message lists
            all.
        TypeError: A name is not that of an option.
    """
    if unknown := given.keys() - {option.parameter for _, option in all_options(RunSettings)}:
        raise TypeError(f"no options: {', '.join(sorted(unknown))}")
    given = {name: value for name, value in given.items() if value not in (None, "")}
    given = _defaults(given) | given
    values, malformed = parse_values(RunSettings, given)
    settings = RunSettings(
        **values,
        stats=_tried(StatSettings, given, malformed),
        read=_tried(ReadSettings, given, malformed),
    )
    faults = [*_find_faults(settings), *find_faults(settings), *malformed]
    if output_needed and not settings.output:
        faults.append(
            "--output (DPSS_OUTPUT) is missing: a folder or s3://bucket/prefix; "
            "--environ (DPSS_ENVIRON) would set it to that deployment's bucket"
        )
    if settings.blacklist and not settings.blacklist_file:
        faults.append(
            "--blacklist (DPSS_BLACKLIST) needs --environ (DPSS_ENVIRON), whose bucket has the "
            "list, or --blacklist-file (DPSS_BLACKLIST_FILE)"
        )
    if faults:
        raise SettingsError("\n".join(faults))
    return settings


def _defaults(given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values that follow from other options, by name."""
    found = {}
    if given.get("input"):
        found["source"] = "local"
    if given.get("scheduler"):
        found["executor"] = "dask"
    if environ := given.get("environ"):
        bucket = bucket_of(environ)
        found["output"] = bucket.figures
        if given.get("blacklist"):
            found["blacklist_file"] = bucket.blacklist
    return found


def _tried(record: type[T], given: Mapping[str, Any], faults: list[str]) -> T:
    """Return a settings record, or with faulty values the default one."""
    try:
        return make_settings(record, given)
    except SettingsError as error:
        faults.append(str(error))
        return record()


def _find_faults(settings: RunSettings) -> Iterator[str]:
    """Yield each contradiction between settings."""
    source = settings.source
    if not source:
        yield f"--source (DPSS_SOURCE) is missing; there is: {', '.join(SOURCES)}"
    if source == "local" and not settings.input:
        yield "--input (DPSS_INPUT) is missing: the source local needs a folder, file or glob"
    if source not in ("", "local") and settings.input:
        yield (
            f"--input (DPSS_INPUT) is {settings.input}, but only the source local has one; "
            f"--source (DPSS_SOURCE) is {source}"
        )
    if source == "canned" and not (settings.source_url or settings.environ):
        yield (
            "--environ (DPSS_ENVIRON) or --source-url (DPSS_SOURCE_URL) is missing: the source "
            "canned is a prefix of a bucket, s3://bucket/prefix"
        )
    if settings.scheduler and settings.executor != "dask":
        yield (
            f"--scheduler (DPSS_SCHEDULER) is {settings.scheduler}, but only --executor dask has "
            f"one; --executor (DPSS_EXECUTOR) is {settings.executor}"
        )

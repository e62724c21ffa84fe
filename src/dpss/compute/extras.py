"""Libraries that only an extra of the package installs, as few need them."""

from __future__ import annotations

from importlib import import_module

from dpss.errors import DpssError, MissingExtraError

PACKAGE = "data-portal-summary-stats"
EXTRAS = {
    "aws": ("botocore",),
    "dask": ("dask", "distributed"),
    "notebook": ("matplotlib", "pandas"),
    "parquet": ("pyarrow",),
    "r": ("rdata",),
}
"""Names of the modules that an extra brings, by its name in ``pyproject.toml``."""


def require(extra: str, need: str, error: type[DpssError] = MissingExtraError) -> None:
    """Import what an extra brings, which may be missing or broken.

    Args:
        extra: Name of the extra.
        need: What needs it, as the beginning of a sentence: ``an R file needs rdata``.
        error: Class of the error.

    Raises:
        DpssError: A module can't be imported; the message says what to install. Of the given class.
    """
    try:
        for name in EXTRAS[extra]:
            import_module(name)
    except ImportError as missing:
        raise error(f"{need}: pip install '{PACKAGE}[{extra}]'") from missing

"""Optional libraries, each installed by an extra of the package."""

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
"""Names of the modules that an extra installs, by its name in ``pyproject.toml``."""


def require(extra: str, need: str, error: type[DpssError] = MissingExtraError) -> None:
    """Import the modules of an extra, which may be missing or broken.

    Args:
        extra: Name of the extra.
        need: Reason, as the beginning of a sentence: ``an R file needs rdata``.
        error: Class of the error.

    Raises:
        DpssError: A module can't be imported; of the given class, with the command to install it.
    """
    try:
        for name in EXTRAS[extra]:
            import_module(name)
    except ImportError as missing:
        raise error(f"{need}: pip install '{PACKAGE}[{extra}]'") from missing

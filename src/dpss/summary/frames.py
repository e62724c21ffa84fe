"""Tables of a summary as data frames, for notebooks."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from dpss.compute.extras import require

if TYPE_CHECKING:
    import pandas as pd


def frame_of(
    rows: Iterable[Sequence[Any]] | Mapping[str, Any], columns: Sequence[str] | None = None
) -> pd.DataFrame:
    """Return a table as a data frame.

    Args:
        rows: The rows, with a value for each column; or whole columns by their titles.
        columns: Titles of the columns of rows.

    Raises:
        MissingExtraError: pandas, which an extra brings, is not installed.
    """
    require("notebook", "a data frame needs pandas")
    import pandas as pd

    if isinstance(rows, Mapping):
        return pd.DataFrame(dict(rows))
    return pd.DataFrame(list(rows), columns=list(columns or ()))

"""Conversion of rows of a Parquet or Feather table to csv, names before numbers."""

from __future__ import annotations

import io
from typing import Any

from dpss.errors import NoMatrixError


def order_columns(schema: Any, url: str) -> list[tuple[int, str]]:
    """Return position and title of columns: index, then text, then numbers.

    Raises:
        NoMatrixError: A column holds lists, records or bytes.
    """
    import pyarrow.types as kinds

    index = _index_names(schema)
    ranked = []
    for place, field in enumerate(schema):
        kind = field.type.value_type if kinds.is_dictionary(field.type) else field.type
        if kinds.is_nested(kind) or kinds.is_binary(kind) or kinds.is_large_binary(kind):
            raise NoMatrixError(f"{url}: column {field.name!r} holds {kind}, no numbers")
        number = kinds.is_integer(kind) or kinds.is_floating(kind) or kinds.is_boolean(kind)
        number = number or kinds.is_decimal(kind) or kinds.is_null(kind)
        rank = 0 if field.name in index else 2 if number else 1
        title = "" if field.name.startswith("__index_level_") else field.name
        ranked.append((rank, place, title))
    return [(place, title) for _, place, title in sorted(ranked, key=lambda each: each[:2])]


def _index_names(schema: Any) -> frozenset[str]:
    """Return the columns that pandas' metadata names as the index."""
    try:
        stored = schema.pandas_metadata["index_columns"]
        return frozenset(name for name in stored if isinstance(name, str))
    except (ValueError, KeyError, TypeError):
        return frozenset()


def title_row(titles: list[str]) -> bytes:
    """Return the line of titles as csv."""
    quoted = ('"' + title.replace('"', '""') + '"' for title in titles)
    return (",".join(quoted) + "\n").encode()


def write_rows(batch: Any, places: list[int]) -> bytes:
    """Return rows as csv."""
    import pyarrow as pa
    import pyarrow.types as kinds
    from pyarrow import csv

    columns = []
    for place in places:
        column = batch.column(place)
        if kinds.is_dictionary(column.type):
            column = column.dictionary_decode()
        if kinds.is_boolean(column.type):
            column = column.cast(pa.uint8())
        elif kinds.is_float16(column.type):
            column = column.cast(pa.float32())
        columns.append(column)
    out = io.BytesIO()
    rows = pa.record_batch(columns, names=[str(i) for i in range(len(columns))])
    csv.write_csv(rows, out, csv.WriteOptions(include_header=False))
    return out.getvalue()

"""Settings: frozen records, and the options that set them.

A field that is made by `setting` is an option: the command line, the environment variable, the
reference and the check follow from it. `dpss.cli.config` makes the records.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dpss.compute.machine import default_threads, memory_bytes
from dpss.engine.options import check_settings, setting
from dpss.errors import SettingsError
from dpss.summary.policy import Policy, read_policy

if TYPE_CHECKING:
    from dpss.engine.barcode_tables import BarcodeTableFile

MAX_CLUSTERS = 256
"""Largest allowed maximum of clusters."""
ORIENTATIONS = ("genes-by-cells", "cells-by-genes")
"""Orientations of a table of text: lines by columns."""


def parse_size(text: str) -> int:
    """Return a size in bytes.

    >>> parse_size("1000"), parse_size("20 GB"), parse_size("1.5GiB")
    (1000, 20000000000, 1610612736)

    Raises:
        ValueError: The text is not a size.
    """
    found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*(?:([KMGT])(i?))?B?", text.strip(), re.IGNORECASE)
    if not found:
        raise ValueError(f"{text!r} is no size")
    amount, unit, binary = found.groups()
    power = "KMGT".index(unit.upper()) + 1 if unit else 0
    return int(float(amount) * (1024 if binary else 1000) ** power)


def _open_table(path: str) -> BarcodeTableFile:
    # Imported here, so that --help does not import numpy.
    from dpss.engine.barcode_tables import open_barcode_table

    return open_barcode_table(path)


@dataclass(frozen=True, kw_only=True)
class StatSettings:
    """Settings that change the numbers."""

    layer: str | None = setting(
        group="statistics",
        metavar="NAME",
        help="The layer to read, such as raw.X or spliced.  [default: the first that has counts]",
    )
    min_gene_count: int = setting(
        0,
        group="statistics",
        aliases=("min_gene_count",),
        kind=int,
        metavar="N",
        show_default=True,
        help="Leave out cells with fewer genes detected; 0 keeps all.",
        check=lambda n: n >= 0,
        wants="it can't be negative",
    )
    cells_above_knee: bool = setting(
        default=False,
        group="statistics",
        kind=bool,
        help="In a droplet matrix without called cells, summarise only the barcodes above the knee "
        "of the curve of counts; the matrix is read twice.",
    )
    policy: Policy | None = setting(  # noqa: RUF009 - a field, as all others
        group="judgement",
        metavar="FILE",
        help="Compare each matrix with the limits in this file (TOML), or with the built-in policy "
        "default; exit code 3 if a matrix fails.",
        parse=read_policy,
    )
    orientation: str | None = setting(
        group="statistics",
        choices=ORIENTATIONS,
        help="Meaning of the lines and columns of text tables (csv, tsv, txt).  [default: from "
        "their names]",
    )
    embedding: bool = setting(
        default=True,
        group="statistics",
        kind=bool,
        negatable=True,
        help="Compare the cells with each other: components, clusters, their markers and maps, in "
        "two more passes, where there are 200 cells.  [default: yes]",
    )
    resolution: float = setting(
        1.0,
        group="statistics",
        kind=float,
        metavar="NUMBER",
        show_default=True,
        help="Resolution of the clusters: a higher value gives more clusters.",
        check=lambda number: 0 < number <= 100,
        wants="it must be more than 0 and at most 100",
    )
    n_clusters_max: int = setting(
        64,
        group="statistics",
        kind=int,
        metavar="N",
        show_default=True,
        help="Most clusters; of more, the smallest join those that they are connected with.",
        check=lambda n: 2 <= n <= MAX_CLUSTERS,
        wants="it takes 2 to 256",
    )
    annotation: str | None = setting(
        group="statistics",
        metavar="COLUMN",
        help="The column of the cells (obs, col_attrs, meta.data) that names their types, or none. "
        " [default: cell_type, or the best of those like it]",
    )
    authors_embedding: str | None = setting(
        group="statistics",
        metavar="KEY",
        help="The file's own map of its cells, such as X_tsne, or none.  "
        "[default: its UMAP, or the best of others]",
    )
    cells: bool = setting(
        default=False,
        group="statistics",
        kind=bool,
        help="Also write cells.csv.gz: one line per cell, with its barcode, genes, counts, "
        "mitochondrial share, cluster and place on the map, to be joined to obs.",
    )
    by: str | None = setting(
        group="statistics",
        metavar="COLUMN",
        help="Also give all statistics for each value of this column of the cells (obs, col_attrs, "
        "meta.data); barcode_suffix: for each suffix of the barcodes.",
    )
    by_file: BarcodeTableFile | None = setting(  # noqa: RUF009 - a field, as all others
        group="statistics",
        metavar="FILE",
        help="As --by, with the values of a table barcode,value (csv or tsv).",
        parse=_open_table,
        wants="there is no such file that can be read",
    )
    needs_strata: bool = True
    """Whether a matrix that can't be put into strata fails; false: it has none, and a warning."""

    def __post_init__(self) -> None:
        """Check the values."""
        check_settings(self)
        if self.by and self.by_file:
            raise SettingsError("--by and --by-file are given: take one of them")

    def as_mapping(self) -> Mapping[str, Any]:
        """Return the settings by name, for provenance."""
        found: dict[str, Any] = {"layer": self.layer, "min_gene_count": self.min_gene_count}
        # Only settings that are given: summaries of versions without the setting stay current.
        later = {
            "orientation": self.orientation,
            "cells_above_knee": self.cells_above_knee,
            "cells": self.cells,
            "policy": self.policy.as_mapping() if self.policy else None,
            "annotation": self.annotation if self.embedding else None,
            "authors_embedding": self.authors_embedding if self.embedding else None,
            "by": self.by,
            "by_file": self.by_file.sha256 if self.by_file else None,
        }
        found |= {name: value for name, value in later.items() if value}
        embedded = {
            "embedding": True,
            "resolution": self.resolution,
            "n_clusters_max": self.n_clusters_max,
        }
        return found | (embedded if self.embedding else {})


@dataclass(frozen=True, kw_only=True)
class ReadSettings:
    """Settings of reading that do not change the results."""

    memory_bytes: int = setting(
        default_factory=lambda: memory_bytes() // 2,
        group="statistics",
        name="memory",
        metavar="SIZE",
        help="Memory limit for files that can only be read whole (R's), such as 8GB.  [default: "
        "half of the machine's memory]",
        parse=parse_size,
        wants="it takes a size such as 8GB",
    )
    threads: int = setting(
        default_factory=default_threads,
        group="statistics",
        kind=int,
        metavar="N",
        help="Number of threads.  [default: the machine's processors, at most 8]",
        check=lambda n: n >= 1,
        wants="it takes one at least",
    )
    block_bytes: int = 4 << 20
    """Decoded size of a block, in bytes."""
    partition_bytes: int = 32 << 20
    """Decoded size of a partition, in bytes."""

    def __post_init__(self) -> None:
        """Check the values."""
        check_settings(self)

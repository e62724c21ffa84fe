"""Records that all packages share: projects, matrices, genes and blocks of cells."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

GENE_EXPRESSION = "Gene Expression"
"""Type of the features that are counted (10x's name); the default where a file names none."""


@dataclass(frozen=True)
class Companions:
    """Files that a pipeline wrote beside a matrix of one sample."""

    pipeline: str
    """Name of the pipeline, as its makers write it."""
    same: tuple[str, ...] = ()
    """Published addresses of the same matrix in other formats, which are not read."""
    unfiltered: str = ""
    """Location of the matrix of all barcodes; empty where there is none."""
    unfiltered_url: str = ""
    """Its published address."""
    metrics: tuple[tuple[str, str], ...] = ()
    """Published address and location of each file of the pipeline's own metrics."""
    same_locations: tuple[str, ...] = ()
    """Locations of the same matrix in other formats."""


@dataclass(frozen=True)
class MatrixRef:
    """Address of one matrix, with the fingerprint that tells whether it has changed."""

    project_id: str
    """Identifier of the matrix's project; also the name of the project's folder."""
    name: str
    """Name within the project; empty where the source has one matrix per project."""
    url: str
    """Published address: ``https://``, ``s3://``, or for a local file its path
    within the input, which is the same on every machine."""
    fingerprint: str
    """ETag, checksum or version: equal fingerprints mean equal bytes."""
    location: str = ""
    """Address from which it is opened, if that is not ``url``; never published."""
    modified: datetime | None = None
    """Time of the last change, where the fingerprint does not cover every byte (local files); a
    file newer than its summary is read again.
    """
    size_bytes: int | None = None
    """Size as the source states it; ``None`` where it does not."""
    n_cells: int | None = None
    """Number of cells as the source states it; compared with the number found."""
    certain: bool = True
    """Whether the file is certainly a matrix. A file that is only possibly one is skipped, not
    failed, where it turns out to be something else.
    """
    strata: Mapping[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])
    """Annotation of the cells by the source: species, organ, library construction, ..."""
    networks: frozenset[str] | None = None
    """Kinds of network that the host of an HTTP address may be in, where a service gave the
    address; ``None`` where the user gave it.
    """

    companions: Companions | None = None
    """Files of the same sample beside the matrix; ``None`` where none are known."""
    n_cells_expected: int | None = None
    """Number of cells that the experiment was planned to yield, as a sample sheet states it;
    ``None`` where none is stated.
    """
    peers: str = ""
    """Name of the group of matrices that its medians are compared with; empty for those of its
    project."""
    is_sample: bool = False
    """Whether it is a line of a sample sheet, so that a file with several matrices is refused."""

    @property
    def address(self) -> str:
        """Address from which the matrix is opened."""
        return self.location or self.url


@dataclass(frozen=True)
class Skipped:
    """An entry of a catalog that is not processed, with the reason."""

    name: str
    """Name of the matrix or entry within its project."""
    reason: str
    """Reason why the entry is not processed, one sentence."""
    failed: bool = False
    """Whether an error is the reason; false where a rule leaves the entry out."""


@dataclass(frozen=True)
class Project:
    """A project of a source with all its matrices."""

    id: str
    title: str
    refs: tuple[MatrixRef, ...] = ()
    skipped: tuple[Skipped, ...] = ()
    """Entries that the catalog itself leaves out, each with its reason."""


class Certainty(StrEnum):
    """Degree of certainty of a decision about a file."""

    STATED = "stated"
    """The file states it explicitly."""
    TOLD_BY_CONTENT = "told by content"
    """The values or names in the file show it."""
    ASSUMED = "assumed"
    """Neither the file's statements nor its content show it: a rule was applied."""


@dataclass(frozen=True)
class ProbeEvidence:
    """Evidence that features are probes; several probes may belong to one gene."""

    sentence: str
    certainty: Certainty


@dataclass(frozen=True)
class GeneTable:
    """The features along a matrix's gene axis, in the matrix's order.

    Raises:
        ValueError: The columns differ in length.
    """

    ids: NDArray[np.object_]
    """Feature ids (``str``), shape ``(n_features,)``; not always unique."""
    names: NDArray[np.object_]
    """Gene symbols (``str``), shape ``(n_features,)``; the id where there is none."""
    feature_types: NDArray[np.object_] | None = None
    """``Gene Expression``, ``Antibody Capture``, ...; ``None`` means all are genes."""
    chromosomes: NDArray[np.object_] | None = None
    """Chromosome of each feature (``str``) as the file states it; ``None`` where it does not."""
    probes: ProbeEvidence | None = None
    """Evidence that the features are probes; ids and names are those of their genes."""

    def __post_init__(self) -> None:
        """Check that all columns have the same number of features."""
        columns = (self.ids, self.names, self.feature_types, self.chromosomes)
        lengths = {len(column) for column in columns if column is not None}
        if len(lengths) > 1:
            raise ValueError(f"columns of a gene table differ in length: {sorted(lengths)}")

    def __len__(self) -> int:
        """Return the number of features."""
        return len(self.ids)

    @property
    def is_gene(self) -> NDArray[np.bool_]:
        """Whether each feature is a gene's expression, shape ``(n_features,)``."""
        if self.feature_types is None:
            return np.ones(len(self), dtype=bool)
        return np.asarray(self.feature_types == GENE_EXPRESSION, dtype=bool)

    def describe_others(self) -> str:
        """Return how many features of each other type there are; empty if all are genes."""
        types = Counter(() if self.feature_types is None else map(str, self.feature_types))
        others = sorted((kind, n) for kind, n in types.items() if kind != GENE_EXPRESSION)
        return ", ".join(f"{n:,} {kind or 'without a type'}" for kind, n in others)

    def select(self, mask: NDArray[np.bool_]) -> GeneTable:
        """Return the table of the features where ``mask`` is true."""
        return GeneTable(
            ids=self.ids[mask],
            names=self.names[mask],
            feature_types=None if self.feature_types is None else self.feature_types[mask],
            chromosomes=None if self.chromosomes is None else self.chromosomes[mask],
            probes=self.probes,
        )


@dataclass(frozen=True)
class Decision:
    """A decision about a file, made before its values are counted."""

    topic: str
    """Subject of the decision, in snake_case: ``format``, ``layer``, ``orientation``, ..."""
    value: str
    """The outcome, in a few words."""
    evidence: str
    """Evidence for the decision, one plain sentence."""
    certainty: Certainty
    """Degree of certainty of the decision."""
    option: str = ""
    """Option of the command that changes the decision, such as ``--layer``; empty where none does.
    """
    changes_numbers: bool = False
    """Whether another outcome would change the numbers; an assumed decision with this flag is a
    warning.
    """

    @property
    def is_warning(self) -> bool:
        """Whether the decision was assumed although the numbers depend on it."""
        return self.certainty is Certainty.ASSUMED and self.changes_numbers


MAX_BLOCK_CELLS = 1 << 15
"""Most cells in one block; bounds the memory for measures per cell."""


@dataclass(frozen=True)
class CellBlock:
    """Consecutive whole cells of a matrix as compressed sparse rows.

    The arrays may be views of memory that the reader uses again: a caller that wants to
    keep a block beyond the next one copies it.
    """

    start: int
    """Index of the first cell in the matrix."""
    indptr: NDArray[np.int64]
    """Start of each cell in the two other arrays, shape ``(n_cells + 1,)``, from 0."""
    indices: NDArray[np.signedinteger[Any]]
    """Gene index of each stored value, ``int32`` or ``int64``, shape ``(n_values,)``."""
    data: NDArray[Any]
    """The stored values, float or int of 32 or 64 bits, shape ``(n_values,)``."""

    @property
    def n_cells(self) -> int:
        """Number of cells in the block."""
        return len(self.indptr) - 1


@dataclass(frozen=True)
class EntryBlock:
    """Stored values of a matrix in any order: for sources that are not cell-major.

    The entries of one cell or gene may be spread over several blocks; no entry occurs twice.
    """

    cells: NDArray[np.signedinteger[Any]]
    """Cell index of each stored value, ``int32`` or ``int64``, shape ``(n_values,)``."""
    genes: NDArray[np.signedinteger[Any]]
    """Gene index of each stored value, ``int32`` or ``int64``, shape ``(n_values,)``."""
    data: NDArray[Any]
    """The stored values, float or int of 32 or 64 bits, shape ``(n_values,)``."""

    def is_within(self, n_cells: int, n_genes: int) -> bool:
        """Return whether all indices are within a matrix of this shape."""
        # As an unsigned number, a negative one is beyond the last.
        return all(
            len(indices) == 0 or int(indices.view(f"u{indices.itemsize}").max()) < n
            for indices, n in ((self.cells, n_cells), (self.genes, n_genes))
        )


def check_cell_block(block: CellBlock, stop: int) -> None:
    """Check those invariants of a block that need no look at its values.

    The kernels check gene indices and values where they use them.

    Args:
        block: The block.
        stop: Index after the last cell that was requested.

    Raises:
        ValueError: The block's arrays contradict each other or lie outside the matrix.
    """
    if block.start < 0 or block.start + block.n_cells > stop:
        raise ValueError(
            f"cells {block.start}..{block.start + block.n_cells}, but they end before {stop}"
        )
    if block.n_cells > MAX_BLOCK_CELLS:
        raise ValueError(f"a block of more than {MAX_BLOCK_CELLS} cells: {block.n_cells}")
    if len(block.indices) != len(block.data):
        raise ValueError(f"indices and values differ: {len(block.indices)}, {len(block.data)}")
    if block.indptr[0] != 0 or block.indptr[-1] != len(block.data):
        raise ValueError("the cell pointers do not span the block's values")
    if len(block.indptr) > 1 and int(np.diff(block.indptr).min()) < 0:
        raise ValueError("the cell pointers decrease")

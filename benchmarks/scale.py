"""From the cost of a stored value to that of an atlas."""

from __future__ import annotations

from dataclasses import dataclass

from benchmarks.goals import Results, one, rows_of, seconds_per_value


@dataclass(frozen=True)
class Corpus:
    """A collection of matrices."""

    name: str
    n_matrices: int
    n_cells: int
    source: str
    """Where the numbers come from."""


CORPORA = (
    Corpus(
        "Human Cell Atlas",
        532,
        70_000_000,
        "532 projects in catalogue dcp60; 70 million cells, one matrix per project: assumed",
    ),
    Corpus(
        "CZ CELLxGENE Discover",
        1_845,
        208_000_000,
        "1,845 datasets with 208 million cells of human and mouse (Census of 2025-11-08), "
        "those in several datasets counted each time, as each dataset is read",
    ),
)

VALUES_PER_CELL = 2_000
"""Genes detected per cell. Droplet data have 1,000 to 3,000, plates 5,000 and more."""
BYTES_PER_SECOND = 100e6
"""From the bucket or server to the task; not overlapped with the work, which is the worst case."""
SLOWER = 1.5
"""A Fargate processor is one thread of a core, and may be an older one than ours."""
VCPUS = 2
MEMORY_GB = 4
"""The least that Fargate gives with two processors; a tenth of it is needed."""
DOLLARS_PER_VCPU_HOUR = 0.04048
DOLLARS_PER_GB_HOUR = 0.004445
"""Fargate on demand, Linux on x86, us-east-1; without storage, requests and traffic."""

ASSUMPTIONS = (
    *(f"{corpus.name}: {corpus.source}." for corpus in CORPORA),
    f"{VALUES_PER_CELL:,} stored values per cell (genes detected). Droplet data have 1,000 to "
    "3,000, plates 5,000 and more; time grows in proportion.",
    "One matrix after the other in one task. Each costs the time of a 2,000-cell matrix on top "
    "(starting, figures, pages), although a run starts only once.",
    f"Transfer at {BYTES_PER_SECOND / 1e6:.0f} MB/s, before the work rather than beside it.",
    f"A Fargate processor takes {SLOWER} times as long as one of the machine measured.",
    f"{VCPUS} vCPU with {MEMORY_GB} GB, the least that goes with two: "
    f"${DOLLARS_PER_VCPU_HOUR} per vCPU-hour and ${DOLLARS_PER_GB_HOUR} per GB-hour (on demand, "
    "Linux on x86, us-east-1), without storage, requests and traffic.",
)


@dataclass(frozen=True)
class Cost:
    """What a collection costs, read in one format."""

    corpus: Corpus
    kind: str
    work_hours: float
    transfer_hours: float
    stored_bytes: float

    @property
    def dollars(self) -> float:
        """Price on Fargate."""
        per_hour = VCPUS * DOLLARS_PER_VCPU_HOUR + MEMORY_GB * DOLLARS_PER_GB_HOUR
        return (self.work_hours + self.transfer_hours) * per_hour


def cost_of(corpus: Corpus, kind: str, results: Results) -> Cost | None:
    """Return what a collection would cost if all its matrices had one format.

    Returns:
        ``None`` where that was not measured.
    """
    per_value = seconds_per_value(results, kind)
    small = one(results, "startup", what="small")
    rows = [row for row in rows_of(results, "memory", kind=kind) if row.get("input_bytes")]
    if per_value is None or small is None or not rows:
        return None
    n_values = corpus.n_cells * VALUES_PER_CELL
    stored = n_values * rows[-1]["input_bytes"] / rows[-1]["n_values"]
    seconds = corpus.n_matrices * small["wall_seconds"] + n_values * per_value
    return Cost(corpus, kind, seconds * SLOWER / 3600, stored / BYTES_PER_SECOND / 3600, stored)

"""Settings: frozen records, which `dpss.cli.config` makes of what is asked for."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from dpss.compute.machine import default_threads, memory_bytes
from dpss.errors import SettingsError

SOURCES = ("local", "canned", "fresh", "azul", "cellxgene")
"""Where projects come from."""

EXECUTORS = ("threads", "dask")
"""Where matrices are read and counted: threads of this process, or a Dask cluster."""

ORIENTATIONS = ("genes-by-cells", "cells-by-genes")
"""What the lines and what the columns of a table of text are."""

ENVIRONS = ("dev", "integration", "staging", "prod")
"""Deployments of the Human Cell Atlas."""


@dataclass(frozen=True)
class StatSettings:
    """What changes the numbers."""

    min_gene_count: int = 0
    """Cells with fewer genes detected are left out; 0 keeps all."""
    layer: str | None = None
    """The layer to read, or ``None`` to look for counts."""
    orientation: str | None = None
    """One of `ORIENTATIONS`, for tables of text; ``None`` tells it from their names."""

    def __post_init__(self) -> None:
        """Check the values."""
        faults = []
        if self.min_gene_count < 0:
            faults.append(
                f"--min-gene-count (DPSS_MIN_GENE_COUNT) is {self.min_gene_count}; "
                "it can't be negative"
            )
        if self.orientation not in (None, *ORIENTATIONS):
            faults.append(
                f"--orientation (DPSS_ORIENTATION) is {self.orientation}; "
                f"there is: {', '.join(ORIENTATIONS)}"
            )
        if faults:
            raise SettingsError("\n".join(faults))

    def as_mapping(self) -> Mapping[str, int | str | None]:
        """Return the settings by name, for provenance."""
        found = {"layer": self.layer, "min_gene_count": self.min_gene_count}
        # Only where it is given: what was made before there was such a setting stays as it is.
        return found | ({"orientation": self.orientation} if self.orientation else {})


@dataclass(frozen=True)
class ReadSettings:
    """How matrices are read; none of it changes a number."""

    threads: int = 2
    """Threads that decode and count."""
    block_bytes: int = 4 << 20
    """Decoded size of a block, in bytes."""
    share_bytes: int = 32 << 20
    """Decoded size of what a thread takes at a time, in bytes."""
    memory_bytes: int = field(default_factory=lambda: memory_bytes() // 2)
    """Memory that a file may need that can only be read whole (R's)."""


def make_read_settings(threads: int | None = None, memory: str | None = None) -> ReadSettings:
    """Return how matrices are read.

    Args:
        threads: As many, or ``None`` for what the machine has.
        memory: A size such as ``8GB``, or ``None`` for half of what the machine has.

    Raises:
        SettingsError: It is not at least one thread, or no size.
    """
    if threads is not None and threads < 1:
        raise SettingsError(f"--threads (DPSS_THREADS) is {threads}; it takes one at least")
    read = ReadSettings(default_threads() if threads is None else threads)
    n_bytes = size_option("memory", memory)
    return read if n_bytes is None else replace(read, memory_bytes=n_bytes)


def parse_size(text: str) -> int:
    """Return a size in bytes.

    >>> parse_size("1000"), parse_size("20 GB"), parse_size("1.5GiB")
    (1000, 20000000000, 1610612736)

    Raises:
        ValueError: It is no size.
    """
    found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*(?:([KMGT])(i?))?B?", text.strip(), re.IGNORECASE)
    if not found:
        raise ValueError(f"{text!r} is no size")
    amount, unit, binary = found.groups()
    power = "KMGT".index(unit.upper()) + 1 if unit else 0
    return int(float(amount) * (1024 if binary else 1000) ** power)


def size_option(option: str, text: str | None) -> int | None:
    """Return the bytes that an option states, ``None`` if it is not given.

    Args:
        option: The option's name without dashes before it, such as ``memory``.
        text: Its value, such as ``8GB``.

    Raises:
        SettingsError: The value is no size.
    """
    try:
        return parse_size(text) if text else None
    except ValueError as error:
        variable = option.replace("-", "_").upper()
        raise SettingsError(
            f"--{option} (DPSS_{variable}) is {text}; it takes a size such as 8GB"
        ) from error


@dataclass(frozen=True)
class Bucket:
    """Where a deployment of the Human Cell Atlas keeps its files on S3."""

    name: str

    @property
    def figures(self) -> str:
        """Address below which results are published."""
        return f"s3://{self.name}/project-assets/project-stats/"

    @property
    def matrices(self) -> str:
        """Address of the prepared ("canned") matrices."""
        return f"s3://{self.name}/project-assets/project-matrices/"

    @property
    def blacklist(self) -> str:
        """Address of the list of projects to leave out."""
        return f"s3://{self.name}/blacklist"


def bucket_of(environ: str) -> Bucket:
    """Return the bucket of a deployment.

    >>> bucket_of("dev").figures
    's3://dev.project-assets.data.humancellatlas.org/project-assets/project-stats/'
    >>> bucket_of("prod").blacklist
    's3://project-assets.data.humancellatlas.org/blacklist'
    """
    stage = "" if environ == "prod" else f"{environ}."
    return Bucket(f"{stage}project-assets.data.humancellatlas.org")


@dataclass(frozen=True)
class RunSettings:
    """What a run is asked to do."""

    source: str
    """One of `SOURCES`."""
    output: str
    """A folder or ``s3://`` address."""
    input: str | None = None
    """For the source ``local``: a folder, a file or a glob pattern."""
    environ: str | None = None
    """One of `ENVIRONS`: sets what is not set otherwise."""
    blacklist: str | None = None
    """Address of a list of project ids to leave out, one a line."""
    only: frozenset[str] = frozenset()
    """Ids of the projects to process; empty for all."""
    shard: str = "1/1"
    """The share of the projects to process: ``2/40`` is the second of forty."""
    force: bool = False
    """Process what is unchanged, too."""
    prune: bool = False
    """Delete what was published of matrices that the source no longer has."""
    source_url: str | None = None
    """Address of the source, if not its usual one."""
    azul_url: str | None = None
    """Address of the service that tells titles, if not the usual one."""
    catalog: str = ""
    """For the source ``azul``: a catalog; empty for its default."""
    include_intermediate: bool = False
    """For ``azul``: read intermediate files, too."""
    all_files: bool = False
    """For ``azul``: read every format of a matrix."""
    jobs: int = 1
    """Matrices that are processed side by side."""
    scratch: str | None = None
    """Folder for what has to be fetched; ``None`` for the system's."""
    scratch_limit: int | None = None
    """Most bytes in it; ``None`` for half of what is free."""
    timeout: float | None = None
    """Seconds of silence after which an HTTP server counts as broken; ``None``: the usual."""
    time_limit: float | None = None
    """Seconds after which the reading of a file is ended; ``None``: the usual."""
    metrics: str | None = None
    """``emf`` to tell what was done as CloudWatch's metrics."""
    executor: str = "threads"
    """One of `EXECUTORS`."""
    scheduler: str | None = None
    """Address of a Dask scheduler; ``None`` for a cluster of this machine's processors."""
    stats: StatSettings = field(default_factory=StatSettings)
    read: ReadSettings = field(default_factory=lambda: ReadSettings(default_threads()))

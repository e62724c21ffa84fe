"""Settings: frozen, checked once; every fault is gathered before anything is said."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from dpss.errors import SettingsError
from dpss.machine import default_threads, memory_bytes

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
        if self.min_gene_count < 0:
            raise SettingsError(
                f"--min-gene-count (DPSS_MIN_GENE_COUNT) is {self.min_gene_count}; "
                "it can't be negative"
            )

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
    metrics: str | None = None
    """``emf`` to tell what was done as CloudWatch's metrics."""
    executor: str = "threads"
    """One of `EXECUTORS`."""
    scheduler: str | None = None
    """Address of a Dask scheduler; ``None`` for a cluster of this machine's processors."""
    stats: StatSettings = field(default_factory=StatSettings)
    read: ReadSettings = field(default_factory=lambda: ReadSettings(default_threads()))


def make_run_settings(  # noqa: PLR0912, PLR0913 - the options of a command
    *,
    source: str | None = None,
    input: str | None = None,
    output: str | None = None,
    environ: str | None = None,
    blacklist: bool = False,
    blacklist_file: str | None = None,
    only: Collection[str] = (),
    shard: str | None = None,
    force: bool = False,
    prune: bool = False,
    source_url: str | None = None,
    azul_url: str | None = None,
    catalog: str | None = None,
    include_intermediate: bool = False,
    all_files: bool = False,
    jobs: int | None = None,
    scratch: str | None = None,
    scratch_limit: str | None = None,
    timeout: float | None = None,
    metrics: str | None = None,
    min_gene_count: int = 0,
    layer: str | None = None,
    orientation: str | None = None,
    threads: int | None = None,
    memory: str | None = None,
    executor: str | None = None,
    scheduler: str | None = None,
    output_needed: bool = True,
) -> RunSettings:
    """Fill in what follows from other settings, and check that all go together.

    The arguments are the options of ``dpss run``, ``None`` where they are not given.

    Raises:
        SettingsError: Something is missing or contradicts; all faults in one message.
    """
    faults = []
    bucket = bucket_of(environ) if environ else None
    source = source or ("local" if input else None)
    if source is None:
        faults.append(f"--source (DPSS_SOURCE) is missing; there is: {', '.join(SOURCES)}")
    if source == "local" and not input:
        faults.append(
            "--input (DPSS_INPUT) is missing: the source local needs a folder, file or glob"
        )
    if source not in (None, "local") and input:
        faults.append(
            f"--input (DPSS_INPUT) is {input}, but only the source local has one; "
            f"--source (DPSS_SOURCE) is {source}"
        )
    output = output or (bucket.figures if bucket else None)
    if output is None and output_needed:
        faults.append(
            "--output (DPSS_OUTPUT) is missing: a folder or s3://bucket/prefix; "
            "--environ (DPSS_ENVIRON) would set it to that deployment's bucket"
        )
    blacklist_file = blacklist_file or (bucket.blacklist if bucket and blacklist else None)
    if blacklist and not blacklist_file:
        faults.append(
            "--blacklist (DPSS_BLACKLIST) needs --environ (DPSS_ENVIRON), whose bucket has the "
            "list, or --blacklist-file (DPSS_BLACKLIST_FILE)"
        )
    if source == "canned" and not (source_url or bucket):
        faults.append(
            "--environ (DPSS_ENVIRON) or --source-url (DPSS_SOURCE_URL) is missing: the source "
            "canned is a prefix of a bucket, s3://bucket/prefix"
        )
    executor = executor or ("dask" if scheduler else EXECUTORS[0])
    if scheduler and executor != "dask":
        faults.append(
            f"--scheduler (DPSS_SCHEDULER) is {scheduler}, but only --executor dask has one; "
            f"--executor (DPSS_EXECUTOR) is {executor}"
        )
    if jobs is not None and jobs < 1:
        faults.append(f"--jobs (DPSS_JOBS) is {jobs}; it takes one at least")
    if timeout is not None and timeout <= 0:
        faults.append(f"--timeout (DPSS_TIMEOUT) is {timeout:g}; it must be more than 0 seconds")
    if scratch and not Path(scratch).is_dir():
        faults.append(f"--scratch (DPSS_SCRATCH) {scratch}: there is no such folder")
    limit = None
    try:
        limit = parse_size(scratch_limit) if scratch_limit else None
    except ValueError:
        faults.append(
            f"--scratch-limit (DPSS_SCRATCH_LIMIT) is {scratch_limit}; it takes a size such as 20GB"
        )
    try:
        stats = StatSettings(min_gene_count, layer or None, orientation)
    except SettingsError as error:
        faults.append(str(error))
    try:
        read = make_read_settings(threads, memory)
    except SettingsError as error:
        faults.append(str(error))
    if faults:
        raise SettingsError("\n".join(faults))
    return RunSettings(
        source=source or "",
        output=output or "",
        input=input,
        environ=environ,
        blacklist=blacklist_file,
        only=frozenset(only),
        shard=shard or "1/1",
        force=force,
        prune=prune,
        source_url=source_url,
        azul_url=azul_url,
        catalog=catalog or "",
        include_intermediate=include_intermediate,
        all_files=all_files,
        jobs=jobs or 1,
        scratch=scratch,
        scratch_limit=limit,
        timeout=timeout,
        metrics=metrics,
        executor=executor,
        scheduler=scheduler,
        stats=stats,
        read=read,
    )


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
    try:
        return replace(read, memory_bytes=parse_size(memory)) if memory else read
    except ValueError as error:
        raise SettingsError(
            f"--memory (DPSS_MEMORY) is {memory}; it takes a size such as 8GB"
        ) from error

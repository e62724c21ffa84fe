"""Settings: frozen, checked once; every fault is gathered before anything is said."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from dpss.errors import SettingsError
from dpss.machine import default_threads

SOURCES = ("local", "canned", "fresh", "azul", "cellxgene")
"""Where projects come from."""

ENVIRONS = ("dev", "integration", "staging", "prod")
"""Deployments of the Human Cell Atlas."""


@dataclass(frozen=True)
class StatSettings:
    """What changes the numbers."""

    min_gene_count: int = 0
    """Cells with fewer genes detected are left out; 0 keeps all."""
    layer: str | None = None
    """The layer to read, or ``None`` to look for counts."""

    def __post_init__(self) -> None:
        """Check the values."""
        if self.min_gene_count < 0:
            raise SettingsError(
                f"--min-gene-count (DPSS_MIN_GENE_COUNT) is {self.min_gene_count}; "
                "it can't be negative"
            )

    def as_mapping(self) -> Mapping[str, int | str | None]:
        """Return the settings by name, for provenance."""
        return {"layer": self.layer, "min_gene_count": self.min_gene_count}


@dataclass(frozen=True)
class ReadSettings:
    """How matrices are read; none of it changes a number."""

    threads: int = 2
    """Threads that decode and count."""
    block_bytes: int = 8 << 20
    """Decoded size of a block, in bytes."""
    share_bytes: int = 64 << 20
    """Decoded size of what a thread takes at a time, in bytes."""


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
    force: bool = False
    """Process what is unchanged, too."""
    stats: StatSettings = field(default_factory=StatSettings)
    read: ReadSettings = field(default_factory=lambda: ReadSettings(default_threads()))


def make_run_settings(  # noqa: PLR0913 - the options of a command
    *,
    source: str | None = None,
    input: str | None = None,
    output: str | None = None,
    environ: str | None = None,
    blacklist: bool = False,
    blacklist_file: str | None = None,
    only: Collection[str] = (),
    force: bool = False,
    min_gene_count: int = 0,
    layer: str | None = None,
    threads: int | None = None,
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
    try:
        stats = StatSettings(min_gene_count, layer or None)
    except SettingsError as error:
        faults.append(str(error))
    try:
        read = make_read_settings(threads)
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
        force=force,
        stats=stats,
        read=read,
    )


def make_read_settings(threads: int | None = None) -> ReadSettings:
    """Return how matrices are read.

    Args:
        threads: As many, or ``None`` for what the machine has.

    Raises:
        SettingsError: It is not at least one.
    """
    if threads is not None and threads < 1:
        raise SettingsError(f"--threads (DPSS_THREADS) is {threads}; it takes one at least")
    return ReadSettings(default_threads() if threads is None else threads)

"""Settings of a run: its source, its output and its execution."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from dpss.engine.options import setting
from dpss.engine.settings import ReadSettings, StatSettings, parse_size

SOURCES = ("local", "canned", "fresh", "azul", "cellxgene")
"""Names of the sources of projects."""


EXECUTORS = ("threads", "dask")
"""Names of the executors: threads of the reading process, or a Dask cluster."""


ENVIRONS = ("dev", "integration", "staging", "prod")
"""Deployments of the Human Cell Atlas."""


@dataclass(frozen=True)
class Bucket:
    """The S3 bucket of a deployment of the Human Cell Atlas."""

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


@dataclass(frozen=True, kw_only=True)
class RunSettings:
    """Settings of a run."""

    source: str = setting(
        "",
        group="source",
        choices=SOURCES,
        help="Source of the projects.  [default: local, if --input is given]",
    )
    input: str | None = setting(
        group="source", metavar="PATH", help="For local: a folder, a file or a glob pattern."
    )
    environ: str | None = setting(
        group="source",
        choices=ENVIRONS,
        help="A deployment of the Human Cell Atlas: sets the addresses that are not given.",
    )
    source_url: str | None = setting(
        group="source",
        metavar="URL",
        help="Address of the source: s3://bucket/prefix for canned, a service for fresh, azul and "
        "cellxgene.  [default: the usual one]",
    )
    azul_url: str | None = setting(
        group="source",
        metavar="URL",
        help="For fresh: the service with the titles of projects.",
    )
    catalog: str = setting(
        "",
        group="source",
        metavar="NAME",
        help="For azul: name of a catalog.  [default: that of the service]",
    )
    include_intermediate: bool = setting(
        default=False, group="source", kind=bool, help="For azul: also read intermediate files."
    )
    all_files: bool = setting(
        default=False, group="source", kind=bool, help="For azul: read every format of a matrix."
    )
    timeout: float | None = setting(
        group="source",
        kind=float,
        metavar="SECONDS",
        help="Seconds without bytes from an HTTP server after which a request is retried.  "
        "[default: 25]",
        check=lambda seconds: seconds > 0,
        wants="it must be more than 0 seconds",
    )
    only: frozenset[str] = setting(
        frozenset(),
        group="source",
        name="project",
        metavar="ID",
        multiple=True,
        help="Process only this project; may be given several times.",
        parse=frozenset,
    )
    shard: str = setting(
        "1/1",
        group="source",
        metavar="I/N",
        help="Process only the I-th of N shards of the projects, for N tasks side by side; end/N: "
        "no project, but one report of all N shards, and the pages.  [default: 1/1]",
    )
    blacklist: bool = setting(
        default=False,
        group="source",
        kind=bool,
        help="Leave out the projects on a list.",
    )
    blacklist_file: str | None = setting(
        group="source",
        metavar="URL",
        help="The list: one project id per line.  [default: the file blacklist in the bucket of "
        "--environ]",
    )
    output: str = setting(
        "",
        group="output",
        metavar="URL",
        help="Output: a folder or s3://bucket/prefix.  [default: the bucket of --environ]",
    )
    force: bool = setting(
        default=False, group="output", kind=bool, help="Also process unchanged matrices."
    )
    stats: StatSettings = field(default_factory=StatSettings)
    read: ReadSettings = field(default_factory=ReadSettings)
    executor: str = setting(
        "threads",
        group="statistics",
        choices=EXECUTORS,
        help="Read and count in threads, or on a Dask cluster (an extra: "
        "data-portal-summary-stats[dask]).  [default: threads, or dask with --scheduler]",
    )
    scheduler: str | None = setting(
        group="statistics",
        metavar="URL",
        help="Scheduler of the Dask cluster, tcp://host:port.  [default: a cluster of --threads "
        "workers on this machine]",
    )
    prune: bool = setting(
        default=False,
        group="job",
        kind=bool,
        help="Delete published matrices that the source no longer has, and files of earlier "
        "publications. Without it nothing is deleted.",
    )
    jobs: int = setting(
        1,
        group="job",
        kind=int,
        metavar="N",
        help="Number of matrices side by side; they share --threads.  [default: 1]",
        check=lambda n: n >= 1,
        wants="it takes one at least",
    )
    time_limit: float | None = setting(
        group="job",
        kind=float,
        metavar="SECONDS",
        help="Most seconds for reading one file; after that its matrices fail.  [default: 21600]",
        check=lambda seconds: seconds > 0,
        wants="it must be more than 0 seconds",
    )
    scratch: str | None = setting(
        group="job",
        metavar="DIR",
        help="Folder for fetched files.  [default: the system's]",
        check=lambda folder: Path(folder).is_dir(),
        wants="there is no such folder",
    )
    scratch_limit: int | None = setting(
        group="job",
        metavar="SIZE",
        help="Most bytes in that folder, such as 20GB.  [default: half of the free space]",
        parse=parse_size,
        wants="it takes a size such as 8GB",
    )
    metrics: str | None = setting(
        group="job",
        choices=("emf",),
        help="Also print the outcome as CloudWatch's embedded metrics.",
    )

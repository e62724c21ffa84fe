"""Options that commands share. Each can also be given as the variable ``DPSS_<OPTION>``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

from dpss.cli.logs import FORMATS, LEVELS
from dpss.engine.settings import ENVIRONS, EXECUTORS, ORIENTATIONS, SOURCES

F = TypeVar("F", bound=Callable[..., Any])


def option(*names: str, **attributes: Any) -> Callable[[F], F]:
    """Return `click.option` with its environment variable; the main help tells the rule."""
    longest = max((name for name in names if name.startswith("--")), key=len)
    variable = "DPSS_" + longest.strip("-").replace("-", "_").upper()
    return click.option(*names, envvar=variable, **attributes)


def together(*decorators: Callable[[F], F]) -> Callable[[F], F]:
    """Return several options as one decorator, shown in this order."""

    def decorate(function: F) -> F:
        for decorator in reversed(decorators):
            function = decorator(function)
        return function

    return decorate


log_options = together(
    option(
        "--log-format",
        type=click.Choice(FORMATS),
        default="text",
        show_default=True,
        help="Log lines for people, or as JSON for machines.",
    ),
    option(
        "--log-level",
        type=click.Choice(LEVELS),
        help="How much is logged.  [default: info; warning on a terminal, which has bars]",
    ),
    option("--debug", is_flag=True, help="Log everything, and show tracebacks of errors."),
)

statistics_options = together(
    option(
        "--layer",
        metavar="NAME",
        help="The layer to read, such as raw.X or spliced.  [default: the first that has counts]",
    ),
    option(
        "--min-gene-count",
        "--min_gene_count",
        "min_gene_count",
        type=int,
        default=0,
        show_default=True,
        metavar="N",
        help="Leave out cells with fewer genes detected; 0 keeps all.",
    ),
    option(
        "--orientation",
        type=click.Choice(ORIENTATIONS),
        help="What the lines and columns of tables of text (csv, tsv, txt) are.  [default: told "
        "from their names]",
    ),
    option(
        "--memory",
        metavar="SIZE",
        help="Most memory for what can only be read whole, R's files, such as 8GB.  [default: "
        "half of the machine's]",
    ),
    option(
        "--threads",
        type=int,
        metavar="N",
        help="Threads that read and count.  [default: the machine's processors, 8 at most]",
    ),
    option(
        "--executor",
        type=click.Choice(EXECUTORS),
        help="Where is read and counted: in threads, or on a Dask cluster (an extra: "
        "data-portal-summary-stats[dask]).  [default: threads, or dask with --scheduler]",
    ),
    option(
        "--scheduler",
        metavar="URL",
        help="Of the Dask cluster, tcp://host:port.  [default: a cluster of --threads workers on "
        "this machine]",
    ),
)

source_options = together(
    option(
        "--source",
        type=click.Choice(SOURCES),
        help="Where the projects come from.  [default: local, if --input is given]",
    ),
    option("--input", metavar="PATH", help="For local: a folder, a file or a glob pattern."),
    option(
        "--environ",
        type=click.Choice(ENVIRONS),
        help="A deployment of the Human Cell Atlas: sets the addresses that are not given.",
    ),
    option(
        "--source-url",
        metavar="URL",
        help="Address of the source: s3://bucket/prefix for canned, a service for fresh, azul and "
        "cellxgene.  [default: the usual one]",
    ),
    option("--azul-url", metavar="URL", help="For fresh: the service that tells projects' titles."),
    option("--catalog", metavar="NAME", help="For azul: a catalog.  [default: the service's own]"),
    option("--include-intermediate", is_flag=True, help="For azul: read intermediate files, too."),
    option("--all-files", is_flag=True, help="For azul: read every format of a matrix."),
    option(
        "--timeout",
        type=float,
        metavar="SECONDS",
        help="Silence after which an HTTP server counts as broken and is asked again.  "
        "[default: 25]",
    ),
    option(
        "--project",
        "only",
        multiple=True,
        metavar="ID",
        help="Only this project; may be given several times.",
    ),
    option(
        "--shard",
        metavar="I/N",
        help="Only the I-th of N shares of the projects, by size, for N tasks side by side; "
        "end/N: no project, but one report of all N, and the pages.  [default: 1/1]",
    ),
    option("--blacklist", is_flag=True, help="Leave out the projects that a list names."),
    option(
        "--blacklist-file",
        metavar="URL",
        help="The list: project ids, one a line.  [default: the file blacklist in the bucket of "
        "--environ]",
    ),
)

job_options = together(
    option(
        "--prune",
        is_flag=True,
        help="Delete what was published of matrices that the source no longer has, and files of "
        "earlier publications. Without it nothing is deleted.",
    ),
    option(
        "--jobs",
        type=int,
        metavar="N",
        help="Matrices side by side; they share --threads.  [default: 1]",
    ),
    option(
        "--time-limit",
        type=float,
        metavar="SECONDS",
        help="Longest that the reading of one matrix's file may take; it is ended then, and has "
        "failed.  [default: 21600]",
    ),
    option("--scratch", metavar="DIR", help="Folder for what is fetched.  [default: the system's]"),
    option(
        "--scratch-limit",
        metavar="SIZE",
        help="Most that is kept there at a time, such as 20GB.  [default: half of what is free]",
    ),
    option(
        "--metrics",
        type=click.Choice(["emf"]),
        help="Print what was done as CloudWatch's embedded metrics, too.",
    ),
)

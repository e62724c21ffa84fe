"""The commands: options and environment → settings → objects → run → exit code.

The composition root: below it and the two modules that it runs commands with (`dpss.cli.entry`,
`dpss.cli.runner`) nothing is printed, and no variable of ours is read. Everything heavy is
imported in the command that needs it, so that ``--help`` is quick.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, NoReturn

import click

from dpss._version import __version__
from dpss.cli.entry import CONTEXT, FAILED, as_in_2019, execute, leave, program
from dpss.cli.options import log_options, option, repeated_options, setting_option, setting_options
from dpss.cli.runner import (
    given_catalog,
    index_page,
    local_output,
    perform,
    print_error,
    print_plan,
    start_logs,
    take_log_settings,
)
from dpss.cli.views import compare, inspect
from dpss.engine.settings import StatSettings
from dpss.errors import UnreachableError, plural
from dpss.job.stop import Interrupted, SignalStop

_BLAS_WAIT = "20"
"""Binary logarithm of the cycles that numpy's threads wait busily: 0.4 ms; 26 cost 0.02 s more."""


@click.group(context_settings=CONTEXT, no_args_is_help=True)
@click.version_option(
    __version__, "-V", "--version", prog_name="dpss", message="%(prog)s %(version)s"
)
def commands() -> None:
    """Summary statistics and figures of single-cell count matrices of any size.

    \b
    Examples:
      dpss demo                                  see it at work, on simulated data
      dpss summarize my.h5ad                     figures and tables of a matrix
      dpss run --input matrices --output portal  of all in a folder; again: of what changed

    Each command has examples in its own --help. Every option can also be given as an
    environment variable: --min-gene-count as DPSS_MIN_GENE_COUNT.

    \b
    Exit codes:
      0  all published, unchanged or skipped by rule
      1  at least one matrix failed; the others are done
      2  nothing could start: a bad option, or a source or output out of reach
      3  all done, but a matrix fails the policy, or `compare --exit-code` finds differences
    """


@commands.command()
@click.argument("matrices", metavar="[MATRIX...]", nargs=-1)
@option("--samplesheet", metavar="FILE", help="Table of samples (sample, path) instead of MATRIX.")
@option("--output", default="dpss-summary", show_default=True, metavar="DIR", help="Where to.")
@setting_options("statistics", "judgement")
@log_options
@click.pass_obj
def summarize(
    stop: SignalStop,
    /,
    matrices: tuple[str, ...],
    samplesheet: str | None,
    output: str,
    **options: Any,
) -> int:
    """Summarise matrices: figures, tables and a page to open in a browser.

    Each MATRIX is a file, a folder (Cell Ranger's three files, or a sample's folder as its
    pipeline left it) or an address, and becomes a project named after it. Formats are
    recognised by content.

    \b
    A sample sheet is a table with a header, as CSV or TSV; its samples become one project:
      sample          name, once in the sheet
      path            the sample's matrix, or its folder as the pipeline left it; relative
                      paths are below the sheet's folder; s3:// and https:// are read, too
      expected_cells  optional; a warning for fewer than half or more than twice as many
      chemistry       optional, shown
      group           optional, shown; four samples or more are compared within their group
    Other columns, such as fastq_1, are not used. Where a line has a fault, nothing is read.

    \b
    Examples:
      dpss summarize my.h5ad
      dpss summarize filtered_feature_bc_matrix/ --output figures
      dpss summarize *.h5ad --min-gene-count 200
      dpss summarize velocity.h5ad --layer spliced
      dpss summarize S01/outs S02/outs --output qc
      dpss summarize --samplesheet samples.csv --policy default --output qc; multiqc qc
    """
    from dpss.cli.config import make_run_settings

    if bool(matrices) == bool(samplesheet):
        raise click.UsageError(
            f"MATRIX... and --samplesheet (DPSS_SAMPLESHEET) {samplesheet} are both given; give one"
            if samplesheet
            else "Missing argument 'MATRIX...', or --samplesheet (DPSS_SAMPLESHEET) FILE"
        )
    logs = take_log_settings(options)
    settings = make_run_settings(
        source="local", input=samplesheet or matrices[0], output=output, force=True, **options
    )
    catalog = partial(given_catalog, matrices, samplesheet)
    return perform(settings, catalog, stop, logs).strict_exit_code


@commands.command()
@setting_options("source", "output", "statistics", "judgement", "job")
@log_options
@click.pass_obj
def run(stop: SignalStop, /, **options: Any) -> int:
    """Process every project of a source: the job.

    Publishes figures, tables and pages of new and changed matrices, and leaves all others
    as they are. A matrix that can't be summarised does not stop the others: it is named
    at the end, and the exit code is 1.

    \b
    Examples:
      dpss run --input matrices --output portal
      dpss run --input 'data/*.h5ad' --output portal --force
      dpss run --source canned --environ dev --blacklist --min_gene_count 1200
    """
    from dpss.cli.config import make_run_settings
    from dpss.job.factory import make_catalog

    logs = take_log_settings(options)
    settings = make_run_settings(**options)
    # Of many files, not all have the column: those without are summarised all the same.
    settings = replace(settings, stats=replace(settings.stats, needs_strata=False))
    return perform(settings, partial(make_catalog, settings), stop, logs).exit_code


@commands.command("list")
@setting_options("source")
@setting_option("output", help="What a run would publish to: shows what is unchanged.")
@repeated_options(StatSettings, help="As for the run.")
@log_options
@click.pass_obj
def list_(stop: SignalStop, /, **options: Any) -> int:
    """Show what a run would process, and what it would skip and why.

    Reads the source's list and the published summaries, and downloads no matrix.

    \b
    Examples:
      dpss list --input matrices
      dpss list --input matrices --output portal
    """
    from dpss.cli.config import make_run_settings

    start_logs(take_log_settings(options))
    problem = print_plan(make_run_settings(**options, output_needed=False), stop)
    if problem:
        print_error(problem)
    return FAILED if problem else 0


@commands.command()
@click.argument("output")
@option("--prune", is_flag=True, help="Delete the pages of what is no longer published.")
@log_options
@click.pass_obj
def website(stop: SignalStop, /, output: str, *, prune: bool, **options: Any) -> int:
    """Build the pages again, from the published JSON.

    OUTPUT is a folder or address that `dpss run` or `dpss summarize` published to.

    \b
    Example:
      dpss website portal
    """
    from dpss.storage.locations import open_store
    from dpss.website.build import build_website

    start_logs(take_log_settings(options))
    local_output(output)
    written = build_website(open_store(output), prune=prune)
    click.echo(f"Pages: {index_page(output)} ({plural(len(written), 'file')} written)")
    return 0


@commands.command()
@click.argument("output")
@option(
    "--port",
    type=click.IntRange(0, 65535),
    default=8080,
    show_default=True,
    metavar="N",
    help="On the loopback address; 0 for any that is free.",
)
@log_options
@click.pass_obj
def serve(stop: SignalStop, /, output: str, port: int, **options: Any) -> int:
    """Show the pages in a browser, to this machine only.

    OUTPUT is a folder that `dpss run`, `dpss summarize` or `dpss demo` published to.
    Ctrl-C ends it.

    \b
    Example:
      dpss serve portal
    """
    from dpss.website.server import make_server

    start_logs(take_log_settings(options))
    folder = local_output(output)
    if folder is None:
        raise UnreachableError(f"{output}: only a folder can be shown")
    try:
        server = make_server(folder, port)
    except OSError as error:
        raise UnreachableError(
            f"--port (DPSS_PORT) {port}: {error.strerror}; try another, or 0 for any"
        ) from error
    click.echo(f"http://{server.server_address[0]!s}:{server.server_address[1]}/  (Ctrl-C ends it)")
    with server:
        try:
            server.serve_forever()
        except Interrupted:
            return 0
    return 0


@commands.command()
@option("--output", default="dpss-demo", show_default=True, metavar="DIR", help="Where to.")
@option("--seed", type=click.IntRange(0), default=1, metavar="N", help="Seed.  [default: 1]")
@log_options
@click.pass_obj
def demo(stop: SignalStop, /, output: str, seed: int, **options: Any) -> int:
    """Make a small simulated portal and run the job on it.

    Writes count matrices of several projects in several formats, all of them simulated,
    and publishes their figures, tables and pages, which say so, too.

    \b
    Example:
      dpss demo && dpss serve dpss-demo/portal
    """
    from dpss.cli.config import make_run_settings
    from dpss.demo.portal import DemoCatalog, write_matrices
    from dpss.job.factory import check_output

    logs = take_log_settings(options)
    matrices, portal = Path(output) / "matrices", Path(output) / "portal"
    settings = make_run_settings(source="local", input=str(matrices), output=str(portal))
    check_output(str(portal))
    write_matrices(matrices, seed)
    click.echo(f"Simulated matrices: {matrices}")
    report = perform(settings, lambda _: DemoCatalog(matrices), stop, logs, simulated=True)
    if report.exit_code == 0:
        click.echo(f"To look at it: {program()} serve {portal}")
    return report.exit_code


for each in (compare, inspect):
    commands.add_command(each)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run ``dpss``, and exit."""
    _run(commands, "dpss", arguments)


def run_main(arguments: Sequence[str] | None = None) -> None:
    """Run ``data-portal-summary-stats``, which is ``dpss run``, and exit."""
    given = as_in_2019(sys.argv[1:] if arguments is None else arguments)
    _run(run, "data-portal-summary-stats", given)


def _run(command: click.Command, name: str, arguments: Sequence[str] | None) -> NoReturn:
    # Before numpy is imported, which the commands do.
    os.environ.setdefault("OPENBLAS_THREAD_TIMEOUT", _BLAS_WAIT)
    code = execute(command, name, arguments)
    if arguments is None:
        leave(code)
    sys.exit(code)

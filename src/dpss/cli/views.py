"""The commands that look at matrices and summaries, and publish nothing."""

from __future__ import annotations

from typing import Any

import click

from dpss.cli.entry import FAILED
from dpss.cli.options import log_options, option, setting_option
from dpss.cli.runner import start_logs, take_log_settings
from dpss.job.stop import SignalStop

DIFFERS = 3
"""Exit code of a comparison that finds differences, where it was asked for."""


@click.command()
@click.argument("matrices", metavar="MATRIX...", nargs=-1, required=True)
@option("--json", "as_json", is_flag=True, help="Print JSON, one document for all matrices.")
@setting_option("layer", help="As for summarize.")
@setting_option("orientation", help="As for summarize.")
@log_options
@click.pass_obj
def inspect(
    stop: SignalStop, /, matrices: tuple[str, ...], *, as_json: bool, **options: Any
) -> int:
    """Show what each file holds and how it would be read.

    Looks at samples of the values, without a pass over the matrix, and writes nothing. Each
    decision is shown with its evidence and how sure it is: `stated` by the file, `told by
    content`, or `assumed`. This is what a report of a problem should contain.

    \b
    Examples:
      dpss inspect my.h5ad
      dpss inspect velocity.h5ad --layer spliced
      dpss inspect https://example.org/matrix.h5ad --json
    """
    from dpss.cli.inspection import print_inspections
    from dpss.formats.options import OpenOptions, parse_orientation

    layer, orientation = options.pop("layer"), options.pop("orientation")
    start_logs(take_log_settings(options))
    opening = OpenOptions(orientation=parse_orientation(orientation), sample_only=True)
    n_failed = print_inspections(matrices, opening, layer, stop.check, as_json=as_json)
    return FAILED if n_failed else 0


@click.command()
@click.argument("old")
@click.argument("new")
@option("--json", "as_json", is_flag=True, help="Print JSON instead of tables.")
@option("--page", metavar="FILE", help="Write the differences as a page in one file, too.")
@option("--exit-code", is_flag=True, help="End with 3 if anything differs.")
@log_options
@click.pass_obj
def compare(
    stop: SignalStop,
    /,
    old: str,
    new: str,
    *,
    as_json: bool,
    page: str | None,
    exit_code: bool,
    **options: Any,
) -> int:
    """Show what changed between two versions of a matrix, or of a portal.

    OLD and NEW are each a summary.json, a folder or address that was published to, or a
    matrix. Told are the numbers, checks, decisions and settings that differ, the genes that
    came, went or changed places in the lists of the best, and the verdicts. Of two portals,
    matrices of the same place are compared.

    \b
    Examples:
      dpss compare old/heart new/heart
      dpss compare heart-v1.h5ad heart-v2.h5ad --page changes.html
      dpss compare portal/heart/heart/summary.json heart.h5ad --json --exit-code
    """
    from dpss.cli.comparison import print_comparison

    start_logs(take_log_settings(options))
    differs = print_comparison(old, new, stop.check, as_json=as_json, page=page)
    return DIFFERS if differs and exit_code else 0

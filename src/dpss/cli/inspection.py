"""Tables of the content of each file, for ``dpss inspect``."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from typing import Any

import click
from rich.console import Console
from rich.text import Text

from dpss.cli.console import make_table, open_console
from dpss.cli.logs import clean
from dpss.cli.runner import print_error
from dpss.engine.inspection import Inspection, inspect_source, inspection_document
from dpss.errors import DpssError
from dpss.formats.options import OpenOptions
from dpss.storage.access import in_place
from dpss.storage.locations import open_source
from dpss.storage.plain_text import indented_json
from dpss.storage.redaction import redact_url


def print_inspections(
    matrices: Sequence[str],
    options: OpenOptions,
    layer: str | None,
    check: Callable[[], None],
    *,
    as_json: bool,
) -> int:
    """Inspect matrices, and print the content of each and how it would be read.

    Args:
        matrices: Paths or addresses.
        options: Resources and overrides for opening a matrix.
        layer: The layer to read; ``None`` for the one that a run would choose.
        check: Called before each matrix; raises an error to end the command.
        as_json: Whether one JSON document of all is printed instead of tables.

    Returns:
        Number of matrices that can't be summarised.
    """
    documents: list[dict[str, Any]] = []
    n_failed = 0
    console = open_console(sys.stdout)
    for matrix in matrices:
        check()
        try:
            source = in_place(open_source(matrix))
            for found in inspect_source(source, options, layer):
                n_failed += bool(found.error)
                documents.append(inspection_document(source.url, found))
                if not as_json:
                    print_inspection(console, source.url, found)
        except DpssError as error:
            n_failed += 1
            documents.append({"url": redact_url(matrix), "error": str(error)})
            if not as_json:
                print_error(str(error))
    if as_json:
        click.echo(indented_json(documents))
    return n_failed


def print_inspection(console: Console, url: str, found: Inspection) -> None:
    """Print the findings about a matrix.

    Args:
        console: Console to print to.
        url: Address of the file, without secrets.
        found: The findings.
    """
    name = f" ({found.name})" if found.name else ""
    console.print(Text(clean(f"{url}{name}"), style="bold"))
    if found.error:
        console.print(Text(clean(f"can't be summarised: {found.error}"), style="red"))
    else:
        cells = "an unknown number of" if found.n_cells is None else f"{found.n_cells:,}"
        layers = ", ".join(f"{name}: {values}" for name, values in found.layers)
        features = "an unknown number of" if found.n_features is None else f"{found.n_features:,}"
        shown = f"{cells} cells × {features} features; layers: {layers}"
        console.print(Text(clean(shown)))
    table = make_table("Decided", "As", "How sure", "Evidence", "Changed by")
    for each in found.reading:
        sure = Text(str(each.certainty), style="yellow" if each.certainty == "assumed" else "")
        words = (each.topic.replace("_", " "), each.value, sure, each.evidence, each.option)
        table.add_row(*(Text(clean(w)) if isinstance(w, str) else w for w in words))
    console.print(table)

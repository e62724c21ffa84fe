"""Summaries to compare, and tables of their differences, for ``dpss compare``."""

from __future__ import annotations

import csv
import io
import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from rich.text import Text

from dpss.cli.console import make_table, open_console
from dpss.cli.logs import clean
from dpss.errors import FetchError, MatrixError, SettingsError, UnreachableError, plural
from dpss.storage.base import Store
from dpss.storage.locations import local_path, open_source, open_store, scheme_of
from dpss.storage.plain_text import indented_json
from dpss.storage.redaction import redact_url
from dpss.summary.comparison import (
    LISTS,
    ComparedSummary,
    Comparison,
    compare_summaries,
    comparison_document,
)
from dpss.summary.numerals import number

if TYPE_CHECKING:
    from rich.console import Console

_SUMMARY = "summary.json"
MAX_GENES = 10
"""Most genes that are named in a line."""


def print_comparison(
    old: str, new: str, check: Callable[[], None], *, as_json: bool, page: str | None
) -> bool:
    """Compare two summaries, published folders or matrices, and print the differences.

    Args:
        old: Path or address of the old one.
        new: Path or address of the new one.
        check: Called before each summary; raises an error to end the command.
        as_json: Whether JSON is printed instead of tables.
        page: Path of a page to write; ``None`` for none.

    Returns:
        Whether something differs.

    Raises:
        SettingsError: One side has several matrices, and the other has none of their names.
        MatrixError: A matrix can't be summarised, or a file is no summary of this program.
        UnreachableError: There is no such file or address, or the page can't be written.
    """
    before, after = (dict(iter_summaries(address, check)) for address in (old, new))
    alone: dict[str, list[str]] = {"removed": [], "added": []}
    if len(before) == len(after) == 1:
        pairs = [(*before.values(), *after.values())]
    else:
        pairs = [(before[key], after[key]) for key in sorted(before.keys() & after.keys())]
        alone["removed"] = sorted(before.keys() - after.keys())
        alone["added"] = sorted(after.keys() - before.keys())
        if not pairs:
            raise SettingsError(
                f"{redact_url(old)} and {redact_url(new)}: of the matrices, "
                f"{len(before)} and {len(after)}, none has the same place in both; name one of each"
            )
    found = [compare_summaries(*pair) for pair in pairs]
    if page is not None:
        from dpss.website.pages.comparison import comparison_page

        try:
            Path(page).write_bytes(comparison_page(found, alone))
        except OSError as error:
            raise UnreachableError(f"--page {page}: can't be written ({error.strerror})") from error
    if as_json:
        document = {"comparisons": [comparison_document(each) for each in found], **alone}
        click.echo(indented_json(document))
    else:
        console = open_console(sys.stdout)
        for each in found:
            print_differences(console, each)
        for word, keys in alone.items():
            for key in keys:
                console.print(Text(clean(f"{word}: {key}"), style="bold"))
        if page is not None:
            console.print(f"Page: {page}", soft_wrap=True)
    return any(alone.values()) or not all(each.same for each in found)


def iter_summaries(
    address: str, check: Callable[[], None]
) -> Iterator[tuple[str, ComparedSummary]]:
    """Yield key and summary of a ``summary.json``, published folder or matrix.

    A matrix is summarised as ``dpss summarize`` does it.

    Raises:
        MatrixError: A matrix can't be summarised, or a file is no summary of this program.
    """
    path = local_path(address)
    if path is not None and path.name.endswith(".json") and path.is_file():
        yield "", _published(open_store(str(path.parent)), path.name)
        return
    if path.is_dir() if path is not None else scheme_of(address) == "s3":
        store = open_store(address)
        found = store.keys()
        keys = [key for key in found if key.rpartition("/")[2] == _SUMMARY]
        for key in keys:
            check()
            yield key.removesuffix(_SUMMARY).rstrip("/"), _published(store, key)
        if keys:
            return
    check()
    yield "", _summarised(address)


def _published(store: Store, key: str) -> ComparedSummary:
    from dpss.website.documents import parse_summary

    url = f"{store.url.rstrip('/')}/{key}"
    try:
        document = parse_summary(store.read(key))
    except ValueError as error:
        raise MatrixError(f"{url}: {error}") from error
    table = f"{key.rpartition('/')[0]}/genes.csv".lstrip("/")
    try:
        ranks = _ranks(store.read(table).decode())
    except (FileNotFoundError, FetchError, KeyError, ValueError, csv.Error):
        ranks = None  # lists of the best genes are in the summary; all others are not compared
    return ComparedSummary(url, document, ranks)


def _ranks(text: str) -> dict[str, dict[str, int | None]]:
    """Return the ranks of all genes of a ``genes.csv``.

    Raises:
        ValueError: A line has fewer or more fields than the first one.
    """
    ranks: dict[str, dict[str, int | None]] = {column: {} for column in LISTS.values()}
    for line in csv.DictReader(io.StringIO(text, newline="")):
        if None in line or None in line.values():
            raise ValueError("a line has fewer or more fields than the first one")
        for column, genes in ranks.items():
            genes[line["gene_id"]] = int(line[column]) if line[column] else None
    return ranks


def _summarised(address: str) -> ComparedSummary:
    from dpss.api import summarize
    from dpss.summary.tables import json_bytes, summary_document

    source = open_source(address)
    summary = summarize(address)
    ids = summary.genes.gene_id.tolist()
    ranks = {
        column: {
            gene: rank or None
            for gene, rank in zip(ids, getattr(summary.genes, column).tolist(), strict=True)
        }
        for column in LISTS.values()
    }
    return ComparedSummary(source.url, json.loads(json_bytes(summary_document(summary, []))), ranks)


def print_differences(console: Console, found: Comparison) -> None:
    """Print the differences between two summaries.

    Args:
        console: Console to print to.
        found: The differences.
    """
    console.print(Text(clean(f"{found.old} → {found.new}"), style="bold"))
    if found.same:
        console.print("Nothing differs.")
    elif found.verdicts[0] == found.verdicts[1]:
        console.print(Text(clean(f"Verdict as before: {found.verdicts[0]}")))
    else:
        console.print(Text(clean(f"Verdict before: {found.verdicts[0]}")))
        console.print(Text(clean(f"Verdict now:    {found.verdicts[1]}"), style="bold"))
    rows = [(change, change.percent_text) for change in found.numbers]
    rows += [(change, "") for change in found.sources]
    rows += [(change, found.messages[change.name]) for change in found.checks]
    if rows:
        table = make_table("What", "Old", "New", "")
        for change, note in rows:
            words = (
                change.name.replace("_", " "),
                format_value(change.old),
                format_value(change.new),
                note,
            )
            table.add_row(*(Text(clean(word)) for word in words))
        console.print(table)
    for each in found.lists:
        console.print(Text(clean(describe_list(each))))
    for word, genes in (("added", found.genes_added), ("removed", found.genes_removed)):
        if genes:
            console.print(
                Text(clean(f"{plural(len(genes), 'gene')} {word}: {_first_genes(genes)}"))
            )


def describe_list(found: Any) -> str:
    """Return the differences between two lists of genes as one line."""
    came = [f"{each.gene_name} ({each.new})" for each in found.moves if each.old is None]
    went = [f"{each.gene_name} ({each.old})" for each in found.moves if each.new is None]
    moved = [
        f"{each.gene_name} ({each.old} → {each.new})"
        for each in found.moves
        if each.old is not None and each.new is not None
    ]
    parts = [f"{found.n_common} in both"]
    parts += [f"{word} {_first_genes(genes)}" for word, genes in
              (("new:", came), ("gone:", went), ("moved:", moved)) if genes]  # fmt: skip
    if found.correlation is not None:
        parts.append(f"rank correlation of all genes {found.correlation:.4f}")
    return f"{found.name.replace('_', ' ')}: {'; '.join(parts)}"


def format_value(value: Any) -> str:
    """Return a value of a summary as text: numbers as on pages, a dash for none.

    >>> format_value(1234.5), format_value(None), format_value("X")
    ('1,234', '–', 'X')
    """
    if value is None:
        return "–"
    numeric = isinstance(value, (int, float)) and not isinstance(value, bool)
    return number(value) if numeric else str(value)


def _first_genes(genes: Any) -> str:
    more = f" and {len(genes) - MAX_GENES:,} more" if len(genes) > MAX_GENES else ""
    return ", ".join(genes[:MAX_GENES]) + more

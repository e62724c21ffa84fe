"""Templates and their variables; every text is escaped."""

from __future__ import annotations

import contextlib
import hashlib
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

from jinja2 import Environment, FunctionLoader, StrictUndefined
from jinja2.bccache import Bucket, FileSystemBytecodeCache
from markupsafe import Markup

from dpss.errors import plural
from dpss.figures.elements import palette
from dpss.storage.plain_text import strip_control
from dpss.summary.numerals import number, percent
from dpss.website import wording as words
from dpss.website.data_files import dumps
from dpss.website.genes.lists import top_lists
from dpss.website.genes.tables import n_parts
from dpss.website.measures import further_medians, thresholds
from dpss.website.pages.cellxgene import schema_table
from dpss.website.pages.pipeline import pipeline_table
from dpss.website.pages.places import group_of
from dpss.website.pages.strata import strata_table
from dpss.website.records import MatrixRecord, quoted_path

ASSETS = "_dpss/"
"""Folder of the files that pages share; no project's folder has this name."""

CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
    "base-uri 'none'; form-action 'self'"
)

THUMBNAILS = ("highest_expr_genes", "highly_variable_genes", "violin", "knee")
"""Figures that the first page shows on demand."""

STATIC = (
    "common.js",
    "index.js",
    "chart.js",
    "labels.js",
    "plot.js",
    "project.js",
    "cells.js",
    "compare.js",
    "genes.js",
    "places.js",
    "icon.svg",
)


def _without_control(value: Any) -> Any:
    """Return a value for a page; text loses its control characters.

    Markup is returned as it is: templates make it from values that this function has returned.
    """
    return strip_control(value) if isinstance(value, str) and type(value) is not Markup else value


def bytecode_cache(folder: Path) -> FileSystemBytecodeCache | None:
    """Return the cache of compiled templates in a folder, which saves 0.07 s in a run.

    ``PYTHONDONTWRITEBYTECODE`` is obeyed, and a folder that can't be written is only read.
    """
    with contextlib.suppress(OSError):
        folder.mkdir(exist_ok=True)
    if not folder.is_dir():
        return None
    if sys.dont_write_bytecode or not os.access(folder, os.W_OK):
        return _ReadOnlyCache(str(folder))
    return FileSystemBytecodeCache(str(folder))


class _ReadOnlyCache(FileSystemBytecodeCache):
    def dump_bytecode(self, bucket: Bucket) -> None:
        """Write nothing: a cache filled by the image or an administrator is only read."""


@cache
def environment() -> Environment:
    """Return the template environment: autoescaping, and strict about names."""
    env = Environment(
        loader=FunctionLoader(_source),
        autoescape=True,
        finalize=_without_control,
        bytecode_cache=bytecode_cache(
            Path(str(resources.files("dpss.website"))) / "templates" / "__pycache__"
        ),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    env.filters.update(
        number=number,
        large=words.large,
        percent=percent,
        listing=words.listing,
        plural=plural,
        path=quoted_path,
        anchor=anchor,
        json=dumps,
        lines=lines_of,
        moment=words.moment,
        duration=words.duration,
        counts=words.counts,
        headline=lambda run: words.headline([entry.kind for entry in run.entries]),
        sentence=words.sentence,
        xml=words.xml_text,
        range=range_of,
    )
    env.globals.update(csp=CONTENT_SECURITY_POLICY, asset=asset_address)
    return env


def render(template: str, **context: Any) -> bytes:
    """Return a page.

    Args:
        template: Name of a template in ``templates/``.
        **context: Variables of the template.
    """
    here = template.partition(".")[0]
    return environment().get_template(template).render(here=here, **context).encode()


@cache
def static_files() -> dict[str, bytes]:
    """Return the files that all pages share, by key."""
    folder = resources.files("dpss.website").joinpath("static")
    files = {f"{ASSETS}{name}": folder.joinpath(name).read_bytes() for name in STATIC}
    return {f"{ASSETS}dpss.css": style_sheet().encode(), **files}


@cache
def style_sheet() -> str:
    """Return the style sheet: the palette's colours as variables, then the rules."""
    light, dark = (_variables(theme) for theme in (palette.LIGHT, palette.DARK))
    rules = resources.files("dpss.website").joinpath("static", "dpss.css").read_text("utf-8")
    return (
        f":root {{\n  color-scheme: light dark;\n{light}}}\n"
        f"@media screen and (prefers-color-scheme: dark) {{\n:root {{\n{dark}}}\n}}\n{rules}"
    )


def _variables(theme: palette.Theme) -> str:
    return "".join(f"  --{name}: {colour};\n" for name, colour in asdict(theme).items())


@cache
def asset_address(name: str) -> str:
    """Return a shared file's address from the top page, with its checksum."""
    key = f"{ASSETS}{name}"
    return f"{key}?v={hashlib.sha256(static_files()[key]).hexdigest()[:12]}"


def _source(name: str) -> str | None:
    file = resources.files("dpss.website").joinpath("templates", name)
    return file.read_text("utf-8") if file.is_file() else None


def anchor(folder: str) -> str:
    """Return a unique id, without blanks, for the part of a page about a matrix.

    >>> anchor("project/a b")
    'm-a%20b'
    """
    return "m-" + quoted_path(folder.partition("/")[2])


def range_of(values: Sequence[float | None], kind: str = "number") -> str:
    """Return one value, or the lowest and the highest.

    >>> range_of([3, None, 12]), range_of([None])
    ('3–12', '–')
    """
    there = [value for value in values if value is not None]
    if not there:
        return "–"
    show = percent if kind == "percent" else number
    low, high = show(min(there)), show(max(there))
    if low == high:
        return low
    return f"{low.rstrip(' %' + chr(0x202F)) if kind == 'percent' else low}–{high}"


def lines_of(terms: Sequence[str]) -> Markup:
    """Return terms one below the other, at most four."""
    shown = [*terms[:3], f"and {len(terms) - 3} more"] if len(terms) > 4 else terms
    return Markup("<br>").join(map(strip_control, shown))


def matrix_view(
    record: MatrixRecord,
    document: Mapping[str, Any],
    sizes: Mapping[str, tuple[int, int]],
    *,
    plots: Mapping[str, Any] | None = None,
    complete: bool = True,
) -> dict[str, Any]:
    """Return the variables of a template for one matrix.

    Args:
        record: The matrix.
        document: Its summary.
        sizes: Width and height of its PNG figures in pixels, by slug.
        plots: Result of `dpss.website.plots.write_plots`; ``None`` without plots.
        complete: Whether its report is written.
    """
    return {
        "record": record,
        "complete": complete,
        "document": document,
        "plots": f"_dpss/plots/{quoted_path(record.folder)}.js" if plots and plots["cells"] else "",
        "plot_slugs": plots["cells"] if plots else [],
        "gene_views": dumps(plots["genes"]) if plots and plots["genes"] else "",
        "n_parts": n_parts(record.numbers["n_genes"]),
        "verdict": words.verdict(record.checks),
        "group": group_of(record),
        "judgement": words.judgement(document),
        "thresholds": thresholds(document),
        "pipeline": pipeline_table(document),
        "cellxgene": schema_table(document),
        "further": further_medians(document),
        "strata": strata_table(document),
        "lists": top_lists(document),
        "what": words.describe_matrix(record),
        "typical": words.describe_median_cell(record),
        "assumed": words.assumed(document),
        "cautions": words.cautions(document),
        "figures": [
            {
                **figure,
                "alt": words.alt_text(figure["slug"], document),
                "size": sizes.get(figure["slug"]),
                "narrow": f"{figure['slug']}.narrow.svg" in record.files,
            }
            for figure in document["figures"]
        ],
    }

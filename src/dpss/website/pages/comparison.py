"""The differences between summaries as a page in one file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from dpss.figures.registry import FIGURES
from dpss.summary.comparison import Comparison
from dpss.website.pages.environment import environment
from dpss.website.pages.report import embedded_style


def comparison_page(found: Sequence[Comparison], alone: Mapping[str, Sequence[str]]) -> bytes:
    """Return the differences as one HTML file that loads nothing.

    Args:
        found: The differences of each pair of summaries.
        alone: Keys of matrices that only one side has, by ``removed`` and ``added``.
    """
    style, digest = embedded_style()
    page = environment().get_template("comparison.html.j2")
    return page.render(
        found=found,
        alone=alone,
        titles={figure.slug: figure.title for figure in FIGURES},
        style=style,
        policy=f"default-src 'none'; style-src 'sha256-{digest}'",
    ).encode()

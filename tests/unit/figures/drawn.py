"""Common parts of the tests of figures."""

from __future__ import annotations

from dpss.figures.registry import FIGURES

BY_SLUG = {figure.slug: figure for figure in FIGURES}

"""Settings of the documentation's site, which `make docs` builds: docs/adr/0015."""

from __future__ import annotations

import dataclasses
import os
import re
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.transforms import SphinxTransform

from dpss import __version__

project = "dpss"
author = "The data-portal-summary-stats authors"
copyright = author
release = version = __version__
language = "en"

extensions = ["myst_nb", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
exclude_patterns = ["images", "benchmarks"]
# Anchors as GitHub makes them, so that a link works in both places.
myst_heading_anchors = 4
# Notebooks hold their outputs; tests/docs/test_tutorials.py runs them again.
nb_execution_mode = "off"
highlight_language = "none"

autodoc_member_order = "bysource"
autodoc_typehints_format = "short"
napoleon_numpy_docstring = False

html_theme = "pydata_sphinx_theme"
html_title = "dpss"
html_static_path = ["static"]
html_css_files = ["site.css"]
html_js_files = ["versions.js"]
html_context = {"default_mode": "auto"}
html_copy_source = False
html_show_sourcelink = False
# The folder of this build, beside those of other versions: tools/site.py.
html_theme_options: dict[str, Any] = {
    "check_switcher": False,
    "footer_start": ["copyright"],
    "footer_end": [],
    "logo": {"text": "dpss"},
    "navbar_align": "left",
    "navbar_persistent": ["search-button"],
    "navbar_end": ["version-switcher", "theme-switcher"],
    "pygments_light_style": "a11y-high-contrast-light",
    "pygments_dark_style": "a11y-high-contrast-dark",
    "secondary_sidebar_items": ["page-toc"],
    "show_version_warning_banner": False,
    "switcher": {
        "json_url": "../versions.json",
        "version_match": os.environ.get("DPSS_DOCS_VERSION", "dev"),
    },
}


def hide_fields(
    app: Sphinx, what: str, name: str, thing: object, options: object, signature: str, returns: str
) -> tuple[str, str] | None:
    """Leave out the signature of a record: its fields are listed below it."""
    return ("", "") if what == "class" and dataclasses.is_dataclass(thing) else None


class DrawnDiagrams(SphinxTransform):
    """Shows a diagram's image, which `make diagrams` drew, instead of its text."""

    default_priority = 400

    def apply(self) -> None:
        """Replace each Mermaid block."""
        blocks = list(self.document.findall(nodes.literal_block))
        for number, block in enumerate((b for b in blocks if b.get("language") == "mermaid"), 1):
            page = self.env.docname.rpartition("/")[2]
            said = re.search(r"^\s*accDescr:\s*(.+)$", block.astext(), re.MULTILINE)
            address = f"/images/diagrams/{page}-{number}.svg"
            image = nodes.image(uri=address, alt=said[1] if said else "", classes=["diagram"])
            image.document = self.document
            block.replace_self(image)


def setup(app: Sphinx) -> None:
    """Add what no option does."""
    app.add_transform(DrawnDiagrams)
    app.connect("autodoc-process-signature", hide_fields)

"""Draw the diagrams of the documentation: `make diagrams`.

    python tools/diagrams.py [--browser PATH]

Each Mermaid block of a page becomes docs/images/diagrams/PAGE-NUMBER.svg, which the site shows
instead of the text; GitHub draws the text itself. The image names the checksum of its text, so that
a test tells when it is stale. Needs Node's npx, which fetches mermaid-cli, and Chromium.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
IMAGES = ROOT / "docs" / "images" / "diagrams"
MERMAID = "@mermaid-js/mermaid-cli@11.16.0"
SETTINGS = {
    "theme": "neutral",
    "fontFamily": "Verdana, DejaVu Sans, sans-serif",
    "deterministicIds": True,
    "htmlLabels": False,
    "flowchart": {"htmlLabels": False, "useMaxWidth": False},
}
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def blocks_of(text: str) -> list[str]:
    """Return the text of each Mermaid block of a page."""
    return re.findall(r"^```mermaid\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


def diagrams(docs: Path = ROOT / "docs") -> dict[Path, str]:
    """Return the text of each diagram by the path of its image."""
    return {
        IMAGES / f"{page.stem}-{number}.svg": block
        for page in sorted(docs.rglob("*.md"))
        for number, block in enumerate(blocks_of(page.read_text("utf-8")), 1)
    }


def mark_of(block: str) -> str:
    """Return the comment that an image has of its text."""
    return f"<!-- sha256 of its text: {hashlib.sha256(block.encode()).hexdigest()} -->"


def description_of(block: str) -> str:
    """Return what a diagram shows in words: its line `accDescr`."""
    found = re.search(r"^\s*accDescr:\s*(.+)$", block, re.MULTILINE)
    return found[1] if found else ""


def draw(block: str, npx: str, browser: str) -> str:
    """Return a diagram as SVG.

    Raises:
        CalledProcessError: The text is no diagram, or mermaid-cli can't be fetched.
    """
    with tempfile.TemporaryDirectory(prefix="dpss-diagram-") as name:
        folder = Path(name)
        source, target = folder / "diagram.mmd", folder / "diagram.svg"
        source.write_text(block, "utf-8")
        (folder / "settings.json").write_text(json.dumps(SETTINGS))
        started = {"executablePath": browser, "args": ["--no-sandbox"]}
        (folder / "browser.json").write_text(json.dumps(started))
        subprocess.run(
            [
                npx, "--yes", MERMAID, "--quiet", "--input", source, "--output", target,
                "--configFile", folder / "settings.json", "--backgroundColor", "white",
                "--puppeteerConfigFile", folder / "browser.json",
            ],
            check=True, env={**os.environ, "PUPPETEER_SKIP_DOWNLOAD": "1"},
        )  # fmt: skip
        return target.read_text("utf-8")


def main() -> int:
    """Draw every diagram; return the exit code."""
    parser = argparse.ArgumentParser(description="Draw the diagrams of the documentation.")
    found = next(filter(None, map(shutil.which, BROWSERS)), None)
    parser.add_argument("--browser", default=found, metavar="PATH", help="Chromium's program")
    browser, npx = parser.parse_args().browser, shutil.which("npx")
    if browser is None or npx is None:
        print("diagrams: npx (Node) and Chromium are needed", file=sys.stderr)
        return 1
    IMAGES.mkdir(parents=True, exist_ok=True)
    for path, block in diagrams().items():
        path.write_text(f"{draw(block, npx, browser).rstrip()}\n{mark_of(block)}\n", "utf-8")
        print(f"{path.relative_to(ROOT)}: {path.stat().st_size:,} bytes")
    return 0


if __name__ == "__main__":
    sys.exit(main())

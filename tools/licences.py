"""Write docs/reference/licences.md from a bill of materials: python tools/licences.py FILE."""

import json
import sys
from pathlib import Path
from typing import Any

PAGE = Path(__file__).resolve().parent.parent / "docs/reference/licences.md"
HEAD = """# Licences of what is in the image

Each package that the job is installed with, from the image's bill of materials (CycloneDX,
`/opt/dpss/sbom.cdx.json` in the image, `build/sbom.cdx.json` after `make sbom`, which writes this
list, too). The licences' texts are in the image beside each package. Debian's packages of the base
image are under `/usr/share/doc/*/copyright` there.

This project is under Apache-2.0; the fonts that it holds, DejaVu Sans, are under Bitstream Vera's
licence (`NOTICE`). None of these licences asks more than to be named.

| package | version | licence |
|---|---|---|
"""
CLASSIFIERS = {
    "License :: OSI Approved :: Apache Software License": "Apache-2.0",
    "License :: OSI Approved :: BSD License": "BSD",
    "License :: OSI Approved :: MIT License": "MIT",
    "License :: OSI Approved :: Python Software Foundation License": "PSF-2.0",
}


def licence(component: dict[str, Any]) -> str:
    """Return a component's licence in a few words: an SPDX expression where there is one."""
    found = []
    for entry in component.get("licenses", []):
        if "expression" in entry:
            return str(entry["expression"])
        known = entry["license"]
        name = known.get("id") or known.get("name", "")
        if name.startswith("declared license of"):
            # The whole text stands where a name should be: its first line says which it is.
            text = known.get("text", {}).get("content", "").strip().splitlines()
            name = f"text: {text[0].strip()}" if text else ""
        name = CLASSIFIERS.get(name, name)
        if name and name not in found:
            found.append(name)
    short = [name for name in found if not name.startswith("text: ")]
    return ", ".join(short or [name.removeprefix("text: ") for name in found]) or "?"


def render(bill: dict[str, Any]) -> str:
    """Return the page."""
    rows = sorted(
        (c["name"].lower(), f"| {c['name']} | {c['version']} | {licence(c)} |")
        for c in bill["components"]
    )
    return HEAD + "\n".join(row for _, row in rows) + "\n"


if __name__ == "__main__":
    PAGE.write_text(render(json.loads(Path(sys.argv[1]).read_text())))

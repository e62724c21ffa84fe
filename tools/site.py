"""Build the documentation's site: `make docs`.

    python tools/site.py [--version NAME] [--output DIR]

The site of a version is a folder of its own beside those of others; `versions.json`, which the
pages' list of versions reads, and the first page, which leads to the newest, are made of the
folders that are there. Without --version it is the tag of this commit, or `dev`.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
DEVELOPMENT = "dev"

FIRST_PAGE = """\
<!doctype html>
<meta charset="utf-8">
<title>dpss</title>
<meta http-equiv="refresh" content="0; url={name}/index.html">
<a href="{name}/index.html">dpss {name}</a>
"""


def version_of_tag() -> str:
    """Return the version that this commit is tagged as, or `dev`."""
    command = ["git", "tag", "--points-at", "HEAD", "--list", "v*"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    found = sorted_versions([tag.removeprefix("v") for tag in done.stdout.split()])
    return found[0] if found else DEVELOPMENT


def sorted_versions(names: list[str]) -> list[str]:
    """Return versions, the newest first; what is none comes last."""
    versions = [name for name in names if re.fullmatch(r"\d+(\.\d+)+", name)]
    versions.sort(key=lambda name: [int(part) for part in name.split(".")], reverse=True)
    return versions + sorted(set(names) - set(versions))


def list_of_versions(names: list[str]) -> list[dict[str, object]]:
    """Return the entries of `versions.json`, in the form that the theme reads."""
    return [
        {"version": name, "url": f"../{name}/", "preferred": place == 0}
        for place, name in enumerate(sorted_versions(names))
    ]


def build(version: str, output: Path) -> int:
    """Build the pages of one version, without a network; any warning fails.

    Returns:
        Sphinx's exit code.
    """
    command = [
        sys.executable, "-m", "sphinx", "--builder", "html", "--fail-on-warning", "--keep-going",
        "--quiet", "--doctree-dir", str(ROOT / "build" / "doctrees" / version),
        str(ROOT / "docs"), str(output / version),
    ]  # fmt: skip
    path = os.pathsep.join([str(ROOT / "src"), os.environ.get("PYTHONPATH", "")])
    environment = {**os.environ, "DPSS_DOCS_VERSION": version, "PYTHONPATH": path}
    return subprocess.run(command, cwd=ROOT, env=environment, check=False).returncode


def write_entrance(output: Path) -> None:
    """Write `versions.json` and the first page, of the versions' folders."""
    names = [page.parent.name for page in output.glob("*/index.html")]
    entries = list_of_versions(names)
    (output / "versions.json").write_text(json.dumps(entries, indent=2) + "\n", "utf-8")
    (output / "index.html").write_text(FIRST_PAGE.format(name=entries[0]["version"]), "utf-8")


def main() -> int:
    """Build the site; return the exit code."""
    parser = argparse.ArgumentParser(description="Build the documentation's site.")
    parser.add_argument("--version", default=None, metavar="NAME", help="name of its folder")
    parser.add_argument("--output", type=Path, default=ROOT / "build" / "docs", metavar="DIR")
    arguments = parser.parse_args()
    code = build(arguments.version or version_of_tag(), arguments.output)
    if code == 0:
        write_entrance(arguments.output)
        print(f"Pages: {arguments.output / 'index.html'}")
    return code


if __name__ == "__main__":
    sys.exit(main())

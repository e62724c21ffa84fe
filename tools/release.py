"""What a release is checked for and says, and a rehearsal of it on this machine.

    python tools/release.py check v1.2.3      # the tag, the version and the changelog agree
    python tools/release.py notes 1.2.3       # the changelog's section, for the release's page
    python tools/release.py recipe FILE URL   # the recipe for conda-forge, for an sdist at URL
    python tools/release.py rehearse          # build, publish to an index on loopback, install, run

The rehearsal publishes with the command of .github/workflows/release.yml, to a server of this file
that takes uploads as PyPI does and refuses a file that it has. Others' packages come from the usual
index.
"""

from __future__ import annotations

import argparse
import email.parser
import email.policy
import hashlib
import os
import re
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
NAME = "data-portal-summary-stats"


class Stop(Exception):
    """What is in the way of a release, in one line."""


def version_of(root: Path = ROOT) -> str:
    """Return the program's version, as `src/dpss/_version.py` has it."""
    text = (root / "src" / "dpss" / "_version.py").read_text("utf-8")
    found = re.search(r'^__version__ = "([^"]+)"$', text, re.MULTILINE)
    if found is None:
        raise Stop("src/dpss/_version.py has no version")
    return found[1]


def section_of(changelog: str, version: str) -> tuple[str, str]:
    r"""Return what stands behind a version in its heading, and the text of its section.

    Raises:
        Stop: There is no such section.

    >>> section_of("## 1.1.0, 2026-02-01\n\n- B\n\n## 1.0.0\n\n- A\n", "1.1.0")
    ('2026-02-01', '- B')
    """
    pattern = rf"^## {re.escape(version)}(?:, ([^\n]+))?\n(.*?)(?=^## |\Z)"
    found = re.search(pattern, changelog, re.MULTILINE | re.DOTALL)
    if found is None:
        raise Stop(f"CHANGELOG.md has no section `## {version}, DATE`")
    return found[1] or "", found[2].strip()


def check(tag: str, root: Path = ROOT) -> str:
    """Return the version of a tag that may be released.

    Raises:
        Stop: Tag, version and changelog do not agree.
    """
    version = version_of(root)
    if tag != f"v{version}":
        raise Stop(f"the tag {tag} is not v{version}, which src/dpss/_version.py says")
    when, text = section_of((root / "CHANGELOG.md").read_text("utf-8"), version)
    if not re.fullmatch(r"\d{4}-\d\d-\d\d", when):
        raise Stop(
            f"CHANGELOG.md: the heading `## {version}` needs the date of today, not {when!r}"
        )
    if not text:
        raise Stop(f"CHANGELOG.md says nothing of {version}")
    return version


def recipe_of(sdist: Path, url: str, root: Path = ROOT) -> str:
    """Return the recipe for conda-forge with the address and the checksum of an sdist.

    Raises:
        Stop: The file is of another version.
    """
    name = f"{NAME.replace('-', '_')}-{version_of(root)}.tar.gz"
    if sdist.name != name:
        raise Stop(f"{sdist.name} is no sdist of version {version_of(root)}: {name}")
    text = (root / "packaging" / "conda" / "recipe.yaml").read_text("utf-8")
    lines = text.splitlines(keepends=True)
    first = next(i for i, line in enumerate(lines) if not line.startswith("#"))
    checksum = hashlib.sha256(sdist.read_bytes()).hexdigest()
    filled = "".join(lines[first:]).replace("URL_OF_THE_SDIST", url)
    return filled.replace("SHA256_OF_THE_SDIST", checksum)


class Index(ThreadingHTTPServer):
    """A package index on loopback: takes uploads, and serves what it got."""

    def __init__(self) -> None:
        """Listen at a free port."""
        super().__init__(("127.0.0.1", 0), _Handler)
        self.files: dict[str, bytes] = {}

    @property
    def url(self) -> str:
        """The address."""
        return f"http://127.0.0.1:{self.server_address[1]}"


class _Handler(BaseHTTPRequestHandler):
    server: Index

    def do_POST(self) -> None:
        """Take a file, as PyPI's upload does: a form with its content and its checksum."""
        body = self.rfile.read(int(self.headers["Content-Length"]))
        head = f"Content-Type: {self.headers['Content-Type']}\r\n\r\n".encode()
        form = email.parser.BytesParser(policy=email.policy.HTTP).parsebytes(head + body)
        fields = {
            part.get_param("name", header="content-disposition"): part for part in form.iter_parts()
        }
        name = fields["content"].get_filename() or ""
        data = fields["content"].get_payload(decode=True)
        told = fields["sha256_digest"].get_payload(decode=True).decode().strip()
        if name in self.server.files:
            self._answer(400, "text/plain", b"File already exists")
        elif not isinstance(data, bytes) or told != hashlib.sha256(data).hexdigest():
            self._answer(400, "text/plain", b"The checksum is another")
        else:
            self.server.files[name] = data
            self._answer(200, "text/plain", b"")

    def do_GET(self) -> None:
        """List the files of the package, or send one."""
        name = self.path.rpartition("/")[2]
        if self.path == f"/simple/{NAME}/":
            links = (
                f'<a href="/files/{name}#sha256={hashlib.sha256(data).hexdigest()}">{name}</a>'
                for name, data in sorted(self.server.files.items())
            )
            self._answer(200, "text/html", f"<!doctype html>{''.join(links)}".encode())
        elif self.path.startswith("/files/") and name in self.server.files:
            self._answer(200, "application/octet-stream", self.server.files[name])
        else:
            self._answer(404, "text/plain", b"")

    do_HEAD = do_GET

    def _answer(self, status: int, kind: str, data: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def index() -> Iterator[Index]:
    """Serve an empty index while the context lasts."""
    with Index() as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()


def publish(files: Sequence[Path], url: str) -> None:
    """Upload files as the workflow does, with a password in place of GitHub's token."""
    _uv("publish", "--quiet", "--publish-url", f"{url}/legacy/", "--username", "rehearsal",
        "--password", "rehearsal", *map(str, files))  # fmt: skip


def rehearse() -> None:
    """Build, publish to an index on loopback, install from there, and run the demo."""
    version = version_of()
    when, text = section_of((ROOT / "CHANGELOG.md").read_text("utf-8"), version)
    print(f"{version} ({when}): {len(text.splitlines())} lines in the changelog")
    with tempfile.TemporaryDirectory(prefix="dpss-release-") as name, index() as server:
        folder = Path(name)
        _uv("build", "--quiet", "--out-dir", str(folder / "dist"), "--python", sys.executable)
        files = sorted((folder / "dist").glob("*.whl")) + sorted((folder / "dist").glob("*.gz"))
        for file in files:
            print(f"built {file.name}, {file.stat().st_size / 1e6:.2f} MB")
        publish(files, server.url)
        print(f"published to {server.url}: {', '.join(sorted(server.files))}")
        program = folder / "environment" / "bin" / "python"
        _uv("venv", "--quiet", "--python", sys.executable, str(folder / "environment"))
        simple = f"{server.url}/simple"
        _uv("pip", "install", "--quiet", "--python", str(program), "--index", simple,
            "--only-binary", ":all:", "--refresh-package", NAME, f"{NAME}=={version}")  # fmt: skip
        said = subprocess.run(
            [program.with_name("dpss"), "demo", "--output", folder / "demo"],
            env={**os.environ, "HOME": name, "PYTHONPATH": ""}, check=True, text=True,
            stdout=subprocess.PIPE,
        ).stdout  # fmt: skip
        print(next(line for line in said.splitlines() if " published, " in line))
    print("The rehearsal went well.")


def _uv(*arguments: str) -> None:
    from uv import find_uv_bin

    subprocess.run([find_uv_bin(), *arguments], cwd=ROOT, check=True)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; return the exit code."""
    parser = argparse.ArgumentParser(description="Check, tell and rehearse a release.")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("check").add_argument("tag")
    commands.add_parser("notes").add_argument("version")
    recipe = commands.add_parser("recipe")
    recipe.add_argument("sdist", type=Path)
    recipe.add_argument("url")
    commands.add_parser("rehearse")
    given = parser.parse_args(arguments)
    try:
        if given.command == "check":
            print(check(given.tag))
        elif given.command == "notes":
            print(section_of((ROOT / "CHANGELOG.md").read_text("utf-8"), given.version)[1])
        elif given.command == "recipe":
            print(recipe_of(given.sdist, given.url), end="")
        else:
            rehearse()
    except Stop as reason:
        print(f"release: {reason}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())

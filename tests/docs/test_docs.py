"""The documentation tells what is so: commands exist, code runs, links lead somewhere."""

from __future__ import annotations

import gzip
import importlib.util
import re
import shlex
from pathlib import Path
from types import ModuleType

import click
import pytest

from dpss.cli.commands import commands, run
from dpss.engine.reading import NOTED, TOPICS
from dpss.engine.settings import ReadSettings
from dpss.errors import DpssError
from dpss.model import Certainty
from dpss.website.schemas import schema
from tests.conftest import ROOT
from tests.unit.small import counts, write_h5ad_csr

PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
OURS = [ROOT / "README.md", ROOT / "docs" / "how-to" / "summarize-your-matrix.md"]
MAX_README_LINES = 60
MAX_FIGURE_BYTES = 250_000


def name_of(page: Path) -> str:
    """Return a page's path within the project, as a test's name."""
    return page.relative_to(ROOT).as_posix()


def blocks_of(page: Path, language: str) -> list[str]:
    """Return a page's code blocks in one language, but those marked ``<!-- skip -->``."""
    text = re.sub(r"<!-- skip -->\n+```.*?```", "", page.read_text(), flags=re.DOTALL)
    return re.findall(rf"^```{language}\n(.*?)^```", text, flags=re.DOTALL | re.MULTILINE)


def commands_of(page: Path) -> list[str]:
    """Return the command lines of ours that a page shows."""
    text = "\n".join(blocks_of(page, "(?:console|sh|bash|shell)"))
    text = text.replace("\\\n", " ")
    found = re.findall(r"^\$ ((?:dpss|data-portal-summary-stats) .*)$", text, re.MULTILINE)
    return [line.split(" && ")[0].split(" | ")[0] for line in found]


def load(path: Path) -> ModuleType:
    """Import a file that is no module of the package."""
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_command_line_is_one_that_the_program_takes(page: Path) -> None:
    """Commands and options that a page shows exist and are spelled so."""
    for line in commands_of(page):
        program, *arguments = shlex.split(line, comments=True)
        command: click.Command = run
        if program == "dpss":
            command = commands.commands[arguments.pop(0)]
        if not {"--help", "-h"} & set(arguments):
            command.make_context(program, arguments, help_option_names=["-h", "--help"])


@pytest.mark.parametrize("page", OURS, ids=name_of)
def test_python_runs(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each Python block runs as it stands, with a matrix and the table of its cells at hand."""
    drawn = counts()
    write_h5ad_csr(tmp_path / "my.h5ad", drawn)
    (tmp_path / "out" / "my").mkdir(parents=True)
    lines = "".join(f"{name},1\n" for name in ("barcode", *drawn.barcodes))
    (tmp_path / "out" / "my" / "cells.csv.gz").write_bytes(gzip.compress(lines.encode()))
    monkeypatch.chdir(tmp_path)
    for block in blocks_of(page, "python"):
        exec(compile(block, name_of(page), "exec"), {})


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_links_within_the_project_lead_somewhere(page: Path) -> None:
    """Each relative link is a file that is there."""
    text = re.sub(r"```.*?```|`[^`\n]*`", "", page.read_text(), flags=re.DOTALL)
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if re.match(r"[a-z]+:|#|//", target):
            continue
        path = page.parent / target.partition("#")[0]
        assert path.exists(), f"{name_of(page)} links to {target}"


@pytest.mark.parametrize("page", ["checks.md", "commands.md", "formats.md", "settings.md"])
def test_the_reference_is_that_of_the_code(page: str) -> None:
    """Every check, command, option, variable and format stands in it."""
    made = load(ROOT / "tools" / "reference.py").PAGES[page]()
    assert (ROOT / "docs" / "reference" / page).read_text() == made, "run `make reference`"


def errors_of(kind: type[Exception]) -> set[type[Exception]]:
    """Return a class of errors with all below it."""
    return {kind}.union(*(errors_of(each) for each in kind.__subclasses__()))


def test_every_error_and_exit_code_is_documented() -> None:
    """Whoever meets one finds it on the page."""
    text = (ROOT / "docs" / "reference" / "exit-codes.md").read_text()
    ours = {kind for kind in errors_of(DpssError) if kind.__module__.startswith("dpss.")}
    assert {kind.__name__ for kind in ours} == set(re.findall(r"`(\w+Error)`", text))
    assert set(re.findall(r"^\| (\d+) \|", text, re.MULTILINE)) >= {"0", "1", "2", "130", "143"}


def test_every_field_of_a_summary_is_documented() -> None:
    """Each field of ``summary.json`` and of a decision in its ``reading`` is in a table."""
    text = (ROOT / "docs" / "reference" / "files.md").read_text()
    whole, _, reading = text.partition("### `reading`")
    fields = schema("summary")
    decision = fields["properties"]["reading"]["items"]
    assert set(fields["required"]) == set(fields["properties"]) - {
        "annotation",
        "cellxgene",
        "embedding",
        "n_cells_expected",
        "pipeline",
        "strata",
    }
    assert set(decision["required"]) == set(decision["properties"])
    assert set(fields["properties"]) <= named_in_tables(whole)
    assert set(decision["properties"]) <= named_in_tables(reading)
    for certainty in Certainty:
        assert f"`{certainty}`" in reading


def test_every_topic_of_a_decision_is_documented() -> None:
    """Each topic that the program gives a decision is in the table, and no other."""
    text = (ROOT / "docs" / "reference" / "files.md").read_text()
    table = text.partition("| topic | decision |")[2].partition("\n\n")[0]
    given = set(TOPICS) | {name for name, _ in NOTED}
    for path in ROOT.glob("src/dpss/**/*.py"):
        given |= set(re.findall(r"""\bDecision\(\s*"(\w+)",""", path.read_text()))
    assert named_in_tables(table) == given


def named_in_tables(text: str) -> set[str]:
    """Return the names in the first column of a text's tables."""
    rows = re.findall(r"^\| ([^|]*) \|", text, flags=re.MULTILINE)
    return {name for row in rows for name in re.findall(r"`([\w.]+)`", row)}


def test_the_readme_opens_with_a_figure_and_two_commands() -> None:
    """What it makes, `make demo`, `make test`, then a matrix of one's own; on one screen or two."""
    text = (ROOT / "README.md").read_text()
    places = [text.index(part) for part in ("![", "make demo", "make test", "summarize my.h5ad")]
    assert places == sorted(places)
    assert len(text.splitlines()) <= MAX_README_LINES
    (image,) = re.findall(r"!\[[^]]*\]\(([^)]+)\)", text)
    data = (ROOT / image).read_bytes()
    assert data.startswith(b"\x89PNG")
    assert len(data) < MAX_FIGURE_BYTES


def test_the_picture_of_the_modules_is_what_is_checked() -> None:
    """The explanation draws the same order of imports as the linter holds the program to."""
    page = ROOT / "docs" / "explanation" / "architecture.md"
    picture = page.read_text().split("## Who may import whom")[1].split("```")[1]
    drawn = [re.split(r"\s{3,}", line)[0] for line in picture.strip().splitlines()]
    rules = (ROOT / ".importlinter").read_text().split("layers =")[1].split("\n#")[0]
    checked = [re.sub(r"[()]", "", line).strip() for line in rules.strip().splitlines()]
    assert drawn == [line for line in checked if line != "__main__"]


def test_blocks_and_partitions_are_as_large_as_it_is_explained() -> None:
    """The explanation of constant memory names the sizes that are read with."""
    text = (ROOT / "docs" / "explanation" / "constant-memory.md").read_text()
    read = ReadSettings()
    assert f"(about {read.partition_bytes >> 20} MiB of decoded values, `ReadSettings.pa" in text
    assert f"*blocks* ({read.block_bytes >> 20} MiB, `block_bytes`)" in text

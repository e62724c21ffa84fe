"""Write docs/reference/checks.md, commands.md, formats.md and settings.md from the code itself.

`make reference` runs it after an option, a format or a check was added or changed; a test fails
until then.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from pathlib import Path

import click

from dpss.cli.commands import commands
from dpss.engine.options import own_options
from dpss.engine.settings import StatSettings
from dpss.formats.registry import FORMATS
from dpss.summary.checks import CHECKS, yields

FOLDER = Path(__file__).resolve().parent.parent / "docs" / "reference"
WRITERS = FOLDER.parent.parent / "tests" / "cases" / "writers.json"
NOTE = "<!-- Made by `make reference` from the code itself: change it there. -->"
WIDTH = 100


def commands_page() -> str:
    """Return the page of all commands, with their help as it is shown."""
    parts = [
        "# Commands",
        NOTE,
        "`dpss` has a command for each task. `data-portal-summary-stats` is `dpss run`, under the "
        "name and with the flags that the program had in 2019. What options mean in common: "
        "[settings](settings.md); how they end: [exit codes](exit-codes.md).",
        _help(commands, "dpss"),
    ]
    for name in sorted(commands.commands):
        parts += [f"## `dpss {name}`", _help(commands.commands[name], f"dpss {name}")]
    return "\n\n".join(parts) + "\n"


def settings_page() -> str:
    """Return the page of all options with their variables."""
    rows: dict[str, tuple[list[str], str, str]] = {}
    # Where an option means something special to a command, the help of `run` says it best.
    for name in ("run", "summarize", *sorted(commands.commands.keys() - {"run", "summarize"})):
        for parameter in commands.commands[name].params:
            if not isinstance(parameter, click.Option) or parameter.help is None:
                continue
            spelled = ", ".join(f"`{each}`" for each in parameter.opts)
            used, _, _ = rows.setdefault(
                spelled,
                ([], f"`{parameter.envvar}`" if parameter.envvar else "", _meaning(parameter)),
            )
            used.append(name)
    lines = [
        f"| {option} | {variable} | {meaning} | {', '.join(sorted(used))} |"
        for option, (used, variable, meaning) in sorted(rows.items())
    ]
    table = ["| option | variable | meaning | commands |", "|---|---|---|---|", *lines]
    results = ", ".join(f"`{option.flag}`" for _, _, option in own_options(StatSettings))
    parts = [
        "# Settings",
        NOTE,
        "Each option can be given on the command line or as an environment variable; the command "
        "line wins. A flag's variable is `1` or `0`. Several values of one option stand in its "
        "variable with spaces between them. All faults are told at once, each with its option and "
        "variable, before anything is done.",
        "\n".join(table),
        f"What changes results ({results}) stands in each `summary.json` under "
        "`provenance.settings`; when it changes, a run makes every matrix again. All else changes "
        "how long it takes, or where things are.",
        "AWS is set up as for any other program: the variables `AWS_PROFILE`, `AWS_REGION`, "
        "`AWS_ENDPOINT_URL` and so on, `~/.aws`, or the role of the machine or task.",
    ]
    return "\n\n".join(parts) + "\n"


def checks_page() -> str:
    """Return the page of all checks, from their table."""
    lines = [(kind.name, kind.question, kind.rule, kind.source) for kind in CHECKS]
    lines.append((yields.NAME, yields.QUESTION, yields.RULE, yields.SOURCE))
    rows = [
        f"| `{name}` | {question} | {rule} | {source} |" for name, question, rule, source in lines
    ]
    parts = [
        "# Checks",
        NOTE,
        "Each summary has the outcomes of these checks: in `summary.json` as `checks`, on its page "
        "as the verdict. `pass`: the property is as it should be. `warn`: it asks for care. "
        "`fail`: the numbers can't be used as they are. `not measured`: the matrix lacks the "
        "property that the check looks at; this never counts as passed. Readers add notes of their "
        "own, such as `gene_names` where a file names no genes, and `cellxgene_schema` where a "
        "file follows [CELLxGENE's schema](files.md#cellxgene).",
        "\n".join(["| check | question | does not pass | source |", "|---|---|---|---|", *rows]),
        "The HCA expression matrix contract is the list of checks in "
        "`docs/dataset-validator-checks.md` of clevercanary/hca-validation-tools.",
    ]
    return "\n\n".join(parts) + "\n"


def _quoted(names: Iterable[str]) -> str:
    """Return names as code, between commas."""
    return ", ".join(f"`{name}`" for name in names)


def formats_page() -> str:
    """Return the page of all formats, from the table of readers."""
    rows = [
        f"| {info.name} | {_quoted(info.endings)} | `dpss.formats.{info.reader}` | "
        f"{info.constant_memory} | "
        f"{_quoted(info.real_files) or 'made ones only'} |"
        for known in FORMATS
        for info in known.infos
    ]
    table = [
        "| format | usual endings | reader | constant memory | tested with, of real files |",
        "|---|---|---|---|---|",
    ]
    parts = [
        "# Formats",
        NOTE,
        "A format is told by content, not by name. Each of them may be compressed (gzip, bzip2, "
        "xz, zstd) or lie in a folder, a zip or a tar, which may lie in one other archive; every "
        "matrix in it is one of its own, named after its file. Text and mtx are streamed out of "
        "whatever they are in. HDF5 and zarr are read at any place: in a compressed tar or a "
        "deflated zip they are unpacked into `--scratch` first, within `--scratch-limit`, and "
        "removed afterwards.",
        "\n".join([*table, *rows]),
        "## Writers",
        "The files that common programs write, how they are read, and the test that shows it: a "
        "case is a file in `tests/cases/data`, a test a function. A writer without an instance "
        "has none yet.",
        _writers_table(),
        "Real files are not part of the project: tests look for them in `DPSS_REAL_DATA`.",
    ]
    return "\n\n".join(parts) + "\n"


def _writers_table() -> str:
    """Return the table of programs that write matrices, from that of the tests."""
    rows = [
        f"| {each['writer']} | {each['files']} | {each['reading'] or 'not tried'} | "
        f"{', '.join(f'`{_short(name)}`' for name in each['instances']) or '**no instance**'} |"
        for each in json.loads(WRITERS.read_text())
    ]
    return "\n".join(["| writer | files | reading | instances |", "|---|---|---|---|", *rows])


def _short(instance: str) -> str:
    """Return a test's name without its file, and a case as it is."""
    return instance.rpartition("::")[2]


def _help(command: click.Command, path: str) -> str:
    context = click.Context(
        command,
        info_name=path,
        terminal_width=WIDTH,
        max_content_width=WIDTH,
        # From the start: a command keeps the help option that it is first asked for.
        help_option_names=["-h", "--help"],
    )
    return f"```text\n{command.get_help(context).rstrip()}\n```"


def _meaning(option: click.Option) -> str:
    """Return an option's help with its choices and default."""
    text = " ".join((option.help or "").split())
    text = re.sub(r" \[default: (.*)\]$", r" Default: \1.", text)
    if isinstance(option.type, click.Choice):
        text += " One of " + ", ".join(f"`{choice}`" for choice in option.type.choices) + "."
    if option.show_default:
        text += f" Default: `{option.default}`."
    return text.replace("|", "\\|")


PAGES = {
    "checks.md": checks_page,
    "commands.md": commands_page,
    "formats.md": formats_page,
    "settings.md": settings_page,
}

if __name__ == "__main__":
    for page, make in PAGES.items():
        (FOLDER / page).write_text(make())

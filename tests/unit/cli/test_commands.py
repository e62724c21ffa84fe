"""The commands as a person or a scheduler meets them: real processes, their output, their codes."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tarfile
import time
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest
from click.testing import CliRunner

from dpss.cli.commands import commands, main
from dpss.cli.entry import as_in_2019
from dpss.engine.options import all_options
from dpss.engine.settings import StatSettings
from dpss.job.stop import NeverStop
from tests.conftest import ROOT
from tests.unit.small import counts, write_h5ad_csr, write_scaled

COMMANDS = ("summarize", "run", "list", "website", "serve", "demo")


def environment(**more: str) -> dict[str, str]:
    """Return this environment without the program's own variables."""
    found = {name: value for name, value in os.environ.items() if not name.startswith("DPSS_")}
    return {**found, "PYTHONPATH": str(ROOT / "src"), "COLUMNS": "100", **more}


def dpss(
    *arguments: str | Path, program: str = "main", **env: str
) -> subprocess.CompletedProcess[str]:
    """Run a program of ours to its end."""
    return subprocess.run(
        command_of(arguments, program),
        env=environment(**env),
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )


def command_of(arguments: Sequence[str | Path], program: str = "main") -> list[str]:
    """Return the command line of a program of ours."""
    start = f"import sys; from dpss.cli.commands import {program}; {program}(sys.argv[1:])"
    if program == "main":
        return [sys.executable, "-m", "dpss", *map(str, arguments)]
    return [sys.executable, "-c", start, *map(str, arguments)]


@pytest.fixture
def matrix(tmp_path: Path) -> Path:
    """A small h5ad."""
    path = tmp_path / "small.h5ad"
    write_h5ad_csr(path, counts())
    return path


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a matrix, ``in``, and what a run made of it, ``out``; to be copied."""
    folder = tmp_path_factory.mktemp("published")
    (folder / "in").mkdir()
    write_h5ad_csr(folder / "in" / "small.h5ad", counts())
    done = dpss("run", "--input", folder / "in", "--output", folder / "out")
    assert done.returncode == 0, done.stderr
    return folder


@pytest.mark.parametrize("flag", ["-h", "--help"])
@pytest.mark.parametrize("command", [(), *((name,) for name in COMMANDS)])
def test_help_works_everywhere(command: tuple[str, ...], flag: str) -> None:
    """It exits 0, says what the command is for, and shows an example."""
    done = CliRunner().invoke(commands, [*command, flag])
    assert done.exit_code == 0
    assert "Example" in done.output
    assert "\\b" not in done.output
    assert "Usage: " in done.output


def test_help_is_quick() -> None:
    """It imports nothing heavy: 0.3 s of processor time, so no numpy, numba, rich, h5py."""
    code = (
        "import sys\n"
        "from dpss.cli.commands import main\n"
        "try: main(['--help'])\n"
        "except SystemExit as end: assert end.code == 0\n"
        "heavy = {'numpy', 'numba', 'h5py', 'rich', 'matplotlib', 'pandas', 'jinja2', 'obstore'}\n"
        "assert not heavy & set(sys.modules), heavy & set(sys.modules)\n"
    )
    # Twice the aim: a busy processor is slower. Three tries, for the same reason.
    assert any(processor_seconds(code) < 0.6 for _ in range(3))


@pytest.mark.parametrize("code", [0, 1, 3])
def test_the_end_at_once_loses_no_output(code: int) -> None:
    """Lines that are not yet written come first; a background thread does not hold the end."""
    program = (
        "import sys, threading; from dpss.cli.entry import leave; "
        "threading.Thread(target=threading.Event().wait).start(); "
        f"sys.stdout.write('out'); sys.stderr.write('err'); leave({code})"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        env=environment(), capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stdout, done.stderr) == (code, "out", "err")


def processor_seconds(code: str) -> float:
    """Return what a Python process takes to run some code."""
    before = os.times()
    subprocess.run(
        [sys.executable, "-c", code], env=environment(), check=True, stdout=subprocess.DEVNULL
    )
    after = os.times()
    return (
        after.children_user + after.children_system
        - before.children_user - before.children_system
    )  # fmt: skip


@pytest.mark.slow
def test_summarize_makes_everything_of_the_contract(matrix: Path, tmp_path: Path) -> None:
    """Figures, tables, pages, a report, a table of outcomes and where the first page is.

    Done again elsewhere, every file but those of runs has the same bytes.
    """
    trees = []
    for out in (tmp_path / "one", tmp_path / "two"):
        done = dpss("summarize", matrix, "--output", out)
        assert done.returncode == 0, done.stderr
        assert "published" in done.stdout
        assert f"{out}/index.html" in done.stdout
        assert "Traceback" not in done.stderr
        files = [path for path in out.rglob("*") if path.is_file()]
        trees.append({str(path.relative_to(out)): path.read_bytes() for path in files})
    one, two = ({k: v for k, v in tree.items() if k[:5] != "runs/"} for tree in trees)
    assert one.keys() == two.keys()
    assert [name for name in one if one[name] != two[name]] == []
    figures = {"highest_expr_genes", "genes_by_cell_count", "highly_variable_genes", "violin"}
    figures |= {"scatter_genes_vs_counts", "knee"}
    left_out = {
        each["slug"]: each["left_out"]
        for each in json.loads(one["small/summary.json"])["figures"]
        if each["left_out"]
    }
    # The matrix has two mitochondrial genes: too few for a percentage.
    assert "mitochondrial" in left_out["scatter_percentMitoGenes_vs_count"]
    wanted = {f"small/{slug}.{kind}" for slug in figures for kind in ("png", "svg")}
    wanted |= {"small/genes.csv", "small/summary.json", "small/index.html"}
    assert wanted | {"index.html", "index.json"} <= one.keys()
    assert any(name.startswith("runs/") for name in trees[0])


@pytest.mark.slow
def test_a_sample_sheet_is_a_project_of_its_samples(tmp_path: Path) -> None:
    """Named as in the sheet, side by side; an expected number far off is a warning everywhere."""
    for name in ("a", "b", "c"):
        write_h5ad_csr(tmp_path / f"{name}.h5ad", counts(ord(name)))
    sheet = tmp_path / "samples.csv"
    lines = ["sample,fastq_1,path,expected_cells,group", "S1,x.fq.gz,a.h5ad,30,left"]
    sheet.write_text("\n".join([*lines, "S2,y.fq.gz,b.h5ad,900,right", "S3,z.fq.gz,c.h5ad,,"]))
    out = tmp_path / "out"
    done = dpss("summarize", "--samplesheet", sheet, "--output", out)
    assert done.returncode == 0, done.stderr
    assert "not used: column fastq_1" in done.stderr
    assert "3 published, 0 unchanged, 0 skipped, 0 failed" in done.stdout
    found = {
        path.parent.name: json.loads(path.read_bytes())
        for path in (out / "samples").glob("*/summary.json")
    }
    assert [found[name]["matrix"]["url"] for name in ("S1", "S2", "S3")] == [
        "a.h5ad", "b.h5ad", "c.h5ad"
    ]  # fmt: skip
    assert {name: each.get("n_cells_expected") for name, each in found.items()} == {
        "S1": 30, "S2": 900, "S3": None
    }  # fmt: skip
    assert found["S1"]["matrix"]["strata"] == {"group": ["left"]}
    status = {c["name"]: c["status"] for c in found["S2"]["checks"]}["expected_cells"]
    assert status == "warn"
    assert re.search(r"samples/S2: .*30 cells were read", done.stdout + done.stderr)
    (report,) = (out / "runs").glob("*Z.json")
    marked = {m["matrix"]: m["verdict"] for m in json.loads(report.read_bytes())["matrices"]}
    assert "900 that were expected" in marked["S2"]
    page = (out / "samples" / "index.html").read_text()
    assert page.count("of 900 expected") == page.count("of 30 expected") == 1

    sheet.write_text("\n".join([*lines, "S1,x.fq.gz,b.h5ad,many,", "S3,,nope.h5ad,,"]))
    done = dpss("summarize", "--samplesheet", sheet, "--output", tmp_path / "none")
    assert done.returncode == 2
    told = [line.partition("samples.csv, ")[2][:21] for line in done.stderr.splitlines()]
    assert told == [
        "line 3, column expect", "line 3, column sample", "line 4, column path: ",
    ]  # fmt: skip
    assert not (tmp_path / "none").exists()


@pytest.mark.slow
def test_a_broken_matrix_is_one_line_and_exit_code_1(matrix: Path, tmp_path: Path) -> None:
    """The line names the file; no traceback; nothing of it in the output; --debug shows more."""
    whole = matrix.read_bytes()
    matrix.write_bytes(whole[: len(whole) // 2])
    done = dpss("summarize", matrix, "--output", tmp_path / "out")
    assert done.returncode == 1
    assert "small.h5ad" in done.stderr
    assert "Traceback" not in done.stderr + done.stdout
    assert not (tmp_path / "out" / "small").exists()
    assert "Traceback" in dpss("summarize", matrix, "--output", tmp_path / "o", "--debug").stderr


@pytest.mark.slow
def test_scaled_values_are_a_failure_where_they_were_asked_for(tmp_path: Path) -> None:
    """``summarize`` ends with 1 and ``run`` with 0, with the same reason."""
    write_scaled(tmp_path / "scaled.h5ad")
    reasons = []
    for code, arguments in (
        (1, ("summarize", tmp_path / "scaled.h5ad")),
        (0, ("run", "--input", tmp_path / "scaled.h5ad")),
    ):
        done = dpss(*arguments, "--output", tmp_path / "out")
        assert done.returncode == code
        reasons.append(re.search(r"scaled\.h5ad: .*layers: X: scaled.*", done.stderr))
    assert reasons[0] is not None
    assert reasons[1] is not None
    assert reasons[0].group() == reasons[1].group()


USAGE_ERRORS = {
    "no such command": (("frobnicate",), "frobnicate"),
    "no such option": (("run", "--frobnicate"), "--frobnicate"),
    "no matrix": (("summarize",), "MATRIX"),
    "no such matrix": (("summarize", "nope.h5ad"), "nope.h5ad"),
    "no such sheet": (("summarize", "--samplesheet", "nope.csv"), "nope.csv"),
    "no sheet": (("summarize", "--samplesheet", __file__), "column sample"),
    "both": (("summarize", "a.h5ad", "--samplesheet", "b.csv"), "DPSS_SAMPLESHEET"),
    "no source": (("run", "--output", "x"), "DPSS_SOURCE"),
    "no output": (("run", "--input", "x"), "DPSS_OUTPUT"),
    "no such input": (("run", "--input", "/nope", "--output", "x"), "/nope"),
    "no such source": (("run", "--source", "moon"), "moon"),
    "negative": (("summarize", "a", "--min-gene-count", "-1"), "DPSS_MIN_GENE_COUNT"),
    "no thread": (("summarize", "a", "--threads", "0"), "DPSS_THREADS"),
    "no number": (("summarize", "a", "--threads", "two"), "two"),
    "no pages": (("serve", "/nope"), "/nope"),
    "no folder": (("website", "/nope"), "/nope"),
    "output cannot be": (("summarize", __file__, "--output", "/proc/nope"), "/proc/nope"),
}


Said = tuple[int, str, str]
"""An exit code, and what was said on stdout and stderr."""


@pytest.fixture
def here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., Said]:
    """Run the command in this process, in an empty folder."""
    for name in [name for name in os.environ if name.startswith("DPSS_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)

    def run(*arguments: str) -> Said:
        with pytest.raises(SystemExit) as end:
            main(arguments)
        assert isinstance(end.value.code, int)
        return (end.value.code, *capsys.readouterr())

    return run


@pytest.mark.parametrize("name", USAGE_ERRORS)
def test_what_cannot_start_is_exit_code_2(
    name: str, here: Callable[..., Said], tmp_path: Path
) -> None:
    """One short message on stderr that names what is wrong; nothing on stdout; no traceback."""
    arguments, named = USAGE_ERRORS[name]
    code, out, told = here(*arguments)
    assert code == 2, told
    assert named in told
    assert "Traceback" not in told
    assert out == ""
    assert all(line.startswith("dpss: error: ") for line in told.splitlines())
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_a_process_that_cannot_start_ends_alike(tmp_path: Path) -> None:
    """The real process has the same code, one line on stderr and nothing on stdout."""
    done = dpss("run", "--input", "/nope", "--output", tmp_path / "x")
    assert (done.returncode, done.stdout) == (2, "")
    (line,) = done.stderr.splitlines()
    assert line.startswith("dpss: error: ")
    assert "/nope" in line


def test_all_faults_are_told_at_once(here: Callable[..., Said]) -> None:
    """Who has made three mistakes needn't try three times."""
    given = ("--source", "azul", "--input", "x", "--threads", "0", "--min_gene_count=-1")
    _, _, said = here("run", *given)
    told = ("DPSS_INPUT", "DPSS_THREADS", "DPSS_MIN_GENE_COUNT", "DPSS_OUTPUT")
    assert all(name in said for name in told)


def test_every_option_has_a_variable() -> None:
    """``--some-option`` is ``DPSS_SOME_OPTION``, for every option of every command."""
    for command in COMMANDS:
        for parameter in commands.commands[command].params:
            if parameter.param_type_name == "option":
                (name,) = [o for o in parameter.opts if o.startswith("--") and "_" not in o]
                assert parameter.envvar == "DPSS_" + name[2:].replace("-", "_").upper()


@pytest.mark.slow
def test_variables_stand_for_options(matrix: Path, tmp_path: Path) -> None:
    """The environment alone can say all of it; an option on the command line wins."""
    env = {"DPSS_INPUT": str(matrix), "DPSS_OUTPUT": str(tmp_path / "a"), "DPSS_LOG_FORMAT": "json"}
    done = dpss("run", "--output", tmp_path / "b", DPSS_MIN_GENE_COUNT="5", **env)
    assert done.returncode == 0, done.stderr
    assert not (tmp_path / "a").exists()
    document = json.loads((tmp_path / "b/small/small/summary.json").read_text())
    assert document["provenance"]["settings"]["min_gene_count"] == 5
    for line in done.stderr.splitlines():
        assert {"time", "level", "message", "run"} <= json.loads(line).keys()


@pytest.mark.slow
def test_the_second_run_imports_nothing_heavy(published: Path, tmp_path: Path) -> None:
    """With nothing to do there is no numba and no matplotlib, and it is said."""
    shutil.copytree(published / "out", tmp_path / "out")
    arguments = ("run", "--input", str(published / "in"), "--output", str(tmp_path / "out"))
    code = (
        "import sys\n"
        "from dpss.cli.commands import main\n"
        f"try: main({list(arguments)!r})\n"
        "except SystemExit as end: assert end.code == 0\n"
        "assert not {'numba', 'matplotlib', 'h5py'} & set(sys.modules)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment(), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "unchanged" in done.stdout
    assert "nothing to do" in done.stderr


@pytest.mark.slow
def test_the_program_of_2019_takes_its_flags(matrix: Path, tmp_path: Path) -> None:
    """``data-portal-summary-stats`` is ``dpss run``, with both spellings of --min_gene_count."""
    for spelling in ("--min_gene_count", "--min-gene-count"):
        done = dpss(
            *("--source", "local", "--environ", "dev", "--input", matrix),
            *("--output", tmp_path / "out", spelling, "3"),
            program="run_main",
        )
        assert done.returncode == 0, done.stderr
    done = dpss("--environ", "moon", program="run_main")
    assert done.returncode == 2
    assert "data-portal-summary-stats --help" in done.stderr


@pytest.mark.parametrize(
    ("typed", "flags"),
    [
        (["--blacklist", "true", "--environ", "dev"], ["--blacklist", "--environ", "dev"]),
        (["--environ", "dev", "--blacklist", "False"], ["--environ", "dev"]),
        (["--blacklist", "--project", "true"], ["--blacklist", "--project", "true"]),
        (["--blacklist", "yes"], ["--blacklist", "yes"]),
    ],
)
def test_blacklist_may_have_a_value_as_in_2019(typed: list[str], flags: list[str]) -> None:
    """true and false are told apart; anything else is as wrong as it is."""
    assert as_in_2019(typed) == flags


@pytest.mark.slow
def test_list_shows_what_a_run_would_do(matrix: Path, tmp_path: Path) -> None:
    """What is processed, skipped and unchanged; nothing is written."""
    (matrix.parent / "README.md").write_text("text")
    done = dpss("list", "--input", matrix.parent, "--output", tmp_path / "out")
    assert done.returncode == 0, done.stderr
    assert re.search(r"^small +small .*process: new", done.stdout, re.MULTILINE)
    assert re.search(r"^README.md .*skip: ", done.stdout, re.MULTILINE)
    assert not (tmp_path / "out").exists()


def test_list_has_every_setting_that_changes_numbers() -> None:
    """Otherwise it would call matrices outdated that a run with the setting has published."""
    there = {parameter.name for parameter in commands.commands["list"].params}
    assert there >= {option.parameter for _, option in all_options(StatSettings)}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--seed", "-1"), "--seed"),
        (("--output", "file"), "--output file/portal: can't be written"),
        (("--output", "file/below"), "--output file/below/portal: can't be written"),
    ],
)
def test_a_demo_that_cannot_begin_says_why(
    arguments: tuple[str, ...], words: str, tmp_path: Path
) -> None:
    """One message, and the exit code of what could not start."""
    (tmp_path / "file").touch()
    done = subprocess.run(
        command_of(("demo", *arguments)),
        env=environment(),
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert words in done.stderr
    assert "unexpected" not in done.stderr


@pytest.mark.slow
def test_website_builds_the_pages_again(published: Path, tmp_path: Path) -> None:
    """From the published JSON alone."""
    out = tmp_path / "out"
    shutil.copytree(published / "out", out)
    before = (out / "index.html").read_bytes()
    (out / "index.html").unlink()
    assert dpss("website", out).returncode == 0
    assert (out / "index.html").read_bytes() == before


@contextlib.contextmanager
def running(*arguments: str | Path, program: str = "") -> Iterator[subprocess.Popen[str]]:
    """Start a program of ours, or one that is given as code, and make sure that it ends."""
    own = [sys.executable, "-c", program, *map(str, arguments)]
    process = subprocess.Popen(
        own if program else command_of(arguments),
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


@pytest.mark.slow
def test_serve_shows_the_pages_on_loopback_until_told_to_end(tmp_path: Path) -> None:
    """The address stands on stdout; Ctrl-C ends it without a word."""
    (tmp_path / "index.html").write_text("<!doctype html><title>pages</title>")
    with running("serve", tmp_path, "--port", "0") as process:
        assert process.stdout is not None
        found = re.match(r"http://127\.0\.0\.1:\d+/", process.stdout.readline())
        assert found is not None
        with urllib.request.urlopen(found.group(), timeout=120) as answer:
            assert b"<title>pages" in answer.read()
        process.send_signal(signal.SIGINT)
        _, stderr = process.communicate(timeout=120)
        assert (process.returncode, stderr) == (0, "")


N_MATRICES = 40
"""So many that a run is not done with them before the test looks at it again."""


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_a_run_cleanly(tmp_path: Path, number: signal.Signals) -> None:
    """Within seconds: what is finished is kept, a report is written, the code says by what."""
    folder, out = tmp_path / "in", tmp_path / "out"
    folder.mkdir()
    for seed in range(N_MATRICES):
        write_h5ad_csr(folder / f"{seed:02}.h5ad", counts(seed))
    with running("run", "--input", folder, "--output", out) as process:
        wait_for(lambda: len(list(out.glob("*/*/summary.json"))) >= 2)
        process.send_signal(number)
        # Two seconds on an idle machine. That the others were not begun is seen below.
        _, stderr = process.communicate(timeout=120)
        assert process.returncode == 128 + number
        assert "Traceback" not in stderr
        assert number.name in stderr
    (report,) = (out / "runs").glob("*Z.json")
    document = json.loads(report.read_text())
    assert document["interrupted_by"] == number.name
    summaries = sorted(out.glob("*/*/summary.json"))
    assert document["counts"]["published"] == len(summaries) < N_MATRICES
    for summary in summaries:
        names = {path.name for path in summary.parent.iterdir()}
        for figure in json.loads(summary.read_text())["figures"]:
            assert figure["left_out"] or {f"{figure['slug']}.png", f"{figure['slug']}.svg"} <= names
    assert not list(out.rglob(".dpss-*"))


STOPS = {
    "unpacked": """
from dpss.storage.scratch import Scratch

class Endless:
    "A blob of which nothing more comes after its first piece."

    def __init__(self, blob):
        self.name, self.url, self.size_bytes = blob.name, blob.url, blob.size_bytes
        self._source, self._begun = blob.open(), False

    def open(self):
        return self

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self._source.close()

    def read(self, n):
        if self._begun:
            stop()
        self._begun = True
        return self._source.read(n)

fetch = Scratch._fetch
Scratch._fetch = lambda self, blob, *rest: fetch(self, Endless(blob), *rest)
""",
    "read": """
import dpss.engine.summarizer
dpss.engine.summarizer.summarize_matrix = lambda *given, **more: stop()
""",
}
STOPPED = """
import sys, threading
from pathlib import Path

def stop():
    Path(sys.argv[-1]).with_name("stopped").touch()
    threading.Event().wait()
{}
from dpss.cli.commands import main
main(sys.argv[1:])
"""
"""The command, which stands still while it unpacks or reads."""


@pytest.mark.slow
@pytest.mark.parametrize("stage", STOPS)
def test_a_signal_leaves_nothing_of_what_was_unpacked(tmp_path: Path, stage: str) -> None:
    """The member of an archive that is being unpacked or read is gone when the program is."""
    scratch, out = tmp_path / "scratch", tmp_path / "out"
    scratch.mkdir()
    write_h5ad_csr(tmp_path / "a.h5ad", counts())
    with tarfile.open(tmp_path / "a.tar.gz", "w:gz", compresslevel=1) as archive:
        archive.add(tmp_path / "a.h5ad", "a.h5ad")
    given = ("--input", tmp_path / "a.tar.gz", "--output", out, "--scratch", scratch)
    with running("run", *given, program=STOPPED.format(STOPS[stage])) as process:
        wait_for((tmp_path / "stopped").exists)
        assert list(scratch.rglob("a.h5ad"))
        process.send_signal(signal.SIGTERM)
        # A second on an idle machine.
        _, stderr = process.communicate(timeout=120)
        assert process.returncode == 128 + signal.SIGTERM
        assert "Traceback" not in stderr
    assert list(scratch.iterdir()) == []
    assert not list(out.rglob("summary.json"))


def wait_for(ready: object, seconds: float = 300) -> None:
    """Wait until something is so."""
    deadline = time.monotonic() + seconds
    while not ready():  # type: ignore[operator]
        assert time.monotonic() < deadline, "it took too long"
        time.sleep(0.05)


@pytest.mark.slow
def test_whoever_stops_reading_is_no_failure(tmp_path: Path) -> None:
    """``dpss list | head`` ends as such programs do, quietly."""
    for number in range(50):
        (tmp_path / f"{number}.md").write_text("text")
    with running("list", "--input", tmp_path) as process:
        assert process.stdout is not None
        process.stdout.close()
        assert process.stderr is not None
        assert process.stderr.read() == ""
        assert process.wait(timeout=120) == 141
        process.stdout = None


@pytest.mark.slow
def test_what_became_of_the_matrices_is_told_before_the_pages(
    matrix: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run that is lost while it makes pages has told its table and its metrics."""

    def lost(*_: object) -> None:
        raise MemoryError

    monkeypatch.setattr("dpss.job.pages.build_pages", lost)
    command = ["run", "--input", str(matrix), "--output", str(tmp_path / "out"), "--metrics", "emf"]
    done = CliRunner().invoke(commands, command, obj=NeverStop())
    assert isinstance(done.exception, MemoryError)
    assert "1 published, 0 unchanged" in done.output
    (line,) = [line for line in done.output.splitlines() if '"_aws"' in line]
    assert json.loads(line)["published"] == 1


@pytest.mark.parametrize(("given", "expected"), [(None, "20"), ("26", "26"), ("4", "4")])
def test_threads_of_numpy_wait_briefly(
    monkeypatch: pytest.MonkeyPatch, given: str | None, expected: str
) -> None:
    """numpy's threads do not wait busily while all else is imported, unless the user says so."""
    monkeypatch.setenv("OPENBLAS_THREAD_TIMEOUT", "")
    monkeypatch.delenv("OPENBLAS_THREAD_TIMEOUT")
    if given:
        monkeypatch.setenv("OPENBLAS_THREAD_TIMEOUT", given)
    with pytest.raises(SystemExit, match="0"):
        main(["--version"])
    assert os.environ["OPENBLAS_THREAD_TIMEOUT"] == expected

"""What pages are made of: look-up shards, history, feed, report, MultiQC, notebook, checking."""

from __future__ import annotations

import base64
import copy
import csv
import hashlib
import html
import json
import random
import re
import shutil
import struct
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import jsonschema
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dpss.storage.local import LocalStore
from dpss.summary.tables import genes_csv as csv_of
from dpss.website import build_website
from dpss.website.genes.index import IndexLayout
from dpss.website.genes.lookup import gene_files, gene_key, line_of
from dpss.website.genes.packing import float_words, word_text
from dpss.website.genes.tables import read_genes
from dpss.website.pages.report import MAX_BYTES
from dpss.website.schemas import schema
from dpss.website.validation import fault
from tests.unit.website.portal import (
    ASSUMED,
    NASTY,
    document,
    gene_rows,
    genes_csv,
    make_nasty,
    make_portal,
    make_runs,
    plots,
    vouch,
    write_matrix,
)
from tests.unit.website.test_build import Page, files


def received(path: Path):
    """Return the value that a data file hands to the page."""
    text = path.read_text("utf-8")
    assert text.startswith("dpss.receive(") and text.endswith(");\n")
    return json.loads(text.removeprefix("dpss.receive(").removesuffix(");\n"))


@pytest.fixture
def portal(tmp_path: Path) -> Path:
    root = make_portal(tmp_path / "out", 3, 2, 60)
    make_runs(root)
    build_website(LocalStore(root))
    return root


# --- Incremental ----------------------------------------------------------------------------


def relist(folder: Path) -> None:
    """Let a summary list its files as they are now."""
    doc = json.loads((folder / "summary.json").read_bytes())
    vouch(folder, doc, doc["files"])


def change(root: Path, folder: str, n_genes: int = 60) -> None:
    rng = random.Random(99)
    rows = gene_rows(rng, n_genes, 777)
    old = json.loads((root / folder / "summary.json").read_bytes())
    doc = document(
        rng,
        rows,
        project=old["project"]["id"],
        title=old["project"]["title"],
        name=old["matrix"]["name"],
        n_cells=777,
    )
    write_matrix(root / folder, doc, rows)


def test_a_changed_matrix_rewrites_its_own_pages_only(portal):
    """One change leaves the pages and data of all other projects alone."""
    change(portal, "project-0001/matrix-0")
    written = build_website(LocalStore(portal), changed={"project-0001/matrix-0"})
    foreign = [
        key for key in written if re.match(r"project-(?!0001)", key) or "0001/matrix-1" in key
    ]
    assert foreign == []
    assert "project-0001/index.html" in written and "index.json" in written


@pytest.mark.slow
@pytest.mark.parametrize("changed", [set(), {"project-0001/matrix-0"}, None])
def test_changing_ends_where_building_anew_does(portal, tmp_path, changed):
    """However the pages came to be, they are the same, byte for byte."""
    change(portal, "project-0001/matrix-0", n_genes=50)
    shutil.rmtree(portal / "project-0002/matrix-1")
    rng = random.Random(5)
    rows = gene_rows(rng, 70, 50)
    write_matrix(portal / "new", document(rng, rows, project="new", title="New", n_cells=50), rows)
    fresh = tmp_path / "fresh"
    for key in files(portal):
        if key.endswith((".png", ".svg", ".csv", "summary.json", "plots.json")) or re.match(
            r"runs/2", key
        ):
            if key.startswith("_dpss"):
                continue
            (fresh / key).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(portal / key, fresh / key)
    build_website(LocalStore(portal), changed=changed, prune=True)
    build_website(LocalStore(fresh))
    assert files(portal) == files(fresh)


def test_what_is_gone_leaves_no_pages(portal):
    """A project that is no longer published loses its pages; foreign files stay."""
    for path in (portal / "project-0000").rglob("summary.json"):
        path.unlink()
    (portal / "project-0000/notes.txt").write_text("mine")
    build_website(LocalStore(portal), changed=set(), prune=True)
    left = {key for key in files(portal) if "project-0000" in key}
    assert not [key for key in left if key.endswith((".html", ".js", "_mqc.json"))]
    assert "project-0000/notes.txt" in left


def test_a_broken_gene_table_is_left_out(portal, caplog):
    """A genes.csv that can't be read costs its matrix the look-up, and nothing else."""
    folder = portal / "project-0000/matrix-0"
    (folder / "genes.csv").write_text("a,b\n1,2\n")
    (folder / "genes.lookup").write_text("{}")
    relist(folder)
    build_website(LocalStore(portal))
    assert "project-0000/matrix-0/genes.csv" in caplog.text


@pytest.mark.slow
@pytest.mark.parametrize("name", ["knee.png", "plots.json", "genes.csv", "violin.svg"])
@pytest.mark.parametrize("longer", [True, False])
def test_a_matrix_that_is_being_replaced_is_left_out(portal, name, longer, caplog):
    """Files of two publications are never shown together: the index names the matrix and why,
    and shows it again as soon as its files are the listed ones. Nothing is deleted."""
    path = portal / "project-0000/matrix-0" / name
    before, data = files(portal), path.read_bytes()
    path.write_bytes(data + b"\n" if longer else data[:-1] + b"?")
    build_website(LocalStore(portal))
    if longer or name in ("knee.png", "plots.json"):
        index = json.loads((portal / "index.json").read_bytes())
        shown = {m["folder"] for p in index["projects"] for m in p["matrices"]}
        assert "project-0000/matrix-0" not in shown and "project-0001/matrix-0" in shown
        (entry, *_) = index["unreadable"]
        assert entry["path"] == "project-0000/matrix-0/summary.json"
        assert "is being replaced" in entry["reason"] and name in entry["reason"]
        assert name in caplog.text
    path.write_bytes(data)
    build_website(LocalStore(portal), changed=set())
    assert files(portal) == before


def test_pages_link_only_what_a_summary_lists(portal):
    """A file of an earlier publication that the new one lacks is there, but on no page."""
    folder = portal / "project-0000/matrix-0"
    doc = json.loads((folder / "summary.json").read_bytes())
    vouch(folder, doc, set(doc["files"]) - {"knee.png", "knee.svg", "genes.csv", "plots.json"})
    build_website(LocalStore(portal), changed=set())
    page = Page((portal / "project-0000/index.html").read_text())
    linked = {address.partition("#")[0] for address in page.addresses()}
    assert "../project-0000/matrix-0/violin.svg" in linked
    for name in ("knee.png", "knee.svg", "genes.csv"):
        assert (folder / name).exists()
        assert f"../project-0000/matrix-0/{name}" not in linked
        assert f"../project-0000/matrix-1/{name}" in linked


# --- The look-up ----------------------------------------------------------------------------


def words(text: str) -> list[int]:
    data = base64.b64decode(text)
    return [int.from_bytes(data[i : i + 3]) for i in range(0, len(data), 3)]


def number(word: int) -> float:
    return struct.unpack(">f", struct.pack(">I", word << 8))[0]


def look_up(root: Path, typed: str) -> dict[str, tuple]:
    """Find a gene as the page does."""
    (folder,) = (root / "_dpss/lookup").iterdir()
    layout = IndexLayout(*map(int, folder.name.split("x")))
    key, found = gene_key(typed), {}

    def ids_of(name):
        bucket = line_of(name, layout.n_name_buckets)
        files = [folder / f"{block}/names.{bucket}.js" for block in range(layout.n_blocks)]
        return {i for file in files for n, i in received(file) if n == name}

    def collect(gene):
        for block in range(layout.n_blocks):
            shard = received(folder / f"{block}/{line_of(gene, layout.n_buckets)}.js")
            for matrix, which, text in shard["matrices"]:
                for i, (gene_id, name) in enumerate(shard["lists"][which]):
                    if gene_key(gene_id) == gene:
                        found[matrix] = (gene_id, name, *words(text)[5 * i : 5 * i + 5])

    ids = ids_of(key)
    for gene in ids or {key}:
        collect(gene)
    for name in {gene_key(hit[1]) for hit in found.values()} - ids - {key, ""}:
        if name in ids_of(name):
            collect(name)
    return found


@pytest.mark.parametrize("typed", ["GENE5", "gene5", "ENSG00000000005", "ensg00000000005.3"])
def test_every_gene_of_every_matrix_is_found(portal, typed):
    """The shards hold what the tables hold, under the symbol as well as the id."""
    found = look_up(portal, typed)
    assert len(found) == 6
    for folder, (gene_id, _, n_cells, mean, rank, *_) in found.items():
        with (portal / folder / "genes.csv").open() as file:
            row = next(r for r in csv.DictReader(file) if r["gene_id"] == gene_id)
        assert rank == int(row["rank_cell_count"])
        assert number(n_cells) == pytest.approx(int(row["n_cells_by_counts"]), rel=2e-5)
        assert number(mean) == pytest.approx(float(row["mean_counts"]), rel=2e-5)


def test_a_gene_is_found_under_all_its_names(tmp_path):
    """Whoever types one name of an id finds the matrices that have another, or the name only."""
    root, rng = tmp_path / "out", random.Random(3)
    genes = {
        "old": ("ENSG00000000001.4", "C1orf1"),
        "new": ("ENSG00000000001", "ABC1"),
        "bare": ("abc1", "abc1"),
        "none": ("ENSG00000000001", ""),
    }
    for folder, (gene_id, name) in genes.items():
        rows = gene_rows(rng, 20, 50)
        rows[3] |= {"gene_id": gene_id, "gene_name": name}
        write_matrix(root / folder, document(rng, rows, project=folder, title=folder), rows)
    build_website(LocalStore(root))
    for typed in ("C1ORF1", "Abc1", "ENSG00000000001", "ENSG00000000001.9"):
        assert set(look_up(root, typed)) == set(genes), typed
    assert set(look_up(root, "ENSG00000000004")) == set(genes)


def test_many_blocks_and_buckets_find_the_same(tmp_path, monkeypatch):
    """How genes and matrices are spread changes nothing of what is found."""
    root = make_portal(tmp_path / "out", 3, 3, 60)
    make_nasty(root)
    build_website(LocalStore(root))
    before = look_up(root, "GENE5"), look_up(root, f"{NASTY[0]} 0")
    monkeypatch.setattr("dpss.website.genes.index.MATRICES_PER_BLOCK", 3)
    monkeypatch.setattr("dpss.website.genes.index.FILE_BYTES", 100)
    build_website(LocalStore(root), changed=set(), prune=True)
    assert {p.name for p in (root / "_dpss/lookup").iterdir()} == {"4x64"}
    assert (look_up(root, "GENE5"), look_up(root, f"{NASTY[0]} 0")) == before
    assert len(before[0]) == 9 and len(before[1]) == 1


def test_the_table_in_parts_is_the_table(portal, monkeypatch):
    """The parts of a gene table together hold every gene in order."""
    monkeypatch.setattr("dpss.website.genes.tables.N_PER_PART", 25)
    folder = portal / "project-0000/matrix-0"
    (folder / "genes.0.js").unlink()
    build_website(LocalStore(portal))
    parts = [received(folder / f"genes.{n}.js") for n in range(3)]
    with (folder / "genes.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [i for part in parts for i in part["gene_id"]] == [row["gene_id"] for row in rows]
    ranks = [r for part in parts for r in part["rank_variability"]]
    assert ranks == [int(r["rank_variability"] or 0) for r in rows]
    means = [number(word) for part in parts for word in words(part["means"])]
    assert means == pytest.approx([float(r["means"]) for r in rows], rel=2e-5)


def test_what_a_run_publishes_is_what_the_site_would_make(portal):
    """Made from the summary's arrays or from genes.csv, the pages' gene files are the same."""
    folder = portal / "project-0000/matrix-0"
    table = (folder / "genes.csv").read_bytes()
    genes = read_genes(table)
    made = gene_files(genes, hashlib.sha256(table).hexdigest())
    assert made == {name: (folder / name).read_bytes() for name in made}
    assert csv_of(genes) == csv_of(read_genes(csv_of(genes)))


def test_gene_files_of_another_summary_are_made_again(portal):
    """What a program of another version left beside a new table is not taken for its own."""
    folder = portal / "project-0000/matrix-0"
    before = (folder / "genes.lookup").read_bytes()
    change(portal, "project-0000/matrix-0")
    build_website(LocalStore(portal), changed=set())
    assert (folder / "genes.lookup").read_bytes() != before


@given(st.lists(st.floats(allow_nan=True, allow_infinity=True), min_size=1, max_size=20))
def test_words_keep_five_digits(values):
    """A float comes back within 2**-16 of itself; the undefined and the infinite as such."""
    back = [number(word) for word in words(word_text(float_words(np.array(values))))]
    for value, found in zip(values, back, strict=True):
        if np.isnan(value):
            assert np.isnan(found)
        elif abs(value) < 1e38 and (abs(value) > 1e-37 or value == 0):
            assert found == pytest.approx(value, rel=2**-16)


# Python before 3.13 writes a lone carriage return without quotes, so that no reader can tell.
TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\r"))


@given(st.lists(st.tuples(TEXT, TEXT), min_size=1, max_size=5))
@settings(max_examples=30)
def test_any_names_survive_the_reading(pairs):
    """Whatever genes are called, their names come back as they were."""
    rows = gene_rows(random.Random(1), len(pairs), 10)
    for row, (gene_id, name) in zip(rows, pairs, strict=True):
        row |= {"gene_id": gene_id, "gene_name": name}
    genes = read_genes(genes_csv(rows))
    assert list(zip(genes.gene_id, genes.gene_name, strict=True)) == pairs


def test_the_plots_of_a_summary_come_back(portal):
    """What a run publishes is what the page is given: the figures' own specifications."""
    from dpss.figures.gene_plots import gene_views
    from dpss.figures.scatter_mito_vs_count import mt_vs_counts
    from dpss.website.plots import parse_plots, plots_json
    from tests.unit.figures.builder import build, simulate

    summary = build(simulate(700, 100))
    found = parse_plots(plots_json(summary))
    assert found["genes"] == {name: w.document() for name, w in gene_views(summary).items()}
    plot = found["cells"]["scatter_percentMitoGenes_vs_count"]
    expected = mt_vs_counts(summary)
    for name, value in expected.specification.document().items():
        assert plot[name] == value
    assert sum(plot["bins"]["n"]) + len(plot["dots"]["x"]) == 700
    assert sum(plot["grid"]["n"]) == 700
    assert plot["grid"]["y_edges"][0] <= summary.pct_counts_mt.values[0]
    shown = received(portal / "_dpss/plots/project-0000/matrix-0.js")
    assert shown.keys() == found["cells"].keys()
    text = (portal / "project-0000/index.html").read_text()
    (views,) = {html.unescape(v) for v in re.findall(r'data-views="([^"]*)"', text)[:1]}
    assert json.loads(views).keys() == found["genes"].keys()


@pytest.mark.parametrize(
    "counts",
    [np.zeros((5, 4)), np.eye(3), np.ones((6, 5)), np.array([[3.0, 0.0]])],
    ids=["nothing", "one gene per cell", "all alike", "one cell"],
)
def test_plots_of_odd_matrices_are_of_the_schema(counts):
    """Whatever there is to show, the document holds it, and nothing that is not JSON."""
    from dpss.website.plots import parse_plots, plots_json
    from tests.unit.figures.builder import build

    assert parse_plots(plots_json(build(counts)))["schema"] == 1


def _foreign() -> str:
    """Return a ``plots.json`` with a bin beyond its axis."""
    document = plots(random.Random(1))
    document["cells"]["scatter_genes_vs_counts"]["grid"]["x"][0] = 99
    return json.dumps(document)


FOREIGN = _foreign()


@pytest.mark.parametrize("data", ["{", "[]", '{"schema": 2}', FOREIGN])
def test_foreign_plots_are_not_shown(portal, data, caplog):
    """A plots.json that can't be read costs the interactive plots only."""
    folder = portal / "project-0000/matrix-0"
    (folder / "plots.json").write_text(data)
    relist(folder)
    build_website(LocalStore(portal), prune=True)
    assert "plots.json is not shown" in caplog.text
    assert not (portal / "_dpss/plots/project-0000/matrix-0.js").exists()


# --- Changes --------------------------------------------------------------------------------


def test_the_changes_tell_new_changed_vanished_and_failed(portal):
    """Each run's entries are of the right kind, failures with their reason."""
    text = Page((portal / "runs/index.html").read_text()).text
    assert "6 new" not in text  # words of the feed
    assert re.search(r"New\s+7 matrices", text)
    assert re.search(r"Changed\s+1 matrix", text)
    assert "is truncated" in text and "holds NaN" in text
    assert re.search(r"Vanished from the source\s+1 matrix", text)


@pytest.mark.parametrize(
    ("source", "only"),
    [("local /data", ["project-0000"]), ("local /data", ["shard 1/2"]), ("given", [])],
)
def test_a_run_of_a_part_lets_nothing_vanish(portal, source, only):
    """What a run was not asked for is not gone; what it saw can go, as the next whole run tells."""

    def report(hour, matrices, **changes):
        document = json.loads((portal / "runs/20260304T020000.000000Z.json").read_bytes())
        document |= {"started": f"2026-03-05T0{hour}:00:00+00:00", "matrices": matrices, **changes}
        (portal / f"runs/20260305T0{hour}0000.000000Z.json").write_text(json.dumps(document))
        build_website(LocalStore(portal), changed=set())
        index = json.loads((portal / "index.json").read_bytes())
        outcomes = {m["folder"]: m["outcome"] for p in index["projects"] for m in p["matrices"]}
        return outcomes, Page((portal / "runs/index.html").read_text()).text

    for path in (portal / "runs").glob("2026*.json"):
        document = json.loads(path.read_bytes()) | {"source": source}
        path.write_text(json.dumps(document))
    old = json.loads((portal / "runs/20260304T000000.000000Z.json").read_bytes())["matrices"]
    known = {m["folder"]: {**m, "status": "unchanged"} for m in old if m["matrix"] != "old"}
    first = known["project-0000/matrix-0"]
    fresh = {**first, "folder": "fresh", "project_id": "fresh", "matrix": ""}
    outcomes, text = report(0, [first, fresh], source=source, only=only)
    assert set(outcomes.values()) == {"published"}
    assert not only or f"Limited to {only[0]}" in text
    outcomes, text = report(1, list(known.values())[1:], source=source, only=[])
    gone = outcomes["project-0000/matrix-0"] == "vanished"
    assert gone == (source != "given")
    # That matrix, the new one, and what was skipped before.
    assert (re.search(r"Vanished from the source\s+3 matrices", text) is not None) == gone


def test_the_index_knows_what_is_not_current(portal):
    """A matrix whose newer version failed is shown, and said not to be current."""
    found = json.loads((portal / "index.json").read_bytes())
    jsonschema.Draft202012Validator(schema("index")).validate(found)
    matrices = {m["folder"]: m for p in found["projects"] for m in p["matrices"]}
    assert matrices["project-0000/matrix-0"]["current"] is False
    assert matrices["project-0000/matrix-0"]["outcome"] == "failed"
    assert matrices["project-0001/matrix-0"]["current"] is True
    assert {"project_id": "notes", "name": "", "outcome": "skipped", "reason": "not a matrix"} in (
        found["not_published"]
    )


def test_a_page_says_that_it_is_not_current(portal):
    """A project's page names what is wrong with the newer version, until it is mended."""
    page = portal / "project-0000/index.html"
    assert "not current" in page.read_text() and "is truncated" in page.read_text()
    report = json.loads((portal / "runs/20260304T020000.000000Z.json").read_bytes())
    for matrix in report["matrices"]:
        matrix |= {"status": "unchanged", "reason": ""}
    report["started"] = "2026-03-05T00:00:00+00:00"
    (portal / "runs/20260305T000000.000000Z.json").write_text(json.dumps(report))
    build_website(LocalStore(portal), changed=set())
    assert "not current" not in page.read_text()


def test_the_feed_is_atom(portal):
    """The feed is well-formed, with the parts that Atom (RFC 4287) demands."""
    atom = "{http://www.w3.org/2005/Atom}"
    feed = ET.fromstring((portal / "runs/feed.xml").read_bytes())
    assert feed.tag == f"{atom}feed"
    entries = feed.findall(f"{atom}entry")
    assert len(entries) == 3
    for part in (feed, *entries):
        for name in ("id", "title", "updated"):
            assert part.findtext(f"{atom}{name}")
    ids = [entry.findtext(f"{atom}id") for entry in entries]
    assert len(set(ids)) == 3


def test_a_broken_report_stops_nothing(portal, caplog):
    """A run report that can't be read is left out."""
    (portal / "runs/20260305T000000.000000Z.json").write_text("{}")
    build_website(LocalStore(portal))
    assert "left out of the changes" in caplog.text


def test_a_report_that_is_broken_at_its_end_is_left_out_from_its_start(portal):
    """What stands before the damage is not believed either."""
    report = json.loads((portal / "runs/20260304T020000.000000Z.json").read_bytes())
    before = (portal / "index.json").read_bytes()
    for matrix in report["matrices"]:
        matrix |= {"status": "failed", "reason": "of a broken report"}
    report["started"] = "2026-03-05T00:00:00+00:00"
    del report["finished"]
    (portal / "runs/20260305T000000.000000Z.json").write_text(json.dumps(report))
    build_website(LocalStore(portal))
    assert (portal / "index.json").read_bytes() == before


# --- One file, other programs, notebooks ----------------------------------------------------


def test_a_report_holds_everything_and_stays_small(portal):
    """A report has its figures inside, and leaves out those that would make it too large."""
    folder = portal / "project-0000/matrix-0"
    (folder / "knee.png").write_bytes(random.Random(0).randbytes(3_000_000))
    (folder / "knee.svg").write_bytes(random.Random(0).randbytes(3_000_000))
    relist(folder)
    build_website(LocalStore(portal))
    data = (folder / "report.html").read_bytes()
    assert len(data) < MAX_BYTES
    page = Page(data.decode())
    images = [a["src"] for tag, a in page.tags if tag == "img"]
    assert len(images) == 6 and all(src.startswith("data:image/") for src in images)
    assert "too large" in page.text
    assert not [tag for tag, _ in page.tags if tag in ("script", "link")]


@pytest.mark.slow
def test_multiqc_shows_every_matrix(portal, tmp_path):
    """MultiQC puts the matrices of a portal into one table."""
    # Beside the interpreter first: a virtual environment needn't be activated.
    program = shutil.which("multiqc", path=str(Path(sys.executable).parent)) or shutil.which(
        "multiqc"
    )
    documents = [json.loads(path.read_bytes()) for path in portal.rglob("*_mqc.json")]
    assert len(documents) == 6
    assert {d["id"] for d in documents} == {"dpss"}
    if program is None:
        pytest.skip("multiqc is not installed")
    subprocess.run(
        [program, "--quiet", "--outdir", str(tmp_path / "qc"), str(portal)], check=True, timeout=300
    )
    table = (tmp_path / "qc/multiqc_data/multiqc_dpss_table.txt").read_text()
    assert len(table.splitlines()) == 7
    heading, *lines = [line.split("\t") for line in table.splitlines()]
    (place,) = [i for i, name in enumerate(heading) if name.lower().endswith("assumed")]
    told = {line[0]: line[place] for line in lines if len(line) > place and line[place]}
    assumed = {s for d in documents for s, row in d["data"].items() if "assumed" in row}
    assert 0 < len(assumed) < 6
    assert set(told) == assumed
    assert set(told.values()) == {ASSUMED}


def test_a_summary_shows_itself_in_a_notebook(monkeypatch):
    """What a notebook shows is made of the numbers; names in it are text."""
    from dpss.website.pages import notebook

    doc = document(random.Random(1), gene_rows(random.Random(1), 30, 9), project="p", title="t")
    doc["matrix"]["layer"] = NASTY[0]
    doc["highest_expr_genes"][0]["gene_name"] = NASTY[1]
    monkeypatch.setattr(notebook, "summary_document", lambda summary, figures: doc)

    class Summary:
        title, demo = NASTY[4], True

    page = Page(notebook.summary_html(Summary()))
    assert NASTY[4] in page.text and NASTY[0] in page.text and NASTY[1] in page.text
    assert {tag for tag, _ in page.tags} & {"script", "img"} == set()


# --- Checking documents ---------------------------------------------------------------------


def _paths(value, path=()):
    yield path
    items = (
        value.items()
        if isinstance(value, dict)
        else enumerate(value)
        if isinstance(value, list)
        else ()
    )
    for key, item in items:
        yield from _paths(item, (*path, key))


DOC = document(random.Random(3), gene_rows(random.Random(3), 5, 9), project="p", title="t")
PATHS = [path for path in _paths(DOC) if path]


@pytest.mark.slow
@given(
    st.sampled_from(PATHS),
    st.sampled_from([None, True, -1, 0, 1.5, "", "x", [], {}, [1], "DELETE"]),
)
@settings(max_examples=400, deadline=None)
def test_checking_agrees_with_jsonschema(path, value):
    """What the small checker lets pass is what the schema allows, unknown properties aside."""
    changed = copy.deepcopy(DOC)
    place = changed
    for key in path[:-1]:
        place = place[key]
    if value == "DELETE":
        del place[path[-1]]
    else:
        place[path[-1]] = value
    valid = jsonschema.Draft202012Validator(schema("summary")).is_valid(changed)
    assert (fault(changed, schema("summary")) is None) == valid

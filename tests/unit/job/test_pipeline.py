"""An archive through the whole job: each matrix in it is published, and nothing stays behind."""

from __future__ import annotations

import bz2
import gzip
import json
import lzma
import shutil
import tempfile
import tracemalloc
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from dpss.catalogs.local import SheetCatalog
from dpss.cli.config import make_run_settings
from dpss.engine.settings import ReadSettings, StatSettings
from dpss.job.children.isolation import is_matrix
from dpss.job.report.outcomes import Status
from dpss.job.run import run
from dpss.storage.local import LocalStore
from dpss.website.build import build_website
from tests.unit.formats.packing import GEO_NAMES, geo_raw, table, tar, tar_gz
from tests.unit.small import counts, job_of, write_h5ad_csr

SETTINGS = make_run_settings(input="in", output="out")


@pytest.mark.slow
@pytest.mark.parametrize("pack", [tar, tar_gz])
def test_each_matrix_of_an_archive_is_published(pack, tmp_path: Path, monkeypatch) -> None:
    """A sample each, under the archive's name and its own; what is no matrix is skipped."""
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    path = tmp_path / "in" / "GSE9_RAW.tar"
    path.parent.mkdir()
    path.write_bytes(pack(geo_raw()))
    assert is_matrix(path, SETTINGS)
    job = job_of(path.parent, LocalStore(tmp_path / "out"))
    recognise = partial(is_matrix, settings=SETTINGS)
    job = replace(job, catalog=replace(job.catalog, recognise=recognise))
    report = run(job)
    status = {outcome.matrix: outcome.status for outcome in report.outcomes}
    assert status.pop("GSE9_RAW.filelist.txt") is Status.SKIPPED
    assert status == {f"GSE9_RAW.{name}": Status.PUBLISHED for name in GEO_NAMES}
    for name in GEO_NAMES:
        summary = tmp_path / "out" / "GSE9_RAW" / f"GSE9_RAW.{name}" / "summary.json"
        assert json.loads(summary.read_text())["n_cells"] == 23
    assert list((tmp_path / "temporary").iterdir()) == []
    again = run(job)
    assert {outcome.status for outcome in again.outcomes} == {Status.UNCHANGED}


def test_orientation_and_memory_reach_the_readers(tmp_path: Path) -> None:
    """A table is read as it is said to be, whatever its names say."""
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "t.csv").write_bytes(table())
    job = job_of(
        tmp_path / "in",
        LocalStore(tmp_path / "out"),
        stats=StatSettings(orientation="cells-by-genes"),
    )
    recognise = partial(is_matrix, settings=SETTINGS)
    job = replace(job, catalog=replace(job.catalog, recognise=recognise))
    (outcome,) = run(job).outcomes
    assert (outcome.n_cells, outcome.n_genes) == (17, 23)
    job = replace(job, pipeline=replace(job.pipeline, read=ReadSettings(memory_bytes=1000)))
    rds = Path(__file__).parents[1] / "formats" / "r_files" / "dgC_plain.rds"
    (tmp_path / "in" / "x.rds").write_bytes(rds.read_bytes())
    reasons = {outcome.matrix: outcome.reason for outcome in run(job).outcomes}
    assert "--memory" in reasons["x"]


@pytest.mark.slow
@pytest.mark.parametrize("pack", [bytes, gzip.compress, bz2.compress, lzma.compress])
@pytest.mark.parametrize("head", [b"X\n\0\0\0\x03", b"RDX3\nX\n\0\0\0\x03"])
def test_listing_reads_no_r_file_whole(tmp_path: Path, pack, head: bytes) -> None:
    """To list a folder takes no memory that grows with its R files, whatever packs them."""
    (tmp_path / "x.rds").write_bytes(pack(head + bytes(64 << 20)))
    tracemalloc.start()
    try:
        assert is_matrix(tmp_path / "x.rds", SETTINGS)
        assert tracemalloc.get_traced_memory()[1] < 16 << 20
    finally:
        tracemalloc.stop()


def test_a_sample_of_a_sheet_is_one_matrix(tmp_path: Path) -> None:
    """Several at its path fail it, and none is published; one of any name is the sample."""
    for place in ("two/A/m0", "two/B/m1", "one/deep/m0", "beside/m0"):
        path = tmp_path / f"{place}.h5ad"
        path.parent.mkdir(parents=True)
        write_h5ad_csr(path, counts(n_cells=9))
    (tmp_path / "beside" / "filelist.txt").write_text("a\n")
    (tmp_path / "set.tar").write_bytes(tar({"x.csv": table(), "y.csv": table()}))
    sheet = tmp_path / "samples.csv"
    lines = ("two", "one", "beside", "set.tar")
    sheet.write_text("sample,path,expected_cells\n" + "".join(f"S_{p},{p},9\n" for p in lines))
    job = job_of(tmp_path, LocalStore(tmp_path / "out"), catalog=SheetCatalog(str(sheet)))
    report = run(job)
    found = {outcome.matrix: outcome for outcome in report.outcomes}
    assert {name for name, each in found.items() if each.status is Status.PUBLISHED} == {
        "S_one", "S_beside"
    }  # fmt: skip
    for name, parts in (("S_two", "A_m0 and B_m1"), ("S_set.tar", "x and y")):
        assert found[name].status is Status.FAILED
        assert f"holds several matrices, {parts} among them" in found[name].reason
    published = sorted((tmp_path / "out" / "samples").glob("*/summary.json"))
    assert [path.parent.name for path in published] == ["S_beside", "S_one"]
    assert {json.loads(path.read_text())["n_cells_expected"] for path in published} == {9}


def test_samples_of_an_earlier_sheet_are_named(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """They stay in the output and on the page; what is not of the sheet's project is no sample."""
    sheet = tmp_path / "samples.csv"
    for i in range(13):
        write_h5ad_csr(tmp_path / f"{i}.h5ad", counts(n_cells=5, seed=i))
    told = []
    for rows in (range(3), range(3), range(1, 2), [7]):
        sheet.write_text("sample,path\n" + "".join(f"S{i},{i}.h5ad\n" for i in rows))
        caplog.clear()
        run(job_of(tmp_path, LocalStore(tmp_path / "out"), catalog=SheetCatalog(str(sheet))))
        told.append([r.message.partition(" of an")[0] + r.message.partition("pages")[2][:9]
                     for r in caplog.records if "earlier sheet" in r.message])  # fmt: skip
    assert told == [[], [], ["samples: 2 samples: S0, S2;"], ["samples: 3 samples: S0, S1,"]]


def test_a_sample_whose_folder_was_deleted_is_on_no_page(tmp_path: Path) -> None:
    """As `docs/how-to/samples.md` advises; until then the page marks it as not current."""
    sheet, out = tmp_path / "samples.csv", tmp_path / "out"
    for i in range(2):
        write_h5ad_csr(tmp_path / f"{i}.h5ad", counts(n_cells=5, seed=i))
    shown = []
    for n in (2, 1, 1):
        sheet.write_text("sample,path\n" + "".join(f"Sx{i},{i}.h5ad\n" for i in range(n)))
        run(job_of(tmp_path, LocalStore(out), catalog=SheetCatalog(str(sheet))))
        build_website(LocalStore(out))
        pages = [*out.glob("*.html"), *out.glob("samples/*.html"), *out.glob("multiqc/*")]
        texts = [page.read_text() for page in [*pages, out / "index.json"]]
        shown.append(
            (any("Sx1" in text for text in texts), any(">not current<" in t for t in texts))
        )
        if n == 1:
            shutil.rmtree(out / "samples" / "Sx1", ignore_errors=True)
    assert shown == [(True, False), (True, True), (False, False)]

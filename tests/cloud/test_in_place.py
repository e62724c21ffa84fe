"""Whole runs on matrices that lie elsewhere: read where they are, published, nothing on disk."""

from __future__ import annotations

import json
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import anndata
import pytest

from dpss.demo.files import write_h5ad_csr
from dpss.errors import CorruptMatrixError
from dpss.model import MatrixRef
from dpss.storage.download import Fetcher
from dpss.storage.http.client import Client
from dpss.storage.local import LocalFile
from dpss.storage.scratch import Scratch
from tests.cloud.portal import make_counts, matrix_bytes
from tests.servers.base import Answer, Request
from tests.servers.cellxgene import CellxgeneServer
from tests.servers.files import FileServer, serve_part
from tests.servers.moto_s3 import CREDENTIALS, MotoS3
from tests.unit.cli.test_commands import command_of, dpss, environment

NOWHERE = ("--scratch-limit", "1")
"""Nothing fits into a byte: what is published all the same was read where it is."""


def published(folder: Path) -> dict[str, bytes]:
    """Return the tables and numbers of what is published."""
    found = [*folder.rglob("genes.csv"), *folder.rglob("*.png")]
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in found}


@pytest.mark.slow
def test_a_run_over_cellxgene(tmp_path: Path) -> None:
    """Collections become projects with pages; a second run downloads nothing; a dataset whose
    number of cells is another than stated says so."""
    with CellxgeneServer() as server:
        server.add("c1", "d1", "v1", matrix_bytes("h5ad", 1), cell_count=40)
        server.add("c1", "d2", "v2", matrix_bytes("csc.h5ad", 2), cell_count=41)
        server.add("c2", "d3", "v3", matrix_bytes("h5ad", 3)[:9000], cell_count=40)
        run = ("run", "--source", "cellxgene", "--source-url", server.api, *NOWHERE)
        done = dpss(*run, "--output", tmp_path / "out")
        assert done.returncode == 1, done.stderr
        assert "v3.h5ad" in done.stderr
        documents = {
            name: json.loads((tmp_path / "out" / "c1" / name / "summary.json").read_text())
            for name in ("d1", "d2")
        }
        assert documents["d1"]["matrix"]["fingerprint"] == "dataset_version_id:v1"
        assert documents["d1"]["project"] == {"id": "c1", "title": "Collection c1"}
        assert documents["d1"]["n_cells"] == 40
        wrong = [c for c in documents["d2"]["checks"] if "41" in c["message"]]
        assert [check["status"] for check in wrong] in (["warn"], ["fail"])
        assert "checks" in documents["d1"]
        assert (tmp_path / "out" / "c1" / "index.html").exists()
        server.requests.clear()
        dpss(*run, "--output", tmp_path / "out")
        assert {r.path for r in server.requests} <= {"/curation/v1/datasets", "/v3.h5ad"}


def with_assay(data: bytes, folder: Path) -> bytes:
    """Return an h5ad whose obs has the CELLxGENE schema's column of the assay."""
    path = folder / "with.h5ad"
    path.write_bytes(data)
    adata = anndata.read_h5ad(path)
    adata.obs["assay"] = ["10x 3' v3", "Smart-seq2"] * (adata.n_obs // 2)
    adata.write_h5ad(path)
    return path.read_bytes()


@pytest.mark.slow
def test_strata_of_a_run_are_of_the_matrices_that_have_the_column(tmp_path: Path) -> None:
    """A dataset without it is summarised all the same, with a warning, and is not read again."""
    with CellxgeneServer() as server:
        server.add("c1", "d1", "v1", with_assay(matrix_bytes("h5ad", 1), tmp_path), cell_count=40)
        server.add("c1", "d2", "v2", matrix_bytes("h5ad", 2), cell_count=40, assay=["Drop-seq"])
        run = ("run", "--source", "cellxgene", "--source-url", server.api, "--by", "assay")
        done = dpss(*run, "--output", tmp_path / "out")
        assert done.returncode == 0, done.stderr
        has, lacks = (
            json.loads((tmp_path / "out" / "c1" / name / "summary.json").read_text())
            for name in ("d1", "d2")
        )
        assert [each["name"] for each in has["strata"]["strata"]] == ["10x 3' v3", "Smart-seq2"]
        assert "strata" not in lacks
        (check,) = [check for check in lacks["checks"] if check["name"] == "strata"]
        assert check["status"] == "warn"
        assert "--by assay: there is no such column" in check["message"]
        page = (tmp_path / "out" / "c1" / "index.html").read_text()
        assert 'data-sort="catalogue-1">Assay' in page
        server.requests.clear()
        assert dpss(*run, "--output", tmp_path / "out").returncode == 0
        assert {r.path for r in server.requests} == {"/curation/v1/datasets"}


KINDS = ("csc.h5ad", "loom", "mtx.zip", "csv.gz")


@pytest.mark.slow
def test_what_lies_behind_http_or_on_s3_is_as_what_lies_here(
    tmp_path: Path, s3: MotoS3, bucket: str
) -> None:
    """Every format, from S3 and from HTTP, without scratch space: the local files' bytes."""
    folder = tmp_path / "in"
    folder.mkdir()
    with FileServer() as server:
        urls = []
        for number, kind in enumerate(KINDS):
            data = matrix_bytes(kind, number)
            name = f"m{number}.{kind}"
            (folder / name).write_bytes(data)
            urls.append(server.add(f"/{name}", data))
            s3.client.put_object(Bucket=bucket, Key=f"in/{name}", Body=data)
        here = dpss("run", "--input", folder, "--output", tmp_path / "here")
        assert here.returncode == 0, here.stderr
        far = ("run", "--input", f"s3://{bucket}/in", *NOWHERE)
        done = dpss(*far, "--output", tmp_path / "s3", **s3.environment)
        assert done.returncode == 0, done.stderr
        done = dpss("summarize", *urls, "--output", tmp_path / "http")
        assert done.returncode == 0, done.stderr
        assert all("range" in request.headers for request in server.requests)
    assert len(published(tmp_path / "here")) > len(KINDS)
    assert by_project(tmp_path / "s3") == by_project(tmp_path / "here")
    assert by_project(tmp_path / "http") == by_project(tmp_path / "here")


def by_project(folder: Path) -> dict[str, bytes]:
    """Return what is published by project and file, whatever the matrix is called."""
    found = published(folder)
    return {f"{key.split('/')[0]}/{key.rpartition('/')[2]}": found[key] for key in found}


@pytest.fixture
def silent() -> Iterator[FileServer]:
    """A server, also of S3's protocol, that falls silent once a matrix is opened."""

    class Silent(FileServer):
        def answer(self, request: Request) -> Answer:
            answer = serve_part(self.files[request.path], request)
            answer.headers["Last-Modified"] = "Wed, 21 Oct 2015 07:28:00 GMT"
            if len([r for r in self.requests if r.method == "GET"]) > 3:
                answer.hang_after = 10
            return answer

    with Silent() as server:
        yield server


@pytest.mark.slow
@pytest.mark.parametrize("scheme", ["http", "s3"])
def test_sigterm_ends_a_reading_whose_server_is_silent(
    scheme: str, silent: FileServer, tmp_path: Path
) -> None:
    """A container has 30 seconds: the run ends in time, with its report."""
    write_h5ad_csr(tmp_path / "m.h5ad", make_counts(1, n_cells=4_000, n_genes=300))
    address = silent.add("/bucket/m.h5ad", (tmp_path / "m.h5ad").read_bytes())
    if scheme == "s3":
        address = "s3://bucket/m.h5ad"
    process = subprocess.Popen(
        command_of(["run", "--input", address, "--output", tmp_path / "out", "--timeout", "3600"]),
        env=environment(**CREDENTIALS, AWS_ENDPOINT_URL=silent.url),
        stderr=subprocess.DEVNULL,
    )
    deadline = time.monotonic() + 300
    while len([r for r in silent.requests if r.method == "GET"]) < 4:
        assert time.monotonic() < deadline, [r.headers for r in silent.requests]
        time.sleep(0.05)
    process.send_signal(signal.SIGTERM)
    process.wait(120)
    assert process.returncode == 128 + signal.SIGTERM
    (report,) = (tmp_path / "out" / "runs").glob("*Z.json")
    assert json.loads(report.read_text())["interrupted_by"] == "SIGTERM"


def ref_of(name: str, url: str, sha256: str) -> MatrixRef:
    """A reference whose source names a checksum, as the HCA Data Portal's do."""
    return MatrixRef("p", name, url, f"sha256:{sha256}", size_bytes=10_000)


def test_the_next_download_overlaps_the_reading(tmp_path: Path) -> None:
    """While one matrix is open the next one comes; a wrong checksum is told when it's opened."""
    good = "95b532cc4381affdff0d956e12520a04129ed49d37e154228368fe5621f0b9a2"
    with FileServer() as server, Scratch(None, tmp_path) as scratch:
        refs = [
            ref_of("a", server.add("/a", bytes(10_000)), good),
            ref_of("b", server.add("/b", bytes(10_000)), "0" * 64),
        ]
        fetcher = Fetcher(scratch, Client)
        fetcher.prefetch(refs)
        with fetcher.open(refs[0]) as source:
            assert isinstance(source, LocalFile)
            waited = threading.Event()
            while not server.asked("/b"):
                assert not waited.wait(0.01)
        with pytest.raises(CorruptMatrixError, match="sha256"), fetcher.open(refs[1]):
            pass

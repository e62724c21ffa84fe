"""Addresses as input: a prefix of a bucket as a folder is, a file behind HTTP."""

from __future__ import annotations

from pathlib import Path

import pytest

from dpss.catalogs.local import GivenCatalog, LocalCatalog, SheetCatalog
from dpss.catalogs.remote import RemoteCatalog
from dpss.errors import SettingsError, UnreachableError
from dpss.storage.s3.store import S3Store
from tests.servers.files import FileServer
from tests.unit.catalogs.local.test_folder import make
from tests.unit.catalogs.local.test_given import OUTS


def test_a_prefix_is_taken_as_a_folder_is(bucket: str) -> None:
    """Objects are projects, what lies deeper is a project's, Cell Ranger's files are one."""
    store = S3Store(bucket, "in")
    names = ("a.h5ad", "heart/b.loom", "heart/c.csv")
    tenx = [f"lung/raw/{name}" for name in ("matrix.mtx.gz", "barcodes.tsv.gz", "features.tsv.gz")]
    for name in (*names, *tenx):
        store.write(name, name.encode())
    projects = {project.id: project for project in RemoteCatalog(f"s3://{bucket}/in").projects()}
    assert list(projects) == ["a", "heart", "lung"]
    assert [ref.name for ref in projects["heart"].refs] == ["b", "c"]
    (ref,) = projects["lung"].refs
    assert (ref.name, ref.address) == ("raw", f"s3://{bucket}/in/lung/raw/")
    assert projects["a"].refs[0].fingerprint.startswith("etag:")


def put_samples(bucket: str, *folders: str) -> None:
    """Write what Cell Ranger leaves of samples, at these keys."""
    store = S3Store(bucket, "")
    for folder in folders:
        for path in OUTS:
            store.write(f"{folder}/{path}", f"{folder}/{path}".encode())


def test_samples_below_a_prefix_are_those_of_a_folder(bucket: str, tmp_path: Path) -> None:
    """The same projects and names as of a folder; matrices of a sample are read with it."""
    folders = ("lane/S01/outs", "lane/S02/outs", "lane/batch2/T01/outs")
    put_samples(bucket, *folders)
    S3Store(bucket, "").write("lane/other.h5ad", b"x")
    make(tmp_path, *(f"{folder}/{path}" for folder in folders for path in OUTS), "lane/other.h5ad")

    def found(catalog: LocalCatalog | RemoteCatalog) -> dict[str, list[str]]:
        return {each.id: [ref.name for ref in each.refs] for each in catalog.projects()}

    far = RemoteCatalog(f"s3://{bucket}/lane")
    assert found(far) == found(LocalCatalog(str(tmp_path / "lane"), lambda _: False))
    assert found(far) == {"lane": ["S01", "S02"], "batch2": ["T01"], "other": ["other"]}
    (first, _) = next(far.projects()).refs
    assert first.address == f"s3://{bucket}/lane/S01/outs/filtered_feature_bc_matrix.h5"
    assert first.companions
    assert first.companions.unfiltered.endswith("S01/outs/raw_feature_bc_matrix.h5")
    ((shown, location),) = first.companions.metrics
    assert (shown, location) == (
        "S01/outs/metrics_summary.csv", f"s3://{bucket}/lane/S01/outs/metrics_summary.csv"
    )  # fmt: skip
    S3Store(bucket, "").write("lane/S01/outs/metrics_summary.csv", b"new")
    (again, _) = next(far.projects()).refs
    assert again.fingerprint != first.fingerprint


def test_samples_on_s3_given_one_by_one(bucket: str, tmp_path: Path) -> None:
    """As folders are, each a project of its name; in a sample sheet, too."""
    put_samples(bucket, "lane/S01/outs", "lane/S02/outs")
    given = [f"s3://{bucket}/lane/S01/outs", f"s3://{bucket}/lane/S02/"]
    projects = list(GivenCatalog(given).projects())
    assert [(each.id, [ref.name for ref in each.refs]) for each in projects] == [
        ("S01", [""]), ("S02", [""])
    ]  # fmt: skip
    assert all(ref.companions and ref.peers == "given" for each in projects for ref in each.refs)
    sheet = tmp_path / "samples.csv"
    sheet.write_text(f"sample,path\nA,{given[0]}\n")
    (project,) = SheetCatalog(str(sheet)).projects()
    (ref,) = project.refs
    assert (ref.project_id, ref.name) == ("samples", "A")
    assert ref.address.endswith("S01/outs/filtered_feature_bc_matrix.h5")
    sheet.write_text(f"sample,path\nA,s3://{bucket}/lane\n")
    with pytest.raises(SettingsError, match=r"holds 2 samples \(S01, S02\)"):
        list(SheetCatalog(str(sheet)).projects())


def test_nothing_there_is_told(bucket: str) -> None:
    """An input that isn't there starts nothing."""
    with pytest.raises(UnreachableError, match="no such object"):
        list(RemoteCatalog(f"s3://{bucket}/none").projects())


def test_files_behind_http_have_no_secrets_in_their_names() -> None:
    """Id, title and published address leave the query out; it is opened with it all the same."""
    with FileServer() as server:
        server.add("/data/a.h5ad", b"12345")
        address = f"{server.url}/data/a.h5ad?X-Amz-Signature=hush"
        (project,) = GivenCatalog([address]).projects()
        (ref,) = project.refs
        assert (project.id, project.title, ref.size_bytes) == ("a", "a", 5)
        assert ref.url == f"{server.url}/data/a.h5ad"
        assert ref.address == address
        assert "hush" not in f"{project.id}{project.title}{ref.url}{ref.fingerprint}"
        (gone,) = GivenCatalog([f"{server.url}/none.h5ad"]).projects()
        assert gone.skipped[0].failed


@pytest.mark.parametrize(
    ("how", "expected"),
    [
        ({}, "etag:"),
        ({"etag": False, "modified": "Wed, 21 Oct 2015 07:28:00 GMT"}, "modified:"),
        ({"etag": False}, "sampled-sha256:"),
        ({"etag": False, "ranges": False}, "sampled-sha256:"),
        ({"etag": False, "ranges": False, "chunked": True}, "sampled-sha256:"),
    ],
)
def test_what_tells_that_a_file_has_changed(how: dict[str, object], expected: str) -> None:
    """The entity tag, else time and size, else its bytes."""
    with FileServer() as server:
        server.add("/a.h5ad", b"12345", **how)
        (project,) = GivenCatalog([f"{server.url}/a.h5ad"]).projects()
        assert project.refs[0].fingerprint.startswith(expected)


@pytest.mark.parametrize("chunked", [True, False])
def test_without_ranges_tag_and_date_every_byte_counts(chunked: bool) -> None:
    """And they are sent once for it, not once for each place that is looked at."""
    with FileServer() as server:
        marks = set()
        for changed in (0, 3_000_001, 6_000_000 - 1):
            data = bytearray(6_000_000)
            data[changed] = 1
            server.add("/a.csv", bytes(data), etag=False, ranges=False, chunked=chunked)
            (project,) = GivenCatalog([f"{server.url}/a.csv"]).projects()
            marks.add(project.refs[0].fingerprint)
        assert len(marks) == 3
        assert len(server.requests) == 6

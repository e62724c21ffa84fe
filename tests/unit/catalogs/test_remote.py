"""Addresses as input: a prefix of a bucket as a folder is, a file behind HTTP."""

from __future__ import annotations

import pytest

from dpss.catalogs.local import GivenCatalog
from dpss.catalogs.remote import RemoteCatalog
from dpss.errors import UnreachableError
from dpss.storage.s3.store import S3Store
from tests.servers.files import FileServer


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

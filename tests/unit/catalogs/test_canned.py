"""Prepared matrices in a bucket, and the list of projects to leave out."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from dpss.catalogs.canned import CannedCatalog
from dpss.catalogs.selection import BlacklistedCatalog, parse_blacklist, read_blacklist
from dpss.errors import SettingsError, UnreachableError
from dpss.storage.s3.store import S3Store
from tests.servers.moto_s3 import MotoS3

UUID = "4a95101c-9ffc-4f30-a809-f04518a23803"
PREFIX = "project-assets/project-matrices"
KEYS_OF_A_PAGE = 100


@pytest.fixture(scope="module")
def s3() -> Iterator[MotoS3]:
    """Return a server with small pages: thousands of objects take ten seconds to write."""
    with MotoS3(keys_of_a_page=KEYS_OF_A_PAGE) as server:
        yield server


def put(bucket: str, *names: str) -> str:
    store = S3Store(bucket, PREFIX)
    for name in names:
        store.write(name, name.encode())
    return store.url


def test_the_matrices_of_three_pages_are_all_found(bucket: str, s3: MotoS3) -> None:
    """A listing of three pages is complete, and in order."""
    n_matrices = 2 * KEYS_OF_A_PAGE + KEYS_OF_A_PAGE // 2
    store = S3Store(bucket, PREFIX)
    names = [f"{UUID[:-4]}{i:04d}.mtx.zip" for i in range(n_matrices)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda name: store.write(name, b"x"), names))
    assert s3.client.list_objects_v2(Bucket=bucket)["KeyCount"] == KEYS_OF_A_PAGE
    projects = list(CannedCatalog(store.url).projects())
    assert [project.id for project in projects] == [name.removesuffix(".mtx.zip") for name in names]
    assert all(len(project.refs) == 1 for project in projects)


@pytest.mark.slow
def test_names_of_2019_are_understood(bucket: str) -> None:
    """`<uuid>.mtx.zip` and `<uuid>.<species>.mtx.zip` are each the one matrix of a project."""
    url = put(bucket, f"{UUID}.homo_sapiens.mtx.zip", f"{UUID}.mus_musculus.mtx.zip", "b.mtx.zip")
    projects = list(CannedCatalog(url).projects())
    assert [project.id for project in projects] == [
        f"{UUID}.homo_sapiens",
        f"{UUID}.mus_musculus",
        "b",
    ]
    (ref,) = projects[0].refs
    assert (ref.name, ref.url) == ("", f"{url}{UUID}.homo_sapiens.mtx.zip")
    assert ref.fingerprint.startswith("etag:")
    only = CannedCatalog(url, frozenset({UUID}))
    assert len(list(only.projects())) == 2


def test_other_formats_and_other_files(bucket: str) -> None:
    """The cheapest of several formats is read; what is no matrix by its name is named."""
    url = put(bucket, "a.loom", "a.mtx.zip", "a.csv.zip", "b.h5ad", "notes.pdf", "folder/c.h5")
    projects = {project.id: project for project in CannedCatalog(url).projects()}
    assert projects["a"].refs[0].url.endswith("a.mtx.zip")
    assert len(projects["a"].skipped) == 2
    assert projects["b"].refs
    assert projects["folder_c"].refs
    assert "not a matrix" in projects["notes.pdf"].skipped[0].reason


def test_an_empty_prefix_is_told(bucket: str) -> None:
    """A prefix without anything is most likely the wrong one."""
    with pytest.raises(UnreachableError, match="there are no matrices"):
        list(CannedCatalog(f"s3://{bucket}/{PREFIX}/").projects())


def test_the_blacklist_of_the_bucket(bucket: str) -> None:
    """Who is on the list is left out, with the list's address as the reason."""
    url = put(bucket, f"{UUID}.homo_sapiens.mtx.zip", "b.mtx.zip")
    S3Store(bucket).write("blacklist", f"# too large in 2019\r\n\r\n  {UUID}  \r\n".encode())
    address = f"s3://{bucket}/blacklist"
    catalog = BlacklistedCatalog(CannedCatalog(url), read_blacklist(address), address)
    first, second = catalog.projects()
    assert first.refs == ()
    assert first.skipped[0].reason == f"on the blacklist {address}"
    assert second.refs


def test_a_blacklist_that_is_not_there_is_told(bucket: str, tmp_path: Path) -> None:
    """The message says where it was looked for, and what to name instead."""
    for address in (f"s3://{bucket}/blacklist", str(tmp_path / "none"), str(tmp_path)):
        with pytest.raises(SettingsError, match="--blacklist-file") as caught:
            read_blacklist(address)
        assert f"looked for at {address}" in str(caught.value)


@pytest.mark.parametrize("text", ["<html><body>", "a\x00b", "two words"])
def test_what_is_no_list_is_refused(tmp_path: Path, text: str) -> None:
    """A web page or a binary file is not silently taken for a list of nobody."""
    path = tmp_path / "blacklist"
    path.write_text(text)
    with pytest.raises(SettingsError, match="no list of project ids"):
        read_blacklist(str(path))


def test_lists_are_forgiving() -> None:
    """Blank lines, spaces, CRLF, comments and a byte order mark are nothing."""
    assert parse_blacklist("\n a \r\n\r\n#b\nc # d\n") == {"a", "c"}

"""The HCA Data Portal's catalog against a loopback Azul: pages, trees, rules, downloads."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from dpss.catalogs.azul import AzulCatalog, read_hit
from dpss.catalogs.azul_files import FileRules
from dpss.errors import CorruptMatrixError, FetchError, UnreachableError
from dpss.model import MatrixRef, Project
from dpss.storage.download import Fetcher
from dpss.storage.http.client import Client, RetryPolicy
from dpss.storage.scratch import Scratch
from tests.servers.azul import AzulServer, StoredFile, stored, tree
from tests.servers.base import Answer

CLIENT = Client(RetryPolicy(attempts=4, initial_backoff=0.01, max_backoff=0.02))
"""Tries again soon. Its timeouts are those of a run: a busy machine is no silent server."""
EYE = {"genusSpecies": "Homo sapiens", "organ": "eye"}
DATA = random.Random(2).randbytes(200_000)


@pytest.fixture
def azul() -> Iterator[AzulServer]:
    with AzulServer(page_size=3) as server:
        yield server


def catalog_of(azul: AzulServer, **how: object) -> AzulCatalog:
    return AzulCatalog(azul.url, client=CLIENT, **how)  # type: ignore[arg-type]


def one_project(azul: AzulServer, *files: StoredFile, **how: bool) -> Project:
    """The project of these files, all with the same strata."""
    azul.keep(*files)
    azul.add_project("p", "Title", tree(*((EYE, file) for file in files)))
    (project,) = catalog_of(azul, rules=FileRules(**how)).projects()
    return project


def names(project: Project) -> list[str]:
    return [ref.name for ref in project.refs]


def test_every_page_is_followed(azul: AzulServer) -> None:
    """Eleven projects on four pages all come, in the service's order, each once."""
    for i in range(11):
        azul.add_project(f"id-{i}", f"Title {i:02d}")
    projects = list(catalog_of(azul).projects())
    assert [project.id for project in projects] == [f"id-{i}" for i in range(11)]
    assert projects[3].title == "Title 03"
    assert len(azul.asked("^/index/projects$")) == 4


def test_the_default_catalog_is_asked_for(azul: AzulServer) -> None:
    """No catalog's name is built in; one that is given and wrong is said by the service."""
    azul.add_project("p", "Title")
    list(catalog_of(azul).projects())
    assert azul.requests[0].path == "/index/catalogs"
    assert azul.requests[1].query["catalog"] == "dcp60"
    with pytest.raises(UnreachableError, match="'dcp2' does not exist"):
        list(catalog_of(azul, catalog="dcp2").projects())


def test_only_wanted_projects_are_asked_for(azul: AzulServer) -> None:
    """`--project` becomes a filter of the service."""
    for i in range(5):
        azul.add_project(f"id-{i}", f"Title {i}")
    found = catalog_of(azul, only=frozenset({"id-1", "id-3"})).projects()
    assert [project.id for project in found] == ["id-1", "id-3"]


def test_a_file_at_several_places_is_one_with_all_strata(azul: AzulServer) -> None:
    """A file that stands at several leaves is one matrix, and keeps what each says of it."""
    file = stored("a.loom", DATA, matrixCellCount=7)
    azul.keep(file)
    azul.add_project(
        "p",
        "Title",
        tree(
            ({"organ": "eye", "genusSpecies": "Homo sapiens"}, file),
            ({"organ": "brain", "genusSpecies": "Homo sapiens"}, file),
        ),
        tree(({"libraryConstructionApproach": "10X v2"}, file)),
    )
    (project,) = catalog_of(azul).projects()
    (ref,) = project.refs
    assert ref.strata == {
        "genusSpecies": ("Homo sapiens",),
        "libraryConstructionApproach": ("10X v2",),
        "organ": ("brain", "eye"),
    }
    assert ref.fingerprint == f"sha256:{file.entry['sha256']}"
    assert (ref.name, ref.size_bytes, ref.n_cells) == ("a", len(DATA), 7)


def test_the_cheapest_format_is_read(azul: AzulServer) -> None:
    """Of csv, loom and mtx of one analysis the mtx is read; the others say why they aren't."""
    files = [stored(f"a.{kind}", DATA) for kind in ("csv.zip", "loom", "mtx.zip")]
    project = one_project(azul, *files, stored("b.loom", DATA))
    assert names(project) == ["a.mtx.zip", "b"]
    reasons = {entry.name: entry.reason for entry in project.skipped}
    assert reasons.keys() == {"a.csv.zip", "a.loom"}
    assert "the same matrix is read from a.mtx.zip" in reasons["a.loom"]
    everything = next(iter(catalog_of(azul, rules=FileRules(all_files=True)).projects()))
    assert names(everything) == ["a.csv.zip", "a.loom", "a.mtx.zip", "b"]


def test_other_sources_and_strata_are_other_matrices(azul: AzulServer) -> None:
    """Files of one name by different makers or of different organs are all read."""
    first, second = stored("a.loom", DATA), stored("a.mtx.zip", DATA, fileSource="GEO")
    third = stored("a.csv", DATA)
    azul.keep(first, second, third)
    azul.add_project("p", "T", tree((EYE, first), (EYE, second), ({"organ": "skin"}, third)))
    (project,) = catalog_of(azul).projects()
    assert names(project) == ["a.csv", "a.loom", "a.mtx.zip"]


def test_what_can_not_be_had_is_skipped_with_its_reason(azul: AzulServer) -> None:
    """Phantoms and intermediate files are left out and named; the others are read."""
    files = (
        stored("good.loom", DATA),
        stored("phantom.loom", DATA, drs_uri=None),
        stored("half.loom", DATA, isIntermediate=True),
    )
    project = one_project(azul, *files)
    assert names(project) == ["good"]
    reasons = {entry.name: entry.reason for entry in project.skipped}
    assert "no download" in reasons["phantom"]
    assert "--include-intermediate" in reasons["half"]
    assert not any(entry.failed for entry in project.skipped)
    more = next(iter(catalog_of(azul, rules=FileRules(include_intermediate=True)).projects()))
    assert names(more) == ["good", "half"]


def test_managed_access_is_said(azul: AzulServer) -> None:
    """A project that needs a login has no matrix to read and one reason for each file."""
    azul.add_project("p", "Title", tree((EYE, stored("a.loom", DATA))), accessible=False)
    (project,) = catalog_of(azul).projects()
    assert project.refs == ()
    assert "managed access" in project.skipped[0].reason


def test_a_broken_entry_stops_no_other(azul: AzulServer) -> None:
    """Entries that make no sense become failures with their reason; the next one comes."""
    azul.add_project("before", "Title", tree((EYE, stored("a.loom", DATA))))
    azul.projects.append({"projects": []})
    azul.add_project("cut", "Title", {"genusSpecies": {"Homo sapiens": "?"}})
    nameless = stored("b.loom", DATA)
    del nameless.entry["name"]
    azul.add_project("nameless", "Title", tree((EYE, nameless)))
    azul.add_project("after", "Title", tree((EYE, stored("c.loom", DATA))))
    projects = list(catalog_of(azul).projects())
    assert [len(project.refs) for project in projects] == [1, 0, 0, 0, 1]
    assert all(entry.failed for project in projects[1:4] for entry in project.skipped)
    assert all(len(project.skipped) == 1 for project in projects[1:4])


def test_a_list_that_breaks_off_is_no_end(azul: AzulServer) -> None:
    """When a later page can't be had, what came before is there and the break is raised."""
    for i in range(7):
        azul.add_project(f"id-{i}", f"Title {i}")
    projects = catalog_of(azul).projects()
    first = [next(projects) for _ in range(3)]
    azul.faults = [Answer(500)] * 50
    with pytest.raises(UnreachableError, match="500"):
        next(projects)
    assert len(first) == 3


def test_pages_that_go_round_end(azul: AzulServer) -> None:
    """A service whose pages lead back to the first is not followed for ever."""
    azul.add_project("p", "Title")
    page = {"hits": azul.projects, "pagination": {"next": ""}}
    catalog = catalog_of(azul)
    projects = catalog.projects()
    first = f"{azul.url}/index/projects?" + "catalog=dcp60&size=100&sort=projectTitle&order=asc"
    page["pagination"] = {"next": first}
    body = json.dumps(page).encode()
    azul.faults = [Answer(200, b'{"default_catalog": "dcp60"}'), Answer(200, body)]
    next(projects)
    with pytest.raises(UnreachableError, match="circle"):
        next(projects)


def fetch(azul: AzulServer, tmp_path: Path) -> bytes:
    """Download the first matrix of the first project as a run does."""
    (project,) = catalog_of(azul).projects()
    with (
        Scratch(parent=tmp_path) as scratch,
        Fetcher(scratch, lambda: CLIENT).open(project.refs[0]) as source,
    ):
        return source.read_range(0, 1 << 30)  # type: ignore[union-attr]


def downloadable(azul: AzulServer, **how: object) -> StoredFile:
    file = stored("a.h5ad", DATA, **how)
    azul.keep(file)
    azul.add_project("p", "Title", tree((EYE, file)))
    return file


def test_redirects_are_followed_with_their_waits(azul: AzulServer, tmp_path: Path) -> None:
    """301 back to the service until it's ready, then 302 to the storage."""
    downloadable(azul, waits=3, retry_after="0")
    assert fetch(azul, tmp_path) == DATA
    asked = azul.asked("^/repository/files/")
    assert [request.query.get("requestIndex") for request in asked[:4]] == [None, "1", "2", "3"]


@pytest.mark.slow
def test_a_signed_address_that_expires_is_asked_for_again(azul: AzulServer, tmp_path: Path) -> None:
    """A download that outlives its signed address begins again at the service, where it was."""
    file = downloadable(azul)
    for status in (403, 400):
        azul.expired_status = status
        azul.lifetime = 2
        file.faults = [Answer(cut_after=70_000), Answer(cut_after=50_000)]
        assert fetch(azul, tmp_path) == DATA
    assert len(azul.asked("^/repository/files/")) > 2


def test_a_wrong_checksum_is_tried_once_more_and_told(azul: AzulServer, tmp_path: Path) -> None:
    """A file that isn't what its sha256 promises is fetched twice, then named."""
    downloadable(azul, sha256="0" * 64)
    with pytest.raises(CorruptMatrixError, match="sha256"):
        fetch(azul, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_download_that_is_gone_is_told(azul: AzulServer, tmp_path: Path) -> None:
    """A file that is listed and then not found is named with its address, without signatures."""
    downloadable(azul, missing=True)
    with pytest.raises(FetchError, match=r"/repository/files/.*is not there"):
        fetch(azul, tmp_path)


def test_no_signature_is_ever_shown(azul: AzulServer, tmp_path: Path) -> None:
    """When the storage fails, the message has no signature in it."""
    file = downloadable(azul)
    file.faults = [Answer(404)] * 50
    with pytest.raises(FetchError) as caught:
        fetch(azul, tmp_path)
    assert "hush" not in str(caught.value)
    assert "Signature" not in str(caught.value)


def test_a_real_answer_is_understood(real_data: Path) -> None:
    """The trees of a real project give its looms, its mtx and its contributed files."""
    path = real_data / "azul_matrices_tree.json"
    if not path.exists():
        pytest.skip(f"no {path.name}")
    project = read_hit(json.loads(path.read_text()), 0, FileRules())
    assert project.id == "8185730f-4113-40d3-9cc3-929271784c2b"
    assert not any(entry.failed for entry in project.skipped)
    read = {ref.name: ref for ref in project.refs}
    assert any(name.endswith("homo_sapiens.mtx.zip") for name in read)
    assert not any(name.endswith((".csv.zip", "homo_sapiens.loom")) for name in read)
    assert "wong-retina-human-eye-10XV2" in read
    assert not read["WongRetinaCelltype"].certain
    assert all(
        isinstance(ref, MatrixRef) and ref.strata["organ"] == ("eye",) for ref in read.values()
    )

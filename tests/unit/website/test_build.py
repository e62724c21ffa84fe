"""The pages of a published folder."""

from __future__ import annotations

import json
import re
import shutil
from collections import Counter
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import jsonschema
import pytest

from dpss.storage.local import LocalStore
from dpss.website.build import build_website
from dpss.website.schemas import schema
from tests.unit.website.portal import NASTY, make_nasty, make_portal, make_runs


class Page(HTMLParser):
    """Collects what a browser would act upon."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data):
        self.text += data

    def addresses(self) -> list[str]:
        return [v for _, a in self.tags for k in ("href", "src") if (v := a.get(k))]


def pages(root: Path) -> dict[str, Page]:
    return {
        path.relative_to(root).as_posix(): Page(path.read_text("utf-8"))
        for path in root.rglob("*.html")
    }


def files(root: Path) -> dict[str, bytes]:
    return {p.relative_to(root).as_posix(): p.read_bytes() for p in root.rglob("*") if p.is_file()}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a published folder without pages, which no test changes."""
    return make_portal(tmp_path_factory.mktemp("made") / "out")


@pytest.fixture
def portal(made: Path, tmp_path: Path) -> Path:
    """Return a copy of `made`, files' times included."""
    return Path(shutil.copytree(made, tmp_path / "out"))


def test_documents_of_the_tests_follow_the_schema(portal):
    """What these tests build pages from is what a run publishes."""
    for path in portal.rglob("summary.json"):
        jsonschema.Draft202012Validator(schema("summary")).validate(json.loads(path.read_bytes()))


@pytest.mark.slow
def test_summaries_of_earlier_versions_have_the_same_pages(portal):
    """A summary without ``reading``, as published before, is shown as one that decided nothing."""
    for path in portal.rglob("summary.json"):
        earlier = json.loads(path.read_bytes())
        path.write_bytes(json.dumps(earlier | {"reading": []}).encode())
    build_website(LocalStore(portal))
    now = {name: page.text for name, page in pages(portal).items()}
    n_read = len(json.loads((portal / "index.json").read_bytes())["projects"])
    for path in portal.rglob("summary.json"):
        earlier = json.loads(path.read_bytes())
        del earlier["reading"]
        assert not jsonschema.Draft202012Validator(schema("summary")).is_valid(earlier)
        path.write_bytes(json.dumps(earlier).encode())
    build_website(LocalStore(portal))
    index = json.loads((portal / "index.json").read_bytes())
    assert (len(index["projects"]), index["unreadable"]) == (n_read, [])
    assert {name: page.text for name, page in pages(portal).items()} == now


def test_every_project_has_a_page_and_the_index_names_it(portal):
    """Each project is on the first page and has a page of its own."""
    written = build_website(LocalStore(portal))
    assert {"index.html", "index.json", "project-0001/index.html"} <= set(written)
    index = pages(portal)["index.html"]
    for number in range(3):
        assert f"project-{number:04d}/index.html" in index.addresses()
    titles = {
        project["title"] for project in json.loads((portal / "index.json").read_bytes())["projects"]
    }
    assert all(title in index.text for title in titles)


def test_assumptions_stand_above_the_numbers_of_their_matrix_only(portal):
    """Each with what changes it; a matrix whose file tells everything has none."""
    build_website(LocalStore(portal))
    boxes = set()
    for page in sorted(portal.glob("*/index.html")):
        for article in page.read_text().split("<article")[1:]:
            box = article.partition('<dl class="numbers">')[0].count('class="assumed"')
            assert box == article.count('class="assumed"') <= 1
            assert article.count("</code> changes it.") == box
            boxes.add(box)
    assert boxes == {0, 1}


def test_the_first_page_marks_projects_with_assumptions(portal):
    """In words, with topics and how many matrices; projects without any have no mark."""
    build_website(LocalStore(portal))
    page = (portal / "index.html").read_text()
    index = json.loads((portal / "index.json").read_bytes())
    seen = set()
    for project in index["projects"]:
        (row,) = [each for each in page.split("<tr>") if f'href="{project["path"]}' in each]
        marked = sum(bool(matrix["assumed"]) for matrix in project["matrices"])
        mark = re.search(r'<span class="assumption">(.*)</span>', row)
        seen.add(marked > 0)
        assert (mark is not None) == (marked > 0)
        if mark:
            text = re.sub("<[^>]*>", "", mark[1]).partition("Figures")[0]
            assert text == f"assumed orientation in {marked} of 2"
    assert seen == {False, True}
    rows = (portal / "_dpss/projects.js").read_text()
    assert '["orientation"]' in rows
    assert '["nothing"]' in rows


def test_index_json_follows_its_schema(portal):
    """Other programs can rely on index.json."""
    make_nasty(portal)
    (portal / "broken").mkdir()
    (portal / "broken/summary.json").write_text("{")
    build_website(LocalStore(portal))
    document = json.loads((portal / "index.json").read_bytes())
    validator = jsonschema.Draft202012Validator(schema("index"))
    jsonschema.Draft202012Validator.check_schema(schema("index"))
    jsonschema.Draft202012Validator.check_schema(schema("summary"))
    validator.validate(document)
    assert document["totals"]["n_projects"] == 4
    for project in document["projects"]:
        for matrix in project["matrices"]:
            assert (portal / unquote(matrix["path"]) / "summary.json").is_file()


def test_every_local_address_leads_to_a_file(portal):
    """No page links to what is not there, and none to elsewhere but where data came from."""
    make_nasty(portal)
    build_website(LocalStore(portal))
    check_addresses(portal)


def check_addresses(portal):
    for name, page in pages(portal).items():
        for address in page.addresses():
            parts = urlsplit(address)
            if parts.scheme:
                assert parts.scheme in ("http", "https", "data"), address
                continue
            if parts.path:
                assert (portal / name).parent.joinpath(unquote(parts.path)).is_file(), (
                    name,
                    address,
                )


def test_texts_from_outside_are_never_markup(portal):
    """Titles, genes, captions, strata and settings are shown as they are."""
    make_nasty(portal)
    build_website(LocalStore(portal))
    everything = ""
    for page in pages(portal).values():
        everything += page.text
        for tag, attributes in page.tags:
            assert not any(name.startswith("on") for name in attributes)
            assert tag != "script" or attributes.get("src") or attributes.get("type")
            assert attributes.get("src") != "x"
        assert not any(a.startswith("javascript:") for a in page.addresses())
    for text in NASTY:
        assert text in everything


def test_pages_forbid_everything_but_their_own_files(portal):
    """Each page has a strict Content-Security-Policy."""
    build_website(LocalStore(portal))
    for page in pages(portal).values():
        policies = [
            a["content"] for t, a in page.tags if a.get("http-equiv") == "Content-Security-Policy"
        ]
        assert len(policies) == 1
        assert "default-src 'none'" in policies[0] and "unsafe" not in policies[0]


def test_building_twice_writes_nothing(portal):
    """What is there with the same bytes is left alone."""
    build_website(LocalStore(portal))
    before = files(portal)
    assert build_website(LocalStore(portal)) == []
    assert files(portal) == before


class Cut(LocalStore):
    """A folder that loses power at some file; counts what is read of each folder."""

    def __init__(self, root: Path, cut_at: str = "?") -> None:
        super().__init__(root)
        self.cut_at = cut_at
        self.reads: Counter[str] = Counter()

    def read(self, key: str) -> bytes:
        if key.endswith(".png"):
            self.reads[key.partition("/")[0]] += 1
        return super().read(key)

    def write(self, key: str, data: bytes) -> None:
        if key == self.cut_at:
            raise KeyboardInterrupt
        super().write(key, data)


@pytest.mark.slow
@pytest.mark.parametrize("cut_at", ["project-0005/index.html", "genes.html", "_dpss/pages.json"])
def test_a_build_that_is_cut_is_continued(tmp_path, monkeypatch, cut_at):
    """Pages are made in batches, each with an index of what has pages: after a cut the next
    build makes those of the last batch again at most, and ends where an uncut one ends."""
    monkeypatch.setattr("dpss.website.build.BATCH", 2)
    root, uncut = make_portal(tmp_path / "a", 7), make_portal(tmp_path / "b", 7)
    with pytest.raises(KeyboardInterrupt):
        build_website(Cut(root, cut_at), changed=set())
    n_first = {"project-0005/index.html": 4, "genes.html": 2, "_dpss/pages.json": 0}[cut_at]
    if cut_at == "project-0005/index.html":
        index = json.loads((root / "index.json").read_bytes())
        assert [p["title"] != "" for p in index["projects"]] == [True] * n_first
        assert "project-0003/index.html" in Page((root / "index.html").read_text()).addresses()
    store = Cut(root)
    build_website(store, changed=set())
    assert set(store.reads) == {f"project-{n:04d}" for n in range(n_first, 7)}
    build_website(LocalStore(uncut))
    assert files(root) == files(uncut)


@pytest.mark.slow
@pytest.mark.parametrize("n_before", [0, 1, 3])
def test_without_time_there_is_an_index_all_the_same(tmp_path, n_before):
    """A build that has no time writes the index of all that is published, whose links lead
    somewhere; the next build completes the pages."""
    root, uncut = tmp_path / "a", make_portal(tmp_path / "b", 3)
    if n_before:
        build_website(LocalStore(make_portal(root, n_before)))
    make_portal(root, 3)
    store = Cut(root)
    build_website(store, changed=set(), seconds=0)
    assert not store.reads, "no figure is read"
    assert json.loads((root / "index.json").read_bytes())["totals"]["n_projects"] == 3
    check_addresses(root)
    build_website(LocalStore(root), changed=set())
    build_website(LocalStore(uncut))
    assert files(root) == files(uncut)


@pytest.mark.slow
def test_the_same_documents_give_the_same_pages(tmp_path):
    """Pages are stable byte for byte, however they came to be."""
    whole, grown = make_portal(tmp_path / "a"), make_portal(tmp_path / "b", n_projects=2)
    build_website(LocalStore(whole))
    build_website(LocalStore(grown))
    make_portal(grown)
    build_website(LocalStore(grown))
    assert files(whole) == files(grown)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"{", "is not JSON"),
        (b"[]", "is no summary"),
        (b'{"schema": 99}', "is no summary"),
        (b"\xff\xfe", "is not JSON"),
        (b"[" * 100_000, "is not JSON"),
        (b'{"schema": NaN}', "is not JSON"),
    ],
)
def test_a_broken_document_stops_no_other(portal, data, reason, caplog):
    """A foreign summary.json is named, and the rest is shown."""
    (portal / "broken").mkdir()
    (portal / "broken/summary.json").write_bytes(data)
    build_website(LocalStore(portal))
    document = json.loads((portal / "index.json").read_bytes())
    assert document["totals"]["n_projects"] == 3
    assert [item["path"] for item in document["unreadable"]] == ["broken/summary.json"]
    assert reason in document["unreadable"][0]["reason"]
    assert "broken/summary.json" in caplog.text
    assert "broken/summary.json" in pages(portal)["index.html"].text


def test_an_empty_output_has_a_page(tmp_path):
    """Nothing published yet is no error."""
    build_website(LocalStore(tmp_path / "out"))
    assert "Nothing is published here yet" in (tmp_path / "out/index.html").read_text()


def test_a_changed_matrix_shows_its_numbers_before_and_after(tmp_path: Path) -> None:
    """From the reports of the runs; of new ones, and where a report has no numbers, nothing."""
    root = make_portal(tmp_path / "out", 2, 2, 20, figures=False)
    make_runs(root)
    build_website(LocalStore(root))
    page = (root / "runs" / "index.html").read_text()
    assert page.count('class="before"') == 1
    shown = re.search(r'<span class="before">(.*?)</span>\s*</li>', page, re.DOTALL)[1]
    words = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", "", shown)).strip()
    assert words.startswith("cells 1,200 → 1,315 genes 300 genes per cell 81")
    assert "mitochondrial – → 7.2" in words
    assert "cautions 0 → 2 failed checks 0" in words
    assert shown.count('class="differs"') == 3

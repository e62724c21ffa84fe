"""Pages of the last runs."""

from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ET

import jsonschema
import pytest

from dpss.storage.local import LocalStore
from dpss.website.build import build_website
from dpss.website.schemas import schema
from tests.unit.website.test_build import Page

# --- Changes --------------------------------------------------------------------------------


def test_the_changes_tell_new_changed_vanished_and_failed(portal):
    """Each run's entries are of the right kind, failures with their reason."""
    text = Page((portal / "runs/index.html").read_text()).text
    assert "6 new" not in text  # words of the feed
    assert re.search(r"New\s+7 matrices", text)
    assert re.search(r"Changed\s+1 matrix", text)
    assert "is truncated" in text and "holds NaN" in text
    assert re.search(r"Vanished from the source\s+1 matrix", text)


@pytest.mark.slow
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


@pytest.mark.parametrize("text", ["{}", "[" * 200_000, "counts", "seconds", "numbers"])
def test_a_broken_report_stops_nothing(portal, caplog, text):
    """A run report that can't be read, or holds a number beyond all others, is left out."""
    report = json.loads((portal / "runs/20260304T020000.000000Z.json").read_bytes())
    if text == "counts":
        text = json.dumps({**report, "counts": {"published": "TOO LARGE"}})
    elif text == "seconds":
        text = json.dumps({**report, "seconds": "TOO LARGE"})
    elif text == "numbers":
        matrices = [{**each, "numbers": {"n_cells": "TOO LARGE"}} for each in report["matrices"]]
        text = json.dumps({**report, "matrices": matrices})
    text = text.replace('"TOO LARGE"', "1e999")
    (portal / "runs/20260305T000000.000000Z.json").write_text(text)
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

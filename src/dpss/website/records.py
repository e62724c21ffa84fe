"""Records of the published projects with their matrices, read from a store."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from dpss.errors import ReplacedError
from dpss.storage.base import Store
from dpss.summary.comparison import NUMBERS
from dpss.summary.manifest import Manifest, first_mismatch, parse_manifest, sha256_of
from dpss.summary.policy import describe_policy, parse_judgements
from dpss.summary.verdict import LAST, first_sentence
from dpss.website.documents import ADDED, LATER, QUANTILES, parse_summary

log = logging.getLogger(__name__)

SUMMARY = "summary.json"
N_READERS = 8
"""Documents read at once: on a bucket a round trip takes longer than the reading."""

SPECIES = ("species", "organism", "genusspecies", "donororganism")
ORGAN = ("organ", "tissue", "modelorgan", "specimenorgan", "tissuetype")
TECHNOLOGY = (
    "technology",
    "assay",
    "chemistry",
    "libraryconstructionapproach",
    "libraryconstructionmethod",
    "libraryconstruction",
)

STATUSES = ("pass", "warn", "fail", "not measured")
"""Statuses of checks."""

HEADER = tuple(name for name in NUMBERS if name not in LATER)
"""The header numbers of a matrix that summaries of all versions have, by their names there."""


@dataclass(frozen=True)
class MatrixRecord:
    """The small part of one ``summary.json`` that pages of many matrices show."""

    folder: str
    """Key of the matrix's folder, without a slash at the end: ``project`` or ``project/matrix``."""
    project_id: str
    project_title: str
    name: str
    url: str
    format: str
    layer: str
    fingerprint: str
    strata: Mapping[str, tuple[str, ...]]
    simulated: bool
    values: str
    numbers: Mapping[str, Any]
    """Header numbers by the names of `HEADER`."""
    spreads: tuple[tuple[float, ...] | None, ...]
    """Quantiles (5, 25, 50, 75, 95 %) of each of `QUANTILES`; ``None`` where there are none."""
    checks: Mapping[str, int]
    """Number of checks with each of `STATUSES`."""
    policy: str
    """Worst status by the policy; empty without one."""
    assumed: tuple[str, ...]
    """Sentences on the assumptions about the file that change numbers."""
    assumed_topics: tuple[str, ...]
    """Topics of these sentences, each once: ``orientation``, ``log base``, ..."""
    figures: tuple[str, ...]
    """Slugs of the figures whose files are listed."""
    genes: tuple[tuple[str, str], ...]
    """Name and id of the best genes of the three lists."""
    version: str
    sha256: str
    """Checksum of the document, in hexadecimal."""
    files: Manifest
    """Size and checksum of every other file of the publication, by name."""
    cautions: tuple[str, ...] = ()
    """First sentences of the checks that fail or warn, but for those on assumptions."""
    peers: str = ""
    """Name of the group that its medians are compared with; empty for its project."""
    n_cells_expected: int | None = None
    """Number of cells that was expected; ``None`` where none is stated."""

    @property
    def project_folder(self) -> str:
        """Key of the project's folder."""
        return self.folder.partition("/")[0]

    @property
    def path(self) -> str:
        """Address of its folder from the top page, percent-encoded, ending with a slash."""
        return quoted_path(self.folder) + "/"

    @property
    def label(self) -> str:
        """The matrix's name beside its project's title."""
        return self.name or self.folder.partition("/")[2] or self.project_title

    def terms(self, names: tuple[str, ...]) -> tuple[str, ...]:
        """Return the distinct values of the strata with these names."""
        found: dict[str, None] = {}
        for key, values in self.strata.items():
            if "".join(filter(str.isalnum, key)).lower() in names:
                found.update(dict.fromkeys(value for value in values if value))
        return tuple(found)


@dataclass(frozen=True)
class ProjectRecord:
    """A project and its published matrices."""

    folder: str
    id: str
    title: str
    matrices: tuple[MatrixRecord, ...]

    @property
    def path(self) -> str:
        """Address of its folder from the top page, percent-encoded, ending with a slash."""
        return quoted_path(self.folder) + "/"


@dataclass(frozen=True)
class Unreadable:
    """A summary that can't be shown, or whose matrix is being replaced."""

    key: str
    reason: str


def quoted_path(key: str) -> str:
    """Return a key as the path of an address, with every part percent-encoded.

    >>> quoted_path('a b/50%/"x"')
    'a%20b/50%25/%22x%22'
    """
    return "/".join(quote(part, safe="") for part in key.split("/"))


def summary_keys(keys: Iterable[str]) -> list[str]:
    """Return the keys that are summaries: ``<project>[/<matrix>]/summary.json``."""
    return [
        key
        for key in keys
        if key.endswith("/" + SUMMARY)
        and key.count("/") <= 2
        and not key.startswith(("_dpss/", "runs/"))
    ]


def read_records(
    store: Store, sizes: Mapping[str, int]
) -> tuple[list[MatrixRecord], list[Unreadable]]:
    """Read every summary; an unreadable one is returned as `Unreadable`.

    Args:
        store: The output with the summaries.
        sizes: Size in bytes of every file of the store, by key.
    """
    records: list[MatrixRecord] = []
    unreadable: list[Unreadable] = []
    with ThreadPoolExecutor(N_READERS) as pool:
        for found in pool.map(lambda key: _read_record(store, key, sizes), summary_keys(sizes)):
            if isinstance(found, MatrixRecord):
                records.append(found)
            else:
                log.warning("%s is left out of the pages: %s", found.key, found.reason)
                unreadable.append(found)
    return records, unreadable


def read_again(store: Store, record: MatrixRecord) -> dict[str, Any]:
    """Return the document of a record, which was checked before.

    Raises:
        ReplacedError: The document has changed meanwhile.
        FileNotFoundError: The document was deleted meanwhile.
    """
    data = store.read(f"{record.folder}/{SUMMARY}")
    if sha256_of(data) != record.sha256:
        raise ReplacedError(f"{SUMMARY} is a new one")
    return {**ADDED, **json.loads(data)}


def group_projects(records: Iterable[MatrixRecord]) -> list[ProjectRecord]:
    """Return the projects in order of their folders, each with its matrices in order."""
    folders: dict[str, list[MatrixRecord]] = {}
    for record in sorted(records, key=lambda record: record.folder):
        folders.setdefault(record.project_folder, []).append(record)
    return list(_projects(folders))


def _projects(folders: Mapping[str, list[MatrixRecord]]) -> Iterator[ProjectRecord]:
    for folder, matrices in sorted(folders.items()):
        first = matrices[0]
        title = first.project_title or first.project_id or folder
        yield ProjectRecord(folder, first.project_id, title, tuple(matrices))


def _read_record(store: Store, key: str, sizes: Mapping[str, int]) -> MatrixRecord | Unreadable:
    try:
        data = store.read(key)
        record = record_of(key.removesuffix("/" + SUMMARY), parse_summary(data), data)
        problem = first_mismatch(record.files, record.folder, sizes)
        if problem:
            raise ReplacedError(problem)
        return record
    except (OSError, ValueError) as error:
        return Unreadable(key, str(error))


def record_of(folder: str, document: Mapping[str, Any], data: bytes) -> MatrixRecord:
    """Return the record of a document.

    Args:
        folder: Key of the document's folder.
        document: Result of `parse_summary`.
        data: The document's bytes.
    """
    project, matrix = document["project"], document["matrix"]
    statuses = [check["status"] for check in document["checks"]]
    files = parse_manifest(document["files"])
    return MatrixRecord(
        folder=folder,
        project_id=project["id"],
        project_title=project["title"],
        name=matrix["name"],
        url=matrix["url"],
        format=matrix["format"],
        layer=matrix["layer"],
        fingerprint=matrix["fingerprint"],
        strata={key: tuple(values) for key, values in matrix["strata"].items()},
        simulated=document["simulated"],
        values=document["values"],
        numbers={name: document[name] for name in HEADER}
        | {name: document.get(name) for name in LATER},
        spreads=tuple(
            None
            if (found := document["quantiles"][name]) is None
            else tuple(found[f"p{q}"] for q in (5, 25, 50, 75, 95))
            for name in QUANTILES
        ),
        checks={status: statuses.count(status) for status in STATUSES},
        policy=describe_policy(parse_judgements(document))[0],
        assumed=tuple(
            check["message"]
            for check in document["checks"]
            if check["name"] == "assumptions" and check["status"] != "pass"
        ),
        assumed_topics=tuple(
            dict.fromkeys(
                each["topic"].replace("_", " ")
                for each in document["reading"]
                if each["certainty"] == "assumed" and each["changes_numbers"]
            )
        ),
        figures=tuple(
            f["slug"]
            for f in document["figures"]
            if f["left_out"] is None
            and all(f"{f['slug']}.{ending}" in files for ending in ("png", "svg"))
        ),
        genes=tuple(
            (document[name][0]["gene_name"], document[name][0]["gene_id"])
            for name in ("highest_expr_genes", "highly_variable_genes", "genes_by_cell_count")
            if document[name]
        ),
        version=document["provenance"]["version"],
        sha256=sha256_of(data),
        files=files,
        cautions=tuple(
            first_sentence(check["message"])
            for check in sorted(document["checks"], key=lambda check: check["status"])
            if check["status"] in ("fail", "warn") and check["name"] != LAST
        ),
        peers=matrix.get("peers", ""),
        n_cells_expected=document.get("n_cells_expected"),
    )

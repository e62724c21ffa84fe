"""CZ CELLxGENE Discover: a collection is a project, each of its datasets a matrix."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from dpss.catalogs.addresses import check_addresses
from dpss.errors import RequestError, UnreachableError
from dpss.model import MatrixRef, Project, Skipped
from dpss.storage.http import Client
from dpss.storage.names import safe_name
from dpss.storage.redaction import redact_url

CELLXGENE_URL = "https://api.cellxgene.cziscience.com/curation/v1"

_STRATA = {
    "organism": "organism",
    "tissue": "tissue",
    "assay": "assay",
    "disease": "disease",
    "development_stage": "developmentStage",
    "suspension_type": "suspensionType",
}
"""Names of strata by the field of a dataset that holds their values."""


@dataclass(frozen=True)
class CellxgeneCatalog:
    """All public collections with their datasets."""

    url: str = CELLXGENE_URL
    """Address of the curation API, without a ``/`` at its end."""
    only: frozenset[str] = frozenset()
    """Ids of the wanted collections; empty for all."""
    client: Client = field(default_factory=Client)

    @property
    def name(self) -> str:
        """Name of the source with the address of the service."""
        return f"cellxgene {redact_url(self.url)}"

    def projects(self) -> Iterator[Project]:
        """Yield every collection, in the order of their ids.

        Raises:
            UnreachableError: The service can't be reached, at the start or later.
        """
        try:
            if self.only:
                yield from self._collections()
            else:
                yield from self._all()
        except RequestError as error:
            raise UnreachableError(str(error)) from error

    def _all(self) -> Iterator[Project]:
        """Yield all collections, from one list of all datasets."""
        address = f"{self.url}/datasets"
        datasets = self.client.get_json(address)
        if not isinstance(datasets, list):
            raise RequestError(f"{redact_url(address)}: not a list of datasets")
        collections: dict[str, list[Any]] = {}
        for number, dataset in enumerate(datasets):
            known = isinstance(dataset, dict) and isinstance(dataset.get("collection_id"), str)
            key = dataset["collection_id"] if known else f"entry-{number + 1}"
            collections.setdefault(key, []).append(dataset)
        for key, group in sorted(collections.items()):
            titles = (item.get("collection_name") for item in group if isinstance(item, dict))
            found = read_collection(key, next(filter(None, titles), key), group)
            yield check_addresses(found, self.url)

    def _collections(self) -> Iterator[Project]:
        """Yield the wanted collections, with one request for each."""
        for key in sorted(self.only):
            address = f"{self.url}/collections/{quote(key, safe='')}"
            try:
                collection = self.client.get_json(address)
            except RequestError as error:
                if error.status in (400, 404):
                    continue
                raise
            if not isinstance(collection, dict) or not isinstance(collection.get("datasets"), list):
                raise RequestError(f"{redact_url(address)}: not a collection")
            found = read_collection(key, collection.get("name") or key, collection["datasets"])
            yield check_addresses(found, self.url)


def read_collection(key: str, title: str, datasets: list[Any]) -> Project:
    """Return a collection as a project; a malformed dataset becomes a skipped entry."""
    project_id = safe_name(key)
    refs: list[MatrixRef] = []
    skipped: list[Skipped] = []
    for number, dataset in enumerate(datasets):
        try:
            found = read_dataset(project_id, dataset)
        except (KeyError, TypeError, AttributeError, ValueError) as error:
            reason = f"entry {number + 1}: can't be understood ({type(error).__name__}: {error})"
            found = Skipped(f"entry-{number + 1}", reason, failed=True)
        if isinstance(found, MatrixRef):
            refs.append(found)
        else:
            skipped.append(found)
    return Project(
        project_id,
        " ".join(str(title).split()),
        tuple(sorted(refs, key=lambda ref: ref.name)),
        tuple(skipped),
    )


def read_dataset(project_id: str, dataset: Mapping[str, Any]) -> MatrixRef | Skipped:
    """Return the reference to a dataset's matrix, or a skipped entry.

    The dataset's id, which does not change with the title, is the matrix's name.

    Raises:
        KeyError: The dataset lacks a field.
        TypeError: A field has another type.
    """
    name = safe_name(str(dataset["dataset_id"]))
    version = str(dataset["dataset_version_id"])
    title = str(dataset.get("title") or name)
    assets = [asset for asset in dataset.get("assets") or [] if asset.get("filetype") == "H5AD"]
    if not assets:
        status = dataset.get("processing_status")
        more = f" (processing: {status})" if status not in (None, "SUCCESS") else ""
        return Skipped(name, f"{title}: there is no H5AD file of it{more}")
    url = str(assets[0]["url"])
    size, n_cells = assets[0].get("filesize"), dataset.get("cell_count")
    return MatrixRef(
        project_id=project_id,
        name=name,
        url=redact_url(url),
        fingerprint=f"dataset_version_id:{version}",
        location=url,
        size_bytes=int(size) if isinstance(size, (int, float)) and size > 0 else None,
        n_cells=n_cells if isinstance(n_cells, int) and n_cells > 0 else None,
        strata={"title": (title,), **_strata(dataset)},
    )


def _strata(dataset: Mapping[str, Any]) -> dict[str, tuple[str, ...]]:
    found = {}
    for field_name, stratum in _STRATA.items():
        values = dataset.get(field_name) or []
        labels = {str(item["label"] if isinstance(item, dict) else item) for item in values}
        if labels:
            found[stratum] = tuple(sorted(labels))
    return found

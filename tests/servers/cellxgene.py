"""CZ CELLxGENE Discover's curation API and its datasets, on loopback."""

from __future__ import annotations

from typing import Any

from tests.servers.base import Answer, Request, Server, json_answer
from tests.servers.files import File, serve_part


class CellxgeneServer(Server):
    """The API and the files on one port."""

    def __init__(self) -> None:
        self.datasets: list[dict[str, Any]] = []
        self.files: dict[str, bytes] = {}
        super().__init__()

    def add(
        self, collection: str, dataset: str, version: str, data: bytes, **fields: Any
    ) -> dict[str, Any]:
        self.files[f"/{version}.h5ad"] = data
        entry = {
            "collection_id": collection,
            "collection_name": f"Collection {collection}",
            "dataset_id": dataset,
            "dataset_version_id": version,
            "title": f"Dataset {dataset}",
            "cell_count": 100,
            "organism": [{"label": "Homo sapiens", "ontology_term_id": "NCBITaxon:9606"}],
            "tissue": [{"label": "lung", "ontology_term_id": "UBERON:0002048"}],
            "assay": [{"label": "10x 3' v3", "ontology_term_id": "EFO:0009922"}],
            "suspension_type": ["cell"],
            "processing_status": "SUCCESS",
            "assets": [
                {"filesize": 7, "filetype": "RDS", "url": f"{self.url}/{version}.rds"},
                {"filesize": len(data), "filetype": "H5AD", "url": f"{self.url}/{version}.h5ad"},
            ],
            **fields,
        }
        self.datasets.append(entry)
        return entry

    @property
    def api(self) -> str:
        return f"{self.url}/curation/v1"

    def answer(self, request: Request) -> Answer:
        path = request.path
        if path in self.files:
            return serve_part(File(self.files[path]), request)
        if path == "/curation/v1/datasets":
            return json_answer(self.datasets)
        if path.startswith("/curation/v1/collections/"):
            return self._collection(path.rpartition("/")[2])
        return Answer(404)

    def _collection(self, key: str) -> Answer:
        found = [entry for entry in self.datasets if entry.get("collection_id") == key]
        if not found:
            return json_answer({"detail": "Collection not found"}, 404)
        hidden = ("collection_id", "collection_name")
        datasets = [{k: v for k, v in entry.items() if k not in hidden} for entry in found]
        name = found[0]["collection_name"]
        return json_answer({"collection_id": key, "name": name, "datasets": datasets})

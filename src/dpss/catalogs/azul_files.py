"""Files of a project in Azul's trees of strata, and the choice of files."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from dpss.catalogs.selection import cheapest
from dpss.formats.endings import is_sure, names_of_files, stem_of
from dpss.model import MatrixRef, Skipped
from dpss.storage.redaction import redact_url

TREES = ("matrices", "contributedAnalyses")

Path = tuple[tuple[str, str], ...]
"""Position of a file in a tree: pairs of dimension and value, from the root."""


@dataclass(frozen=True)
class FileRules:
    """Rules that choose the files of a project to read."""

    include_intermediate: bool = False
    """Whether intermediate files are also read."""
    all_files: bool = False
    """Whether every format of a matrix is read, not only the cheapest."""


@dataclass
class AzulFile:
    """A file with all its positions in the trees."""

    uuid: str
    name: str
    url: str
    """Address for the download; empty without one."""
    sha256: str
    version: str
    source: str
    """The file's producer, such as ``DCP/1 Matrix Service``."""
    size_bytes: int | None
    n_cells: int | None
    intermediate: bool
    accessible: bool
    strata: dict[str, list[str]] = field(default_factory=dict)
    """Values of all positions by dimension."""

    @property
    def fingerprint(self) -> str:
        """Fingerprint of the file: its checksum, or its id and version."""
        return f"sha256:{self.sha256}" if self.sha256 else f"uuid:{self.uuid}@{self.version}"

    def frozen_strata(self) -> dict[str, tuple[str, ...]]:
        """Return the values by dimension, both sorted."""
        return {key: tuple(sorted(values)) for key, values in sorted(self.strata.items())}


def find_files(project: Mapping[str, Any]) -> list[AzulFile]:
    """Return all files of a project's trees without repetition, sorted by name.

    Raises:
        KeyError: A file lacks a field.
        TypeError: A tree has another structure.
    """
    found: dict[str, AzulFile] = {}
    for tree in TREES:
        for path, entry in walk(project.get(tree) or {}):
            file = found.setdefault(str(entry["uuid"]), read_file(entry))
            for dimension, value in path:
                values = file.strata.setdefault(dimension, [])
                if value not in values:
                    values.append(value)
    return sorted(found.values(), key=lambda file: (file.name, file.uuid))


def walk(tree: Any, path: Path = ()) -> Iterator[tuple[Path, Mapping[str, Any]]]:
    """Yield every file of a tree with its position: dimensions and values.

    Raises:
        TypeError: The tree has another structure.
    """
    if isinstance(tree, list):
        for entry in tree:
            if not isinstance(entry, dict):
                raise TypeError("a file that is no object")
            yield path, entry
        return
    if not isinstance(tree, dict):
        raise TypeError("neither a branch nor a list of files")
    for dimension, branches in tree.items():
        if not isinstance(branches, dict):
            raise TypeError("a dimension without values")
        for value, branch in branches.items():
            yield from walk(branch, (*path, (dimension, value)))


def read_file(entry: Mapping[str, Any]) -> AzulFile:
    """Return a file from its description.

    Raises:
        KeyError: The description lacks a required field.
    """
    n_cells = entry.get("matrixCellCount")
    size = entry.get("size")
    # The service can't give a file without a `drs_uri`.
    url = entry.get("url") if entry.get("drs_uri") else None
    return AzulFile(
        uuid=str(entry["uuid"]),
        name=str(entry["name"]),
        url=url or "",
        sha256=str(entry.get("sha256") or "").lower(),
        version=str(entry.get("version") or ""),
        source=str(entry.get("fileSource") or ""),
        size_bytes=size if isinstance(size, int) else None,
        n_cells=n_cells if isinstance(n_cells, int) and n_cells > 0 else None,
        intermediate=bool(entry.get("isIntermediate")),
        accessible=entry.get("accessible") is not False,
    )


def select_files(
    project_id: str, files: list[AzulFile], rules: FileRules
) -> tuple[list[MatrixRef], list[Skipped]]:
    """Return references to the files to read, and skipped entries for the others.

    The name of a matrix does not depend on the rules: skipped files have names, too.
    """
    names = names_of_files([file.name for file in files])
    kept: list[tuple[str, AzulFile]] = []
    skipped = []
    for name, file in zip(names, files, strict=True):
        reason = _why_not(file, rules)
        if reason:
            skipped.append(Skipped(name, f"{file.name}: {reason}"))
        else:
            kept.append((name, file))
    chosen = {} if rules.all_files else _choose_formats([file for _, file in kept])
    refs = []
    for name, file in kept:
        best = chosen.get(file.uuid, file)
        if best is file:
            refs.append(_ref(project_id, name, file))
        else:
            reason = f"the same matrix is read from {best.name}; --all-files reads it, too"
            skipped.append(Skipped(name, f"{file.name}: {reason}"))
    return refs, skipped


def _why_not(file: AzulFile, rules: FileRules) -> str:
    if not file.accessible:
        return "managed access: it can't be had without a login"
    if not file.url:
        return "listed, but there is no download of it"
    if file.intermediate and not rules.include_intermediate:
        return "an intermediate file; --include-intermediate reads it, too"
    return ""


def _choose_formats(files: list[AzulFile]) -> dict[str, AzulFile]:
    """Return, by the uuid of each file, the file that is read instead of it."""
    groups: dict[tuple[object, ...], list[AzulFile]] = {}
    for file in files:
        strata = tuple(file.frozen_strata().items())
        groups.setdefault((stem_of(file.name), file.source, strata), []).append(file)
    chosen: dict[str, AzulFile] = {}
    for group in groups.values():
        names = [file.name for file in group]
        # Two files of the same name are two matrices.
        if len(set(names)) == len(names):
            best = group[names.index(cheapest(names))]
            chosen |= {file.uuid: best for file in group}
    return chosen


def _ref(project_id: str, name: str, file: AzulFile) -> MatrixRef:
    return MatrixRef(
        project_id=project_id,
        name=name,
        url=redact_url(file.url),
        fingerprint=file.fingerprint,
        location=file.url,
        size_bytes=file.size_bytes,
        n_cells=file.n_cells,
        certain=is_sure(file.name),
        strata=file.frozen_strata(),
    )

"""Matrices of the local file system: those of a folder, or single files by name."""

from __future__ import annotations

import glob
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from dpss.errors import UnreachableError
from dpss.formats.endings import is_of_matrix_folder, is_sure, names_of_files, stem_of
from dpss.model import MatrixRef, Project, Skipped
from dpss.storage.fingerprint import fingerprint
from dpss.storage.local import last_modified
from dpss.storage.locations import Source, local_path, open_source
from dpss.storage.names import unique_names
from dpss.storage.redaction import redact_url

OTHER_SUFFIXES = (
    *(".css", ".docx", ".gif", ".htm", ".html", ".jpeg", ".jpg", ".js", ".json", ".log", ".md"),
    *(".pdf", ".png", ".py", ".r", ".rst", ".sh", ".svg", ".toml", ".xlsx", ".xml", ".yaml"),
    ".yml",
)
"""Endings of files that are never matrices; their content is not read."""

_NOT_A_MATRIX = "not a matrix in a format that this program reads"

Recognise = Callable[[Path], bool]
"""Function that returns, by the file's content, whether it is a matrix."""


@dataclass(frozen=True)
class LocalCatalog:
    """A folder, a file or a glob.

    Each matrix file directly in the folder is a project of its own, named after the
    file. A sub-folder is a project with each matrix below it, unless it is a matrix
    itself (Cell Ranger's three files, zarr).
    """

    input: str
    """A folder, a file or a glob pattern."""
    recognise: Recognise
    """Called where a file's name does not show whether it is a matrix."""
    exclude: Path | None = None
    """Folder that is left out: the output, which may lie within the input."""

    @property
    def name(self) -> str:
        """Name of the source with its input."""
        return f"local {self.input}"

    def projects(self) -> Iterator[Project]:
        """Yield every project.

        Raises:
            UnreachableError: There is no such folder or file, or nothing matches the pattern.
        """
        entries = [path for path in self._entries() if self._is_input(path)]
        names = names_of_files([path.name for path in entries])
        for path, name in zip(entries, names, strict=True):
            if path.is_dir() and not is_matrix_folder(path):
                yield self._project(path, name)
            else:
                yield self._single(path, name)

    def _entries(self) -> list[Path]:
        path = local_path(self.input) or Path(self.input)
        try:
            if path.is_dir() and not is_matrix_folder(path):
                return sorted(path.iterdir())
        except OSError as error:
            raise UnreachableError(f"{path}: can't be read ({error.strerror})") from error
        if path.exists():
            return [path]
        found = sorted(Path(match) for match in glob.glob(self.input, recursive=True))  # noqa: PTH207
        if not found:
            raise UnreachableError(f"--input {self.input}: there is no such file or folder")
        return found

    def _is_input(self, path: Path) -> bool:
        hidden = path.name.startswith(".")
        return not hidden and (self.exclude is None or path.resolve() != self.exclude.resolve())

    def _single(self, path: Path, name: str) -> Project:
        title = stem_of(path.name)
        if not self._is_matrix(path):
            return Project(name, title, skipped=(Skipped(name, f"{path.name}: {_NOT_A_MATRIX}"),))
        try:
            return Project(name, title, (make_ref(name, name, path.name, path),))
        except OSError as error:
            return Project(name, title, skipped=(_unreadable(name, path, error),))

    def _project(self, folder: Path, project: str) -> Project:
        """Return a folder's project with all matrices below it."""
        refs: list[MatrixRef] = []
        skipped: list[Skipped] = []
        found = list(self._walk(folder, skipped))
        texts = [path.relative_to(folder).as_posix() for path in found]
        for path, text, name in zip(found, texts, names_of_files(texts), strict=True):
            if not self._is_matrix(path):
                skipped.append(Skipped(name, f"{folder.name}/{text}: {_NOT_A_MATRIX}"))
                continue
            try:
                refs.append(make_ref(project, name, f"{folder.name}/{text}", path))
            except OSError as error:
                skipped.append(_unreadable(name, path, error))
        if not found and not skipped:
            skipped.append(Skipped(project, f"{folder.name}: an empty folder"))
        return Project(project, folder.name, tuple(refs), tuple(skipped))

    def _walk(self, folder: Path, skipped: list[Skipped]) -> Iterator[Path]:
        """Yield the files and matrix folders below a folder, in order."""

        def note(error: OSError) -> None:
            path = Path(error.filename or folder)
            skipped.append(_unreadable(path.name, path, error))

        for root, folders, files in os.walk(folder, onerror=note):
            here = Path(root)
            folders[:] = sorted(name for name in folders if self._is_input(here / name))
            matrices = [name for name in folders if is_matrix_folder(here / name)]
            folders[:] = [name for name in folders if name not in matrices]
            yield from (here / name for name in matrices)
            yield from (here / name for name in sorted(files) if self._is_input(here / name))

    def _is_matrix(self, path: Path) -> bool:
        name = path.name.lower()
        if path.is_dir() or is_sure(name):
            return True
        return not name.endswith(OTHER_SUFFIXES) and self.recognise(path)


@dataclass(frozen=True)
class GivenCatalog:
    """Matrices given one by one; each is the only matrix of its project."""

    addresses: Sequence[str]
    """Paths or addresses."""

    @property
    def name(self) -> str:
        """The addresses as they were given."""
        return "given"

    def projects(self) -> Iterator[Project]:
        """Yield a project for each address, in order.

        Raises:
            UnreachableError: There is no such file.
        """
        lasts = [redact_url(address).rstrip("/").rpartition("/")[2] for address in self.addresses]
        # `resolve` gives `.` and `..` a name.
        lasts = [
            Path(address).resolve().name if last in ("", ".", "..") else last
            for address, last in zip(self.addresses, lasts, strict=True)
        ]
        same = len(set(lasts)) < len(lasts)
        names = unique_names(map(stem_of, lasts)) if same else names_of_files(lasts)
        for address, last, name in zip(self.addresses, lasts, names, strict=True):
            path = local_path(address)
            if path is None:
                from dpss.catalogs.remote import one_project

                yield one_project(address, open_source(address), name)
                continue
            open_source(address)
            yield Project(name, stem_of(last), (make_ref(name, "", last, path),))


def is_matrix_folder(path: Path) -> bool:
    """Return whether a folder is one matrix, by its names: Cell Ranger's files or zarr."""
    if not path.is_dir():
        return False
    return any(is_of_matrix_folder(child.name) and child.is_file() for child in path.iterdir())


def make_ref(project: str, name: str, shown: str, path: Path) -> MatrixRef:
    """Return the reference to a local file or folder.

    Args:
        project: The project's id.
        name: The matrix's name within it.
        shown: Address that is published.
        path: Path of the file or folder.

    Raises:
        OSError: The file or folder can't be read.
    """
    source = open_source(str(path))
    return MatrixRef(
        project_id=project,
        name=name,
        url=shown,
        fingerprint=fingerprint(source),
        location=str(path),
        modified=last_modified(path),
        size_bytes=size_of(source),
    )


def size_of(source: Source) -> int | None:
    """Return the size of a file, or of all files of a folder; ``None`` where not known."""
    blobs = source.blobs().values() if hasattr(source, "blobs") else (source,)
    sizes = [blob.size_bytes for blob in blobs]
    return None if None in sizes else sum(size or 0 for size in sizes)


def _unreadable(name: str, path: Path, error: OSError) -> Skipped:
    return Skipped(name, f"{path}: can't be read ({error.strerror or error})")

"""Matrices of a folder, a file or a glob of the local file system."""

from __future__ import annotations

import glob
import logging
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from dpss.catalogs.local.references import is_matrix_folder, make_ref, make_sample_ref
from dpss.catalogs.pipelines.entries import skip_combined
from dpss.catalogs.pipelines.samples import FolderContents, PipelineSample, find_samples, name_in
from dpss.errors import UnreachableError, plural
from dpss.formats.endings import is_sure, names_of_files, stem_of
from dpss.formats.side_files import side_file_of
from dpss.model import MatrixRef, Project, Skipped
from dpss.storage.locations import local_path
from dpss.storage.names import unique_names

log = logging.getLogger(__name__)

OTHER_SUFFIXES = (
    *(".css", ".docx", ".gif", ".htm", ".html", ".jpeg", ".jpg", ".js", ".json", ".log", ".md"),
    *(".pdf", ".png", ".py", ".r", ".rst", ".sh", ".svg", ".toml", ".xlsx", ".xml", ".yaml"),
    ".yml",
)
"""Endings of files that are no matrices; their content is not read."""

_NOT_A_MATRIX = "not a matrix in a format that this program reads"

Recognise = Callable[[Path], bool]
"""Function that returns whether a file is a matrix by its content."""


@dataclass(frozen=True)
class _InputEntry:
    """A file or folder directly in the input, with the files and matrices below it."""

    path: Path
    project: str
    """Id of its project."""
    found: Mapping[str, Path]
    """Files and matrix folders by their path relative to the input."""
    skipped: tuple[Skipped, ...] = ()
    """Folders below it that can't be read."""

    @property
    def is_folder(self) -> bool:
        """Whether it is a folder of matrices."""
        return list(self.found.values()) != [self.path]


@dataclass(frozen=True)
class LocalCatalog:
    """A folder, a file or a glob.

    Each matrix file directly in the folder is its own project, named after the file. A sub-folder
    is a project of all matrices below it, unless it is one matrix (Cell Ranger's three files, zarr)
    or a sample of a pipeline. Such samples form one project, named after the input.
    """

    input: str
    """A folder, a file or a glob pattern."""
    recognise: Recognise
    """Called if a file's name does not tell whether it is a matrix."""
    exclude: Path | None = None
    """Folder to leave out: the output, which may be within the input."""

    @property
    def name(self) -> str:
        """Name of the source with its input."""
        return f"local {self.input}"

    def projects(self) -> Iterator[Project]:
        """Yield every project.

        Raises:
            UnreachableError: There is no such folder or file, or nothing matches the pattern.
        """
        paths = [path for path in self._entries() if self._is_input(path)]
        base = _base_of(local_path(self.input) or Path(self.input), paths)
        here = name_in(base.resolve().parts) or "samples"
        *names, together = names_of_files([*(path.name for path in paths), here])
        entries = [self._entry(path, name, base) for path, name in zip(paths, names, strict=True)]
        found = {text: path for entry in entries for text, path in entry.found.items()}
        contents = find_samples(sorted(found), _sure(found))
        if len(contents.samples) > 1:
            n_twice = sum(bool(sample.same) for sample in contents.samples)
            twice = f"; {n_twice} of them in two formats, of which one is read" if n_twice else ""
            log.info("%s%s", plural(len(contents.samples), "sample"), twice)
        tops = [sample for sample in contents.samples if not sample.parent]
        if tops:
            named = [sample.name or here for sample in tops]
            refs, skipped = _sample_refs(together, unique_names(named), tops, found)
            skipped += skip_combined(contents, found, "")
            yield Project(together, here, tuple(refs), tuple(skipped))
        for entry in entries:
            yield from self._projects_of(entry, contents)

    def _projects_of(self, entry: _InputEntry, contents: FolderContents) -> Iterator[Project]:
        """Yield the project of an entry, unless samples of the input have it all."""
        left = frozenset(contents.others)
        others = {text: path for text, path in entry.found.items() if text in left}
        samples = [
            sample for sample in contents.samples if sample.parent and sample.path in entry.found
        ]
        if not others and not samples and entry.found:
            if entry.skipped:
                yield Project(entry.project, entry.path.name, skipped=entry.skipped)
        elif entry.is_folder:
            yield self._project(entry, samples, others, contents)
        else:
            yield self._single(entry.path, entry.project)

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

    def _entry(self, path: Path, project: str, base: Path) -> _InputEntry:
        """Return an entry of the input with the files and matrices below it."""
        skipped: list[Skipped] = []
        try:
            is_one = not path.is_dir() or is_matrix_folder(path)
        except OSError as error:
            return _InputEntry(path, project, {}, (_unreadable(project, path, error),))
        found = [path] if is_one else self._walk(path, skipped)
        texts = {each.relative_to(base).as_posix(): each for each in found}
        return _InputEntry(path, project, texts, tuple(skipped))

    def _is_input(self, path: Path) -> bool:
        return not path.name.startswith(".") and not self._is_excluded(path)

    def _is_excluded(self, path: Path) -> bool:
        try:
            return self.exclude is not None and path.samefile(self.exclude)
        except OSError:
            # One of them does not exist, or is a link in a circle.
            return False

    def _single(self, path: Path, name: str) -> Project:
        title = stem_of(path.name)
        if why := self._why_not(path, path.name):
            return Project(name, title, skipped=(Skipped(name, why),))
        try:
            return Project(name, title, (make_ref(name, name, path.name, path),))
        except OSError as error:
            return Project(name, title, skipped=(_unreadable(name, path, error),))

    def _project(
        self,
        entry: _InputEntry,
        samples: Sequence[PipelineSample],
        others: Mapping[str, Path],
        contents: FolderContents,
    ) -> Project:
        """Return the project of a folder: its samples and other matrices."""
        folder, project = entry.path, entry.project
        texts = [path.relative_to(folder).as_posix() for path in others.values()]
        names = unique_names([*(sample.name for sample in samples), *names_of_files(texts)])
        refs, skipped = _sample_refs(project, names[: len(samples)], samples, entry.found)
        skipped += [*entry.skipped, *skip_combined(contents, entry.found, project)]
        rest = zip(others.values(), texts, names[len(samples) :], strict=True)
        for path, text, name in rest:
            if why := self._why_not(path, f"{folder.name}/{text}"):
                skipped.append(Skipped(name, why))
                continue
            try:
                refs.append(make_ref(project, name, f"{folder.name}/{text}", path))
            except OSError as error:
                skipped.append(_unreadable(name, path, error))
        if not refs and not skipped:
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
            matrices = [name for name in folders if _is_readable_matrix(here / name)]
            folders[:] = [name for name in folders if name not in matrices]
            yield from (here / name for name in matrices)
            yield from (here / name for name in sorted(files) if self._is_input(here / name))

    def _why_not(self, path: Path, shown: str) -> str:
        """Return the reason why a file is no matrix; empty for a matrix."""
        name = path.name.lower()
        if path.is_dir():
            return ""
        if is_sure(name):
            what = side_file_of(shown)
            return f"{shown}: {what}" if what else ""
        if not name.endswith(OTHER_SUFFIXES) and self.recognise(path):
            return ""
        return f"{shown}: {_NOT_A_MATRIX}"


def _is_readable_matrix(folder: Path) -> bool:
    try:
        return is_matrix_folder(folder)
    except OSError:
        # `os.walk` reports a folder that can't be read.
        return False


def _base_of(given: Path, entries: Sequence[Path]) -> Path:
    """Return the folder that contains all entries of an input."""
    if given.is_dir() and not is_matrix_folder(given):
        return given
    parents = [str(path.parent) for path in entries]
    return Path(os.path.commonpath(parents)) if parents else Path()


def _sure(found: Mapping[str, Path]) -> frozenset[str]:
    """Return the paths that are matrices by their names."""
    return frozenset(text for text, path in found.items() if is_sure(path.name) or path.is_dir())


def _sample_refs(
    project: str,
    names: Sequence[str],
    samples: Sequence[PipelineSample],
    places: Mapping[str, Path],
) -> tuple[list[MatrixRef], list[Skipped]]:
    """Return the references to the matrices of samples, and skipped entries."""
    refs: list[MatrixRef] = []
    skipped: list[Skipped] = []
    for sample, name in zip(samples, names, strict=True):
        for other in sample.same:
            log.debug("%s: is read from %s; %s is the same matrix", name, sample.path, other)
        try:
            refs.append(make_sample_ref(project, name, sample, places))
        except OSError as error:
            skipped.append(_unreadable(name, places[sample.path], error))
    return refs, skipped


def _unreadable(name: str, path: Path, error: OSError) -> Skipped:
    return Skipped(name, f"{path}: can't be read ({error.strerror or error})")

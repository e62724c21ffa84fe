"""Matrices given one by one, as files, folders or addresses."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from dpss.catalogs.local.folder import LocalCatalog
from dpss.catalogs.local.references import (
    check_extent,
    is_matrix_folder,
    make_ref,
    make_sample_ref,
)
from dpss.catalogs.pipelines.samples import PipelineSample, find_samples, name_in
from dpss.errors import MatrixError, plural
from dpss.formats.endings import names_of_files, stem_of
from dpss.model import MatrixRef, Project
from dpss.storage.locations import Source, local_path, open_source
from dpss.storage.names import unique_names
from dpss.storage.redaction import redact_url

GIVEN = "given"
"""Name of the group of all matrices that are given one by one."""
_DEPTH = 5
"""Number of parts of a path from which a matrix's sample is derived."""
_BESIDE = re.compile(r"report|raw|(counts|DGE)_(un)?filtered")
"""Names of folders beside a sample's matrix with other files of the sample."""
_OWN = re.compile(
    r"(.*/)?(outs|[^/]*Solo\.out|alevin|counts_(un)?filtered|DGE_(un)?filtered)(/.*)?"
)
"""Paths that only pipelines write."""


@dataclass(frozen=True)
class _Given:
    """An address, with the sample or the matrices that it leads to."""

    address: str
    last: str
    """Last part of its address."""
    sample: PipelineSample | None = None
    """The matrix's sample, with paths relative to ``base``."""
    base: Path = Path()
    below: tuple[MatrixRef, ...] = ()
    """The matrices below a folder, if one of them is of a pipeline's sample."""

    @property
    def key(self) -> tuple[str, str] | None:
        """Folder and name of the sample, the same for its matrices in all formats."""
        if self.sample is None:
            return None
        return str(self.base / self.sample.folder), self.sample.name


@dataclass(frozen=True)
class GivenCatalog:
    """Matrices given one by one; each is the only matrix of its project.

    They are compared with each other. A folder with samples of a pipeline is a project of these
    samples. Several matrices of one sample (two formats, filtered and raw) are one.
    """

    addresses: Sequence[str]
    """Paths or addresses."""

    @property
    def name(self) -> str:
        """Name of the source."""
        return "given"

    def projects(self) -> Iterator[Project]:
        """Yield a project for each address, in order.

        Raises:
            UnreachableError: There is no such file.
        """
        projects = list(self._projects())
        alone = sum(not ref.name for project in projects for ref in project.refs)
        for project in projects:
            refs = tuple(
                replace(ref, peers=GIVEN) if alone > 1 and not ref.name else ref
                for ref in project.refs
            )
            yield replace(project, refs=refs)

    def _projects(self) -> Iterator[Project]:
        for address in self.addresses:
            open_source(address)
        given = _without_repeats([_look_up(address) for address in self.addresses])
        for each, name in zip(given, _names(given), strict=True):
            path = local_path(each.address)
            if path is None:
                yield _remote(each.address, name)
            elif path.is_dir() and not is_matrix_folder(path):
                yield _folder(path, each, name)
            elif each.sample is not None:
                ref = _sample_ref(name, each.sample, each.base)
                yield Project(name, stem_of(name), (replace(ref, name="", url=each.last),))
            else:
                yield Project(name, stem_of(each.last), (make_ref(name, "", each.last, path),))


def ref_of(address: str, project: str, name: str) -> MatrixRef:
    """Return the reference to the one sample at an address.

    Args:
        address: Path or address of a file, a folder that is a matrix, or a sample's folder.
        project: The project's id.
        name: The sample's name within it.

    Raises:
        UnreachableError: There is no such file.
        MatrixError: The address can't be reached.
        ValueError: The folder has several samples, or too many files.
        OSError: A file can't be read.
    """
    source = open_source(address)
    path = local_path(address)
    if path is None:
        from dpss.catalogs.remote import make_remote_ref

        refs = _samples_at(source)
        if not refs:
            return make_remote_ref(project, name, address, source)
    else:
        is_folder = path.is_dir() and not is_matrix_folder(path)
        if is_folder:
            check_extent(path)
        refs = _samples_below(path) if is_folder else []
    if len(refs) > 1:
        found = ", ".join(ref.name for ref in refs[:3]) + (", …" if len(refs) > 3 else "")
        raise ValueError(
            f"{address}: holds {plural(len(refs), 'sample')} ({found}); choose one of them"
        )
    if refs or path is None:
        return replace(refs[0], project_id=project, name=name)
    given = _look_up(address)
    if given.sample is None:
        return make_ref(project, name, given.last, path)
    ref = _sample_ref(project, given.sample, given.base)
    return replace(ref, name=name, url=given.last)


def _look_up(address: str) -> _Given:
    """Return an address with the sample or the matrices that it leads to."""
    last = redact_url(address).rstrip("/").rpartition("/")[2]
    # `resolve` gives `.` and `..` a name.
    last = Path(address).resolve().name if last in ("", ".", "..") else last
    path = local_path(address)
    if path is None and not name_in([last]):
        # A sample's folder on S3, `s3://bucket/S01/outs`.
        last = name_in(redact_url(address).split("/")[2:]) or last
    if path is None:
        return _Given(address, last)
    if path.is_dir() and not is_matrix_folder(path):
        below = tuple(_samples_below(path))
        if len(below) == 1 and not name_in([last]):
            # A sample's folder, `S01/outs`.
            last = name_in(path.resolve().parts) or last
        return _Given(address, last, below=below)
    path = Path(*path.absolute().parts)
    base = path.parents[min(_DEPTH, len(path.parents)) - 1]
    own = path.relative_to(base).as_posix()
    alone = find_samples([own], {own}).samples
    if not alone:
        return _Given(address, last)
    found = {own: path, **_beside(path, base)}
    for sample in find_samples(sorted(found), found.keys()).samples:
        if own in (sample.path, *sample.same):
            same = tuple(text for text in (sample.path, *sample.same) if text != own)
            return _Given(address, last, replace(sample, path=own, same=same), base)
        if own == sample.unfiltered:
            raw = replace(sample, path=own, same=(), unfiltered="")
            return _Given(address, last, raw, base)
    # The unfiltered matrix in another format than the one that belongs to the filtered matrix.
    return _Given(address, last, alone[0], base)


def _beside(path: Path, base: Path) -> dict[str, Path]:
    """Return the files and matrix folders near a matrix by their paths below the base."""
    found = {}
    folders = [folder for folder in (path.parent, path.parent.parent) if folder != base.parent]
    for folder in folders:
        for child in _children(folder):
            inside = _children(child) if _BESIDE.fullmatch(child.name) else []
            for each in (child, *inside):
                if each.is_file() or is_matrix_folder(each):
                    found[each.relative_to(base).as_posix()] = each
    return found


def _children(folder: Path) -> list[Path]:
    try:
        return sorted(folder.iterdir()) if folder.is_dir() else []
    except OSError:
        return []


def _without_repeats(given: Sequence[_Given]) -> list[_Given]:
    """Return the matrices without further ones of the same sample."""
    read: dict[tuple[str, str], list[_Given]] = {}
    for each in given:
        if each.key:
            read.setdefault(each.key, []).append(each)
    left = []
    for each in given:
        peers = read.get(each.key, []) if each.key else []
        if not peers or each is _best(peers):
            left.append(each)
    return left


def _best(peers: Sequence[_Given]) -> _Given:
    """Return the matrix of a sample to read: the first filtered one, else the first."""
    return next((each for each in peers if each.sample and each.sample.unfiltered), peers[0])


def _names(given: Sequence[_Given]) -> list[str]:
    """Return the projects' names: of samples if file names tell nothing."""
    often = [each.last for each in given]
    lasts = [
        each.sample.name
        if each.sample and each.sample.name and (often.count(each.last) > 1 or _is_own(each))
        else each.last
        for each in given
    ]
    same = len(set(lasts)) < len(lasts)
    return unique_names(map(stem_of, lasts)) if same else names_of_files(lasts)


def _is_own(given: _Given) -> bool:
    """Return whether the address contains a folder that only pipelines write."""
    return _OWN.fullmatch(given.address.rstrip("/").rpartition("/")[0]) is not None


def _sample_ref(project: str, sample: PipelineSample, base: Path) -> MatrixRef:
    paths = (sample.path, *sample.same, *filter(None, (sample.unfiltered,)), *sample.metrics)
    return make_sample_ref(project, "", sample, {path: base / path for path in paths})


def _folder(path: Path, given: _Given, project: str) -> Project:
    """Return the project of a folder: of its samples, or of the folder as one source."""
    if not given.below:
        ref = make_ref(project, "", given.last, path)
        return Project(project, stem_of(given.last), (ref,))
    if len(given.below) == 1:
        title = name_in(path.resolve().parts) or project
        return Project(project, title, (replace(given.below[0], project_id=project, name=""),))
    names = unique_names(ref.name for ref in given.below)
    renamed = (
        replace(ref, project_id=project, name=name)
        for ref, name in zip(given.below, names, strict=True)
    )
    return Project(project, stem_of(given.last), tuple(renamed))


def _samples_at(source: Source) -> list[MatrixRef]:
    """Return the samples below a prefix on S3; an empty list for other sources."""
    from dpss.catalogs.remote import samples_below
    from dpss.storage.s3 import S3Tree

    return samples_below(source) if isinstance(source, S3Tree) else []


def _remote(address: str, name: str) -> Project:
    """Return the project of an address: of its samples, or of its file or folder."""
    from dpss.catalogs.remote import one_project

    source = open_source(address)
    try:
        refs = _samples_at(source)
    except MatrixError:
        refs = []
    if not refs:
        return one_project(address, source, name)
    renamed = (
        replace(ref, project_id=name, name="" if len(refs) == 1 else ref.name) for ref in refs
    )
    return Project(name, name, tuple(renamed))


def _samples_below(path: Path) -> list[MatrixRef]:
    """Return all matrices in a folder if one is of a pipeline's sample; else none."""
    found = LocalCatalog(str(path), lambda _: False).projects()
    refs = [ref for each in found for ref in each.refs]
    return refs if any(ref.companions for ref in refs) else []

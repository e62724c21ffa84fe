"""Samples in the folders that pipelines write: which matrix is which, and the sample's name.

A sample is named by its folder where the name of the matrix is the same in each sample. Of one
matrix in several formats the cheapest to read is taken; the unfiltered matrix and the pipeline's
own metrics belong to the filtered one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from dpss.catalogs.pipelines.layouts import (
    ENDINGS,
    FILTERED,
    GENERIC,
    INTERNAL,
    LAYOUTS,
    METRICS,
    TOGETHER,
    UNFILTERED,
    PipelineLayout,
)
from dpss.formats.endings import cost


@dataclass(frozen=True)
class PipelineSample:
    """One sample of a pipeline; all paths are relative to the folder that was searched."""

    name: str
    """Name by which it differs from the others; empty where no folder below names it."""
    folder: str
    """Path of the folder that names it, with a slash at the end; empty where none below does."""
    parent: str
    """Path of the folder above the part of the path that names it; empty for the searched one."""
    pipeline: str
    path: str
    """Path of the matrix that is read."""
    same: tuple[str, ...] = ()
    """Paths of the same matrix in other formats."""
    unfiltered: str = ""
    """Path of the matrix of all barcodes; empty where there is none beside the filtered one."""
    metrics: tuple[str, ...] = ()
    """Paths of the pipeline's own metrics."""


@dataclass(frozen=True)
class FolderContents:
    """Samples of a folder, and the paths that are not theirs."""

    samples: tuple[PipelineSample, ...]
    others: tuple[str, ...]
    """Paths that belong to no sample, in order."""
    together: tuple[str, ...] = ()
    """Paths of matrices that hold all samples once more."""


@dataclass(frozen=True)
class _Name:
    """Name of a sample, by its place."""

    name: str
    folder: str
    parent: str


@dataclass
class _Found:
    """Files of one sample, by their roles."""

    layout: PipelineLayout
    at: str
    feature: str
    files: dict[str, list[str]] = field(default_factory=dict)

    def owns(self, path: str, matrices: Collection[str], place: _Name) -> bool:
        """Return whether a path is the sample's or the pipeline's."""
        if any(path in paths for paths in self.files.values()):
            return True
        rest = path.removeprefix(self.at)
        inside = path.startswith(self.at)
        if inside and self.layout.folders and self.layout.folders.fullmatch(rest):
            return True
        # The searched folder is the sample's own if the pipeline's folder is directly in it.
        is_own = bool(place.folder) or (not place.name and bool(self.at))
        if not (is_own and path.startswith(place.folder)):
            return False
        return path not in matrices or bool(INTERNAL.fullmatch(path[len(place.folder) :]))


def find_samples(paths: Sequence[str], matrices: Collection[str]) -> FolderContents:
    """Return the samples among the files and matrix folders of a folder.

    Args:
        paths: Relative paths of all files, and of the folders that are one matrix.
        matrices: Those of the paths that are certainly matrices.
    """
    found = _gather(paths)
    named = {key: _name(each.at) for key, each in found.items()}
    names = _told_apart(found, named)
    samples, together = [], []
    for key, each in found.items():
        if _is_library(each, found):
            continue
        place = named[key]
        sample = _sample(each, names[key], place)
        peers = [p for p in named.values() if p.parent == place.parent and p != place]
        if place.name.lower() in TOGETHER and peers:
            together.append(sample.path)
        else:
            samples.append(sample)
    others = [
        path
        for path in paths
        if not any(each.owns(path, matrices, named[key]) for key, each in found.items())
    ]
    return FolderContents(tuple(samples), tuple(others), tuple(together))


def name_in(parts: Sequence[str]) -> str:
    """Return the name of the sample in the parts of a path; empty where there is none.

    >>> name_in(["runs", "S01", "outs"]), name_in(["S01.count"])
    ('S01', 'S01')
    """
    for part in reversed(parts):
        name = ENDINGS.sub("", part)
        if part.lower() not in GENERIC and name:
            return name
    return ""


def _gather(paths: Sequence[str]) -> dict[tuple[str, str, str], _Found]:
    """Return the samples that have a matrix, by pipeline, place and features."""
    found: dict[tuple[str, str, str], _Found] = {}
    for path in paths:
        for role, layout, at, feature in _roles(path):
            key = (layout.pipeline, _canonical(at), feature)
            each = found.setdefault(key, _Found(layout, at, feature))
            each.files.setdefault(role, []).append(path)
    for key in list(found):
        each = found[key]
        if not each.files.keys() & {FILTERED, UNFILTERED}:
            del found[key]
        elif len([p for p in each.files.get(FILTERED, ()) if cost(p) == cost("")]) > 1:
            # Folders of several genomes are not one matrix in several formats.
            del found[key]
    return found


def _roles(path: str) -> Iterator[tuple[str, PipelineLayout, str, str]]:
    """Yield role, layout, place and features of a path: those of the first layout that has it."""
    for layout in LAYOUTS:
        for role, pattern in layout.patterns:
            match = pattern.fullmatch(path)
            if match:
                groups = match.groupdict()
                yield role, layout, groups["at"], groups.get("feature") or ""
                return


def _canonical(at: str) -> str:
    return at.removesuffix("count/")


def _is_library(each: _Found, found: Mapping[tuple[str, str, str], _Found]) -> bool:
    """Return whether a matrix is that of a library whose samples are there one by one."""
    base, _, rest = each.at.rpartition("multi/")
    return (
        rest in ("", "count/")
        and bool(base or each.at != rest)
        and any(other.at.startswith(f"{base}per_sample_outs/") for other in found.values())
    )


def _name(at: str) -> _Name:
    """Return a sample's name by its place."""
    parts = at.split("/")
    last = next((n for n in range(len(parts), 0, -1) if name_in(parts[n - 1 : n])), 0)
    if not last:
        return _Name("", "", "")
    name = name_in(parts[last - 1 : last])
    # STARsolo's `S01/S01.Solo.out`: the folder, whose name is the same.
    while last > 1 and name_in(parts[last - 2 : last - 1]) == name:
        last -= 1
    folder = "/".join(parts[:last]) + "/" if last < len(parts) else ""
    return _Name(name, folder, "/".join(parts[: last - 1]))


def _told_apart(
    found: Mapping[tuple[str, str, str], _Found],
    named: Mapping[tuple[str, str, str], _Name],
) -> dict[tuple[str, str, str], str]:
    """Return names that differ where the folders do: with further folders, then the features."""
    short = {key: place.name for key, place in named.items()}
    places: dict[str, set[str]] = {}
    for key, name in short.items():
        places.setdefault(name, set()).add(key[1])
    long = {
        key: "_".join(filter(None, (name_in([part]) for part in found[key].at.split("/")[:-1])))
        for key in found
    }
    names = {
        key: (long[key] or name) if name and len(places[name]) > 1 else name
        for key, name in short.items()
    }
    often = Counter(names.values())
    first = {name: min(k[2] for k in names if names[k] == name) for name in often}
    return {
        key: f"{name}_{key[2]}".strip("_") if often[name] > 1 and key[2] != first[name] else name
        for key, name in names.items()
    }


def _sample(found: _Found, name: str, place: _Name) -> PipelineSample:
    filtered = sorted(found.files.get(FILTERED, ()), key=lambda path: (cost(path), path))
    unfiltered = sorted(found.files.get(UNFILTERED, ()), key=lambda path: (cost(path), path))
    first, *same = filtered or unfiltered
    return PipelineSample(
        name,
        place.folder,
        place.parent,
        found.layout.pipeline,
        first,
        tuple(same),
        unfiltered[0] if filtered and unfiltered else "",
        tuple(sorted(found.files.get(METRICS, ()))),
    )

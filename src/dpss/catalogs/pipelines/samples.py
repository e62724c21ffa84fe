"""Samples in the folders that pipelines write: their matrices, metrics and names.

A sample is named by its folder if the matrix has the same name in each sample. Of one matrix in
several formats the cheapest to read is taken; the unfiltered matrix and the pipeline's own metrics
belong to the filtered matrix.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from dpss.catalogs.pipelines.layouts import (
    COMBINED,
    ENDINGS,
    FILTERED,
    GENERIC,
    INTERNAL,
    LAYOUTS,
    METRICS,
    UNFILTERED,
    PipelineLayout,
)
from dpss.formats.endings import cost


@dataclass(frozen=True)
class PipelineSample:
    """One sample of a pipeline, with paths relative to the searched folder."""

    name: str
    """Name that differs from the others; empty if no searched folder names the sample."""
    folder: str
    """Path of the folder that names the sample, with a slash at the end; empty without one."""
    parent: str
    """Path of the folder above the one that names the sample; empty for the searched folder."""
    pipeline: str
    path: str
    """Path of the matrix that is read."""
    same: tuple[str, ...] = ()
    """Paths of the same matrix in other formats."""
    unfiltered: str = ""
    """Path of the matrix of all barcodes beside the filtered one; empty without one."""
    metrics: tuple[str, ...] = ()
    """Paths of the pipeline's own metrics."""


@dataclass(frozen=True)
class FolderContents:
    """Samples of a folder, and the paths that belong to no sample."""

    samples: tuple[PipelineSample, ...]
    others: tuple[str, ...]
    """Paths that belong to no sample, in order."""
    combined: tuple[str, ...] = ()
    """Paths of matrices that hold all samples together."""


@dataclass(frozen=True)
class _Name:
    """Name of a sample, and the folders that it derives from."""

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

    def owns(self, path: str, matrices: Collection[str], name: _Name) -> bool:
        """Return whether a path belongs to the sample or to the pipeline."""
        if any(path in paths for paths in self.files.values()):
            return True
        rest = path.removeprefix(self.at)
        inside = path.startswith(self.at)
        if inside and self.layout.folders and self.layout.folders.fullmatch(rest):
            return True
        # The searched folder is the sample's own if the pipeline's folder is directly in it.
        is_own = bool(name.folder) or (not name.name and bool(self.at))
        if not (is_own and path.startswith(name.folder)):
            return False
        return path not in matrices or bool(INTERNAL.fullmatch(path[len(name.folder) :]))


def find_samples(paths: Sequence[str], matrices: Collection[str]) -> FolderContents:
    """Return the samples among the files and matrix folders of a folder.

    Args:
        paths: Relative paths of all files, and of folders that are one matrix.
        matrices: The paths that are matrices by their names.
    """
    found = _gather(paths)
    named = {key: _name(each.at) for key, each in found.items()}
    names = _distinct_names(found, named)
    samples, combined = [], []
    for key, each in found.items():
        if _is_library(each, found):
            continue
        name = named[key]
        sample = _sample(each, names[key], name)
        peers = [other for other in named.values() if other.parent == name.parent and other != name]
        if name.name.lower() in COMBINED and peers:
            combined.append(sample.path)
        else:
            samples.append(sample)
    others = [
        path
        for path in paths
        if not any(each.owns(path, matrices, named[key]) for key, each in found.items())
    ]
    return FolderContents(tuple(samples), tuple(others), tuple(combined))


def name_in(parts: Sequence[str]) -> str:
    """Return the name of the sample in the parts of a path; empty without one.

    >>> name_in(["runs", "S01", "outs"]), name_in(["S01.count"])
    ('S01', 'S01')
    """
    for part in reversed(parts):
        name = ENDINGS.sub("", part)
        if part.lower() not in GENERIC and name:
            return name
    return ""


def _gather(paths: Sequence[str]) -> dict[tuple[str, str, str], _Found]:
    """Return the samples that have a matrix, by pipeline, base path and features."""
    found: dict[tuple[str, str, str], _Found] = {}
    for path in paths:
        for role, layout, at, feature in _roles(path):
            key = (layout.pipeline, at.removesuffix("count/"), feature)
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
    """Yield role, layout, base path and features by the first layout that fits."""
    for layout in LAYOUTS:
        for role, pattern in layout.patterns:
            match = pattern.fullmatch(path)
            if match:
                groups = match.groupdict()
                yield role, layout, groups["at"], groups.get("feature") or ""
                return


def _is_library(each: _Found, found: Mapping[tuple[str, str, str], _Found]) -> bool:
    """Return whether a matrix is one of a library whose samples have their own."""
    base, _, rest = each.at.rpartition("multi/")
    return (
        rest in ("", "count/")
        and bool(base or each.at != rest)
        and any(other.at.startswith(f"{base}per_sample_outs/") for other in found.values())
    )


def _name(at: str) -> _Name:
    parts = at.split("/")
    last = next((n for n in range(len(parts), 0, -1) if name_in(parts[n - 1 : n])), 0)
    if not last:
        return _Name("", "", "")
    name = name_in(parts[last - 1 : last])
    # STARsolo's `S01/S01.Solo.out`: the folder `S01`.
    while last > 1 and name_in(parts[last - 2 : last - 1]) == name:
        last -= 1
    folder = "/".join(parts[:last]) + "/" if last < len(parts) else ""
    return _Name(name, folder, "/".join(parts[: last - 1]))


def _distinct_names(
    found: Mapping[tuple[str, str, str], _Found],
    named: Mapping[tuple[str, str, str], _Name],
) -> dict[tuple[str, str, str], str]:
    """Return distinct names for distinct folders, with folders and features."""
    short = {key: name.name for key, name in named.items()}
    bases: dict[str, set[str]] = {}
    for key, name in short.items():
        bases.setdefault(name, set()).add(key[1])
    long = {
        key: "_".join(filter(None, (name_in([part]) for part in found[key].at.split("/")[:-1])))
        for key in found
    }
    names = {
        key: (long[key] or name) if name and len(bases[name]) > 1 else name
        for key, name in short.items()
    }
    counts = Counter(names.values())
    first = {name: min(k[2] for k in names if names[k] == name) for name in counts}
    return {
        key: f"{name}_{key[2]}".strip("_") if counts[name] > 1 and key[2] != first[name] else name
        for key, name in names.items()
    }


def _sample(found: _Found, name: str, named: _Name) -> PipelineSample:
    filtered, unfiltered = (
        sorted(found.files.get(role, ()), key=lambda path: (cost(path), path))
        for role in (FILTERED, UNFILTERED)
    )
    first, *same = filtered or unfiltered
    return PipelineSample(
        name,
        named.folder,
        named.parent,
        found.layout.pipeline,
        first,
        tuple(same),
        unfiltered[0] if filtered and unfiltered else "",
        tuple(sorted(found.files.get(METRICS, ()))),
    )

"""Matrices at remote addresses, ``s3://`` and ``https://``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from dpss.catalogs.pipelines.entries import add_companions, skip_combined
from dpss.catalogs.pipelines.samples import PipelineSample, find_samples, name_in
from dpss.errors import MatrixError, UnreachableError
from dpss.formats.endings import is_of_matrix_folder, is_sure, names_of_files, stem_of
from dpss.model import MatrixRef, Project, Skipped
from dpss.storage.base import Blob
from dpss.storage.fingerprint import fingerprint
from dpss.storage.http import HttpBlob
from dpss.storage.locations import Source, open_source
from dpss.storage.names import unique_names
from dpss.storage.redaction import redact_url
from dpss.storage.s3 import S3Blob, S3Tree


@dataclass(frozen=True)
class RemoteCatalog:
    """A file at an address, or all matrices below an ``s3://`` prefix.

    Each object directly below the prefix is a project. Deeper objects form one project for each
    first part of their keys. Cell Ranger's three files, zarr, and a pipeline's files of a sample
    are one matrix each.
    """

    address: str

    @property
    def name(self) -> str:
        """Name of the source with its input."""
        return f"local {redact_url(self.address)}"

    def projects(self) -> Iterator[Project]:
        """Yield every project, in the order of their names.

        Raises:
            UnreachableError: No file or object is at the address.
        """
        try:
            source = open_source(self.address)
            if not isinstance(source, S3Tree):
                yield one_project(self.address, source)
                return
            found = _gather(source)
        except MatrixError as error:
            raise UnreachableError(f"--input {error}") from error
        contents = find_samples(sorted(found), _sure(found))
        here = name_in(source.prefix.split("/")) or "samples"
        tops = sorted({key.partition("/")[0] for key in found})
        *ids, together = names_of_files([*tops, here])
        samples = [sample for sample in contents.samples if not sample.parent]
        if samples:
            others = skip_combined(contents, found, "")
            yield _project(together, here, samples, {}, found, others)
        for top, project_id in zip(tops, ids, strict=True):
            inside = {key: item for key, item in found.items() if key.partition("/")[0] == top}
            rest = {key: inside[key] for key in contents.others if key in inside}
            samples = [each for each in contents.samples if each.parent and each.path in inside]
            if rest or samples:
                others = skip_combined(contents, inside, project_id)
                yield _project(project_id, stem_of(top), samples, rest, found, others)


def samples_below(tree: S3Tree) -> list[MatrixRef]:
    """Return the references to the samples below a prefix; an empty list without any.

    Raises:
        MatrixError: The prefix can't be listed, or an object can't be reached.
    """
    found = _gather(tree)
    samples = find_samples(sorted(found), _sure(found)).samples
    names = unique_names([sample.name for sample in samples])
    return [
        _sample_ref("", name, sample, found) for name, sample in zip(names, samples, strict=True)
    ]


def one_project(address: str, source: Source, project_id: str = "", name: str = "") -> Project:
    """Return a project of one matrix, or of a skipped entry if unreachable."""
    last = source.name
    title = stem_of(last)
    project_id = project_id or names_of_files([last])[0]
    try:
        return Project(project_id, title, (make_remote_ref(project_id, name, address, source),))
    except (MatrixError, UnreachableError) as error:
        return Project(project_id, title, skipped=(Skipped(name, str(error), failed=True),))


def make_remote_ref(project_id: str, name: str, address: str, source: Source) -> MatrixRef:
    """Return the reference to the file or folder at an address.

    Raises:
        MatrixError: The address can't be reached.
    """
    size = source.size_bytes if isinstance(source, Blob) else None
    return MatrixRef(
        project_id=project_id,
        name=name,
        url=redact_url(address),
        fingerprint=remote_fingerprint(source),
        location=address,
        size_bytes=size,
        certain=not isinstance(source, Blob) or is_sure(source.name),
    )


def remote_fingerprint(source: Source) -> str:
    """Return a remote file's fingerprint: its entity tag if it has one.

    Raises:
        MatrixError: The file can't be reached.
    """
    if isinstance(source, S3Blob) and source.etag:
        return f"etag:{source.etag}"
    if isinstance(source, HttpBlob):
        metadata = source.metadata
        if metadata.etag and not metadata.etag.startswith("W/"):
            return f"etag:{metadata.etag.strip(chr(34))}"
        if metadata.modified and metadata.size_bytes is not None:
            return f"modified:{metadata.modified}/{metadata.size_bytes}"
    return fingerprint(source)


def _gather(tree: S3Tree) -> dict[str, Source]:
    """Return files and matrix folders below a prefix, by their relative keys."""
    blobs = tree.blobs()
    parts = (key.rpartition("/") for key in blobs)
    folders = {folder for folder, _, name in parts if folder and is_of_matrix_folder(name)}
    tops = {f for f in folders if not any(f.startswith(f"{other}/") for other in folders)}
    found: dict[str, Source] = {}
    for key, blob in blobs.items():
        inside = next((folder for folder in tops if key.startswith(f"{folder}/")), None)
        if inside is None:
            found[key] = blob
        else:
            found[inside] = S3Tree(tree.bucket, f"{tree.prefix}{inside}/")
    return found


def _sure(found: Mapping[str, Source]) -> frozenset[str]:
    """Return the keys that are matrices by their names."""
    return frozenset(k for k, each in found.items() if is_sure(k) or not isinstance(each, Blob))


def _project(
    project_id: str,
    title: str,
    samples: Sequence[PipelineSample],
    others: Mapping[str, Source],
    found: Mapping[str, Source],
    left_out: Sequence[Skipped],
) -> Project:
    """Return a project of samples and other files below one part of the keys.

    Args:
        project_id: The project's id.
        title: Its title.
        samples: Its samples.
        others: Its other files and matrix folders, by key.
        found: All files and matrix folders, by key.
        left_out: Entries that are not processed.
    """
    keys = sorted(others)
    texts = [key.partition("/")[2] or key for key in keys]
    names = unique_names([*(sample.name or title for sample in samples), *names_of_files(texts)])
    refs, skipped = [], list(left_out)
    makers = [partial(_sample_ref, sample=sample, found=found) for sample in samples]
    sources = [others[key] for key in keys]
    makers += [partial(make_remote_ref, address=each.url, source=each) for each in sources]
    for make, name in zip(makers, names, strict=True):
        try:
            refs.append(make(project_id, name))
        except MatrixError as error:
            skipped.append(Skipped(name, str(error), failed=True))
    return Project(project_id, title, tuple(refs), tuple(skipped))


def _sample_ref(
    project_id: str, name: str, sample: PipelineSample, found: Mapping[str, Source]
) -> MatrixRef:
    """Return the reference to a sample's matrix, with the files beside it.

    Raises:
        MatrixError: An object can't be reached.
    """
    source = found[sample.path]
    ref = make_remote_ref(project_id, name, source.url, source)
    locations = {key: each.url for key, each in found.items()}
    return add_companions(ref, sample, locations, lambda key: remote_fingerprint(found[key]))

"""Metadata of zarr arrays, one description for versions 2 and 3."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from math import prod
from typing import Any, Literal

import numpy as np

from dpss.errors import CorruptMatrixError, UnknownFormatError, plural
from dpss.formats.zarr.codecs import check_codec

MAX_AXES = 8
_MAX_LENGTH = 1 << 62
_MAX_RECORD_BYTES = 1 << 16
_SPECIAL = {"NaN": np.nan, "Infinity": np.inf, "-Infinity": -np.inf}
_FIELDS_V3 = frozenset((
    "zarr_format", "node_type", "shape", "data_type", "chunk_grid", "chunk_key_encoding",
    "fill_value", "codecs", "attributes", "dimension_names", "storage_transformers",
))  # fmt: skip
_NUMBERS = frozenset(
    ("bool", *(f"{kind}{bits}" for kind in ("int", "uint") for bits in (8, 16, 32, 64)),
     "float16", "float32", "float64")
)  # fmt: skip
_SAFE_FILTERS = ("shuffle", "delta", "vlen-utf8", "json2", "bitround")

_MAX_KEY = 256
"""Most characters of a chunk's name within an array."""


@dataclass(frozen=True)
class Shards:
    """Layout of shards: larger objects that hold several chunks."""

    shape: tuple[int, ...]
    """Shape of a shard."""
    index_at_end: bool
    index_checked: bool
    """Whether a checksum of four bytes follows the index."""
    index_dtype: str = "<u8"
    """Type of the numbers in the index."""


@dataclass(frozen=True)
class ArrayMetadata:
    """Metadata of an array of zarr 2 or 3."""

    shape: tuple[int, ...]
    chunk_shape: tuple[int, ...]
    """Shape of the smallest part that can be decoded alone."""
    dtype: np.dtype[Any] | None
    """Type of the items as stored; ``None`` for strings of variable length."""
    fill: Any
    order: tuple[int, ...]
    """Order of the axes in a chunk."""
    codecs: tuple[tuple[str, Mapping[str, Any]], ...]
    """Encoders of a chunk, in order of use: names and settings."""
    shards: Shards | None
    separator: str
    prefix: str
    """Prefix of a chunk's key."""

    def key(self, index: tuple[int, ...]) -> str:
        """Return the key of a chunk, or of its shard in a sharded array."""
        numbers = self.separator.join(map(str, index))
        if self.prefix:
            return f"{self.prefix}{self.separator}{numbers}" if index else self.prefix
        return numbers or "0"

    def is_key(self, name: str) -> bool:
        """Return whether a name, relative to the array, is a key of a chunk."""
        if not self.shape:
            return self.key(()) == name
        if len(name) > _MAX_KEY:
            return False
        index = tuple(map(int, re.findall(r"\d+", name, re.ASCII)))
        return len(index) == len(self.shape) and self.key(index) == name


def parse_array(version: int, meta: Mapping[str, Any], url: str) -> ArrayMetadata:
    """Parse the metadata of an array.

    Raises:
        CorruptMatrixError: The metadata contradict themselves.
        UnknownFormatError: The metadata name an unsupported feature.
    """
    try:
        found = _parse_v2(meta, url) if version == 2 else _parse_v3(meta, url)
    except (KeyError, TypeError, ValueError, AttributeError, IndexError, OverflowError) as error:
        if isinstance(error, CorruptMatrixError | UnknownFormatError):
            raise
        raise CorruptMatrixError(f"{url}: its zarr metadata make no sense ({error})") from error
    shapes = (found.shape, found.chunk_shape, found.shards.shape if found.shards else found.shape)
    if len({len(shape) for shape in shapes}) > 1 or len(found.shape) > MAX_AXES:
        raise CorruptMatrixError(f"{url}: shape and chunks have different numbers of axes")
    if min(found.shape, default=0) < 0 or prod(map(int, found.shape)) > _MAX_LENGTH:
        raise CorruptMatrixError(f"{url}: claims the shape {found.shape}")
    chunks = (*found.chunk_shape, *(found.shards.shape if found.shards else ()))
    if min(chunks, default=1) < 1 or max(chunks, default=1) > _MAX_LENGTH:
        raise CorruptMatrixError(f"{url}: claims chunks of {found.chunk_shape}")
    return found


def _lengths(values: Any) -> tuple[int, ...]:
    lengths = tuple(int(value) for value in values)
    if lengths != tuple(values):
        raise ValueError("lengths are whole numbers")
    return lengths


def _fill(value: Any, dtype: np.dtype[Any] | None) -> Any:
    if dtype is not None and dtype.names is not None:
        return np.zeros((), dtype)[()]
    if dtype is None or dtype.kind not in "iufb":
        return ""
    if isinstance(value, str) and value.startswith("0x") and dtype.kind == "f":
        # Zarr 3 writes a number that JSON lacks by its bits.
        return np.array(int(value, 16), f"u{dtype.itemsize}").view(f"f{dtype.itemsize}")[()]
    value = _SPECIAL.get(value, value) if isinstance(value, str) else value
    if np.ndim(value):
        raise ValueError("a fill value of several numbers")
    return dtype.type(0 if value is None else value)


def _parse_v2(meta: Mapping[str, Any], url: str) -> ArrayMetadata:
    filters = [dict(each) for each in meta.get("filters") or ()]
    names = [str(each["id"]) for each in filters]
    for name in names:
        if name not in _SAFE_FILTERS:
            raise UnknownFormatError(f"{url}: the filter {name!r} is not read by this program")
    dtype = None if meta["dtype"] == "|O" else _dtype_v2(meta["dtype"], url)
    if dtype is None and names not in (["vlen-utf8"], ["json2"]):
        raise UnknownFormatError(f"{url}: holds objects, not numbers or text")
    codecs = list(zip(names, filters, strict=True))
    if meta.get("compressor"):
        name = str(meta["compressor"]["id"])
        check_codec(name, url)
        codecs.append((name, {}))
    n_axes = len(meta["shape"])
    axes = tuple(range(n_axes))
    return ArrayMetadata(
        shape=_lengths(meta["shape"]),
        chunk_shape=_lengths(meta["chunks"]),
        dtype=dtype,
        fill=_fill(meta.get("fill_value"), dtype),
        order=axes[::-1] if meta.get("order") == "F" else axes,
        codecs=tuple(codecs),
        shards=None,
        separator=_separator(str(meta.get("dimension_separator", ".")), url),
        prefix="",
    )


def _dtype_v2(stated: Any, url: str) -> np.dtype[Any]:
    """Return the type of the items, numbers, text or records of these."""
    if isinstance(stated, str):
        return np.dtype(stated)
    dtype = np.dtype([(str(name), str(kind)) for name, kind in stated])
    if dtype.hasobject or dtype.itemsize > _MAX_RECORD_BYTES:
        raise UnknownFormatError(
            f"{url}: holds records of objects, or of {plural(dtype.itemsize, 'byte')}"
        )
    return dtype


def _parse_v3(meta: Mapping[str, Any], url: str) -> ArrayMetadata:
    _check_extensions(meta, url)
    shape = _lengths(meta["shape"])
    chunk_shape = _lengths(meta["chunk_grid"]["configuration"]["chunk_shape"])
    chain = [_codec(each) for each in meta["codecs"]]
    shards = None
    if chain and chain[0][0] == "sharding_indexed":
        if len(chain) > 1:
            raise UnknownFormatError(f"{url}: shards that are packed as a whole are not read")
        settings = chain[0][1]
        coded = [_codec(each) for each in settings["index_codecs"]]
        index = [name for name, _ in coded]
        if index not in (["bytes"], ["bytes", "crc32c"]):
            raise UnknownFormatError(f"{url}: an index of shards by {index} is not read")
        at_end = settings.get("index_location", "end") == "end"
        endian = ">" if coded[0][1].get("endian") == "big" else "<"
        shards = Shards(chunk_shape, at_end, "crc32c" in index, f"{endian}u8")
        chunk_shape = _lengths(settings["chunk_shape"])
        chain = [_codec(each) for each in settings["codecs"]]
    dtype = _dtype_v3(meta["data_type"], chain, url)
    order, codecs = _chain_v3(chain, len(shape), url)
    naming, of_names = _codec(meta.get("chunk_key_encoding") or "default")
    default = naming == "default"
    stated = str(of_names.get("separator", "/" if default else "."))
    return ArrayMetadata(
        shape=shape,
        chunk_shape=chunk_shape,
        dtype=dtype,
        fill=_fill(meta.get("fill_value"), dtype),
        order=order,
        codecs=codecs,
        shards=shards,
        separator=_separator(stated, url),
        prefix="c" if default else "",
    )


def _check_extensions(meta: Mapping[str, Any], url: str) -> None:
    """Check that an array uses no unsupported extension.

    Chunks that are not found at their keys would be read as fill values.

    Raises:
        UnknownFormatError: The array has another grid, other keys or a transformer, or a field
            that must be understood.
    """
    grid, naming = str(meta["chunk_grid"]["name"]), meta.get("chunk_key_encoding")
    if grid != "regular":
        raise UnknownFormatError(f"{url}: its chunks lie in a grid of the kind {grid!r}: not read")
    if naming and _codec(naming)[0] not in ("default", "v2"):
        raise UnknownFormatError(f"{url}: its chunks are named by {_codec(naming)[0]!r}: not read")
    if meta.get("storage_transformers"):
        raise UnknownFormatError(f"{url}: is stored through a transformer, which is not read")
    for name in sorted(set(meta) - _FIELDS_V3):
        each = meta[name]
        if not isinstance(each, Mapping) or each.get("must_understand", True) is not False:
            raise UnknownFormatError(f"{url}: its metadata have the unknown field {name!r}")


def _separator(stated: str, url: str) -> str:
    """Return the separator in the keys of chunks.

    Raises:
        CorruptMatrixError: The separator is neither a dot nor a slash.
    """
    if stated not in (".", "/"):
        raise CorruptMatrixError(f"{url}: claims that {stated[:20]!r} separates names of chunks")
    return stated


def _codec(each: Any) -> tuple[str, Mapping[str, Any]]:
    if isinstance(each, str):
        return each, {}
    return str(each["name"]), each.get("configuration") or {}


def _dtype_v3(
    kind: Any, chain: list[tuple[str, Mapping[str, Any]]], url: str
) -> np.dtype[Any] | None:
    """Return the type of the items in their stored byte order."""
    name, settings = _codec(kind)
    names = [each[0] for each in chain]
    if name in ("string", "variable_length_utf8") and "vlen-utf8" in names:
        return None
    endian = next((each[1].get("endian") for each in chain if each[0] == "bytes"), "little")
    mark: Literal["<", ">"] = ">" if endian == "big" else "<"
    n_bytes = int(settings.get("length_bytes", 0))
    if name == "fixed_length_utf32" and 0 < n_bytes < 1 << 16:
        return np.dtype(f"{mark}U{n_bytes // 4}")
    if name == "null_terminated_bytes" and 0 < n_bytes < 1 << 16:
        return np.dtype(f"S{n_bytes}")
    if name not in _NUMBERS:
        raise UnknownFormatError(f"{url}: holds {name}, not numbers or text that are read")
    return np.dtype(name).newbyteorder(mark)


def _chain_v3(
    chain: list[tuple[str, Mapping[str, Any]]], n_axes: int, url: str
) -> tuple[tuple[int, ...], tuple[tuple[str, Mapping[str, Any]], ...]]:
    """Return the order of the axes, and the codecs of the bytes."""
    order = tuple(range(n_axes))
    codecs: list[tuple[str, Mapping[str, Any]]] = []
    for name, settings in chain:
        if name == "transpose":
            order = _lengths(settings["order"])
            if sorted(order) != list(range(n_axes)):
                raise CorruptMatrixError(f"{url}: claims the order of axes {order}")
        elif name in ("vlen-utf8", "crc32c"):
            codecs.append((name, settings))
        elif name != "bytes":
            bare = name.removeprefix("numcodecs.")
            check_codec(bare, url)
            codecs.append((bare, settings))
    return order, tuple(codecs)

"""What is fuzzed: for each reader some valid files, and how they are damaged."""

from __future__ import annotations

import bz2
import gzip
import io
import json
import lzma
import re
import tarfile
import tempfile
import warnings
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

from dpss.demo import files as demo_files
from tests.fuzz.damage import NUMBERS, damage_bytes, damage_members, damage_text
from tests.fuzz.hdf5 import damage_hdf5
from tests.unit.small import counts, write_two_genomes

Damage = Callable[[Random, bytes], bytes]


@dataclass(frozen=True)
class Target:
    """A reader with what is tried on it."""

    seeds: Callable[[], list[bytes]]
    """Makes valid files."""
    damage: Damage
    """Makes a damaged file of a valid one."""
    suffix: str = ""
    """Ending of a case's name; readers go by content."""


def pack(members: dict[str, bytes]) -> bytes:
    """Return a zip archive of uncompressed members."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        for name, data in members.items():
            file.writestr(zipfile.ZipInfo(name), data)
    return buffer.getvalue()


def unpack(data: bytes) -> dict[str, bytes]:
    """Return the members of a zip archive that `pack` made."""
    with zipfile.ZipFile(io.BytesIO(data)) as file:
        return {entry.filename: file.read(entry) for entry in file.infolist()}


def written(*writers: Callable[[Path], object]) -> list[bytes]:
    """Return the files, or folders as zip archives, that functions write."""
    made = []
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for number, write in enumerate(writers):
            path = Path(folder) / f"seed{number}"
            write(path)
            if path.is_dir():
                files = sorted(each for each in path.rglob("*") if each.is_file())
                made.append(
                    pack({each.relative_to(path).as_posix(): each.read_bytes() for each in files})
                )
            else:
                made.append(path.read_bytes())
    return made


def _h5ad_seeds() -> list[bytes]:
    some = counts(0, 23, 17)
    return written(
        lambda path: demo_files.write_h5ad_csr(path, some),
        lambda path: demo_files.write_h5ad_csc(path, some),
        lambda path: demo_files.write_h5ad_dense(path, some),
    )


def _tenx_seeds() -> list[bytes]:
    some = counts(0, 23, 17)
    return written(lambda path: demo_files.write_tenx_h5(path, some), write_two_genomes)


def _loom_seeds() -> list[bytes]:
    from tests.unit.formats.hdf5.test_loom import counts as drawn
    from tests.unit.formats.hdf5.test_loom import write_loom

    return written(
        lambda path: write_loom(path, drawn(23, 17), chunks=(4, 4), compression="gzip"),
        lambda path: write_loom(path, drawn(9, 7)),
        lambda path: write_loom(path, drawn(19, 30, "i4"), chunks=(1, 30), shuffle=True),
    )


def _zarr_seeds() -> list[bytes]:
    import anndata
    import numcodecs
    import scipy.sparse as sp

    from tests.unit.formats.zarr.test_reader import counts as drawn
    from tests.unit.formats.zarr.test_reader import write_hca

    def write_anndata(path: Path, version: int) -> None:
        data = anndata.AnnData(X=sp.csr_matrix(drawn(9, 6)), layers={"counts": drawn(9, 6)})
        before = anndata.settings.zarr_write_format
        anndata.settings.zarr_write_format = version
        try:
            data.write_zarr(path)
        finally:
            anndata.settings.zarr_write_format = before

    blosc: dict[str, Any] = {"chunks": (4, 4), "compressors": numcodecs.Blosc()}
    return written(
        lambda path: write_hca(path, drawn(7, 5), 2, **blosc),
        lambda path: write_hca(path, drawn(7, 5), 3, chunks=(4, 4), shards=(8, 8)),
        lambda path: write_anndata(path, 2),
        lambda path: write_anndata(path, 3),
    )


def _damage_zarr(rng: Random, data: bytes) -> bytes:
    """Damage members of a hierarchy, most often its metadata."""
    members = unpack(data)
    metadata = [path for path in members if path.endswith((".json", ".zarray", ".zattrs"))]
    if metadata and rng.random() < 0.6:
        path = rng.choice(metadata)
        document = json.loads(members[path])
        for _ in range(rng.choice((1, 1, 2))):
            _damage_json(rng, document)
        members[path] = json.dumps(document).encode()
    else:
        members = damage_members(rng, members)
    return pack(members)


JSON = (None, True, -1, 0, 1, 1.5, 1 << 40, 1 << 70, "", "zz", "<f4", "|O", [], {}, [[]], "NaN")


def _damage_json(rng: Random, document: Any) -> None:
    """Change one value somewhere in a document."""
    here = document
    while isinstance(here, (dict, list)) and here:
        key: Any = rng.choice(list(here)) if isinstance(here, dict) else rng.randrange(len(here))
        if isinstance(here[key], (dict, list)) and here[key] and rng.random() < 0.8:
            here = here[key]
            continue
        if rng.random() < 0.2:
            del here[key]
        elif isinstance(here[key], int) and rng.random() < 0.5:
            here[key] = rng.choice(NUMBERS)
        else:
            here[key] = rng.choice(JSON)
        return


def _mtx_seeds() -> list[bytes]:
    some = counts(0, 23, 17)
    made = written(
        lambda path: demo_files.write_mtx_zip(path, some),
        lambda path: demo_files.write_tenx_folder(path, some),
    )
    plain = {name: _inflate(data) for name, data in unpack(made[-1]).items()}
    two = {f"GSM{k}_s{k}_{name.rpartition('/')[2]}": plain[name] for k in (1, 2) for name in plain}
    alone = next(data for data in plain.values() if data.startswith(b"%%"))
    return [*made, pack(plain), pack(two), alone]


def _damage_mtx(rng: Random, data: bytes) -> bytes:
    """Damage the matrix's text or its tables; sometimes the compressed bytes."""
    if not data.startswith(b"PK"):
        return damage_text(rng, data)
    members = unpack(data)
    if rng.random() < 0.5:
        members = damage_members(rng, members)
    else:
        for path in rng.sample(sorted(members), rng.choice((1, 1, 2))):
            text = damage_text(rng, _inflate(members[path]))
            members[path] = gzip.compress(text, mtime=0) if path.endswith(".gz") else text
    return pack(members)


def _inflate(data: bytes) -> bytes:
    return gzip.decompress(data) if data.startswith(b"\x1f\x8b") else data


def _text_seeds() -> list[bytes]:
    import pandas as pd

    from tests.unit.formats.text.test_reader import cells, genes
    from tests.unit.formats.text.test_reader import counts as drawn

    frame = pd.DataFrame(drawn(9, 7), index=genes(9), columns=cells(7))
    wide = pd.DataFrame(drawn(5, 400) * 0.5, index=genes(5), columns=cells(400))
    return [
        frame.to_csv().encode(),
        frame.to_csv(sep=" ", quoting=1).encode(),
        frame.to_csv(sep="\t", index_label=False).encode(),
        frame.T.to_csv(sep=";", lineterminator="\r\n").encode(),
        wide.to_csv(sep="\t").encode(),
        wide.T.to_csv().encode(),
    ]


def _damage_table(rng: Random, data: bytes) -> bytes:
    """Damage the text, and pack it in one way or another."""
    if rng.random() < 0.1:
        # Mostly empty fields: of them a byte makes a value.
        data = re.sub(rb"([\t,; ])[0-4](?=[\t,;\n])", rb"\1", data)
    text = damage_text(rng, data)
    if rng.random() < 0.7:
        return text
    packed = rng.choice((partial(gzip.compress, mtime=0), bz2.compress, lzma.compress))(text)
    return damage_bytes(rng, packed) if rng.random() < 0.5 else packed


def _r_seeds() -> list[bytes]:
    folder = Path(__file__).parent.parent / "unit" / "formats" / "r_files"
    known = (".rds", ".RData", ".Robj")
    files = sorted(path for path in folder.iterdir() if path.suffix in known)
    data = [_inflate(path.read_bytes()) for path in files]
    return [each for each in data if each.startswith((b"X\n", b"A\n", b"RD"))]


def _damage_r(rng: Random, data: bytes) -> bytes:
    """Damage R's own bytes, not the compression around them."""
    if data.startswith(b"A\n"):
        return damage_text(rng, data)
    out = bytearray(damage_bytes(rng, data) if rng.random() < 0.5 else data)
    for _ in range(rng.choice((1, 1, 2, 4))):
        at = rng.randrange(max(1, len(out) - 4))
        # R's numbers are big-endian and of four bytes: lengths, flags, whole numbers.
        out[at : at + 4] = (rng.choice(NUMBERS) % (1 << 32)).to_bytes(4, "big")
    return bytes(out)


def _damage_any_hdf5(rng: Random, data: bytes) -> bytes:
    return damage_bytes(rng, data) if rng.random() < 0.4 else damage_hdf5(rng, data)


def _archive_seeds() -> list[bytes]:
    from tests.unit.formats.packing import geo_raw, table, tar, tar_gz, tenx_h5, triple, zipped

    some = geo_raw()
    return [
        tar(some),
        tar_gz(triple("a/") | {"b.csv": table()}),
        zipped(some),
        tar({"x.tar": tar(triple("a/")), "._x.tar": b"x"}),
        zipped({"x.tgz": tar_gz({"a.csv": table()}), "b.h5": tenx_h5()}),
        _hostile(),
    ]


def _hostile() -> bytes:
    """Return a tar with links, devices, paths that leave it, and archives within archives."""
    from tests.unit.formats.packing import table, tar, tar_gz, zipped

    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as file:
        for kind in (tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.FIFOTYPE):
            entry = tarfile.TarInfo(f"special{ord(kind)}.csv")
            entry.type, entry.linkname = kind, "/etc/passwd"
            file.addfile(entry)
        nested = tar_gz({"c.zip": zipped({"d.csv": table()})})
        bomb = gzip.compress(table()[:50] + b"0," * (1 << 22), mtime=0)
        for name, data in {
            "a.csv": table(), "b.tar": tar({"e.tgz": nested}), "f" * 150 + ".csv.gz": bomb,
        }.items():  # fmt: skip
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            file.addfile(entry, io.BytesIO(data))
    return buffer.getvalue()


NAMES = (
    b"../x",
    b"/etc/x",
    b"a\\..\\b",
    b"C:/x",
    b"",
    b"\n",
    b"\xff\xfe",
    b"a/" * 40,
    b"__MACOSX/x",
)


def _damage_archive(rng: Random, data: bytes) -> bytes:
    """Damage an archive's bytes, or a tar's headers, whose checksums are put right."""
    packed = data.startswith(b"\x1f\x8b")
    if data.startswith(b"PK"):
        return damage_bytes(rng, data)
    out = bytearray(_inflate(data))
    starts = [at for at in range(0, len(out) - 511, 512) if out[at + 257 : at + 262] == b"ustar"]
    for at in rng.sample(starts, min(len(starts), rng.choice((0, 1, 1, 2)))):
        match rng.randrange(4):
            case 0:
                out[at : at + 100] = rng.choice(NAMES)[:100].ljust(100, b"\0")
            case 1:
                size = rng.choice(NUMBERS) % (1 << 33)
                out[at + 124 : at + 136] = b"%011o\0" % size
                if rng.random() < 0.3:
                    out[at + 124 : at + 136] = rng.choice((b"\x80", b"\xff")) + rng.randbytes(11)
            case 2:
                out[at + 156] = rng.choice(b"0123456LKSxgX7\0")
            case _:
                place = at + rng.randrange(512)
                out[place] = rng.randrange(256)
        out[at + 148 : at + 156] = b"        "
        out[at + 148 : at + 156] = b"%06o\0 " % sum(out[at : at + 512])
    if rng.random() < 0.4:
        out = bytearray(damage_bytes(rng, bytes(out)))
    made = gzip.compress(bytes(out), 1) if packed or rng.random() < 0.2 else bytes(out)
    return damage_bytes(rng, made) if packed and rng.random() < 0.2 else made


def _npz_seeds() -> list[bytes]:
    import numpy as np
    import scipy.sparse as sp

    some = counts(0, 23, 17)
    cells = "".join(
        f"{''.join('ACGT'[(i >> (2 * k)) & 3] for k in range(16))}\n" for i in range(23)
    )
    genes = "".join(f"ENSG{i:011d}\n" for i in range(17))
    tables = {"barcodes.tsv": cells.encode(), "genes.tsv": genes.encode()}
    made = []
    for layout, dtype in (("csr", np.int32), ("csc", np.float32), ("coo", np.int64)):
        out = io.BytesIO()
        matrix = sp.csr_matrix(some.matrix.astype(dtype)).asformat(layout)
        sp.save_npz(out, matrix, compressed=layout != "coo")
        made.append(pack({"counts.npz": out.getvalue(), **tables}))
    return made


def _damage_npz(rng: Random, data: bytes) -> bytes:
    """Damage the arrays or their heads within the inner archive, or any bytes."""
    members = unpack(data)
    if rng.random() < 0.7:
        arrays = unpack(members["counts.npz"])
        name = rng.choice(sorted(arrays))
        arrays[name] = damage_bytes(rng, arrays[name])
        members["counts.npz"] = pack(arrays)
    else:
        members = damage_members(rng, members)
    return pack(members)


def _arrow_seeds() -> list[bytes]:
    import pandas as pd
    import pyarrow as pa
    from pyarrow import feather

    some = counts(0, 23, 17)
    genes = [f"ENSG{i:011d}" for i in range(17)]
    cells = ["".join("ACGT"[(i >> (2 * k)) & 3] for k in range(16)) for i in range(23)]
    table = pd.DataFrame(some.matrix, cells, genes)
    return written(
        table.to_parquet,
        lambda path: table.T.to_parquet(path, compression="gzip", row_group_size=5),
        lambda path: feather.write_feather(pa.Table.from_pandas(table), str(path)),
        lambda path: feather.write_feather(
            pa.Table.from_pandas(table.reset_index()), str(path), compression="uncompressed"
        ),
    )


TARGETS = {
    "arrow": Target(_arrow_seeds, damage_bytes, ".parquet"),
    "npz": Target(_npz_seeds, _damage_npz, ".npz.zip"),
    "h5ad": Target(_h5ad_seeds, _damage_any_hdf5, ".h5ad"),
    "loom": Target(_loom_seeds, _damage_any_hdf5, ".loom"),
    "zarr": Target(_zarr_seeds, _damage_zarr, ".zarr.zip"),
    "mtx": Target(_mtx_seeds, _damage_mtx, ".mtx.zip"),
    "text": Target(_text_seeds, _damage_table, ".txt"),
    "tenx": Target(_tenx_seeds, _damage_any_hdf5, ".h5"),
    "archives": Target(_archive_seeds, _damage_archive, ".tar"),
    "r": Target(_r_seeds, _damage_r, ".rds"),
}
"""Every target by its name."""

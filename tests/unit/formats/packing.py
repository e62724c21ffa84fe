"""Archives of small matrices, as portals and GEO have them."""

from __future__ import annotations

import gzip
import io
import tarfile
import tempfile
import zipfile
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path

from dpss.demo import files
from dpss.demo.cells import Counts
from tests.unit.small import counts


def tar(members: Mapping[str, bytes]) -> bytes:
    """Return a plain tar archive."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as file:
        for name, data in members.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            file.addfile(entry, io.BytesIO(data))
    return buffer.getvalue()


def tar_gz(members: Mapping[str, bytes]) -> bytes:
    """Return a tar archive, compressed as a whole."""
    return gzip.compress(tar(members), 1, mtime=0)


def zipped(members: Mapping[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    """Return a zip archive."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        for name, data in members.items():
            file.writestr(zipfile.ZipInfo(name), data, method)
    return buffer.getvalue()


@cache
def written(write: Callable[[Path, Counts], None], seed: int = 0) -> Mapping[str, bytes]:
    """Return the files that a function of the demo writes, by their names; a single one's is ''."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "x"
        write(path, counts(seed, 23, 17))
        if path.is_file():
            return {"": path.read_bytes()}
        return {each.name: each.read_bytes() for each in sorted(path.iterdir())}


def h5ad(seed: int = 0) -> bytes:
    """Return a small h5ad."""
    return written(files.write_h5ad_csr, seed)[""]


def tenx_h5(seed: int = 0) -> bytes:
    """Return a small 10x h5."""
    return written(files.write_tenx_h5, seed)[""]


def triple(prefix: str = "", seed: int = 0) -> dict[str, bytes]:
    """Return Cell Ranger's three files, compressed, with something before their names."""
    found = written(files.write_tenx_folder, seed)
    return {f"{prefix}{name}": data for name, data in found.items()}


def table(seed: int = 0, separator: str = ",") -> bytes:
    """Return a table of text, genes × cells."""
    drawn = counts(seed, 23, 17)
    lines = [separator.join(["gene", *drawn.barcodes])]
    for name, values in zip(drawn.symbols, drawn.matrix.T.tolist(), strict=True):
        lines.append(separator.join([name, *map(str, values)]))
    return ("\n".join(lines) + "\n").encode()


def geo_raw() -> dict[str, bytes]:
    """Return what GEO has in a ``_RAW.tar``, one sample of each kind; seeds are the samples."""
    return {
        **triple("GSM1_s1_", 1),
        **triple("GSM2_s2_", 2),
        "GSM3_s3.csv.gz": gzip.compress(table(3), mtime=0),
        "GSM4_s4_filtered_feature_bc_matrix.h5": tenx_h5(4),
        "GSM5_s5.tar.gz": tar_gz(triple("outs/filtered_feature_bc_matrix/", 5)),
        "GSM6_s6.h5ad.gz": gzip.compress(h5ad(6), mtime=0),
        "GSM7_s7.zip": zipped({"s7.h5ad": h5ad(7), "__MACOSX/._s7.h5ad": b"\0"}),
        "._GSM1_s1_matrix.mtx.gz": b"\0\5\x16\7",
        "filelist.txt": b"#Archive/File\tName\tTime\tSize\nFile\tGSM1\t11/02/2020\t123\n",
    }


GEO_NAMES = [
    "GSM1_s1", "GSM2_s2", "GSM3_s3", "GSM4_s4_filtered_feature_bc_matrix", "GSM5_s5", "GSM6_s6",
    "GSM7_s7",
]  # fmt: skip

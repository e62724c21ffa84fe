"""Zarr hierarchies, held against what zarr-python and anndata wrote into them."""

from __future__ import annotations

import json
import pickle
import shutil
import struct
import warnings
import zipfile
import zlib
from pathlib import Path

import anndata
import numcodecs
import numpy as np
import pytest
import scipy.sparse as sp
import zarr
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from zarr.codecs import BloscCodec, GzipCodec, ZstdCodec

from dpss.errors import CorruptMatrixError, LimitError, NoMatrixError, UnknownFormatError
from dpss.formats.arrays import tiles
from dpss.formats.zarr.codecs import decode_strings
from dpss.storage.archives.zip_member import ZipMember
from dpss.storage.local import LocalFile
from tests.unit.formats.layers import dense, mutations, open_path, read_or_refuse

pytestmark = [
    pytest.mark.filterwarnings("ignore::UserWarning"),
    pytest.mark.filterwarnings("ignore::FutureWarning"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::zarr.errors.UnstableSpecificationWarning"),
]
V2 = [
    None, numcodecs.Blosc("lz4"), numcodecs.Blosc("zstd", shuffle=2), numcodecs.Zstd(3),
    numcodecs.LZ4(), numcodecs.GZip(1), numcodecs.Zlib(1), numcodecs.BZ2(), numcodecs.LZMA(),
]  # fmt: skip
V3 = [None, BloscCodec(cname="zstd"), GzipCodec(), ZstdCodec()]


def counts(n_cells: int, n_genes: int, seed: int = 1) -> np.ndarray:
    return np.random.default_rng(seed).poisson(0.6, (n_cells, n_genes)).astype("f4")


def pack(folder: Path, path: Path, compression: int = zipfile.ZIP_STORED) -> Path:
    with zipfile.ZipFile(path, "w", compression) as file:
        for each in sorted(folder.rglob("*")):
            if each.is_file():
                file.write(each, each.relative_to(folder.parent))
    return path


def write_hca(root: Path, values: np.ndarray, version: int = 2, **options) -> zarr.Group:
    group = zarr.open_group(root, mode="w", zarr_format=version)
    group.create_array("expression", data=values, **options)
    ids = np.array([f"ENSG{i:011}" for i in range(values.shape[1])])
    group.create_array("gene_id", data=ids)
    group.create_array("cell_id", data=np.array([f"cell{i}" for i in range(len(values))]))
    names = np.array([[f"NAME{i}", "chr1"] for i in range(values.shape[1])])
    group.create_array("gene_metadata_string", data=names)
    group.create_array("gene_metadata_string_name", data=np.array(["featurename", "chromosome"]))
    group.create_array("cell_metadata_numeric", data=np.zeros((len(values), 3)))
    return group


@pytest.mark.slow
@settings(
    deadline=None, max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_any_dense_array_is_read_as_zarr_reads_it(tmp_path, data):
    """Versions, chunks larger than the shape, shards, codecs, orders, types: the same numbers."""
    shape = data.draw(st.tuples(st.integers(1, 24), st.integers(1, 24)))
    dtype = data.draw(st.sampled_from(["f4", "f8", "i4", "i8", "u1", "u2", ">f4", ">i8"]))
    values = counts(*shape).astype(dtype)
    version = data.draw(st.sampled_from([2, 3]))
    chunks = data.draw(st.tuples(st.integers(1, 40), st.integers(1, 40)))
    options: dict = {"chunks": chunks}
    if version == 2:
        options["order"] = data.draw(st.sampled_from("CF"))
    options["compressors"] = data.draw(st.sampled_from(V2 if version == 2 else V3))
    separator = data.draw(st.sampled_from("./"))
    kind = "v2" if version == 2 else data.draw(st.sampled_from(["default", "v2"]))
    options["chunk_key_encoding"] = {"name": kind, "separator": separator}
    if version == 3 and data.draw(st.booleans()):
        times = data.draw(st.tuples(st.integers(1, 3), st.integers(1, 3)))
        options["shards"] = (chunks[0] * times[0], chunks[1] * times[1])
    shutil.rmtree(tmp_path / "a.zarr", ignore_errors=True)
    write_hca(tmp_path / "a.zarr", values, version, **options)
    source = tmp_path / "a.zarr"
    if data.draw(st.booleans()):
        method = data.draw(st.sampled_from([zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED]))
        source = pack(source, tmp_path / "a.zip", method)
    for limit in (tiles.BAND_BYTES, 64):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(tiles, "BAND_BYTES", limit)
            (matrix,) = open_path(source)
            found = dense(matrix.layers[0], data.draw(st.integers(1, 1 << 12)), 1 << 9)
        assert np.array_equal(found, values)
    assert matrix.layers[0].genes.names[0] == "NAME0"
    assert matrix.layers[0].genes.ids[-1] == f"ENSG{shape[1] - 1:011}"
    assert matrix.layers[0].genes.chromosomes[0] == "chr1"


@pytest.mark.slow
@pytest.mark.parametrize("version", [2, 3])
@pytest.mark.parametrize("form", [np.asarray, sp.csr_matrix, sp.csc_matrix])
@pytest.mark.parametrize("consolidated", [True, False])
def test_anndata_zarr(tmp_path, monkeypatch, version, form, consolidated):
    """AnnData in both versions: X, raw.X and layers, dense and sparse, folder and zip."""
    x, raw, spliced = counts(30, 20), counts(30, 25, 2), counts(30, 20, 3)
    data = anndata.AnnData(form(raw))
    data.var_names = [f"ENSG{i:011}" for i in range(25)]
    data.var["feature_name"] = np.array([f"G{i % 7}" for i in range(25)], dtype=object)
    data.var["feature_name"] = data.var["feature_name"].astype("category")
    whole = data[:, :20].copy()
    whole.raw = data
    whole.X, whole.layers["spliced"] = form(x), form(spliced)
    root = tmp_path / "a.zarr"
    with anndata.settings.override(zarr_write_format=version):
        whole.write_zarr(root, chunks=None)
    if consolidated:
        zarr.consolidate_metadata(str(root))
    else:
        (root / ".zmetadata").unlink(missing_ok=True)
    for source in (root, pack(root, tmp_path / "a.zip")):
        (matrix,) = open_path(source)
        layers = {layer.name: layer for layer in matrix.layers}
        assert list(layers) == ["X", "raw.X", "spliced"]
        for name, expected in (("X", x), ("raw.X", raw), ("spliced", spliced)):
            assert np.array_equal(dense(layers[name]), expected)
        assert layers["X"].cell_major == (form is not sp.csc_matrix)
        assert list(layers["raw.X"].genes.names) == [f"G{i % 7}" for i in range(25)]
        again = pickle.loads(pickle.dumps(layers["X"]))
        assert np.array_equal(dense(again), x)


@pytest.mark.slow
@pytest.mark.parametrize("order", ["little", "big"])
@pytest.mark.parametrize("place", ["start", "end"])
@pytest.mark.parametrize("checked", [False, True])
def test_every_index_of_shards(order: str, place: str, checked: bool, tmp_path) -> None:
    """The index may stand before or after the chunks, in either byte order."""
    values = counts(30, 20)
    group = write_hca(tmp_path / "a.zarr", values, 3)
    del group["expression"]
    index = [
        zarr.codecs.BytesCodec(endian=order),
        *([zarr.codecs.Crc32cCodec()] if checked else []),
    ]
    serializer = zarr.codecs.ShardingCodec(
        chunk_shape=(5, 10), index_codecs=index, index_location=place
    )
    array = group.create_array(
        "expression", shape=values.shape, dtype=values.dtype, chunks=(10, 20), compressors=None,
        filters=None, serializer=serializer,
    )  # fmt: skip
    array[:] = values
    (matrix,) = open_path(tmp_path / "a.zarr")
    assert np.array_equal(dense(matrix.layers[0]), values)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"storage_transformers": [{"name": "reference"}]}, "transformer"),
        ({"chunk_grid": {"name": "rectilinear", "configuration": {"chunk_shape": [4, 4]}}}, "grid"),
        ({"chunk_key_encoding": {"name": "suffix"}}, "named by 'suffix'"),
        ({"chunk_key_encoding": {"name": "v2", "configuration": {"separator": "/../"}}}, "claims"),
        ({"chunk_key_encoding": {"name": "default", "configuration": {"separator": ""}}}, "claims"),
        ({"offsets": {"name": "x"}}, "unknown field 'offsets'"),
    ],
)
def test_what_changes_where_chunks_lie_is_refused(change, words: str, tmp_path) -> None:
    """Chunks that are looked for at the wrong place would read as zeros."""
    write_hca(tmp_path / "a.zarr", counts(8, 8), 3, chunks=(4, 4))
    path = tmp_path / "a.zarr" / "expression" / "zarr.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **change}))
    with pytest.raises((CorruptMatrixError, UnknownFormatError), match=words):
        open_path(tmp_path / "a.zarr")


@pytest.mark.parametrize("shape", [[8.5, 8], ["8", 8], [True, 8.0001]])
def test_lengths_are_whole_numbers(shape, tmp_path) -> None:
    """A length of 1.5 is no length of 1."""
    write_hca(tmp_path / "a.zarr", counts(8, 8), 3, chunks=(4, 4))
    path = tmp_path / "a.zarr" / "expression" / "zarr.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "shape": shape}))
    with pytest.raises(CorruptMatrixError, match="make no sense"):
        open_path(tmp_path / "a.zarr")


def test_what_need_not_be_understood_is_passed_over(tmp_path) -> None:
    """An extension may say that it changes nothing for readers."""
    values = counts(8, 8)
    write_hca(tmp_path / "a.zarr", values, 3, chunks=(4, 4))
    path = tmp_path / "a.zarr" / "expression" / "zarr.json"
    more = {"note": {"must_understand": False}}
    path.write_text(json.dumps({**json.loads(path.read_text()), **more}))
    (matrix,) = open_path(tmp_path / "a.zarr")
    assert np.array_equal(dense(matrix.layers[0]), values)


@pytest.mark.parametrize("separator", ["", "/../", "\0"])
def test_a_hostile_separator_of_version_2_is_refused(separator: str, tmp_path) -> None:
    """Names of chunks have dots or slashes between their numbers."""
    write_hca(tmp_path / "a.zarr", counts(8, 8), 2, chunks=(4, 4))
    path = tmp_path / "a.zarr" / "expression" / ".zarray"
    more = {"dimension_separator": separator}
    path.write_text(json.dumps({**json.loads(path.read_text()), **more}))
    with pytest.raises(CorruptMatrixError, match="separates names of chunks"):
        open_path(tmp_path / "a.zarr")


def test_sharded_sparse_vectors(tmp_path):
    """AnnData's vectors in shards of many small chunks."""
    x = sp.random(200, 50, 0.3, "csr", "f4", random_state=1)
    root = zarr.open_group(tmp_path / "a.zarr", mode="w", zarr_format=3)
    group = root.create_group("X", attributes={"encoding-type": "csr_matrix", "shape": [200, 50]})
    for name in ("data", "indices", "indptr"):
        group.create_array(name, data=getattr(x, name), chunks=(16,), shards=(64,))
    var = root.create_group("var", attributes={"_index": "_index"})
    var.create_array("_index", data=np.array([f"g{i}" for i in range(50)]))
    (matrix,) = open_path(tmp_path / "a.zarr")
    assert np.array_equal(dense(matrix.layers[0]), x.toarray())


def test_missing_chunks_hold_the_fill_value(tmp_path):
    """A chunk that was never written is what the metadata say, not an error."""
    values = counts(8, 8)
    write_hca(tmp_path / "a.zarr", values, 2, chunks=(4, 4), fill_value=0)
    (tmp_path / "a.zarr" / "expression" / "1.0").unlink()
    values[4:, :4] = 0
    (matrix,) = open_path(tmp_path / "a.zarr")
    assert np.array_equal(dense(matrix.layers[0]), values)


def test_several_hierarchies_are_several_matrices(tmp_path):
    """Each zarr folder of a folder is one matrix, named after it."""
    for name in ("a", "b"):
        write_hca(tmp_path / "all" / f"{name}.zarr", counts(5, 4))
    assert [matrix.name for matrix in open_path(tmp_path / "all")] == ["a", "b"]


def test_pickles_are_never_loaded(tmp_path):
    """A codec that would run a file's code is refused by name."""
    write_hca(tmp_path / "a.zarr", counts(5, 4))
    meta = tmp_path / "a.zarr" / "expression" / ".zarray"
    changed = json.loads(meta.read_text()) | {"dtype": "|O", "filters": [{"id": "pickle"}]}
    meta.write_text(json.dumps(changed))
    with pytest.raises(UnknownFormatError, match="'pickle' is not read"):
        open_path(tmp_path / "a.zarr")


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"shape": [5, 1 << 40]}, LimitError, "features"),
        ({"shape": [1 << 40, 4]}, CorruptMatrixError, "claims|for 1,099"),
        ({"shape": [5, 3]}, CorruptMatrixError, r"3 genes, but|entries"),
        ({"shape": [5]}, CorruptMatrixError, "numbers of axes"),
        ({"shape": None}, CorruptMatrixError, "make no sense"),
        ({"shape": [-5, 4]}, CorruptMatrixError, "claims the shape"),
        ({"chunks": [0, 4]}, CorruptMatrixError, "claims chunks"),
        ({"chunks": [1 << 30, 1 << 30]}, LimitError, "smaller chunks"),
        ({"compressor": {"id": "rot13"}}, UnknownFormatError, "'rot13'"),
        ({"dtype": [["a", "<f4"]]}, CorruptMatrixError, "no numbers"),
        ({"dtype": [["a", "|O"]]}, UnknownFormatError, "records"),
        ({"dtype": "<c8"}, CorruptMatrixError, "no numbers"),
    ],
)
def test_metadata_that_make_no_sense(tmp_path, change, error, message):
    """Each contradiction has its own message, and nothing large is allocated."""
    write_hca(tmp_path / "a.zarr", counts(5, 4))
    meta = tmp_path / "a.zarr" / "expression" / ".zarray"
    meta.write_text(json.dumps(json.loads(meta.read_text()) | change))
    shutil.rmtree(tmp_path / "a.zarr" / "gene_metadata_string")
    if change.get("shape") == [5, 3]:
        shutil.rmtree(tmp_path / "a.zarr" / "cell_id")
        (matrix,) = open_path(tmp_path / "a.zarr")  # ids of another number name nothing
        assert matrix.notes[0][0] == "gene_names"
        return
    with pytest.raises(error, match=message):
        open_path(tmp_path / "a.zarr")


def test_chunks_that_expand_without_end(tmp_path):
    """A chunk decodes to what its shape says, or is refused before it is decoded."""
    bomb = zlib.compress(bytes(1 << 26), 9)
    write_hca(tmp_path / "a.zarr", counts(5, 4), compressors=numcodecs.Zlib())
    (tmp_path / "a.zarr" / "expression" / "0.0").write_bytes(bomb)
    (matrix,) = open_path(tmp_path / "a.zarr")
    with pytest.raises(CorruptMatrixError, match="more bytes than a chunk has"):
        dense(matrix.layers[0])
    with pytest.raises(ValueError, match="does not hold 3 strings"):
        decode_strings(struct.pack("<I", 0xFFFFFFFF), 3)


def test_text_that_is_no_text(tmp_path):
    """Found by damaging files: numbers beyond the last character end in Python's own error."""
    write_hca(tmp_path / "a.zarr", counts(5, 4), compressors=None)
    for name in ("gene_id", "gene_metadata_string"):
        zarr.open_group(tmp_path / "a.zarr").create_array(
            name, data=np.array(["AB"] * 4), compressors=None, overwrite=True
        )
        chunk = tmp_path / "a.zarr" / name / "0"
        chunk.write_bytes(struct.pack("<8I", 0xFFFFFF, 65, 0xD800, 66, 65, 0, 66, 0))
    (matrix,) = open_path(tmp_path / "a.zarr")
    assert list(matrix.layers[0].genes.ids) == ["\ufffdA", "\ufffdB", "A", "B"]


def test_no_matrix_in_it(tmp_path):
    """A hierarchy of something else, or AnnData without X."""
    zarr.open_group(tmp_path / "a.zarr", mode="w").create_array("image", data=np.zeros((3, 3)))
    with pytest.raises(NoMatrixError, match="without X and var"):
        open_path(tmp_path / "a.zarr")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        anndata.AnnData(obs={"a": [1, 2]}).write_zarr(tmp_path / "b.zarr")
    with pytest.raises(NoMatrixError, match=r"no X, raw\.X or layer"):
        open_path(tmp_path / "b.zarr")


@pytest.mark.slow
@pytest.mark.parametrize("version", [2, 3])
def test_damaged_files_are_read_or_refused(tmp_path, version):
    """Whatever is damaged: a result, or one of the program's own errors in one line."""
    root = tmp_path / "a.zarr"
    options = {"shards": (8, 8)} if version == 3 else {"compressors": numcodecs.Blosc()}
    write_hca(root, counts(7, 5), version, chunks=(4, 4), **options)
    files = sorted(path for path in root.rglob("*") if path.is_file())
    for seed, path in enumerate(files):
        good = path.read_bytes()
        for data in mutations(good, seed, 8):
            path.write_bytes(data)
            read_or_refuse(root)
        path.write_bytes(good)


@pytest.mark.slow
def test_damaged_sparse_hierarchy_is_read_or_refused(tmp_path):
    """The same for AnnData's sparse layout, in a zip."""
    x = sp.csr_matrix(counts(12, 9))
    root = tmp_path / "a.zarr"
    with anndata.settings.override(zarr_write_format=2):
        anndata.AnnData(x).write_zarr(root)
    good = pack(root, tmp_path / "a.zip").read_bytes()
    for data in mutations(good, 7, 60):
        (tmp_path / "bad.zip").write_bytes(data)
        read_or_refuse(tmp_path / "bad.zip")


def test_real_zarr(real_data):
    """pbmc68k_reduced_scaled.zarr.zip: a file that zarr-python 3.1 can't open as a whole."""
    path = real_data / "pbmc68k_reduced_scaled.zarr.zip"
    (matrix,) = open_path(path)
    layers = {layer.name: layer for layer in matrix.layers}
    store = zarr.storage.ZipStore(path, read_only=True)
    expected = zarr.open_array(store, path="X", mode="r")[:]
    found = dense(layers["X"], 1 << 20, 1 << 18)
    assert np.array_equal(found, expected)
    assert (found < 0).sum() == 397_164
    parts = [
        zarr.open_array(store, path=f"layers/counts/{name}", mode="r")[:]
        for name in ("data", "indices", "indptr")
    ]
    expected = sp.csr_matrix(tuple(parts), shape=(700, 765)).toarray()
    assert np.array_equal(dense(layers["counts"], 1 << 20, 1 << 18), expected)
    store.close()


@pytest.mark.parametrize("change", ["name", "offset"])
def test_zip_members_that_are_damaged(tmp_path, change):
    """Found by damaging files: a member without a name, and one that lies before the file."""
    write_hca(tmp_path / "a.zarr", counts(5, 4))
    path = pack(tmp_path / "a.zarr", tmp_path / "a.zip")
    data = bytearray(path.read_bytes())
    if change == "name":
        first = data.index(b"PK\x01\x02")
        data[first + 46] = 0  # the name of the first member, up to here
    else:
        end = data.rindex(b"PK\x05\x06")
        (start,) = struct.unpack_from("<I", data, end + 16)
        struct.pack_into("<I", data, end + 16, start + 100)
    path.write_bytes(data)
    read_or_refuse(path)


@pytest.mark.slow
@pytest.mark.parametrize("codec", ["blosc", "zlib", "gzip", "zstd", None])
@pytest.mark.parametrize("chunks", [(300, 5300), (7, 9000), (20_000, 30), (11, 3)])
@pytest.mark.parametrize("dtype", ["<f4", "<i2", "<f8"])
def test_chunks_may_be_larger_than_the_array(codec, chunks, dtype, tmp_path):
    """What a chunk holds beyond the array's end is padding, and is not decoded."""
    import numcodecs

    values = counts(13, 30).astype(dtype)
    made = {
        "blosc": numcodecs.Blosc("zstd", 5, 1), "zlib": numcodecs.Zlib(1),
        "gzip": numcodecs.GZip(1), "zstd": numcodecs.Zstd(1), None: None,
    }[codec]  # fmt: skip
    write_hca(tmp_path / "a.zarr", values)
    folder = tmp_path / "a.zarr" / "expression"
    shutil.rmtree(folder)
    zarr.create_array(
        str(folder), shape=values.shape, chunks=chunks, dtype=dtype, compressors=made,
        zarr_format=2, fill_value=0,
    )[:] = values  # fmt: skip
    (matrix,) = open_path(tmp_path / "a.zarr")
    assert np.array_equal(dense(matrix.layers[0]), values)


@pytest.mark.parametrize("damage", ["shape", "json", "codec"])
def test_names_of_cells_are_not_needed_for_numbers(damage, tmp_path):
    """A damaged cell_id is told, and every number is read."""
    values = counts(9, 5)
    write_hca(tmp_path / "a.zarr", values)
    folder = tmp_path / "a.zarr" / "cell_id"
    (meta,) = [folder / name for name in (".zarray", "zarr.json") if (folder / name).exists()]
    text = meta.read_text()
    changed = {
        "shape": json.dumps(json.loads(text) | {"shape": [7]}),
        "json": text[: len(text) // 2],
        "codec": text.replace("blosc", "nothing").replace("zstd", "nothing"),
    }
    meta.write_text(changed[damage])
    (matrix,) = open_path(tmp_path / "a.zarr")
    assert np.array_equal(dense(matrix.layers[0]), values)
    if damage != "codec":
        assert "cell_names" in [note[0] for note in matrix.notes]


@pytest.mark.parametrize("compression", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
@pytest.mark.parametrize("version", [2, 3])
def test_metadata_are_read_once(version, compression, tmp_path, monkeypatch):
    """And of an archive no more than the member has."""
    write_hca(tmp_path / "a.zarr", counts(5, 4), version)
    (tmp_path / "a.zarr" / "zzz").write_bytes(np.random.default_rng(1).bytes(100_000))
    path = pack(tmp_path / "a.zarr", tmp_path / "a.zarr.zip", compression)
    opened: list[str] = []
    n_read = 0

    def open_member(member):
        opened.append(member.url)
        return open_zip_member(member)

    def read(blob, start, length):
        nonlocal n_read
        data = read_range(blob, start, length)
        n_read += len(data)
        return data

    open_zip_member, read_range = ZipMember.open, LocalFile.read_range
    monkeypatch.setattr(ZipMember, "open", open_member)
    monkeypatch.setattr(LocalFile, "read_range", read)
    open_path(path)
    metadata = [url for url in opened if url.endswith(("json", ".zarray", ".zgroup", ".zattrs"))]
    assert len(metadata) == len(set(metadata)) > 3
    assert n_read < 2 * path.stat().st_size


@pytest.mark.parametrize("names", [("score",), ("score", "length")])
@pytest.mark.parametrize("place", ["var", "raw.var"])
def test_a_table_of_records_without_text_names_no_genes(names, place, tmp_path) -> None:
    """The file is named, as for other faults of a gene table."""
    root = tmp_path / "a.zarr"
    group = zarr.open_group(root, mode="w", zarr_format=2)
    x = counts(5, 3)
    good = np.array([(b"ACTB",), (b"B2M",), (b"CD3E",)], dtype=[("index", "S5")])
    bad = np.zeros(3, dtype=[(name, "f4") for name in names])
    tables = {"var": good, "raw.var": good, place: bad}
    for path, values in {"X": x, "raw.X": x, **tables}.items():
        group.create_array(path, data=values)
    with pytest.raises(CorruptMatrixError, match=rf"a\.zarr: {place} has no column of text"):
        open_path(root)

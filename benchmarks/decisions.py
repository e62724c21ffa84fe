"""Measure again what the decisions in docs/adr rest on.

    python -m benchmarks.decisions machine-code FILE   # decision 11: starts of `dpss summarize`
    python -m benchmarks.decisions schema OUTPUT       # decision 1: checking summary.json
    python -m benchmarks.decisions zarr FILE           # decision 6: zarr-python, hostile chunks
    python -m benchmarks.decisions s3-clients          # decision 4: obstore, boto3 and s3fs
    python -m benchmarks.decisions stores              # decisions 4, 5: obstore, broken answers
    python -m benchmarks.decisions fingerprint FILE    # decision 3: a sample and the whole file
    python -m benchmarks.decisions zip                 # decision 1: zipfile's own member stream
    python -m benchmarks.decisions streams             # decision 1: ISA-L, zlib; tarfile's bounds
    python -m benchmarks.decisions damaged-strings     # decision 1: h5py on a damaged heap
    python -m benchmarks.decisions no-ranges FILE      # decision 10: servers without ranges
    python -m benchmarks.decisions r-files             # decision 7: memory of R's objects
    python -m benchmarks.decisions drawing FILE        # decisions 12, 14: drawing figures
    python -m benchmarks.decisions clusters            # decision 13: steps of the embedding

Each prints its figures. FILE is a small matrix (zarr: a zip of an AnnData store), OUTPUT a folder
that the program published to.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar

from benchmarks.costs import (
    measure_clusters,
    measure_drawing,
    measure_fingerprint,
    measure_r_files,
)
from benchmarks.readers import measure_damaged_strings, measure_streams
from benchmarks.s3_clients import measure_s3_clients

SOURCE = Path(__file__).resolve().parent.parent / "src"
N_RUNS = 9
_OURS = "from dpss.cli.commands import main\nmain()\n"
_NUMBAS = (
    """
import dpss.compute.jit as jit

def prepare(self, types, args):
    from numba import njit
    return njit(nogil=True, cache=True)(jit._bound(self.function))

def part(self):
    from numba import njit
    return njit(nogil=True, cache=True, **self._options)(jit._bound(self.function))

jit.Loop._prepare = prepare
jit.Part._resolve = part
"""
    + _OURS
)


def measure_machine_code(file: Path) -> None:
    """Compare the program's machine code with numba's cache, run about, in three situations."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for situation in ("warm", "empty home and caches", "nothing can be written"):
            read_only = situation.startswith("nothing")
            seconds: dict[str, list[float]] = {"dpss": [], "numba": []}
            errors: dict[str, str] = {}
            for number in range(-1, N_RUNS):
                for label, program in (("dpss", _OURS), ("numba", _NUMBAS)):
                    home = folder / ("no-folder/home" if read_only else f"home-{label}")
                    tree = folder / f"src-{label}"
                    if number < 0 or situation.startswith("empty"):
                        for each in (home, tree):
                            shutil.rmtree(each, ignore_errors=True)
                        ignored = shutil.ignore_patterns("*.machine-code", "*.nb[ic]")
                        shutil.copytree(SOURCE, tree, ignore=ignored)
                        if not read_only:
                            home.mkdir()
                    if read_only and number < 0:
                        # Also for root: files where there would be folders.
                        for each in [path for path in tree.rglob("*") if path.is_dir()]:
                            shutil.rmtree(each / "__pycache__", ignore_errors=True)
                            if each.name != "__pycache__":
                                (each / "__pycache__").write_text("")
                        (folder / "no-folder").write_text("")
                    spent, error = _start(program, file, folder / "out", tree, home)
                    if error:
                        errors[label] = error
                    elif number >= 0:
                        seconds[label].append(spent)
            for label, values in seconds.items():
                print(f"{situation}: {label}: {_described(values)} {errors.get(label, '')}")


def _start(program: str, file: Path, output: Path, tree: Path, home: Path) -> tuple[float, str]:
    """Return the seconds of processor time of one start, and the last line of its error."""
    shutil.rmtree(output, ignore_errors=True)
    environment = {**os.environ, "PYTHONPATH": str(tree), "HOME": str(home)}
    start = _spent_by_children()
    done = subprocess.run(
        [sys.executable, "-c", program, "summarize", str(file), "--output", str(output)],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    spent = _spent_by_children() - start
    if done.returncode:
        return spent, (done.stderr.strip().splitlines() or ["failed"])[-1]
    return spent, ""


def _spent_by_children() -> float:
    """Return the seconds of processor time of all children that have ended, and of theirs."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _described(values: Sequence[float]) -> str:
    if not values:
        return "no run succeeded"
    low, high = min(values), max(values)
    return f"median {statistics.median(values):.2f} s of {len(values)} ({low:.2f}–{high:.2f})"


def measure_schema(output: Path) -> None:
    """Compare `dpss.website.validation` with fastjsonschema and jsonschema."""
    from dpss.website.schemas import schema
    from dpss.website.validation import fault

    document = json.loads(next(output.rglob("summary.json")).read_text())
    start = time.perf_counter()
    try:
        import fastjsonschema  # type: ignore[import-not-found,import-untyped,unused-ignore]
    except ImportError:
        sys.exit("this needs fastjsonschema, which nothing else does: pip install fastjsonschema")

    imported = time.perf_counter()
    check = fastjsonschema.compile(schema("summary"))
    compiled = time.perf_counter()
    import jsonschema

    other = jsonschema.Draft202012Validator(schema("summary"))
    print(f"fastjsonschema: import {1000 * (imported - start):.0f} ms, ", end="")
    print(f"compile {1000 * (compiled - imported):.0f} ms, once a process")
    for label, work in (
        ("fastjsonschema", lambda: check(document)),
        ("dpss", lambda: fault(document, schema("summary"))),
        ("jsonschema", lambda: other.is_valid(document)),
    ):
        print(f"{label}: {_microseconds(work):.0f} µs a document")


def _microseconds(work: Callable[[], object], n: int = 50) -> float:
    values = []
    for _ in range(N_RUNS):
        start = time.perf_counter()
        for _ in range(n):
            work()
        values.append((time.perf_counter() - start) / n * 1e6)
    return statistics.median(values)


_IMPORT = (
    "import time; t = time.perf_counter(); import zarr; print(f'{time.perf_counter() - t:.2f} s')"
)
_OPEN = """
import sys, zarr
from zarr.storage import ZipStore
store = ZipStore(sys.argv[1], mode="r")
for how in ("open_group", "open_array X", "open_group X"):
    try:
        if how == "open_group":
            sorted(zarr.open_group(store, mode="r"))
        elif how == "open_array X":
            zarr.open_array(store, path="X", mode="r")[:1]
        else:
            zarr.open_group(store, path="X", mode="r")
        print(how, "opened")
    except Exception as error:
        print(how, type(error).__name__, str(error).splitlines()[0][:200])
"""
_PICKLE = """
import json, zarr
store = zarr.storage.MemoryStore()
meta = {"zarr_format": 2, "shape": [1], "chunks": [1], "dtype": "|O", "compressor": None,
        "fill_value": 0, "order": "C", "filters": [{"id": "pickle", "protocol": 5}]}
import asyncio
from zarr.core.buffer import default_buffer_prototype
make = default_buffer_prototype().buffer.from_bytes
asyncio.run(store.set(".zarray", make(json.dumps(meta).encode())))
asyncio.run(store.set("0", make(__import__("pickle").dumps([1]))))
try:
    print("read", zarr.open_array(store, mode="r")[:])
except Exception as error:
    print(type(error).__name__, str(error).splitlines()[0][:200])
"""
_BOMB = """
import asyncio, json, resource, sys, zlib
n = 600 << 20
packed = zlib.compressobj(9, wbits=31)
data = b"".join(packed.compress(bytes(1 << 20)) for _ in range(n >> 20)) + packed.flush()
meta = {"zarr_format": 2, "shape": [1000], "chunks": [1000], "dtype": "<f4", "fill_value": 0,
        "compressor": {"id": "gzip", "level": 9}, "order": "C", "filters": None}
import zarr
from zarr.core.buffer import default_buffer_prototype
store = zarr.storage.MemoryStore()
make = default_buffer_prototype().buffer.from_bytes
asyncio.run(store.set(".zarray", make(json.dumps(meta).encode())))
asyncio.run(store.set("0", make(data)))
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
try:
    zarr.open_array(store, mode="r")[:]
    said = "read"
except Exception as error:
    said = type(error).__name__ + " " + str(error).splitlines()[0][:100]
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(f"{said}; chunk of {len(data):,} bytes for 4,000; peak {before >> 10} -> {peak >> 10} MiB")
"""

_OURS_BOMB = """
import json, pathlib, resource, sys, tempfile, zlib
import numpy as np
n = 600 << 20
packed = zlib.compressobj(9, wbits=31)
data = b"".join(packed.compress(bytes(1 << 20)) for _ in range(n >> 20)) + packed.flush()
from dpss.formats.zarr.reader import open_
from dpss.storage.local import LocalFolder
with tempfile.TemporaryDirectory() as name:
    root = pathlib.Path(name, "a.zarr")
    for path, shape, dtype in (("X", [10, 100], "<f4"), ("var/_index", [100], "<i4"),
                               ("obs/_index", [10], "<i4")):
        folder = root / path
        folder.mkdir(parents=True)
        (folder / ".zarray").write_text(json.dumps(
            {"zarr_format": 2, "shape": shape, "chunks": shape, "dtype": dtype, "fill_value": 0,
             "compressor": {"id": "gzip", "level": 9} if path == "X" else None, "order": "C",
             "filters": None}))
        if path != "X":
            (folder / "0").write_bytes(np.arange(shape[0], dtype="<i4").tobytes())
            (folder.parent / ".zattrs").write_text(json.dumps({"_index": "_index"}))
        else:
            (folder / "0.0").write_bytes(data)
        for above in (folder.parent, root):
            (above / ".zgroup").write_text('{"zarr_format": 2}')
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    try:
        (matrix,) = open_(LocalFolder(root))
        list(matrix.layers[0].cell_blocks(range(10), 1 << 20))
        said = "read"
    except Exception as error:
        said = type(error).__name__ + " " + str(error).rpartition(": ")[2][:100]
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(f"{said}; peak {before >> 10} -> {peak >> 10} MiB")
"""


def measure_zarr(file: Path) -> None:
    """Try zarr-python: import, a real store, a pickle filter, a chunk that claims 600 MiB."""
    for label, program in (
        ("import", _IMPORT),
        ("open", _OPEN),
        ("pickle filter", _PICKLE),
        ("chunk too large", _BOMB),
        ("chunk too large, dpss", _OURS_BOMB),
    ):
        done = subprocess.run(
            [sys.executable, "-W", "ignore", "-c", program, str(file)],
            capture_output=True,
            text=True,
            check=False,
        )
        print(f"{label}: {done.stdout.strip() or done.stderr.strip().splitlines()[-1]}")


_BODY = bytes(range(256)) * 4096
_LISTING = (
    b"<ListBucketResult><IsTruncated>false</IsTruncated><Contents><Key>a</Key><Size>1</Size>"
    b"<LastModified>2026-01-01T00:00:00.000Z</LastModified><ETag>&quot;e&quot;</ETag>"
    b"</Contents></ListBucketResult>"
)


class _Server(BaseHTTPRequestHandler):
    """Answers with a megabyte: broken off, behind a redirect, or without ranges; a listing."""

    protocol_version = "HTTP/1.1"
    requests: ClassVar[list[str]] = []

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_GET(self) -> None:
        self.requests.append(f"{self.command} {self.path} {self.headers.get('Range') or ''}")
        where = "/" + self.path.partition("?")[0].rpartition("/")[2]
        if where == "/moved":
            self.send_response(302)
            self.send_header("Location", "/whole")
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        if "list-type" in self.path:
            self.send_response(200)
            self.send_header("Content-Length", str(len(_LISTING)))
            self.end_headers()
            self.wfile.write(_LISTING[: 40 if len(self.requests) == 1 else None])
            self.close_connection = len(self.requests) == 1
            return
        first, last = 0, len(_BODY) - 1
        asked = self.headers.get("Range")
        if asked and where != "/no-ranges":
            low, _, high = asked.removeprefix("bytes=").partition("-")
            first, last = int(low or 0), int(high or last)
            self.send_response(206)
            self.send_header("Content-Range", f"bytes {first}-{last}/{len(_BODY)}")
        else:
            self.send_response(200)
        data = _BODY[first : last + 1]
        self.send_header("Content-Length", str(len(data)))
        self.send_header("ETag", '"one"')
        self.send_header("Last-Modified", "Thu, 01 Jan 2026 00:00:00 GMT")
        self.end_headers()
        if self.command == "HEAD":
            return
        if where == "/broken" and len(data) > len(_BODY) // 2:
            self.wfile.write(data[: len(data) // 2])
            self.close_connection = True
            return
        # A client that does not want the whole file closes its end.
        with suppress(BrokenPipeError, ConnectionResetError):
            self.wfile.write(data)

    def log_message(self, *arguments: Any) -> None:
        """Print nothing."""


class _QuietServer(ThreadingHTTPServer):
    """A server that prints nothing where a client breaks off."""

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Ignore the error."""


def measure_stores() -> None:
    """Try obstore's HTTP store against answers that break off, redirects, no ranges, a query."""
    from obstore.store import HTTPStore, S3Store

    server = _QuietServer(("127.0.0.1", 0), _Server)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    address = f"http://127.0.0.1:{server.server_port}"
    options: Any = {"allow_http": True, "timeout": "5s"}

    s3 = S3Store("bucket", endpoint=address, skip_signature=True, client_options=options)
    n = len(_BODY) - 20

    def get(url: str, path: str) -> bytes:
        return bytes(HTTPStore.from_url(url, client_options=options).get(path).bytes())

    def get_range(url: str, path: str) -> bytes:
        store = HTTPStore.from_url(url, client_options=options)
        return bytes(store.get_range(path, start=10, end=20))

    for label, work, right in (
        ("a body that breaks off", lambda: get(address, "broken"), _BODY),
        ("S3: a body that breaks off", lambda: bytes(s3.get("broken").bytes()), _BODY),
        (
            "S3: a range that breaks off",
            lambda: bytes(s3.get_range("broken", start=0, end=n)),
            _BODY[:n],
        ),
        (
            "S3: a listing that breaks off",
            lambda: [each["path"] for each in s3.list().collect()],
            ["a"],
        ),
        ("a redirect", lambda: get(address, "moved"), _BODY),
        ("a range", lambda: get_range(address, "whole"), _BODY[10:20]),
        ("a range, no ranges", lambda: get_range(address, "no-ranges"), _BODY[10:20]),
        ("a query in the path", lambda: get(address, "whole?signature=1"), _BODY),
        ("a query in the address", lambda: get(f"{address}/whole?signature=1", ""), _BODY),
    ):
        _Server.requests.clear()
        try:
            said = "right" if work() == right else "WRONG BYTES"
        except Exception as error:
            said = f"{type(error).__name__}: {' '.join(str(error).split())[:160]}"
        print(f"{label}: {said}; requests: {'; '.join(_Server.requests)}")
    server.shutdown()


def measure_zip() -> None:
    """Compare our stream of a zip member with zipfile's: speed, sizes that are not true."""
    import io
    import zipfile

    from isal import isal_zlib

    from dpss.storage.archives.zip import ZipTree
    from dpss.storage.local import LocalFile

    def read_ours(path: Path) -> int:
        (blob,) = ZipTree(LocalFile(path)).blobs().values()
        with blob.open() as file:
            return sum(len(piece) for piece in iter(lambda: file.read(1 << 16), b""))

    def read_library(path: Path, *, isal: bool) -> int:
        with zipfile.ZipFile(path) as archive, archive.open(archive.infolist()[0]) as file:
            if isal:  # a private name: nothing else lets it inflate by another library
                inner: Any = file
                inner._decompressor = isal_zlib.decompressobj(-isal_zlib.MAX_WBITS)
            return sum(len(piece) for piece in iter(lambda: file.read(1 << 16), b""))

    data = b"".join(b"%d,%d,%d\n" % (i, i * 7 % 1000, i % 13) for i in range(1 << 21))
    readers: tuple[tuple[str, Callable[[Path], int]], ...] = (
        ("dpss", read_ours),
        ("zipfile", lambda path: read_library(path, isal=False)),
        ("zipfile with ISA-L", lambda path: read_library(path, isal=True)),
    )
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.zip"
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("b", data)
        packed = bytearray(buffer.getvalue())
        path.write_bytes(packed)
        for label, read in readers:
            seconds = []
            for _ in range(N_RUNS):
                start = time.perf_counter()
                read(path)
                seconds.append(time.perf_counter() - start)
            print(f"{label}: {len(data) / min(seconds) / 1e6:.0f} MB/s, the best of {N_RUNS}")
        entry = packed.rindex(b"PK\x01\x02")
        for what, size, crc in (
            ("declares 10 bytes, holds more", 10, zipfile.crc32(data[:10])),  # type: ignore[attr-defined]
            ("declares 10 bytes more than it holds", len(data) + 10, None),
        ):
            changed = bytearray(packed)
            changed[entry + 24 : entry + 28] = size.to_bytes(4, "little")
            if crc is not None:
                changed[entry + 16 : entry + 20] = crc.to_bytes(4, "little")
            path.write_bytes(changed)
            for label, read in readers:
                try:
                    print(f"{what}: {label}: read {read(path):,} bytes")
                except Exception as error:
                    print(f"{what}: {label}: {type(error).__name__}: {str(error)[-90:]}")


class _FileServer(_Server):
    """Answers with a file, at 50 MB/s a connection, by ranges or whole."""

    data = b""
    ranges = True
    n_sent = 0

    def do_GET(self) -> None:
        asked = self.headers.get("Range", "") if self.ranges else ""
        low, _, high = asked.removeprefix("bytes=").partition("-")
        first, stop = int(low or 0), min(int(high or len(self.data)) + 1, len(self.data))
        self.send_response(206 if asked else 200)
        if asked:
            self.send_header("Content-Range", f"bytes {first}-{stop - 1}/{len(self.data)}")
        self.send_header("Content-Length", str(stop - first))
        self.send_header("ETag", '"one"')
        self.end_headers()
        for at in range(first, stop, 1 << 19):
            piece = self.data[at : min(at + (1 << 19), stop)]
            try:
                self.wfile.write(piece)
            except OSError:
                self.close_connection = True
                return
            type(self).n_sent += len(piece)
            time.sleep(len(piece) / 50e6)


_PEAK = (
    "import resource; from dpss.cli.commands import main\n"
    "try: main()\n"
    "finally: print(max(resource.getrusage(who).ru_maxrss for who in\n"
    "  (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)) >> 10)"
)


def measure_no_ranges(file: Path) -> None:
    """Read a file from a server with ranges, without, and without where scratch is too small."""
    _FileServer.data = file.read_bytes()
    server = _QuietServer(("127.0.0.1", 0), _FileServer)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{server.server_port}/{file.name}"
    for label, ranges, limit in (
        ("ranges: in pages", True, []),
        ("no ranges: through scratch", False, []),
        ("no ranges, no scratch: a stream for each reading", False, ["--scratch-limit", "1"]),
    ):
        _FileServer.ranges = ranges
        seconds, sent, peaks, said = [], [], [], ""
        for _ in range(3):
            _FileServer.n_sent = 0
            with tempfile.TemporaryDirectory() as folder:
                command = ["run", "--input", url, "--output", folder, *limit]
                start = time.perf_counter()
                done = subprocess.run(
                    [sys.executable, "-c", _PEAK, *command],
                    env={**os.environ, "PYTHONPATH": os.environ.get("OTHER_SOURCE", str(SOURCE))},
                    capture_output=True,
                    text=True,
                    check=False,
                )
                seconds.append(time.perf_counter() - start)
            sent.append(_FileServer.n_sent / len(_FileServer.data))
            peaks.append(int((done.stdout.split() or ["0"])[-1]))
            if done.returncode:
                said = (done.stderr.strip().splitlines() or ["failed"])[-1]
        print(
            f"{label}: {_described(seconds)}; sent {statistics.median(sent):.2f} times the file; "
            f"peak {max(peaks)} MiB {said}"
        )
    server.shutdown()


@dataclass(frozen=True)
class Command:
    """A command, and the decision that rests on what it measures."""

    name: str
    decision: int
    work: Callable[..., None]
    takes_path: bool = True


COMMANDS = (
    Command("machine-code", 11, measure_machine_code),
    Command("schema", 1, measure_schema),
    Command("zarr", 6, measure_zarr),
    Command("fingerprint", 3, measure_fingerprint),
    Command("s3-clients", 4, measure_s3_clients, takes_path=False),
    Command("stores", 4, measure_stores, takes_path=False),
    Command("stores", 5, measure_stores, takes_path=False),
    Command("zip", 1, measure_zip, takes_path=False),
    Command("streams", 1, measure_streams, takes_path=False),
    Command("damaged-strings", 1, measure_damaged_strings, takes_path=False),
    Command("no-ranges", 10, measure_no_ranges),
    Command("r-files", 7, measure_r_files, takes_path=False),
    Command("drawing", 12, measure_drawing),
    Command("drawing", 14, measure_drawing),
    Command("clusters", 13, measure_clusters, takes_path=False),
)


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    commands = parser.add_subparsers(dest="command", required=True)
    for each in {each.name: each for each in COMMANDS}.values():
        text = (each.work.__doc__ or "").partition("\n")[0]
        command = commands.add_parser(each.name, help=text)
        command.set_defaults(work=each.work)
        if each.takes_path:
            command.add_argument("path", type=lambda text: Path(text).resolve())
    options = parser.parse_args()
    options.work(*([options.path] if "path" in options else []))


if __name__ == "__main__":
    main()

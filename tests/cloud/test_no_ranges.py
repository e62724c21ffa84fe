"""Matrices behind servers without ranges: copied to scratch space, or streamed beyond its limit."""

from __future__ import annotations

import gzip
import logging
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import cache, partial
from pathlib import Path

import numpy as np
import pytest

from dpss.compute.thread_executor import ThreadExecutor
from dpss.engine.progress import NullProgress
from dpss.engine.settings import ReadSettings, StatSettings
from dpss.job.pipeline import Pipeline
from dpss.job.publication import Recipe
from dpss.job.report.outcomes import Outcome, Status
from dpss.job.stop import NeverStop
from dpss.model import MatrixRef, Project
from dpss.storage.download import Fetcher
from dpss.storage.http.client import Client, RetryPolicy
from dpss.storage.scratch import Scratch
from tests.cloud.portal import matrix_bytes
from tests.memory_store import MemoryStore
from tests.servers.base import Answer
from tests.servers.files import FileServer
from tests.unit.cli.test_commands import command_of, environment
from tests.unit.small import FewFigures

N_CELLS, N_GENES, N_IN_MTX = 6_000, 400, 1_500
"""Some megabytes: more than is read of a file to recognise it."""

CLIENT = Client(RetryPolicy(deadline=300, initial_backoff=0.01, max_backoff=0.05, slow=3_600))
"""Retries at once, and takes no busy machine for a slow server."""


def counts() -> np.ndarray:
    """Counts below 10 of cells × genes."""
    random = np.random.default_rng(1)
    return random.integers(0, 10, (N_CELLS, N_GENES), dtype=np.uint8)


def table(values: np.ndarray, lines: list[str], columns: list[str]) -> bytes:
    """Write digits as csv."""
    text = np.full((values.shape[0], 2 * values.shape[1]), ord(","), dtype=np.uint8)
    text[:, 1::2] = values + ord("0")
    rows = [name.encode() + row.tobytes() for name, row in zip(lines, text, strict=True)]
    return b"\n".join([",".join(["", *columns]).encode(), *rows, b""])


def coordinates(values: np.ndarray, *, by_cell: bool) -> bytes:
    """Write digits as MatrixMarket, genes × cells, sorted by cell or by gene."""
    first, second = np.nonzero(values if by_cell else values.T)
    cells, genes = (first, second) if by_cell else (second, first)
    lines = map("%d %d %d".__mod__, zip(genes + 1, cells + 1, values[cells, genes], strict=True))
    head = "%%MatrixMarket matrix coordinate integer general"
    return "\n".join([head, f"{N_GENES} {len(values)} {len(cells)}", *lines, ""]).encode()


CELLS = [f"cell_{i}" for i in range(N_CELLS)]
GENES = [f"ENSG{i:011d}" for i in range(N_GENES)]


@pytest.fixture(scope="module")
def files() -> dict[str, bytes]:
    """Large matrices by name."""
    values = counts()
    few = values[:N_IN_MTX]
    by_cell = table(values, CELLS, GENES)
    return {
        "cells.csv": by_cell,
        "cells.csv.gz": gzip.compress(by_cell, 1),
        "genes.csv.gz": gzip.compress(table(values.T, GENES, CELLS), 1),
        "cells.mtx": coordinates(few, by_cell=True),
        "genes.mtx": coordinates(few, by_cell=False),
    }


class Counting(FileServer):
    """Serves without ranges, and counts what it sends."""

    n_sent = 0

    def _pieces(self, answer: Answer) -> Iterator[bytes]:
        for piece in super()._pieces(answer):
            for start in range(0, len(piece), 1 << 16):
                yield piece[start : start + (1 << 16)]
                self.n_sent += len(piece[start : start + (1 << 16)])


@dataclass
class Bench:
    """A pipeline, and what it leaves."""

    folder: Path
    store: MemoryStore = field(default_factory=MemoryStore)
    fetched: list[str] = field(default_factory=list)
    limit_bytes: int | None = None
    """Size of the scratch space."""

    def process(self, name: str, address: str, **changes: str) -> Outcome:
        """Summarise what is at an address, under a name that doesn't tell where that is."""
        bench = self

        class Watched(Scratch):
            def hold(self, blob, *, wait=True):
                bench.fetched.append(blob.name)
                return super().hold(blob, wait=wait)

        stats = StatSettings()
        with Watched(self.limit_bytes, self.folder) as scratch:
            fetcher = Fetcher(scratch, lambda: CLIENT)
            pipeline = Pipeline(
                store=self.store,
                stats=stats,
                read=ReadSettings(threads=2),
                recipe=Recipe("1", dict(stats.as_mapping())),
                executor=ThreadExecutor(2),
                stop=NeverStop(),
                render=FewFigures(),
                open_ref=fetcher.open,
                hold=partial(scratch.hold, wait=False),
            )
            ref = replace(MatrixRef("p", "", name, "none", location=address), **changes)
            (outcome,) = pipeline.process(Project("p", "P"), ref, NullProgress())
        return outcome

    @property
    def published(self) -> dict[str, bytes]:
        return {key: self.store.read(key) for key in sorted(self.store.keys())}


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


@pytest.fixture
def server() -> Iterator[Counting]:
    with Counting() as server:
        yield server


Published = Callable[[str], dict[str, bytes]]


@pytest.fixture(scope="module")
def local(files: dict[str, bytes], tmp_path_factory: pytest.TempPathFactory) -> Published:
    """Return what is published of a local file; each is read once."""

    @cache
    def published(name: str) -> dict[str, bytes]:
        folder = tmp_path_factory.mktemp("here")
        (folder / name).write_bytes(files.get(name) or matrix_bytes(name.partition(".")[2], 1))
        bench = Bench(folder)
        assert bench.process(name, str(folder / name)).status is Status.PUBLISHED
        return bench.published

    return published


@pytest.mark.parametrize("name", ["cells.csv.gz", "genes.csv.gz", "cells.mtx", "genes.mtx"])
@pytest.mark.parametrize("chunked", [False, True])
def test_it_is_copied_in_one_transfer(
    name: str,
    chunked: bool,
    files: dict[str, bytes],
    bench: Bench,
    server: Counting,
    local: Published,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The bytes are sent once, which is said; what is published is that of the local file."""
    caplog.set_level(logging.INFO, "dpss")
    url = server.add(f"/{name}", files[name], ranges=False, chunked=chunked)
    outcome = bench.process(name, url)
    assert outcome.status is Status.PUBLISHED, outcome.reason
    assert bench.fetched == [name]
    assert len(server.requests) == 1
    assert server.n_sent == len(files[name])
    assert f"/{name}: the server gives no parts of it; it is fetched" in caplog.text
    assert bench.published == local(name)


@pytest.mark.parametrize("name", ["cells.csv.gz", "genes.csv.gz", "cells.mtx"])
def test_beyond_the_scratch_space_it_is_streamed(
    name: str,
    files: dict[str, bytes],
    bench: Bench,
    server: Counting,
    local: Published,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A table or mtx is asked for anew for each reading, which is said; nothing lands on disk."""
    bench.limit_bytes = 1000
    outcome = bench.process(name, server.add(f"/{name}", files[name], ranges=False))
    assert outcome.status is Status.PUBLISHED, outcome.reason
    assert bench.fetched == []
    (said,) = (line for line in caplog.messages if "--scratch-limit" in line)
    assert "fetched again for each pass" in said
    assert "--no-embedding" in said
    assert bench.published == local(name)


def test_what_is_read_at_many_places_needs_the_scratch_space(
    bench: Bench, server: Counting
) -> None:
    """HDF5 larger than it fails, and the error names the limit."""
    bench.limit_bytes = 1000
    url = server.add("/m.h5ad", matrix_bytes("csc.h5ad", 1), ranges=False)
    outcome = bench.process("m.h5ad", url)
    assert outcome.status is Status.FAILED
    assert "--scratch-limit" in (outcome.reason or "")


@pytest.mark.parametrize("kind", ["csc.h5ad", "loom", "mtx.zip", "csv.gz"])
def test_any_format_is_copied(kind: str, bench: Bench, server: Counting, local: Published) -> None:
    """One transfer, whatever it is."""
    name, data = f"m.{kind}", matrix_bytes(kind, 1)
    outcome = bench.process(name, server.add(f"/{name}", data, ranges=False))
    assert outcome.status is Status.PUBLISHED, outcome.reason
    assert (bench.fetched[:1], server.n_sent) == ([name], len(data))
    assert bench.published == local(name)


def test_a_break_in_the_middle_is_mended_or_told(
    files: dict[str, bytes], bench: Bench, server: Counting, local: Published
) -> None:
    """Once broken it's sent anew; always broken it fails, and the next one is read."""
    name = "cells.csv"
    cut = Answer(cut_after=len(files[name]) * 5 // 6)
    url = server.add("/broken.csv", files[name], ranges=False, faults=[cut] * 100)
    outcome = bench.process(name, url)
    assert outcome.status is Status.FAILED
    assert "/broken.csv: " in (outcome.reason or "")
    assert bench.published == {}
    outcome = bench.process(name, server.add("/m.csv", files[name], ranges=False, faults=[cut]))
    assert outcome.status is Status.PUBLISHED, outcome.reason
    assert bench.fetched == ["broken.csv", "m.csv"]
    assert bench.published == local(name)


def test_a_promised_checksum_is_still_compared(bench: Bench, server: Counting) -> None:
    """A file with a sha256 is fetched as ever: nothing of wrong bytes is published."""
    url = server.add("/m.csv.gz", matrix_bytes("csv.gz", 1), ranges=False)
    outcome = bench.process("m.csv.gz", url, fingerprint=f"sha256:{'0' * 64}")
    assert (outcome.status, bench.fetched) == (Status.FAILED, ["m.csv.gz"])
    assert "sha256" in (outcome.reason or "")


def test_sigterm_ends_a_stream_whose_server_is_silent(
    files: dict[str, bytes], server: Counting, tmp_path: Path
) -> None:
    """A container has 30 seconds; the server would be waited for longer."""
    data = files["cells.csv"]
    url = server.add("/m.csv", data, ranges=False, faults=[Answer(hang_after=len(data) // 2)] * 9)
    output = ("--output", tmp_path / "out", "--scratch-limit", "1", "--timeout", "3600")
    process = subprocess.Popen(
        command_of(["run", "--input", url, *output]),
        env=environment(),
        stderr=subprocess.DEVNULL,
    )
    deadline = time.monotonic() + 300
    while server.n_sent < len(data) // 2:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    time.sleep(1)
    process.send_signal(signal.SIGTERM)
    process.wait(120)
    assert process.returncode == 128 + signal.SIGTERM

"""Measurements of decision 4: clients of S3, against moto's server on loopback."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

N_KEYS, N_PUTS, N_RANGES = 2500, 300, 150
RANGE_BYTES = 1 << 20
CLIENTS = ("obstore", "boto3", "s3fs")


def measure_s3_clients() -> None:
    """List, put and read ranges with each client that is installed, one process each."""
    from tests.servers.moto_s3 import MotoS3

    with MotoS3() as s3:
        s3.make_bucket("clients")
        store = _obstore(s3.url)
        for i in range(N_KEYS):
            store["put"](f"listed/{i:05}", b"")
        store["put"]("large", bytes(RANGE_BYTES * N_RANGES))
        for name in CLIENTS:
            program = f"from benchmarks.s3_clients import measure; measure({name!r}, {s3.url!r})"
            environment = {**os.environ, **s3.environment}
            subprocess.run([sys.executable, "-c", program], env=environment, check=True)


def measure(name: str, url: str) -> None:
    """Measure one client in this process."""
    make: Callable[[str], dict[str, Callable[..., Any]]] = globals()[f"_{name}"]
    try:
        with _spent(f"{name}: import and client"):
            client = make(url)
    except ImportError:
        print(f"{name}: not installed")
        return
    with _spent(f"{name}: list {N_KEYS:,} keys"):
        assert client["list"]("listed/") == N_KEYS
    with _spent(f"{name}: {N_PUTS} puts of 15 kB, one by one"):
        for i in range(N_PUTS):
            client["put"](f"put/{i}", bytes(15_000))
    with _spent(f"{name}: {N_RANGES} ranges of 1 MiB"):
        for i in range(N_RANGES):
            assert len(client["range"]("large", i * RANGE_BYTES, RANGE_BYTES)) == RANGE_BYTES


@contextmanager
def _spent(text: str) -> Iterator[None]:
    """Print the seconds that a part takes, by the clock and of this process."""
    clock, processor = time.perf_counter(), time.process_time()
    yield
    clock, processor = time.perf_counter() - clock, time.process_time() - processor
    print(f"{text}: {clock:.2f} s, {processor:.2f} s of processor time", flush=True)


def _obstore(url: str) -> dict[str, Callable[..., Any]]:
    import obstore
    from obstore.store import S3Store

    store = S3Store(
        "clients",
        endpoint=url,
        access_key_id="testing",
        secret_access_key="testing",
        region="us-east-1",
        client_options={"allow_http": True},
    )
    return {
        "list": lambda prefix: sum(len(part) for part in obstore.list(store, prefix)),
        "put": lambda key, data: obstore.put(store, key, data, use_multipart=False),
        "range": lambda key, start, n: obstore.get_range(store, key, start=start, length=n),
    }


def _boto3(url: str) -> dict[str, Callable[..., Any]]:
    import boto3

    client = boto3.client("s3", endpoint_url=url)

    def count(prefix: str) -> int:
        pages = client.get_paginator("list_objects_v2").paginate(Bucket="clients", Prefix=prefix)
        return sum(len(page["Contents"]) for page in pages)

    def read(key: str, start: int, n: int) -> bytes:
        span = f"bytes={start}-{start + n - 1}"
        return bytes(client.get_object(Bucket="clients", Key=key, Range=span)["Body"].read())

    return {
        "list": count,
        "put": lambda key, data: client.put_object(Bucket="clients", Key=key, Body=data),
        "range": read,
    }


def _s3fs(url: str) -> dict[str, Callable[..., Any]]:
    import s3fs

    files = s3fs.S3FileSystem(client_kwargs={"endpoint_url": url})
    return {
        "list": lambda prefix: len(files.find(f"clients/{prefix}")),
        "put": lambda key, data: files.pipe_file(f"clients/{key}", data),
        "range": lambda key, start, n: files.cat_file(f"clients/{key}", start=start, end=start + n),
    }

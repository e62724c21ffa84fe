"""The command of 2019 on the buckets of 2019, which a loopback S3 server stands in for."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from dpss.demo.files import write_mtx_zip
from tests.cloud.portal import make_counts
from tests.servers.moto_s3 import MotoS3

BUCKET = "dev.project-assets.data.humancellatlas.org"
OPTIONS = ["--source", "canned", "--environ", "dev", "--blacklist", "--min_gene_count", "1200"]
LARGE, SMALL, LISTED = (f"4a95101c-9ffc-4f30-a809-f04518a2380{i}" for i in range(3))


@pytest.fixture
def done(s3: MotoS3, bucket: str, tmp_path: Path) -> subprocess.CompletedProcess[str]:
    """The command's end, on three canned matrices of which one is on the blacklist."""
    client = s3.client
    if BUCKET not in [item["Name"] for item in client.list_buckets()["Buckets"]]:
        client.create_bucket(Bucket=BUCKET)
    for number, name in enumerate((f"{LARGE}.homo_sapiens", SMALL, LISTED)):
        path = tmp_path / "m.mtx.zip"
        # Cells with many genes and cells with few: 1,200 lies between them.
        counts = make_counts(number, n_cells=30, n_genes=2500)
        counts.matrix[10:, 1000:] = 0
        write_mtx_zip(path, counts)
        key = f"project-assets/project-matrices/{name}.mtx.zip"
        client.put_object(Bucket=BUCKET, Key=key, Body=path.read_bytes())
    client.put_object(Bucket=BUCKET, Key="blacklist", Body=f"\r\n {LISTED} \r\n".encode())
    return run_2019(s3, OPTIONS)


def run_2019(s3: MotoS3, options: list[str]) -> subprocess.CompletedProcess[str]:
    keep = {k: v for k, v in os.environ.items() if not k.startswith(("AWS_", "DPSS_"))}
    return subprocess.run(
        [sys.executable, "-c", "from dpss.cli.commands import run_main; run_main()", *options],
        env={**keep, **s3.environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )


@pytest.mark.slow
def test_figures_are_where_they_were(s3: MotoS3, done: subprocess.CompletedProcess[str]) -> None:
    """`project-stats/<uuid>[.<species>]/<figure>.png`, of cells with 1,200 genes, for all that
    are not on the blacklist."""
    assert done.returncode == 0, done.stderr
    client = s3.client
    listing = client.list_objects_v2(Bucket=BUCKET, Prefix="project-assets/project-stats/")
    keys = {
        item["Key"].removeprefix("project-assets/project-stats/") for item in listing["Contents"]
    }
    for folder in (f"{LARGE}.homo_sapiens", SMALL):
        for figure in ("highest_expr_genes", "violin", "highly_variable_genes"):
            assert f"{folder}/{figure}.png" in keys
        key = f"project-assets/project-stats/{folder}/summary.json"
        summary = json.loads(client.get_object(Bucket=BUCKET, Key=key)["Body"].read())
        assert (summary["n_cells"], summary["n_cells_kept"]) == (30, 10)
    assert not [key for key in keys if key.startswith(LISTED)]
    assert LISTED in done.stdout
    again = run_2019(s3, OPTIONS)
    assert "0 published, 2 unchanged, 1 skipped, 0 failed" in again.stdout


def test_a_missing_blacklist_is_told(s3: MotoS3, done: subprocess.CompletedProcess[str]) -> None:
    """Nothing starts without the list that was asked for; the message says where it was sought."""
    s3.client.delete_object(Bucket=BUCKET, Key="blacklist")
    again = run_2019(s3, ["--source", "canned", "--environ", "dev", "--blacklist"])
    assert again.returncode == 2
    assert f"looked for at s3://{BUCKET}/blacklist" in again.stderr

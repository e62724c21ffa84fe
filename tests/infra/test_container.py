"""The image, really built and run: figures, limits, signals, credentials, S3, bill of materials."""

from __future__ import annotations

import itertools
import json
import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.infra.docker import LOCKED, Image
from tests.infra.terraform import HEAVY, ROOT, loopback_aws
from tests.structure.test_locks import UNREACHABLE
from tools.container.prune import whole_packages

pytestmark = HEAVY

FIGURES = {
    "highest_expr_genes", "genes_by_cell_count", "highly_variable_genes", "violin",
    "scatter_genes_vs_counts", "scatter_percentMitoGenes_vs_count", "knee",
}  # fmt: skip
"""Figures of every matrix of counts."""
OF_THE_EMBEDDING = {"umap_clusters", "umap_qc", "pca_variance", "marker_genes", "cluster_qc"}
MAX_BYTES = 150_000_000


def test_help_as_in_2019(image: Image) -> None:
    """`docker run IMAGE -h`."""
    said = image.run("-h", options=("--network=none", *LOCKED))
    assert "--environ" in said
    assert "--min_gene_count" in said


def test_all_figures_of_a_real_matrix(image: Image, matrix: Path, output: Path) -> None:
    """No network, read-only, 512 MB, not root: all twelve figures, and no loop was compiled."""
    docker = image.docker
    docker("rm", "--force", "figures", ok=(0, 1))
    docker(
        "run", "--name=figures", "--network=none", *LOCKED,
        f"--volume={matrix.parent}:/data:ro", f"--volume={output}:/out",
        image.name, f"--input=/data/{matrix.name}", "--output=/out",
    )  # fmt: skip
    try:
        state = docker.inspect("figures")["State"]
        assert (state["ExitCode"], state["OOMKilled"]) == (0, False)
        scratch = output.parent / "scratch"
        docker("cp", "figures:/scratch", str(scratch))
    finally:
        docker("rm", "--force", "--volumes", "figures")
    (summary,) = output.glob("*/**/summary.json")
    said = json.loads(summary.read_text())
    assert (said["n_cells"], said["n_genes"]) == (2170, 33694)
    expected = FIGURES | OF_THE_EMBEDDING
    assert {figure["slug"] for figure in said["figures"]} == expected
    assert all((summary.parent / f"{slug}.png").stat().st_size > 5000 for slug in expected)
    assert summary.stat().st_uid == 10001
    assert list(scratch.rglob("*.machine-code")) == []


def test_every_format_is_read_with_what_the_image_has(image: Image, matrix: Path) -> None:
    """R, loom, a table, 10x: nothing that a reader needs was pruned, and no loop was compiled."""
    names = ("hca_bone_marrow_50.rds", "starmap_mpfc.loom", "mouse_intestine_dge.tsv.gz",
             "tenx_v2.h5", "tenx_v3_mtx", "paul15_dense.h5ad")  # fmt: skip
    said = image.docker(
        "run", "--rm", "--network=none", *LOCKED, f"--volume={matrix.parent}:/data:ro",
        "--entrypoint=sh", image.name, "-c",
        f"dpss summarize {' '.join(f'/data/{name}' for name in names)} --output /scratch/out"
        " 2>&1; ls -a /scratch/dpss",
        ok=(0, 2),
    ).stdout  # fmt: skip
    assert f"{len(names)} published, 0 unchanged, 0 skipped, 0 failed" in said
    assert ".machine-code" not in said


def test_every_type_of_numbers_is_counted_without_a_compiler(image: Image, tmp_path: Path) -> None:
    """Neither numba nor LLVM is there, and no type that a file may have needs them."""
    h5py = pytest.importorskip("h5py")
    rng = np.random.default_rng(3)
    types = ("?", "i1", "u1", "i2", "u2", "i4", "u4", "i8", "u8", "f2", "f4", "f8", ">i4", ">f8")
    wanted = {}
    for layout, values, indices in itertools.product(
        ("csr", "csc", "dense"), types, ("i2", "u4", "i8")
    ):
        if layout == "dense" and indices != "i8":
            continue
        counts = rng.poisson(0.6, (30, 50)).astype(values)
        name = f"{layout}-{values.replace('>', 'big')}-{indices}"
        write_h5ad(h5py, tmp_path / f"{name}.h5ad", layout, counts, indices)
        wanted[name] = float(counts.astype("f8").sum())
    tmp_path.chmod(0o755)
    code = (
        "import importlib.util, json, pathlib, dpss; print(json.dumps(["
        "[str(importlib.util.find_spec(n)) for n in ('numba', 'llvmlite')], "
        "{p.stem: dpss.summarize(p).total_counts for p in pathlib.Path('/data').glob('*.h5ad')}]))"
    )
    said = image.docker(
        "run", "--rm", "--network=none", *LOCKED, f"--volume={tmp_path}:/data:ro",
        "--entrypoint=python", image.name, "-c", code,
    ).stdout  # fmt: skip
    assert json.loads(said) == [["None", "None"], wanted]


def write_h5ad(h5py: Any, path: Path, layout: str, counts: Any, indices: str) -> None:
    """Write an h5ad of a layout and of any types."""
    with h5py.File(path, "w") as file:
        file.attrs.update({"encoding-type": "anndata", "encoding-version": "0.1.0"})
        for group, n in zip(("obs", "var"), counts.shape, strict=True):
            table = file.create_group(group)
            table.attrs.update({"encoding-type": "dataframe", "encoding-version": "0.2.0"})
            table.attrs.update({"_index": "_index", "column-order": np.array([], dtype="S1")})
            names = [f"{group}{i}" for i in range(n)]
            table.create_dataset("_index", data=names, dtype=h5py.string_dtype())
        if layout == "dense":
            dense = file.create_dataset("X", data=counts, chunks=(7, 50))
            dense.attrs.update({"encoding-type": "array", "encoding-version": "0.2.0"})
            return
        major = counts if layout == "csr" else counts.T
        group = file.create_group("X")
        group.attrs.update({"encoding-type": f"{layout}_matrix", "encoding-version": "0.1.0"})
        group.attrs["shape"] = np.array(counts.shape)
        pointers = np.concatenate([[0], np.cumsum((major != 0).sum(axis=1))])
        group.create_dataset("data", data=major[major != 0])
        group.create_dataset("indices", data=np.nonzero(major)[1].astype(indices))
        group.create_dataset("indptr", data=pointers.astype(indices))


def test_the_root_file_system_is_not_the_programs(image: Image) -> None:
    """Not root; nothing but /scratch can be written; no capability is left."""
    said = image.docker(
        "run", "--rm", "--network=none", *LOCKED, "--entrypoint=sh", image.name, "-c",
        "id -u; touch /opt/dpss/x /home/dpss/x 2>&1; touch /scratch/x && echo scratch; "
        "grep CapEff /proc/self/status",
        ok=(0,),
    ).stdout  # fmt: skip
    lines = said.splitlines()
    assert lines[0] == "10001"
    assert said.count("Read-only file system") == 2
    assert "scratch" in lines
    assert lines[-1].split()[1] == "0" * 16


def test_sigterm_ends_a_run_cleanly(image: Image, matrix: Path, output: Path) -> None:
    """SIGTERM in the middle: what is finished stays, nothing is half there, the rest follows."""
    docker = image.docker
    folder = output.parent / "in"
    folder.mkdir()
    for i in range(12):
        shutil.copyfile(matrix, folder / f"matrix{i:02}.h5ad")
    mounts = (f"--volume={folder}:/data:ro", f"--volume={output}:/out")
    command = ("--input=/data", "--output=/out")
    docker("rm", "--force", "stopped", ok=(0, 1))
    docker("run", "--detach", "--name=stopped", "--network=none", *LOCKED, *mounts,
           image.name, *command)  # fmt: skip
    try:
        for _ in range(600):
            if len(list(output.glob("*/**/summary.json"))) >= 2:
                break
            time.sleep(0.1)
        start = time.monotonic()
        docker("stop", "--time=30", "stopped")
        assert time.monotonic() - start < 25
        state = docker.inspect("stopped")["State"]
        assert state["ExitCode"] == 143, docker("logs", "stopped").stderr[-500:]
    finally:
        docker("rm", "--force", "--volumes", "stopped")
    done = list(output.glob("*/**/summary.json"))
    assert 2 <= len(done) < 12
    for summary in done:
        slugs = {f["slug"] for f in json.loads(summary.read_text())["figures"]}
        assert all((summary.parent / f"{slug}.png").exists() for slug in slugs)
    assert list((output / "runs").glob("*.json"))
    said = image.run(*command, options=("--network=none", *LOCKED, *mounts))
    assert f"{12 - len(done)} published, {len(done)} unchanged" in said
    assert len(list(output.glob("*/**/summary.json"))) == 12


@pytest.mark.parametrize("way", ["environment", "profile"])
def test_canned_matrices_on_s3_as_in_2019(
    image: Image, matrix: Path, tmp_path: Path, way: str
) -> None:
    """`--environ dev --source canned --min_gene_count 1200`, from S3 to S3, as 2019 said it.

    With credentials of the environment, and with a person's ~/.aws: private, mounted read-only.
    """
    boto3 = pytest.importorskip("boto3")
    pytest.importorskip("moto.server")
    archive = matrix.with_name("00000000-0000-4000-8000-000000000001.mtx.zip")
    bucket = "dev.project-assets.data.humancellatlas.org"
    with loopback_aws(tmp_path / "moto.log") as address:
        s3 = boto3.client("s3", endpoint_url=address, region_name="us-east-1",
                          aws_access_key_id="testing", aws_secret_access_key="testing")  # fmt: skip
        s3.create_bucket(Bucket=bucket)
        s3.upload_file(str(archive), bucket, f"project-assets/project-matrices/{archive.name}")
        options = ["--network=host", *LOCKED, f"--env=AWS_ENDPOINT_URL={address}",
                   "--env=AWS_ALLOW_HTTP=true"]  # fmt: skip
        if way == "environment":
            options += ["--env=AWS_ACCESS_KEY_ID=testing", "--env=AWS_SECRET_ACCESS_KEY=testing",
                        "--env=AWS_REGION=us-east-1"]  # fmt: skip
        else:
            home = tmp_path / ".aws"
            home.mkdir(mode=0o700)
            (home / "credentials").write_text(
                "[portal]\naws_access_key_id = testing\naws_secret_access_key = testing\n"
            )
            (home / "config").write_text("[profile portal]\nregion = us-east-1\n")
            (home / "credentials").chmod(0o600)
            os.chown(home, 4321, 4321)
            for path in home.iterdir():
                os.chown(path, 4321, 4321)
            options += ["--user=4321:4321", f"--volume={home}:/home/dpss/.aws:ro",
                        "--env=AWS_DEFAULT_PROFILE=portal"]  # fmt: skip
        image.run("--environ", "dev", "--source", "canned", "--min_gene_count", "1200",
                  options=tuple(options))  # fmt: skip
        found = s3.list_objects_v2(Bucket=bucket, Prefix="project-assets/project-stats/")
        keys = {o["Key"].removeprefix("project-assets/project-stats/") for o in found["Contents"]}
        project = archive.name.removesuffix(".mtx.zip")
        assert {f"{project}/{slug}.png" for slug in FIGURES} | {"index.html"} <= keys
        key = f"project-assets/project-stats/{project}/summary.json"
        body = s3.get_object(Bucket=bucket, Key=key)
        said = json.loads(body["Body"].read())
        assert said["n_cells"] == 2170
        assert said["n_cells_kept"] < 2170


def test_what_the_image_is(image: Image) -> None:
    """Labels, user, entry point, one volume; small; no pip, no compiler, nothing of notebooks."""
    found = image.docker.inspect(image.name)
    config = found["Config"]
    assert config["Entrypoint"] == ["data-portal-summary-stats"]
    assert config["User"] == "10001:10001"
    assert set(config["Volumes"]) == {"/scratch"}
    labels = config["Labels"]
    for name in ("title", "description", "licenses", "version", "revision", "created"):
        assert labels[f"org.opencontainers.image.{name}"]
    above = found["Size"] - image.docker.inspect(image.base)["Size"]
    print(f"{above / 1e6:.0f} MB above the base")
    assert above <= MAX_BYTES
    listed = image.docker(
        "run", "--rm", "--network=none", "--entrypoint=sh", image.name, "-c",
        "ls /opt/dpss/lib/python3*/site-packages /opt/dpss/bin; command -v gcc cc",
        ok=(0, 1, 127),
    ).stdout.split()  # fmt: skip
    absent = {"pip", "hatchling", "PIL", "fontTools", "gcc", "/usr/bin/gcc"} | whole_packages()
    assert not absent & set(listed)
    assert "dpss" in listed


def test_the_bill_of_materials(image: Image) -> None:
    """CycloneDX, made of what is there: each locked package that stays, with a licence."""
    text = image.docker(
        "run", "--rm", "--network=none", "--entrypoint=cat", image.name, "/opt/dpss/sbom.cdx.json"
    ).stdout
    bill = json.loads(text)
    assert (bill["bomFormat"], bill["specVersion"]) == ("CycloneDX", "1.6")
    parts = {canonicalize_name(c["name"]): c for c in bill["components"]}
    python = {"python_full_version": "3.13.0", "python_version": "3.13", "sys_platform": "linux"}
    locked = set()
    for line in (ROOT / "requirements.lock").read_text().splitlines():
        if "==" in line:
            requirement = Requirement(line.removesuffix("\\"))
            if requirement.marker is None or requirement.marker.evaluate(python):
                locked.add(canonicalize_name(requirement.name))
    assert locked - set(parts) == whole_packages()
    assert not [name for name, part in parts.items() if not part.get("licenses")]


@pytest.mark.parametrize("machine", ["x86_64", "aarch64"])
def test_every_package_has_a_wheel(machine: str, tmp_path: Path) -> None:
    """For both architectures each locked package can be installed without a compiler.

    Nothing is downloaded: the index is asked. The image for arm64 itself is not built here, as an
    emulated processor takes a quarter of an hour for it.
    """
    done = subprocess.run(
        [sys.executable, "-m", "uv", "--quiet", "pip", "install", "--dry-run", "--no-deps",
         "--require-hashes", "--only-binary=:all:", "--python-version=3.13",
         f"--python-platform={machine}-manylinux_2_28", f"--target={tmp_path}",
         f"--requirement={ROOT / 'requirements.lock'}"],
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    if done.returncode and UNREACHABLE.search(done.stderr):
        pytest.skip(f"no package index within reach: {' '.join(done.stderr.split())}")
    assert done.returncode == 0, done.stderr


def test_the_dockerfile_has_no_findings() -> None:
    """hadolint; what is let pass has its reason in the line above."""
    lines = (ROOT / "Dockerfile").read_text().splitlines()
    for before, line in itertools.pairwise(lines):
        for code in re.findall(r"DL\d+", line if "hadolint ignore=" in line else ""):
            assert before.startswith(f"# {code}: "), line
    if not shutil.which("hadolint"):
        pytest.skip("hadolint is not installed here; `make test-infra` installs it")
    done = subprocess.run(
        ["hadolint", str(ROOT / "Dockerfile")], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout

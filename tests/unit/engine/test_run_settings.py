"""Settings of a run: the deployments of 2019 and their buckets."""

from __future__ import annotations

from dpss.engine.run_settings import ENVIRONS, bucket_of


def test_buckets_of_all_deployments() -> None:
    """As they were in 2019: the stage before the name, none for prod."""
    names = {environ: bucket_of(environ).name for environ in ENVIRONS}
    rest = "project-assets.data.humancellatlas.org"
    assert names == {
        "dev": f"dev.{rest}",
        "integration": f"integration.{rest}",
        "staging": f"staging.{rest}",
        "prod": rest,
    }

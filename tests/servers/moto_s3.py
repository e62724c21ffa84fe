"""An S3 server on loopback: moto's, in a process of its own so that it has its own processor.

with MotoS3() as s3: ...
"""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config

ROOT = Path(__file__).resolve().parent.parent.parent
CREDENTIALS = {
    "AWS_ACCESS_KEY_ID": "testing",
    "AWS_SECRET_ACCESS_KEY": "testing",
    "AWS_DEFAULT_REGION": "us-east-1",
    # No question to a machine's metadata service: it isn't on loopback.
    "AWS_EC2_METADATA_DISABLED": "true",
}


def serve() -> None:
    """Serve until the process is killed; print the port, which the system chose, once it listens.

    A port that was found free before could be taken by another process before the server does.
    """
    from moto.server import ThreadedMotoServer  # takes most of a second

    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    print(server.get_host_and_port()[1], flush=True)
    threading.Event().wait()


class MotoS3:
    """moto's server, and a client of AWS's own to look at what is in it."""

    def __init__(self, log: Path | None = None, keys_of_a_page: int = 1000) -> None:
        """Start the server.

        Args:
            log: Gets a line for each request.
            keys_of_a_page: Most objects that an answer to a listing names; 1000 at S3.
        """
        self._log = log.open("wb") if log else None
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.servers.moto_s3"],
            cwd=ROOT,
            env={**os.environ, **CREDENTIALS, "MOTO_S3_DEFAULT_MAX_KEYS": str(keys_of_a_page)},
            stdout=subprocess.PIPE,
            stderr=self._log or subprocess.DEVNULL,
        )
        assert self._process.stdout
        told = self._process.stdout.readline()
        if not told:
            raise RuntimeError("moto's server ended at once")
        self.port = int(told)
        self.url = f"http://127.0.0.1:{self.port}"

    def __enter__(self) -> MotoS3:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._process.kill()
        self._process.communicate()
        if self._log:
            self._log.close()

    @property
    def environment(self) -> dict[str, str]:
        """What the program needs in its environment to find this server."""
        return {**CREDENTIALS, "AWS_ENDPOINT_URL": self.url}

    @property
    def client(self) -> Any:
        return boto3.client(
            "s3",
            endpoint_url=self.url,
            aws_access_key_id="testing",
            aws_secret_access_key="testing",
            region_name="us-east-1",
            config=Config(retries={"max_attempts": 2}),
        )

    def make_bucket(self, name: str) -> str:
        self.client.create_bucket(Bucket=name)
        return name


if __name__ == "__main__":
    serve()

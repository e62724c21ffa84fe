"""S3 against moto's server: what a browser gets, what a reader gets, what is said if not."""

from __future__ import annotations

import json
import os
import pickle
import subprocess
import sys
from pathlib import Path

import pytest

from dpss.errors import CorruptMatrixError, FetchError, SettingsError, UnreachableError
from dpss.storage.s3 import connection as aws
from dpss.storage.s3.objects import S3Blob, S3Tree, find, list_objects, split_url
from dpss.storage.s3.store import S3Store
from tests.servers.base import Answer, Server
from tests.servers.moto_s3 import MotoS3

DATA = os.urandom(9_000_000)


@pytest.mark.parametrize(
    ("key", "kind", "kept"),
    [
        ("p/violin.png", "image/png", "public, max-age=300"),
        ("p/violin.svg", "image/svg+xml", "public, max-age=300"),
        ("p/genes.csv", "text/csv; charset=utf-8", "no-cache"),
        ("p/summary.json", "application/json", "no-cache"),
        ("index.html", "text/html; charset=utf-8", "no-cache"),
        ("runs/1.json", "application/json", "public, max-age=31536000, immutable"),
    ],
)
def test_a_browser_shows_what_is_published(
    s3: MotoS3, bucket: str, key: str, kind: str, kept: str
) -> None:
    """Content type, time to keep and `inline` are as a browser needs them; no ACL is set."""
    S3Store(bucket, "x").write(key, b"1")
    head = s3.client.head_object(Bucket=bucket, Key=f"x/{key}")
    assert (head["ContentType"], head["CacheControl"]) == (kind, kept)
    assert head["ContentDisposition"] == "inline"
    grants = s3.client.get_object_acl(Bucket=bucket, Key=f"x/{key}")["Grants"]
    assert [grant["Grantee"]["Type"] for grant in grants] == ["CanonicalUser"]


def test_an_object_is_a_blob(s3: MotoS3, bucket: str) -> None:
    """Ranges and streams give the object's bytes, also after being pickled."""
    s3.client.put_object(Bucket=bucket, Key="a/b.h5ad", Body=DATA)
    blob = find(f"s3://{bucket}/a/b.h5ad")
    assert isinstance(blob, S3Blob)
    assert (blob.name, blob.size_bytes) == ("b.h5ad", len(DATA))
    blob = pickle.loads(pickle.dumps(blob))
    assert blob.read_range(1000, 100) == DATA[1000:1100]
    assert blob.read_range(len(DATA) - 5, 100) == DATA[-5:]
    assert blob.read_range(len(DATA), 1) == b""
    with blob.open() as file:
        assert file.read() == DATA
    with blob.open() as file:
        assert file.read(10) == DATA[:10]


def test_a_prefix_is_a_tree(s3: MotoS3, bucket: str) -> None:
    """Objects below a prefix are found as the files of a folder are."""
    for key in ("x/matrix.mtx.gz", "x/sub/barcodes.tsv.gz", "xy/other"):
        s3.client.put_object(Bucket=bucket, Key=key, Body=b"1")
    tree = find(f"s3://{bucket}/x")
    assert isinstance(tree, S3Tree)
    assert list(tree.blobs()) == ["matrix.mtx.gz", "sub/barcodes.tsv.gz"]
    with pytest.raises(UnreachableError, match="no such object"):
        find(f"s3://{bucket}/nothing")


def test_an_object_that_was_replaced_is_noticed(s3: MotoS3, bucket: str) -> None:
    """Two halves of two objects are never taken for one, and one that is gone is said."""
    s3.client.put_object(Bucket=bucket, Key="a", Body=b"old" * 100)
    blob = find(f"s3://{bucket}/a")
    assert isinstance(blob, S3Blob)
    s3.client.put_object(Bucket=bucket, Key="a", Body=b"new" * 100)
    with pytest.raises(CorruptMatrixError, match="was changed"):
        blob.read_range(0, 10)
    s3.client.delete_object(Bucket=bucket, Key="a")
    with pytest.raises(FetchError, match="no longer there"):
        blob.read_range(0, 10)


def test_a_bucket_that_is_not_there_is_said(bucket: str) -> None:
    """The message names the bucket, in one line, without a stack of Rust structures."""
    for use in (
        lambda: list(S3Store("no-such-bucket").keys()),
        lambda: S3Store("no-such-bucket").write("a", b""),
    ):
        with pytest.raises(UnreachableError) as caught:
            use()
        message = str(caught.value)
        assert message.startswith("s3://no-such-bucket/")
        assert message.endswith("there is no such bucket")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("status", "code", "words"),
    [
        (403, "AccessDenied", "lack a permission"),
        (403, "InvalidAccessKeyId", "does not know the access key"),
        (403, "SignatureDoesNotMatch", "does not belong"),
        (400, "ExpiredToken", "have expired; renew them"),
        (400, "AuthorizationHeaderMalformed", "another region; set AWS_REGION"),
        (301, "PermanentRedirect", "another region; set AWS_REGION"),
        (403, "RequestTimeTooSkewed", "clock"),
    ],
)
def test_refusals_are_explained(
    bucket: str, monkeypatch: pytest.MonkeyPatch, status: int, code: str, words: str
) -> None:
    """What AWS answers in codes is said in words, with what to do."""
    body = f"<Error><Code>{code}</Code><Message>m</Message></Error>".encode()
    with Server(lambda request: Answer(status, body)) as server:
        monkeypatch.setenv("AWS_ENDPOINT_URL", server.url)
        aws.connect.cache_clear()
        for use in (lambda: list(list_objects("b", "")), lambda: S3Store("b").write("a", b"")):
            with pytest.raises(UnreachableError, match=words) as caught:
                use()
            assert "testing" not in str(caught.value)


@pytest.mark.slow
def test_passing_faults_are_outlived(
    s3: MotoS3, bucket: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two 503 and a reset on the way cost time only."""
    body = b"<Error><Code>SlowDown</Code></Error>"
    listing = (
        b"<ListBucketResult><IsTruncated>false</IsTruncated><Contents><Key>a</Key><Size>1</Size>"
        b"<LastModified>2026-01-01T00:00:00.000Z</LastModified><ETag>&quot;e&quot;</ETag>"
        b"</Contents></ListBucketResult>"
    )
    with Server(lambda request: Answer(200, listing)) as server:
        server.faults = [Answer(503, body), Answer(503, body), Answer(200, listing, cut_after=9)]
        monkeypatch.setenv("AWS_ENDPOINT_URL", server.url)
        aws.connect.cache_clear()
        assert [blob.key for blob in list_objects("b", "")] == ["a"]
        head = {"ETag": '"e"', "Last-Modified": "Wed, 21 Oct 2015 07:28:00 GMT"}
        server.answer = lambda request: Answer(  # type: ignore[method-assign]
            206, b"0123", {**head, "Content-Range": "bytes 2-5/6"}
        )
        server.faults = [
            Answer(500),
            Answer(206, b"0123", {**head, "Content-Range": "bytes 2-5/6"}, cut_after=2),
        ]
        assert S3Blob("b", "a", 6, "e").read_range(2, 4) == b"0123"


def ask_who(home: Path, **environment: str) -> str:
    """Which access key another process uses, with a home of its own."""
    code = (
        "from dpss.storage.s3.connection import connect\n"
        "print(connect('b').credential_provider()['access_key_id'])"
    )
    keep = {k: v for k, v in os.environ.items() if not k.startswith("AWS_")}
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**keep, "HOME": str(home), "AWS_EC2_METADATA_DISABLED": "true", **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout.strip() or done.stderr.strip().splitlines()[-1]


@pytest.fixture
def home(tmp_path: Path) -> Path:
    folder = tmp_path / ".aws"
    folder.mkdir()
    (folder / "credentials").write_text(
        "[default]\naws_access_key_id=DEFAULT\naws_secret_access_key=s\n"
        "[dev]\naws_access_key_id=DEV\naws_secret_access_key=s\n"
    )
    program = tmp_path / "credentials.py"
    document = {"Version": 1, "AccessKeyId": "RUN", "SecretAccessKey": "s"}
    program.write_text(f"print({json.dumps(json.dumps(document))})")
    process = f"{sys.executable} {program}"
    (folder / "config").write_text(
        f"[profile dev]\nregion=eu-west-1\n[profile run]\ncredential_process={process}\n"
    )
    return tmp_path


@pytest.mark.slow
@pytest.mark.parametrize(
    ("environment", "who"),
    [
        ({}, "DEFAULT"),
        ({"AWS_PROFILE": "dev"}, "DEV"),
        ({"AWS_DEFAULT_PROFILE": "dev"}, "DEV"),
        ({"AWS_PROFILE": "run"}, "RUN"),
        ({"AWS_ACCESS_KEY_ID": "ENV", "AWS_SECRET_ACCESS_KEY": "s"}, "ENV"),
    ],
)
def test_the_standard_configuration_works(
    home: Path, environment: dict[str, str], who: str
) -> None:
    """Environment, profiles under either name, and programs that give credentials."""
    assert ask_who(home, **environment) == who


@pytest.mark.slow
def test_a_task_role_works(tmp_path: Path) -> None:
    """The credentials that ECS gives a task are asked for where it says."""
    document = (
        b'{"AccessKeyId":"ROLE","SecretAccessKey":"s","Token":"t",'
        b'"Expiration":"2099-01-01T00:00:00Z"}'
    )
    with Server(lambda request: Answer(200, document)) as server:
        found = ask_who(tmp_path, AWS_CONTAINER_CREDENTIALS_FULL_URI=f"{server.url}/role")
        assert found == "ROLE"
        assert server.requests[0].path == "/role"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("environment", "words"),
    [
        ({"AWS_PROFILE": "nobody"}, "check AWS_PROFILE"),
        ({"AWS_ACCESS_KEY_ID": "ENV"}, "set both"),
        ({"HOME": "/nonexistent"}, "no AWS credentials found in the environment"),
    ],
)
def test_missing_credentials_are_explained(
    home: Path, environment: dict[str, str], words: str
) -> None:
    """Whoever has none is told where they were looked for."""
    last = ask_who(home, **environment)
    assert words in last
    assert last.startswith("dpss.errors.UnreachableError: s3://b: ")


@pytest.mark.slow
def test_the_profiles_region_and_endpoint_count(home: Path) -> None:
    """What a profile says of region and endpoint holds, unless the environment says otherwise."""
    with (home / ".aws" / "config").open("a") as file:
        file.write("[profile own]\nregion=eu-north-1\nendpoint_url=http://127.0.0.1:9\n")
    code = (
        "from dpss.storage.s3.connection import connect\n"
        "config = connect('b').config\n"
        "print(config['region'], config['endpoint'])"
    )
    keep = {k: v for k, v in os.environ.items() if not k.startswith("AWS_")}
    base = {"HOME": str(home), "AWS_PROFILE": "own", "AWS_EC2_METADATA_DISABLED": "true"}
    base |= {"AWS_ACCESS_KEY_ID": "k", "AWS_SECRET_ACCESS_KEY": "s"}
    for more, expected in (
        ({}, "eu-north-1 http://127.0.0.1:9"),
        (
            {"AWS_REGION": "eu-west-3", "AWS_ENDPOINT_URL": "http://127.0.0.1:8"},
            "eu-west-3 http://127.0.0.1:8",
        ),
    ):
        done = subprocess.run(
            [sys.executable, "-c", code],
            env={**keep, **base, **more},
            capture_output=True,
            text=True,
            check=True,
        )
        assert done.stdout.strip() == expected


@pytest.mark.parametrize("url", ["s3:///a", "s3://", "https://b/a"])
def test_addresses_are_checked(url: str) -> None:
    """What names no bucket is refused."""
    with pytest.raises(SettingsError, match="s3://bucket/key"):
        split_url(url)

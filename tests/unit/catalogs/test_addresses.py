"""Addresses in catalogues' answers that lead to this machine or its network."""

from __future__ import annotations

import ipaddress
import random
from dataclasses import replace

import pytest

from dpss.catalogs.addresses import check_addresses
from dpss.catalogs.azul import AzulCatalog
from dpss.catalogs.cellxgene import CellxgeneCatalog
from dpss.catalogs.matrix_service import FreshCatalog
from dpss.errors import UnreachableError
from dpss.model import MatrixRef, Project, Skipped
from dpss.storage.http.networks import PUBLIC, why_not_from
from dpss.storage.redaction import redact_url
from tests.servers.base import Answer, Server, json_answer
from tests.servers.cellxgene import CellxgeneServer

SERVICE = "https://8.8.8.8/api"
METADATA = "http://169.254.169.254/latest/meta-data/"
HOSTILE = [
    METADATA, "http://127.0.0.1:9000/a", "http://[::1]/a", "http://10.1.2.3/a", "http://2130706433/",
    "/etc/hostname", "file:///etc/hostname", "s3://somebody/a.h5ad", "ftp://8.8.8.8/a", "", "http://[",
    "http:///a",
]  # fmt: skip


@pytest.mark.parametrize("address", HOSTILE)
def test_a_public_service_gives_no_address_of_this_machine(address: str) -> None:
    """Files, other stores and private hosts are failures of their own; the others come."""
    good = MatrixRef("p", "good", "", "f", location="https://8.8.4.4/a.h5ad")
    bad = MatrixRef("p", "bad", "", "f", location=address)
    earlier = Skipped("x", "y")
    found = check_addresses(Project("p", "P", (bad, good), (earlier,)), SERVICE)
    assert found.refs == (replace(good, networks=PUBLIC),)
    assert found.skipped[0] == earlier
    assert (found.skipped[1].name, found.skipped[1].failed) == ("bad", True)


def test_random_hosts_are_read_exactly_if_they_are_public() -> None:
    """The rule agrees with the registry of special addresses, for 300 random ones."""
    chance = random.Random(5)
    for _ in range(300):
        host = ipaddress.IPv4Address(chance.getrandbits(32))
        assert bool(why_not_from(SERVICE, f"https://{host}/a")) == (not host.is_global)


def test_a_service_that_the_user_named_on_loopback_gives_its_own_files() -> None:
    """Its own host and its own network are read; never a link-local host."""
    assert why_not_from("http://127.0.0.1:9/x", "http://127.0.0.1:8/a") == ""
    assert why_not_from("http://10.0.0.1/x", "http://10.0.0.2/a") == ""
    assert "link-local" in why_not_from("http://127.0.0.1:9/x", METADATA)


@pytest.mark.parametrize("only", [frozenset(), frozenset({"c1"})])
@pytest.mark.parametrize("address", [METADATA, "/etc/hostname"])
def test_cellxgene(address: str, only: frozenset[str]) -> None:
    """A dataset whose file is elsewhere fails; its neighbour comes."""
    with CellxgeneServer() as server:
        server.add("c1", "d1", "v1", b"one")
        server.add("c1", "d2", "v2", b"two", assets=[{"filetype": "H5AD", "url": address}])
        (project,) = CellxgeneCatalog(server.api, only).projects()
    assert [ref.name for ref in project.refs] == ["d1"]
    assert [(each.name, each.failed) for each in project.skipped] == [("d2", True)]


def test_the_next_page_of_azul() -> None:
    """The list of projects goes on at no private host: it is not asked for."""
    pages = {"hits": [], "pagination": {"next": METADATA}}
    with (
        Server(lambda request: json_answer(pages)) as server,
        pytest.raises(UnreachableError, match="link-local"),
    ):
        list(AzulCatalog(server.url, "dcp1").projects())


def test_the_matrix_of_a_request() -> None:
    """The Matrix Service's address of a finished matrix is checked before it is asked for."""

    def answer(request: object) -> Answer:
        path = str(request.path)  # type: ignore[attr-defined]
        if "/filters/" in path:
            return json_answer({"cell_counts": {"p": 3}})
        if path.endswith("/matrix"):
            return json_answer({"request_id": "r"}, 202)
        return json_answer({"status": "Complete", "matrix_url": METADATA})

    with Server(answer) as server:
        (project,) = FreshCatalog(server.url).projects()
    assert not project.refs
    assert "link-local" in project.skipped[0].reason


@pytest.mark.parametrize("address", ["http://[", "https://[::1/a?sig=1", "http://me:pw@[x/a"])
def test_an_address_that_can_not_be_parsed_is_shown_without_its_rest(address: str) -> None:
    """Nothing of it is shown but the scheme: any part may be a secret."""
    assert redact_url(address) == f"{address.partition('://')[0]}://…"

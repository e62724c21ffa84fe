"""Catalogs of remote sources, made from settings."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from dpss._version import __version__
from dpss.catalogs.base import Catalog
from dpss.engine.run_settings import RunSettings, bucket_of

if TYPE_CHECKING:
    from dpss.storage.http import Client


def make_client(settings: RunSettings) -> Client:
    """Return an HTTP client. Imported here, as a run on local files sends no request."""
    from dpss.storage.http import Client, RetryPolicy

    return Client(
        RetryPolicy(read_timeout=settings.timeout) if settings.timeout else RetryPolicy(),
        user_agent=f"data-portal-summary-stats/{__version__} "
        "(+https://github.com/DataBiosphere/data-portal-summary-stats)",
    )


def make_canned(settings: RunSettings, excluded: frozenset[str]) -> Catalog:
    """Return the catalog of ``--source canned``."""
    from dpss.catalogs.canned import CannedCatalog

    url = settings.source_url or bucket_of(settings.environ or "prod").matrices
    return CannedCatalog(url, settings.only)


def make_fresh(settings: RunSettings, excluded: frozenset[str]) -> Catalog:
    """Return the catalog of ``--source fresh``."""
    from dpss.catalogs.azul import AZUL_URL, AzulCatalog
    from dpss.catalogs.matrix_service import FreshCatalog

    stage = "" if settings.environ in (None, "prod") else f"{settings.environ}."
    usual = f"https://matrix.{stage}data.humancellatlas.org/v1"
    titles = AzulCatalog((settings.azul_url or AZUL_URL).rstrip("/"), client=make_client(settings))
    return FreshCatalog(
        (settings.source_url or usual).rstrip("/"),
        min_gene_count=settings.stats.min_gene_count,
        only=settings.only,
        excluded=excluded,
        title_of=titles.title,
        client=make_client(settings),
    )


def make_azul(settings: RunSettings, excluded: frozenset[str]) -> Catalog:
    """Return the catalog of ``--source azul``."""
    from dpss.catalogs.azul import AZUL_URL, AzulCatalog
    from dpss.catalogs.azul_files import FileRules

    return AzulCatalog(
        (settings.source_url or AZUL_URL).rstrip("/"),
        settings.catalog,
        settings.only,
        FileRules(settings.include_intermediate, settings.all_files),
        make_client(settings),
    )


def make_cellxgene(settings: RunSettings, excluded: frozenset[str]) -> Catalog:
    """Return the catalog of ``--source cellxgene``."""
    from dpss.catalogs.cellxgene import CELLXGENE_URL, CellxgeneCatalog

    url = (settings.source_url or CELLXGENE_URL).rstrip("/")
    return CellxgeneCatalog(url, settings.only, make_client(settings))


REMOTE: dict[str, Callable[[RunSettings, frozenset[str]], Catalog]] = {
    "canned": make_canned,
    "fresh": make_fresh,
    "azul": make_azul,
    "cellxgene": make_cellxgene,
}
"""Functions that make the catalog of each source, given the ids to leave out."""


def read_excluded(settings: RunSettings) -> frozenset[str]:
    """Return the ids on the blacklist; an empty set if the settings name none.

    Raises:
        SettingsError: The blacklist can't be read.
    """
    if not settings.blacklist_file:
        return frozenset()
    from dpss.catalogs.selection import read_blacklist

    return read_blacklist(settings.blacklist_file)


def exclude(catalog: Catalog, settings: RunSettings, excluded: frozenset[str]) -> Catalog:
    """Return a catalog without the projects on the blacklist."""
    if not settings.blacklist_file:
        return catalog
    from dpss.catalogs.selection import BlacklistedCatalog

    return BlacklistedCatalog(catalog, excluded, settings.blacklist_file)

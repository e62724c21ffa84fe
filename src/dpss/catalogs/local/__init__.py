"""Matrices of the local file system, in folders as pipelines leave them, too."""

from dpss.catalogs.local.folder import LocalCatalog, Recognise
from dpss.catalogs.local.given import GivenCatalog
from dpss.catalogs.local.sheet_catalog import SheetCatalog

__all__ = ["GivenCatalog", "LocalCatalog", "Recognise", "SheetCatalog"]

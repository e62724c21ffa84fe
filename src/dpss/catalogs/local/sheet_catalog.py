"""Catalog of a sample sheet: one project, with a matrix for each sample."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from dpss.catalogs.local.given import ref_of
from dpss.catalogs.local.samplesheet import (
    MAX_BYTES,
    ONE_LINE,
    SampleSheet,
    SheetFault,
    SheetRow,
    listed,
    parse_sheet,
    sheet_error,
    shown,
)
from dpss.errors import DpssError, UnreachableError, plural
from dpss.model import MatrixRef, Project
from dpss.storage.locations import local_path
from dpss.storage.names import safe_name
from dpss.storage.redaction import redact_url

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class SheetCatalog:
    """The samples of a sheet as one project, named after the sheet.

    Relative paths are below the sheet's folder. All samples are looked up before the project is
    returned: no matrix of a sheet with a fault is read.
    """

    sheet: str
    """Path of the sheet."""

    @property
    def name(self) -> str:
        """Name of the source with its sheet."""
        return f"samples of {self.sheet}"

    def projects(self) -> Iterator[Project]:
        """Yield the project.

        Raises:
            UnreachableError: The sheet can't be read.
            SettingsError: The sheet has faults; the message has a line for each.
        """
        path = _path_of(self.sheet)
        sheet, faults = _read(path, self.sheet)
        project = safe_name(path.stem)
        refs: list[MatrixRef] = []
        first: dict[str, int] = {}
        known = {fault.line for fault in faults if fault.column == "path"}
        for row in sheet.rows:
            if row.line in known:
                continue
            try:
                ref = _ref(project, row, path.parent)
                addresses = _addresses(ref)
                other = next((first[each] for each in addresses if each in first), 0)
                if other:
                    again = f"{shown(row.path)} is the matrix of line {other}, too"
                    faults.append(SheetFault(row.line, "path", f"{again}; {ONE_LINE}"))
                first |= dict.fromkeys(addresses, row.line)
                refs.append(ref)
            except (DpssError, OSError, ValueError) as error:
                faults.append(SheetFault(row.line, "path", _reason(row, error)))
        if faults:
            raise sheet_error(self.sheet, faults)
        if sheet.ignored:
            columns = "column" if len(sheet.ignored) == 1 else "columns"
            log.warning("%s: not used: %s %s", self.sheet, columns, listed(sheet.ignored))
        log.info("%s: %s", self.sheet, plural(len(refs), "sample"))
        yield Project(project, path.stem, tuple(refs))


def _path_of(sheet: str) -> Path:
    path = local_path(sheet)
    if path is None:
        raise UnreachableError(
            f"--samplesheet {sheet}: only a local file can be one; the paths in it may be addresses"
        )
    return path


def _read(path: Path, given: str) -> tuple[SampleSheet, list[SheetFault]]:
    # Opening a pipe would wait for its writer.
    if path.exists() and not (path.is_file() or path.is_dir()):
        raise UnreachableError(f"--samplesheet {given}: is a pipe or a device; give a file")
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        reason = error.strerror or "can't be read"
        raise UnreachableError(f"--samplesheet {given}: {reason}") from error
    if len(data) > MAX_BYTES:
        raise UnreachableError(
            f"--samplesheet {given}: has more than {MAX_BYTES >> 20} MiB; is it a matrix?"
        )
    return parse_sheet(data, given)


def _ref(project: str, row: SheetRow, folder: Path) -> MatrixRef:
    """Return the reference to a sample's matrix."""
    path = local_path(row.path)
    address = row.path if path is None else str(folder / path)
    ref = ref_of(address, project, row.sample)
    if path is not None and not path.is_absolute():
        ref = replace(ref, url=path.as_posix())
    terms = {"chemistry": row.chemistry, "group": row.group}
    return replace(
        ref,
        is_sample=True,
        n_cells_expected=row.expected_cells,
        peers=row.group,
        strata={name: (text,) for name, text in terms.items() if text},
    )


def _addresses(ref: MatrixRef) -> list[str]:
    """Return the addresses of a matrix in all its formats, local ones resolved."""
    same = ref.companions.same_locations if ref.companions else ()
    local = ((address, local_path(address)) for address in (ref.address, *same))
    return [address if path is None else str(path.resolve()) for address, path in local]


def _reason(row: SheetRow, error: Exception) -> str:
    """Return the reason why a sample can't be read, with its path once."""
    reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    filename = str(getattr(error, "filename", None) or "")
    if filename and Path(filename).name != Path(row.path).name:
        reason = f"{filename}: {reason}"
    return reason if row.path in reason else f"{redact_url(row.path)}: {reason}"

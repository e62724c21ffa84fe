"""The schema of CELLxGENE Discover in a file: version, terms, missing fields.

Fields are those of ``schema/<version>/schema.md`` of chanzuckerberg/single-cell-curation, with the
words "Curator MUST annotate" and without a condition: versions 5.0.0 to 5.3.0, 6.0.0 (which moved
the organism from ``obs`` to ``uns``), 7.0.0 and 7.1.0.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from dpss.errors import agreeing, plural
from dpss.summary.status import NOT_MEASURED, PASS, WARN

CHECK = "cellxgene_schema"
"""Name of the check."""
TERM_FIELDS = {
    "organism": "Organism",
    "tissue": "Tissue",
    "assay": "Assay",
    "cell_type": "Cell type",
    "disease": "Disease",
    "sex": "Sex",
    "development_stage": "Development stage",
}
"""Fields whose terms are shown, with their titles, in order."""
PRIMARY = "is_primary_data"
"""Column that is true where this data set is the canonical source of a cell."""
SUFFIX = "_ontology_term_id"
"""End of the name of a column of term ids; the column of labels has the name of the field."""
_TERM_COLUMNS = tuple(
    f"{name}{SUFFIX}"
    for name in (
        "assay",
        "cell_type",
        "development_stage",
        "disease",
        "self_reported_ethnicity",
        "sex",
        "tissue",
    )
)
_CELL_COLUMNS = (*_TERM_COLUMNS, "donor_id", PRIMARY, "suspension_type", "tissue_type")
_ORGANISM = f"organism{SUFFIX}"
N_TELLING = 5
"""Least columns of `_TERM_COLUMNS` by which a file without a version is recognised."""
KNOWN_VERSIONS = (5, 6, 7)
"""Major versions whose required fields are known."""
REPOSITORY = "single-cell-curation"
"""Part of ``schema_reference`` in every file of CELLxGENE Discover."""
N_LISTED = 20
"""Most terms of a field that are kept, the most frequent."""
_VERSION = re.compile(r"(\d{1,4})\.\d{1,4}\.\d{1,4}")


@dataclass(frozen=True)
class SchemaStatement:
    """The statement of a file that it follows the schema."""

    version: str | None
    """Version as the file states it; ``None`` where it states none."""
    reference: str | None
    """Address of the schema as the file states it."""
    evidence: str
    """Evidence that it follows the schema, one sentence."""

    @property
    def major(self) -> int | None:
        """Major version; ``None`` where the file states none."""
        found = _VERSION.fullmatch(self.version or "")
        return None if found is None else int(found[1])

    @property
    def title(self) -> str:
        """Name of the schema with its version.

        >>> SchemaStatement("7.1.0", None, "").title
        'CELLxGENE 7.1.0'
        """
        return f"CELLxGENE {self.version or 'without a version'}"


@dataclass(frozen=True)
class OntologyTerm:
    """One value of a field, with its cells."""

    ontology_term_id: str | None
    """Identifier of the term in its ontology; ``None`` where the file has labels alone."""
    label: str | None
    """Name of the term; ``None`` where the file has identifiers alone."""
    n_cells: int


@dataclass(frozen=True)
class FieldTerms:
    """The terms of one field."""

    field: str
    """Name of the field, one of `TERM_FIELDS`."""
    n_terms: int
    """Number of distinct terms."""
    n_missing: int
    """Cells without a term."""
    terms: tuple[OntologyTerm, ...]
    """The terms with the most cells, at most `N_LISTED`."""


@dataclass(frozen=True)
class SchemaReport:
    """Facts of a file that follows CELLxGENE's schema; over all cells of the matrix."""

    schema_version: str | None
    """Version of the schema as the file states it; ``None`` where it states none."""
    schema_reference: str | None
    """Address of the schema as the file states it."""
    title: str | None
    """Title of the data set as the file states it."""
    n_primary_data: int | None
    """Cells with `PRIMARY` true; ``None`` where no cell has a value of it."""
    pct_primary_data: float | None
    """Percentage of all cells with `PRIMARY` true; ``None`` where no cell has a value."""
    n_primary_missing: int | None
    """Cells without a value of `PRIMARY`; ``None`` where no cell has one."""
    terms: tuple[FieldTerms, ...]
    """Terms of each field that the file has, in the order of `TERM_FIELDS`."""
    missing_fields: tuple[str, ...]
    """Required fields that are not there, such as ``obs/donor_id``."""


def state_schema(
    version: str | None, reference: str | None, columns: Collection[str]
) -> SchemaStatement | None:
    """Return the statement that a file follows the schema; ``None`` where it does not.

    >>> state_schema("3", None, ["cell_type"]) is None
    True

    Args:
        version: ``uns/schema_version`` of the file.
        reference: ``uns/schema_reference`` of the file.
        columns: Columns of the cells.
    """
    version = version if version and _VERSION.fullmatch(version) else None
    n_found = len(set(_TERM_COLUMNS) & set(columns))
    if reference is not None and REPOSITORY in reference:
        evidence = "uns/schema_reference names CELLxGENE's schema."
        return SchemaStatement(version, reference, evidence)
    if version is not None and n_found:
        evidence = "uns/schema_version is there, and columns of cells with the schema's names."
        return SchemaStatement(version, None, evidence)
    if n_found >= N_TELLING:
        evidence = (
            f"{plural(n_found, 'column')} of cells {agreeing(n_found, 'has')} the schema's names; "
            "the file states no version, "
            "which CELLxGENE Discover adds when it publishes a file."
        )
        return SchemaStatement(None, None, evidence)
    return None


def required_columns(statement: SchemaStatement) -> tuple[str, ...]:
    """Return the columns of cells that a version requires; none if it is unknown."""
    if statement.version is not None and statement.major not in KNOWN_VERSIONS:
        return ()
    return (*_CELL_COLUMNS, _ORGANISM) if statement.major == KNOWN_VERSIONS[0] else _CELL_COLUMNS


def missing_fields(
    statement: SchemaStatement, columns: Collection[str], facts: Collection[str]
) -> tuple[str, ...]:
    """Return the required fields that a file does not have, as paths.

    Args:
        statement: Version of the schema.
        columns: Columns of the cells.
        facts: Names of the texts in ``uns``.

    Returns:
        Empty for a version whose fields are not known.
    """
    major = statement.major
    if statement.version is not None and major not in KNOWN_VERSIONS:
        return ()
    found = [f"obs/{name}" for name in _CELL_COLUMNS if name not in columns]
    if "title" not in facts:
        found.append("uns/title")
    group = "obs" if major == 5 else "uns"
    names = {"obs": columns, "uns": facts}
    # Without a version either group may have it.
    groups = names if major is None else (group,)
    if not any(_ORGANISM in names[each] for each in groups):
        found.append(f"{group}/{_ORGANISM}")
    return tuple(found)


def judge_schema(
    statement: SchemaStatement, report: SchemaReport, empty: Mapping[str, int]
) -> tuple[str, str]:
    """Return status and sentences of the check of the required fields.

    Args:
        statement: Version of the schema.
        report: Facts of the file.
        empty: Cells without a value in a required column, by the column.
    """
    name = f"CELLxGENE's schema {statement.version}" if statement.version else "CELLxGENE's schema"
    if statement.version is not None and statement.major not in KNOWN_VERSIONS:
        known = ", ".join(map(str, KNOWN_VERSIONS))
        return NOT_MEASURED, (
            f"The file follows {name}; which fields it requires is known of versions {known} only."
        )
    sentences = []
    if report.missing_fields:
        n = len(report.missing_fields)
        verb = "is" if n == 1 else "are"
        listed = ", ".join(report.missing_fields)
        sentences.append(f"{plural(n, 'field')} that {name} requires {verb} missing: {listed}.")
    without = {each.field: each.n_missing for each in report.terms}
    without |= {column.removesuffix(SUFFIX): n for column, n in empty.items()}
    if any(without.values()):
        listed = ", ".join(f"{each} of {plural(n, 'cell')}" for each, n in without.items() if n)
        sentences.append(f"Fields that {name} requires have no value: {listed}.")
    if sentences:
        return WARN, " ".join(sentences)
    return PASS, f"All fields that {name} requires of each data set are there."


def schema_document(report: SchemaReport) -> dict[str, Any]:
    """Return a report as an object of ``summary.json``."""
    found = asdict(report)
    return {
        **found,
        "terms": [{**each, "terms": list(each["terms"])} for each in found["terms"]],
        "missing_fields": list(report.missing_fields),
    }

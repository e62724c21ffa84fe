"""Names of matrices as MultiQC's samples, unique also when it cuts them.

MultiQC cuts names at known endings (``.h5``, ``_matrix``, ``.gz``), so that ``S1`` and
``S1_matrix`` would be one row. A name that would become another one is written with spaces.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

from dpss.storage.plain_text import strip_control
from dpss.website.records import MatrixRecord

_CUT = re.compile(
    r"\.|ccs|Aligned|ReadsPerGene|Log\.final|\| stdin|"
    r"_(counts|tophat|star_aligned|fastqc|slamdunk|bismark|peaks|SummaryStatistics|duprate|vep|"
    r"NanoStats|gopeaks|overall_mean_cov|coverage_metrics|mapq_table|strand_table|isize_table|"
    r"dup_report|cv_table|covdist|CpGRetention|CpHRetention|total(Base|Read)Conversion|qual|"
    r"hifi_trimmer|trimmer)"
)
"""Where MultiQC may cut a name; each dot counts, as it has a hundred endings."""
_TRIM = r"runs_|short_summary_|_(?:val|trimmed|mqc|summary|matrix)|[._:-]"
_TRIMMED = re.compile(rf"^(?:{_TRIM})+|(?:{_TRIM})+$|\s+$")
"""Parts that MultiQC takes off both ends of a name."""
_EDGES = re.compile(rf"^(?:{_TRIM})|(?:runs_|short_summary_|[._:\s-])$")
"""Ends of a name from which MultiQC takes more than one part."""
_WORDS = re.compile(r"(ccs|Aligned|ReadsPerGene)")


def sample_names(records: Sequence[MatrixRecord]) -> dict[str, str]:
    """Return the name of each matrix as a sample, by its folder.

    A matrix has its own name, or that of its project where it has none. Where two matrices of a
    portal have the same, the project's name stands before.
    """
    short = {record.folder: record.name or record.project_folder for record in records}
    same = Counter(short.values())
    names: dict[str, str] = {}
    for record in sorted(records, key=lambda record: record.folder):
        name = short[record.folder]
        if same[name] > 1 and name != record.project_folder:
            name = f"{record.project_folder} {name}"
        names[record.folder] = strip_control(name)
    often = Counter(map(_cleaned, names.values()))
    kept = {
        folder: name
        for folder, name in names.items()
        if (clean := _cleaned(name))
        and not _EDGES.search(name)
        and (clean == name or often[clean] == 1)
    }
    taken = {*kept.values(), *map(_cleaned, kept.values())}
    found: dict[str, str] = {}
    for folder, name in names.items():
        found[folder] = name if folder in kept else _spaced(name, taken)
        taken.add(found[folder])
    return found


def _cleaned(name: str) -> str:
    """Return a name as MultiQC may shorten it."""
    return _TRIMMED.sub("", _CUT.split(_TRIMMED.sub("", name), maxsplit=1)[0])


def _spaced(name: str, taken: set[str]) -> str:
    """Return a name that MultiQC leaves as it is, and that no other matrix has."""
    plain = " ".join(re.split(r"[._:|\s-]+", name))
    plain = _WORDS.sub(lambda match: f"{match[0][0]} {match[0][1:]}", plain).strip() or "unnamed"
    number, found = 1, plain
    while found in taken:
        number += 1
        found = f"{plain} {number}"
    return found

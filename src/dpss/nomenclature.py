"""What kind of names a matrix's genes have, and whose genes they are."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from dpss.model import GeneTable

MOSTLY = 0.5
"""Part of the genes that must agree before something is said of all of them."""
SPECIES_OF_PREFIX = {
    "ENSG": "human",
    "ENSMUSG": "mouse",
    "ENSRNOG": "rat",
    "ENSDARG": "zebrafish",
    "ENSMMUG": "rhesus macaque",
    "ENSMFAG": "crab-eating macaque",
    "ENSCJAG": "marmoset",
    "ENSPTRG": "chimpanzee",
    "ENSGGOG": "gorilla",
    "ENSSSCG": "pig",
    "ENSGALG": "chicken",
    "ENSBTAG": "cow",
    "ENSOCUG": "rabbit",
    "FBgn": "fruit fly",
    "WBGene": "roundworm",
}
"""Species by the prefix of their genes' stable ids (Ensembl, "Stable ID prefixes")."""

_ENSEMBL = re.compile(r"(?:.*_)?(ENS[A-Z]*?G|FBgn|WBGene)\d{5,}(\.\d+)?")
_GENOME = re.compile(r"(GRCh\d+|hg\d+|GRCm\d+|mm\d+)_+", re.IGNORECASE)
_TWO_LETTERS = re.compile(r"[^\W\d_].*?[^\W\d_]", re.DOTALL)
_SPECIES_OF_GENOME = {"grch": "human", "hg": "human", "grcm": "mouse", "mm": "mouse"}


@dataclass(frozen=True)
class Nomenclature:
    """How genes are named."""

    id_type: str
    """``Ensembl ids``, ``Entrez ids``, ``gene symbols`` or ``numbers``."""
    versioned: bool
    """Whether ids carry a version, as in ``ENSG00000141510.18``."""
    species: tuple[str, ...]
    """Species that the ids or names speak of, most genes first; empty if none is known."""
    by: str
    """What told the species: ``ids``, ``genome prefixes`` or ``the case of symbols``."""


def describe_names(genes: GeneTable) -> Nomenclature:
    """Tell what kind of ids and names genes have.

    Species follow from the ids' prefixes, else from genomes' prefixes (``GRCh38_``,
    ``mm10_``), else from the case of symbols: ``ACTB`` is human, ``Actb`` is mouse.
    """
    matches = [match for i in genes.ids if (match := _ENSEMBL.fullmatch(str(i)))]
    versioned = sum(match[2] is not None for match in matches) > MOSTLY * max(1, len(matches))
    if matches and len(matches) >= MOSTLY * len(genes):
        species = _frequent(SPECIES_OF_PREFIX.get(match[1], "other") for match in matches)
        return Nomenclature("Ensembl ids", versioned, species, "ids")
    id_type = _id_type(genes)
    genomes = [match[1] for name in genes.names if (match := _GENOME.match(str(name)))]
    if len(genomes) >= MOSTLY * max(1, len(genes)):
        keys = (re.sub(r"\d", "", genome).lower() for genome in genomes)
        return Nomenclature(id_type, False, _frequent(_SPECIES_OF_GENOME[k] for k in keys),
                            "genome prefixes")  # fmt: skip
    species = _species_by_case(genes)
    return Nomenclature(id_type, False, species, "the case of symbols" if species else "")


def _id_type(genes: GeneTable) -> str:
    """Return what the ids look like when they are not Ensembl's."""
    if all(str(i).startswith("gene ") for i in genes.ids):
        return "numbers"
    n_digits = sum(str(i).isdigit() for i in genes.ids)
    return "Entrez ids" if n_digits > MOSTLY * max(1, len(genes)) else "gene symbols"


def _species_by_case(genes: GeneTable) -> tuple[str, ...]:
    """Return the species by the case of symbols of at least two letters."""
    words = [name for name in map(str, genes.names) if _TWO_LETTERS.search(name)]
    upper = sum(word.isupper() for word in words)
    capitalised = sum(word[:1].isupper() and word[1:].islower() for word in words)
    lower = sum(word.islower() for word in words)
    if upper > MOSTLY * max(1, len(words)):
        return ("human",)
    if capitalised + lower > MOSTLY * max(1, len(words)):
        return ("mouse",)
    return ()


def _frequent(species: Iterable[str]) -> tuple[str, ...]:
    """Return those that make up at least a hundredth, the most frequent first."""
    counts = Counter(species)
    total = counts.total()
    return tuple(name for name, n in counts.most_common() if n >= total / 100)

"""Nomenclature of a matrix's genes, and their species."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from dpss.model import GeneTable
from dpss.summary.known_genes import ENTREZ, MHC, WORDS, YEAST, is_known
from dpss.summary.name_patterns import JoinedNames, count_matches

MOSTLY = 0.5
"""Part of the genes, 0 to 1, that must agree for a statement about all of them."""
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

_ENSEMBL = re.compile(r"(?:.*_)?(?:(ENS[A-Z]*?)([GT])|(FBgn|FBtr|WBGene))\d{5,}(\.\d+)?(?:-[UAI])?")
_IN_ENSEMBL = ("ENS", "FBgn", "FBtr", "WBGene")
"""Texts of which each such id has one."""
_TRANSCRIPT = re.compile(r"[NX][MR]_\d+(\.\d+)?")
_OTHER_IDS = {
    "thale cress": ("AT", re.compile(r"AT[1-5MC]G\d{5}")),
    "budding yeast": ("Y", re.compile(r"Y[A-P][LR]\d{3}[WC](-[A-H])?")),
}
"""Ids by species: a text that each has, and their pattern."""
_REGION = re.compile(r"(chr)?[\w.]+[:_-]\d+[-_:]\d+", re.IGNORECASE)
_DIGITS = "0123456789"
_BEFORE_DIGITS = (" ", "_", ".", "-")
_GENOME = re.compile(r"(GRCh\d+|hg\d+|GRCm\d+|mm\d+)_+", re.IGNORECASE)
_SPECIES_OF_GENOME = {"grch": "human", "hg": "human", "grcm": "mouse", "mm": "mouse"}
MANY_KNOWN = 0.01
"""Part of the names, 0 to 1, that must be known symbols for all to count as symbols."""
_FEW_KNOWN = 3
_FEW_OWN = 3
"""Fewest symbols of one species alone."""
_LONGEST_MHC = max(map(len, MHC))
_N_LOOKED_AT = 5_000
_NEARLY_NONE = 0.25
_FAR_BEYOND = 5


@dataclass(frozen=True)
class Nomenclature:
    """Kind of ids, species and their evidence, for a list of genes."""

    id_type: str
    """Kind of the ids: ``Ensembl ids``, ``Entrez ids``, ``gene symbols``, ``transcript ids``,
    ``genomic regions``, ``numbers`` or ``names of no known kind``.
    """
    versioned: bool
    """Whether ids carry a version, as in ``ENSG00000141510.18``."""
    species: tuple[str, ...]
    """Species of the ids or names, most genes first; empty if none is known."""
    by: str
    """Evidence for the species: ``ids``, ``genome prefixes``, ``symbols of this species alone`` or
    ``the case of known symbols``."""

    @property
    def are_genes(self) -> bool:
        """Whether the ids are known to be those of genes."""
        return self.id_type in ("Ensembl ids", "Entrez ids", "gene ids", "gene symbols")


def describe_names(genes: GeneTable) -> Nomenclature:
    """Return the nomenclature of a list of genes.

    Species follow from the ids' prefixes, else from genomes' prefixes (``GRCh38_``,
    ``mm10_``), else from symbols of one species alone (``RT1-A1`` is rat, ``URA3`` is yeast),
    else from the case of symbols that are known: ``ACTB`` is human, ``Actb`` is mouse. Where no
    name is known, the species stays unknown.
    """
    ids, names = list(map(str, genes.ids)), list(map(str, genes.names))
    by_id = _describe_ids(ids)
    if by_id is not None:
        return by_id
    prefixed = names if JoinedNames(names).may_hold(MOSTLY, "_") else []
    genomes = [match[1] for name in prefixed if (match := _GENOME.match(name))]
    if genomes and len(genomes) >= MOSTLY * len(genes):
        keys = (re.sub(r"\d", "", genome).lower() for genome in genomes)
        plain = [_GENOME.sub("", each) for each in ids]
        return Nomenclature(_id_type(plain, _known(plain)), False,
                            _frequent(_SPECIES_OF_GENOME[k] for k in keys),
                            "genome prefixes")  # fmt: skip
    species = _species_of_entrez(ids)
    if species:
        return Nomenclature("Entrez ids", False, species, "ids")
    known = _known(names)
    id_type = _id_type(ids, known if ids == names else _known(ids))
    species = _species_by_own_symbols(names)
    if species:
        return Nomenclature(id_type, False, species, "symbols of this species alone")
    species = _species_by_case(known)
    return Nomenclature(id_type, False, species, "the case of known symbols" if species else "")


def _describe_ids(ids: Sequence[str]) -> Nomenclature | None:
    """Return the nomenclature of database ids; ``None`` if most are no such ids."""
    joined = JoinedNames(ids)
    matches = []
    if joined.may_hold(MOSTLY, *_IN_ENSEMBL):
        matches = [match for each in ids if (match := _ENSEMBL.fullmatch(each))]
    if matches and len(matches) >= MOSTLY * len(ids):
        versioned = sum(match[4] is not None for match in matches) > MOSTLY * len(matches)
        prefixes = [
            f"{match[1]}G" if match[1] else match[3].replace("tr", "gn") for match in matches
        ]
        species = _frequent(SPECIES_OF_PREFIX.get(prefix, "other") for prefix in prefixes)
        transcripts = sum(match[2] == "T" or match[3] == "FBtr" for match in matches)
        id_type = "transcript ids" if transcripts > MOSTLY * len(matches) else "Ensembl ids"
        return Nomenclature(id_type, versioned, species, "ids")
    if joined.may_hold(MOSTLY, "M_", "R_") and _are_most(_TRANSCRIPT, ids):
        versioned = sum("." in each for each in ids) > MOSTLY * len(ids)
        return Nomenclature("transcript ids", versioned, (), "")
    for name, (literal, pattern) in _OTHER_IDS.items():
        if joined.may_hold(MOSTLY, literal) and _are_most(pattern, ids):
            return Nomenclature("gene ids", False, (name,), "ids")
    return None


def _id_type(ids: Sequence[str], known: Sequence[str]) -> str:
    """Return the kind of ids that belong to no database, given those that are known symbols."""
    if known:
        return "gene symbols"
    # A region has two of these signs.
    if JoinedNames(ids).may_hold(2 * MOSTLY, ":", "_", "-") and _are_most(_REGION, ids):
        return "genomic regions"
    stems = _count_stems(ids)
    if stems and stems.most_common(1)[0][1] > MOSTLY * len(ids):
        return "numbers"
    return "names of no known kind"


def _count_stems(names: Sequence[str]) -> Counter[str]:
    """Return how often each text stands before a number at a name's end, one sign between."""
    stems: Counter[str] = Counter()
    numbered = Counter(name.rstrip(_DIGITS) for name in names if name[-1:].isdecimal())
    for stem, n in numbered.items():
        stems[stem[:-1] if stem.endswith(_BEFORE_DIGITS) else stem] += n
    return stems


def _species_of_entrez(ids: Sequence[str]) -> tuple[str, ...]:
    """Return the species of Entrez ids, by genes that nearly every list contains.

    Row numbers, in contrast, contain those of all species in similar parts, or end with the last
    row.
    """
    numbers = [int(each) for each in ids if each.isdecimal() and len(each) <= len(str(1 << 31))]
    if len(numbers) <= MOSTLY * len(ids):
        return ()
    found = {species: known & set(numbers) for species, known in ENTREZ.items()}
    species = max(found, key=lambda name: len(found[name]) / len(ENTREZ[name]))
    parts = {name: len(found[name]) / len(ENTREZ[name]) for name in found}
    if 2 * len(found[species]) > len(numbers):
        return (species,)
    others = max(part for name, part in parts.items() if name != species)
    far = max(numbers) > _FAR_BEYOND * len(numbers)
    if far and parts[species] >= MOSTLY and others < _NEARLY_NONE:
        return (species,)
    return ()


def _known(names: Sequence[str]) -> list[str]:
    """Return the names that are known symbols; none if these are too few."""
    some = names[:: max(1, len(names) // _N_LOOKED_AT)]
    known = [name for name in some if is_known(name)]
    enough = len(known) >= MANY_KNOWN * len(some) and (
        len(known) >= _FEW_KNOWN or len(known) > MOSTLY * len(some)
    )
    return known if enough else []


def _species_by_own_symbols(names: Sequence[str]) -> tuple[str, ...]:
    """Return the species that alone has some of the symbols; none for human and mouse.

    These two are recognised by case, as most symbols of other species are theirs, too.
    """
    distinct = set(names)
    short = [
        name for name in distinct if "-" in name[: _LONGEST_MHC + 1] or len(name) <= _LONGEST_MHC
    ]
    found = Counter(
        MHC[prefix] for name in short if (prefix := name.partition("-")[0].upper()) in MHC
    )
    n_yeast = len(YEAST & distinct)
    if n_yeast >= _FEW_OWN:
        found["budding yeast"] = n_yeast - sum(name.lower() in WORDS for name in distinct)
    species, n = max(found.items(), key=lambda item: item[1], default=("", 0))
    return (species,) if n >= _FEW_OWN and species not in ("human", "mouse") else ()


def _species_by_case(known: Sequence[str]) -> tuple[str, ...]:
    """Return the species by the case of the symbols that are known, where most agree."""
    words = [re.sub(r"[^A-Za-z]", "", name) for name in known]
    words = [word for word in words if len(word) > 1]
    upper = sum(word.isupper() for word in words)
    # mt-Co1 and H2-K1 are mouse symbols, too.
    capitalised = sum(not word.isupper() and not word.islower() for word in words)
    if upper > MOSTLY * max(1, len(words)):
        return ("human",)
    return ("mouse",) if capitalised > MOSTLY * max(1, len(words)) else ()


def _are_most(pattern: re.Pattern[str], names: Sequence[str]) -> bool:
    """Return whether more than a part `MOSTLY` of the names match a pattern."""
    return count_matches(pattern, names) > MOSTLY * len(names)


def _frequent(species: Iterable[str]) -> tuple[str, ...]:
    """Return the species of at least 1 % of the ids, the most frequent first."""
    counts = Counter(species)
    total = counts.total()
    return tuple(name for name, n in counts.most_common() if n >= total / 100)

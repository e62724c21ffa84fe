"""Species and kinds of ids are told by evidence: known symbols and ids, never by case alone."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import anndata
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dpss.model import GeneTable
from dpss.summary.known_genes import ENTREZ, YEAST, is_known
from dpss.summary.nomenclature import Nomenclature, describe_names
from tests.libraries import scanpy


def describe(ids: list[str], names: list[str] | None = None) -> Nomenclature:
    return describe_names(
        GeneTable(np.array(ids, dtype=object), np.array(names or ids, dtype=object))
    )


N = range(1, 201)


@pytest.mark.parametrize(
    ("ids", "id_type"),
    [
        ([f"Gene_{k}" for k in N], "numbers"),
        ([f"gene_{k}" for k in N], "numbers"),
        ([f"GENE{k}" for k in N], "numbers"),
        ([f"Gene{k}" for k in N], "numbers"),
        ([f"feature-{k}" for k in N], "numbers"),
        ([f"V{k}" for k in N], "numbers"),
        ([str(k) for k in range(200)], "numbers"),
        ([str(k) for k in range(1, 36001)], "numbers"),
        ([str(k) for k in range(1, 36001, 2)], "numbers"),
        ([f"chr1:{k}-{k + 500}" for k in N], "genomic regions"),
        ([f"chr1-{k}-{k + 500}" for k in N], "genomic regions"),
        ([f"GL000194.1:{k}-{k + 500}" for k in N], "genomic regions"),
        (
            [f"Contig{'abcdefghij'[k % 10]}{'klmnopqrst'[k % 7]}" for k in N],
            "names of no known kind",
        ),
    ],
)
def test_placeholders_are_nobodys_genes(ids: list[str], id_type: str) -> None:
    """Whatever their case: no species, and no check that passes."""
    found = describe(ids)
    assert (found.id_type, found.species) == (id_type, ())
    assert not found.are_genes


@pytest.mark.parametrize(
    ("ids", "species", "versioned"),
    [
        ([f"ENST{k:011d}" for k in N], ("human",), False),
        ([f"ENSMUST{k:011d}.2" for k in N], ("mouse",), True),
        ([f"ENSDART{k:011d}" for k in N], ("zebrafish",), False),
        ([f"FBtr{k:07d}" for k in N], ("fruit fly",), False),
        ([f"NM_{k:06d}.3" for k in N], (), True),
    ],
)
def test_transcripts_are_no_genes(
    ids: list[str], species: tuple[str, ...], versioned: bool
) -> None:
    found = describe(ids)
    assert (found.id_type, found.species) == ("transcript ids", species)
    assert found.versioned == versioned
    assert not found.are_genes


@pytest.mark.parametrize(
    ("ids", "species"),
    [
        ([f"ENSG{k:011d}" for k in N], "human"),
        ([f"GRCh38_ENSG{k:011d}" for k in N], "human"),
        ([f"ENSG{k:011d}-U" for k in N], "human"),
        ([f"FBgn{k:07d}" for k in N], "fruit fly"),
        ([f"WBGene{k:08d}" for k in N], "roundworm"),
        ([f"AT1G{k:05d}" for k in N], "thale cress"),
        ([f"YAL{k:03d}C" for k in N], "budding yeast"),
    ],
)
def test_ids_of_databases_tell_the_species(ids: list[str], species: str) -> None:
    assert describe(ids).species == (species,)
    assert describe(ids).are_genes


@pytest.mark.slow
@pytest.mark.parametrize("species", ENTREZ)
@pytest.mark.parametrize("seed", range(5))
def test_entrez_ids_are_told_from_numbers_of_rows(species: str, seed: int) -> None:
    """A list of genes has the well-known ones of its species; rows with holes have both's."""
    rng = np.random.default_rng(seed)
    none = set().union(*ENTREZ.values())
    others = [k for k in rng.choice(120_000_000, 15_000, replace=False) if k not in none]
    found = describe([str(k) for k in sorted([*others, *ENTREZ[species]])])
    assert (found.id_type, found.species) == ("Entrez ids", (species,))
    kept = rng.random(36_000) < rng.uniform(0.2, 0.95)
    assert describe([str(k) for k in np.flatnonzero(kept)]).species == ()


@pytest.mark.slow
@given(
    st.lists(st.from_regex(r"[A-Za-z]{2,3}[qx][a-z]{1,4}\d{0,2}", fullmatch=True), min_size=1),
    st.sampled_from([str.upper, str.lower, str.capitalize]),
)
def test_case_alone_tells_nothing(names: list[str], case: object) -> None:
    """Invented names have no species in any case, unless they happen to be known genes."""
    from dpss.summary.known_genes import is_known

    invented = [case(name) for name in names if not is_known(name)]  # type: ignore[operator]
    assert describe(invented).species == ()


SYMBOLS = ["MALAT1", "SLC17A7", "GAD2", "CD3D", "COL1A1", "RPL13", "KRT18", "C1QA", "VWF"]


@pytest.mark.parametrize(
    ("names", "species"),
    [
        (SYMBOLS, ("human",)),
        ([name.capitalize() for name in SYMBOLS], ("mouse",)),
        ([name.lower() for name in SYMBOLS], ()),
        ([*SYMBOLS, *(f"LOC{k}" for k in N)], ("human",)),
        (["mt-Co1", "mt-Nd1", "H2-K1", "Gm1234", "1700001C02Rik"], ("mouse",)),
        (["HLA-A", "HLA-DRB1", "MT-CO1"], ("human",)),
    ],
)
def test_known_symbols_tell_the_species(names: list[str], species: tuple[str, ...]) -> None:
    found = describe(names)
    assert (found.id_type, found.species) == ("gene symbols", species)


@pytest.mark.slow
@pytest.mark.parametrize(("name", "species"), [
    ("tenx_v3.h5", "human"), ("pbmc4k_csr_gzip.h5ad", "human"), ("paul15_dense.h5ad", "mouse"),
    ("dentategyrus_layers.h5ad", "mouse"),
])  # fmt: skip
@pytest.mark.filterwarnings("ignore:Variable names are not unique")
def test_symbols_of_real_matrices_are_recognised(name: str, species: str, real_data: Path) -> None:
    sc = scanpy()

    path = real_data / name
    adata = sc.read_10x_h5(path) if path.suffix == ".h5" else anndata.read_h5ad(path)
    assert describe(adata.var_names.tolist()).species == (species,)


_UPPER = ["ACTB", "GAPDH", "CD3E", "RPS6", "RPL3", "MALAT1", "B2M", "FTL", "EEF1A1", "LYZ"]


@pytest.mark.parametrize(
    ("own", "species"),
    [
        (["RT1-A1", "RT1-Da", "RT1-Ba", "RT1-CE1"], "rat"),
        (["SLA-1", "SLA-DRA", "SLA-DQB1"], "pig"),
        (["BOLA-DRA", "BoLA-DQB", "BOLA"], "cow"),
        (["DLA-88", "DLA-DRA", "DLA-DQA1"], "dog"),
        (["MAMU-A", "MAMU-DRA", "Mamu-E"], "rhesus macaque"),
        (["HLA-A", "HLA-B", "HLA-DRA"], "human"),
    ],
)
def test_symbols_of_one_species_tell_more_than_case(own: list[str], species: str) -> None:
    """Genes of the major histocompatibility complex are named for their species."""
    others = [name.title() for name in _UPPER] if species == "rat" else _UPPER
    found = describe([*others, *own])
    assert found.species == (species,)
    assert (found.by == "the case of known symbols") == (species == "human")


@given(st.lists(st.sampled_from(sorted(YEAST)), min_size=8, unique=True), st.booleans())
def test_symbols_of_yeast_are_not_human(names: list[str], more: bool) -> None:
    """Yeast shares names with human, ENO2 or RPL3, and has some of its own."""
    shared = ["ENO2", "PGK1", "RPL3", "RPS5"] if more else []
    assert describe([*names, *shared]).species == ("budding yeast",)
    assert describe([*_UPPER, *shared, *names[:2]]).species == ("human",)


@given(
    st.lists(
        st.tuples(st.sampled_from(["", "a", "a-", "a--", "b2 ", "-"]), st.integers(0, 99)),
        min_size=1,
        max_size=9,
    )
)
def test_numbered_names_by_their_stem(parts: list[tuple[str, int]]) -> None:
    """Names are numbers where most have one text before a number and a sign between the two."""
    names = [f"{stem}{number}" for stem, number in parts]
    stems = [re.fullmatch(r"(.*?)[ _.\-]?\d+", name) for name in names]
    most = Counter(stem[1] for stem in stems if stem).most_common(1)[0][1]
    numbers = 2 * most > len(names)
    assert describe(names).id_type == ("numbers" if numbers else "names of no known kind")


@pytest.mark.parametrize(
    ("symbol", "known"),
    [
        *((name, True) for name in ("CD8A", "mrps12", "Rpl3", "0610009B22Rik", "cxcl2", "ccl5")),
        *((name, False) for name in ("Qx1", "", "-", "1", "zz9")),
    ],
)
def test_symbols_are_known_by_family(symbol: str, known: bool) -> None:
    """Families of genes are told by their pattern, in upper or lower case."""
    assert is_known(symbol) is known

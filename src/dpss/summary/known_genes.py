"""Gene names and ids by which a list of genes is recognised.

The names are not those of all genes: every list of genes has some of them, and other lists none.
Symbols are those of HGNC. MGI's differ in upper and lower case; those that differ in letters are
here as well. Ids are NCBI's (Entrez).
"""

from __future__ import annotations

import re
from functools import cache

_FAMILIES = (
    r"abc[a-g]\d+|adamts?\d+|akr\d[a-z]\d+|aldh\d+[a-z]\d|ankrd\d+[a-z]?|apo[abce]\d?|aqp\d+|"
    r"arhgap\d+|arhgef\d+|atp\d[a-z]\w*|bcl\d+[a-z]?|bmp\d+|casp\d+|ccdc\d+[a-z]?|cc[lr]\d+|"
    r"ccn[abde]\d|cd\d+[a-z]?|cdc\d+[a-z]*|cdh\d+|cdk\d+|cdkn\d[a-d]|cebp[a-gz]|chrn[abdeg]\d+|"
    r"cldn\d+|clec\d+[a-z]\d?|col\d+a\d+|cox\d[a-z]\d?[a-z]?|csf\d|cx?cl\d+|cxcr\d|"
    r"cyp\d+[a-z]\d+[a-z]?|ddx\d+[a-z]?|dhx\d+|dnaj[abc]\d+|dusp\d+|e2f\d|eef\d[a-z]\d?|"
    r"eif\d[a-z]\w*|eph[ab]\d|fabp\d|fam\d+[a-z]\d*|fbxo\d+|fcgr\d[a-c]|fgf\d+|fox[a-q]\d|fzd\d+|"
    r"gabr[abdegr]\d|gata\d|gm\d{3,}|gpr\d+|grin\d[a-d]|gzm[a-m]|hdac\d+|hes\d|hla-[a-z0-9]+|"
    r"h2-[a-z0-9]+|hmg[abn]\d|hnrnp[a-z]\w*|hox[a-d]\d+|hsp[a-e]\d\w*|htr\d[a-f]|ifi\d+|"
    r"ifn[abg]\w*|igf(bp)?\d|igh[admg]\d?|il\d+[a-z]*|irf\d|itg[abx]\w+|jak\d|kcn[a-z]\d+|"
    r"kdm\d[a-d]|kif\d+[a-z]?|klf\d+|klr[a-g]\d|krt\d+|lam[abc]\d|lgals\d|linc\d{5}|lrrc\d+[a-z]?|"
    r"mag[ei][a-e]\d+|map\dk\d+|mapk\d+|mir\d+\w*|mmp\d+|mrp[ls]\d+[a-z0-9]*|mt-[a-z0-9]+|"
    r"muc\d+[a-z]?|myh\d+|myl\d+|myo\d+[a-h]|nduf[abcsv]\d+|neurod\d|nkx\d-\d|notch\d|nr\d[a-h]\d|"
    r"olfr\d+|or\d+[a-z]\d+|p2r[xy]\d+|pax\d|pcdh\w+\d|pdgf[abcdr]\w?|phf\d+|polr\d[a-k]|pou\d+f\d|"
    r"ppp\d\w+|prdm\d+|psm[abcdeg]\d+|ptpn\d+|ptpr[a-z]\d?|rab\d+[a-z]?|rbm\d+[a-z]?|rp\d+-\d+\w*\.\d+|"
    r"rp[ls]\d+[a-z0-9]*|"
    r"s100[a-z]\d*|sema\d[a-g]|serpin[a-i]\d+|sf3[ab]\d|slc\d+a\d+|smad\d|snrp[a-g]\d?|snx\d+|sox\d+|"
    r"stat\d[ab]?|tbx\d+|tgfb\d|tlr\d+|tmem\d+[a-z]?|tnf(r?sf\d+[a-z]?)?|top\d[ab]|trim\d+|trp[acmv]\d|"
    r"tspan\d+|ttc\d+[a-z]?|tub[abg]\d?[a-z]?|uba\d+|ube2[a-z]\d?|uqcr\w+|usp\d+|vegf[a-d]|vps\d+[a-d]?|"
    r"wdr\d+|wnt\d+[ab]?|zbtb\d+|zc3h\d+[a-z]?|zfp\d+|znf\d+[a-z]?|zscan\d+"
)
"""Patterns of families of genes that HGNC and MGI number; each begins with a letter."""
_RIKEN = re.compile(r"\d{7}[a-p]\d\drik", re.IGNORECASE)
"""Clones that MGI names genes after."""

_WORDS = (
    "actb actg1 acta2 actc1 aif1 alb aldoa aldob aldoc anxa1 anxa2 app ar ascl1 ass1 atm axl "
    "b2m bax brca1 brca2 calca calm1 calr camk2a cav1 cck cfl1 chga chgb clu cnp cpa1 crp cryab "
    "cspg4 cst3 ctnnb1 ctss cubn cxcl12 dach1 dcn dcx des dlx2 dlx5 eed egf egfr emcn eno1 eno2 "
    "epcam erbb2 esr1 ezh2 fap fcer1g fcn1 fga fgb flt1 flt3 fn1 fos fosb ftl fth1 ftl1 gad1 "
    "gad2 gapdh gast gcg gfap ghrl gja1 gnas gnly gpx1 gpx3 gsn gusb hbb hba1 hbg1 hbb-bs "
    "hba-a1 hmox1 hp hprt hprt1 iapp id1 id2 id3 ighm igkc iglc1 ins ins1 ins2 isl1 jun junb "
    "jund kdr kit klk3 kras lat lck ldha lef1 lep lhx2 lrp2 ltb lum ly6a ly6c2 ly6g lyz lyz1 "
    "lyz2 mafb mag malat1 map2 marco mbp mdm2 meg3 mef2c mitf mki67 mlana mog ms4a1 ms4a7 mt1a "
    "mt2a mtor myc mycn myod1 myog naca nanog ncam1 neat1 nefl nes nfkb1 nkg7 nppa nppb npy "
    "nras nrgn nrxn1 oaz1 olig1 olig2 pck1 pcna pdcd1 pdgfra pdgfrb pdx1 pecam1 pf4 pfn1 pgk1 "
    "pkm plp1 pmel pomc postn ppbp ppia ppy prf1 prl prox1 prss1 prss2 ptma pten ptprc pvalb "
    "pyy rag1 rb1 rbfox3 reln rho rorc runx1 ryr2 scn1a sdc1 serf2 sftpc sftpb scgb1a1 sncg "
    "slpi snap25 sod1 sparc spi1 spp1 sst stmn2 syn1 syp syt1 tac1 tagln tbp tcf4 tcf7 tcf21 "
    "tert tf tfrc th tie1 timp1 tmsb10 tmsb4x top2a tp53 tpm1 tpm2 tpt1 trac trbc1 trbc2 trdc "
    "trp53 tshr ttn ttr tuba1a tubb3 tyrobp ubb ubc umod vcan vim vip vwf wt1 xist ybx1 yap1"
)
WORDS = frozenset(_WORDS.split())
"""Symbols of other well-known genes, in lower case."""

_YEAST = (
    "ACT1 ADH2 ADE2 ADE3 CDC19 CDC28 CLB2 CLN2 CUP1 ERG11 ERG20 FBA1 FUS1 GAL1 GAL4 GAL80 HHF1 "
    "HHT1 HIS3 HIS4 HSP104 HSP26 HTA1 HTB1 HXT1 ILV5 KAR2 LEU2 LYS2 MET17 MET3 MFA1 MFA2 PDC1 "
    "PMA1 RNR3 SIC1 SSA1 SSA2 SSB1 SSE1 STE12 STE2 SUC2 TDH1 TDH2 TDH3 TEF1 TEF2 TRP1 URA3"
)
YEAST = frozenset(_YEAST.split())
"""Symbols of budding yeast (SGD) that no gene of human or mouse has."""

MHC = {
    "HLA": "human",
    "H2": "mouse",
    "RT1": "rat",
    "SLA": "pig",
    "BOLA": "cow",
    "DLA": "dog",
    "MAMU": "rhesus macaque",
    "MAFA": "crab-eating macaque",
    "PATR": "chimpanzee",
    "GOGO": "gorilla",
    "CAJA": "marmoset",
}
"""Species by the prefix of genes of their major histocompatibility complex (IPD-MHC, MGI, RGD)."""

_ENTREZ_HUMAN = (
    "60 2597 567 7157 920 925 915 916 931 4069 6280 6279 4512 4513 4514 4508 4519 "
    "4535 4536 4537 4538 1915 2495 2512 7178 1956 7124 3569 348 672 675 4609 3845 "
    "5728 351"
)
_ENTREZ_MOUSE = (
    "11461 14433 12010 22059 12504 12525 12501 17708 17709 17710 17705 17711 17716 "
    "11816 13627 14319 21926 16193 17869 12189 13649 16653 11820"
)
ENTREZ = {
    "human": frozenset(map(int, _ENTREZ_HUMAN.split())),
    "mouse": frozenset(map(int, _ENTREZ_MOUSE.split())),
}
"""NCBI's ids of genes that nearly every list of a species' genes contains."""


def is_known(symbol: str) -> bool:
    """Return whether a name is that of a well-known gene, in upper or lower case.

    >>> is_known("Slc1a2"), is_known("GAPDH"), is_known("Gene7")
    (True, True, False)
    """
    return symbol.lower() in WORDS or _families_of(symbol[:1].lower()).fullmatch(symbol) is not None


@cache
def _families_of(letter: str) -> re.Pattern[str]:
    """Return the pattern of the families that begin with a letter; clones with any other.

    One pattern for all takes five times as long: it tries 150 families for each name.
    """
    families = [each for each in _FAMILIES.split("|") if letter and each.startswith(letter)]
    return re.compile("|".join(families), re.IGNORECASE) if families else _RIKEN

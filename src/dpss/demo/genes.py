"""Gene names for simulated matrices: real symbols, and made-up ones."""

from __future__ import annotations

_MITOCHONDRIAL = "ND1 ND2 CO1 CO2 ATP8 ATP6 CO3 ND3 ND4L ND4 ND5 ND6 CYB"
MITOCHONDRIAL = tuple(_MITOCHONDRIAL.split())
"""Symbols of mitochondrial genes without the prefix ``MT-`` or ``mt-``."""

_HOUSEKEEPING = (
    "MALAT1 TMSB4X B2M ACTB EEF1A1 GAPDH FTL FTH1 TPT1 TMSB10 ACTG1 UBC HSP90AB1 PTMA NACA "
    "HSPA8 COX4I1 ATP5F1E UBA52 PFN1 CFL1 PPIA TUBA1B YBX1 HNRNPA1 SERF2 OAZ1 H3-3B CALM1 JUN FOS"
)
HOUSEKEEPING = tuple(_HOUSEKEEPING.split())
"""Genes expressed in every kind of cell."""

MARKERS = {
    "cardiomyocyte": "TTN MYH7 MYL2 TNNT2 ACTC1 MYH6 RYR2 PLN TNNI3 NPPA MB CKM ACTN2",
    "fibroblast": "DCN LUM COL1A1 COL1A2 COL3A1 FBLN1 MGP PDGFRA POSTN FN1 VIM GSN SPARC",
    "endothelial": "VWF PECAM1 CDH5 CLDN5 EGFL7 KDR RAMP2 AQP1 FLT1 TIE1 EMCN PLVAP ESAM",
    "T cell": "CD3D CD3E IL7R TRAC CD2 LTB CCR7 CD8A CD8B GZMK CCL5 NKG7 IL32",
    "B cell": "MS4A1 CD79A CD79B CD74 HLA-DRA BANK1 IGHM IGHD IGKC TCL1A CD37 VPREB3 CD19",
    "monocyte": "LYZ S100A8 S100A9 CD14 FCN1 CST3 VCAN MNDA TYROBP CTSS LST1 AIF1 FCER1G",
    "hepatocyte": "ALB APOA1 APOA2 APOC3 TTR SERPINA1 FGA FGB HP TF CYP3A4 AMBP RBP4",
    "Kupffer cell": "CD68 MARCO CD163 C1QA C1QB C1QC VSIG4 CD5L MS4A7 HMOX1 SLC40A1 TIMD4 AXL",
    "stellate cell": "ACTA2 TAGLN RGS5 DES LRAT RELN COLEC11 CXCL12 IGFBP3 TIMP1 BGN MYL9 TPM2",
    "neuron": "SNAP25 SYT1 SLC17A7 GAD1 GAD2 NRXN1 RBFOX3 MEG3 CAMK2A STMN2 NRGN GRIN1 SYN1",
    "astrocyte": "GFAP AQP4 SLC1A2 SLC1A3 ALDOC GJA1 CLU APOE S100B SPARCL1 ATP1A2 GLUL MLC1",
    "oligodendrocyte": "MBP PLP1 MOBP MOG MAG CNP CLDN11 ERMN OPALIN MAL UGT8 SOX10 CRYAB",
    "beta cell": "INS IAPP PDX1 MAFA NKX6-1 G6PC2 SLC30A8 ADCYAP1 HADH DLK1 PCSK1 ERO1B SCGN",
    "alpha cell": "GCG ARX TTR IRX2 LOXL4 TM4SF4 GC CRYBA2 PCSK2 ALDH1A1 FAP SLC7A2 CHGB",
    "acinar cell": "PRSS1 PRSS2 CPA1 CPA2 CELA3A CTRB1 CTRB2 PNLIP REG1A REG1B CLPS SPINK1 CEL",
    "proximal tubule": "SLC34A1 LRP2 CUBN SLC5A2 ALDOB GPX3 MIOX PCK1 FXYD2 ASS1 KAP SPP2 ACY3",
    "podocyte": "NPHS1 NPHS2 PODXL SYNPO WT1 PTPRO MAFB CLIC3 TCF21 NTNG1 PLA2R1 VEGFA FOXC2",
    "loop of Henle": "UMOD SLC12A1 CLDN16 EGF PPP1R1B CLCNKB KNG2 TMEM52B SOSTDC1 WFDC2 DEFB1",
}
"""Marker genes of each kind of cell."""

_FAMILIES = ("ZNF", "TMEM", "FAM", "LINC0", "CCDC", "ANKRD", "KIAA", "SLC", "PCDH", "KRT", "TRIM")


def gene_symbols(kinds: tuple[str, ...], n_genes: int, *, mouse: bool) -> list[str]:
    """Return unique names for all genes of a matrix.

    Mitochondrial, ribosomal and housekeeping genes come first, then the markers of the
    kinds of cells, then made-up members of real families, up to ``n_genes``.

    >>> gene_symbols(("neuron",), 2000, mouse=True)[:2]
    ['mt-Nd1', 'mt-Nd2']

    Args:
        kinds: Names in `MARKERS`.
        n_genes: Number of genes.
        mouse: Whether to use the upper and lower case of mouse genes.
    """
    ribosomal = [f"RPL{i}" for i in range(3, 40)] + [f"RPS{i}" for i in range(2, 29)]
    markers = [name for kind in kinds for name in MARKERS[kind].split()]
    names = dict.fromkeys([*ribosomal, *HOUSEKEEPING, *markers])
    n_mitochondrial = len(MITOCHONDRIAL)
    number = 0
    while len(names) < n_genes - n_mitochondrial:
        names[f"{_FAMILIES[number % len(_FAMILIES)]}{11 + number // len(_FAMILIES)}"] = None
        number += 1
    if mouse:
        return [f"mt-{name.capitalize()}" for name in MITOCHONDRIAL] + [
            name.capitalize() for name in names
        ]
    return [f"MT-{name}" for name in MITOCHONDRIAL] + list(names)


def gene_ids(n_genes: int) -> list[str]:
    """Return ids that no real gene has."""
    return [f"SIM{number:06d}" for number in range(n_genes)]

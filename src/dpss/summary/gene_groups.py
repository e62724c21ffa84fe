"""Genes of ribosomal proteins and haemoglobins, by their symbols.

The patterns begin as those of scanpy's tutorial do (``RPS``, ``RPL`` and ``HB[^P]``), in the case
of any species: ``RPL10`` is human, ``Rpl10`` mouse, ``rpl10`` zebrafish, ``RpL10`` fruit fly. Genes
that only share the letters are left out: pseudogenes (``RPL10P3``, ``Rpl10-ps3``), kinases of
ribosomal proteins (``RPS6KA1``), ``RPS19BP1``, ``HBEGF``, ``HBS1L`` and ``HBP1``.
"""

from __future__ import annotations

import re

import numpy as np
from numpy.typing import NDArray

from dpss.model import GeneTable
from dpss.summary.limits import N_MARKERS
from dpss.summary.name_patterns import find_matches

_GENOME = r"(?:.*_)?"
_RIBOSOMAL = re.compile(
    rf"{_GENOME}RP(?:SA|LP[0-3]|[SL]\d+(?!K|[A-Z]*P\d)[A-Z]{{0,2}}\d?)", re.IGNORECASE
)
_HAEMOGLOBIN = re.compile(
    rf"{_GENOME}HB(?:[ABDEGMQZ]\d?[AB]?|[AB]-(?!PS)\w+|[AB]{{1,2}}[AE]\d(?:\.\d)?)", re.IGNORECASE
)


def find_ribosomal(genes: GeneTable) -> NDArray[np.bool_]:
    """Return which genes code ribosomal proteins, by symbol, shape ``(n_features,)``."""
    return find_matches(_RIBOSOMAL, list(map(str, genes.names)), "rp")


def find_haemoglobin(genes: GeneTable) -> NDArray[np.bool_]:
    """Return which genes code haemoglobins, by symbol, shape ``(n_features,)``."""
    return find_matches(_HAEMOGLOBIN, list(map(str, genes.names)), "hb")


def enough(group: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return a group of genes; an empty group if they are too few for a percentage."""
    return group & (np.count_nonzero(group) >= N_MARKERS)

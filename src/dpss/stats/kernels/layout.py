"""The layout of the fixed-point sums of each feature.

One row of eight ``int64`` per feature (one cache line) holds all its sums. Fractions are summed in
two integer limbs rather than in floating point: a share ``p`` of a cell's counts rounded to
``2**-52``, the square of that ``floor(p**2 * 2**78)``, the fraction of a count that is not whole as
``floor(f * 2**74)``. Integer addition is associative, so that the sums do not depend on how the
cells were cut into blocks, on the number of threads, or on the order of merging; and the variance,
computed from the exact sums with Python's integers (`dpss.stats.moments`), loses nothing to
cancellation beyond the rounding of each single share to a double.

Precision: a gene with one count in ten million has ``p = 1e-7``, with a relative error of 1e-9, and
    of 3e-9 in its square. A value of 1e-12 is added with a relative error of 1e-10 at most.

The limbs can't overflow: low limbs are carried into the high ones every 32,768
additions to a feature, and a high limb holds the shares of 2**31 cells. The lowest limb of the
fractions is an array of its own, as it is touched by values that are not whole only; it holds
2**35 additions.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

N_CELLS, TOTAL, TOTAL_LOW, SHARE, SHARE_LOW, SQUARE, SQUARE_LOW, ROLE = range(8)
"""Columns of a feature's row."""

N_COLUMNS = 8

LOW_BITS = 46
"""Bits of the low limbs of totals and squares."""
TAIL_BITS = 28
"""Bits of the lowest limb of totals, below the low one."""
SHARE_LOW_BITS = 21
"""Bits of the low limb of shares."""
SHARE_BITS = 52
"""The unit of a sum of shares is ``2**-SHARE_BITS``."""
SQUARE_BITS = 78
"""The unit of a sum of squared shares is ``2**-SQUARE_BITS``."""

N_RECENT_COLUMNS = 4
"""Columns of a row of recent sums: the number of cells and the counts in one, the shares, and
the two limbs of their squares."""
RECENT_BITS = 32
"""Bits of the counts in the first column of recent sums, below the number of cells."""
N_TABULATED = 63
"""Largest count whose terms are computed once for a cell."""

TERMS_OF = 64
"""Values with fractions whose terms are computed at once, before they are added."""
N_TERMS = 5
"""Terms of a value: whole part, low limb, share, and two limbs of the share's square."""

NOT_A_GENE = -1
"""Role of a feature that is not a gene. Other roles are bits: one for each of `GROUPS` that the
gene is in, and from `BOX_SHIFT` on the number of its box-plot histogram plus one (0: none)."""
GROUPS = ("mt", "ribo", "hb")
"""Groups of genes whose counts are summed in each cell: mitochondrial, ribosomal, haemoglobin."""
N_GROUPS = 3
GROUP_BITS = 21
"""Bits from a group's bit in a role to the next one's: a count times the bits of a role can be
added to the sums of all groups at once, in a cell of fewer than ``2**GROUP_BITS`` counts."""
IN_MT, IN_RIBO, IN_HB = (1 << GROUP_BITS * group for group in range(N_GROUPS))
IN_A_GROUP = IN_MT | IN_RIBO | IN_HB
BOX_SHIFT = 48

N_TOP_COUNTS = 50
"""Genes of a cell whose counts are summed as the highest ones."""

(N_GENES_BY_COUNTS, TOTAL_COUNTS, COUNTS_MT, COUNTS_RIBO, COUNTS_HB, COUNTS_TOP) = range(6)
"""Columns of the measures of a cell: genes detected (-1 for a cell that is not kept), the sum of
counts, of those in each group, and of the highest `N_TOP_COUNTS` (NaN where not known)."""
N_MEASURES = 6

BINS_PER_OCTAVE_BITS = 8
BOX_OCTAVES = 27
N_BOX_BINS = (BOX_OCTAVES << BINS_PER_OCTAVE_BITS) + 1
"""Bins of a share's histogram: 256 per octave from 2**-27 to 1, the last for 1 itself."""

N_FRACTIONAL, N_NEGATIVE, N_NONFINITE, N_ZERO, N_OUTSIDE, N_LARGE = range(6)
"""Columns of the facts about values that the loops collect."""
N_FACTS = 6


def join_limbs(
    whole: NDArray[np.int64], low: NDArray[np.int64], tail: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Return totals in three limbs, in canonical form, as doubles, shape as given."""
    fractions = (low + tail / (1 << TAIL_BITS)) / (1 << LOW_BITS)
    totals: NDArray[np.float64] = whole + fractions
    return totals


def box_bin_edges() -> NDArray[np.float64]:
    """Return the lower edges of the histogram's bins, shape ``(N_BOX_BINS + 1,)``.

    The first bin also holds all smaller shares.
    """
    first = (1023 - BOX_OCTAVES) << BINS_PER_OCTAVE_BITS
    keys = (np.arange(N_BOX_BINS + 1, dtype=np.int64) + first) << (52 - BINS_PER_OCTAVE_BITS)
    return keys.view(np.float64)

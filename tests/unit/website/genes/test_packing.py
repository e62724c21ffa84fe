"""Numbers in 32-bit words."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dpss.website.genes.packing import float_words, word_text
from tests.unit.website.published import number, words


@given(st.lists(st.floats(allow_nan=True, allow_infinity=True), min_size=1, max_size=20))
def test_words_keep_five_digits(values):
    """A float comes back within 2**-16 of itself; the undefined and the infinite as such."""
    back = [number(word) for word in words(word_text(float_words(np.array(values))))]
    for value, found in zip(values, back, strict=True):
        if np.isnan(value):
            assert np.isnan(found)
        elif abs(value) < 1e38 and (abs(value) > 1e-37 or value == 0):
            assert found == pytest.approx(value, rel=2**-16)

"""Labels in a crowd."""

from __future__ import annotations

import numpy as np

from dpss.figures.elements.labels import place_labels


def test_labels_in_a_crowd_do_not_overlap() -> None:
    """Even points on top of each other get labels apart, inside the area, always the same."""
    points = np.array([[100.0, 100.0]] * 12)
    sizes = [(40.0, 9.0)] * 12
    places = place_labels(points, sizes, (300.0, 300.0), points)
    assert places == place_labels(points, sizes, (300.0, 300.0), points)
    found = [place for place in places if place is not None]
    assert len(found) == 12
    for n, a in enumerate(found):
        assert 0 <= a.x <= 260
        assert 0 <= a.y <= 291
        for b in found[:n]:
            assert abs(a.x - b.x) >= 40 or abs(a.y - b.y) >= 9

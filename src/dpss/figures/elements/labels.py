"""Placement of labels beside their points, without overlaps.

A label tries places around its point. A place is free if the label lies within the area, touches
no other label, no line of one and no marked point, and hides at most `most_hidden` of the other
points. Of the free places the label takes the one with the lowest cost: near, in a preferred
direction, and with few points below. A label without a free place is left out. Equal input gives
equal places, as nothing is random. The page's script ``labels.js`` has the same rule.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

MARKED_RADIUS = 3.2
"""Radius of a marked point that stays clear, in points of 1/72 inch."""
RADIUS = 1.5
"""Radius of another point, in points of 1/72 inch."""
_UP = (0, 180, 30, 150, 60, 120, 90, *range(15, 180, 30))
_ANGLES = (*_UP, *range(345, 180, -15))
_DIRECTIONS = np.round([[np.cos(a), np.sin(a)] for a in np.deg2rad(_ANGLES)], 4)
"""Unit vectors in which a label may lie from its point, the preferred ones first: beside, above."""
_DISTANCES = (5.0, 9.0, 14.0, 20.0, 27.0, 35.0, 44.0, 54.0, 66.0, 80.0)
_NEAR = 9.0
"""Largest distance without a line."""
_COST_OF_DIRECTION = 0.5
_COST_OF_HIDDEN = 4.0
"""Cost of a step down the preferred directions and of a hidden point, in points of distance."""
_GAP = 1.5
_CELL = 2.0
_STEP = 1.0
"""Distance of the places at which a line is checked."""
_BATCH = 32
"""Candidates whose lines are checked at once."""

_Array = NDArray[np.float64]


@dataclass(frozen=True)
class Place:
    """Position of a label, in points of 1/72 inch."""

    x: float
    """Left edge."""
    y: float
    """Lower edge."""
    far: bool
    """Whether the label is so far away that a line leads to its point."""

    def nearest(self, x: float, y: float, size: tuple[float, float]) -> tuple[float, float]:
        """Return where the line to a point starts, on the label's edge."""
        return (
            min(max(x, self.x), self.x + size[0]),
            min(max(y, self.y), self.y + size[1]),
        )


def most_hidden(n_others: int) -> float:
    """Return how many other points a label may hide: 2, or 1 in 2,000 if more."""
    return max(2.0, n_others / 2000)


def place_labels(
    points: _Array,
    sizes: Sequence[tuple[float, float]],
    area: tuple[float, float],
    marked: _Array,
    others: _Array,
) -> list[Place | None]:
    """Find a place for each label.

    Args:
        points: What is labelled, in points of 1/72 inch from the lower left corner,
            shape ``(n_labels, 2)``; earlier ones choose first.
        sizes: Width and height of each label in the same unit.
        area: Width and height of the room; labels stay within.
        marked: Points that no label covers, and no line crosses if it can, shape
            ``(n_marked, 2)``; the labelled ones among them.
        others: Points of which a label may hide a few, shape ``(n_others, 2)``.

    Returns:
        Places in the order of the points; ``None`` where there is no free one.
    """
    counts = _PointCounts(others, area)
    dots = np.hstack((marked - MARKED_RADIUS, marked + MARKED_RADIUS)).reshape(-1, 4)
    labels, lines = np.empty((0, 4)), np.empty((0, 4))
    places: list[Place | None] = []
    for (x, y), size in zip(points.tolist(), sizes, strict=True):
        own = ((dots[:, :2] < (x, y)) & (dots[:, 2:] > (x, y))).all(axis=1)
        taken = np.concatenate([labels, lines, dots])
        candidates = list(_candidates((x, y), size, area, taken, counts))
        place = _first((x, y), size, candidates, np.concatenate([labels, lines, dots[~own]]))
        # Better a line across others and across points than no label.
        place = place or _first((x, y), size, candidates, labels)
        places.append(place)
        if place is not None:
            box = [[place.x, place.y, place.x + size[0], place.y + size[1]]]
            labels = np.concatenate([labels, box])
            if place.far:
                lines = np.concatenate([lines, _lines((x, y), size, [place])[0]])
    return places


def _first(
    point: tuple[float, float],
    size: tuple[float, float],
    candidates: Sequence[Place],
    clear: _Array,
) -> Place | None:
    """Return the first place whose line, if any, meets no box of ``clear``."""
    for start in range(0, len(candidates), _BATCH):
        batch = candidates[start : start + _BATCH]
        if not batch[0].far:
            return batch[0]
        boxes, owners = _lines(point, size, batch)
        crossed = np.bincount(owners[_meet(boxes, clear)], minlength=len(batch)).tolist()
        for each, n in zip(batch, crossed, strict=True):
            if not each.far or not n:
                return each
    return None


def _candidates(
    point: tuple[float, float],
    size: tuple[float, float],
    area: tuple[float, float],
    taken: _Array,
    counts: _PointCounts,
) -> Iterator[Place]:
    """Yield the free places around a point, the cheapest first; lines may cross."""
    steps = np.array(_DISTANCES)[:, None, None]
    corners = np.array(point) + _DIRECTIONS * steps + (_DIRECTIONS - 1) * np.array(size) / 2
    boxes = np.concatenate([corners - _GAP, corners + size + _GAP], axis=2).reshape(-1, 4)
    inside = (boxes[:, :2] >= 0).all(axis=1) & (boxes[:, 2:] <= area).all(axis=1)
    hidden = counts.within(boxes + np.array([_GAP, _GAP, -_GAP, -_GAP]))
    free = np.flatnonzero(inside & (hidden <= counts.most_hidden) & ~_meet(boxes, taken))
    ways = np.arange(len(_DIRECTIONS)) * _COST_OF_DIRECTION
    costs = (steps[:, :, 0] + ways).ravel()[free] + hidden[free] * _COST_OF_HIDDEN
    for n in free[np.argsort(costs, kind="stable")].tolist():
        left, low = corners.reshape(-1, 2)[n].tolist()
        yield Place(left, low, _DISTANCES[n // len(_DIRECTIONS)] > _NEAR)


def _lines(
    point: tuple[float, float], size: tuple[float, float], places: Sequence[Place]
) -> tuple[_Array, NDArray[np.int64]]:
    """Return boxes along the line from each place of a label to its point.

    Returns:
        The boxes, shape ``(n_boxes, 4)``, and the number of each one's place, shape ``(n_boxes,)``.
    """
    start = np.array(point)
    ways = np.array([each.nearest(*point, size) for each in places]) - start
    n = (np.abs(ways).max(axis=1) / _STEP).astype(np.int64) + 1
    owners = np.repeat(np.arange(len(places)), n)
    parts = (np.arange(len(owners)) - np.repeat(np.cumsum(n) - n, n) + 0.5) / n[owners]
    middles = start + ways[owners] * parts[:, None]
    return np.concatenate([middles - 0.5, middles + 0.5], axis=1), owners


def _meet(some: _Array, others: _Array) -> NDArray[np.bool_]:
    """Return which of some boxes overlap any of others, shape ``(n_some,)``."""
    a, b = some[:, None], others[None]
    overlap = (a[..., 0] < b[..., 2]) & (b[..., 0] < a[..., 2])
    overlap &= (a[..., 1] < b[..., 3]) & (b[..., 1] < a[..., 3])
    return np.asarray(overlap.any(axis=1))


class _PointCounts:
    """Counts the points that a rectangle hides, by a summed-area table.

    Points are counted in squares of `_CELL`; a rectangle takes all squares that it touches.
    """

    def __init__(self, points: _Array, area: tuple[float, float]) -> None:
        self.most_hidden = most_hidden(len(points))
        shape = [int(size / _CELL) + 1 for size in area]
        counts = np.zeros((shape[0] + 1, shape[1] + 1), dtype=np.int64)
        if len(points):
            at = np.clip((points / _CELL).astype(np.int64), 0, np.array(shape) - 1)
            np.add.at(counts, (at[:, 0] + 1, at[:, 1] + 1), 1)
        self._sums = counts.cumsum(axis=0).cumsum(axis=1)

    def within(self, boxes: _Array) -> NDArray[np.int64]:
        """Return the number of points in or near each box, shape ``(n_boxes,)``."""
        s = self._sums
        ends = np.array(s.shape) - 1
        first = np.clip(np.floor((boxes[:, :2] - RADIUS) / _CELL).astype(np.int64), 0, ends)
        last = np.clip(np.floor((boxes[:, 2:] + RADIUS) / _CELL).astype(np.int64) + 1, 0, ends)
        (left, low), (right, high) = first.T, last.T
        return np.asarray(s[right, high] - s[left, high] - s[right, low] + s[left, low])

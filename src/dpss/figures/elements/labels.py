"""Placement of labels so that they overlap neither each other nor the points they name.

A label tries places around its point, near ones first, and takes the first that is
free; of equally near ones, the one that hides the fewest other points. Same input,
same places: nothing is random.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_DIRECTIONS = np.deg2rad(
    [0, 180, 30, 150, 330, 210, 60, 120, 300, 240, 90, 270, *range(15, 360, 30)]
)
_WAYS = np.stack((np.cos(_DIRECTIONS), np.sin(_DIRECTIONS)), axis=1)
"""Unit vectors in which a label may lie from its point, the preferred ones first."""
_DISTANCES = (5.0, 9.0, 14.0, 20.0, 27.0, 36.0, 47.0, 60.0, 75.0, 95.0, 120.0, 150.0, 190.0)
_GAP = 1.5
_CELL = 4.0

_Box = tuple[float, float, float, float]


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


def place_labels(
    points: NDArray[np.float64],
    sizes: Sequence[tuple[float, float]],
    area: tuple[float, float],
    others: NDArray[np.float64],
) -> list[Place | None]:
    """Find a place for each label.

    Args:
        points: What is labelled, in points of 1/72 inch from the lower left corner,
            shape ``(n_labels, 2)``.
        sizes: Width and height of each label in the same unit.
        area: Width and height of the room; labels stay within.
        others: Points that had better not be hidden, shape ``(n_others, 2)``.

    Returns:
        Places in the order of the points; ``None`` where there is no free one.
    """
    crowd = _Crowd(others, area)
    dots = [(x - 3.2, y - 3.2, x + 3.2, y + 3.2) for x, y in points.tolist()]
    labels: list[_Box] = []
    lines = _stack([])
    places: list[Place | None] = []
    for index, (x, y) in enumerate(points.tolist()):
        others_dots = dots[:index] + dots[index + 1 :]
        blocked = _Blocked(
            np.concatenate([_stack([*labels, *others_dots]), lines]),
            np.concatenate([_stack(labels), lines]),
        )
        place = _first_free(x, y, sizes[index], area, blocked, crowd)
        if place is None:  # Let its line cross others, then.
            place = _first_free(
                x, y, sizes[index], area, _Blocked(blocked.label, _stack([])), crowd
            )
        places.append(place)
        if place is not None:
            wide, high = sizes[index]
            labels.append((place.x, place.y, place.x + wide, place.y + high))
            lines = np.concatenate([lines, _line(x, y, place, sizes[index])])
    return places


@dataclass(frozen=True)
class _Blocked:
    """Boxes that a label and its line must stay clear of."""

    label: NDArray[np.float64]
    line: NDArray[np.float64]


def _first_free(
    x: float,
    y: float,
    size: tuple[float, float],
    area: tuple[float, float],
    blocked: _Blocked,
    crowd: _Crowd,
) -> Place | None:
    for distance in _DISTANCES:
        far = distance > 9.0
        corners = _corners(x, y, distance, size)
        boxes = np.hstack((corners - _GAP, corners + size + _GAP))
        outside = (boxes[:, :2] < 0).any(axis=1) | (boxes[:, 2:] > area).any(axis=1)
        free = np.flatnonzero(~outside & ~_meet(boxes, blocked.label))
        best: tuple[float, Place] | None = None
        for order in free.tolist():
            left, low = corners[order].tolist()
            place = Place(left, low, far)
            if far and _meet(_line(x, y, place, size), blocked.line).any():
                continue
            cost = crowd.within(boxes[order].tolist()) + order * 0.1
            if best is None or cost < best[0]:
                best = (cost, place)
        if best is not None:
            return best[1]
    return None


def _corners(x: float, y: float, distance: float, size: tuple[float, float]) -> NDArray[np.float64]:
    """Return lower left corners of labels whose nearest edge is that far away, each way."""
    return np.asarray(np.array((x, y)) + _WAYS * distance + (_WAYS - 1) * np.array(size) / 2)


def _line(x: float, y: float, place: Place, size: tuple[float, float]) -> NDArray[np.float64]:
    """Return small boxes along the line from a label to its point, if it has one."""
    if not place.far:
        return _stack([])
    end = place.nearest(x, y, size)
    n = max(int(np.hypot(end[0] - x, end[1] - y) / 2), 1)
    parts = (np.arange(n) + 0.5) / n
    across, up = x + (end[0] - x) * parts, y + (end[1] - y) * parts
    return np.stack([across - 0.5, up - 0.5, across + 0.5, up + 0.5], axis=1)


def _stack(boxes: Sequence[_Box]) -> NDArray[np.float64]:
    """Return boxes as an array, shape ``(n_boxes, 4)``."""
    return np.array(boxes, dtype=np.float64).reshape(-1, 4)


def _meet(some: NDArray[np.float64], others: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Return which of some boxes overlap any of others, shape ``(n_some,)``."""
    a, b = some[:, None], others[None]
    overlap = (a[..., 0] < b[..., 2]) & (b[..., 0] < a[..., 2])
    overlap &= (a[..., 1] < b[..., 3]) & (b[..., 1] < a[..., 3])
    return np.asarray(overlap.any(axis=1))


class _Crowd:
    """How many points lie within a rectangle, at the price of four look-ups."""

    def __init__(self, points: NDArray[np.float64], area: tuple[float, float]) -> None:
        shape = [int(size / _CELL) + 1 for size in area]
        counts = np.zeros((shape[0] + 1, shape[1] + 1))
        if len(points):
            at = np.clip((points / _CELL).astype(int), 0, np.array(shape) - 1)
            np.add.at(counts, (at[:, 0] + 1, at[:, 1] + 1), 1)
        self._sums = counts.cumsum(axis=0).cumsum(axis=1)

    def within(self, box: Sequence[float]) -> float:
        shape = self._sums.shape
        left, low, right, high = (
            min(max(round(edge / _CELL), 0), shape[n % 2] - 1) for n, edge in enumerate(box)
        )
        s = self._sums
        return float(s[right, high] - s[left, high] - s[right, low] + s[left, low])

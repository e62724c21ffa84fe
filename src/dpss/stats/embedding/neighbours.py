"""Nearest neighbours of cells in the sketch: exact, or in the nearest lists.

Scores are scaled to integers of 16 bits whose squared distances fit into 32, so that neither
the order of additions nor the processor changes a distance.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dpss.compute.jit import compiled, part

N_NEIGHBOURS = 15
MAX_NORM = 8192.0
"""Largest norm of a scaled cell of the sketch; other cells may have twice that."""
_FAR = np.int32(2**31 - 1)
_LANES = 32
"""Components are padded with zeros to a multiple of this."""
_PROBES = 8
_ROUNDS = 6


@part(inline="always")
def _dot(a: Any, i: Any, b: Any, j: Any) -> Any:
    """Return the inner product of two rows of 16-bit integers in 32 bits."""
    total = np.int32(0)
    for t in range(np.uint64(a.shape[1])):
        total = np.int32(total + np.int32(a[i, t]) * np.int32(b[j, t]))
    return total


@part(inline="always")
def _insert(neighbours: Any, distances: Any, i: Any, j: Any, distance: Any) -> None:
    """Insert a neighbour into a sorted row that ends in a farther one, after ties."""
    at = distances.shape[1] - 1
    while at > 0 and distances[i, at - 1] > distance:
        distances[i, at] = distances[i, at - 1]
        neighbours[i, at] = neighbours[i, at - 1]
        at -= 1
    distances[i, at] = distance
    neighbours[i, at] = j


@compiled
def search_all(
    queries: Any, points: Any, norms: Any, first: int, neighbours: Any, distances: Any
) -> None:
    """Find the nearest of all points to each query; ties go by number.

    Args:
        queries: ``int16``, shape ``(n_queries, n_components)``.
        points: ``int16``, shape ``(n_points, n_components)``.
        norms: ``int32``, shape ``(n_points,)``: squared norms of the points.
        first: Number of the first query among the points, which is not its own neighbour;
            ``-n_queries`` or less if queries are no points.
        neighbours: ``int32``, shape ``(n_queries, n_neighbours)``; set to points.
        distances: ``int32``, shape ``(n_queries, n_neighbours)``; set to squared distances.
    """
    n_neighbours = np.uint64(distances.shape[1])
    for i in range(np.uint64(queries.shape[0])):
        norm = _dot(queries, i, queries, i)
        for k in range(n_neighbours):
            distances[i, k] = _FAR
            neighbours[i, k] = -1
        itself = first + np.int64(i)
        for j in range(np.uint64(points.shape[0])):
            distance = np.int32(norm + norms[j] - 2 * _dot(queries, i, points, j))
            if distance < distances[i, n_neighbours - np.uint64(1)] and np.int64(j) != itself:
                _insert(neighbours, distances, i, np.int32(j), distance)


@compiled
def search_lists(  # noqa: PLR0913
    queries: Any,
    centres: Any,
    centre_norms: Any,
    indptr: Any,
    points: Any,
    norms: Any,
    probes: Any,
    probe_distances: Any,
    neighbours: Any,
    distances: Any,
) -> None:
    """Find the nearest points of each query in the lists of the nearest centres.

    Args:
        queries: ``int16``, shape ``(n_queries, n_components)``.
        centres: ``int16``, shape ``(n_lists, n_components)``.
        centre_norms: ``int32``, shape ``(n_lists,)``.
        indptr: ``int64``, shape ``(n_lists + 1,)``: start of each list in the points.
        points: ``int16``, shape ``(n_points, n_components)``, list after list.
        norms: ``int32``, shape ``(n_points,)``.
        probes: ``int32``, shape ``(1, n_probes)``; memory to work in.
        probe_distances: ``int32``, shape ``(1, n_probes)``; memory to work in.
        neighbours: ``int32``, shape ``(n_queries, n_neighbours)``; set to points, -1 for none.
        distances: ``int32``, shape ``(n_queries, n_neighbours)``; set to squared distances.
    """
    n_neighbours, n_probes = np.uint64(distances.shape[1]), np.uint64(probes.shape[1])
    nought, one = np.uint64(0), np.uint64(1)
    for i in range(np.uint64(queries.shape[0])):
        norm = _dot(queries, i, queries, i)
        for k in range(n_probes):
            probe_distances[0, k] = _FAR
            probes[0, k] = -1
        for j in range(np.uint64(centres.shape[0])):
            distance = np.int32(norm + centre_norms[j] - 2 * _dot(queries, i, centres, j))
            if distance < probe_distances[0, n_probes - one]:
                _insert(probes, probe_distances, nought, np.int32(j), distance)
        for k in range(n_neighbours):
            distances[i, k] = _FAR
            neighbours[i, k] = -1
        for k in range(n_probes):
            probe = probes[0, k]
            if probe >= 0:
                for j in range(np.uint64(indptr[probe]), np.uint64(indptr[probe + 1])):
                    distance = np.int32(norm + norms[j] - 2 * _dot(queries, i, points, j))
                    if distance < distances[i, n_neighbours - one]:
                        _insert(neighbours, distances, i, np.int32(j), distance)


@dataclass(frozen=True)
class ScoreScale:
    """The factor that scales scores to integers of 16 bits."""

    factor: float
    n_components: int

    @classmethod
    def of(cls, scores: NDArray[np.float64]) -> ScoreScale:
        """Return the scale that gives the longest of some scores `MAX_NORM`.

        Args:
            scores: Of the sketch, shape ``(n_cells, n_components)``.
        """
        longest = float(_norms_of(scores).max(initial=0.0))
        return cls(MAX_NORM / longest if longest > 0 else 0.0, scores.shape[1])

    def apply(self, scores: NDArray[np.float64]) -> NDArray[np.int16]:
        """Return scaled scores, padded with zeros; longer ones are shortened.

        Args:
            scores: Shape ``(n_cells, n_components)``.

        Returns:
            Shape ``(n_cells, n_padded)``.
        """
        scaled = scores * self.factor
        norms = _norms_of(scaled)
        too_long = norms > 2 * MAX_NORM
        scaled[too_long] *= (2 * MAX_NORM / norms[too_long])[:, None]
        padded = -(-self.n_components // _LANES) * _LANES
        out = np.zeros((len(scores), padded), dtype=np.int16)
        out[:, : self.n_components] = np.rint(scaled)
        return out


def _norms_of(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the Euclidean norm of each row, added up in the order of the columns."""
    squares = np.zeros(len(rows))
    for column in rows.T:
        squares += column * column
    return np.sqrt(squares)


def squared_norms(points: NDArray[np.int16]) -> NDArray[np.int32]:
    """Return the squared norm of each row, shape ``(n_points,)``."""
    return np.asarray(np.einsum("ij,ij->i", points, points, dtype=np.int64), dtype=np.int32)


@dataclass(frozen=True)
class SearchLists:
    """The sketch in lists of cells that are near each other."""

    centres: NDArray[np.int16]
    """Shape ``(n_lists, n_padded)``."""
    indptr: NDArray[np.int64]
    """Start of each list, shape ``(n_lists + 1,)``."""
    members: NDArray[np.int64]
    """Cell of the sketch in each place of the lists, shape ``(n_sketch,)``."""
    points: NDArray[np.int16]
    """Their scaled scores, shape ``(n_sketch, n_padded)``."""
    centre_norms: NDArray[np.int32]
    """Squared norms of the centres, shape ``(n_lists,)``."""
    norms: NDArray[np.int32]
    """Squared norms of the points, shape ``(n_sketch,)``."""

    @classmethod
    def of(cls, points: NDArray[np.int16]) -> SearchLists:
        """Cut the sketch into about 2 sqrt(n) lists, by rounds of k-means in integers.

        Args:
            points: Scaled scores of the sketch, shape ``(n_sketch, n_padded)``.
        """
        n_points = len(points)
        n_lists = max(1, int(2 * np.sqrt(n_points)))
        centres = points[np.linspace(0, n_points - 1, n_lists).astype(np.int64)].copy()
        for _ in range(_ROUNDS):
            nearest = _nearest_centres(points, centres)
            sizes = np.bincount(nearest, minlength=n_lists)
            for k in range(points.shape[1]):
                sums = np.bincount(nearest, points[:, k].astype(np.float64), n_lists)
                means = np.rint(sums / np.maximum(sizes, 1)).astype(np.int16)
                centres[:, k] = np.where(sizes > 0, means, centres[:, k])
        nearest = _nearest_centres(points, centres)
        members = np.argsort(nearest, kind="stable")
        sizes = np.bincount(nearest, minlength=n_lists)
        indptr = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
        listed = np.ascontiguousarray(points[members])
        return cls(centres, indptr, members, listed, squared_norms(centres), squared_norms(listed))

    def search(
        self, queries: NDArray[np.int16], n_neighbours: int = N_NEIGHBOURS
    ) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
        """Find neighbours of cells in the nearest lists.

        Args:
            queries: Scaled scores, shape ``(n_queries, n_padded)``.
            n_neighbours: Number of neighbours per query; fewer where the lists have fewer.

        Returns:
            Cells of the sketch, -1 for none, and squared distances, each of shape
            ``(n_queries, n_neighbours)``.
        """
        shape = (len(queries), n_neighbours)
        neighbours, distances = np.empty(shape, np.int32), np.empty(shape, np.int32)
        probes = np.empty((2, 1, min(_PROBES, len(self.centres))), np.int32)
        search_lists(
            queries, self.centres, self.centre_norms, self.indptr, self.points, self.norms,
            probes[0], probes[1], neighbours, distances,
        )  # fmt: skip
        return np.where(neighbours >= 0, self.members[neighbours], -1), distances


def _nearest_centres(points: NDArray[np.int16], centres: NDArray[np.int16]) -> NDArray[np.int64]:
    neighbours = np.empty((len(points), 1), np.int32)
    search_all(
        points, centres, squared_norms(centres), -len(points), neighbours, np.empty_like(neighbours)
    )
    return neighbours[:, 0].astype(np.int64)

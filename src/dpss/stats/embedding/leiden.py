"""Clusters of a graph by the Leiden algorithm, for modularity with a resolution.

Source: V. Traag, L. Waltman, N. van Eck, "From Louvain to Leiden: guaranteeing well-connected
communities", Scientific Reports 9 (2019) 5233, doi:10.1038/s41598-019-41695-z. Nodes are
visited in the order of a hash; a node joins the best community, the first of equally good
ones. Weights are multiples of 2**-20: their sums are exact.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dpss.compute.jit import compiled
from dpss.stats.cell_hash import hash_cells
from dpss.stats.embedding.graph import Graph

_MAX_LEVELS = 64


@compiled
def move_nodes(  # noqa: PLR0913
    indptr: Any,
    targets: Any,
    weights: Any,
    strengths: Any,
    penalty: float,
    queue: Any,
    waiting: Any,
    communities: Any,
    totals: Any,
    links: Any,
    touched: Any,
) -> int:
    """Move nodes to better communities until none is better.

    Args:
        indptr: ``int64``, shape ``(n_nodes + 1,)``.
        targets: ``int32``, shape ``(n_edges,)``.
        weights: ``float64``, shape ``(n_edges,)``.
        strengths: ``float64``, shape ``(n_nodes,)``: sum of a node's weights.
        penalty: Resolution over the sum of all strengths.
        queue: ``int32``, shape ``(n_nodes,)``: all nodes, in the order of visits.
        waiting: ``uint8``, shape ``(n_nodes,)``: ones; memory to work in.
        communities: ``int32``, shape ``(n_nodes,)``; changed.
        totals: ``float64``, shape ``(n_nodes,)``: sum of each community's strengths; changed.
        links: ``float64``, shape ``(n_nodes,)``: zeros; memory to work in.
        touched: ``int32``, shape ``(n_nodes,)``; memory to work in.

    Returns:
        Number of moves.
    """
    n_nodes = len(strengths)
    n_moves, head, n_waiting = 0, 0, n_nodes
    while n_waiting > 0:
        node = queue[head]
        head = head + 1 if head + 1 < n_nodes else 0
        n_waiting -= 1
        waiting[node] = 0
        own = communities[node]
        strength = strengths[node]
        n_touched = 0
        for i in range(indptr[node], indptr[node + 1]):
            other = targets[i]
            if other != node:
                community = communities[other]
                if links[community] == 0.0:
                    touched[n_touched] = community
                    n_touched += 1
                links[community] += weights[i]
        totals[own] -= strength
        best = own
        best_gain = links[own] - penalty * strength * totals[own]
        for k in range(n_touched):
            community = touched[k]
            gain = links[community] - penalty * strength * totals[community]
            if gain > best_gain:
                best, best_gain = community, gain
            links[community] = 0.0
        links[own] = 0.0
        totals[best] += strength
        if best != own:
            communities[node] = best
            n_moves += 1
            for i in range(indptr[node], indptr[node + 1]):
                other = targets[i]
                if communities[other] != best and waiting[other] == 0:
                    waiting[other] = 1
                    tail = head + n_waiting
                    queue[tail - n_nodes if tail >= n_nodes else tail] = other
                    n_waiting += 1
    return n_moves


@compiled
def refine_nodes(  # noqa: PLR0912, PLR0913
    indptr: Any,
    targets: Any,
    weights: Any,
    strengths: Any,
    penalty: float,
    order: Any,
    communities: Any,
    totals: Any,
    refined: Any,
    refined_totals: Any,
    outward: Any,
    sizes: Any,
    links: Any,
    touched: Any,
) -> None:
    """Cut communities into well-connected parts, which single nodes join.

    Args:
        indptr: ``int64``, shape ``(n_nodes + 1,)``.
        targets: ``int32``, shape ``(n_edges,)``.
        weights: ``float64``, shape ``(n_edges,)``.
        strengths: ``float64``, shape ``(n_nodes,)``.
        penalty: Resolution over the sum of all strengths.
        order: ``int32``, shape ``(n_nodes,)``: the order of visits.
        communities: ``int32``, shape ``(n_nodes,)``.
        totals: ``float64``, shape ``(n_nodes,)``: sum of each community's strengths.
        refined: ``int32``, shape ``(n_nodes,)``: each node its own; changed to parts.
        refined_totals: ``float64``, shape ``(n_nodes,)``: the strengths; changed.
        outward: ``float64``, shape ``(n_nodes,)``: set to the weight between a part and the
            rest of its community.
        sizes: ``int32``, shape ``(n_nodes,)``: ones; changed to the parts' numbers of nodes.
        links: ``float64``, shape ``(n_nodes,)``: zeros; memory to work in.
        touched: ``int32``, shape ``(n_nodes,)``; memory to work in.
    """
    for node in range(len(strengths)):
        total = 0.0
        for i in range(indptr[node], indptr[node + 1]):
            if targets[i] != node and communities[targets[i]] == communities[node]:
                total += weights[i]
        outward[node] = total
    for at in range(len(order)):
        node = order[at]
        strength = strengths[node]
        whole = totals[communities[node]]
        connected = outward[node] >= penalty * strength * (whole - strength)
        if sizes[refined[node]] != 1 or refined[node] != node or not connected:
            continue
        n_touched = 0
        for i in range(indptr[node], indptr[node + 1]):
            other = targets[i]
            if other != node and communities[other] == communities[node]:
                part = refined[other]
                if links[part] == 0.0:
                    touched[n_touched] = part
                    n_touched += 1
                links[part] += weights[i]
        best = node
        best_gain = 0.0
        for k in range(n_touched):
            part = touched[k]
            total = refined_totals[part]
            if outward[part] >= penalty * total * (whole - total):
                gain = links[part] - penalty * strength * total
                if gain > best_gain:
                    best, best_gain = part, gain
        if best != node:
            refined[node] = best
            refined_totals[best] += strength
            refined_totals[node] = 0.0
            outward[best] += outward[node] - 2.0 * links[best]
            sizes[best] += 1
            sizes[node] = 0
        for k in range(n_touched):
            links[touched[k]] = 0.0


@dataclass(frozen=True)
class _Level:
    """A graph whose nodes are groups of nodes; edges within a node are loops."""

    indptr: NDArray[np.int64]
    targets: NDArray[np.int32]
    weights: NDArray[np.float64]
    strengths: NDArray[np.float64]

    @property
    def n_nodes(self) -> int:
        return len(self.strengths)

    def order(self, seed: int) -> NDArray[np.int32]:
        keys = hash_cells(np.arange(self.n_nodes) + (seed << 32))
        return np.argsort(keys, kind="stable").astype(np.int32)

    def totals_of(self, communities: NDArray[np.int32]) -> NDArray[np.float64]:
        return np.bincount(communities, self.strengths, self.n_nodes).astype(np.float64)

    def join(self, groups: NDArray[np.int32]) -> _Level:
        """Return the graph of groups, numbered from 0 without gaps."""
        n = int(groups.max()) + 1
        sources = np.repeat(np.arange(self.n_nodes), np.diff(self.indptr))
        keys = groups[sources].astype(np.int64) * n + groups[self.targets]
        order = np.argsort(keys, kind="stable")
        keys = keys[order]
        first = np.flatnonzero(np.concatenate([[True], keys[1:] != keys[:-1]]))
        weights = np.add.reduceat(self.weights[order], first)
        indptr = np.searchsorted(keys[first], np.arange(n + 1) * n).astype(np.int64)
        strengths = np.bincount(groups, self.strengths, n).astype(np.float64)
        return _Level(indptr, (keys[first] % n).astype(np.int32), weights, strengths)


def find_clusters(graph: Graph, resolution: float = 1.0, n_rounds: int = 4) -> NDArray[np.int32]:
    """Cut a graph into clusters, numbered by size, the largest first.

    Args:
        graph: Neighbours with weights.
        resolution: Larger values give more clusters.
        n_rounds: Most runs of the algorithm, each from the clusters of the one before.

    Returns:
        Cluster of each node, shape ``(n_nodes,)``.
    """
    strengths = np.bincount(
        np.repeat(np.arange(graph.n_nodes), np.diff(graph.indptr)), graph.weights, graph.n_nodes
    )
    whole = _Level(graph.indptr, graph.targets, graph.weights, strengths.astype(np.float64))
    total = float(strengths.sum())
    communities = np.arange(graph.n_nodes, dtype=np.int32)
    if total > 0:
        for seed in range(n_rounds):
            found = _run(whole, communities, resolution / total, seed)
            if np.array_equal(found, communities):
                break
            communities = found
    return number_by_size(communities)


def number_by_size(labels: NDArray[np.int32]) -> NDArray[np.int32]:
    """Number clusters from 0, the largest first, of equal ones the one seen first."""
    _, first, inverse, sizes = np.unique(
        labels, return_index=True, return_inverse=True, return_counts=True
    )
    order = np.lexsort((first, -sizes))
    numbers = np.empty(len(order), dtype=np.int32)
    numbers[order] = np.arange(len(order))
    return numbers[inverse]


def _run(
    whole: _Level, communities: NDArray[np.int32], penalty: float, seed: int
) -> NDArray[np.int32]:
    """Run the algorithm once from given communities, and return better ones."""
    level, nodes = whole, np.arange(whole.n_nodes, dtype=np.int32)
    communities = _compact(communities)
    for depth in range(_MAX_LEVELS):
        n = level.n_nodes
        communities = communities.copy()
        move_nodes(
            level.indptr, level.targets, level.weights, level.strengths, penalty,
            level.order(seed * _MAX_LEVELS + depth), np.ones(n, np.uint8), communities,
            level.totals_of(communities), np.zeros(n), np.empty(n, np.int32),
        )  # fmt: skip
        communities = _compact(communities)
        if int(communities.max()) + 1 == n:
            break
        refined, sizes = np.arange(n, dtype=np.int32), np.ones(n, np.int32)
        refine_nodes(
            level.indptr, level.targets, level.weights, level.strengths, penalty,
            level.order(seed * _MAX_LEVELS + depth), communities, level.totals_of(communities),
            refined, level.strengths.copy(), np.empty(n), sizes, np.zeros(n),
            np.empty(n, np.int32),
        )  # fmt: skip
        refined = _compact(refined)
        if int(refined.max()) + 1 == n:
            break
        above = np.empty(int(refined.max()) + 1, dtype=np.int32)
        above[refined] = communities
        nodes, level, communities = refined[nodes], level.join(refined), above
    return communities[nodes]


def _compact(labels: NDArray[np.int32]) -> NDArray[np.int32]:
    return np.unique(labels, return_inverse=True)[1].astype(np.int32)

"""The goals of the embedding beside scanpy's pipeline: agreement, recall and speed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from benchmarks.goals import Goal, Results, one

_RARE = "rare 0.5 %"


def agreement_goals(results: Results) -> Iterator[Goal]:
    """Yield the goals of the embedding that need scanpy's results."""
    ours = one(results, "embedding", embedding="with", n_cells=100_000)
    theirs = one(results, "embedding", contender="scanpy_pipeline", n_cells=100_000)
    text = "embedding: 100,000 cells, 10 times scanpy's whole pipeline"
    if ours is None or theirs is None:
        yield Goal(text, "", None)
    else:
        ratio = theirs["wall_seconds"] / ours["wall_seconds"]
        found = f"{ratio:.1f} times ({ours['wall_seconds']:.1f} s, {theirs['wall_seconds']:.1f} s)"
        yield Goal(text, found, ratio >= 10)
    section = results["sections"].get("embedding", {})
    measured = section.get("agreement", {})
    agreement = measured.get("agreement", {})
    yield _limit(
        "largest angle between the components, degrees", agreement.get("angle_degrees"), most=1
    )
    yield _limit(
        "adjusted Rand index with scanpy's clusters", agreement.get("rand_index"), least=0.965
    )
    yield _beside("adjusted Rand index with the truth", agreement.get("rand_index_of_truth"), 0.015)
    rare = agreement.get("rare", {}).get(_RARE)
    # In a cluster of its own: most of that cluster's cells are of the type.
    recall = None if rare is None else rare[0][0] if rare[0][1] > 0.5 else 0.0
    yield _limit("recall of a type of 0.5 % of the cells, in its cluster", recall, least=0.9)
    yield _limit(
        "same of the five best markers, t-test", agreement.get("same_of_t_test"), least=0.98
    )
    yield _limit(
        "same of the five best markers, rank-sum test",
        measured.get("same_of_rank_sum"),
        least=0.95,
    )
    seconds = measured.get("rank_sum_cpu_seconds")
    speed = None if seconds is None else seconds[1] / seconds[0]
    yield _limit("speed of the rank-sum test, times scanpy's", speed, least=50)
    yield _beside("trustworthiness of the map", agreement.get("trustworthiness"), 0.02)


def _limit(
    what: str, value: float | None, *, least: float | None = None, most: float | None = None
) -> Goal:
    """Judge a number by its limit."""
    said = f"at least {least:g}" if least is not None else f"at most {most:g}"
    text = f"embedding: {what}: {said}"
    if value is None:
        return Goal(text, "", None)
    met = value >= least if least is not None else most is not None and value <= most
    return Goal(text, f"{value:.3g}", met)


def _beside(what: str, pair: Sequence[Any] | None, less: float) -> Goal:
    """Judge a number that may be a little less than scanpy's."""
    text = f"embedding: {what}: at most {less:g} below scanpy's"
    if not pair:
        return Goal(text, "", None)
    return Goal(text, f"{pair[0]:.3f}, scanpy {pair[1]:.3f}", pair[0] >= pair[1] - less)

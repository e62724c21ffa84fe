"""Comparison of the medians of several matrices."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import median

from dpss.stats.outliers import MIN_COMPARED, find_outliers
from dpss.summary.numerals import number, percent, proportion

MEDIANS = {
    "median_genes_per_cell": ("genes per cell", True),
    "median_counts_per_cell": ("counts per cell", True),
    "median_pct_counts_mt": ("mitochondrial share", False),
}
"""Compared numbers with their words, and whether they are compared on a logarithmic scale."""


@dataclass(frozen=True)
class PeerSet:
    """Matrices whose medians are compared with each other."""

    group: str
    """Name of their group; empty where all are compared."""
    members: tuple[int, ...]
    """Numbers of the matrices whose medians are compared."""
    judged: frozenset[int]
    """Members that are judged; the others are only compared with."""


def peer_sets(groups: Sequence[str]) -> Iterator[PeerSet]:
    """Yield the sets in which matrices are compared, so that each one is judged once.

    A matrix is compared with those of its group, as scater's ``isOutlier`` does with ``batch``.
    Those of groups with fewer than four members, and those without a group, are compared with all.

    >>> [each.members for each in peer_sets(["a", "a", "a", "a", "b", ""])]
    [(0, 1, 2, 3), (0, 1, 2, 3, 4, 5)]

    Args:
        groups: The group of each matrix; empty for none.
    """
    members_of: dict[str, list[int]] = {}
    for i, group in enumerate(groups):
        members_of.setdefault(group, []).append(i)
    large = [name for name, members in members_of.items() if name and len(members) >= MIN_COMPARED]
    for name in large:
        yield PeerSet(name, tuple(members_of[name]), frozenset(members_of[name]))
    rest = frozenset(i for i, group in enumerate(groups) if group not in large)
    if rest:
        yield PeerSet("", tuple(range(len(groups))), rest)


def peer_key(project: str, name: str, peers: str) -> str:
    """Return the key of the set of matrices with which a matrix is compared.

    >>> peer_key("samples", "S01", "treated"), peer_key("S01", "", "given")
    ('samples', '')

    Args:
        project: Id or folder of its project.
        name: Its name; empty where the project has one matrix by definition.
        peers: Name of the group that it is compared with.

    Returns:
        The project; an empty text for matrices given one by one, which are projects of their own.
    """
    return "" if peers and not name else project


@dataclass(frozen=True)
class Peer:
    """A matrix whose medians are compared with those of others."""

    project: str
    """Id or folder of its project."""
    name: str
    """Its name; empty where the project has one matrix by definition."""
    group: str
    """Name of the group that it is compared with; empty for none."""
    numbers: Mapping[str, float | None]
    """Its medians, by the names in `MEDIANS`."""


def describe_all(matrices: Mapping[str, Peer]) -> dict[str, tuple[str, ...]]:
    """Return sentences on the medians that are outliers, by the key of their matrix.

    The matrices of a project are compared, and those given one by one.
    """
    sets: dict[str, dict[str, Peer]] = {}
    for key, each in matrices.items():
        sets.setdefault(peer_key(each.project, each.name, each.group), {})[key] = each
    found: dict[str, tuple[str, ...]] = {}
    for members in sets.values():
        numbers = {key: each.numbers for key, each in members.items()}
        groups = {key: each.group for key, each in members.items() if each.name}
        found |= describe_outliers(numbers, groups)
    return found


def describe_outliers(
    numbers: Mapping[str, Mapping[str, float | None]], groups: Mapping[str, str] | None = None
) -> dict[str, tuple[str, ...]]:
    r"""Return sentences on the medians that are outliers, by the name of their matrix.

    The rule is `dpss.stats.outliers.find_outliers`, as on the page of the project.

    >>> usual = {name: {"median_counts_per_cell": 3000.0 + len(name)} for name in ("a", "bb", "c")}
    >>> describe_outliers(usual | {"ddd": {"median_counts_per_cell": 150.0}})
    {'ddd': ('Counts per cell are apart: 150, 5.0\u202f% of the median of all 4 (3,001).',)}

    Args:
        numbers: Numbers of each matrix side by side, by its name.
        groups: Group of each matrix that has one, by its name.

    Returns:
        The matrices with an outlier; an empty mapping for fewer than four matrices.
    """
    found: dict[str, tuple[str, ...]] = {}
    names = list(numbers)
    for peers in peer_sets([(groups or {}).get(name, "") for name in names]):
        for key, (words, logarithmic) in MEDIANS.items():
            known = {i: value for i in peers.members
                     if (value := numbers[names[i]].get(key)) is not None}  # fmt: skip
            for i in sorted(find_outliers(known, logarithmic=logarithmic) & peers.judged):
                among = f"all {len(known)}"
                among += f" of the group {peers.group}" if peers.group else ""
                centre = median(known.values())
                text = _sentence(words, known[i], centre, among, is_share=not logarithmic)
                found[names[i]] = (*found.get(names[i], ()), text)
    return found


def _sentence(words: str, value: float, centre: float, among: str, *, is_share: bool) -> str:
    say = percent if is_share else number
    size = proportion(value, centre) if value and centre else "against"
    verb = "is" if is_share else "are"
    compared = f"{size} the median of {among} ({say(centre)})"
    return f"{words.capitalize()} {verb} apart: {say(value)}, {compared}."

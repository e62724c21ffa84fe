"""Shares of the projects."""

from __future__ import annotations

import random
import uuid

import pytest

from dpss.catalogs.shards import ALL, Shard, parse_shard, projects_of
from dpss.errors import SettingsError
from dpss.model import MatrixRef, Project

IDS = [str(uuid.UUID(int=i * 0x9E3779B97F4A7C15F39CC0605CEDC834 % 2**128)) for i in range(532)]


def project(project_id: str, *sizes: int | None) -> Project:
    """A project with matrices of these sizes."""
    refs = tuple(
        MatrixRef(project_id, f"m{i}", f"https://x/{i}", "f", size_bytes=size)
        for i, size in enumerate(sizes)
    )
    return Project(project_id, project_id, refs=refs)


def portal(seed: int) -> list[Project]:
    """532 projects as portals have them: most are small, a few are very large."""
    chance = random.Random(seed)
    return [
        project(name, *(int(chance.lognormvariate(19, 2)) for _ in range(chance.randrange(4))))
        for name in IDS
    ]


@pytest.mark.slow
@pytest.mark.parametrize("count", [1, 2, 7, 40, 1000])
@pytest.mark.parametrize("seed", range(3))
def test_each_project_is_in_one_share(count: int, seed: int) -> None:
    """Whatever the number of shares: none is forgotten, none is done twice, the order stays."""
    projects = portal(seed)
    shares = [projects_of(projects, Shard(number, count)) for number in range(1, count + 1)]
    assert sorted(p.id for share in shares for p in share) == sorted(IDS)
    assert all(share == [p for p in projects if p in share] for share in shares)


@pytest.mark.parametrize("seed", range(8))
def test_shares_are_about_equal_in_size(seed: int) -> None:
    """No share has more than the fair part and the largest project together; no hash does that."""
    projects = portal(seed)

    def size(share: list[Project]) -> int:
        return sum(ref.size_bytes or 0 for p in share for ref in p.refs)

    shares = [size(projects_of(projects, Shard(number, 8))) for number in range(1, 9)]
    largest = max(size([p]) for p in projects)
    fixed = 250_000_000 * sum(len(p.refs) for p in projects) / 8
    assert max(shares) <= sum(shares) / 8 + largest + fixed


def test_one_large_project_has_a_share_of_its_own() -> None:
    """The others do the rest meanwhile."""
    projects = [project("small" + str(i), 1000) for i in range(30)] + [project("large", 10**12)]
    shares = [projects_of(projects, Shard(number, 4)) for number in (1, 2, 3, 4)]
    assert sorted(map(len, shares)) == [1, 10, 10, 10]
    assert ["large"] in [[p.id for p in share] for share in shares]


def test_sizes_that_nobody_tells_count_as_the_mean() -> None:
    """Without any size the shares are equal in number."""
    projects = [project(name, None) for name in IDS]
    assert {len(projects_of(projects, Shard(number, 7))) for number in range(1, 8)} == {76}


def test_the_shares_depend_on_no_order() -> None:
    """Every task comes to the same shares, in whatever order the source lists."""
    projects = portal(5)
    turned = list(reversed(projects))
    for number in range(1, 6):
        shard = Shard(number, 5)
        assert {p.id for p in projects_of(projects, shard)} == {
            p.id for p in projects_of(turned, shard)
        }


def test_the_only_share_is_everything() -> None:
    """1/1, which a daily run of one task is given; the end of a run is nobody's project."""
    assert parse_shard("1/1") == ALL
    projects = portal(1)
    assert projects_of(projects, ALL) == projects
    assert projects_of(projects, parse_shard("end/3")) == []
    assert projects_of(projects, parse_shard("end/1")) == []


@pytest.mark.parametrize("text", ["1/1", "2/40", "end/8"])
def test_a_share_is_told_as_it_is_given(text: str) -> None:
    """In reports and messages."""
    assert str(parse_shard(text)) == text


@pytest.mark.parametrize(
    "text", ["", "1", "0/3", "4/3", "1/0", "end/0", "end", "-1/3", "a/b", "1/3/5", "½"]
)
def test_what_is_no_share_is_said(text: str) -> None:
    """With the option, the variable, and an example."""
    with pytest.raises(SettingsError, match=r"--shard \(DPSS_SHARD\)"):
        parse_shard(text)

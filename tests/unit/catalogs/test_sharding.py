"""Shares of the projects."""

from __future__ import annotations

import uuid

import pytest

from dpss.catalogs.sharding import ALL, Shard, parse_shard
from dpss.errors import SettingsError

IDS = [str(uuid.UUID(int=i * 0x9E3779B97F4A7C15F39CC0605CEDC834 % 2**128)) for i in range(532)]


@pytest.mark.parametrize("count", [1, 2, 7, 40, 1000])
def test_each_project_is_in_one_share(count: int) -> None:
    """Whatever the number of shares: none is forgotten, none is done twice."""
    shares = [Shard(number, count) for number in range(1, count + 1)]
    assert all(sum(share.has(project) for share in shares) == 1 for project in IDS)


def test_shares_are_about_equal() -> None:
    """532 projects in 10 shares: none has more than twice its part."""
    sizes = [sum(Shard(number, 10).has(project) for project in IDS) for number in range(1, 11)]
    assert max(sizes) < 2 * len(IDS) / 10
    assert min(sizes) > len(IDS) / 10 / 2


def test_the_only_share_is_everything() -> None:
    """1/1, which the daily run is given."""
    assert parse_shard("1/1") == ALL
    assert all(ALL.has(project) for project in IDS)


@pytest.mark.parametrize("text", ["", "1", "0/3", "4/3", "1/0", "-1/3", "a/b", "1/3/5", "½"])
def test_what_is_no_share_is_said(text: str) -> None:
    """With the option, the variable, and an example."""
    with pytest.raises(SettingsError, match=r"--shard \(DPSS_SHARD\)"):
        parse_shard(text)

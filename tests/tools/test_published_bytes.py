"""The comparison of two versions' results sees every difference that matters."""

from __future__ import annotations

from pathlib import Path

from tools.published_bytes import checksums, differences


def test_only_the_version_and_the_times_of_runs_are_left_out(tmp_path: Path) -> None:
    """Another version or run gives the same record; another number, file or name does not."""
    for name, version, number in (("a", "1.0", 7), ("b", "2.0", 7), ("c", "1.0", 8)):
        folder = tmp_path / name
        (folder / "p").mkdir(parents=True)
        (folder / "runs").mkdir()
        (folder / "p" / "summary.json").write_text(f'{{"version": "{version}", "n": {number}}}')
        (folder / "p" / "genes.csv").write_text("gene\n")
        (folder / "runs" / "1.json").write_text(name)
    a, b, c = (checksums(tmp_path / name) for name in "abc")
    assert differences(a, b) == []
    assert differences(a, c) == ["different: p/summary.json"]
    assert differences(a, {}) == ["missing: p/genes.csv", "missing: p/summary.json"]
    assert differences({"p/genes.csv": a["p/genes.csv"]}, b) == ["new: p/summary.json"]

"""What ``dpss compare`` takes and prints."""

from __future__ import annotations

import json
import random
import shutil
from pathlib import Path

import pytest

from dpss.cli.comparison import format_value, iter_summaries, print_comparison
from dpss.errors import MatrixError, SettingsError, UnreachableError
from tests.unit.small import counts, write_h5ad_csr
from tests.unit.website.portal import document, gene_rows, write_matrix


def publish(folder: Path, seed: int = 1, **fields: object) -> Path:
    """Write a made-up publication of a matrix, and return its folder."""
    rows = gene_rows(random.Random(seed), 40, 900)
    told = document(random.Random(seed), rows, project="p", title="t")
    told.update(fields)
    write_matrix(folder, told, rows)
    return folder


def compare(
    old: Path, new: Path, capsys: pytest.CaptureFixture[str], page: Path | None = None
) -> tuple[bool, dict[str, object]]:
    """Return whether two differ, and the JSON that is printed."""
    differs = print_comparison(
        str(old), str(new), lambda: None, as_json=True, page=str(page) if page else None
    )
    return differs, json.loads(capsys.readouterr().out)


def test_a_file_a_folder_and_a_copy_are_the_same(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A summary.json, its folder and the folder above it name the same summary."""
    folder = publish(tmp_path / "old" / "heart")
    shutil.copytree(tmp_path / "old", tmp_path / "copy")
    for old in (folder / "summary.json", folder, tmp_path / "old"):
        differs, told = compare(old, tmp_path / "copy", capsys)
        assert not differs
        assert (told["removed"], told["added"]) == ([], [])


def test_all_genes_are_compared_where_their_table_is_there(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without ``genes.csv`` genes that came and went are not known, and said to be so."""
    old, new = publish(tmp_path / "old"), publish(tmp_path / "new")
    lines = (new / "genes.csv").read_text().splitlines(keepends=True)
    (new / "genes.csv").write_text("".join(lines[:-1]))
    _, told = compare(old, new, capsys)
    (found,) = told["comparisons"]
    assert (len(found["genes_removed"]), found["genes_added"]) == (1, [])
    (new / "genes.csv").unlink()
    _, told = compare(old, new, capsys)
    assert told["comparisons"][0]["genes_removed"] is None


def test_portals_are_compared_by_place(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Matrices of the same place are compared; those of one side are named."""
    for place in ("old/a", "old/b", "new/b", "new/c"):
        publish(tmp_path / place, n_cells=1000 if place == "new/b" else 900)
    differs, told = compare(tmp_path / "old", tmp_path / "new", capsys)
    assert differs
    assert (told["removed"], told["added"]) == (["a"], ["c"])
    (found,) = told["comparisons"]
    assert [each["name"] for each in found["numbers"]] == ["n_cells"]


def test_places_that_have_nothing_in_common(tmp_path: Path) -> None:
    """Two against one of another place can't be compared, and the message says why."""
    for place in ("old/a", "old/b", "new/c"):
        publish(tmp_path / place)
    with pytest.raises(SettingsError, match="of the matrices, 2 and 1, none has the same place"):
        print_comparison(
            str(tmp_path / "old"), str(tmp_path / "new"), lambda: None, as_json=True, page=None
        )


@pytest.mark.slow
def test_a_matrix_is_summarised(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Two files of different counts differ; a file and its copy do not. The page says what."""
    write_h5ad_csr(tmp_path / "one.h5ad", counts(1))
    write_h5ad_csr(tmp_path / "two.h5ad", counts(2, n_cells=31))
    shutil.copy(tmp_path / "one.h5ad", tmp_path / "copy.h5ad")
    assert not compare(tmp_path / "one.h5ad", tmp_path / "copy.h5ad", capsys)[0]
    page = tmp_path / "page.html"
    differs, told = compare(tmp_path / "one.h5ad", tmp_path / "two.h5ad", capsys, page)
    assert differs
    assert {"n_cells", "total_counts"} <= {
        each["name"] for each in told["comparisons"][0]["numbers"]
    }
    assert "n cells" in page.read_text()


def test_text_names_what_differs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Numbers with their change in percent; of the same summaries one sentence."""
    old, new = publish(tmp_path / "old"), publish(tmp_path / "new", n_nonzero=2_000)
    publish(tmp_path / "old", n_nonzero=1_000)
    assert print_comparison(str(old), str(new), lambda: None, as_json=False, page=None)
    told = capsys.readouterr().out
    assert "n nonzero" in told
    assert "+100 %" in told
    assert not print_comparison(str(old), str(old), lambda: None, as_json=False, page=None)
    assert "Nothing differs." in capsys.readouterr().out


@pytest.mark.parametrize("data", [b"", b"{}", b"[1]", b'{"schema": 1}'])
def test_a_file_that_is_no_summary(data: bytes, tmp_path: Path) -> None:
    """It is named, with what is wrong."""
    (tmp_path / "summary.json").write_bytes(data)
    with pytest.raises(MatrixError, match=r"summary\.json"):
        list(iter_summaries(str(tmp_path / "summary.json"), lambda: None))


def test_a_side_that_is_not_there(tmp_path: Path) -> None:
    """It is out of reach."""
    with pytest.raises(UnreachableError):
        list(iter_summaries(str(tmp_path / "none"), lambda: None))


@pytest.mark.parametrize(
    ("value", "text"),
    [(None, "–"), (1234.5, "1,235"), (True, "True"), ("X", "X"), (["a"], "['a']")],
)
def test_values_as_text(value: object, text: str) -> None:
    """Numbers as on pages, all else as it is."""
    assert format_value(value) == text


def test_a_page_that_cannot_be_written_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """With the option and the reason."""
    folder = publish(tmp_path / "old")
    for page in (tmp_path / "none" / "a.html", tmp_path, folder / "summary.json" / "a.html"):
        with pytest.raises(UnreachableError, match="--page"):
            compare(folder, folder, capsys, page)


@pytest.mark.parametrize("line", ["x" * 200_000, "x", "x,1", "x" + "," * 100])
def test_a_table_that_cannot_be_read_is_not_compared(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], line: str
) -> None:
    """A line that is too short or too long, or has a name beyond the limit of the reader of CSV,
    costs the other genes only."""
    old, new = publish(tmp_path / "old"), publish(tmp_path / "new")
    with (new / "genes.csv").open("a") as file:
        file.write(line)
    differs, _ = compare(old, new, capsys)
    assert not differs

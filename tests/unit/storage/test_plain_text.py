"""Names from outside never control a terminal or a page: on every output, whatever they are."""

from __future__ import annotations

import os
import re
from pathlib import Path

import anndata
import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given
from hypothesis import strategies as st
from markupsafe import Markup

from dpss.cli.commands import commands
from dpss.cli.entry import execute
from dpss.storage.plain_text import (
    escape_control_in_json,
    strip_control,
    strip_control_in_json,
)

CONTROL = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]"
)
HOSTILE = (
    "\x1b[2J\x1b]0;owned\x07",
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "\u202egnp.exe\u202c",
    "[red]x[/red]",
    "{{ 7 * 7 }}",
    "a\x9b31mb",
    "javascript:alert(1)",
    "=cmd|' /C calc'!A0",
    "../../etc/passwd",
    "a\u2028b",
)


@pytest.fixture
def published(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> tuple[Path, str]:
    """Return the folder of a publication whose names are hostile, and what was printed."""
    rng = np.random.default_rng(3)
    adata = anndata.AnnData(sp.csr_matrix(rng.poisson(2, (60, 40)).astype(np.float32)))
    adata.var_names = [f"{HOSTILE[i % len(HOSTILE)]}{i}" for i in range(40)]
    adata.obs_names = [f"{HOSTILE[i % len(HOSTILE)]}{i}" for i in range(60)]
    folder = tmp_path / "in"
    folder.mkdir()
    for i, name in enumerate(("\x1b[31mred", "<b>bold<b>", "\u202etfel")):
        adata.layers = {} if i else None
        adata.write_h5ad(folder / f"{name}.h5ad")
    (folder / "\x1b[5mbroken.h5ad").write_bytes(b"\x89HDF\r\n\x1a\n" + bytes(99))
    output = tmp_path / "out"
    execute(commands, "dpss", ["run", "--input", str(folder), "--output", str(output)])
    execute(commands, "dpss", ["list", "--input", str(folder)])
    execute(commands, "dpss", ["inspect", *map(str, sorted(folder.iterdir()))])
    told = capfd.readouterr()
    return output, told.out + told.err


@pytest.mark.slow
def test_no_output_has_control_characters_or_markup(published: tuple[Path, str]) -> None:
    """The terminal, pages, feed, scripts, figures and MultiQC's files."""
    output, printed = published
    assert not CONTROL.search(printed), CONTROL.findall(printed)
    files = [path for path in output.rglob("*") if path.is_file()]
    looked_at = 0
    for path in files:
        shown = path.suffix in (".html", ".js", ".xml", ".svg") or path.name.endswith("_mqc.json")
        if not shown:
            continue
        looked_at += 1
        text = path.read_text()
        assert not CONTROL.search(text), (path, CONTROL.findall(text))
        assert not re.search(r"\\u00[01][0-9a-f]|\\u009b|\\u202e", text), path
        if path.suffix != ".js" and not path.name.endswith("_mqc.json"):
            assert "<script>alert" not in text
            assert "<img src=x" not in text
            assert not re.search(r'href="\s*javascript:', text)
    assert looked_at > 20
    assert not [path for path in files if CONTROL.search(path.relative_to(output).as_posix())]


@pytest.mark.slow
@given(st.text())
def test_stripping_leaves_everything_else(text: str) -> None:
    """Nothing but control characters goes, and stripping twice is stripping once."""
    once = strip_control(text)
    assert strip_control(once) == once
    assert not CONTROL.search(once)
    kept = [c for c in text if not CONTROL.match(c) and c not in "\r\ufeff\ufff9\ufffa\ufffb"]
    assert once.replace(" ", "") == "".join(kept).replace(" ", "")


@given(st.one_of(st.text(), st.text(st.characters(max_codepoint=127))))
def test_json_stays_json(text: str) -> None:
    """A string in JSON loses what the string itself loses."""
    import json

    found = json.loads(strip_control_in_json(json.dumps(text, ensure_ascii=False)))
    assert found == strip_control(text)


@given(
    st.one_of(
        st.text(),
        st.text(st.characters(categories=("Cc", "Cf", "Zl", "Zp", "Zs", "Ll", "Cn", "Co"))),
        st.text(st.sampled_from("a\n\t\r\u202f\xa0 \u2028\u202e<&\x7f")),
    )
)
def test_only_control_characters_are_left_out(text: str) -> None:
    """Character by character the same, of plain text and of markup."""
    kept = "".join(
        " " if c in "\u2028\u2029" else c
        for c in text
        if c in "\u2028\u2029" or not (CONTROL.match(c) or c in "\r\ufeff\ufff9\ufffa\ufffb")
    )
    assert strip_control(text) == kept
    assert str(strip_control(Markup(text))) == kept


_ANY_TEXT = st.text(st.one_of(st.characters(), st.characters(categories=("Cc", "Cf", "Cs", "Zl"))))


@given(_ANY_TEXT)
def test_escaped_json_means_the_same(text: str) -> None:
    """No control character is left, halves of characters included, and nothing is lost."""
    import json

    escaped = escape_control_in_json(json.dumps({text: [text]}, ensure_ascii=False))
    assert not CONTROL.search(escaped.encode().decode())
    assert json.loads(escaped) == {text: [text]}


@given(_ANY_TEXT)
def test_what_is_shown_can_be_encoded(text: str) -> None:
    """A half of a character, as names of files that are no UTF-8 have it, is shown as a mark."""
    import json

    shown = strip_control(text)
    assert shown.encode().decode() == shown
    halves = sum("\ud800" <= c <= "\udfff" for c in text)
    assert shown.count("\N{REPLACEMENT CHARACTER}") == halves + text.count("\ufffd")
    found = json.loads(strip_control_in_json(json.dumps(text, ensure_ascii=False)))
    assert found == shown


@pytest.mark.slow
@pytest.mark.parametrize("name", [b"bad\xff", b"\xfe\xff", "caf\u00e9".encode("latin-1")])
def test_names_of_files_that_are_no_utf8(
    name: bytes, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """The matrix is published and found unchanged afterwards; JSON keeps its name."""
    rng = np.random.default_rng(3)
    adata = anndata.AnnData(sp.csr_matrix(rng.poisson(2, (60, 40)).astype(np.float32)))
    adata.write_h5ad(tmp_path / "m.h5ad")
    folder = tmp_path / "in"
    folder.mkdir()
    try:
        (tmp_path / "m.h5ad").rename(folder / f"{os.fsdecode(name)}.h5ad")
    except OSError:
        pytest.skip("file names are UTF-8 here")
    run = ["run", "--input", str(folder), "--output", str(tmp_path / "out")]
    assert execute(commands, "dpss", run) == 0
    assert "1 published" in capfd.readouterr().out
    assert execute(commands, "dpss", run) == 0
    assert "1 unchanged" in capfd.readouterr().out
    assert execute(commands, "dpss", ["inspect", "--json", str(folder)]) == 0
    assert capfd.readouterr().out

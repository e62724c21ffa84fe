"""A release says one version everywhere, and goes to an index as the workflow sends it."""

from __future__ import annotations

import subprocess
import zipfile
from pathlib import Path
from urllib.request import urlopen

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tools.release import NAME, Stop, check, index, publish, section_of


def project(folder: Path, version: str, heading: str, text: str = "- A change.") -> Path:
    """Write what a release is checked for."""
    (folder / "src/dpss").mkdir(parents=True)
    (folder / "src/dpss/_version.py").write_text(f'"""V."""\n\n__version__ = "{version}"\n')
    (folder / "CHANGELOG.md").write_text(
        f"# Changes\n\n## {heading}\n\n{text}\n\n## 0.0.1\n\n- B\n"
    )
    return folder


def test_a_tag_that_agrees_is_released(tmp_path: Path) -> None:
    """Tag, version and a dated section: that is a release."""
    assert check("v1.2.3", project(tmp_path, "1.2.3", "1.2.3, 2026-12-01")) == "1.2.3"


@pytest.mark.parametrize(
    ("tag", "heading", "text", "said"),
    [
        ("v1.2.4", "1.2.3, 2026-12-01", "- A", "is not v1.2.3"),
        ("1.2.3", "1.2.3, 2026-12-01", "- A", "is not v1.2.3"),
        ("v1.2.3", "1.2.3, not released yet", "- A", "needs the date"),
        ("v1.2.3", "1.2.30, 2026-12-01", "- A", "no section"),
        ("v1.2.3", "1.2.3, 2026-12-01", "", "says nothing"),
    ],
)
def test_one_that_does_not_agree_is_refused(
    tag: str, heading: str, text: str, said: str, tmp_path: Path
) -> None:
    """What is wrong is said, before anything is built."""
    with pytest.raises(Stop, match=said):
        check(tag, project(tmp_path, "1.2.3", heading, text))


LINES = st.text(st.characters(categories=("L", "N")), min_size=1).filter(
    lambda line: not line.startswith("#")
)


@given(st.lists(st.lists(LINES, min_size=1), min_size=1, max_size=4))
def test_each_section_is_cut_out_whole(sections: list[list[str]]) -> None:
    """However many sections there are, each comes back as it was written."""
    texts = ["\n".join(lines) for lines in sections]
    changelog = "# Changes\n\n" + "".join(
        f"## {n}.0.0, 2026-01-0{n + 1}\n\n{text}\n\n" for n, text in enumerate(texts)
    )
    for n, text in enumerate(texts):
        assert section_of(changelog, f"{n}.0.0") == (f"2026-01-0{n + 1}", text.strip())


@pytest.mark.slow
def test_a_wheel_is_published_once(tmp_path: Path) -> None:
    """What `uv publish` sends is listed and served; the same file is refused a second time."""
    wheel = tmp_path / f"{NAME.replace('-', '_')}-1.0-py3-none-any.whl"
    info = f"{NAME.replace('-', '_')}-1.0.dist-info"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr(f"{info}/METADATA", f"Metadata-Version: 2.4\nName: {NAME}\nVersion: 1.0\n")
        archive.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
        archive.writestr(f"{info}/RECORD", "")
    with index() as server:
        publish([wheel], server.url)
        assert server.files == {wheel.name: wheel.read_bytes()}
        with urlopen(f"{server.url}/simple/{NAME}/") as answer:
            assert wheel.name in answer.read().decode()
        with urlopen(f"{server.url}/files/{wheel.name}") as answer:
            assert answer.read() == wheel.read_bytes()
        with pytest.raises(subprocess.CalledProcessError):
            publish([wheel], server.url)

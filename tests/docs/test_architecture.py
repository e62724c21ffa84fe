"""Names of modules in the architecture page, the explanations and the decisions exist."""

import dataclasses
import importlib
import re
from pathlib import Path

import pytest

PAGE = Path(__file__).parents[2] / "docs" / "explanation" / "architecture.md"
PACKAGES = "api|catalogs|cli|compute|engine|errors|figures|formats|job|model|stats|storage|summary"
NAMES = sorted(set(re.findall(rf"`((?:{PACKAGES})(?:\.(?!py`|json`)\w+)+)`", PAGE.read_text())))
PAGES = sorted((PAGE.parents[1] / "adr").glob("*.md")) + sorted(PAGE.parent.glob("*.md"))
TEXT = "\n".join(page.read_text() for page in PAGES)
NAMES_WITH_PACKAGE = sorted(set(re.findall(r"`dpss((?:\.\w+){2,})`", TEXT)))
FILES = sorted(set(re.findall(r"`(\w+(?:/\w+)*\.py)`", TEXT)))
PATHS = sorted(set(re.findall(rf"`((?:{PACKAGES}|website)(?:/\w+)+(?:\.py)?)`", PAGE.read_text())))


@pytest.mark.parametrize("name", NAMES)
def test_a_name_exists(name: str) -> None:
    """A module, or a class, function or field in one."""
    parts = name.split(".")
    for n in range(len(parts), 0, -1):
        module = "dpss." + ".".join(parts[:n])
        try:
            found = importlib.import_module(module)
        except ModuleNotFoundError:
            continue
        for part in parts[n:]:
            fields = dataclasses.fields(found) if dataclasses.is_dataclass(found) else ()
            found = getattr(found, part, None) or {f.name: f for f in fields}[part]
        return
    pytest.fail(f"there is no {name}")


@pytest.mark.parametrize("name", NAMES_WITH_PACKAGE)
def test_a_name_with_its_package_exists(name: str) -> None:
    """In the explanations and the decisions, too."""
    test_a_name_exists(name[1:])


@pytest.mark.parametrize("file", FILES)
def test_a_file_of_the_source_exists(file: str) -> None:
    """Explanations and decisions name files that are there, by their path or their name alone."""
    root = PAGE.parents[2]
    places = (root, root / "src" / "dpss", root / "tests", root / "tools", root / "tools/container")
    below = [path.as_posix() for path in (root / "src" / "dpss").rglob("*.py")]
    assert any((place / file).is_file() for place in places) or any(
        path.endswith(f"/{file}") for path in below
    )


@pytest.mark.parametrize("path", PATHS)
def test_a_path_exists(path: str) -> None:
    """A module or a package of the source."""
    source = PAGE.parents[2] / "src" / "dpss"
    assert (source / path).exists() or (source / f"{path}.py").exists()

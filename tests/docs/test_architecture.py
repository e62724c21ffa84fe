"""Names in the architecture page exist."""

import dataclasses
import importlib
import re
from pathlib import Path

import pytest

PAGE = Path(__file__).parents[2] / "docs" / "explanation" / "architecture.md"
PACKAGES = "api|catalogs|cli|compute|engine|errors|figures|formats|job|model|stats|storage|summary"
NAMES = sorted(set(re.findall(rf"`((?:{PACKAGES})(?:\.(?!py`|json`)\w+)+)`", PAGE.read_text())))
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


@pytest.mark.parametrize("path", PATHS)
def test_a_path_exists(path: str) -> None:
    """A module or a package of the source."""
    source = PAGE.parents[2] / "src" / "dpss"
    assert (source / path).exists() or (source / f"{path}.py").exists()

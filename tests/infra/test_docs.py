"""What the documents on deploying say is so."""

from __future__ import annotations

import re
import subprocess
import sys

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.infra.terraform import INFRA, ROOT
from tools.container.prune import whole_packages

DOCS = ROOT / "docs"


def test_every_alarm_has_a_row_in_operate() -> None:
    """Each alarm is there under its name, with what to do."""
    text = (INFRA / "modules/monitoring/main.tf").read_text()
    names = re.findall(r'alarm_name\s+= "\$\{var\.name\}-([\w-]+)"', text)
    page = (DOCS / "how-to/operate.md").read_text()
    assert len(names) == 4
    assert [name for name in names if f"| `NAME-{name}` |" not in page] == []


def test_every_module_is_explained() -> None:
    """Each module of the infrastructure has its row."""
    page = (DOCS / "explanation/aws.md").read_text()
    modules = [path.name for path in (INFRA / "modules").iterdir() if path.is_dir()]
    assert [name for name in modules if f"| `{name}` |" not in page] == []


def test_variables_that_the_documents_name_are_there() -> None:
    """`name = …` in the documents is a variable of the infrastructure."""
    known = set(re.findall(r'^variable "(\w+)"', (INFRA / "variables.tf").read_text(), re.M))
    for page in ("how-to/deploy.md", "how-to/operate.md", "how-to/cost.md"):
        text = (DOCS / page).read_text()
        named = set(re.findall(r"`(\w+) = [^`]+`", text)) | set(
            re.findall(r"^ +(\w+) += ", text, re.M)
        )
        assert named - known == set(), page


def test_make_targets_that_the_documents_name_are_there() -> None:
    """`make …` in the documents is a target."""
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.M))
    for page in ("how-to/deploy.md", "how-to/operate.md", "how-to/cost.md", "explanation/aws.md"):
        text = (DOCS / page).read_text()
        for words in re.findall(r"(?:`|^)make ([a-z -]+)", text, re.M):
            assert set(words.split()) <= targets, f"{page}: make {words}"


def test_the_cost_table_is_up_to_date() -> None:
    """It is computed: `python tools/cost.py`."""
    done = subprocess.run([sys.executable, str(ROOT / "tools/cost.py"), "--check"], check=False)
    assert done.returncode == 0, "run: python tools/cost.py"


def test_the_list_of_licences_is_complete() -> None:
    """Each package of the lock that the image has is listed, with a licence, and no other one."""
    page = (DOCS / "reference/licences.md").read_text()
    listed = {
        canonicalize_name(name): licence
        for name, licence in re.findall(r"^\| ([\w.-]+) \| \S+ \| (.+) \|$", page, re.M)
    }
    python = {"python_full_version": "3.13.0", "python_version": "3.13", "sys_platform": "linux",
              "platform_system": "Linux"}  # fmt: skip
    for line in (ROOT / "requirements.lock").read_text().splitlines():
        if "==" in line:
            requirement = Requirement(line.removesuffix("\\"))
            if requirement.name in whole_packages():
                assert canonicalize_name(requirement.name) not in listed
            elif requirement.marker is None or requirement.marker.evaluate(python):
                assert listed.get(canonicalize_name(requirement.name), "?") != "?", (
                    f"{requirement.name}: run `make image sbom`"
                )

"""The variables of a stage, and which value holds where several are given.

One precedence, for ``make`` and for ``source environment.sh``, the first one that is given:

1. the variable's name of 2019 in the shell, for instance ``DPSS_TASK_CPU`` (`NAMES_OF_2019`);
2. ``TF_VAR_<name>`` in the shell, as Terraform calls it;
3. ``infra/environments/<stage>.tfvars``;
4. the default in ``infra/variables.tf``.

What ``environment.sh`` exported from a file is no value of the shell's own: it is listed in
``DPSS_FROM_FILE``, and the file itself, of the stage that is asked for, takes its place.
"""

import re
from collections.abc import Mapping
from pathlib import Path

NAMES_OF_2019 = {
    "DPSS_TASK_CPU": "task_cpu",
    "DPSS_TASK_MEMORY": "task_memory",
    "DPSS_VPC_ID": "vpc_id",
    "DPSS_MATRIX_SOURCE": "source_name",
    "DPSS_BLACKLIST": "use_blacklist",
}
"""Variables of the shell that the deployment of 2019 knew, with what they are called here."""
BLACKLIST = {"1": "true", "true": "true", "0": "false", "false": "false"}
"""What ``DPSS_BLACKLIST`` may be; any other value is none, as in 2019."""
PREFIX = "TF_VAR_"


def read_file(path: Path) -> dict[str, str]:
    """Return the variables of a file, one a line, strings without their quotes."""
    values = {}
    for line in path.read_text().splitlines():
        match = re.match(r'(\w+)\s*=\s*(?:"([^"]*)"|([^\s#\[]+|\[[^#]*\]))', line)
        if match:
            values[match[1]] = match[2] if match[2] is not None else match[3]
    return values


def overrides(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the variables that the shell gives, by precedence."""
    from_file = set(environ.get("DPSS_FROM_FILE", "").splitlines())
    values = {
        name.removeprefix(PREFIX): value
        for name, value in environ.items()
        if name.startswith(PREFIX) and f"{name}={value}" not in from_file
    }
    for old, name in NAMES_OF_2019.items():
        value = environ.get(old, "")
        if name == "use_blacklist":
            value = BLACKLIST.get(value, "")
        if value:
            values[name] = value
    return values


def declared(variables_tf: Path) -> set[str]:
    """Return the names of the variables that Terraform knows."""
    return set(re.findall(r'^variable "(\w+)"', variables_tf.read_text(), re.MULTILINE))


def as_options(given: Mapping[str, str], known: set[str]) -> tuple[str, ...]:
    """Return overrides as options of Terraform, for after ``-var-file``, which they then win over.

    Terraform ignores a ``TF_VAR_<name>`` that it does not know, but refuses such an option.
    """
    return tuple(f"-var={name}={value}" for name, value in sorted(given.items()) if name in known)

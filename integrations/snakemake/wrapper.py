"""Snakemake wrapper of ``dpss summarize``: samples side by side, and files for MultiQC."""

import shlex
import subprocess
import sys
from contextlib import nullcontext
from pathlib import Path

POLICY_FAILED = 3
"""Exit code of a complete run in which a sample fails the policy."""


def as_list(value):
    """Return a named input or output as a list: Snakemake gives a text where it is one file."""
    return [str(value)] if isinstance(value, str) else [str(each) for each in value]


def command_of(rule):
    """Return the command line of a rule.

    Args:
        rule: The object that Snakemake gives to scripts as ``snakemake``.

    Raises:
        ValueError: The rule has no input, several sheets, or not one output.
    """
    sheets = as_list(rule.input.get("samplesheet") or [])
    matrices = [each for each in as_list(rule.input) if each not in sheets]
    if len(sheets) > 1:
        raise ValueError("input: samplesheet= has several files; give one")
    if not (sheets or matrices):
        raise ValueError("input: give matrices, samples' folders or samplesheet=")
    if len(as_list(rule.output)) != 1:
        raise ValueError("output: give one, directory(...)")
    sheet = [f"--samplesheet={sheets[0]}"] if sheets else []
    options = [f"--output={rule.output[0]}", "--threads", str(rule.threads)]
    options += shlex.split(rule.params.get("extra", ""))
    # Behind "--", as the name of a file may begin as an option does.
    given = [] if sheets else ["--", *matrices]
    return ["dpss", "summarize", *sheet, *options, *given]


def is_failure(code, rule):
    """Return whether an exit code fails the rule: a sample that fails the policy does on demand."""
    return code != 0 and (code != POLICY_FAILED or rule.params.get("fail_on_policy", False))


def main(rule):
    """Run the rule, with everything that is said in its log."""
    command = command_of(rule)
    with Path(str(rule.log[0])).open("wb") if rule.log else nullcontext() as log:
        code = subprocess.run(command, stdout=log, stderr=log, check=False).returncode  # noqa: S603
    if is_failure(code, rule):
        raise subprocess.CalledProcessError(code, command)
    if code:
        sys.stderr.write("dpss: a sample fails the policy; its pages say why\n")


if "snakemake" in globals():
    main(globals()["snakemake"])

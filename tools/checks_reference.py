"""Write docs/reference/checks.md, from the checks themselves."""

from __future__ import annotations

from pathlib import Path

from dpss.summary.checks import CHECKS, yields

TARGET = Path(__file__).resolve().parent.parent / "docs" / "reference" / "checks.md"


def document() -> str:
    """Return the page."""
    lines = [(kind.name, kind.question, kind.rule, kind.source) for kind in CHECKS]
    lines.append((yields.NAME, yields.QUESTION, yields.RULE, yields.SOURCE))
    rows = "\n".join(
        f"| `{name}` | {question} | {rule} | {source} |" for name, question, rule, source in lines
    )
    return f"""# Checks

Each summary tells what was looked at and what was found, as `checks` in `summary.json`
and as the verdict on the pages. `pass` is as it should be, `warn` asks for care, `fail`
says that numbers can't be believed as they are, `not measured` that what the check looks
at is not there; it never counts as passed. Readers add notes of their own, such as
`gene_names` where a file names no genes, and `cellxgene_schema` where a file follows
[CELLxGENE's schema](files.md#cellxgene).

This page is written by `python -m tools.checks_reference`.

| check | asks | does not pass | source |
|---|---|---|---|
{rows}

The HCA expression matrix contract is the list of checks in
`docs/dataset-validator-checks.md` of clevercanary/hca-validation-tools.
"""


if __name__ == "__main__":
    TARGET.write_text(document())

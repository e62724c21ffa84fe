"""Which actions policies allow: the evaluation of IAM, as far as this project's policies go.

An explicit Deny wins, then any Allow, else no. A statement counts if action, resource and all
conditions match. Conditions on keys that a request does not have do not match, as on AWS.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any


def _matches(pattern: str, text: str, *, ignore_case: bool = False) -> bool:
    expression = "".join(".*" if c == "*" else "." if c == "?" else re.escape(c) for c in pattern)
    return re.fullmatch(expression, text, re.IGNORECASE if ignore_case else 0) is not None


def _listed(value: Any) -> list[str]:
    return [str(v) for v in (value if isinstance(value, list) else [value])]


def _holds(operator: str, expected: list[str], found: str | None) -> bool:
    if found is None:
        return operator.endswith("IfExists")
    operator = operator.removesuffix("IfExists")
    match operator:
        case "StringEquals":
            return found in expected
        case "StringLike" | "ArnLike" | "ArnEquals":
            return any(_matches(pattern, found) for pattern in expected)
        case "Bool":
            return found.lower() in {e.lower() for e in expected}
    raise NotImplementedError(operator)


def allows(documents: list[Mapping[str, Any]], action: str, resource: str, **context: str) -> bool:
    """Tell whether policies allow an action.

    Args:
        documents: All policies of a principal.
        action: Such as ``s3:PutObject``.
        resource: An ARN.
        context: Condition keys, with ``__`` for ``:``.
    """
    keys = {name.replace("__", ":").lower(): value for name, value in context.items()}
    allowed = False
    for document in documents:
        for statement in document["Statement"]:
            assert not {"NotAction", "NotResource", "NotPrincipal"} & set(statement)
            concerned = (
                any(_matches(a, action, ignore_case=True) for a in _listed(statement["Action"]))
                and any(_matches(r, resource) for r in _listed(statement["Resource"]))
                and all(
                    _holds(operator, _listed(expected), keys.get(key.lower()))
                    for operator, pairs in statement.get("Condition", {}).items()
                    for key, expected in pairs.items()
                )
            )
            if concerned and statement["Effect"] == "Deny":
                return False
            allowed |= concerned
    return allowed

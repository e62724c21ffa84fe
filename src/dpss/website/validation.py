"""Validation of documents against JSON schemas, as far as pages rely on it.

It supports the keywords of JSON Schema that the program's schemas use, so that a run needs no
library; the tests compare it with the `jsonschema` package. Unknown properties are allowed, as a
newer version of the program may write more.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

_TYPES: dict[str, tuple[type, ...]] = {
    "object": (dict,),
    "array": (list,),
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "null": (type(None),),
}


def fault(value: Any, schema: Mapping[str, Any], where: str = "the document") -> str | None:
    """Return the first fault of a value in one sentence; ``None`` if there is none.

    >>> fault({"n": "3"}, {"type": "object", "properties": {"n": {"type": "integer"}}})
    'n is not of type integer'

    Args:
        value: Result of `json.loads`.
        schema: A schema that uses ``type``, ``const``, ``enum``, ``minimum``, ``pattern``,
            ``required``, ``properties``, ``additionalProperties`` (a schema) and ``items`` only.
        where: Name of the value in the sentence.
    """
    # In Python True is 1; in JSON it is not.
    if "const" in schema and (value != schema["const"] or isinstance(value, bool)):
        return f"{where} is not {schema['const']!r}"
    if "enum" in schema and value not in schema["enum"]:
        return f"{where} is none of {', '.join(schema['enum'])}"
    if "type" in schema and not _is_of_type(value, schema["type"]):
        kinds = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
        return f"{where} is not of type {' or '.join(kinds)}"
    if "pattern" in schema and not re.search(schema["pattern"], value):
        return f"{where} does not match {schema['pattern']}"
    if "minimum" in schema and value is not None and value < schema["minimum"]:
        return f"{where} is below {schema['minimum']}"
    if isinstance(value, dict):
        return _fault_of_object(value, schema, where)
    if isinstance(value, list) and "items" in schema:
        for number, item in enumerate(value):
            found = fault(item, schema["items"], f"{where}[{number}]")
            if found:
                return found
    return None


def _fault_of_object(value: dict[str, Any], schema: Mapping[str, Any], where: str) -> str | None:
    missing = [name for name in schema.get("required", ()) if name not in value]
    if missing:
        return f"{where} lacks {', '.join(missing)}"
    properties, others = schema.get("properties", {}), schema.get("additionalProperties")
    for name, item in value.items():
        inner = properties.get(name, others if isinstance(others, dict) else None)
        if inner is None:
            continue
        found = fault(item, inner, name if where == "the document" else f"{where}.{name}")
        if found:
            return found
    return None


def _is_of_type(value: Any, kinds: str | list[str]) -> bool:
    for kind in [kinds] if isinstance(kinds, str) else kinds:
        # In Python a bool is an int; in JSON it is not.
        if isinstance(value, _TYPES[kind]) and (kind == "boolean" or not isinstance(value, bool)):
            return True
    return False

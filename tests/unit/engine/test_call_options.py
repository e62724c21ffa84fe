"""A type checker knows what the call of a notebook takes."""

from __future__ import annotations

import inspect

import dpss
from dpss.engine.call_options import SummarizeOptions


def test_options_of_the_overloads_are_those_of_the_function() -> None:
    """Every parameter but the two that decide what is returned."""
    parameters = inspect.signature(dpss.summarize).parameters.keys() - {"source", "matrix"}
    assert SummarizeOptions.__annotations__.keys() == parameters

"""Contrast and order of colours."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from dpss.figures.elements.palette import DARK, DENSITIES, LIGHT, Theme


def luminance(colour: str) -> float:
    """Return the relative luminance that WCAG 2 defines."""
    parts = np.array([int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)])
    linear = np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)
    return float(linear @ [0.2126, 0.7152, 0.0722])


@pytest.mark.parametrize("theme", [LIGHT, DARK])
def test_text_stands_out_from_its_ground(theme: object) -> None:
    """Text colours have the contrast that WCAG 2 asks for."""
    ground = luminance(theme.background)  # type: ignore[attr-defined]
    for name, least in (("ink", 7), ("muted", 4.5), ("blue", 4.5), ("orange", 4.5)):
        colour = luminance(getattr(theme, name))
        light, dark = max(colour, ground), min(colour, ground)
        assert (light + 0.05) / (dark + 0.05) >= least, name


def contrast(one: str, other: str) -> float:
    """Return the contrast that WCAG 2 defines."""
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("theme", [LIGHT, DARK])
def test_marks_stand_out_from_their_ground(theme: Theme) -> None:
    """Every mark that means something has a contrast of 3:1 or more (WCAG 2.2, 1.4.11)."""
    for role in (*DENSITIES, "blue", "orange", "grey", "muted"):
        assert contrast(getattr(theme, role), theme.background) >= 3, role


@pytest.mark.parametrize("theme", [LIGHT, DARK])
def test_densities_leave_the_ground_steadily(theme: Theme) -> None:
    """More cells are always farther from the ground: readable in grey and for every eye."""
    away = [contrast(getattr(theme, role), theme.background) for role in DENSITIES]
    assert all(b > 1.2 * a for a, b in pairwise(away))

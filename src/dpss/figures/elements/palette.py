"""The colours of figures and pages, as hexadecimal values.

The hues are those of Okabe and Ito (https://jfly.uni-koeln.de/color/), which people with
any of the common colour vision deficiencies tell apart, a little darker or lighter where
the ground asks for it. Text colours reach a contrast of 4.5:1 or more on both grounds of
their theme (WCAG 2.2, 1.4.3).
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Theme:
    """The roles of colours on one kind of ground."""

    background: str
    """Ground of figures and of cards."""
    ground: str
    """Ground of pages, behind the cards."""
    ink: str
    """Text."""
    muted: str
    """Secondary text: axis titles, tick labels, notes."""
    line: str
    """Axes and borders."""
    grid: str
    """Grid lines and hairlines."""
    blue: str
    """First series, links, emphasis."""
    blue_soft: str
    """Areas of the first series: boxes, violins."""
    orange: str
    """Second series, and highlights within the first; has enough contrast for text."""
    grey: str
    """Colour of the background, such as genes that are not highly variable."""
    faint: str
    """Colour of the uncertain, such as genes of fewer than three cells."""
    density1: str
    """Bins of the fewest cells; like all marks, 3:1 or more against the background."""
    density2: str
    density3: str
    density4: str
    density5: str
    """Bins of the most cells."""
    good: str
    """A check that passed; has enough contrast for text."""
    warning: str
    """A check that warns; has enough contrast for text."""
    bad: str
    """A check that failed; has enough contrast for text."""


LIGHT = Theme(
    background="#ffffff",
    ground="#f7f8fa",
    ink="#17212b",
    muted="#566371",
    line="#aab4bf",
    grid="#e4e9ee",
    blue="#0068a3",
    blue_soft="#b5d6ea",
    orange="#b84f00",
    grey="#85909c",
    faint="#c3ccd5",
    density1="#4f95c7",
    density2="#2b78b0",
    density3="#135d96",
    density4="#08406c",
    density5="#031f39",
    good="#00704f",
    warning="#8a5300",
    bad="#b3261e",
)

DARK = Theme(
    background="#182029",
    ground="#10161d",
    ink="#e8edf2",
    muted="#a3b0bd",
    line="#4a5866",
    grid="#2d3945",
    blue="#6cb8ea",
    blue_soft="#27506b",
    orange="#ff9a57",
    grey="#7b8894",
    faint="#414e5b",
    density1="#44799f",
    density2="#5a9ac8",
    density3="#84bbe3",
    density4="#b4d9f3",
    density5="#e9f5fd",
    good="#5fd0a6",
    warning="#f0b45c",
    bad="#ff8a80",
)

DENSITIES = ("density1", "density2", "density3", "density4", "density5")
"""Roles of bins, from few to many cells: steadily farther from the ground, blue throughout."""


def colour_of(theme: Theme, role: str) -> str:
    """Return the colour of a role; a colour, as of a cluster, as it is.

    >>> colour_of(LIGHT, "ink"), colour_of(DARK, "#e69f00")
    ('#17212b', '#e69f00')
    """
    return role if role.startswith("#") else str(getattr(theme, role))

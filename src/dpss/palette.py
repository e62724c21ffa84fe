"""One set of colours for figures and pages, as hex values.

Categorical colours are those of Okabe and Ito (https://jfly.uni-koeln.de/color/), which
people with any of the common colour vision deficiencies tell apart. Text colours reach a
contrast of 4.5:1 or more on the ground that they are meant for (WCAG 2.2, 1.4.3).
"""

from __future__ import annotations

BLUE = "#0072b2"
"""First series, links and whatever is to be noticed."""
ORANGE = "#d55e00"
"""Second series, and what is highlighted within the first."""
GREEN = "#009e73"
PURPLE = "#cc79a7"
SKY = "#56b4e9"
YELLOW = "#e69f00"
GREY = "#9aa5b1"
"""What is there but not the subject: genes that are not highly variable."""

SERIES = (BLUE, ORANGE, GREEN, PURPLE, SKY, YELLOW)
"""Categorical colours in the order of use."""

DENSITY = ("#e3eef6", "#b5d3e8", "#7fb4d8", "#4391c1", "#0072b2", "#08517f", "#0a2f4d")
"""From few to many on a light ground: even steps in lightness, blue throughout."""

PAPER = "#ffffff"
"""Ground of figures and of cards."""
GROUND = "#f7f8fa"
"""Ground of pages."""
INK = "#17212b"
"""Text, axes' labels."""
MUTED = "#566371"
"""Secondary text, ticks."""
RULE = "#d8dee5"
"""Hairlines, grid lines."""

PASS = "#00704f"
WARN = "#8a5300"
FAIL = "#b3261e"

DARK = {
    "paper": "#182029",
    "ground": "#10161d",
    "ink": "#e8edf2",
    "muted": "#a3b0bd",
    "rule": "#2d3945",
    "blue": "#6cb8ea",
    "orange": "#ff9a57",
    "grey": "#65727f",
    "pass": "#5fd0a6",
    "warn": "#f0b45c",
    "fail": "#ff8a80",
}
"""The same roles on a dark ground, for pages; figures stay on paper."""

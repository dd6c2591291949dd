"""Matplotlib figures as SVG files."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import matplotlib
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure


def draw_svg(name: str, size: tuple[float, float], style: dict[Any, Any], draw: Callable[[Figure], None]) -> str:
    """Return an SVG file with text as text; equal drawings give equal files.

    Args:
        name: Makes the ids in the file differ from those of other figures.
        size: Width and height in inches.
        style: Settings of Matplotlib.
        draw: Draws into the empty figure.
    """
    with matplotlib.rc_context({"svg.fonttype": "none", "svg.hashsalt": name, **style}):
        figure = Figure(figsize=size, layout="constrained", facecolor="white")
        FigureCanvasSVG(figure)
        draw(figure)
        file = io.StringIO()
        figure.savefig(file, format="svg", metadata={"Date": None})
    return file.getvalue()

"""Matplotlib figures as inline SVG: text stays text, colours are those of the page in both themes."""

from __future__ import annotations

import io
import re
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import matplotlib
from lxml import etree
from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure

# Matplotlib knows no CSS, so it draws in colours that nothing else uses, and these become the page's.
INK, GREY, RULE, FIRST, SECOND, THIRD = (f"#0000{number:02x}" for number in range(1, 7))
_PAGE_COLOURS = {
    INK: "var(--ink)",
    GREY: "var(--grey)",
    RULE: "var(--rule)",
    FIRST: "var(--first)",
    SECOND: "var(--second)",
    THIRD: "var(--third)",
}
_STYLE: Mapping[Any, object] = {
    "svg.fonttype": "none",
    "text.parse_math": False,
    "axes.unicode_minus": False,
    "font.family": "DejaVu Sans",
    "font.size": 8.8,
    "figure.facecolor": "none",
    "axes.facecolor": "none",
    "savefig.facecolor": "none",
    "text.color": INK,
    "axes.labelcolor": GREY,
    "axes.labelsize": 8.8,
    "axes.edgecolor": RULE,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "axes.grid": True,
    "grid.color": RULE,
    "grid.linewidth": 0.6,
    "xtick.color": RULE,
    "ytick.color": RULE,
    "xtick.labelcolor": GREY,
    "ytick.labelcolor": INK,
    "legend.frameon": False,
    "legend.labelcolor": INK,
    "lines.linewidth": 1.6,
}
_FONT = re.compile(r"font-family:[^;]*;?\s*")
_REFERENCE = re.compile(r"#([\w.-]+)")
_XLINK = "{http://www.w3.org/1999/xlink}href"
WIDTH = 4.7  # inches of 72 units: a phone shows the figure at its own size, a desk a little larger


class Drawing:
    """A figure in the making; `markup` is there once its `draw` block has ended."""

    def __init__(self, figure: Figure) -> None:
        self.figure = figure
        self.markup = Markup("")

    def axes(self) -> Axes:
        """Return the only axes of the figure."""
        return self.figure.add_subplot()


@contextmanager
def draw(name: str, height: float, alternative: str) -> Iterator[Drawing]:
    """Yield a drawing and render it at the end.

    Args:
        name: Unique on the page.
        height: In inches; the width is `WIDTH`.
        alternative: What the figure shows, for who cannot see it.
    """
    with matplotlib.rc_context({**_STYLE, "svg.hashsalt": name}), warnings.catch_warnings():
        # The browser has the glyphs that Matplotlib's own face lacks.
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        figure = Figure(figsize=(WIDTH, height), layout="constrained")
        FigureCanvasSVG(figure)
        drawing = Drawing(figure)
        yield drawing
        file = io.StringIO()
        figure.savefig(file, format="svg", metadata=dict.fromkeys(("Creator", "Date", "Format", "Type")))
    drawing.markup = _inline(file.getvalue(), name, alternative)


def _inline(svg: str, name: str, alternative: str) -> Markup:
    root = etree.fromstring(svg.encode(), etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=True))
    for element in list(root.iter("{*}metadata", "{*}style")):
        element.getparent().remove(element)
    used = {found for value in _values(root) for found in _REFERENCE.findall(value)}
    for element in root.iter("{*}*"):
        _clean(element, used, name)
    for attribute in ("width", "height", "version"):
        root.attrib.pop(attribute, None)
    root.set("role", "img")
    root.set("aria-label", alternative)
    root.set("class", "plot")
    return Markup(etree.tostring(root, encoding="unicode"))  # noqa: S704  serialised, so every text in it is escaped


def _values(root: etree._Element) -> Iterator[str]:
    for element in root.iter("{*}*"):
        for attribute in (_XLINK, "clip-path"):
            if attribute in element.attrib:
                yield element.attrib[attribute]


def _clean(element: etree._Element, used: set[str], name: str) -> None:
    """Make the identifiers of one element unique on the page, and its look that of the page."""
    identifier = element.attrib.pop("id", None)
    if identifier in used:
        element.set("id", f"{name}-{identifier}")
    if _XLINK in element.attrib:
        element.set("href", _REFERENCE.sub(rf"#{name}-\1", element.attrib.pop(_XLINK)))
    if "clip-path" in element.attrib:
        element.set("clip-path", _REFERENCE.sub(rf"#{name}-\1", element.attrib["clip-path"]))
    if "style" in element.attrib:
        style = _FONT.sub("", element.attrib["style"])
        for drawn, shown in _PAGE_COLOURS.items():
            style = style.replace(drawn, shown)
        element.set("style", style)

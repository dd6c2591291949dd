"""Which words of a Word document nobody sees: vanished, tiny, or white on white."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from docx.oxml.ns import qn

_RUN_PROPERTIES, _PARAGRAPH_PROPERTIES, _SHADING = qn("w:rPr"), qn("w:pPr"), qn("w:shd")
_VALUE: Final = qn("w:val")
_TINY_HALF_POINTS: Final = 2
_OFF: Final = ("0", "false", "off", "none")
_NO_COLOUR: Final = ("", "auto", "FFFFFF", "clear")


class Hiding:
    """Knows the styles of one document.

    Args:
        styles: The styles by id, as python-docx has them.
    """

    def __init__(self, styles: Mapping[str, Any]) -> None:
        self._styles = styles

    def hides(self, text: Any) -> bool:
        """Return whether a `w:t` element is part of the file and not of the page."""
        settings = list(self._settings(text))
        size = _first(settings, "w:sz")
        is_tiny = size.isdecimal() and int(size) <= _TINY_HALF_POINTS
        is_white = _first(settings, "w:color").upper() in {"FFFFFF", "FEFEFE"} and not self._is_shaded(text, settings)
        return _is_on(settings, "w:vanish") or is_tiny or is_white

    def _settings(self, text: Any) -> Iterator[Any]:
        """Yield the run properties that apply, the nearest first."""
        run = text.getparent()
        own = run.find(_RUN_PROPERTIES)
        paragraph = next(run.iterancestors(qn("w:p")), None)
        if own is not None:
            yield own
            yield from self._of_style(own.find(qn("w:rStyle")))
        if paragraph is not None:
            yield from self._of_style(paragraph.find(f"{_PARAGRAPH_PROPERTIES}/{qn('w:pStyle')}"))

    def _of_style(self, named: Any) -> Iterator[Any]:
        seen: set[str] = set()
        name = "" if named is None else named.get(_VALUE, "")
        while name in self._styles and name not in seen:
            seen.add(name)
            element = self._styles[name].element
            properties = element.find(_RUN_PROPERTIES)
            if properties is not None:
                yield properties
            based_on = element.find(qn("w:basedOn"))
            name = "" if based_on is None else based_on.get(_VALUE, "")

    def _is_shaded(self, text: Any, settings: list[Any]) -> bool:
        """Return whether there may be a colour behind the text: its own, its paragraph's, its table's, the page's."""
        highlighted = _first(settings, "w:highlight") not in {"", "none", "white"}
        tables = text.iterancestors(qn("w:tbl"))
        named = (table.find(f"{qn('w:tblPr')}/{qn('w:tblStyle')}") for table in tables)
        names = [style.get(_VALUE) for style in named if style is not None]
        styles = [self._styles[name].element for name in names if name in self._styles]
        around = [*settings, *styles, *text.iterancestors(qn("w:p"), qn("w:tc"))]
        behind = (shading.get(qn("w:fill"), "").upper() for element in around for shading in _shadings(element))
        in_drawing = next(text.iterancestors(qn("w:txbxContent")), None) is not None
        has_background = text.getroottree().getroot().find(qn("w:background")) is not None
        return highlighted or in_drawing or has_background or any(fill not in _NO_COLOUR for fill in behind)


def _shadings(element: Any) -> Iterator[Any]:
    if element.tag == qn("w:style"):
        yield from element.iter(_SHADING)
    else:
        yield from element.findall(_SHADING)
        yield from element.findall(f"{_PARAGRAPH_PROPERTIES}/{_SHADING}")
        yield from element.findall(f"{qn('w:tcPr')}/{_SHADING}")


def _first(settings: list[Any], name: str) -> str:
    for properties in settings:
        found = properties.find(qn(name))
        if found is not None:
            return str(found.get(_VALUE, ""))
    return ""


def _is_on(settings: list[Any], name: str) -> bool:
    for properties in settings:
        found = properties.find(qn(name))
        if found is not None:
            return found.get(_VALUE, "true").lower() not in _OFF
    return False

"""Which parts of a page a browser does not show, by its attributes, inline styles and simple style sheets."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from bs4 import BeautifulSoup
from bs4.element import Tag
from soupsieve import SelectorSyntaxError

_AT_BLOCK = re.compile(r"@[^{};]*\{(?:[^{}]*\{[^{}]*\})*[^{}]*\}|@[^{};]*;|/\*.*?\*/", re.DOTALL)
_RULE = re.compile(r"([^{}]+)\{([^{}]*)\}")
# States of a page that its reader brings about.
_DYNAMIC_SELECTOR = re.compile(r":(?!not|is|first|last|nth|root)")
_MOST_RULES: Final = 200
_LONGEST_SHEET: Final = 500_000
_ZERO = r"\s*0*\.?0*(?:px|pt|em|rem|%)?\s*"
_FAR: Final = r"\s*-\s*(?:\d{4,}|[5-9]\d{2})(?:\.\d+)?(?:px|pt)|\s*-\s*\d{2,}(?:em|rem)|\s*-\s*\d{3,}(?:%|vw|vh)"
_HIDES: Final = {
    "display": re.compile(r"none"),
    "visibility": re.compile(r"hidden|collapse"),
    "opacity": re.compile(_ZERO),
    "font-size": re.compile(rf"{_ZERO}|(?:0?\.\d+|1)(?:px|pt)"),
    "color": re.compile(r"transparent|rgba\([^)]*,\s*0?\.?0*\s*\)"),
    "text-indent": re.compile(_FAR),
    "clip": re.compile(r"rect\((?:\s*[01](?:px)?[\s,]*){4}\)"),
    "clip-path": re.compile(r"inset\((?:50|100)%\)|circle\(0[^)]*\)"),
    "transform": re.compile(r"scale\(0\)"),
}
_MOVES: Final = ("left", "top", "right", "bottom", "margin-left", "margin-top")
_WHITE = re.compile(r"white|#fff(?:fff)?|rgb\(\s*255\s*,\s*255\s*,\s*255\s*\)")


def hidden_tags(soup: BeautifulSoup) -> list[Tag]:
    """Return the tags that are not shown, outermost first."""
    found: dict[int, Tag] = {id(tag): tag for tag in _hidden_by_sheet(soup)}
    for tag in soup.descendants:
        if isinstance(tag, Tag) and _is_hidden_by_itself(tag):
            found.setdefault(id(tag), tag)
    return [tag for tag in found.values() if not any(id(parent) in found for parent in tag.parents)]


def _is_hidden_by_itself(tag: Tag) -> bool:
    if "hidden" in tag.attrs and tag.attrs["hidden"] != "until-found":
        return True
    style = tag.attrs.get("style")
    if not isinstance(style, str):
        return False
    declared = _declarations(style)
    return _hides(declared) or (_is_white(declared) and not _has_background(tag))


def _declarations(style: str) -> dict[str, str]:
    pairs = (declaration.partition(":") for declaration in style.lower().replace("!important", "").split(";"))
    return {name.strip(): value.strip() for name, _, value in pairs if value}


def _hides(declared: dict[str, str]) -> bool:
    if any(pattern.fullmatch(declared.get(name, "?")) for name, pattern in _HIDES.items()):
        return True
    if declared.get("position") in {"absolute", "fixed"} and any(
        re.fullmatch(_FAR, declared.get(side, "")) for side in _MOVES
    ):
        return True
    sizes = (declared.get(name, "") for name in ("width", "height", "max-height", "max-width"))
    clips = "hidden" in {declared.get("overflow"), declared.get("overflow-y"), declared.get("overflow-x")}
    is_point = clips and any(re.fullmatch(rf"{_ZERO}|1px", size) for size in sizes if size)
    background = declared.get("background-color", declared.get("background", ""))
    return is_point or ("color" in declared and declared["color"] == background)


def _is_white(declared: dict[str, str]) -> bool:
    return bool(_WHITE.fullmatch(declared.get("color", "")))


def _has_background(tag: Tag) -> bool:
    """Return whether the tag may stand on a colour or picture; style sheets can give any tag with a class one."""
    for holder in (tag, *tag.parents):
        style = _declarations(str(holder.attrs.get("style", "")))
        behind = style.get("background-color", style.get("background", ""))
        if (behind and not _WHITE.fullmatch(behind)) or holder.attrs.get("bgcolor") or holder.attrs.get("background"):
            return True
        if holder.attrs.get("class") or holder.attrs.get("id"):
            return True
    return False


def _hidden_by_sheet(soup: BeautifulSoup) -> Iterator[Tag]:
    sheets = " ".join(sheet.get_text() for sheet in soup.find_all("style"))[:_LONGEST_SHEET]
    rules = [
        selector.strip()
        for selector, body in _RULE.findall(_AT_BLOCK.sub(" ", sheets))
        if _hides(_declarations(body)) and not _DYNAMIC_SELECTOR.search(selector)
    ]
    for selector in rules[:_MOST_RULES]:
        try:
            yield from soup.select(selector)
        except (SelectorSyntaxError, NotImplementedError):
            continue

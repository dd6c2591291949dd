"""Which parts of a page a browser does not show, by its attributes, inline styles and simple style sheets.

HTML pages as the text a browser would show. Nothing is ever loaded from anywhere.
"""

from __future__ import annotations

import codecs
import re
import warnings
from collections import Counter
from collections.abc import Iterator
from typing import Final

from bs4 import BeautifulSoup, ParserRejectedMarkup, XMLParsedAsHTMLWarning
from bs4.dammit import EncodingDetector
from bs4.element import Comment, NavigableString, PageElement, PreformattedString, Tag
from soupsieve import SelectorSyntaxError

from index.document import Document
from index.errors import UnreadableDocumentError
from index.readers.block_text import BlockText, collapse
from index.readers.source_file import SourceFile
from index.readers.text_file import decode, normalise_newlines
from index.readers.titles import choose_title, heading_line, parse_date

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


_MAXIMUM_TAGS: Final = 1_000_000
_MAXIMUM_DEPTH: Final = 2_000  # browsers stop at 512; the time Beautiful Soup takes grows with depth squared
_DROPPED: Final = ["script", "style", "noscript", "template", "head", "svg", "iframe", "object", "canvas", "textarea"]
_BLOCK = re.compile(
    r"address|article|aside|blockquote|body|details|dialog|div|dl|fieldset|figure|footer|form|h[1-6]|header|hr|main|nav"
    r"|p|pre|section|table"
)
_LINE = re.compile(r"caption|dd|dt|figcaption|legend|option|summary|tr|td|th")
_LIST = re.compile(r"ol|ul")
_HEADING = re.compile(r"h[1-6]")
_NAVIGATION_ROLES: Final = ("navigation", "menu", "menubar", "search")
_UNSEEN_ATTRIBUTES: Final = ("alt", "title", "aria-label", "aria-description")
_DATE_PROPERTIES: Final = (
    *("article:modified_time", "article:published_time", "dcterms.modified", "dcterms.date", "dc.date", "date"),
    "last-modified",
)
# What a page may say of itself; Python knows further codecs that are slow, unsafe or no encodings at all.
_DECLARABLE: Final = ("utf-8", "cp", "iso8859", "koi8", "mac", "big5", "gb", "euc", "shift_jis")
# What browsers read under these names, by the WHATWG encoding standard.
_BROWSER_ENCODINGS: Final = {
    "ascii": "cp1252",
    "iso8859-1": "cp1252",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "big5": "big5hkscs",
    "shift_jis": "cp932",
    "euc_kr": "cp949",
}


def read_html(source: SourceFile) -> Iterator[Document]:
    """Yield the page as one document, titled by its `<title>`, its first `<h1>` or its first line."""
    content = source.read()
    if content.count(b"<") > _MAXIMUM_TAGS:
        raise UnreadableDocumentError(f"has more than {_MAXIMUM_TAGS:,} tags: split it into several pages")
    soup = _parse(decode_html(content))
    titles = [tag.get_text() for tag in (soup.find("title"), soup.find("h1")) if tag is not None]
    properties = {_property_name(tag): str(tag.get("content") or "") for tag in soup.find_all("meta")}
    date = next(filter(None, (parse_date(properties.get(name)) for name in _DATE_PROPERTIES)), None)
    out = BlockText()
    for words in properties.values():
        out.note_unseen(words)
    _write(soup, out)
    built = out.build()
    if not built.text:
        raise UnreadableDocumentError("has no text: if a script fills the page in, save it from the browser as shown")
    title = choose_title(source.document_id, *titles, heading_line(built.text))
    yield source.document(content, title, built, "text/html", date)


def write_html(markup: str, out: BlockText) -> None:
    """Write the text of a piece of HTML."""
    _write(_parse(markup), out)


def decode_html(content: bytes) -> str:
    """Return the text of a page: a byte order mark comes first, then what it declares, if true, then what bytes say."""
    declared = EncodingDetector.find_declared_encoding(content, is_html=True)
    marked = content.startswith((codecs.BOM_UTF8, codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    try:
        name = "" if marked or declared is None or b"\x00" in content else codecs.lookup(declared).name
        if name.startswith(_DECLARABLE):
            return normalise_newlines(content.decode(_BROWSER_ENCODINGS.get(name, name)))
    except (LookupError, UnicodeDecodeError):
        pass
    return decode(content)


def _property_name(tag: Tag) -> str:
    return str(tag.get("property") or tag.get("name") or tag.get("http-equiv") or "").lower()


def _parse(markup: str) -> BeautifulSoup:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", XMLParsedAsHTMLWarning)
        try:
            return BeautifulSoup(markup, "lxml")
        except ParserRejectedMarkup as error:
            raise UnreadableDocumentError("is not HTML that can be parsed: save it again from a browser") from error


def _check_depth(soup: BeautifulSoup) -> None:
    depths = {id(soup): 0}
    for tag in soup.descendants:
        if isinstance(tag, Tag):
            depths[id(tag)] = depths[id(tag.parent)] + 1
            if depths[id(tag)] > _MAXIMUM_DEPTH:
                raise UnreadableDocumentError(f"is nested deeper than {_MAXIMUM_DEPTH:,} tags: save it as text")


def _write(soup: BeautifulSoup, out: BlockText) -> None:
    _check_depth(soup)
    _note_unseen(soup, out)
    for tag in hidden_tags(soup):
        if tag.name not in _DROPPED:
            out.hide(tag.get_text(" "))
            tag.decompose()
    for tag in soup.find_all(_DROPPED):
        tag.decompose()
    navigation = [tag for tag in _tags(soup) if tag.name == "nav" or tag.get("role") in _NAVIGATION_ROLES]
    beside = len(soup.get_text(strip=True)) - sum(len(tag.get_text(strip=True)) for tag in navigation)
    if beside > 0:  # a page of links alone is read for its links
        for tag in navigation:
            if not tag.decomposed:
                out.leave_out(tag.get_text(" "))
                tag.decompose()
    for row in soup.find_all("tr"):
        _flatten_row(row)
    for block in soup.find_all("pre"):
        block.string = block.get_text()
    _write_flow(soup, out)


def _note_unseen(soup: BeautifulSoup, out: BlockText) -> None:
    for comment in soup.find_all(string=lambda found: isinstance(found, Comment)):
        out.note_unseen(str(comment))
    for tag in _tags(soup):
        for name in _UNSEEN_ATTRIBUTES:
            if name in tag.attrs:
                out.note_unseen(str(tag.attrs[name]))


def _tags(soup: BeautifulSoup) -> list[Tag]:
    return [node for node in soup.descendants if isinstance(node, Tag)]


def _flatten_row(row: Tag) -> None:
    """Put a row of a table of data on one line; a table that only lays out the page keeps its blocks."""
    cells = row.find_all(["td", "th"], recursive=False)
    if len(cells) > 1 and row.find("table") is None:
        line = " | ".join(collapse(_flow_text(cell)) for cell in cells)
        row.string = line if line.strip("| ") else ""


def _flow_text(root: Tag) -> str:
    out = BlockText()
    _write_flow(root, out)
    return out.text()


def _write_flow(root: Tag, out: BlockText) -> None:
    """Walk the page in document order without recursion, so that deep nesting is no danger."""
    open_tags: list[Tag] = []
    item_numbers: Counter[int] = Counter()
    for node in root.descendants:
        while open_tags and node.parent is not open_tags[-1]:
            _close(open_tags.pop(), out)
        if isinstance(node, Tag):
            _open(node, out, item_numbers)
            open_tags.append(node)
        elif isinstance(node, NavigableString) and not isinstance(node, PreformattedString):
            if _parent_name(node) == "pre":
                out.write_verbatim(node)
            else:
                out.write(node)
    while open_tags:
        _close(open_tags.pop(), out)


def _open(tag: Tag, out: BlockText, item_numbers: Counter[int]) -> None:
    _close(tag, out)
    if _HEADING.fullmatch(tag.name):
        out.start_heading(int(tag.name[1]))
    elif tag.name == "br":
        out.end_line()
    elif tag.name == "li":
        item_numbers[id(tag.parent)] += 1
        out.start_item(f"{item_numbers[id(tag.parent)]}. " if _parent_name(tag) == "ol" else "- ")


def _close(tag: Tag, out: BlockText) -> None:
    if tag.name == "li":
        out.start_item("")
    elif _HEADING.fullmatch(tag.name):
        out.end_heading()
    elif _BLOCK.fullmatch(tag.name) or (_LIST.fullmatch(tag.name) and _parent_name(tag) != "li"):
        out.end_block()
    elif _LINE.fullmatch(tag.name) or _LIST.fullmatch(tag.name):
        out.end_line()


def _parent_name(node: PageElement) -> str:
    return node.parent.name if node.parent is not None else ""

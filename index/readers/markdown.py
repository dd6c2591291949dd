"""Markdown as readable text: what a reader of the rendered page would see, without marks or links."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Final

from markdown_it import MarkdownIt
from markdown_it.token import Token

from index.document import Document
from index.errors import UnreadableDocumentError
from index.readers.block_text import BlockText, BuiltText, collapse
from index.readers.html import write_html
from index.readers.source_file import SourceFile
from index.readers.text_file import decode
from index.readers.titles import choose_title, heading_line, parse_date

_FRONT_MATTER = re.compile(r"---[ \t]*\n(.*?)^(?:---|\.\.\.)[ \t]*(?:\n|\Z)", re.DOTALL | re.MULTILINE)
_FRONT_MATTER_TITLE = re.compile(r"^title:[ \t]*([\"']?)(.+?)\1[ \t]*$", re.MULTILINE)
_FRONT_MATTER_DATE = re.compile(r"^date:[ \t]*[\"']?(\d{4}-\d{2}-\d{2})", re.MULTILINE)
_BLOCKS: Final = {f"{name}_{side}" for name in ("paragraph", "blockquote") for side in ("open", "close")} | {"hr"}
_LISTS: Final = {f"{name}_list_{side}" for name in ("bullet", "ordered") for side in ("open", "close")}
_LINE_BREAK_TAG = re.compile(r"<br\s*/?>", re.IGNORECASE)


def read_markdown(source: SourceFile) -> Iterator[Document]:
    """Yield the file as one document, titled by its front matter or its first heading."""
    content = source.read()
    markup = decode(content)
    front_matter = _FRONT_MATTER.match(markup)
    declared = _FRONT_MATTER_TITLE.search(front_matter.group(1)) if front_matter else None
    tokens = (
        MarkdownIt("commonmark")
        .enable(["table", "strikethrough"])
        .parse(markup[front_matter.end() :] if front_matter else markup)
    )
    built = _render(tokens)
    if not built.text:
        raise UnreadableDocumentError("has no text")
    dated = _FRONT_MATTER_DATE.search(front_matter.group(1)) if front_matter else None
    title = choose_title(
        source.document_id, declared.group(2) if declared else None, _first_heading(tokens), heading_line(built.text)
    )
    yield source.document(content, title, built, "text/markdown", parse_date(dated.group(1)) if dated else None)


def _first_heading(tokens: Sequence[Token]) -> str | None:
    for opening, inline in pairwise(tokens):
        if opening.type == "heading_open":
            return _inline_text(inline)
    return None


def _render(tokens: Sequence[Token]) -> BuiltText:  # noqa: PLR0912  # one case a kind of token
    out = BlockText()
    cells: list[str] = []
    in_table = False
    for token in tokens:
        match token.type:
            case "heading_open":
                out.start_heading(int(token.tag[1]))
            case "heading_close":
                out.end_heading()
            case "table_open" | "table_close":
                in_table = token.type == "table_open"
                out.end_block()
            case "tr_close":
                out.write_row(cells)
                cells = []
            case "inline" if in_table:
                cells.append(collapse(_inline_text(token)))
            case "inline":
                for line in _inline_text(token).split("\v"):
                    out.write(line)
                    out.end_line()
            case "list_item_open":
                out.start_item(f"{token.info}. " if token.info else "- ")
            case "list_item_close":
                out.start_item("")
            case "fence" | "code_block":
                out.write_verbatim(token.content)
            case "html_block":
                out.end_block()
                write_html(token.content, out)
                out.end_block()
            case kind if kind in _BLOCKS and not token.hidden:
                out.end_block()
            case kind if kind in _LISTS and not token.level:
                out.end_block()
    return out.build()


def _inline_text(token: Token) -> str:
    r"""Return the words of a heading, paragraph or cell: `\n` for a wrapped line, `\v` for a break that counts."""
    words: list[str] = []
    for child in token.children or []:
        match child.type:
            case "softbreak":
                words.append("\n")
            case "hardbreak":
                words.append("\v")
            case "image":
                words.append(_inline_text(child))
            case "html_inline":
                words.append("\v" if _LINE_BREAK_TAG.fullmatch(child.content) else "")
            case _:
                words.append(child.content)
    return "".join(words)

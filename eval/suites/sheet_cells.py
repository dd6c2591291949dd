"""What a clerk writes into one cell, as the values of a golden question.

Groups and list entries are separated by `;` or a new line, phrases of a group by `|`. Text that holds a separator
stands between quotation marks, a quotation mark inside it doubled, as in CSV.
"""

from __future__ import annotations

from collections.abc import Callable

import regex

from eval.suites.located import Located

_ANSWERABLE = {"yes": True, "true": True, "是": True, "no": False, "false": False, "否": False}
_GROUP_ENDS = ";；\n"
_TAG_ENDS = ";；,，\n"
_PHRASE_ENDS = "|｜"
_QUOTED = r'"(?:[^"]|"")*+"'
_TURN = regex.compile(r"(?P<role>\w+)\s*[:：]\s*(?P<content>.*)")
# A quote ends at the mark that ends the alternative, so that words in quotation marks inside it need no care.
_ALTERNATIVE = regex.compile(
    rf"""\s*(?:(?P<document>{_QUOTED}|[^"“「|｜]+?)\s*[:：]\s*)?
    (?:"(?P<quote>(?:[^"]|""(?!\s*(?:[|｜]|$))|"(?!\s*(?:[|｜]|$)))*+)"
      |“(?P<quote>(?:[^”]|”(?!\s*(?:[|｜]|$)))*+)”
      |「(?P<quote>(?:[^」]|」(?!\s*(?:[|｜]|$)))*+)」)
    \s*(?:[|｜]|$)""",
    regex.VERBOSE,
)
_EVIDENCE_HINT = 'write document_id: "quote", one item a line, alternatives separated by |'
_TURN_HINT = "start every line with user: or assistant:"


def _text(cell: str, line: int) -> Located:
    return Located(cell, line, written=cell)


def _answerable(cell: str, line: int) -> Located:
    known = _ANSWERABLE.get(cell.casefold())
    return Located(
        cell if known is None else known, line, cell, hint=f"{cell!r} is neither yes nor no: write one of them"
    )


def _whole_number(cell: str, line: int) -> Located:
    number = int(cell) if regex.fullmatch(r"-?\d{1,9}", cell, regex.ASCII) else cell
    hint = f"{cell!r} is not a whole number from 1: write one, or leave the cell empty for no limit"
    return Located(number, line, cell, hint=hint)


def _entries(cell: str, line: int) -> Located:
    return Located([_text(one, line) for one in _split(cell, _GROUP_ENDS)], line)


def _tags(cell: str, line: int) -> Located:
    return Located([_text(one, line) for one in _split(cell, _TAG_ENDS)], line)


def _groups(cell: str, line: int) -> Located:
    groups = _split(cell, _GROUP_ENDS, unquote=False)
    return Located([Located([_text(one, line) for one in _split(group, _PHRASE_ENDS)], line) for group in groups], line)


def _turns(cell: str, line: int) -> Located:
    turns = []
    for written in filter(str.strip, cell.splitlines()):
        match = _TURN.fullmatch(written.strip())
        if match:
            turn = {"role": _text(match["role"].casefold(), line), "content": _text(match["content"], line)}
            turns.append(Located(turn, line))
        else:
            turns.append(Located(written, line, written, hint=_TURN_HINT))
    return Located(turns, line)


def _evidence(cell: str, line: int) -> Located:
    return Located([_item(one, line) for one in filter(str.strip, cell.splitlines())], line)


def _item(written: str, line: int) -> Located:
    quotes, place, document = [], 0, ""
    while place < len(written):
        match = _ALTERNATIVE.match(written, place)
        if match is None or not (match["document"] or document):
            return Located(written, line, written, hint=_EVIDENCE_HINT)
        document = _unquoted(match["document"].strip()) if match["document"] else document
        quote = match["quote"].replace('""', '"')
        quotes.append(Located({"document_id": _text(document, line), "quote": _text(quote, line)}, line))
        place = match.end()
    return Located({"any_of": Located(quotes, line)}, line)


# How the cell of each column is read. `document` and `quote` are one item of evidence between them.
COLUMNS: dict[str, Callable[[str, int], Located]] = {
    "id": _text,
    "question": _text,
    "history": _turns,
    "dialogue": _text,
    "answerable": _answerable,
    "expect": _groups,
    "forbid": _entries,
    "evidence": _evidence,
    "document": _text,
    "quote": _text,
    "max_words": _whole_number,
    "tags": _tags,
}


def _split(text: str, ends: str, *, unquote: bool = True) -> list[str]:
    """Return the pieces of a text between separators, those inside quotation marks kept, empty pieces left out."""
    inside = regex.escape(ends)
    # Quotation marks count only where they open a phrase and another closes it.
    piece = regex.compile(rf"(?:(?<=^|[{inside}|｜])\s*{_QUOTED}(?=\s*(?:$|[{inside}|｜]))|[^{inside}])*+")
    found = (match.group().strip() for match in piece.finditer(text))
    return [_unquoted(one) if unquote else one for one in found if one]


def _unquoted(text: str) -> str:
    is_quoted = len(text) > 1 and regex.fullmatch(_QUOTED, text) is not None
    return text[1:-1].replace('""', '"') if is_quoted else text

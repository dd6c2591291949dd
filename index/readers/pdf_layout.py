"""From pieces of text on a page to its lines in reading order: columns one after the other, table rows in one line.

A gutter is found as the left edge that many pieces share and none crosses. What stands beside it is columns where both
sides read like prose, else a table.
"""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median
from typing import Final

_SAME_EDGE: Final = 4.0  # points
_GUTTER: Final = 6.0
_LEAST_ROWS: Final = 3
_PROSE_WIDTH: Final = 22  # Latin characters in half of the lines
_MOST_GUTTERS: Final = 12
_PARAGRAPH_GAP: Final = 0.9  # of a line's height, between two lines


@dataclass(frozen=True, slots=True)
class TextPiece:
    """Words on one line without a wide gap between them, in points from the lower left corner of the page."""

    text: str
    left: float
    bottom: float
    right: float
    top: float

    @property
    def height(self) -> float:
        """From bottom to top."""
        return self.top - self.bottom


@dataclass(frozen=True, slots=True)
class Line:
    """A line to read; an empty one stands between paragraphs."""

    text: str
    bottom: float
    top: float


Row = list[TextPiece]


def read_lines(pieces: Sequence[TextPiece]) -> list[Line]:
    """Return the lines of a page in reading order."""
    blocks = _blocks(_rows(pieces))
    lines: list[Line] = []
    for block in blocks:
        if lines and block:
            lines.append(Line("", 0, 0))
        lines += _lines_of(block)
    return lines


def _rows(pieces: Sequence[TextPiece]) -> list[Row]:
    """Return pieces that share a baseline together, from top to bottom, each row from left to right."""
    rows: list[Row] = []
    for piece in sorted(pieces, key=lambda piece: -(piece.bottom + piece.top)):
        last = rows[-1][0] if rows else None
        middle = (piece.bottom + piece.top) / 2
        if last is not None and abs((last.bottom + last.top) / 2 - middle) < 0.5 * min(last.height, piece.height):
            rows[-1].append(piece)
        else:
            rows.append([piece])
    return [sorted(row, key=lambda piece: piece.left) for row in rows]


def _blocks(rows: list[Row]) -> list[list[Row]]:
    """Return the rows cut into columns, in reading order."""
    for gutter in _gutters(rows):
        above, beside, below = _around(rows, gutter)
        left = _rows([piece for row in beside for piece in row if piece.right <= gutter])
        right = _rows([piece for row in beside for piece in row if piece.left >= gutter])
        if _is_prose(left) and _is_prose(right) and _distance(left, right) >= _GUTTER:
            return [*_blocks(above), *_blocks(left), *_blocks(right), *_blocks(below)]
    return [rows] if rows else []


def _gutters(rows: list[Row]) -> list[float]:
    """Return the left edges that pieces share, the commonest first, without the outermost."""
    edges = Counter(round(piece.left / _SAME_EDGE) for row in rows for piece in row)
    first = min(edges, default=0)
    return [
        edge * _SAME_EDGE - _SAME_EDGE
        for edge, count in edges.most_common(_MOST_GUTTERS)
        if edge > first + 1 and count >= _LEAST_ROWS
    ]


def _around(rows: list[Row], gutter: float) -> tuple[list[Row], list[Row], list[Row]]:
    """Return the longest run of rows that no piece crosses at the gutter, and the rows before and after it."""
    best = (0, 0)
    start = 0
    for number, row in enumerate([*rows, None]):
        if row is None or any(piece.left < gutter < piece.right for piece in row):
            best = max(best, (start, number), key=lambda run: run[1] - run[0])
            start = number + 1
    return rows[: best[0]], rows[best[0] : best[1]], rows[best[1] :]


def _is_prose(rows: list[Row]) -> bool:
    return len(rows) >= _LEAST_ROWS and median(sum(_width(piece.text) for piece in row) for row in rows) >= _PROSE_WIDTH


def _width(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(character) in "WF" else 1 for character in text)


def _distance(left: list[Row], right: list[Row]) -> float:
    return min(row[0].left for row in right) - max(row[-1].right for row in left)


def _lines_of(rows: list[Row]) -> list[Line]:
    lines: list[Line] = []
    for number, row in enumerate(rows):
        if number and rows[number - 1][0].bottom - row[0].top > _PARAGRAPH_GAP * row[0].height:
            lines.append(Line("", 0, 0))
        neighbours = rows[max(0, number - 1) : number] + rows[number + 1 : number + 2]
        is_table_row = len(row) > 1 and any(_aligned(row, other) > 1 for other in neighbours)
        joined = (" | " if is_table_row else " ").join(piece.text.strip() for piece in row)
        lines.append(Line(joined, min(piece.bottom for piece in row), max(piece.top for piece in row)))
    return lines


def _aligned(row: Row, other: Row) -> int:
    """Return how many pieces of a row begin or end where one of the other row does."""
    return sum(
        any(abs(piece.left - one.left) < _SAME_EDGE or abs(piece.right - one.right) < _SAME_EDGE for one in other)
        for piece in row
    )

"""Rows of a sheet, whatever the file they stood in."""

from __future__ import annotations

from dataclasses import dataclass

# A line whose first cell starts with this, above the headings, and a column whose heading does, are remarks.
REMARK = "#"


@dataclass(frozen=True, slots=True)
class Cell:
    """What a reader of the sheet sees in one cell.

    Attributes:
        text: Without white space around it; empty when there is nothing.
        problem: Why the text may not be what was typed, and what to do; empty when it is.
    """

    text: str
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Row:
    """One row that is not blank: its number as the spreadsheet shows it, from 1, and its cells from column A on."""

    line: int
    cells: tuple[Cell, ...]

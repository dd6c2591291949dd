"""Errors of the evaluation, below the one base of `index.errors`.

FootnoteError
└── EvaluationError        a suite could not be checked, run or written down
    ├── SuiteError         a suite has mistakes; `mistakes` holds every one
    ├── ReportError        a report cannot be read or written
    ├── ComparisonError    two runs cannot be compared
    ├── GateError          a gate has mistakes, or rules that cannot be checked here
    └── DraftError         no questions can be drafted, or their file cannot be written
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from index.errors import FootnoteError


@dataclass(frozen=True, slots=True)
class Mistake:
    """One thing that is wrong in a suite.

    Attributes:
        path: The suite file as it was named.
        line: Line of the key that is wrong, from 1.
        key: Path of the key inside its question, such as `evidence[0].any_of[1].quote`; empty for the whole.
        message: What is wrong and what to do, one sentence or two.
    """

    path: str
    line: int
    key: str
    message: str

    def __str__(self) -> str:
        where = f"{self.path}:{self.line}"
        return f"{where}: {self.key}: {self.message}" if self.key else f"{where}: {self.message}"


class EvaluationError(FootnoteError):
    """A suite could not be checked or run."""


class SuiteError(EvaluationError):
    """A suite has mistakes.

    Attributes:
        mistakes: Every mistake found, in the order of the file.
    """

    def __init__(self, mistakes: Sequence[Mistake]) -> None:
        self.mistakes = tuple(mistakes)
        more = len(self.mistakes) - 1
        hint = f" (and {more} more: footnote eval check lists them all)" if more else ""
        super().__init__(f"{self.mistakes[0]}{hint}")


class ReportError(EvaluationError):
    """A report cannot be read or written."""


class ComparisonError(EvaluationError):
    """Two runs cannot be compared."""


class GateError(EvaluationError):
    """A gate has mistakes, or its rules cannot be checked on what is there."""


class DraftError(EvaluationError):
    """No questions can be drafted, or their file cannot be written."""

"""The comparison of two runs, A (earlier) and B (later), as it is written to a file."""

from __future__ import annotations

import re
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from eval.errors import ReportError
from eval.report.report import Verdict
from index.store.atomic_file import write_file

DocumentChange = Literal["added", "removed", "changed"]
# How near a document is to a question, the nearest first.
Nearness = Literal["cited", "evidence", "retrieved"]
Test = Literal["mcnemar", "permutation"]
# A hash is told from another by its beginning.
_HASH = re.compile(r"[0-9a-f]{40,}")


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class RunLabel(_Frozen):
    """Which run it was: its file as it was named, and what it came from."""

    path: str
    started_at: datetime
    commit: str | None
    questions: int
    crashes: int


class QuestionKey(_Frozen):
    """A question: the file name of its suite, and its id."""

    suite: str
    id: str


class MeasureDifference(_Frozen):
    """One measure over the paired questions.

    Attributes:
        a: Value in A over the paired questions that A scores.
        b: The same of B.
        n: How many questions both score.
        n_a: How many A scores.
        n_b: How many B scores.
        difference: `b - a`.
        low: Lower end of the 95% interval of the difference.
        high: Upper end.
        p_value: How often chance alone gives a difference as large, in either direction.
        test: Where the p-value comes from; None where there is none.
    """

    measure: str
    a: float | None
    b: float | None
    n: int
    n_a: int
    n_b: int
    difference: float | None
    low: float | None = None
    high: float | None = None
    p_value: float | None = None
    test: Test | None = None


class Shown(_Frozen):
    """What one run said to a question, and what became of it."""

    verdict: Verdict
    text: str
    why: tuple[str, ...]


class Flip(_Frozen):
    """A question whose verdict differs between the runs.

    Attributes:
        newly: `right` or `wrong`, or None where one kind of mistake became another.
    """

    key: QuestionKey
    question: str
    newly: Literal["right", "wrong"] | None
    a: Shown
    b: Shown


class Unlike(_Frozen):
    """Something besides the answers in which the runs differ; None where a run does not say."""

    key: str
    a: Any
    b: Any

    def __str__(self) -> str:
        return f"{self.key}: {_render(self.a)} in A, {_render(self.b)} in B"


class DocumentChanges(_Frozen):
    """Ids of the documents that are not the same in both runs."""

    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()


class Cause(_Frozen):
    """A changed document that is near a question: cited or retrieved by an answer, or named in the evidence."""

    document_id: str
    change: DocumentChange
    near: tuple[Nearness, ...]


class Affected(_Frozen):
    """A question that is answered otherwise in B, and the changed documents that are near it, nearest first.

    Attributes:
        why: The same in words.
    """

    key: QuestionKey
    question: str
    a: Shown
    b: Shown
    causes: tuple[Cause, ...]
    why: str


class Impact(_Frozen):
    """What the change of the documents did to the golden questions.

    Attributes:
        documents: None where a report does not say which documents it had.
        questions: Those whose verdict or answer changed.
        unaffected: How many are answered as before.
    """

    documents: DocumentChanges | None
    questions: tuple[Affected, ...]
    unaffected: int


class Comparison(_Frozen):
    """Two runs side by side. A crash is in no measure and no flip: it is counted apart.

    Attributes:
        pairs: How many questions were answered in both runs.
        measures: In the order of the reports.
        by_tag: The measures by tag over the questions with one tag in B, for the tags that were asked for.
        flips: Newly wrong ones first.
        crashed_in_a: Questions that ended in an exception each time they were asked in A.
        only_in_a: Questions that only A asked.
        reworded: Questions that the suite asks or marks otherwise in B.
        unlike: Suites, settings, prompts, code and machine, as far as they differ.
        impact: None where the documents are the same.
    """

    a: RunLabel
    b: RunLabel
    pairs: int
    measures: tuple[MeasureDifference, ...]
    by_tag: dict[str, tuple[MeasureDifference, ...]] = {}
    flips: tuple[Flip, ...]
    crashed_in_a: tuple[QuestionKey, ...]
    crashed_in_b: tuple[QuestionKey, ...]
    only_in_a: tuple[QuestionKey, ...]
    only_in_b: tuple[QuestionKey, ...]
    reworded: tuple[QuestionKey, ...]
    unlike: tuple[Unlike, ...]
    impact: Impact | None

    def newly(self, what: Literal["right", "wrong"]) -> tuple[Flip, ...]:
        """Return the questions that became right, or wrong."""
        return tuple(flip for flip in self.flips if flip.newly == what)

    def measure(self, name: str, tag: str | None = None) -> MeasureDifference | None:
        """Return a measure by name, over the questions with a tag if one is named, or None where neither run has it."""
        measures = self.measures if tag is None else self.by_tag[tag]
        return next((one for one in measures if one.measure == name), None)

    def write(self, path: Path) -> None:
        """Write the comparison to a JSON file.

        Raises:
            ReportError: The file cannot be written.
        """
        write_file(path, self.model_dump_json(indent=2) + "\n", ReportError)


def _render(value: object) -> str:
    if value is None:
        return "nothing"
    text = str(value)
    return f"{text[:12]}…" if _HASH.fullmatch(text) else text

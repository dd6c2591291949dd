"""The report of a run: every number with its n and interval, every answer it rests on, and how to run it again."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path, PurePosixPath
from typing import Any, Literal, Self

from pydantic import Field

from bot.answer.answer import Answer
from eval.judge.record import ModelJudge
from eval.measures.interval import Metric
from eval.report.json_file import JsonFile, Record
from eval.run.origin import RunOrigin
from eval.suites.golden import GoldenQuestion

# The part of the path of a question that lost the answer; `suite` when the suite asks for what no document says.
Stage = Literal[
    "reading", "splitting", "retrieval", "condensing", "selection", "judging", "composing", "verification", "suite"
]
Verdict = Literal["right", "wrong", "rightly_refused", "wrongly_refused", "wrongly_answered", "crashed"]
# The report in the folder of a run.
REPORT_NAME = "report.json"
GOOD_VERDICTS: frozenset[Verdict] = frozenset({"right", "rightly_refused"})


class Blame(Record):
    """The first stage that lost the answer to a question that failed, and how that is known, in words."""

    stage: Stage
    why: str


class SuiteRecord(Record):
    """A suite that was run: its file as it was named, the SHA-256 (hex) of it, and how many questions it has."""

    path: str
    hash: str
    questions: int

    @property
    def name(self) -> str:
        """Its name, by which it is found in other runs."""
        return _name_of(self.path)


class QuestionReport(Record):
    """One question of a run.

    Attributes:
        suite: File of the question.
        golden: The question with what makes its answer right, its history as it was asked.
        repeat: Which time it was asked in this run, from 1.
        answer: The whole answer, or None when it crashed.
        crash: The traceback, or None.
        verdict: Whether it was answered or refused, and rightly.
        why: What is wrong with the answer, in words.
        scores: Measures by name; None where one does not apply.
        blame: Which stage lost the answer; None where nothing is wrong or it was not looked for.
    """

    suite: str
    golden: GoldenQuestion
    repeat: int = 1
    answer: Answer | None
    crash: str | None
    verdict: Verdict
    why: tuple[str, ...]
    scores: dict[str, float | None]
    blame: Blame | None = None

    @property
    def suite_name(self) -> str:
        """The name of its suite, by which it is found in other runs."""
        return _name_of(self.suite)


class TagReport(Record):
    """The main metrics over the questions with one tag."""

    questions: int
    metrics: dict[str, Metric]


class RunReport(JsonFile):
    """The result of a run. `metrics` are over all questions of all suites; a crash counts in none of them.

    Attributes:
        settings: Settings of the run, passwords removed.
        index_fingerprint: Hash of all that was indexed.
        documents: How many documents were indexed.
        document_hashes: SHA-256 (hex) of the text of each document, by id.
        repeats: How often each question was asked.
        seconds: Duration of the run.
        crashes: How many questions ended in an unexpected exception.
        warnings: What of the suites does not stand in the documents, where the run was made in spite of that.
        model_judge: What a language model thinks of the answers, where `footnote eval judge` asked one.
    """

    suites: tuple[SuiteRecord, ...]
    origin: RunOrigin
    settings: dict[str, Any]
    index_fingerprint: str
    documents: int
    document_hashes: dict[str, str] = Field(default_factory=dict)
    repeats: int = 1
    started_at: datetime
    seconds: float
    crashes: int
    warnings: tuple[str, ...] = ()
    metrics: dict[str, Metric]
    by_tag: dict[str, TagReport]
    questions: tuple[QuestionReport, ...]
    model_judge: ModelJudge | None = None

    kind = "run report"
    remedy = "name a folder that footnote eval run --out wrote, or its report.json"

    @classmethod
    def load(cls, path: Path) -> Self:
        """Return a report from its file, or from the folder of its run.

        Raises:
            ReportError: The file cannot be read or is no report.
        """
        return super().load(path / REPORT_NAME if path.is_dir() else path)

    def failures(self) -> Iterator[QuestionReport]:
        """Yield the questions whose answer is not what it should be, crashes included."""
        return (question for question in self.questions if question.verdict not in GOOD_VERDICTS)


def _name_of(suite: str) -> str:
    """Return the file name of a suite without its ending.

    Two runs may be started from different folders, and a sheet may be saved as CSV or as a workbook.
    """
    return PurePosixPath(suite.replace("\\", "/")).stem

"""Runs golden suites: every question asked once, scored, and kept with its answer."""

from __future__ import annotations

import functools
import logging
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bot.settings import Settings
from eval.errors import EvaluationError, SuiteError
from eval.measures.answered import AnsweredQuestion, TextOf
from eval.measures.correctness import what_is_wrong
from eval.measures.scoring import TAG_MEASURES, score, summarise_all, summarise_named
from eval.report.report import QuestionReport, RunReport, SuiteRecord, TagReport
from eval.run.ask import Asker, FindBlame, OnProgress, Task, ask_all, in_order, plan, verdict_of
from eval.run.journal import Entry, Identity, Journal
from eval.run.origin import read_origin
from eval.run.subject import Subject
from eval.suites.check import check_suite
from eval.suites.golden import GoldenQuestion
from eval.suites.suite import Suite
from prompts.replies import prompts_hash

logger = logging.getLogger(__name__)

_PASSWORD = re.compile(r"(?<=://)([^:/@\s]*):[^@\s]*@")
# Where files lie does not change an answer, and who asks over which port neither.
_NO_PART_OF_A_RUN = frozenset(("data_dir", "host", "port"))


@dataclass(frozen=True, slots=True)
class _Outcome:
    question: GoldenQuestion
    entry: Entry
    asked: AnsweredQuestion | None
    scores: dict[str, float | None] | None

    @property
    def cluster(self) -> tuple[str, str, str]:
        """Return what shares its luck with others: the turns of a dialogue, or a question each time it is asked."""
        dialogue = self.question.dialogue
        return (
            (self.entry.suite, "question", self.question.id)
            if dialogue is None
            else (self.entry.suite, "dialogue", dialogue)
        )


@dataclass(frozen=True, slots=True)
class Manner:
    """How a run is made.

    Attributes:
        repeats: How often each question is asked.
        parallel: How many are asked at the same time; the turns of a dialogue wait for each other.
        folder: Where answers are kept as they come, so that the run can be resumed; None keeps them in memory.
        changed_documents: Run although evidence no longer stands in the documents; such evidence is not scored.
    """

    repeats: int = 1
    parallel: int = 1
    folder: Path | None = None
    changed_documents: bool = False


def run_suites(
    chatbot: Subject,
    suites: Sequence[Suite],
    settings: Settings,
    on_progress: OnProgress = lambda done, total, question_id: None,
    manner: Manner = Manner(),
    find_blame: FindBlame = lambda asked: None,
) -> RunReport:
    """Ask every question of the suites and return the report.

    Args:
        chatbot: Must be safe for as many threads as `manner` asks for.
        suites: What to ask.
        settings: Recorded.
        on_progress: Called from the thread of the caller.
        manner: How often, how many at a time, and where answers are kept.
        find_blame: Says which stage lost a failed answer.

    Raises:
        SuiteError: An evidence quote does not occur in the index, so nothing measured against it would mean anything.
        EvaluationError: There is nothing indexed.
        ReportError: The folder cannot be written, or holds the answers of another run.
    """
    overview = chatbot.overview()
    text_of = stored_texts(chatbot)
    hashes = {document.document_id: document.content_hash for document in overview.documents}
    if not hashes:
        raise EvaluationError("The index holds no documents: run footnote index first.")
    mistakes = [mistake for suite in suites for mistake in check_suite(suite, hashes, text_of).mistakes]
    if mistakes and not manner.changed_documents:
        raise SuiteError(mistakes)

    recorded = _without_passwords(settings.model_dump(mode="json"))
    identity = Identity(
        suites=tuple(suite.hash for suite in suites),
        index_fingerprint=overview.fingerprint,
        settings={name: value for name, value in recorded.items() if name not in _NO_PART_OF_A_RUN},
        prompts=prompts_hash(),
        repeats=manner.repeats,
    )
    journal = Journal.open(manner.folder, identity, datetime.now(UTC))
    if len(journal):
        logger.warning("%d answers are there from before: going on after them", len(journal))
    sequels = plan(suites, manner.repeats)
    ask_all(Asker(chatbot, journal, text_of, find_blame), sequels, manner.parallel, on_progress)
    outcomes = [_outcome(task, journal, text_of) for task in in_order(suites, manner.repeats)]
    return RunReport(
        suites=tuple(SuiteRecord(path=one.path, hash=one.hash, questions=len(one.questions)) for one in suites),
        origin=read_origin(),
        settings=recorded,
        index_fingerprint=overview.fingerprint,
        documents=len(hashes),
        document_hashes=hashes,
        repeats=manner.repeats,
        started_at=journal.started_at,
        seconds=round(sum(outcome.entry.seconds for outcome in outcomes), 3),
        crashes=sum(outcome.asked is None for outcome in outcomes),
        warnings=tuple(map(str, mistakes)),
        metrics=summarise_all(
            [one.asked for one in outcomes], [one.scores for one in outcomes], [one.cluster for one in outcomes]
        ),
        by_tag=_by_tag(outcomes),
        questions=tuple(_report(outcome) for outcome in outcomes),
    )


def stored_texts(chatbot: Subject) -> TextOf:
    """Return a function that gives the text of a document, each read only once."""

    @functools.cache
    def text_of(document_id: str) -> str | None:
        document = chatbot.document(document_id)
        return document.text if document else None

    return text_of


def _outcome(task: Task, journal: Journal, text_of: TextOf) -> _Outcome:
    kept = journal.find(task.question.id, task.repeat)
    assert kept is not None, "every task has been asked"
    entry = kept.model_copy(update={"suite": task.suite})
    question = task.question.model_copy(update={"history": entry.history})
    asked = AnsweredQuestion(question, entry.answer, text_of) if entry.answer else None
    return _Outcome(question, entry, asked, score(asked) if asked else None)


def _report(outcome: _Outcome) -> QuestionReport:
    asked, entry = outcome.asked, outcome.entry
    verdict = verdict_of(asked)
    return QuestionReport(
        suite=entry.suite,
        golden=outcome.question,
        repeat=entry.repeat,
        answer=entry.answer,
        crash=entry.crash,
        verdict=verdict,
        why=tuple(what_is_wrong(asked)) if asked and verdict == "wrong" else (),
        scores=outcome.scores or {},
        blame=entry.blame,
    )


def _by_tag(outcomes: Sequence[_Outcome]) -> dict[str, TagReport]:
    tags = sorted({tag for outcome in outcomes for tag in outcome.question.tags})
    tagged = {tag: [outcome for outcome in outcomes if tag in outcome.question.tags] for tag in tags}
    return {
        tag: TagReport(
            questions=len(some),
            metrics=summarise_named(TAG_MEASURES, [one.scores for one in some], [one.cluster for one in some]),
        )
        for tag, some in tagged.items()
    }


def _without_passwords(settings: dict[str, Any]) -> dict[str, Any]:
    return {
        name: _PASSWORD.sub(r"\1:***@", value) if isinstance(value, str) else value for name, value in settings.items()
    }

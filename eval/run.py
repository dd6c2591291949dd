"""Runs golden suites: every question asked once, scored, and kept with its answer."""

from __future__ import annotations

import functools
import re
import time
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from bot.settings import Settings
from eval.check import check_suite
from eval.errors import EvaluationError, SuiteError
from eval.golden import GoldenQuestion
from eval.measures.asked import Asked
from eval.measures.correctness import what_is_wrong
from eval.metrics import TAG_MEASURES, score, summarise_all, summarise_named
from eval.origin import read_origin
from eval.places import TextOf
from eval.report import QuestionReport, RunReport, SuiteRecord, TagReport, Verdict
from eval.subject import Subject
from eval.suite import Suite

# Called before each question with how many are done, how many there are, and the id of the next.
OnProgress = Callable[[int, int, str], None]

_PASSWORD = re.compile(r"(?<=://)([^:/@\s]*):[^@\s]*@")


@dataclass(frozen=True, slots=True)
class _Outcome:
    suite: Suite
    question: GoldenQuestion
    asked: Asked | None
    crash: str | None
    scores: dict[str, float | None] | None


def run_suites(
    chatbot: Subject,
    suites: Sequence[Suite],
    settings: Settings,
    on_progress: OnProgress = lambda done, total, question_id: None,
) -> RunReport:
    """Ask every question of the suites and return the report.

    Raises:
        SuiteError: An evidence quote does not occur in the index, so nothing measured against it would mean anything.
        EvaluationError: There is nothing indexed.
    """
    started_at, started = datetime.now(UTC), time.perf_counter()
    overview = chatbot.overview()
    text_of = stored_texts(chatbot)
    document_ids = {document.document_id for document in overview.documents}
    if not document_ids:
        raise EvaluationError("The index holds no documents: run footnote index first.")
    mistakes = [mistake for suite in suites for mistake in check_suite(suite, document_ids, text_of).mistakes]
    if mistakes:
        raise SuiteError(mistakes)

    questions = [(suite, question) for suite in suites for question in suite.questions]
    outcomes = []
    for done, (suite, question) in enumerate(questions):
        on_progress(done, len(questions), question.id)
        outcomes.append(_ask(chatbot, suite, question, text_of))
    return RunReport(
        suites=tuple(SuiteRecord(path=one.path, hash=one.hash, questions=len(one.questions)) for one in suites),
        origin=read_origin(),
        settings=_without_passwords(settings.model_dump(mode="json")),
        index_fingerprint=overview.fingerprint,
        documents=len(document_ids),
        started_at=started_at,
        seconds=round(time.perf_counter() - started, 3),
        crashes=sum(outcome.crash is not None for outcome in outcomes),
        metrics=summarise_all([one.asked for one in outcomes], [one.scores for one in outcomes]),
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


def _ask(chatbot: Subject, suite: Suite, question: GoldenQuestion, text_of: TextOf) -> _Outcome:
    try:
        answer = chatbot.ask(question.question, question.history, question_id=question.id)
    except Exception:  # noqa: BLE001
        # Whatever goes wrong in one question is a finding of the run, not its end; and it is no wrong answer either.
        return _Outcome(suite, question, None, traceback.format_exc(), None)
    asked = Asked(question, answer, text_of)
    return _Outcome(suite, question, asked, None, score(asked))


def _report(outcome: _Outcome) -> QuestionReport:
    asked = outcome.asked
    verdict = _verdict(asked)
    return QuestionReport(
        suite=outcome.suite.path,
        golden=outcome.question,
        answer=asked.answer if asked else None,
        crash=outcome.crash,
        verdict=verdict,
        why=tuple(what_is_wrong(asked)) if asked and verdict == "wrong" else (),
        scores=outcome.scores or {},
    )


def _verdict(asked: Asked | None) -> Verdict:
    if asked is None:
        return "crashed"
    if asked.refused:
        return "wrongly_refused" if asked.question.answerable else "rightly_refused"
    if not asked.question.answerable:
        return "wrongly_answered"
    return "wrong" if what_is_wrong(asked) else "right"


def _by_tag(outcomes: Sequence[_Outcome]) -> dict[str, TagReport]:
    tags = sorted({tag for outcome in outcomes for tag in outcome.question.tags})
    tagged = {tag: [outcome for outcome in outcomes if tag in outcome.question.tags] for tag in tags}
    return {
        tag: TagReport(
            questions=len(some),
            metrics=summarise_named(TAG_MEASURES, [one.scores for one in some]),
        )
        for tag, some in tagged.items()
    }


def _without_passwords(settings: dict[str, Any]) -> dict[str, Any]:
    return {
        name: _PASSWORD.sub(r"\1:***@", value) if isinstance(value, str) else value for name, value in settings.items()
    }

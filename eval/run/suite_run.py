"""Runs golden suites: every question is asked once, scored, and kept with its answer."""

from __future__ import annotations

import functools
import logging
import re
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from bot.settings import Settings
from eval.errors import EvaluationError, SuiteError
from eval.measures.answered import AnsweredQuestion, TextOf
from eval.measures.correctness import what_is_wrong
from eval.measures.scoring import TAG_MEASURES, score, summarise_all, summarise_named
from eval.report.report import QuestionReport, RunReport, SuiteRecord, TagReport
from eval.run.asker import (
    Asker,
    FindBlame,
    OnProgress,
    QuestionTask,
    Subject,
    ask_all,
    group_turns,
    list_tasks,
    verdict_of,
)
from eval.run.journal import JournalEntry, RunIdentity, RunJournal
from eval.run.origin import read_origin
from eval.suites.suite import Suite
from eval.suites.suite_check import check_suite
from prompts.replies import prompts_hash

logger = logging.getLogger(__name__)

_PASSWORD = re.compile(r"(?<=://)([^:/@\s]*):[^@\s]*@")
# Where files lie does not change an answer, and who asks over which port neither.
_NO_PART_OF_A_RUN = frozenset(("data_dir", "host", "port"))


@dataclass(frozen=True, slots=True)
class RunOptions:
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
    options: RunOptions = RunOptions(),
    find_blame: FindBlame = lambda asked: None,
) -> RunReport:
    """Ask every question of the suites and return the report.

    Args:
        chatbot: Must be safe for as many threads as `options` asks for.
        suites: What to ask.
        settings: Recorded.
        on_progress: Called from the thread of the caller.
        options: How often, how many at a time, and where answers are kept.
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
    if mistakes and not options.changed_documents:
        raise SuiteError(mistakes)

    recorded = {
        name: _PASSWORD.sub(r"\1:***@", value) if isinstance(value, str) else value
        for name, value in settings.model_dump(mode="json").items()
    }
    identity = RunIdentity(
        suites=tuple(suite.hash for suite in suites),
        index_fingerprint=overview.fingerprint,
        settings={name: value for name, value in recorded.items() if name not in _NO_PART_OF_A_RUN},
        prompts=prompts_hash(),
        repeats=options.repeats,
    )
    journal = RunJournal.open(options.folder, identity, datetime.now(UTC))
    if len(journal):
        logger.warning("%d answers are there from before: going on after them", len(journal))
    tasks = list_tasks(suites, options.repeats)
    ask_all(Asker(chatbot, journal, text_of, find_blame), group_turns(tasks), options.parallel, on_progress)
    entries = [journal.entry(task.question.id, task.repeat) for task in tasks]
    answered = [_answered(task, entry, text_of) for task, entry in zip(tasks, entries, strict=True)]
    questions = tuple(map(_report, tasks, entries, answered))
    scores = [question.scores or None for question in questions]
    return RunReport(
        suites=tuple(SuiteRecord(path=one.path, hash=one.hash, questions=len(one.questions)) for one in suites),
        origin=read_origin(),
        settings=recorded,
        index_fingerprint=overview.fingerprint,
        documents=len(hashes),
        document_hashes=hashes,
        repeats=options.repeats,
        started_at=journal.started_at,
        seconds=round(sum(entry.seconds for entry in entries), 3),
        crashes=answered.count(None),
        warnings=tuple(map(str, mistakes)),
        metrics=summarise_all(answered, scores, list(map(_cluster, questions))),
        by_tag=_by_tag(questions),
        questions=questions,
    )


def stored_texts(chatbot: Subject) -> TextOf:
    """Return a function that gives the text of a document, each read only once."""

    @functools.cache
    def text_of(document_id: str) -> str | None:
        document = chatbot.document(document_id)
        return document.text if document else None

    return text_of


def _answered(task: QuestionTask, entry: JournalEntry, text_of: TextOf) -> AnsweredQuestion | None:
    question = task.question.model_copy(update={"history": entry.history})
    return AnsweredQuestion(question, entry.answer, text_of) if entry.answer else None


def _report(task: QuestionTask, entry: JournalEntry, asked: AnsweredQuestion | None) -> QuestionReport:
    verdict = verdict_of(asked)
    return QuestionReport(
        suite=task.suite,
        golden=task.question.model_copy(update={"history": entry.history}),
        repeat=entry.repeat,
        answer=entry.answer,
        crash=entry.crash,
        verdict=verdict,
        why=tuple(what_is_wrong(asked)) if asked and verdict == "wrong" else (),
        scores=score(asked) if asked else {},
        blame=entry.blame,
    )


def _cluster(question: QuestionReport) -> Hashable:
    """Return what results depend on together: the turns of a dialogue, or a question each time it is asked."""
    golden = question.golden
    return question.suite, golden.dialogue is None, golden.dialogue or golden.id


def _by_tag(questions: Sequence[QuestionReport]) -> dict[str, TagReport]:
    reports = {}
    for tag in sorted({tag for question in questions for tag in question.golden.tags}):
        tagged = [question for question in questions if tag in question.golden.tags]
        scores = [question.scores or None for question in tagged]
        metrics = summarise_named(TAG_MEASURES, scores, list(map(_cluster, tagged)))
        reports[tag] = TagReport(questions=len(tagged), metrics=metrics)
    return reports

"""Run reports made by hand: each question says what became of it, the measures follow from that."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from functools import partial
from typing import Any

import numpy

from bot.answer.answer import Answer, Citation, Provenance, Refusal, RetrievedEntry, Statement
from eval.measures.confidence import calibration_error
from eval.measures.interval import Metric, Statistic, mean
from eval.measures.scoring import MEASURES, PERCENTILES, TAG_MEASURES, percentile
from eval.report.report import QuestionReport, RunReport, SuiteRecord, TagReport, Verdict
from eval.run.origin import RunOrigin
from eval.suites.golden import GoldenQuestion

SUITE = "suites/seed.yaml"
STARTED = datetime(2025, 4, 16, tzinfo=UTC)


def make_answer(
    text: str = "At 5:55 am.",
    *,
    refused: bool = False,
    cited: str = "ferry.txt",
    retrieved: Iterable[str] = (),
    confidence: float = 0.9,
    milliseconds: float = 100.0,
    prompts_hash: str = "p",
) -> Answer:
    """Return an answer with one footnote, or a refusal without."""
    citation = Citation(number=1, document_id=cited, title="T", page=None, start=0, end=4, quote="5:55")
    return Answer(
        id="id",
        kind="refusal" if refused else "answer",
        question="When?",
        standalone_question="When?",
        text=text if refused else f"{text} [1]",
        refusal=Refusal(reason="not_in_documents", message=text) if refused else None,
        statements=() if refused else (Statement(text=text, citations=(1,), support="quoted"),),
        citations=() if refused else (citation,),
        retrieved=tuple(
            RetrievedEntry(chunk_id=name, document_id=name, start=0, end=4, rank=rank, score=0.5)
            for rank, name in enumerate(retrieved, start=1)
        ),
        confidence=confidence,
        timings_ms={"total": milliseconds},
        provenance=Provenance(
            version="0",
            index_fingerprint="f",
            embedding_model="e",
            answerer="extractive",
            language_model=None,
            prompts_hash=prompts_hash,
        ),
    )


def make_question(
    name: str,
    verdict: Verdict = "right",
    *,
    suite: str = SUITE,
    repeat: int = 1,
    dialogue: str | None = None,
    evidence: str = "ferry.txt",
    question: str = "When does the first ferry leave?",
    tags: tuple[str, ...] = ("fact",),
    answer: Answer | None = None,
    **scores: float | None,
) -> QuestionReport:
    """Return a question whose scores follow from its verdict, except those that are given."""
    answerable = verdict not in ("rightly_refused", "wrongly_answered")
    golden: dict[str, Any] = {"id": name, "question": question, "answerable": answerable, "tags": tags}
    if answerable:
        golden |= {"expect": [["5:55"]], "evidence": [{"any_of": [{"document_id": evidence, "quote": "5:55"}]}]}
    if dialogue:
        golden |= {"dialogue": dialogue}
    crashed, refused = verdict == "crashed", verdict in ("wrongly_refused", "rightly_refused")
    return QuestionReport(
        suite=suite,
        golden=GoldenQuestion.model_validate(golden),
        repeat=repeat,
        answer=None if crashed else answer or make_answer("No document says." if refused else verdict, refused=refused),
        crash="Traceback\nZeroDivisionError: planted" if crashed else None,
        verdict=verdict,
        why=("lacks '5:55'",) if verdict == "wrong" else (),
        scores={} if crashed else _scores(verdict) | scores,
    )


def make_report(
    questions: Iterable[QuestionReport],
    *,
    documents: Mapping[str, str] | None = None,
    fingerprint: str = "f",
    settings: Mapping[str, Any] | None = None,
    suite_hash: str = "s",
    commit: str = "c0ffee",
    measures: Iterable[str] | None = None,
) -> RunReport:
    """Return a report of questions, its measures (or those that are named) computed from their scores."""
    asked = tuple(questions)
    suites = dict.fromkeys(one.suite for one in asked)
    return RunReport(
        suites=tuple(SuiteRecord(path=path, hash=suite_hash, questions=len(asked)) for path in suites),
        origin=RunOrigin(commit=commit, dirty=False, versions={"python": "3.11"}, platform="Linux", processors=2),
        settings=dict(settings or {"top_k": 8}),
        index_fingerprint=fingerprint,
        documents=1,
        document_hashes={"ferry.txt": "1"} if documents is None else dict(documents),
        repeats=max(one.repeat for one in asked),
        started_at=STARTED,
        seconds=1.0,
        crashes=sum(one.verdict == "crashed" for one in asked),
        metrics=_metrics(asked, measures),
        by_tag=_by_tag(asked),
        questions=asked,
    )


def _scores(verdict: Verdict) -> dict[str, float | None]:
    answerable, refused = verdict not in ("rightly_refused", "wrongly_answered"), verdict.endswith("_refused")
    found: dict[str, float | None] = {
        "answer_correct": float(verdict == "right") if answerable else None,
        "refusal_precision": float(not answerable) if refused else None,
        "refusal_recall": None if answerable else float(refused),
        "false_refusal_rate": float(refused) if answerable else None,
        "citation_recall": float(not refused) if answerable else None,
        "citation_precision": 1.0 if answerable and not refused else None,
        "quote_fidelity": None if refused else 1.0,
    }
    return {name: found.get(name) for name in MEASURES}


def _by_tag(asked: tuple[QuestionReport, ...]) -> dict[str, TagReport]:
    tags = sorted({tag for one in asked for tag in one.golden.tags})
    some = {tag: tuple(one for one in asked if tag in one.golden.tags) for tag in tags}
    return {
        tag: TagReport(
            questions=len(tagged),
            metrics=_metrics(tagged, TAG_MEASURES),
        )
        for tag, tagged in some.items()
    }


def _metrics(asked: tuple[QuestionReport, ...], measures: Iterable[str] | None) -> dict[str, Metric]:
    """Return the measures that are named, or all, without their intervals, which take long and nothing here reads."""
    totals = [one.answer.timings_ms["total"] for one in asked if one.answer]
    answered = [one for one in asked if one.answer and one.answer.kind == "answer"]
    pairs = [(one.answer.confidence, one.scores["answer_correct"] or 0.0) for one in answered if one.answer]
    samples: dict[str, tuple[list[Any], Statistic]] = {
        name: ([value for one in asked if (value := one.scores.get(name)) is not None], mean) for name in MEASURES
    }
    samples |= {name: (totals, partial(percentile, share=share)) for name, share in PERCENTILES.items()}
    samples |= {"calibration_error": (pairs, calibration_error)}
    return {name: _metric(len(asked), *samples[name]) for name in measures or samples}


def _metric(questions: int, scored: list[Any], statistic: Statistic) -> Metric:
    value = statistic(numpy.asarray(scored)) if scored else None
    return Metric(value=value, n=len(scored), unscored=questions - len(scored), low=None, high=None)

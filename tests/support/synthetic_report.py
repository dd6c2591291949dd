"""Reports made up for tests of what shows them: any number of questions, every verdict, hostile texts."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from bot.answer.answer import Answer, Citation, Provenance, Refusal, RetrievedEntry, Statement
from eval.measures.interval import mean, summarise
from eval.measures.scoring import MEASURES, summarise_named
from eval.report.report import Blame, QuestionReport, RunReport, SuiteRecord, TagReport, Verdict
from eval.run.origin import RunOrigin
from eval.suites.golden import EarlierTurn, EvidenceItem, GoldenQuestion, Quote

HOSTILE = (
    "</script><img src=x onerror=alert(1)></template><svg onload=alert(1)> https://evil.example/a.png {{7*7}} \" '"
)
FERRY = "The first ferry leaves Mui Wo at 5:55 am. Tickets cost HK$17.8 on weekdays."
VERDICTS: tuple[Verdict, ...] = (
    "right",
    "rightly_refused",
    "wrong",
    "wrongly_refused",
    "wrongly_answered",
    "crashed",
)
_PROVENANCE = Provenance(
    version="0", index_fingerprint="f" * 32, embedding_model="e", answerer="extractive", language_model=None,
    prompts_hash="p",
)  # fmt: skip


def question(
    verdict: Verdict,
    question_id: str = "ferry",
    *,
    confidence: float = 0.7,
    words: str = "ferry",
    tags: tuple[str, ...] = (),
    **changes: Any,
) -> QuestionReport:
    """Return one question that was asked, with `words` wherever a text can stand."""
    answerable = verdict not in {"rightly_refused", "wrongly_answered"}
    golden = GoldenQuestion(
        id=question_id,
        question=f"When does the {words} leave?",
        history=(EarlierTurn(role="user", content=f"Tell me about the {words}."),),
        answerable=answerable,
        expect=(("5:55", words), ("Tai O",)) if answerable else (),
        evidence=(_evidence("leaves Mui Wo at 5:55 am", words),) if answerable else (),
        max_words=40 if answerable else None,
        tags=tags,
    )
    answer = None if verdict == "crashed" else _answer(verdict, golden, confidence, words)
    scores: dict[str, float | None] = dict.fromkeys(MEASURES)
    if answer:
        refused = float(answer.kind == "refusal")
        scores["answer_correct"] = float(verdict == "right") if answerable else None
        scores["refusal_recall"] = None if answerable else refused
        scores["false_refusal_rate"] = refused if answerable else None
    values: dict[str, Any] = {
        "suite": "suites/ferry.yaml",
        "golden": golden,
        "answer": answer,
        "crash": f"Traceback\nRuntimeError: {words}" if answer is None else None,
        "verdict": verdict,
        "why": (f"lacks {words!r}",) if verdict == "wrong" else (),
        "scores": scores if answer else {},
    }
    return QuestionReport(**{**values, **changes})


def run_report(questions: Sequence[QuestionReport], **changes: Any) -> RunReport:
    """Return the report of a run of such questions."""
    scores = [one.scores or None for one in questions]
    tags = sorted({tag for one in questions for tag in one.golden.tags})
    main = ("answer_correct", "refusal_recall", "false_refusal_rate", "citation_recall")
    metrics = summarise_named(MEASURES, scores)
    metrics["latency_p50_ms"] = summarise(
        [one.answer.timings_ms["total"] if one.answer else None for one in questions], mean
    )
    values: dict[str, Any] = {
        "suites": (SuiteRecord(path="suites/ferry.yaml", hash="a" * 64, questions=len(questions)),),
        "origin": RunOrigin(commit="c" * 40, dirty=True, versions={"python": "3.11"}, platform="Linux", processors=2),
        "settings": {"answerer": "extractive", "refusal_threshold": 0.4, "gguf": None},
        "index_fingerprint": "f" * 32,
        "documents": 3,
        "started_at": datetime(2026, 1, 2, 3, 4, tzinfo=UTC),
        "seconds": 12.5,
        "crashes": sum(one.crash is not None for one in questions),
        "metrics": metrics,
        "by_tag": {tag: _tag_report(tag, questions, main) for tag in tags},
        "questions": tuple(questions),
    }
    return RunReport(**{**values, **changes})


def large_report(number: int) -> RunReport:
    """Return a report of many questions: every verdict in turn, ten tags, two suites, some blamed."""
    questions = []
    for place in range(number):
        verdict = VERDICTS[place % len(VERDICTS)]
        blame = Blame(stage="retrieval", why="not among the first eight") if verdict == "wrong" else None
        questions.append(
            question(
                verdict,
                f"question-{place}",
                confidence=(place * 37 % 100) / 100,
                words=f"ferry number {place} to the island, by way of every pier that has a name",
                tags=(f"tag-{place % 10}",),
                suite=f"suites/{'ferry' if place % 2 else 'bus'}.yaml",
                blame=blame,
            )
        )
    return run_report(questions)


def _tag_report(tag: str, questions: Sequence[QuestionReport], names: Sequence[str]) -> TagReport:
    some = [one for one in questions if tag in one.golden.tags]
    return TagReport(questions=len(some), metrics=summarise_named(names, [one.scores or None for one in some]))


def _evidence(quote: str, words: str) -> EvidenceItem:
    return EvidenceItem(
        any_of=(Quote(document_id="ferry.txt", quote=quote), Quote(document_id="other.txt", quote=words))
    )


def _answer(verdict: Verdict, golden: GoldenQuestion, confidence: float, words: str) -> Answer:
    refused = verdict in {"rightly_refused", "wrongly_refused"}
    quote = f"{FERRY} {words}"
    citation = Citation(
        number=1, document_id="ferry.txt", title=f"Timetable {words}", page=2, start=10, end=10 + len(quote),
        quote=quote,
    )  # fmt: skip
    said = f"It leaves at 5:55, {words}."
    refusal = Refusal(reason="not_in_documents", message=f"Not said: {words}", nearest=(citation,), options=(words,))
    return Answer(
        id=golden.id,
        kind="refusal" if refused else "answer",
        question=golden.question,
        standalone_question=f"{golden.question} {words}",
        text=refusal.message if refused else f"{said} [1]",
        refusal=refusal if refused else None,
        statements=() if refused else (Statement(text=said, citations=(1,), support="supported"),),
        citations=() if refused else (citation,),
        retrieved=tuple(
            RetrievedEntry(
                chunk_id=f"{rank:032x}",
                document_id=f"{words}.txt" if rank > 1 else "ferry.txt",
                start=100 * (rank - 1),
                end=100 * rank,
                rank=rank,
                score=1 / rank,
            )
            for rank in range(1, 9)
        ),
        confidence=confidence,
        timings_ms={"condense": 0.0, "retrieve": 12.0, "judge": 30.5, "total": 42.5 + 100 * confidence},
        provenance=_PROVENANCE,
    )  # fmt: skip

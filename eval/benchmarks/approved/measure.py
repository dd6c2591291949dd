"""Fits when two questions are taken for the same, on articles that are not reported.

Approves answers to questions, asks these in other words and near misses of them, and counts what is shown.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

from bot.answer.answer import Answer, Citation, Provenance, Statement, render_text
from bot.language_model.session import Consultation
from bot.staff.approved_answers import ApprovedAnswers
from bot.staff.approved_recall import Recall
from bot.staff.same_question import Consult, Sameness, likeness, likeness_names, model_names, same_odds
from bot.stages.logistic import LogisticModel
from bot.storage.answers import AnswerRecords, Origin
from eval.benchmarks.approved.pairs import Pair
from eval.benchmarks.fit import describe_model, fit_logistic
from eval.measures.interval import Metric, mean, summarise
from index.document import Document, hash_text
from index.embedding.embedder import Embedder

# Near misses, half of them other questions of the article, that may be taken for the same.
_WRONG = 0.01
# What readers write and ask, against what rules make of it: as heavy as their share in the figure.
_REAL = ("written", "neighbour")


def fit_sameness(
    pairs: Sequence[Pair], embedder: Embedder, consultation: Consultation | None, advance: Callable[[], None]
) -> dict[str, dict[str, object]]:
    """Return the parameters as `same_question.json` holds them; those with a model only where one is given."""
    rows: list[tuple[float, ...]] = []
    odds: list[float] = []
    kept: list[Pair] = []
    for pair in pairs:
        found = likeness(pair.asked, pair.approved, embedder)
        if found is not None:
            kept.append(pair)
            rows.append(found.row())
            if consultation is not None:
                odds.append(same_odds(consultation, pair.asked, pair.approved))
        advance()
    fitted = {"words": _fit(likeness_names(), np.array(rows), kept, pairs)}
    if consultation is not None:
        fitted["model"] = _fit(model_names(), np.column_stack([rows, odds]), kept, pairs)
    return fitted


def _fit(
    names: tuple[str, ...], rows: NDArray[np.float64], kept: Sequence[Pair], pairs: Sequence[Pair]
) -> dict[str, object]:
    labels = np.array([pair.same for pair in kept])
    kinds = [pair.kind for pair in kept]
    weights = np.array([(3.0 if kind in _REAL else 1.0) for kind in kinds])
    model = fit_logistic(names, rows, labels, weights)
    return {**describe_model(model), "threshold": _threshold(model, rows, kept, pairs)}


def _threshold(model: LogisticModel, rows: NDArray[np.float64], kept: Sequence[Pair], pairs: Sequence[Pair]) -> float:
    """Return the lowest probability from which few enough near misses are taken for the same."""
    near = [pair for pair in pairs if not pair.same]
    counts = {real: sum((pair.kind == "neighbour") is real for pair in near) for real in (True, False)}
    scored = sorted(
        (
            (model.probability(list(row)), 0.5 / max(counts[pair.kind == "neighbour"], 1))
            for row, pair in zip(rows, kept, strict=True)
            if not pair.same
        ),
        reverse=True,
    )
    wrong = 0.0
    for probability, share in scored:
        wrong += share
        if wrong > _WRONG:
            return round(min(probability + 0.0001, 0.9999), 4)
    return 0.5


class Shown(BaseModel):
    """How often an approved answer was shown.

    Attributes:
        rewordings: For the same question in other words; what is wanted.
        near_misses: For another question, or another answer than the question's own.
        by_kind: The same for each way in which the asked question was made.
        wrong: Approved and asked question of each that was shown wrongly.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    answerer: str
    language_model: str | None
    rewordings: Metric
    near_misses: Metric
    by_kind: dict[str, Metric]
    wrong: tuple[tuple[str, str], ...]
    missed: tuple[tuple[str, str], ...]


def measure(
    pairs: Sequence[Pair],
    folder: Path,
    embedder: Embedder,
    sameness: Sameness,
    consult: Consult,
    advance: Callable[[], None],
) -> Shown:
    """Ask the second question of each pair where the first ones of all of them have approved answers.

    Args:
        pairs: Of the half that nothing was fitted on.
        folder: Where the approved answers go.
        embedder: Compares questions.
        sameness: What is measured.
        consult: Asks the language model, where there is one.
        advance: Called after each question.
    """
    questions = list(dict.fromkeys(pair.approved for pair in pairs))
    documents = {hash_text(question): _document(question) for question in questions}
    with closing(AnswerRecords(f"sqlite:///{folder / 'approved.db'}")) as records:
        store = ApprovedAnswers(records.engine)
        for question in questions:
            given = _answer(question)
            records.record(given, Origin("api"))
            recorded = records.find(given.id)
            assert recorded is not None
            store.approve(recorded, "benchmark", documents.get)
        recall = Recall(store, documents.get, embedder, sameness)
        shown: list[str | None] = []
        for pair in pairs:
            found = recall.find(pair.asked, consult)
            shown.append(found[0].question if found else None)
            advance()
    return _describe(pairs, shown)


def _describe(pairs: Sequence[Pair], shown: Sequence[str | None]) -> Shown:
    asked = list(zip(pairs, shown, strict=True))
    # A near miss may itself be one of the approved questions, and gets its own answer then.
    right = [pair.same and found == pair.approved for pair, found in asked]
    wrong = [
        found is not None and found not in ((pair.approved,) if pair.same else (pair.asked,)) for pair, found in asked
    ]

    def of(counted: Sequence[bool], *kinds: str) -> Metric:
        return summarise([float(one) for one, pair in zip(counted, pairs, strict=True) if pair.kind in kinds], mean)

    same = [*dict.fromkeys(pair.kind for pair in pairs if pair.same)]
    other = [*dict.fromkeys(pair.kind for pair in pairs if not pair.same)]
    return Shown(
        answerer="extractive",
        language_model=None,
        rewordings=of(right, *same),
        near_misses=of(wrong, *other),
        by_kind={kind: of(right, kind) for kind in same} | {kind: of(wrong, kind) for kind in other},
        wrong=tuple(
            (found or "", pair.asked) for (pair, found), is_wrong in zip(asked, wrong, strict=True) if is_wrong
        ),
        missed=tuple(
            (pair.approved, pair.asked)
            for (pair, _), is_right in zip(asked, right, strict=True)
            if pair.same and not is_right
        ),
    )


def _document(question: str) -> Document:
    return Document(hash_text(question), question, question, "text/plain", "")


def _answer(question: str) -> Answer:
    """Return an answer that cites a document which says just the question: what it says does not matter here."""
    citation = Citation(
        number=1, document_id=hash_text(question), title=question, page=None, start=0, end=len(question), quote=question
    )
    statements = (Statement(text="It is so.", citations=(1,), support="supported"),)
    return Answer(
        id=hash_text(question)[:32],
        kind="answer",
        question=question,
        standalone_question=question,
        text=render_text(statements),
        refusal=None,
        statements=statements,
        citations=(citation,),
        retrieved=(),
        confidence=1.0,
        timings_ms={"total": 0.0},
        provenance=Provenance(
            version="",
            index_fingerprint="",
            embedding_model="",
            answerer="extractive",
            language_model=None,
            prompts_hash="",
        ),
    )

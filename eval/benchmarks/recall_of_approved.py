"""How often an approved answer is shown for its question in other words, and wrongly for another question.

Also fits when two questions are taken for the same, on articles that are not reported.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bot.answer.answer import Answer, Citation, Provenance, Statement, render_text
from bot.language_model.session import ModelSession
from bot.staff.approved_answers import ApprovedAnswers
from bot.staff.approved_recall import Recall
from bot.staff.same_question import Consult, Sameness, likeness, likeness_names, model_names, same_odds
from bot.storage.answers import AnswerRecords, Origin
from eval.benchmarks.fit_extractive import describe_model, fit_logistic
from eval.benchmarks.question_pairs import RewordedPair
from eval.measures.interval import Metric, mean, summarise
from eval.report.json_file import Record
from index.document import Document, hash_text
from index.embedding.embedder import Embedder

# The share of near misses, half of them other questions of the article, that may be taken for the same.
_WRONG = 0.01
# Pairs of questions that people wrote weigh more than those made by rules.
_REAL = ("written", "neighbour")
_REAL_WEIGHT = 3.0


def fit_sameness(
    pairs: Sequence[RewordedPair],
    embedder: Embedder,
    session: ModelSession | None,
    advance: Callable[[], None],
) -> dict[str, dict[str, object]]:
    """Return the parameters as `same_question.json` holds them; those with a model only where one is given."""
    rows: list[tuple[float, ...]] = []
    odds: list[float] = []
    kept: list[RewordedPair] = []
    for pair in pairs:
        found = likeness(pair.asked, pair.approved, embedder)
        if found is not None:
            kept.append(pair)
            rows.append(found.row())
            if session is not None:
                odds.append(same_odds(session, pair.asked, pair.approved))
        advance()
    near = [pair.kind == "neighbour" for pair in pairs if not pair.same]
    fitted = {"words": _fit(likeness_names(), np.array(rows), kept, near)}
    if session is not None:
        fitted["model"] = _fit(model_names(), np.column_stack([rows, odds]), kept, near)
    return fitted


def _fit(
    names: tuple[str, ...], rows: NDArray[np.float64], pairs: Sequence[RewordedPair], near: Sequence[bool]
) -> dict[str, object]:
    """Return a model with the lowest threshold at which few enough near misses are taken for the same.

    Args:
        names: Of the features.
        rows: A row of features for each pair.
        pairs: Those that words do not rule out.
        near: For each near miss, also those that words rule out, whether it is another question of the article.
    """
    labels = np.array([pair.same for pair in pairs])
    weights = np.array([_REAL_WEIGHT if pair.kind in _REAL else 1.0 for pair in pairs])
    model = fit_logistic(names, rows, labels, weights)
    shares = {is_neighbour: 0.5 / max(near.count(is_neighbour), 1) for is_neighbour in (True, False)}
    scored = sorted(
        (
            (model.probability(list(row)), shares[pair.kind == "neighbour"])
            for row, pair in zip(rows, pairs, strict=True)
            if not pair.same
        ),
        reverse=True,
    )
    wrong = np.cumsum([share for _, share in scored])
    beyond = [probability for (probability, _), total in zip(scored, wrong, strict=True) if total > _WRONG]
    threshold = round(min(beyond[0] + 0.0001, 0.9999), 4) if beyond else 0.5
    return {**describe_model(model), "threshold": threshold}


class ApprovedRecallReport(Record):
    """How often an approved answer was shown.

    Attributes:
        rewordings: For the same question in other words; what is wanted.
        near_misses: For another question, or another answer than the question's own.
        by_kind: The same for each way in which the asked question was made.
        wrong: Approved and asked question of each that was shown wrongly.
        missed: Approved and asked question of each that should have been shown.
    """

    answerer: str
    language_model: str | None
    rewordings: Metric
    near_misses: Metric
    by_kind: dict[str, Metric]
    wrong: tuple[tuple[str, str], ...]
    missed: tuple[tuple[str, str], ...]


def recall_approved(
    pairs: Sequence[RewordedPair],
    folder: Path,
    embedder: Embedder,
    sameness: Sameness,
    consult: Consult,
    advance: Callable[[], None],
) -> list[str | None]:
    """Ask the second question of each pair where the first ones of all of them have approved answers.

    Returns for each pair the approved question whose answer is shown, or None. The approved answers are kept in
    `folder`, and `advance` is called after each question.
    """
    questions = list(dict.fromkeys(pair.approved for pair in pairs))
    documents = {
        hash_text(question): Document(hash_text(question), question, question, "text/plain", "")
        for question in questions
    }
    with closing(AnswerRecords(f"sqlite:///{folder / 'approved.db'}")) as records:
        store = ApprovedAnswers(records.engine)
        for question in questions:
            answer = _answer(question)
            records.record(answer, Origin("api"))
            recorded = records.find(answer.id)
            assert recorded is not None
            store.approve(recorded, "benchmark", documents.get)
        recall = Recall(store, documents.get, embedder, sameness)
        shown: list[str | None] = []
        for pair in pairs:
            found = recall.find(pair.asked, consult)
            shown.append(found[0].question if found else None)
            advance()
    return shown


def report_recall(
    pairs: Sequence[RewordedPair], shown: Sequence[str | None], answerer: str, language_model: str | None
) -> ApprovedRecallReport:
    """Return what `recall_approved` found, summarised."""
    rated = list(zip(pairs, shown, strict=True))
    right = [pair.same and found == pair.approved for pair, found in rated]
    # A near miss may itself be one of the approved questions, and gets its own answer then.
    wrong = [found not in (None, pair.approved if pair.same else pair.asked) for pair, found in rated]

    def share(hits: Sequence[bool], *kinds: str) -> Metric:
        return summarise([float(hit) for hit, pair in zip(hits, pairs, strict=True) if pair.kind in kinds], mean)

    same = [*dict.fromkeys(pair.kind for pair in pairs if pair.same)]
    other = [*dict.fromkeys(pair.kind for pair in pairs if not pair.same)]
    return ApprovedRecallReport(
        answerer=answerer,
        language_model=language_model,
        rewordings=share(right, *same),
        near_misses=share(wrong, *other),
        by_kind={kind: share(right, kind) for kind in same} | {kind: share(wrong, kind) for kind in other},
        wrong=tuple((found or "", pair.asked) for (pair, found), hit in zip(rated, wrong, strict=True) if hit),
        missed=tuple(
            (pair.approved, pair.asked) for pair, hit in zip(pairs, right, strict=True) if pair.same and not hit
        ),
    )


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

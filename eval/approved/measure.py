"""Approves answers to questions, asks these in other words and near misses of them, and counts what is shown."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from bot.answer import Answer, Citation, Provenance, Statement, render_text
from bot.approved.recall import Recall
from bot.approved.same import Consult, Sameness
from bot.approved.store import ApprovedAnswers
from bot.records.answers import AnswerRecords, Origin
from eval.approved.pairs import Pair
from eval.measures.interval import Metric, mean, summarise
from index.document import Document, hash_text
from index.embedding.embedder import Embedder


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

"""What a change of the documents did to the golden questions, and which document did it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from eval.compare.comparison import Affected, Cause, DocumentChange, DocumentChanges, Impact, Nearness
from eval.compare.pair import Pair, Side, kinds_of_change

_NEARNESS: tuple[Nearness, ...] = ("cited", "evidence", "retrieved")
_IN_WORDS: Mapping[Nearness, str] = {
    "cited": "cited by an answer",
    "evidence": "named in the evidence",
    "retrieved": "retrieved",
}


def find_impact(pairs: Sequence[Pair], documents: DocumentChanges | None) -> Impact:
    """Return the questions whose verdict or answer changed, each with the changed documents that are near it."""
    kinds = kinds_of_change(documents) if documents else {}
    affected = [pair for pair in pairs if _is_affected(pair)]
    return Impact(
        documents=documents,
        questions=tuple(_affected(pair, kinds, known=documents is not None) for pair in affected),
        unaffected=len(pairs) - len(affected),
    )


def _is_affected(pair: Pair) -> bool:
    """Return whether the verdict differs, or no answer of one run is also one of the other."""
    return pair.a.typical().verdict != pair.b.typical().verdict or _answers(pair.a).isdisjoint(_answers(pair.b))


def _answers(side: Side) -> set[tuple[str, frozenset[tuple[str, str]]]]:
    """Return what was answered: the words, and the quotes under them wherever they now stand."""
    return {
        (one.answer.text, frozenset((citation.document_id, citation.quote) for citation in one.answer.citations))
        for one in side.answered
        if one.answer
    }


def _affected(pair: Pair, kinds: Mapping[str, DocumentChange], *, known: bool) -> Affected:
    causes = tuple(_causes(pair, kinds))
    return Affected(
        key=pair.key,
        question=pair.question,
        a=pair.a.shown(),
        b=pair.b.shown(),
        causes=causes,
        why=_why(pair, causes, known=known),
    )


def _causes(pair: Pair, kinds: Mapping[str, DocumentChange]) -> Iterable[Cause]:
    """Return the changed documents near a question, the nearest first."""
    near = {"cited": _cited(pair), "evidence": _evidence(pair), "retrieved": _retrieved(pair)}
    found = [
        Cause(
            document_id=document_id,
            change=change,
            near=tuple(nearness for nearness in _NEARNESS if document_id in near[nearness]),
        )
        for document_id, change in kinds.items()
        if any(document_id in documents for documents in near.values())
    ]
    return sorted(found, key=lambda cause: (_NEARNESS.index(cause.near[0]), cause.document_id))


def _cited(pair: Pair) -> set[str]:
    """Return the documents whose words were shown, those beside a refusal included."""
    answers = [one.answer for side in (pair.a, pair.b) for one in side.answered if one.answer]
    shown = [
        citation
        for answer in answers
        for citation in (*answer.citations, *(answer.refusal.nearest if answer.refusal else ()))
    ]
    return {citation.document_id for citation in shown}


def _retrieved(pair: Pair) -> set[str]:
    answers = [one.answer for side in (pair.a, pair.b) for one in side.answered if one.answer]
    return {entry.document_id for answer in answers for entry in answer.retrieved}


def _evidence(pair: Pair) -> set[str]:
    golden = [side.asked[0].golden for side in (pair.a, pair.b)]
    return {quote.document_id for question in golden for item in question.evidence for quote in item.any_of}


def _why(pair: Pair, causes: Sequence[Cause], *, known: bool) -> str:
    reworded = "; the suite asks or marks it otherwise now" if pair.is_reworded() else ""
    if not known:
        return f"a report does not say which documents it had{reworded}"
    if not causes:
        return f"no changed document is near{reworded}"
    parts = [
        f"{cause.document_id} was {cause.change} ({', '.join(_IN_WORDS[nearness] for nearness in cause.near)})"
        for cause in causes
    ]
    return "; ".join(parts) + reworded

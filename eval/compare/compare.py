"""Compares two runs: pairs their questions, measures the differences, and finds the documents that caused them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Literal

from eval.compare.comparison import (
    Affected,
    Cause,
    Comparison,
    DocumentChange,
    DocumentChanges,
    Flip,
    Impact,
    Nearness,
    RunLabel,
)
from eval.compare.difference import measure_differences, tag_differences
from eval.compare.pair import (
    QuestionPair,
    Side,
    crashed_in,
    describe_changes,
    document_changes,
    find_unlike,
    kinds_of_change,
    pair_questions,
    same_documents,
)
from eval.errors import ComparisonError
from eval.report.report import GOOD_VERDICTS, RunReport

_NEARNESS: Mapping[Nearness, str] = {
    "cited": "cited by an answer",
    "evidence": "named in the evidence",
    "retrieved": "retrieved",
}


def compare_runs(
    a: RunReport,
    b: RunReport,
    names: tuple[str, str] = ("A", "B"),
    *,
    allow_changed_documents: bool = False,
    tags: Iterable[str] = (),
) -> Comparison:
    """Return two runs side by side, `a` the earlier one.

    Args:
        a: What is compared with.
        b: What is compared.
        names: What the reports are called, such as their files.
        allow_changed_documents: Whether runs over different documents are compared; then the comparison says what the
            change did to each question.
        tags: Tags whose questions are measured by themselves too.

    Raises:
        ComparisonError: The documents differ and that is not allowed, or no question is in both runs.
    """
    same = same_documents(a, b)
    if not same and not allow_changed_documents:
        raise ComparisonError(
            f"{names[0]!r} and {names[1]!r} are runs over different documents: "
            f"{describe_changes(document_changes(a, b))}. "
            "Run both over the same ones, or add --allow-changed-documents."
        )
    pairing = pair_questions(a, b)
    if not pairing.pairs and not pairing.crashed:
        raise ComparisonError(
            f"{names[0]!r} and {names[1]!r} have no question in common ({_asked(a)}; {_asked(b)}): name two runs of "
            "the same suite. Questions are paired by the file name of their suite and their id."
        )
    return Comparison(
        a=_label(a, names[0]),
        b=_label(b, names[1]),
        pairs=len(pairing.pairs),
        measures=measure_differences(a, b, pairing.pairs),
        by_tag={tag: tag_differences(pairing.pairs, tag) for tag in tags},
        flips=tuple(sorted((_flip(pair) for pair in pairing.pairs if _is_flipped(pair)), key=_newly_wrong_first)),
        crashed_in_a=crashed_in(a),
        crashed_in_b=crashed_in(b),
        only_in_a=pairing.only_in_a,
        only_in_b=pairing.only_in_b,
        reworded=tuple(pair.key for pair in (*pairing.pairs, *pairing.crashed) if pair.is_reworded()),
        unlike=find_unlike(a, b),
        impact=None if same else find_impact(pairing.pairs, document_changes(a, b)),
    )


def _asked(report: RunReport) -> str:
    suites = " and ".join(dict.fromkeys(suite.name for suite in report.suites))
    return f"{len(report.questions)} of {suites}"


def _label(report: RunReport, name: str) -> RunLabel:
    return RunLabel(
        path=name,
        started_at=report.started_at,
        commit=report.origin.commit,
        questions=len(report.questions),
        crashes=report.crashes,
    )


def _is_flipped(pair: QuestionPair) -> bool:
    return pair.a.typical().verdict != pair.b.typical().verdict


def _flip(pair: QuestionPair) -> Flip:
    a, b = pair.a.shown(), pair.b.shown()
    was_good, is_good = a.verdict in GOOD_VERDICTS, b.verdict in GOOD_VERDICTS
    newly: Literal["right", "wrong"] | None = None if was_good == is_good else "right" if is_good else "wrong"
    return Flip(key=pair.key, question=pair.question, newly=newly, a=a, b=b)


def _newly_wrong_first(flip: Flip) -> int:
    return ("wrong", "right", None).index(flip.newly)


def find_impact(pairs: Sequence[QuestionPair], documents: DocumentChanges | None) -> Impact:
    """Return the questions whose verdict or answer changed, each with the changed documents that are near it."""
    kinds = kinds_of_change(documents) if documents else {}
    affected = [pair for pair in pairs if _is_affected(pair)]
    return Impact(
        documents=documents,
        questions=tuple(_affected(pair, kinds, known=documents is not None) for pair in affected),
        unaffected=len(pairs) - len(affected),
    )


def _is_affected(pair: QuestionPair) -> bool:
    """Return whether the verdict differs, or no answer of one run is also one of the other."""
    return _is_flipped(pair) or _answers(pair.a).isdisjoint(_answers(pair.b))


def _answers(side: Side) -> set[tuple[str, frozenset[tuple[str, str]]]]:
    """Return what was answered: the words, and the quotes under them wherever they now stand."""
    return {
        (one.answer.text, frozenset((citation.document_id, citation.quote) for citation in one.answer.citations))
        for one in side.answered
        if one.answer
    }


def _affected(pair: QuestionPair, kinds: Mapping[str, DocumentChange], *, known: bool) -> Affected:
    causes = tuple(_causes(pair, kinds))
    why = _why(pair, causes, known=known)
    return Affected(key=pair.key, question=pair.question, a=pair.a.shown(), b=pair.b.shown(), causes=causes, why=why)


def _causes(pair: QuestionPair, kinds: Mapping[str, DocumentChange]) -> list[Cause]:
    """Return the changed documents near a question, the nearest first."""
    near: dict[Nearness, set[str]] = {name: set() for name in _NEARNESS}
    for side in (pair.a, pair.b):
        items = side.asked[0].golden.evidence
        near["evidence"] |= {quote.document_id for item in items for quote in item.any_of}
        for answer in (one.answer for one in side.answered if one.answer):
            # What is shown beside a refusal counts as cited.
            shown = (*answer.citations, *(answer.refusal.nearest if answer.refusal else ()))
            near["cited"] |= {citation.document_id for citation in shown}
            near["retrieved"] |= {entry.document_id for entry in answer.retrieved}
    places = {name: tuple(one for one in _NEARNESS if name in near[one]) for name in kinds}
    found = [Cause(document_id=name, change=kinds[name], near=place) for name, place in places.items() if place]
    return sorted(found, key=lambda cause: (list(_NEARNESS).index(cause.near[0]), cause.document_id))


def _why(pair: QuestionPair, causes: Sequence[Cause], *, known: bool) -> str:
    reworded = "; the suite asks or marks it otherwise now" if pair.is_reworded() else ""
    if not known:
        return f"a report does not say which documents it had{reworded}"
    if not causes:
        return f"no changed document is near{reworded}"
    parts = [
        f"{cause.document_id} was {cause.change} ({', '.join(_NEARNESS[nearness] for nearness in cause.near)})"
        for cause in causes
    ]
    return "; ".join(parts) + reworded

"""What the page calls the verdicts and measures of a report."""

from __future__ import annotations

from collections.abc import Mapping

from eval.report import Verdict

# In the order in which they are counted.
VERDICTS: Mapping[Verdict, str] = {
    "right": "Right",
    "rightly_refused": "Rightly refused",
    "wrong": "Wrong",
    "wrongly_refused": "Wrongly refused",
    "wrongly_answered": "Wrongly answered",
    "crashed": "Crashed",
}
MEASURES: Mapping[str, str] = {
    "answer_correct": "answerable questions that were answered, and rightly",
    "answer_bearing": "answers whose expected words also stand in a cited quote",
    "refusal_precision": "refusals that were right to refuse",
    "refusal_recall": "unanswerable questions that were refused",
    "false_refusal_rate": "answerable questions that were refused; lower is better",
    "citation_recall": "golden evidence that a footnote covers",
    "citation_precision": "footnotes that touch golden evidence",
    "quote_fidelity": "replies whose quotes all equal the stored text; must be 1",
    "success_at_1": "evidence in the first retrieved chunk",
    "success_at_5": "evidence in the first five",
    "recall_at_5": "share of the evidence in the first five",
    "reciprocal_rank": "1 / rank of the first chunk with evidence",
    "ndcg_at_5": "how early the evidence stands in the first five",
    "latency_p50_ms": "half of the replies took no longer; lower is better",
    "latency_p95_ms": "95% of the replies took no longer; lower is better",
    "calibration_error": "distance between confidence and being right; lower is better",
    "judged_correct": "answers that most opinions on them call right; refusals and crashes are left out",
    "among_repeats": "pairs of opinions on one answer that are the same",
    "with_answer_correct": "answers on which the model says what answer_correct says",
}
REFUSALS: Mapping[str, str] = {
    "no_relevant_passage": "no passage is about it",
    "not_in_documents": "the documents do not say it clearly enough",
    "false_premise": "it takes for granted what the documents contradict",
    "needs_clarification": "it could mean several things",
    "empty_index": "nothing is indexed",
    "too_long": "the question is too long",
    "unavailable": "a part of the chatbot was not available",
}


def count(number: int, thing: str) -> str:
    """Return a number with its noun, as in `1 question` or `1,000 questions`."""
    return f"{number:,} {thing}" if number == 1 else f"{number:,} {thing}s"

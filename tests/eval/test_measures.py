"""Every measure against cases computed by hand."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import partial

import numpy
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.answer.answer import Answer, Citation, Provenance, Refusal, RetrievedEntry, Statement
from bot.staff.review.quality import wilson_interval
from eval.measures.answered import AnsweredQuestion
from eval.measures.confidence import calibration_error, confidence_and_outcome
from eval.measures.correctness import (
    answer_bearing,
    answer_correct,
    false_refusal_rate,
    refusal_precision,
    refusal_recall,
    what_is_wrong,
)
from eval.measures.evidence_found import (
    citation_precision,
    citation_recall,
    ndcg_at_k,
    quote_fidelity,
    recall_at_k,
    reciprocal_rank,
    success_at_k,
)
from eval.measures.interval import effective_interval, mean, summarise
from eval.measures.scoring import percentile, total_milliseconds
from eval.suites.golden import EvidenceItem, GoldenQuestion, Quote

# Ten characters to a block, so that places can be read off: "0123456789" stands at 0:10, "abcdefghij" at 10:20, …
TEXT = "0123456789abcdefghijABCDEFGHIJ0123456789"
TEXTS = {"a.txt": TEXT, "b.txt": "HK$1 billion is\nreserved."}
PROVENANCE = Provenance(
    version="0",
    index_fingerprint="f",
    embedding_model="e",
    answerer="extractive",
    language_model=None,
    prompts_hash="p",
)


def ask(
    question: GoldenQuestion,
    text: str = "Words.",
    cited: Sequence[tuple[str, int, int]] = (),
    *,
    refused: bool = False,
    nearest: Sequence[Citation] = (),
    retrieved: Sequence[tuple[str, int, int]] = (),
    confidence: float = 0.9,
    timings: dict[str, float] | None = None,
) -> AnsweredQuestion:
    """Return a question with an answer that cites and retrieved the given places."""
    citations = [cite(number, *place) for number, place in enumerate(cited, start=1)]
    if not refused and not citations:
        kind, statements = "small_talk", []
    elif refused:
        kind, statements, citations = "refusal", [], []
    else:
        kind = "answer"
        statements = [Statement(text=text, citations=tuple(one.number for one in citations), support="quoted")]
        text = text + " " + " ".join(f"[{one.number}]" for one in citations)
    answer = Answer(
        id=question.id,
        kind=kind,
        question=question.question,
        standalone_question=question.question,
        text=text,
        refusal=Refusal(reason="not_in_documents", message=text, nearest=tuple(nearest)) if refused else None,
        statements=tuple(statements),
        citations=tuple(citations),
        # Not in the order of their ranks: measures must look at the rank.
        retrieved=tuple(
            RetrievedEntry(chunk_id=str(rank), document_id=name, start=start, end=end, rank=rank, score=0.5)
            for rank, (name, start, end) in reversed(list(enumerate(retrieved, start=1)))
        ),
        confidence=confidence,
        timings_ms=timings or {},
        provenance=PROVENANCE,
    )
    return AnsweredQuestion(question, answer, TEXTS.get)


def cite(number: int, document_id: str, start: int, end: int, quote: str | None = None) -> Citation:
    """Return a footnote that quotes what stands at its place, or other words of the same length."""
    words = TEXTS.get(document_id, TEXT)[start:end] if quote is None else quote
    return Citation(number=number, document_id=document_id, title="A", page=None, start=start, end=end, quote=words)


def golden(*evidence: str | tuple[str, ...], **keys: object) -> GoldenQuestion:
    """Return a question; each evidence item is a quote of a.txt, or a tuple of alternatives."""
    items = [(item,) if isinstance(item, str) else item for item in evidence]
    return GoldenQuestion.model_validate(
        {
            "id": "q",
            "question": "What?",
            "evidence": [
                EvidenceItem(any_of=tuple(Quote(document_id="a.txt", quote=quote) for quote in item)) for item in items
            ],
            **keys,
        }
    )


UNANSWERABLE = golden(answerable=False)


# Correctness


@pytest.mark.parametrize(
    ("text", "keys", "score"),
    [
        ("HK$1 billion, in 2025.", {"expect": [["1 billion", "1bn"], ["2025"]]}, 1),
        ("HK$1bn, in 2025.", {"expect": [["1 billion", "1bn"], ["2025"]]}, 1),
        ("HK$1 billion.", {"expect": [["1 billion", "1bn"], ["2025"]]}, 0),
        ("HK$1 billion, not 60 billion.", {"expect": [["1 billion"]], "forbid": ["60 BILLION"]}, 0),
        ("one two three", {"expect": [["one"]], "max_words": 3}, 1),
        ("one two three four", {"expect": [["one"]], "max_words": 3}, 0),
        ("Hello!", {"tags": ["small_talk"], "forbid": ["billion"]}, 1),
        ("Hello, here is a billion.", {"tags": ["small_talk"], "forbid": ["billion"]}, 0),
    ],
)
def test_answer_correct(text: str, keys: dict[str, object], score: float) -> None:
    assert answer_correct(ask(golden(**keys), text)) == score


def test_footnote_markers_are_no_words_and_no_numbers_of_the_answer() -> None:
    # The answer's text is "one two three [1] [2]": three words, and it does not say "2".
    asked = ask(golden(expect=[["three"]], forbid=["2"], max_words=3), "one two three", [("a.txt", 0, 3)] * 2)
    assert asked.answer.text.endswith("[1] [2]")
    assert answer_correct(asked) == 1


def test_a_refusal_is_never_correct_and_an_unanswerable_question_is_not_scored() -> None:
    assert answer_correct(ask(golden(expect=[["1 billion"]]), "1 billion", refused=True)) == 0
    assert answer_correct(ask(UNANSWERABLE, refused=True)) is None
    assert answer_correct(ask(UNANSWERABLE)) is None


def test_what_is_wrong_is_said_in_words() -> None:
    question = golden(expect=[["1 billion", "1bn"], ["sum"]], forbid=["no"], max_words=2)
    assert what_is_wrong(ask(question, "no sum at all")) == [
        "lacks '1 billion' or '1bn'",
        "says 'no'",
        "has 4 words, at most 2",
    ]


def test_answer_bearing() -> None:
    # The first citation quotes "HK$1 billion", the second "is reserved."
    question = golden(expect=[["1 billion", "十億"], ["reserved"]])
    both = [("b.txt", 0, 12), ("b.txt", 13, 25)]
    assert answer_bearing(ask(question, "1 billion is reserved", both)) == 1
    assert answer_bearing(ask(question, "1 billion is reserved", both[:1])) == 0
    assert answer_bearing(ask(question, "1 billion", both[:1])) == 1  # "reserved" is not shown, so it needs no quote
    assert answer_bearing(ask(question, "十億", both[:1])) == 1  # shown in Chinese, borne out in English
    assert answer_bearing(ask(question, "1 billion", both[1:])) == 0
    assert answer_bearing(ask(question, "something else", both)) is None
    assert answer_bearing(ask(question, "1 billion", refused=True)) is None
    assert answer_bearing(ask(golden(), "1 billion", both)) is None


# Refusals


def test_refusal_measures_are_the_usual_ratios() -> None:
    # Unanswerable: 2 refused, 1 answered. Answerable: 1 refused, 3 answered (one of them small talk).
    asked = [
        *[ask(UNANSWERABLE, refused=True)] * 2,
        ask(UNANSWERABLE, cited=[("a.txt", 0, 5)]),
        ask(golden("abc"), refused=True),
        *[ask(golden("abc"), cited=[("a.txt", 0, 5)])] * 2,
        ask(golden(tags=["small_talk"]), "Hello!"),
    ]
    precision = summarise([refusal_precision(one) for one in asked], mean)
    recall = summarise([refusal_recall(one) for one in asked], mean)
    false_rate = summarise([false_refusal_rate(one) for one in asked], mean)
    assert (precision.value, precision.n, precision.unscored) == (2 / 3, 3, 4)
    assert (recall.value, recall.n, recall.unscored) == (2 / 3, 3, 4)
    assert (false_rate.value, false_rate.n, false_rate.unscored) == (1 / 4, 4, 3)


# Citations


@pytest.mark.parametrize(
    ("cited", "recall", "precision"),
    [
        ([("a.txt", 10, 15), ("a.txt", 20, 30)], 1.0, 1.0),  # 5 of 10 characters are half; all 10
        ([("a.txt", 10, 14), ("a.txt", 20, 30)], 0.5, 1.0),  # 4 of 10 are less than half, yet they touch
        ([("a.txt", 10, 14), ("a.txt", 14, 18)], 0.0, 1.0),  # two fours of the same item: no single one covers it
        ([("a.txt", 15, 25)], 1.0, 1.0),  # 5 of each
        ([("a.txt", 5, 10), ("a.txt", 10, 20)], 0.5, 0.5),  # 5:10 ends where the item starts
        ([("b.txt", 10, 20)], 0.0, 0.0),  # the right place in the wrong document
        ([("a.txt", 0, 40), ("a.txt", 30, 40), ("a.txt", 0, 5)], 1.0, 1 / 3),
    ],
)
def test_citation_recall_and_precision(cited: list[tuple[str, int, int]], recall: float, precision: float) -> None:
    asked = ask(golden("abcdefghij", "ABCDEFGHIJ"), cited=cited)
    assert (citation_recall(asked), citation_precision(asked)) == (recall, precision)


def test_any_alternative_and_any_occurrence_will_do() -> None:
    # "0123456789" stands at 0:10 and at 30:40; it or "abc" is wanted.
    question = golden(("0123456789", "abc"))
    for place in [(0, 10), (30, 40), (10, 13), (11, 13)]:  # 11:13 is 2 of the 3 characters of "abc"
        assert citation_recall(ask(question, cited=[("a.txt", *place)])) == 1
    assert citation_recall(ask(question, cited=[("a.txt", 12, 20)])) == 0  # 1 of 3


def test_citations_without_evidence_or_without_an_answer() -> None:
    assert citation_recall(ask(golden(expect=[["x"]]), cited=[("a.txt", 0, 5)])) is None
    assert citation_precision(ask(golden(expect=[["x"]]), cited=[("a.txt", 0, 5)])) is None
    assert citation_recall(ask(golden("abc"), refused=True)) == 0
    assert citation_precision(ask(golden("abc"), refused=True)) is None


places = st.tuples(st.just("a.txt"), st.integers(0, 39), st.integers(1, 40)).filter(lambda place: place[1] < place[2])


@given(cited=st.lists(places, min_size=1, max_size=5), more=places)
def test_citation_measures_stay_in_bounds_and_recall_never_falls(
    cited: list[tuple[str, int, int]], more: tuple[str, int, int]
) -> None:
    question = golden("abcdefghij", ("ABC", "0123"))
    asked, asked_more = ask(question, cited=cited), ask(question, cited=[*cited, more])
    recall, recall_more, precision = citation_recall(asked), citation_recall(asked_more), citation_precision(asked)
    assert recall is not None
    assert recall_more is not None
    assert precision is not None
    assert 0 <= recall <= recall_more <= 1
    assert 0 <= precision <= 1
    assert recall == 0 or precision > 0


def test_quote_fidelity() -> None:
    assert quote_fidelity(ask(golden(), cited=[("a.txt", 0, 5), ("a.txt", 7, 9)])) == 1
    assert quote_fidelity(ask(golden(), "Hello!")) is None
    good, shifted = cite(1, "a.txt", 0, 5), cite(2, "a.txt", 1, 6, quote="01234")
    assert quote_fidelity(ask(UNANSWERABLE, refused=True, nearest=[good])) == 1
    assert quote_fidelity(ask(UNANSWERABLE, refused=True, nearest=[good, shifted])) == 0
    assert quote_fidelity(ask(UNANSWERABLE, refused=True, nearest=[cite(1, "gone.txt", 0, 5)])) == 0


# Retrieval


def test_retrieval_measures() -> None:
    # Items at 10:20 and 20:30. Rank 1 holds 4 of 10 characters, rank 2 5 of the first item, rank 3 the first again,
    # rank 4 is another document, rank 5 holds the second item.
    chunks = [("a.txt", 6, 14), ("a.txt", 5, 15), ("a.txt", 10, 20), ("b.txt", 10, 30), ("a.txt", 20, 30)]
    asked = ask(golden("abcdefghij", "ABCDEFGHIJ"), retrieved=chunks)
    assert [success_at_k(asked, k) for k in (1, 2, 5)] == [0, 1, 1]
    assert [recall_at_k(asked, k) for k in (1, 2, 4, 5)] == [0, 0.5, 0.5, 1]
    assert reciprocal_rank(asked) == 1 / 2
    # Gains 0 1 0 0 1; ideal 1 1.
    discount = {rank: 1 / math.log2(rank + 1) for rank in range(1, 6)}
    assert ndcg_at_k(asked, 5) == pytest.approx((discount[2] + discount[5]) / (discount[1] + discount[2]))
    # Within two chunks only the first item is found; ideally both are.
    assert ndcg_at_k(asked, 2) == pytest.approx(discount[2] / (discount[1] + discount[2]))
    assert ndcg_at_k(asked, 1) == 0


def test_one_chunk_that_holds_everything_is_ideal() -> None:
    asked = ask(golden("abcdefghij", "ABCDEFGHIJ"), retrieved=[("a.txt", 0, 40), ("a.txt", 0, 40)])
    assert (recall_at_k(asked, 1), reciprocal_rank(asked), ndcg_at_k(asked, 5)) == (1, 1, 1)


def test_retrieval_without_evidence_and_without_chunks() -> None:
    measures = (partial(success_at_k, k=5), partial(recall_at_k, k=5), reciprocal_rank, partial(ndcg_at_k, k=5))
    assert [measure(ask(UNANSWERABLE, retrieved=[("a.txt", 0, 40)])) for measure in measures] == [None] * 4
    assert [measure(ask(golden("abc"))) for measure in measures] == [0] * 4


@given(retrieved=st.lists(places, max_size=8), k=st.integers(1, 8))
def test_ndcg_stays_in_bounds_and_is_positive_exactly_on_success(retrieved: list[tuple[str, int, int]], k: int) -> None:
    asked = ask(golden("abcdefghij", ("ABC", "0123")), retrieved=retrieved)
    gain, success = ndcg_at_k(asked, k), success_at_k(asked, k)
    assert gain is not None
    assert 0 <= gain <= 1 + 1e-12
    assert (gain > 0) == bool(success)


# Calibration, latency


def test_calibration_error() -> None:
    # Bin .9 to 1, both ends included: confidence .95, .91 and 1, outcomes 1, 1 and 0: |2.86 - 2| = .86.
    # Bin .5 to .6: .5 and 1: |.5 - 1| = .5. Together (.86 + .5) / 4 = .34.
    pairs = numpy.array([(0.95, 1), (0.91, 1), (0.5, 1), (1.0, 0)])
    assert calibration_error(pairs) == pytest.approx(0.34)
    assert calibration_error(numpy.array([(1.0, 1), (0.0, 0)])) == 0


def test_only_answers_have_a_confidence_that_counts() -> None:
    right = ask(golden(expect=[["yes"]]), "yes", [("a.txt", 0, 5)], confidence=0.8)
    wrong = ask(golden(expect=[["yes"]]), "well", [("a.txt", 0, 5)], confidence=0.8)
    uncalled = ask(UNANSWERABLE, "yes", [("a.txt", 0, 5)], confidence=0.8)
    assert [confidence_and_outcome(one) for one in (right, wrong, uncalled)] == [(0.8, 1), (0.8, 0), (0.8, 0)]
    assert confidence_and_outcome(ask(golden(expect=[["yes"]]), refused=True)) is None
    assert confidence_and_outcome(ask(golden(tags=["small_talk"]), "Hello!")) is None


def test_latency_percentiles_are_values_that_occurred() -> None:
    totals = numpy.array([40.0, 10, 30, 20])
    # Half of four is two values, the second smallest is 20; .95 * 4 = 3.8 values, rounded up four: 40.
    assert (percentile(totals, 0.5), percentile(totals, 0.95)) == (20, 40)
    assert total_milliseconds(ask(golden(), timings={"retrieve": 3, "total": 12.5})) == 12.5
    assert total_milliseconds(ask(golden())) is None


# Intervals


def test_wilson_interval_equals_the_published_formula() -> None:
    # 8 of 10, z = 1.96: centre (.8 + 3.8416 / 20) / 1.38416 = .71674, half width
    # 1.96 / 1.38416 * sqrt(.8 * .2 / 10 + 3.8416 / 400) = 1.41602 * .16000 = .22657.
    low, high = wilson_interval(0.8, 10)
    assert (low, high) == (pytest.approx(0.71674 - 0.22657, abs=1e-4), pytest.approx(0.71674 + 0.22657, abs=1e-4))
    # 0 of 10: the upper end is z2 / (n + z2) = 3.8416 / 13.8416.
    assert wilson_interval(0, 10) == (0, pytest.approx(3.8416 / 13.8416, abs=1e-4))
    assert wilson_interval(1, 10)[1] == 1


def test_a_mean_carries_n_unscored_and_interval() -> None:
    metric = summarise([1, 0, None, 1, 1], mean)
    assert (metric.value, metric.n, metric.unscored) == (0.75, 4, 1)
    assert (metric.low, metric.high) == wilson_interval(0.75, 4)


def test_nothing_scored_is_not_zero() -> None:
    metric = summarise([None, None], mean)
    assert (metric.value, metric.n, metric.unscored, metric.low, metric.high) == (None, 0, 2, None, None)


def test_shares_get_an_interval_inside_their_bounds() -> None:
    scores = [0.0, 0.5, 1.0, 0.5, 1.0]
    first, second = summarise(scores, mean), summarise(scores, mean)
    assert first == second
    assert first.value == 0.6
    assert first.low is not None
    assert first.high is not None
    assert 0 < first.low < 0.6 < first.high < 1
    assert (first.low, first.high) == effective_interval(numpy.array(scores), numpy.arange(5))


@given(n=st.integers(1, 500), data=st.data())
def test_wilson_interval_holds_its_share(n: int, data: st.DataObject) -> None:
    successes = data.draw(st.integers(0, n))
    low, high = wilson_interval(successes / n, n)
    assert 0 <= low <= successes / n <= high <= 1

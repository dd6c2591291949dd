"""Measures of public sets, against figures worked out by hand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from eval.benchmarks.sets.public_set import BenchmarkSet, CorpusQueries, Query, SetProtocol, find_protocol
from eval.benchmarks.sets.set_measures import (
    AnsweredQuery,
    answer_stems,
    answer_words,
    contains,
    is_right,
    summarise_answers,
    threshold_table,
    token_f1,
)
from eval.benchmarks.sets.set_report import report_pools, report_sets
from eval.benchmarks.sets.set_run import CorpusAnswers
from eval.benchmarks.sets.stored_answer import StoredAnswer, StoredCitation, asked_hash
from eval.measures.confidence import auroc, summarise_auroc

WORDS = SetProtocol(sets=("*",), compare="words")
LIHUA = find_protocol(Path("lihua_world"))[1]
UNCHECKED = SetProtocol(sets=("*",), compare="none", pool="pool")


def query(query_id: str, *answers: str, answerable: bool = True, relevant: tuple[str, ...] = ()) -> Query:
    return Query(query_id, "Which?", (), answerable, answers, (), frozenset(relevant))


def outcome(asked: Query, kind: Any, text: str = "", *, protocol: SetProtocol = WORDS, **fields: Any) -> AnsweredQuery:
    answer = StoredAnswer(id=asked.query_id, asked=asked_hash(asked), kind=kind, text=text, **fields)
    return AnsweredQuery(protocol, asked, answer)


def cited(quote: str, stored: str | None) -> StoredCitation:
    return StoredCitation(document_id="d", start=0, end=len(quote), quote=quote, stored=stored)


def values(outcomes: list[AnsweredQuery]) -> dict[str, tuple[float | None, int]]:
    return {name: (metric.value, metric.n) for name, metric in summarise_answers(outcomes).items()}


@pytest.mark.parametrize(
    ("folder", "name", "compare"),
    [
        ("sets/lihua_world", "lihua_world", "stems"),
        ("sets/mtrag/govt", "mtrag/govt", "none"),
        ("sets/mtrag_un", "mtrag_un", "none"),
        ("sets/nomiracl/en", "nomiracl/en", "none"),
        ("sets/clapnq", "clapnq", "words"),
        ("sets/never_heard_of", "never_heard_of", "words"),
    ],
)
def test_a_protocol_is_chosen_by_name(folder: str, name: str, compare: str) -> None:
    found, protocol = find_protocol(Path(folder))
    assert (found, protocol.compare) == (name, compare)


def test_words_are_those_of_the_squad_script() -> None:
    assert answer_words("The U.S. won, an easy  win—a 5:30 PM game!") == [
        "us",
        "won",
        "easy",
        "win—",
        "530",
        "pm",
        "game",
    ]
    assert answer_words("在1991年，《梵文》") == ["在", "1991", "年", "梵", "文"]
    assert answer_stems("Running the “bakeries”, Hailey’s café") == ["run", "bakeri", "hailey", "cafe"]


def test_token_f1_by_hand() -> None:
    assert token_f1(["red", "red", "cat"], ["red", "cat", "sat", "down"]) == pytest.approx(2 * 2 / 7)
    assert token_f1(["red"], ["cat"]) == 0
    assert (token_f1([], []), token_f1([], ["cat"]), token_f1(["cat"], [])) == (1, 0, 0)


def test_contained_means_side_by_side_and_in_order() -> None:
    assert contains(["on", "4", "may", "1999"], ["4", "may"])
    assert not contains(["4", "or", "may"], ["4", "may"])
    assert not contains(["anything"], [])


def test_what_is_right_in_a_set_with_short_answers() -> None:
    assert is_right(WORDS, ["Paris", "the city of Paris"], "It was in Paris, he said.")
    assert is_right(WORDS, ["in the green house"], "a green house")  # two of two and three words: F1 .8
    assert not is_right(WORDS, ["Paris"], "It was the Parisian way of life that they loved.")
    assert not is_right(WORDS, [], "Paris")


@pytest.mark.parametrize(
    ("gold", "text", "expected"),
    [
        ("Yes", "Yes, she did.", True),
        ("Yes", "She did, yes.", False),
        ("No", "Nobody asked her.", False),
        ("Yes because he loves exploring", "He explored it, yes, because he loves exploring", True),
        ("recycling policy", "Adam reminds him of the Recycling Policies.", True),
        ("a cozy café", "in cozy cafes", True),
        (
            "Ann Lee & Bo Chan & Cy",
            "Cy, and later Bo Chan and Ann Lee, all of them on the same day as each other",
            True,
        ),
        ("Ann Lee & Bo Chan & Cy", "Ann Lee, on the same day as all of the others of the family did it", False),
    ],
)
def test_what_is_right_in_lihua_world(gold: str, text: str, expected: bool) -> None:
    assert is_right(LIHUA, [gold], text) is expected


def test_right_wrong_and_refused_add_up() -> None:
    outcomes = [
        outcome(query("a", "Paris"), "answer", "Paris. [1]"),
        outcome(query("b", "Paris"), "answer", "London. [1]"),
        outcome(query("c", "Paris"), "refusal"),
        outcome(query("d", answerable=False), "refusal"),
        outcome(query("e", answerable=False), "answer", "Rome. [1]"),
        outcome(query("f", "Paris"), "small_talk", "Hello!"),
        outcome(query("g", "Paris"), "crash", "Traceback"),
    ]
    found = values(outcomes)
    assert found["right"] == (2 / 6, 6)
    assert found["wrong"] == (3 / 6, 6)
    assert found["refused_answerable"] == (1 / 6, 6)
    assert found["answerable_right"] == (1 / 4, 4)
    assert found["exact_match"] == (2 / 6, 6)
    assert found["maximum_f1"] == (2 / 6, 6)
    assert found["refusal_precision"] == (1 / 2, 2)
    assert found["refusal_recall"] == (1 / 2, 2)
    assert found["false_answer_rate"] == (1 / 2, 2)
    assert found["false_refusal_rate"] == (1 / 4, 4)
    assert all(metric.n + metric.unscored == 7 for metric in summarise_answers(outcomes).values())


def test_a_null_row_is_right_only_when_refused_whatever_its_gold_says() -> None:
    null = query("n", "Insufficient information", answerable=False)
    said = outcome(null, "answer", "Insufficient information [1]", protocol=LIHUA)
    assert values([said])["wrong"] == (1, 1)
    assert values([outcome(null, "refusal", protocol=LIHUA)])["right"] == (1, 1)


def test_where_answers_cannot_be_checked_only_refusals_are_measured() -> None:
    found = values([outcome(query("a", "Long prose."), "answer", "Prose.", protocol=UNCHECKED)])
    assert (found["right"], found["exact_match"]) == ((None, 0), (None, 0))
    assert found["false_refusal_rate"] == (0, 1)
    # A set that names no answers at all cannot check any either.
    assert values([outcome(query("a"), "answer", "Prose.")])["right"] == (None, 0)


def test_recall_looks_at_five_documents_and_fidelity_at_every_footnote() -> None:
    retrieved = ("a", "a", "b", "c", "d", "e", "f")
    found = values(
        [
            outcome(query("1", "x", relevant=("a", "e")), "refusal", retrieved=retrieved, nearest=(cited("q", "q"),)),
            outcome(query("2", "x", relevant=("a", "f")), "refusal", retrieved=retrieved, nearest=(cited("q", None),)),
            outcome(query("3", "x"), "answer", "x [1]", citations=(cited("250", "950"),)),
        ]
    )
    assert found["recall_at_5"] == (0.75, 2)
    assert found["quote_fidelity"] == (1 / 3, 3)


def test_auroc_by_hand() -> None:
    # Pairs: .9 beats both, .5 beats .1 and ties with .5.
    assert summarise_auroc([(0.9, True), (0.5, True), (0.5, False), (0.1, False), None]).value == 3.5 / 4
    only_one_kind = summarise_auroc([(0.9, True)])
    assert (only_one_kind.value, only_one_kind.n, only_one_kind.unscored) == (None, 0, 1)
    generous = summarise_auroc([(score / 100, score % 3 > 0) for score in range(100)])
    assert generous.low is not None
    assert generous.high is not None
    assert generous.value is not None
    assert generous.low < generous.value < generous.high
    import numpy

    assert auroc(numpy.array([0.2]), numpy.array([0.8])) == 0


def test_calibration_of_shown_answers_and_of_all() -> None:
    outcomes = [
        outcome(query("a", "Paris"), "answer", "Paris. [1]", confidence=0.95),
        outcome(query("b", "Paris"), "answer", "London. [1]", confidence=0.95),
        # What it would have shown says it, so a confidence of 1 would have been right.
        outcome(query("c", "Paris"), "refusal", confidence=0.25, nearest=(cited("In Paris.", "In Paris."),)),
        outcome(query("d", answerable=False), "refusal", confidence=0.15),
        outcome(query("e", answerable=False), "small_talk", confidence=1.0),
    ]
    found = values(outcomes)
    assert found["calibration_error"] == (pytest.approx(0.45), 2)
    assert found["calibration_error_all"] == (pytest.approx((0.9 + 0.75 + 0.15) / 4), 4)
    assert found["auroc_answerable"] == (1, 4)


def test_thresholds_by_hand() -> None:
    outcomes = [
        outcome(query("a", "x"), "answer", confidence=0.65),
        outcome(query("b", "x"), "refusal", confidence=0.3),
        outcome(query("c", answerable=False), "answer", confidence=0.5),
        outcome(query("d", answerable=False), "refusal", confidence=0.1),
    ]
    rows = {
        row.threshold: (row.false_answer_rate.value, row.false_refusal_rate.value) for row in threshold_table(outcomes)
    }
    assert list(rows) == [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9]
    assert (rows[0.1], rows[0.3], rows[0.4], rows[0.5]) == ((1, 0), (0.5, 0), (0.5, 0.5), (0.5, 0.5))
    assert (rows[0.6], rows[0.7]) == ((0, 0.5), (0, 1))
    assert threshold_table([outcome(query("a", "x"), "answer")]) == ()


def test_latencies_of_every_stage() -> None:
    outcomes = [
        outcome(query(str(number), "x"), "answer", timings_ms={"judge": 1.0 * number, "total": 10.0 * number})
        for number in range(1, 21)
    ]
    outcomes.append(outcome(query("r", "x"), "refusal", timings_ms={"total": 500.0}))
    found = values(outcomes)
    assert (found["latency_p50_ms"], found["latency_p95_ms"]) == ((110, 21), (200, 21))
    assert (found["judge_p50_ms"], found["judge_p95_ms"]) == ((10, 20), (19, 20))


def test_sets_of_one_pool_are_also_measured_together(tmp_path: Path) -> None:
    results = []
    for name, kinds in {"one": ("refusal", "answer"), "two": ("refusal", "refusal")}.items():
        queries = tuple(query(f"{name}-{place}", answerable=place == 1) for place in range(2))
        chosen = BenchmarkSet(name, UNCHECKED, (CorpusQueries(name, tmp_path, queries),))
        answers = tuple(
            outcome(asked, kind, answerer="extractive").answer for asked, kind in zip(queries, kinds, strict=True)
        )
        results.append((chosen, [CorpusAnswers(answers, {"answerer": "extractive"}, tmp_path / name)]))
    assert [one.metrics["refusal_precision"].value for one in report_sets(results)] == [1, 1 / 2]
    (pool,) = report_pools(results)
    assert (pool.name, pool.questions, pool.answered_by) == ("pool, 2 sets", 4, {"extractive": 4})
    assert (pool.metrics["refusal_precision"].value, pool.metrics["refusal_precision"].n) == (2 / 3, 3)
    assert pool.metrics["refusal_recall"].value == 1
    assert report_pools(results[:1]) == []

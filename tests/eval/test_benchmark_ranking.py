"""Retrieval measures of public sets, against those of trec_eval and figures worked out by hand."""

from __future__ import annotations

import random
from collections.abc import Mapping
from pathlib import Path

import ir_measures
import pytest
from ir_measures import RR, R, Success, nDCG

from eval.benchmarks.sets.public_set import Query, find_protocol, read_queries
from eval.benchmarks.sets.set_measures import RETRIEVAL_MEASURES, AnsweredQuery
from eval.benchmarks.sets.stored_answer import StoredAnswer, asked_hash
from eval.errors import EvaluationError

PROTOCOL = find_protocol(Path("any"))[1]
THEIRS = {
    "success_at_5": Success @ 5,
    "recall_at_5": R @ 5,
    "recall_at_10": R @ 10,
    "reciprocal_rank": RR,
    "ndcg_at_10": nDCG @ 10,
}


def outcome(query_id: str, grades: Mapping[str, float], retrieved: tuple[str, ...]) -> AnsweredQuery:
    query = Query(query_id, "Which?", (), True, (), (), frozenset(grades), grades=grades)
    answer = StoredAnswer(id=query_id, asked=asked_hash(query), kind="search", text="", retrieved=retrieved)
    return AnsweredQuery(PROTOCOL, query, answer)


def test_every_measure_equals_that_of_trec_eval() -> None:
    chance = random.Random(7)
    documents = [f"d{number}" for number in range(40)]
    outcomes, run, qrels = [], [], []
    for number in range(300):
        query_id = f"q{number}"
        grades = {one: float(chance.randint(1, 3)) for one in chance.sample(documents, chance.randint(1, 14))}
        chunks = tuple(chance.choices(documents, k=chance.randint(1, 60)))  # a document may be there with many chunks
        outcomes.append(outcome(query_id, grades, chunks))
        ranked = list(dict.fromkeys(chunks))
        run += [ir_measures.ScoredDoc(query_id, one, float(-rank)) for rank, one in enumerate(ranked)]
        qrels += [ir_measures.Qrel(query_id, one, int(grade)) for one, grade in grades.items()]
    assert set(RETRIEVAL_MEASURES) == set(THEIRS)
    theirs = {(one.measure, one.query_id): one.value for one in ir_measures.iter_calc(THEIRS.values(), qrels, run)}
    for name, measure in RETRIEVAL_MEASURES.items():
        for one in outcomes:
            assert measure(one) == pytest.approx(theirs[THEIRS[name], one.query.query_id], abs=1e-9), name


def test_a_document_stands_where_its_best_chunk_stands() -> None:
    one = outcome("q", {"c": 1.0}, ("a", "a", "b", "a", "c", "b", "c"))
    assert {name: measure(one) for name, measure in RETRIEVAL_MEASURES.items()} == {
        "success_at_5": 1,
        "recall_at_5": 1,
        "recall_at_10": 1,
        "reciprocal_rank": 1 / 3,
        "ndcg_at_10": 0.5,
    }


def test_nothing_retrieved_is_zero_and_nothing_relevant_is_unscored() -> None:
    assert {measure(outcome("q", {"a": 1.0}, ())) for measure in RETRIEVAL_MEASURES.values()} == {0}
    assert {measure(outcome("q", {}, ("a",))) for measure in RETRIEVAL_MEASURES.values()} == {None}


def test_grades_are_read_and_a_damaged_line_is_named(tmp_path: Path) -> None:
    (tmp_path / "queries.jsonl").write_text('{"_id": "q", "text": "?"}\n\n', encoding="utf-8")
    (tmp_path / "qrels.tsv").write_text("query-id\tcorpus-id\tscore\nq\ta\t2\nq\tb\t1\nq\tc\t0\n", encoding="utf-8")
    (query,) = read_queries(tmp_path)
    assert (query.grades, query.relevant) == ({"a": 2, "b": 1}, {"a", "b"})
    (tmp_path / "qrels.tsv").write_text("query-id\tcorpus-id\tscore\nq\ta\n", encoding="utf-8")
    with pytest.raises(EvaluationError, match=r"qrels\.tsv', line 2, is no judgement"):
        read_queries(tmp_path)
    (tmp_path / "qrels.tsv").write_text("query-id\tcorpus-id\tscore\n", encoding="utf-8")
    (tmp_path / "queries.jsonl").write_text('{"_id": "q", "text": "?"}\n{"_id": "r"}\n', encoding="utf-8")
    with pytest.raises(EvaluationError, match=r"queries\.jsonl', line 2, is no question .*'text'"):
        read_queries(tmp_path)

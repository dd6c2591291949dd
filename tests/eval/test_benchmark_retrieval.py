"""Retrieval without answers: what is asked, in which form, and what is measured."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from click.testing import CliRunner

from bot.answer.answer import RetrievedEntry, SearchResult
from bot.answer.conversation import Turn
from bot.cli import footnote
from eval.benchmarks.sets.public_set import in_query_forms, load_set
from eval.benchmarks.sets.retrieval_steps import STEPS
from eval.benchmarks.sets.set_report import report_sets
from eval.benchmarks.sets.set_run import Respondent, answer_set, searching_respondent
from eval.errors import EvaluationError

TOWNS = ("Lisbon", "Oslo", "Quito", "Hanoi", "Dakar", "Turin", "Malmö", "Perth", "Davao", "Leeds", "Gdańsk", "Cairo")
TALK = [{"role": "user", "text": "Tell me about Oslo."}, {"role": "assistant", "text": "Oslo has a harbour."}]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A set of twelve documents with two questions, one of which goes on from an earlier turn."""
    folder = tmp_path / "towns"
    folder.mkdir()
    rows = [
        {"_id": "harbour", "text": "When was the harbour of Quito opened?", "mini": True},
        {"_id": "follow-up", "text": "When was its harbour opened?", "history": TALK},
    ]
    corpus = [
        {"_id": town, "title": town, "text": f"The mayor of {town} opened the harbour of {town} in {1900 + number}."}
        for number, town in enumerate(TOWNS)
    ]
    (folder / "queries.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in rows), encoding="utf-8")
    (folder / "corpus.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in corpus), encoding="utf-8")
    judgements = "query-id\tcorpus-id\tscore\nharbour\tQuito\t2\nharbour\tHanoi\t1\nfollow-up\tOslo\t1\n"
    (folder / "qrels.tsv").write_text(judgements, encoding="utf-8")
    return folder


@contextmanager
def silent(title: str, total: int) -> Iterator[Callable[[], None]]:
    assert title
    assert total
    yield lambda: None


@dataclass
class ScriptedSearch:
    """Finds Quito first and Oslo second, whatever is looked for, and notes what that is."""

    asked: list[tuple[str, int, int | None]] = field(default_factory=list)

    def measured(self) -> dict[str, str]:
        return {"answerer": "search"}

    @contextmanager
    def open(self, corpus: Path, data_dir: Path) -> Iterator[Respondent]:
        assert corpus != data_dir
        yield searching_respondent(self)

    def search(
        self, question: str, history: Sequence[Turn] = (), *, question_id: str | None = None, top_k: int | None = None
    ) -> SearchResult:
        assert question_id is not None
        self.asked.append((question_id, len(history), top_k))
        places = [
            RetrievedEntry(document_id=town, chunk_id=f"{town}-0", rank=rank, score=1 / rank, start=0, end=9)
            for rank, town in ((2, "Oslo"), (1, "Quito"))
        ]
        return SearchResult(
            id=question_id, standalone_question=question, retrieved=tuple(places), timings_ms={"total": 1.0}
        )


def test_both_forms_are_asked_once_each_and_kept_apart(folder: Path, tmp_path: Path) -> None:
    forms = list(in_query_forms(load_set(folder), "both"))
    answerer = ScriptedSearch()
    results = [(form, answer_set(form, answerer, tmp_path / "work", silent)) for form in forms]
    assert answerer.asked == [("harbour", 0, 100), ("follow-up", 2, 100), ("harbour", 0, 100), ("follow-up", 0, 100)]
    history, last = report_sets(results)
    assert (history.query, last.query) == ("history", "last")
    assert history.answers[0].path != last.answers[0].path
    again = ScriptedSearch()
    assert [(form, answer_set(form, again, tmp_path / "work", silent)) for form in forms] == results
    assert again.asked == []


def test_a_search_is_scored_by_what_it_found_alone(folder: Path, tmp_path: Path) -> None:
    chosen = load_set(folder)
    (report,) = report_sets([(chosen, answer_set(chosen, ScriptedSearch(), tmp_path, silent))])
    scored = {name: metric.value for name, metric in report.metrics.items() if metric.n}
    assert scored["recall_at_5"] == pytest.approx((1 / 2 + 1) / 2)
    assert scored["reciprocal_rank"] == pytest.approx((1 + 1 / 2) / 2)
    assert scored.keys() == {
        "success_at_5",
        "recall_at_5",
        "recall_at_10",
        "reciprocal_rank",
        "ndcg_at_10",
        "latency_p50_ms",
        "latency_p95_ms",
    }
    assert (report.answered_by, report.thresholds, report.warnings) == ({"search": 2}, (), ())


def test_forms_of_a_set_without_follow_ups_are_one(folder: Path) -> None:
    chosen = load_set(folder, mini=True)
    assert [form.query for form in in_query_forms(chosen, "both")] == ["history"]
    assert [form.query for form in in_query_forms(chosen, "last")] == ["last"]
    assert chosen.left_out == 1


def run(folder: Path, *arguments: str) -> str:
    work = ["--work", str(folder.parent / "work")]
    done = CliRunner().invoke(footnote, ["eval", "benchmark", str(folder), *work, *arguments])
    assert done.exit_code == 0, done.exception
    return done.stdout


def test_the_command_searches_deep_enough_for_ten_documents(folder: Path) -> None:
    report = json.loads(run(folder, "--retrieval-only", "--query", "both", "--json"))
    assert (report["retrieval_only"], report["answerer"]) == (True, "extractive")
    assert [one["query"] for one in report["sets"]] == ["history", "last"]
    history, last = (one["metrics"] for one in report["sets"])
    assert history["recall_at_10"]["n"] == last["recall_at_10"]["n"] == 2
    assert history["reciprocal_rank"]["value"] == 1
    assert last["reciprocal_rank"]["value"] < 1  # nothing in the last turn names Oslo
    (first, _) = (folder.parent / "work" / "answers" / "towns").iterdir()
    found = [json.loads(line) for line in first.read_text(encoding="utf-8").splitlines()[1:]]
    assert all(len(one["retrieved"]) == len(TOWNS) for one in found)
    shown = run(folder, "--retrieval-only", "--query", "both")
    assert "towns: 2 questions (2 by search), 0 crashed" in shown
    assert "towns, the last turn alone: 2 questions (2 by search), 0 crashed" in shown


def test_answers_say_that_ranks_end_where_answering_ends(folder: Path) -> None:
    shown = run(folder, "--answerer", "extractive", "--mini")
    assert "note: Questions left out: 1." in shown
    assert "the measures at 10 are lower bounds: --retrieval-only" in shown


def test_what_cannot_be_searched(folder: Path) -> None:
    starter = ["eval", "benchmark", str(folder), "--retrieval-only", "--answerer", "starter"]
    assert "The starter cannot search without answering" in str(CliRunner().invoke(footnote, starter).exception)
    (folder / "qrels.tsv").write_text("query-id\tcorpus-id\tscore\n", encoding="utf-8")
    done = CliRunner().invoke(footnote, ["eval", "benchmark", str(folder), "--retrieval-only"])
    assert isinstance(done.exception, EvaluationError)
    assert "The retrieval of 'towns' cannot be measured" in str(done.exception)


def test_every_step_is_measured_on_every_set_in_one_table(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "steps.json"
    arguments = ["eval", "retrieval", str(folder), "--work", str(tmp_path / "work"), "--out", str(out)]
    result = CliRunner().invoke(footnote, [*arguments, "--query", "last"])
    assert result.exit_code == 0, result.output
    header, *rows = result.stdout.splitlines()
    assert header.split() == ["nDCG@10", "n", *(word for step in STEPS for word in step.name.split())]
    assert [row.split()[:2] for row in rows if row.startswith("towns")] == [["towns,", "last"]] * 2
    steps = json.loads(out.read_text(encoding="utf-8"))["steps"]
    assert [step["step"] for step in steps] == [step.name for step in STEPS]
    found = {step["step"]: step["sets"][0]["metrics"]["recall_at_5"]["value"] for step in steps}
    assert found["keyword"] == 1.0
    assert found["phrases"] == found["chosen"]
    assert all(f"{step.name}: {step.why}" in rows for step in STEPS)

"""Asking public sets: every question once, whatever happens in between, of the right documents."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from llama_index.core.llms import MockLLM

from bot.cli import footnote
from bot.language_model import ModelUnavailableError
from bot.settings import Settings
from eval.benchmarks.sets.public_set import BenchmarkSet, Query, load_set
from eval.benchmarks.sets.set_report import report_sets
from eval.benchmarks.sets.set_run import ChatbotAnswerer, CorpusAnswers, Respondent, answer_set
from eval.benchmarks.sets.starter import StarterAnswerer, sounds_like_refusal
from eval.benchmarks.sets.stored_answer import StoredAnswer, asked_hash, describe_chatbot, fingerprint
from eval.errors import EvaluationError
from index.embedding.sentence_transformer import SentenceTransformerEmbedder

TOWNS = ("Lisbon", "Oslo", "Quito", "Hanoi", "Dakar", "Turin", "Malmö", "Perth", "Davao", "Leeds", "Gdańsk", "Cairo")


def write_set(folder: Path, rows: Sequence[Mapping[str, Any]], corpus: Mapping[str, str] | None = None) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    lines = [json.dumps({"history": [], "answerable": True, "answers": ["x"], **row}) for row in rows]
    (folder / "queries.jsonl").write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    (folder / "qrels.tsv").write_text("query-id\tcorpus-id\tscore\n", encoding="utf-8")
    documents = [json.dumps({"_id": name, "title": name, "text": text}) for name, text in (corpus or {}).items()]
    if documents:
        (folder / "corpus.jsonl").write_text("\n".join(documents), encoding="utf-8")
    return folder


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    rows = [{"_id": f"q{number}", "text": f"Question {number}?", "mini": number < 3} for number in range(8)]
    return write_set(tmp_path / "sets" / "small", rows, {"d": "Some text."})


@dataclass
class ScriptedAnswerer:
    """Answers "x" to everything, notes what it is asked of what, and dies before the question numbered `dies_at`."""

    version: str = "1"
    dies_at: int | None = None
    crashes_on: str = ""
    asked: list[str] = field(default_factory=list)
    corpora: list[list[str]] = field(default_factory=list)

    def measured(self) -> dict[str, Any]:
        return {"answerer": "scripted", "version": self.version}

    @contextmanager
    def open(self, corpus: Path, data_dir: Path) -> Iterator[Respondent]:
        assert data_dir
        self.corpora.append([json.loads(line)["_id"] for line in corpus.read_text(encoding="utf-8").splitlines()])
        yield self._reply

    def _reply(self, query: Query) -> StoredAnswer:
        if len(self.asked) == self.dies_at:
            raise KeyboardInterrupt
        self.asked.append(query.query_id)
        if query.query_id == self.crashes_on:
            raise ZeroDivisionError("planted")
        return StoredAnswer(
            id=query.query_id, asked=asked_hash(query), kind="answer", text="x [1]", confidence=0.5, answerer="scripted"
        )


@contextmanager
def silent(title: str, total: int) -> Iterator[Callable[[], None]]:
    assert title
    assert total
    yield lambda: None


def ask(chosen: BenchmarkSet, answerer: Any, work: Path) -> list[CorpusAnswers]:
    return answer_set(chosen, answerer, work, silent)


def test_a_killed_run_goes_on_without_asking_twice_or_leaving_out(folder: Path, tmp_path: Path) -> None:
    chosen = load_set(folder)
    whole = report_sets([(chosen, ask(chosen, ScriptedAnswerer(), tmp_path / "whole"))])[0]
    for dies_at in range(9):
        work = tmp_path / f"killed-at-{dies_at}"
        first, second = ScriptedAnswerer(dies_at=dies_at), ScriptedAnswerer()
        if dies_at < 8:
            with pytest.raises(KeyboardInterrupt):
                ask(chosen, first, work)
        else:
            ask(chosen, first, work)
        resumed = ask(chosen, second, work)
        assert first.asked + second.asked == [f"q{number}" for number in range(8)]
        assert report_sets([(chosen, resumed)])[0].metrics == whole.metrics
        assert len(resumed[0].path.read_text(encoding="utf-8").splitlines()) == 1 + 8


def test_a_line_that_was_being_written_is_asked_again(folder: Path, tmp_path: Path) -> None:
    chosen = load_set(folder)
    (whole,) = ask(chosen, ScriptedAnswerer(), tmp_path)
    content = whole.path.read_bytes()
    ends = [place + 1 for place, byte in enumerate(content) if byte == ord("\n")]
    for cut in (0, 5, *(end - back for end in ends for back in (0, 1, 7)), len(content)):
        whole.path.write_bytes(content[:cut])
        answerer = ScriptedAnswerer()
        assert ask(chosen, answerer, tmp_path) == [whole]
        assert whole.path.read_bytes() == content
        assert len(answerer.asked) == 8 - max(0, sum(end <= cut for end in ends) - 1)


def test_nothing_is_opened_when_nothing_is_missing(folder: Path, tmp_path: Path) -> None:
    mini, everything = load_set(folder, mini=True), load_set(folder)
    ask(mini, ScriptedAnswerer(), tmp_path)
    rest = ScriptedAnswerer()
    ask(everything, rest, tmp_path)
    assert rest.asked == ["q3", "q4", "q5", "q6", "q7"]
    again = ScriptedAnswerer()
    (answered,) = ask(mini, again, tmp_path)
    assert again.corpora == []
    assert [answer.id for answer in answered.answers] == ["q0", "q1", "q2"]


def test_another_version_starts_anew_and_the_old_answers_stay(folder: Path, tmp_path: Path) -> None:
    chosen, old, new = load_set(folder), ScriptedAnswerer(), ScriptedAnswerer(version="2")
    (before,) = ask(chosen, old, tmp_path)
    (after,) = ask(chosen, new, tmp_path)
    assert len(new.asked) == 8
    assert before.path != after.path
    assert before.path.is_file()
    (folder / "corpus.jsonl").write_text('{"_id": "d", "text": "Other text."}\n', encoding="utf-8")
    (changed,) = ask(chosen, ScriptedAnswerer(), tmp_path)
    assert changed.path not in {before.path, after.path}


def test_a_question_that_was_changed_is_asked_again(folder: Path, tmp_path: Path) -> None:
    ask(load_set(folder), ScriptedAnswerer(), tmp_path)
    lines = (folder / "queries.jsonl").read_text(encoding="utf-8").replace("Question 3", "Query 3")
    (folder / "queries.jsonl").write_text(lines, encoding="utf-8")
    answerer = ScriptedAnswerer()
    (answered,) = ask(load_set(folder), answerer, tmp_path)
    assert answerer.asked == ["q3"]
    assert len(answered.answers) == 8


def test_a_crash_is_a_finding_and_not_the_end(folder: Path, tmp_path: Path) -> None:
    chosen = load_set(folder)
    report = report_sets([(chosen, ask(chosen, ScriptedAnswerer(crashes_on="q4"), tmp_path))])[0]
    assert (report.questions, report.crashes, report.answered_by) == (8, 1, {"scripted": 7})
    assert (report.metrics["right"].value, report.metrics["right"].n, report.metrics["right"].unscored) == (1, 7, 1)


def test_two_runs_do_not_write_to_one_file(folder: Path, tmp_path: Path) -> None:
    chosen = load_set(folder)

    class Second(ScriptedAnswerer):
        @contextmanager
        def open(self, corpus: Path, data_dir: Path) -> Iterator[Respondent]:
            ask(chosen, ScriptedAnswerer(), tmp_path)
            with super().open(corpus, data_dir) as respondent:
                yield respondent

    with pytest.raises(EvaluationError, match="Another run is writing to"):
        ask(chosen, Second(), tmp_path)


def test_a_damaged_line_is_named(folder: Path, tmp_path: Path) -> None:
    (answered,) = ask(load_set(folder), ScriptedAnswerer(), tmp_path)
    lines = answered.path.read_text(encoding="utf-8").splitlines(keepends=True)
    answered.path.write_text("".join([*lines[:2], "{}\n", *lines[3:]]), encoding="utf-8")
    with pytest.raises(EvaluationError, match="line 3, is no answer: delete the line"):
        ask(load_set(folder), ScriptedAnswerer(), tmp_path)


def test_samples_are_the_same_each_time(folder: Path) -> None:
    assert [query.query_id for query in load_set(folder, mini=True).queries] == ["q0", "q1", "q2"]
    some = load_set(folder, limit=4).queries
    assert len(some) == 4
    assert some == load_set(folder, limit=4).queries
    assert load_set(folder, limit=100).queries == load_set(folder).queries


def test_folders_that_cannot_be_measured(folder: Path, tmp_path: Path) -> None:
    lines = (folder / "queries.jsonl").read_text(encoding="utf-8").replace("true", "false")
    (folder / "queries.jsonl").write_text(lines, encoding="utf-8")
    with pytest.raises(EvaluationError, match="marks no rows for --mini"):
        load_set(folder, mini=True)
    (folder / "corpus.jsonl").unlink()
    with pytest.raises(EvaluationError, match="The documents of 'small' are missing"):
        load_set(folder)
    with pytest.raises(EvaluationError, match=r"There is no queries\.jsonl"):
        load_set(tmp_path)


def test_each_domain_of_mtrag_un_is_asked_of_its_own_documents(tmp_path: Path) -> None:
    for domain in ("govt", "fiqa"):
        write_set(tmp_path / "mtrag" / domain, [{"_id": "unused", "text": "?"}], {f"{domain}-document": "Text."})
    rows = [
        {"_id": f"q{place}", "text": "?", "domain": domain} for place, domain in enumerate(("govt", "fiqa", "govt"))
    ]
    chosen = load_set(write_set(tmp_path / "mtrag_un", rows))
    answerer = ScriptedAnswerer()
    answered = ask(chosen, answerer, tmp_path / "work")
    assert answerer.corpora == [["fiqa-document"], ["govt-document"]]
    assert [[answer.id for answer in one.answers] for one in answered] == [["q1"], ["q0", "q2"]]
    # The index is the one that mtrag/govt uses itself.
    assert [one.name for one in load_set(tmp_path / "mtrag" / "govt").collections] == ["mtrag-govt"]
    assert [one.name for one in chosen.collections] == ["mtrag-fiqa", "mtrag-govt"]


@pytest.fixture
def nomiracl(tmp_path: Path) -> Path:
    corpus = {town: f"The mayor of {town} opened the harbour of {town} in {1900 + n}." for n, town in enumerate(TOWNS)}
    rows = [
        {"_id": "in", "text": "When was the harbour of Oslo opened?", "context_ids": TOWNS[:10], "answers": []},
        {
            "_id": "out",
            "text": "When was the harbour of Lisbon opened?",
            "context_ids": TOWNS[2:],
            "answerable": False,
            "answers": [],
        },
    ]
    return write_set(tmp_path / "nomiracl" / "en", rows, corpus)


def test_a_question_of_nomiracl_sees_its_ten_passages_alone(nomiracl: Path, tmp_path: Path) -> None:
    answerer = ScriptedAnswerer()
    ask(load_set(nomiracl), answerer, tmp_path / "work")
    assert answerer.corpora == [list(TOWNS[:10]), list(TOWNS[2:])]


def test_the_chatbot_over_ten_passages(nomiracl: Path, tmp_path: Path, embedder: SentenceTransformerEmbedder) -> None:
    chosen = load_set(nomiracl)
    database = tmp_path / "precious.db"
    answerer = ChatbotAnswerer(Settings(answerer="extractive", database_url=f"sqlite:///{database}"), embedder)
    answered = ask(chosen, answerer, tmp_path / "work")
    inside, outside = answered[0].answers
    assert inside.retrieved[0] == "Oslo"
    assert set(inside.retrieved) <= set(TOWNS[:10])
    assert set(outside.retrieved) <= set(TOWNS[2:])
    assert [path.name for path in (tmp_path / "work").iterdir()] == ["answers"]
    assert not database.exists()
    metrics = report_sets([(chosen, answered)])[0].metrics
    assert metrics["abstains_rightly"].n == metrics["abstains_wrongly"].n == 1
    assert metrics["quote_fidelity"].value == 1


def test_a_fingerprint_follows_what_changes_answers_and_nothing_else(tmp_path: Path) -> None:
    def of(settings: Settings) -> str:
        return fingerprint(describe_chatbot(settings, "model"))

    assert of(Settings()) == of(Settings(port=1, data_dir=tmp_path, documents=(tmp_path,)))
    assert of(Settings()) != of(Settings(top_k=3))
    assert fingerprint(describe_chatbot(Settings(), "other")) != of(Settings())


def test_the_starter_answers_without_footnotes(
    nomiracl: Path, tmp_path: Path, embedder: SentenceTransformerEmbedder
) -> None:
    chosen = load_set(nomiracl)
    answered = ask(chosen, StarterAnswerer(MockLLM(is_chat_model=True), "mock", embedder), tmp_path)
    first = answered[0].answers[0]
    assert (first.kind, first.confidence, first.citations) == ("answer", None, ())
    assert first.retrieved[0] == "Oslo"
    assert len(first.retrieved) == 2
    report = report_sets([(chosen, answered)])[0]
    assert (report.answered_by, report.crashes, report.thresholds) == ({"starter": 2}, 0, ())


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("I'm sorry, but the context does not mention a ferry. It leaves elsewhere.", True),
        ("The documents don’t provide that.", True),
        ("提供的文件中没有提到渡轮。", True),
        ("", True),
        ("It leaves at 5:55 am. The fare is not mentioned.", False),
        ("It does not stop at Peng Chau.", False),
    ],
)
def test_refusals_of_the_starter_are_known_by_their_words(text: str, expected: bool) -> None:
    assert sounds_like_refusal(text) is expected


def test_the_command_asks_prints_and_asks_no_second_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    rows = [
        {"_id": "ferry", "text": "When does the first ferry leave Mui Wo?", "answers": ["5:55 am"]},
        {"_id": "opera", "text": "Who painted the opera house in Vienna?", "answerable": False, "answers": []},
    ]
    write_set(tmp_path / "set", rows, {"f": "The first ferry leaves Mui Wo at 5:55 am.", "g": "Dogs need a ticket."})
    arguments = ["eval", "benchmark", "set", "--answerer", "extractive", "--work", "work", "--json"]
    first = CliRunner().invoke(footnote, [*arguments, "--out", "report.json"])
    assert first.exit_code == 0, first.exception
    report = json.loads(first.stdout)
    assert report == json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))
    (one,) = report["sets"]
    assert (one["name"], one["questions"], one["metrics"]["right"]["value"]) == ("set", 2, 1)
    (kept,) = (tmp_path / "work" / "answers" / "set").iterdir()
    before = kept.stat().st_mtime_ns
    second = CliRunner().invoke(footnote, arguments)
    assert kept.stat().st_mtime_ns == before
    assert json.loads(second.stdout)["sets"] == report["sets"]
    shown = CliRunner().invoke(footnote, arguments[:-1]).stdout
    assert "set: 2 questions (2 by extractive), 0 crashed" in shown
    assert "threshold: false answers / false refusals" in shown
    absent = {"FOOTNOTE_GGUF": "absent.gguf"}
    without = CliRunner(env=absent).invoke(footnote, ["eval", "benchmark", "set", "--answerer", "starter"])
    assert isinstance(without.exception, ModelUnavailableError)
    assert "absent.gguf" in str(without.exception)

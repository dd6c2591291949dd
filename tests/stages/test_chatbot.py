from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from bot.answer.answer import Answer, marker_numbers
from bot.answer.conversation import Turn
from bot.answer.events import EvidenceFound, Finished, StatementReady, Understood
from bot.chatbot import Chatbot
from eval.suites.suite import load_suite
from index.sync import SyncReport

SUITES = Path(__file__).parent.parent.parent / "eval" / "suites"
DATASETS = Path(os.environ.get("FOOTNOTE_DATASETS", Path(__file__).parent.parent.parent.parent / "shared" / "datasets"))


def check_footnotes(chatbot: Chatbot, answer: Answer) -> None:
    """Assert that every quote is the stored text at its span, and that every marker resolves."""
    shown = (*answer.citations, *(answer.refusal.nearest if answer.refusal else ()))
    for citation in shown:
        document = chatbot.document(citation.document_id)
        assert document is not None
        assert document.text[citation.start : citation.end] == citation.quote
        assert citation.quote.strip()
    if answer.kind == "answer":
        assert set(marker_numbers(answer.text)) == {citation.number for citation in answer.citations}
        for statement in answer.statements:
            assert statement.support == "quoted"
            sources = [citation.quote for citation in answer.citations if citation.number in statement.citations]
            assert " ".join(" ".join(sources).split()).replace("[", "［").replace("]", "］") == statement.text.replace(
                "[", "［"
            ).replace("]", "］")


def test_events_come_in_the_order_a_reader_sees_them(seed_chatbot: Chatbot) -> None:
    events = list(seed_chatbot.stream("How much is reserved for the AI research institute?"))
    kinds = [type(event) for event in events]
    assert kinds[:2] == [Understood, EvidenceFound]
    assert set(kinds[2:-1]) == {StatementReady}
    assert kinds[-1] is Finished
    answer = events[-1].answer
    assert tuple(event.statement for event in events if isinstance(event, StatementReady)) == answer.statements
    assert "HK$1 billion" in answer.text
    assert {"condense", "retrieve", "select", "judge", "compose", "total"} <= set(answer.timings_ms)


def test_the_same_question_gets_the_same_answer(seed_chatbot: Chatbot) -> None:
    first, second = (seed_chatbot.ask("Who manages the GBA Hong Kong Park?") for _ in range(2))
    assert first.model_dump(exclude={"timings_ms"}) == second.model_dump(exclude={"timings_ms"})


def test_what_is_not_about_the_documents_is_refused_without_footnotes(seed_chatbot: Chatbot) -> None:
    answer = seed_chatbot.ask("Who painted the ceiling of the opera house in Vienna?")
    assert answer.kind == "refusal"
    assert answer.refusal is not None
    assert answer.refusal.reason in ("no_relevant_passage", "not_in_documents")
    assert not answer.citations
    assert marker_numbers(answer.text) == []


def test_a_follow_up_is_understood_and_shown(seed_chatbot: Chatbot) -> None:
    history = [
        Turn(role="user", content="How much is reserved for the AI research institute?"),
        Turn(role="assistant", content="HK$1 billion. [1]"),
    ]
    answer = seed_chatbot.ask("Who is planning it?", history)
    assert answer.standalone_question == "Who is planning the AI research institute?"
    assert "Policy Innovation Office" in answer.text


@pytest.mark.parametrize(
    ("question", "words"),
    [("Hello!", "Ask me"), ("多謝晒", "不用客氣"), ("谢谢你", "不用客气"), ("who are you?", "Footnote")],
)
def test_small_talk_gets_a_short_reply_without_footnotes(seed_chatbot: Chatbot, question: str, words: str) -> None:
    answer = seed_chatbot.ask(question)
    assert answer.kind == "small_talk"
    assert words in answer.text
    assert not answer.citations
    assert not answer.retrieved


@pytest.mark.parametrize(
    ("question", "reason"),
    [("", "needs_clarification"), (" \u200b?!", "needs_clarification"), ("park " * 401, "too_long")],
)
def test_unusable_questions_are_declined_in_one_sentence(seed_chatbot: Chatbot, question: str, reason: str) -> None:
    answer = seed_chatbot.ask(question)
    assert answer.refusal is not None
    assert answer.refusal.reason == reason
    assert "\n" not in answer.text


def test_two_thousand_characters_are_answered_and_hidden_characters_do_not_matter(seed_chatbot: Chatbot) -> None:
    long = ("Please tell me, " + "and do take your time, " * 100)[:1930] + " who manages the GBA Hong Kong Park?"
    assert len(long) <= 2_000
    assert seed_chatbot.ask(long).refusal is None or seed_chatbot.ask(long).refusal.reason != "too_long"  # type: ignore[union-attr]
    clean = seed_chatbot.ask("Who manages the GBA Hong Kong Park?")
    hidden = seed_chatbot.ask("Who\u200b manages\u202e the GBA\x00 Hong Kong Park?\u2066")
    assert hidden.question == clean.question
    assert hidden.text == clean.text


def test_an_empty_index_is_said_so(tmp_path: Path, open_chatbot: Callable[[Path], Chatbot]) -> None:
    answer = open_chatbot(tmp_path).ask("Who manages the park?")
    assert answer.refusal is not None
    assert answer.refusal.reason == "empty_index"


def test_the_sentence_before_comes_along_when_a_pronoun_needs_it(
    tmp_path: Path, index_folder: Callable[..., SyncReport], open_chatbot: Callable[[Path], Chatbot]
) -> None:
    docs = tmp_path / "docs"
    docs.mkdir()
    (docs / "hall.txt").write_text(
        "Town news\n\nThe concert hall of Ellmau stands by the lake. It was opened by Queen Ida in 1907. "
        "Bread is cheap.\n"
    )
    index_folder(docs, tmp_path / "data")
    answer = open_chatbot(tmp_path / "data").ask("When did Queen Ida open the concert hall?")
    assert [statement.text for statement in answer.statements] == [
        "The concert hall of Ellmau stands by the lake. It was opened by Queen Ida in 1907."
    ]


def test_brackets_of_the_source_are_no_footnotes(
    tmp_path: Path, index_folder: Callable[..., SyncReport], open_chatbot: Callable[[Path], Chatbot]
) -> None:
    docs = tmp_path / "docs"
    docs.mkdir()
    (docs / "wiki.txt").write_text("Volcano\n\nMount Aso[7] last erupted in October 2021.[12] Nobody was hurt.\n")
    index_folder(docs, tmp_path / "data")
    chatbot = open_chatbot(tmp_path / "data")
    answer = chatbot.ask("When did Mount Aso last erupt?")
    assert answer.kind == "answer"
    assert "［7］" in answer.text
    check_footnotes(chatbot, answer)


def test_example_questions_are_answered_by_the_documents(seed_chatbot: Chatbot) -> None:
    questions = seed_chatbot.example_questions()
    assert 1 <= len(questions) <= 4
    assert all(seed_chatbot.ask(question).kind == "answer" for question in questions)
    assert seed_chatbot.example_questions() == questions


@pytest.mark.parametrize("suite", ["seed.yaml", "seed_check.yaml"])
def test_every_footnote_over_the_suites_is_exact(seed_chatbot: Chatbot, suite: str) -> None:
    questions = load_suite(SUITES / suite).questions
    assert len(questions) >= 40
    for question in questions:
        check_footnotes(seed_chatbot, seed_chatbot.ask(question.question, question.history))


@pytest.mark.skipif(not (DATASETS / "squad2").is_dir(), reason="the public sets are not beside the project")
@pytest.mark.parametrize("count", [100, pytest.param(500, marks=pytest.mark.slow)])
def test_every_footnote_over_squad_questions_is_exact(
    count: int, tmp_path: Path, index_folder: Callable[..., SyncReport], open_chatbot: Callable[[Path], Chatbot]
) -> None:
    index_folder(DATASETS / "squad2" / "corpus.jsonl", tmp_path)
    chatbot = open_chatbot(tmp_path)
    with (DATASETS / "squad2" / "all_queries.jsonl").open(encoding="utf-8") as file:
        questions = [json.loads(line)["text"] for line in file][:: 4_000 // count][:count]
    assert len(questions) == count
    answers = [chatbot.ask(question) for question in questions]
    assert sum(answer.kind == "answer" for answer in answers) > count / 5
    for answer in answers:
        check_footnotes(chatbot, answer)


def test_a_question_in_another_script_is_told_so(seed_chatbot: Chatbot) -> None:
    answer = seed_chatbot.ask("誰畫了維也納歌劇院的天花？")
    assert answer.kind == "refusal"
    assert "另一種語言" in answer.text
    assert "another language" not in seed_chatbot.ask("Who painted the opera house in Vienna?").text

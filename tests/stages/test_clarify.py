from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from bot.answer.conversation import Turn
from bot.chatbot import Chatbot
from bot.stages.question.clarification import unclear_reference


@pytest.mark.parametrize(
    ("question", "reference"),
    [
        ("How much does it cost?", "it"),
        ("Who is he?", "he"),
        ("它何時開放？", "它"),
        ("What does it say about the library?", ""),
        ("Is it true that the park opened?", ""),
        ("Who runs the ferry and when was it founded?", ""),
        ("How many books does the library hold?", ""),
    ],
)
def test_only_a_short_question_with_a_dangling_pronoun_is_unclear(question: str, reference: str) -> None:
    assert unclear_reference(question, []) == reference


def test_with_a_conversation_before_it_nothing_is_unclear() -> None:
    assert not unclear_reference("How much does it cost?", [Turn(role="user", content="Which ferry goes to Mui Wo?")])


def test_the_reader_is_asked_back_with_readings_to_choose_from(
    tmp_path: Path, open_chatbot: Callable[..., Chatbot], index_folder: Callable[..., object]
) -> None:
    docs = tmp_path / "docs"
    docs.mkdir()
    (docs / "ferry.txt").write_text("Mui Wo ferry\n\nA ticket costs HK$17.8 on weekdays.\n", encoding="utf-8")
    (docs / "tram.txt").write_text("Peak tram\n\nA ticket costs HK$62 each way.\n", encoding="utf-8")
    index_folder(docs, tmp_path / "data")
    chatbot = open_chatbot(tmp_path / "data")
    answer = chatbot.ask("How much does it cost?")
    assert answer.refusal is not None
    assert answer.refusal.reason == "needs_clarification"
    assert "“it”" in answer.refusal.message
    assert set(answer.refusal.options) == {"How much does Mui Wo ferry cost?", "How much does Peak tram cost?"}
    assert all(chatbot.ask(option).kind == "answer" for option in answer.refusal.options)

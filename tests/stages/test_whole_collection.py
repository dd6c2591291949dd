from __future__ import annotations

import pytest

from bot.chatbot import Chatbot
from bot.stages.question.scope import is_about_the_collection


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ("How many documents mention the ferry?", True),
        ("List all the documents.", True),
        ("Which of the reports mention flooding?", True),
        ("有多少份文件提到渡輪？", True),
        ("How many pages does the report have?", False),
        ("How many buildings are in the first batch?", False),
        ("Which report was published in 2024?", False),
        ("What documents do I need to apply?", False),
    ],
)
def test_only_counting_and_listing_documents_is_about_the_collection(question: str, *, expected: bool) -> None:
    assert is_about_the_collection(question) is expected


def test_the_limit_is_said_and_the_best_passages_are_shown(seed_chatbot: Chatbot) -> None:
    answer = seed_chatbot.ask("How many documents mention the research institute?")
    assert answer.refusal is not None
    assert "not every document" in answer.refusal.message
    assert answer.refusal.nearest

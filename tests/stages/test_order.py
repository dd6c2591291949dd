from __future__ import annotations

import pytest

from bot.stages.question.imperative import as_question


@pytest.mark.parametrize(
    ("order", "question"),
    [
        ("Find the price of the wing? If multiple, record all prices.", "What is the price of the wing?"),
        ("Tell me who designed the wing.", "Who designed the wing?"),
        ("Could you please give me the price of the new wing?", "What is the price of the new wing?"),
        ("list all museums in the city", "What are all museums in the city?"),
        ("When did the museum open? Answer in one word.", "When did the museum open?"),
        ("When did the museum open? If there is nothing about it, say so.", "When did the museum open?"),
    ],
)
def test_an_order_for_what_documents_say_is_a_question_without_what_it_says_about_the_reply(
    order: str, question: str
) -> None:
    assert as_question(order) == question


@pytest.mark.parametrize(
    "text",
    [
        "When did the museum open?",
        "Is it open? What does it cost?",
        "When did it open? List the sailors who gave things.",
        "Tell me how to get there",
        "Describe the old wing.",
        "Name two sailors.",
        "Tell me something about the museum.",
        "新翼由誰設計？請列出。",
        "Find.",
        "",
    ],
)
def test_what_is_no_order_for_a_thing_stays_as_it_is(text: str) -> None:
    assert as_question(text) == text

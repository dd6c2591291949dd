from __future__ import annotations

import pytest

from bot.stages.question.imperative import find_questions

STORY = (
    "I moved here last spring with two dogs and a cat, and my aunt keeps telling me about the old pier. "
    "She says that everybody knows. "
)


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ("When does the ferry leave?", "When does the ferry leave?"),
        (f"{STORY}Anyway, when does the first ferry leave? Thanks a lot!", "Anyway, when does the first ferry leave?"),
        (
            f"{STORY}Now I wonder about the ferry. How many guests does it carry? thanks",
            "Now I wonder about the ferry. How many guests does it carry?",
        ),
        (
            f"{STORY}When does the ferry leave? Who steers the bus? And that was all I wanted to know for today.",
            "When does the ferry leave? Who steers the bus?",
        ),
        (f"{STORY}{STORY}Tell me about the ferry.", f"{STORY}{STORY}Tell me about the ferry."),
        (f"{'我去年春天搬到這裡，家裡有兩隻狗和一隻貓。' * 4}第一班渡輪幾時開？謝謝。", "第一班渡輪幾時開？"),
    ],
)
def test_the_asking_sentences_of_a_long_message_are_its_question(message: str, expected: str) -> None:
    assert find_questions(message) == expected

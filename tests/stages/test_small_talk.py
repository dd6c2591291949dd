from __future__ import annotations

import pytest

from bot.stages.question.small_talk import small_talk_kind


@pytest.mark.parametrize(
    ("message", "kind"),
    [
        ("Hi!", "greeting"),
        ("good morning", "greeting"),
        ("你好", "greeting"),
        ("Thank you very much, that's all.", "thanks"),
        ("唔該晒", "thanks"),
        ("谢谢！", "thanks"),
        ("bye", "goodbye"),
        ("Who are you?", "identity"),
        ("你是谁？", "identity"),
    ],
)
def test_small_talk_is_recognised(message: str, kind: str) -> None:
    assert small_talk_kind(message) == kind


@pytest.mark.parametrize(
    "message",
    [
        "Hi, when does the ferry leave?",
        "Thanks. And who pays for it?",
        "Who are the members?",
        "你好，渡輪幾點開？",
        "",
        "good",
    ],
)
def test_a_question_is_not_small_talk(message: str) -> None:
    assert small_talk_kind(message) is None

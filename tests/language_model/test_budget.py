"""The language model's tokens of a day: when they are spent, answers are quotations and say so."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from bot.chatbot import Chatbot
from bot.language_model import ModelUnavailableError, Prompt
from bot.language_model.build import BudgetedModel, build_language_model
from bot.settings import load_settings
from bot.web.page.language import LANGUAGES
from bot.web.page.render_html import render_answer
from tests.support.scripted_model import ScriptedModel

PROMPT = Prompt("s" * 200, "u" * 200)  # about 100 tokens


def test_prompts_and_replies_are_counted_and_a_reply_is_not_cut_off() -> None:
    model = BudgetedModel(ScriptedModel(write="one two three four"), 203, "memory://")
    assert list(model.complete(PROMPT, 10)) == ["one ", "two ", "three ", "four "]
    assert model.ready()
    assert model.log_odds(PROMPT) == 3.0
    assert not model.ready()
    with pytest.raises(ModelUnavailableError, match="203 tokens of the day are spent"):
        model.log_odds(PROMPT)
    with pytest.raises(ModelUnavailableError):
        list(model.complete(PROMPT, 10))


def test_answers_are_quotations_and_say_so_when_the_budget_is_spent(
    seed_data: Path, open_chatbot: Callable[..., Chatbot]
) -> None:
    scripted = ScriptedModel(write="No", odds=-3.0)
    chatbot = open_chatbot(seed_data, BudgetedModel(scripted, 1, "memory://"))
    question = "How much is reserved for the AI research institute?"
    assert chatbot.ask(question).provenance.answerer in ("local", "extractive")
    asked = len(scripted.asked)
    quoted = chatbot.ask(question)
    assert len(scripted.asked) == asked == 1
    assert quoted.kind == "answer"
    assert quoted.provenance.answerer == "extractive"
    shown = render_answer(quoted, LANGUAGES["en"], lambda document_id: document_id)
    assert "The language model is not answering; this is what the documents say, word for word." in shown["body"]


def test_the_budget_is_a_setting() -> None:
    remote = {"answerer": "remote", "remote_url": "http://127.0.0.1:9/v1", "remote_model": "m"}
    for tokens, kind in ((0, "RemoteModel"), (1_000, "BudgetedModel")):
        model = build_language_model(load_settings({**remote, "model_tokens_per_day": tokens}))
        assert type(model).__name__ == kind
        model.close()

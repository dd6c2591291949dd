from __future__ import annotations

import pytest

from bot.language_model.session import ModelSession
from bot.stages.question.translation import documents_language, is_foreign, translate_question, translate_statement
from tests.support.scripted_model import ScriptedModel


def test_the_language_of_the_documents_is_that_of_most_passages() -> None:
    assert documents_language(["The ferry leaves.", "It costs ten dollars.", "渡輪六時開出。"]) == "en"
    assert documents_language([]) is None


@pytest.mark.parametrize(
    ("question", "language", "foreign"),
    [("渡輪何時開出？", "en", True), ("When does it leave?", "zh_hant", True), ("渡轮何时开出？", "zh_hant", False)],
)
def test_the_two_scripts_are_one_language(question: str, language: str, *, foreign: bool) -> None:
    assert is_foreign(question, language) is foreign


@pytest.mark.parametrize(
    ("reply", "used"),
    [
        ("How many of the 41,000 books were lent?", "How many of the 41,000 books were lent?"),
        ("How many of the 14,000 books were lent?", ""),
        ("How many books were lent?", ""),
        ("有多少本書？", ""),
    ],
)
def test_a_translation_that_changes_a_number_is_not_used(reply: str, used: str) -> None:
    model = ModelSession(ScriptedModel(write=reply))
    assert translate_question("41,000本書中有多少借出？", "en", model) == used


def test_a_statement_comes_back_in_the_script_that_was_asked_for() -> None:
    model = ModelSession(ScriptedModel(write="预留了10亿港元。"))
    assert translate_statement("HK$1 billion is reserved.", "zh_hant", model) == "預留了10億港元。"

from __future__ import annotations

import pytest

from bot.answer.conversation import Turn
from bot.language_model.session import ModelSession
from bot.stages.question.follow_up import condense, is_same_question, rewrite
from tests.support.scripted_model import ScriptedModel

HISTORY = [
    Turn(role="user", content="Who operates the ferry to Lantau?"),
    Turn(role="assistant", content="The Star Company operates the ferry to Lantau. [1]"),
]
SAID = [turn.content for turn in HISTORY]


@pytest.mark.parametrize(
    ("question", "rewritten", "same"),
    [
        ("And when was it founded?", "When was the Star Company founded?", True),
        ("And when was it founded?", "The Star Company was founded in 1898.", False),
        ("And when was it founded?", "Who founded the Star Company?", False),
        ("Who asked?", "The Star Company asked.", False),
        ("How much does it cost?", "How much does the ferry to Lantau cost?", True),
        ("How much does it cost?", "How much does the airport express train cost on weekdays?", False),
        ("how about the first one?", "What about the ferry?\nAnswer: yes", False),
    ],
)
def test_a_rewritten_question_must_still_be_the_question(question: str, rewritten: str, *, same: bool) -> None:
    assert is_same_question(question, rewritten, SAID) is same


def test_a_question_that_stands_alone_is_not_given_to_the_model() -> None:
    model = ScriptedModel(write="What is something else?")
    question = "How many passengers does the Star Company carry each day?"
    understood = rewrite(condense(question, HISTORY), HISTORY, ModelSession(model))
    assert understood.standalone_question == question
    assert not model.asked


def test_a_follow_up_is_rewritten_and_what_was_typed_is_searched_too() -> None:
    model = ScriptedModel(write="When was the Star Company founded?")
    understood = rewrite(condense("And when was it founded?", HISTORY), HISTORY, ModelSession(model))
    assert understood.standalone_question == "When was the Star Company founded?"
    assert "And when was it founded?" in understood.wordings
    assert "Star Company operates" in model.asked[0].user


def test_an_answer_in_place_of_a_question_leaves_plain_means() -> None:
    model = ScriptedModel(write="It was founded in 1898.")
    plain = condense("And when was it founded?", HISTORY)
    assert rewrite(plain, HISTORY, ModelSession(model)) == plain

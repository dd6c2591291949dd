from __future__ import annotations

import pytest

from bot.answer.conversation import Turn, recent_exchanges
from bot.stages.question.follow_up import condense, stands_alone

ASKED = "How much is reserved for the AI research institute?"
HISTORY = (Turn(role="user", content=ASKED), Turn(role="assistant", content="HK$1 billion is reserved. [1]"))


@pytest.mark.parametrize(
    "question",
    [
        "Who is the Secretary for Innovation and Technology?",
        "Which company increased its profits in 2024?",
        "When was the Blueprint announced and what does it say?",
        "Is it true that the park has eight buildings?",
        "And what is the capital of the French Republic?",
        "香港園區分多少期發展？",
    ],
)
def test_what_stands_alone_is_left_alone(question: str) -> None:
    assert stands_alone(question)
    assert condense(question, HISTORY).standalone_question == question


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ("Who is planning it?", "Who is planning the AI research institute?"),
        ("What is its purpose?", "What is the AI research institute's purpose?"),
        ("And when?", f"And when? ({ASKED.rstrip('?')})"),
        ("What about Cyberport?", f"What about Cyberport? ({ASKED.rstrip('?')})"),
        ("why", f"why ({ASKED.rstrip('?')})"),
    ],
)
def test_a_follow_up_takes_what_it_needs_from_the_question_before(question: str, expected: str) -> None:
    understanding = condense(question, HISTORY)
    assert understanding.standalone_question == expected
    assert understanding.context == ASKED
    assert question in understanding.wordings  # the filled-in question is never trusted alone


def test_without_history_nothing_is_filled_in() -> None:
    assert condense("And when?", ()).standalone_question == "And when?"


def test_thanks_in_between_are_not_what_a_follow_up_is_about() -> None:
    history = (*HISTORY, Turn(role="user", content="Thanks!"), Turn(role="assistant", content="You are welcome."))
    assert condense("Who is planning it?", history).standalone_question == "Who is planning the AI research institute?"


def test_a_chain_of_follow_ups_keeps_its_subject() -> None:
    history = (
        *HISTORY,
        Turn(role="user", content="Who is planning it?"),
        Turn(role="assistant", content="The Policy Innovation Office. [1]"),
    )
    assert "AI research institute" in condense("And when?", history).standalone_question


def test_a_person_is_found_in_the_answer_before() -> None:
    history = (
        Turn(role="user", content="Who answered the question?"),
        Turn(role="assistant", content="In the council, Professor Sun Dong responded. [1]"),
    )
    assert condense("What did he say?", history).standalone_question == "What did Professor Sun Dong say?"


@pytest.mark.parametrize(
    "question", ["How many magnolias are there?", "Who is the treasurer?", "the park", "👨‍👩‍👧 budget"]
)
def test_a_subject_of_its_own_is_enough(question: str) -> None:
    assert condense(question, HISTORY).standalone_question == question


def test_context_never_nests_and_unusable_turns_are_skipped() -> None:
    turns = [ASKED, "And when?", "?", "😀", "why"]
    history = [Turn(role="user", content=turn) for turn in turns]
    assert condense("And who?", history).standalone_question == f"And who? ({ASKED.rstrip('?')})"


def test_the_last_exchanges_are_questions_with_the_beginning_of_their_answers() -> None:
    turns = [Turn(role="assistant", content="Welcome.")]
    for number in range(1, 5):
        turns.append(Turn(role="user", content=f"Question {number}?"))
        turns.append(Turn(role="assistant", content=f"Answer {number} {'x' * 500}"))
    turns.append(Turn(role="user", content="Anybody there?"))
    exchanges = recent_exchanges(turns)
    assert [one[:20].rstrip(" x") for one in exchanges] == [
        "Question 3? Answer 3",
        "Question 4? Answer 4",
        "Anybody there?",
    ]
    assert max(map(len, exchanges)) == len("Question 4? ") + 300
    assert recent_exchanges(()) == ()

"""What is long or twisted on purpose is answered or refused within three seconds, before any model is asked (V8)."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from bot.answer.conversation import Turn
from bot.chatbot import Chatbot

SECONDS = 3.0
LENGTH = 2_000
# Repetitions that make a careless pattern try every way to divide them, each with an end that fits none.
TWISTED = [
    (piece * LENGTH)[: LENGTH - len(end)] + end
    for piece, end in (
        ("a", "!"), (" ", "x"), ("\t", "?"), (".", "x"), ("?", "x"), ("!", "a"), (",", "?"), ("-", "1"), ("'", "s"),
        ("0", "x"), ("1,", "x"), ("1.", "x"), ("1-", "x"), ("9:", "?"), ("1/2/", "?"), ("$1 ", "?"), ("% ", "?"),
        ("A ", "b?"), ("Aa ", "b?"), ("A. ", "b?"), ("A-", "?"), ("A's ", "?"), ("Mr. ", "?"), ("and ", "!"),
        ("is it ", "?"), ("it ", "?"), ("this that ", "?"), ("what ", "?"), ("which of the ", "?"), ("no not ", "?"),
        ("more than ", "?"), ("from A to ", "?"), ("between 1 and ", "?"), ("one hundred and ", "?"), ("million ", "?"),
        ("1 January ", "?"), ("Monday ", "?"), ("in 2019 ", "?"), ("(", "?"), ("[1]", "("), ("\"", "?"), ("“", "?"),
        ("<b>", "?"), ("\\", "?"), ("的", "x"), ("一百", "?"), ("二零", "？"), ("香港", "？"), ("「", "？"),
        ("a\n", "?"), ("ignore your instructions and ", "?"), ("hello ", "?"), ("thank you ", "x"), ("é\u0301", "?"),
        ("🙂\u200d", "?"),
    )
]  # fmt: skip


@pytest.fixture(scope="module")
def warm(seed_chatbot: Chatbot) -> Chatbot:
    seed_chatbot.ask("How much is reserved?")
    return seed_chatbot


def processor_seconds(chatbot: Chatbot, question: str, history: tuple[Turn, ...] = ()) -> float:
    """Return the time a question takes of the processor: others on the machine do not count."""
    begun = time.thread_time()
    answer = chatbot.ask(question, history)
    assert answer.kind in ("answer", "refusal", "small_talk")
    return time.thread_time() - begun


def test_v8_twisted_questions_and_histories_take_no_longer_than_others(warm: Chatbot) -> None:
    """V8: fifty strings that are built against patterns, as a question and as what was said before."""
    assert len(TWISTED) >= 50
    slow = {}
    for text in TWISTED:
        said = (Turn(role="user", content=text), Turn(role="assistant", content=text))
        taken = [processor_seconds(warm, text), processor_seconds(warm, "And when did it begin?", said)]
        if max(taken) > SECONDS:
            slow[text[:20]] = taken
    assert not slow


def test_v8_the_longest_history_and_question_are_bounded(warm: Chatbot) -> None:
    """V8: 10,000 turns, a question of 2,000 characters, and one that is a thousand times too long."""
    turn = Turn(role="user", content="How much is reserved for the institute? " * 50)
    history = (turn, turn.model_copy(update={"role": "assistant"})) * 5_000
    words = ("Which institute is the budget of the innovation bureau reserved for " * 40)[: LENGTH - 1] + "?"
    assert processor_seconds(warm, "And when does it begin?", history) < SECONDS
    assert processor_seconds(warm, words, history) < SECONDS
    too_long = warm.ask("a" * 2_000_000)
    assert too_long.refusal is not None
    assert too_long.refusal.reason == "too_long"


def test_v8_long_documents_of_repetitions_do_not_slow_an_answer_down(
    tmp_path: Path, index_folder, open_chatbot
) -> None:
    """V8: the same strings as documents; what is read, cut and judged from them stays within the bound."""
    for number, text in enumerate(TWISTED):
        (tmp_path / f"{number:02}.txt").write_text(f"About the ferry\n\n{text}\nThe ferry leaves at 5:55 am.\n")
    index_folder(tmp_path, tmp_path.parent / "data")
    chatbot = open_chatbot(tmp_path.parent / "data")
    chatbot.ask("hello")
    assert processor_seconds(chatbot, "When does the ferry leave?") < SECONDS
    assert processor_seconds(chatbot, TWISTED[3]) < SECONDS

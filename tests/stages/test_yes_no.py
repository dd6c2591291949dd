from __future__ import annotations

import math

import pytest

from bot.language_model.yes_no import PLAIN_LOG_ODDS, log_odds_of_tokens, log_odds_of_words


def test_spellings_of_a_word_are_added_up() -> None:
    tokens = [("Yes", math.log(0.5)), (" yes", math.log(0.3)), ("No", math.log(0.1)), ("NO", math.log(0.1))]
    assert log_odds_of_tokens(tokens) == pytest.approx(math.log(0.8 / 0.2))


def test_a_missing_side_gets_the_smallest_probability_listed() -> None:
    assert log_odds_of_tokens([("Yes", -0.1), ("The", -5.0), ("It", -7.0)]) == pytest.approx(6.9)
    assert log_odds_of_tokens([("不", -0.1), ("The", -7.0)]) == pytest.approx(-6.9)


def test_neither_side_is_no_answer() -> None:
    assert log_odds_of_tokens([("The", -0.1), ("Yesterday", -2.0)]) is None


@pytest.mark.parametrize(
    ("reply", "value"),
    [
        ("Yes, it does.", PLAIN_LOG_ODDS),
        ('\n"no".', -PLAIN_LOG_ODDS),
        ("不是。", -PLAIN_LOG_ODDS),
        ("是的", PLAIN_LOG_ODDS),
        ("Nothing", None),
        ("The text", None),
        ("", None),
    ],
)
def test_a_plain_reply_counts_by_its_first_word(reply: str, value: float | None) -> None:
    assert log_odds_of_words(reply) == value

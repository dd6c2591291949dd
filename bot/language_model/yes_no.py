"""Yes or No out of a reply's first token."""

from __future__ import annotations

import math
from collections.abc import Sequence

YES = frozenset({"yes", "是"})
NO = frozenset({"no", "否", "不"})

# What a plain "Yes" counts as where a server gives no log-probabilities: a probability of .95. It is held below what
# a model that is sure gives (8 and more), because such a reply does not say how sure it is.
PLAIN_LOG_ODDS = 3.0

_AROUND_A_WORD = " \t\r\n\"'*`.,:;!()。，：；！「」“”"


def log_odds_of_tokens(tokens: Sequence[tuple[str, float]]) -> float | None:
    """Return log P(Yes) - log P(No) from the likeliest first tokens.

    Args:
        tokens: Each with its natural log-probability; several may be spellings of one word.

    Returns:
        The log-odds, or None when neither side is among the tokens. A side that is missing gets the smallest listed
        probability, which is the most it can have.
    """
    yes = [log_probability for token, log_probability in tokens if _word(token) in YES]
    no = [log_probability for token, log_probability in tokens if _word(token) in NO]
    if not yes and not no:
        return None
    least = min(log_probability for _, log_probability in tokens)
    return (_log_sum(yes) if yes else least) - (_log_sum(no) if no else least)


def log_odds_of_words(reply: str) -> float | None:
    """Return `PLAIN_LOG_ODDS` with the sign of the reply's first word, or None when that is neither Yes nor No."""
    words = reply.strip(_AROUND_A_WORD).split()
    if not words:
        return None
    first = _word(words[0])
    if first in YES or first[:1] in YES:
        return PLAIN_LOG_ODDS
    if first in NO or first[:1] in NO:
        return -PLAIN_LOG_ODDS
    return None


def _word(token: str) -> str:
    return token.strip(_AROUND_A_WORD).casefold()


def _log_sum(values: Sequence[float]) -> float:
    """Return log(sum(exp(values))) without underflow."""
    largest = max(values)
    return largest + math.log(sum(math.exp(value - largest) for value in values))

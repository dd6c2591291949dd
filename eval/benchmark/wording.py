"""Words of short answers as the SQuAD script compares them, and what two answers share."""

from __future__ import annotations

import string
import unicodedata
from collections import Counter
from collections.abc import Sequence

import regex

from index.words import fold_word

_ARTICLE = regex.compile(r"\b(a|an|the)\b")
_ASCII_PUNCTUATION = str.maketrans("", "", string.punctuation)
_HAN = regex.compile(r"\p{Han}")


def answer_words(text: str) -> list[str]:
    """Return the words of an answer: lower case, without punctuation and the articles a, an and the.

    P. Rajpurkar et al., "SQuAD" (2016), function `normalize_answer` of the evaluation script of version 1.1. In a
    text with Chinese characters each of them is a word, and all Unicode punctuation goes, as in P. Lewis et al.,
    "MLQA" (2020).
    """
    lowered = text.lower().translate(_ASCII_PUNCTUATION)
    if _HAN.search(lowered):
        lowered = _HAN.sub(r" \g<0> ", without_punctuation(lowered))
    return _ARTICLE.sub(" ", lowered).split()


def answer_stems(text: str) -> list[str]:
    """Return the words of an answer, each folded and stemmed as the index does it, all Unicode punctuation gone."""
    return [fold_word(word) for word in answer_words(without_punctuation(text))]


def without_punctuation(text: str) -> str:
    """Return text without the characters that Unicode counts as punctuation."""
    return "".join(character for character in text if not unicodedata.category(character).startswith("P"))


def token_f1(said: Sequence[str], gold: Sequence[str]) -> float:
    """Return the F1 of the words that two answers share, in [0, 1]; two empty ones agree.

    Function `f1_score` of the SQuAD script; with its second version an empty answer shares something only with another.
    """
    if not said or not gold:
        return float(said == gold)
    shared = sum((Counter(said) & Counter(gold)).values())
    return 2 * shared / (len(said) + len(gold))


def same_words(said: Sequence[str], gold: Sequence[str]) -> float:
    """Return 1 when two answers have the same words in the same order, else 0: `exact_match_score` of that script."""
    return float(list(said) == list(gold))


def contains(said: Sequence[str], gold: Sequence[str]) -> bool:
    """Return whether the words of `gold` stand in `said`, side by side and in order."""
    width = len(gold)
    return width > 0 and any(said[start : start + width] == gold for start in range(len(said) - width + 1))

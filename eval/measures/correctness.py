"""Whether an answer says what it must and nothing it must not, and whether the right questions are refused.

Each measure of refusals scores one question so that the mean over the scored ones is the usual ratio: precision is the
share of unanswerable questions among those refused, recall the share of refused ones among those unanswerable (C. J.
van Rijsbergen, Information Retrieval, 1979, chapter 7); the false-refusal rate is the share refused of the answerable.
"""

from __future__ import annotations

import functools
import unicodedata

import regex

from eval.measures.answered import AnsweredQuestion, Scorable
from eval.suites.golden import GoldenQuestion

_MARKER = regex.compile(r"\s*\[\d+\]")
_IDEOGRAPH = r"\p{Han}\p{Hiragana}\p{Katakana}"
_UNSPACED = _IDEOGRAPH + r"\p{Hangul}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}"
_LETTER = rf"[[\p{{L}}\p{{M}}]--[{_UNSPACED}]]"
_WORD = regex.compile(rf"[{_IDEOGRAPH}]|[^\s{_IDEOGRAPH}]+")
_HAS_LETTER = regex.compile(r"[\p{L}\p{N}]")


def without_markers(text: str) -> str:
    """Return the text without its footnote markers `[n]`."""
    return _MARKER.sub("", text)


def fold(text: str) -> str:
    """Return text as it is compared: NFKC, case folding, and any white space as one space.

    Compatibility caseless matching, The Unicode Standard, section 3.13, definition D146; applying it twice changes
    nothing.
    """
    folded = unicodedata.normalize("NFD", text).casefold()
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", folded).casefold())
    return " ".join(folded.split())


def shows(text: str, phrase: str) -> bool:
    """Return whether a text shows a phrase, both folded.

    A phrase is a beginning: "merg" is shown by "merging". But it starts where a word starts ("art" is not shown by
    "part"), and a number is a whole number ("1 billion" is not shown by "21 billion" or "1.1 billion", nor "17" by
    "17.8"). Scripts that are written without spaces have no such limits.
    """
    return _pattern(fold(phrase)).search(fold(text)) is not None


@functools.lru_cache(maxsize=4096)
def _pattern(phrase: str) -> regex.Pattern[str]:
    before = r"(?<!\d)(?<!\d[.,])(?=\d)|" + rf"(?<!{_LETTER})(?={_LETTER})|(?!\d)(?!{_LETTER})"
    after = r"(?<=\d)(?!\d)(?![.,]\d)|(?<!\d)"
    return regex.compile(f"(?:{before}){regex.escape(phrase)}(?:{after})", regex.VERSION1)


def count_words(text: str) -> int:
    """Return how many words a text has.

    Words are what stands between spaces and holds a letter or a digit; in Chinese and Japanese, which have no
    spaces, every character counts as one word, as word processors count it. "撥款10億元" has 5, "HK$1 billion" has 2.
    """
    return sum(1 for piece in _WORD.findall(text) if _HAS_LETTER.search(piece))


def answer_correct(asked: AnsweredQuestion) -> float | None:
    """Return 1 for a right answer to an answerable question, else 0; unanswerable questions are not scored.

    Right is: not refused, every group of `expect` shown by one of its phrases, nothing of `forbid` shown, and not
    longer than `max_words`. Footnote markers are no part of the text. Source: docs/golden-suites.md.
    """
    if not asked.question.answerable:
        return None
    return float(not asked.refused and not what_is_wrong(asked))


def what_is_wrong(asked: AnsweredQuestion) -> list[str]:
    """Return everything that keeps the words of an answer from being right, each in a few words."""
    return what_is_wrong_with(asked.question, asked.answer.text)


def what_is_wrong_with(question: GoldenQuestion, answer: str) -> list[str]:
    """Return the same for words that are not an answer yet."""
    text = without_markers(answer)
    wrong = [f"lacks {' or '.join(map(repr, group))}" for group in question.expect if not _any_shown(text, group)]
    wrong += [f"says {phrase!r}" for phrase in question.forbid if shows(text, phrase)]
    words = count_words(text)
    if question.max_words is not None and words > question.max_words:
        wrong.append(f"has {words} words, at most {question.max_words}")
    return wrong


def refusal_precision(asked: Scorable) -> float | None:
    """Return 1 for a refused question that is unanswerable, 0 for one that is not; others are not scored."""
    return float(not asked.answerable) if asked.refused else None


def refusal_recall(asked: Scorable) -> float | None:
    """Return 1 for an unanswerable question that is refused, 0 for one that is not; others are not scored."""
    return None if asked.answerable else float(asked.refused)


def false_refusal_rate(asked: Scorable) -> float | None:
    """Return 1 for an answerable question that is refused, 0 for one that is not; others are not scored."""
    return float(asked.refused) if asked.answerable else None


def answer_bearing(asked: AnsweredQuestion) -> float | None:
    """Return 1 when every expected group that the answer shows is also shown by a quote it cites, else 0.

    The phrases of a group mean the same, so the quote may use another one of them (an answer in Chinese, a source in
    English). Not scored when nothing expected is shown, or without citations to look at because it was refused.
    Source: docs/golden-suites.md.
    """
    text = without_markers(asked.answer.text)
    shown = [group for group in asked.question.expect if _any_shown(text, group)]
    if asked.refused or not shown:
        return None
    quotes = [citation.quote for citation in asked.answer.citations]
    return float(all(any(_any_shown(quote, group) for quote in quotes) for group in shown))


def _any_shown(text: str, group: tuple[str, ...]) -> bool:
    return any(shows(text, phrase) for phrase in group)

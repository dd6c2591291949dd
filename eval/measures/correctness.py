"""Whether an answer says what it must, and nothing it must not."""

from __future__ import annotations

from eval.golden import GoldenQuestion
from eval.measures.asked import Asked
from eval.wording import count_words, shows, without_markers


def answer_correct(asked: Asked) -> float | None:
    """Return 1 for a right answer to an answerable question, else 0; unanswerable questions are not scored.

    Right is: not refused, every group of `expect` shown by one of its phrases, nothing of `forbid` shown, and not
    longer than `max_words`. Footnote markers are no part of the text. Source: docs/golden-suites.md.
    """
    if not asked.question.answerable:
        return None
    return float(not asked.refused and not what_is_wrong(asked))


def what_is_wrong(asked: Asked) -> list[str]:
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


def answer_bearing(asked: Asked) -> float | None:
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

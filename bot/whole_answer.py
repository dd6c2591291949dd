"""What a model left out of its reply: where the answer stands, or the answer itself."""

from __future__ import annotations

from collections.abc import Sequence, Set

from bot.answer_type import may_answer, must_hold
from bot.evidence import QuestionWords
from bot.excerpts import Excerpt
from bot.judge import Judged
from bot.question import asks_for_a_thing
from bot.reading import Written
from index.words import content_words

_MOST_QUOTED = 2
# So many words, nearly all of them a sentence's own, are no answer in other words.
_COPIED_WORDS = 10
_COPIED_SHARE = 0.9


def complete_answer(
    written: tuple[Written, ...],
    excerpts: Sequence[Excerpt],
    ranked: Sequence[Judged],
    asked: QuestionWords,
    question: str,
) -> tuple[Written, ...]:
    """Return what the model replied with what it left out, as quotes.

    A reply that says only that the answer is there stands on the likeliest sentence. One that only turns the question
    round ("What did she win?" "She won.") gives way to the sentences that it names, and one that copies most of a long
    sentence to the whole of it, whose end may be what was asked for. What stands on a sentence that holds neither a
    word of the question nor the kind of thing it asks for is no answer; nor is any where "when" gets no time and "how
    many" no number.

    Args:
        written: The reply.
        excerpts: What the model was shown.
        ranked: Sentences of evidence, best first; the excerpts were made of the first of them.
        asked: The words of the question.
        question: Standing alone.
    """
    if not written:
        return ()
    best = next((one for judged in ranked for one in excerpts if one.sentence is judged.sentence), None)
    found = tuple(one if one.excerpts or best is None else Written(one.text, (best,)) for one in written)
    if asks_for_a_thing(question):
        known = {word.key for word in content_words(question)}
        found = tuple(Written("", one.excerpts[:_MOST_QUOTED]) if _says_only(one.text, known) else one for one in found)
    found = tuple(Written("", (source,)) if (source := _copied(one)) else one for one in found)
    if must_hold(question, asked.kind) and not _holds(found, asked, question):
        return ()
    return tuple(one for one in found if one.excerpts and not _is_beside(one, asked, question))


def _holds(written: Sequence[Written], asked: QuestionWords, question: str) -> bool:
    return any(may_answer(excerpt.text, question, asked.kind) for one in written for excerpt in one.excerpts)


def _is_beside(one: Written, asked: QuestionWords, question: str) -> bool:
    """Return whether nothing that a reply stands on holds a word of the question, or the kind of thing it asks for."""
    return not _holds([one], asked, question) and not any(
        asked.weight_of(excerpt.sentence.words | {word.key for word in content_words(excerpt.text)})
        for excerpt in one.excerpts
    )


def _says_only(text: str, known: Set[str]) -> bool:
    return bool(text) and all(word.key in known for word in content_words(text))


def _copied(one: Written) -> Excerpt | None:
    """Return the excerpt that a long reply repeats, with few changes, if it does."""
    words = [word.key for word in content_words(one.text)]
    if len(words) < _COPIED_WORDS:
        return None
    for excerpt in one.excerpts:
        source = {word.key for word in content_words(excerpt.text)}
        if sum(word in source for word in words) >= _COPIED_SHARE * len(words):
            return excerpt
    return None

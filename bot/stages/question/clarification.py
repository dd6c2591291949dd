"""A question that could be about several things and nothing says which: asked back, with its readings."""

from __future__ import annotations

from collections.abc import Sequence

import regex

from bot.answer.conversation import Turn
from bot.stages.question.follow_up import find_reference
from index.document import RetrievedChunk
from index.text.words import content_words

_MOST_WORDS = 2
_MOST_IDEOGRAPHS = 8
_READINGS = 3
_LONGEST_SUBJECT = 60
_IDEOGRAPH = regex.compile(r"\p{Han}")
# A pronoun that stands for a text, not for a subject: "What does it say about …?" asks the documents.
_ABOUT_THE_TEXT = regex.compile(r"\b(?:say|says|said|mention|mentions|state|states|describe)\b", regex.IGNORECASE)


def unclear_reference(question: str, history: Sequence[Turn]) -> str:
    """Return the pronoun of a question that nothing explains, or an empty string.

    Only short questions count ("How much does it cost?"): a longer one usually says what it is about after all.
    """
    if history or _ABOUT_THE_TEXT.search(question):
        return ""
    reference = find_reference(question)
    ideographs = len(_IDEOGRAPH.findall(question))
    is_short = ideographs <= _MOST_IDEOGRAPHS if ideographs else len(content_words(question)) <= _MOST_WORDS
    return reference.group() if reference is not None and is_short else ""


def readings(question: str, reference: str, retrieved: Sequence[RetrievedChunk]) -> tuple[str, ...]:
    """Return the question as it would read about each of the documents that were found for it.

    None when all that was found is one document: then there is nothing to choose from, and the question is about that.
    """
    if len({result.chunk.document_id for result in retrieved}) < 2:
        return ()
    titles = dict.fromkeys(result.chunk.title.strip() for result in retrieved)
    subjects = [title for title in titles if 0 < len(title) <= _LONGEST_SUBJECT][:_READINGS]
    place = question.find(reference)
    return tuple(f"{question[:place]}{subject}{question[place + len(reference) :]}" for subject in subjects)

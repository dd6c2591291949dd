"""Which stage lost the answer to a question that failed: its path is replayed, with other wordings where that tells.

The first stage whose output no longer holds what the answer needs is to blame. Where the chunks are right or wrong only
because of how a follow-up was understood, another wording of the question tells: if with it the answer is found,
understanding lost it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol

from bot.answer.conversation import Turn
from bot.answer.trace import Place, TracedAnswer
from bot.storage.library import Library
from eval.measures.answered import AnsweredQuestion, covers, occurrences, touches
from eval.measures.correctness import shows, what_is_wrong_with
from eval.report.report import Blame
from eval.suites.suite_check import nearest_hint, unstated_groups
from index.document import Document


class Traceable(Protocol):
    """What is asked of a chatbot to find where an answer was lost."""

    def trace(self, question: str, history: Sequence[Turn] = ()) -> TracedAnswer:
        """Answer a question and return what became of it at each stage."""
        ...

    @property
    def library(self) -> Library:
        """The documents that it answers from."""
        ...

    def document(self, document_id: str) -> Document | None:
        """Return a stored document, or None."""
        ...


def blame_for(chatbot: Traceable, asked: AnsweredQuestion) -> Blame:
    """Return the stage that lost the answer to a question that was not answered as it should be."""
    question = asked.question
    if not question.answerable:
        return _blame_for_answering(chatbot, asked)
    before = _blame_suite(asked) or _blame_reading(chatbot, asked) or _blame_splitting(chatbot, asked)
    if before:
        return before
    traced = chatbot.trace(question.question, question.history)
    found = _blame_path(asked, traced)
    understood = traced.trace.standalone_question
    if found.stage != "verification" and (other := _understood_better(chatbot, asked, traced)):
        return Blame(stage="condensing", why=f"understood as {understood!r}; {other!r} is answered")
    return found


def _blame_suite(asked: AnsweredQuestion) -> Blame | None:
    """Return blame where the evidence that the suite names cannot bear the answer that it expects."""
    question = asked.question
    quotes = [quote for item in question.evidence for quote in item.any_of]
    for _, group in unstated_groups(question, asked.text_of):
        return Blame(stage="suite", why=f"no document of the evidence says {' or '.join(map(repr, group))}")
    for phrase in question.forbid:
        if any(shows(quote.quote, phrase) for quote in quotes):
            return Blame(stage="suite", why=f"the evidence itself says {phrase!r}, which is forbidden")
    return None


def _blame_reading(chatbot: Traceable, asked: AnsweredQuestion) -> Blame | None:
    """Return blame where evidence does not stand in any stored text."""
    for item in asked.question.evidence:
        stored = {quote.document_id: asked.text_of(quote.document_id) for quote in item.any_of}
        if any(occurrences(stored[quote.document_id] or "", quote.quote) for quote in item.any_of):
            continue
        quote = item.any_of[0]
        text = stored[quote.document_id]
        if text is None:
            return Blame(stage="reading", why=f"there is no document {quote.document_id!r} in the index")
        hint = nearest_hint(text, quote.quote)
        return Blame(stage="reading", why=f"{quote.quote!r} is not in the stored text of {quote.document_id!r}; {hint}")
    return None


def _blame_splitting(chatbot: Traceable, asked: AnsweredQuestion) -> Blame | None:
    """Return blame where no chunk holds a piece of evidence."""
    for item in asked.evidence():
        chunks = [(name, span) for name in {name for name, _ in item} for span in chatbot.library.chunk_spans(name)]
        if not any(covers(chunk, item) for chunk in chunks):
            name, span = item[0]
            return Blame(stage="splitting", why=f"no chunk of {name!r} holds characters {span.start} to {span.end}")
    return None


def _blame_path(asked: AnsweredQuestion, traced: TracedAnswer) -> Blame:
    """Return the first stage that lost what the answer needs."""
    evidence = asked.evidence()
    if missing := _not_among(evidence, traced.trace.retrieved, whole=True):
        return Blame(stage="retrieval", why=f"{missing} of {len(evidence)} pieces of evidence were not retrieved")
    if missing := _not_among(evidence, traced.trace.selected, whole=False):
        return Blame(stage="selection", why=f"{missing} of {len(evidence)} pieces of evidence were not selected")
    confidence = f"confidence {traced.answer.confidence:.2f}, answered from {traced.trace.threshold:.2f}"
    if not traced.trace.drafts and traced.answer.confidence >= traced.trace.threshold:
        return Blame(stage="verification", why="what was selected does not stand in the stored text as it was cut")
    if not traced.trace.drafts:
        return Blame(stage="judging", why=f"refused with the evidence before it ({confidence})")
    if not what_is_wrong_with(asked.question, " ".join(traced.trace.drafts)):
        return Blame(stage="verification", why="what was drafted is right; it was changed or dropped")
    drafted = " ".join(traced.trace.drafts) or "nothing"
    return Blame(stage="composing", why=f"the evidence was there; drafted was {drafted!r}")


def _not_among(evidence: Sequence[Sequence[Place]], places: Sequence[Place], *, whole: bool) -> int:
    """Return how many pieces of evidence none of the places holds, or, if not whole, none touches."""
    holds = covers if whole else touches
    return sum(not any(holds(place, item) for place in places) for item in evidence)


def _understood_better(chatbot: Traceable, asked: AnsweredQuestion, traced: TracedAnswer) -> str | None:
    """Return a wording of the question that is answered rightly where what it was understood as is not."""
    question = asked.question
    for wording in _other_wordings(question.question, question.history, traced.trace.standalone_question):
        answer = chatbot.trace(wording).answer
        if answer.kind == "answer" and not what_is_wrong_with(question, answer.text):
            return wording
    return None


def _other_wordings(question: str, history: Sequence[Turn], standalone: str) -> Iterator[str]:
    """Yield the question alone, and after what was asked before, unless it was understood as that."""
    earlier = [turn.content for turn in history if turn.role == "user"]
    wordings = [question, *([f"{earlier[-1]} {question}"] if earlier else ())]
    if standalone != question or earlier:
        yield from (wording for wording in wordings if wording != standalone)


def _blame_for_answering(chatbot: Traceable, asked: AnsweredQuestion) -> Blame:
    """Return the stage that let an unanswerable question be answered."""
    question = asked.question
    traced = chatbot.trace(question.question, question.history)
    understood = traced.trace.standalone_question
    for wording in _other_wordings(question.question, question.history, understood):
        if chatbot.trace(wording).answer.kind == "refusal":
            return Blame(stage="condensing", why=f"understood as {understood!r}; {wording!r} is refused")
    confidence = f"confidence {traced.answer.confidence:.2f}, answered from {traced.trace.threshold:.2f}"
    return Blame(stage="judging", why=f"answered although the documents do not say ({confidence})")

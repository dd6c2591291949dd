"""Answers on record for tests of checking: each with what makes it deserve a look."""

from __future__ import annotations

from bot.answer.answer import Answer, Refusal
from bot.answer.trace import Trace
from bot.storage.answers import AnswerRecords, Origin
from index.document import Span
from tests.browser.scripted import FARE, FERRY, answer, cite, statements_for


def given(number: int, question: str = "What is the fare?", *, confidence: float = 0.93, about: str = "fare") -> Answer:
    """Return an answer with two citations."""
    made = answer(f"{number:032x}", question, statements=statements_for(about))
    return made.model_copy(update={"confidence": confidence})


def refused(number: int, question: str = "Who is the captain?", *, confidence: float = 0.0) -> Answer:
    """Return a refusal that shows a passage nearby."""
    refusal = Refusal(reason="not_in_documents", message="The documents do not say.", nearest=(cite(1, FERRY, FARE),))
    return answer(f"{number:032x}", question, refusal=refusal).model_copy(update={"confidence": confidence})


def record(
    records: AnswerRecords,
    made: Answer,
    *,
    dropped: tuple[str, ...] = (),
    disagreements: int = 0,
    visitor: str = "anna",
    conversation: str = "c",
) -> str:
    """Put an answer on record and return its id."""
    selected = ((FERRY, Span(0, 40)),)
    trace = Trace(
        made.standalone_question,
        made.standalone_question,
        0.4,
        selected=selected,
        drafts=("One.", *dropped),
        dropped=dropped,
        disagreements=disagreements,
    )
    records.record(made, Origin("page", conversation, visitor), trace=trace)
    return made.id

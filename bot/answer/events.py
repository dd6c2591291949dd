"""What `Chatbot.stream` yields, in the order a reader sees it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from bot.answer.answer import Answer, Citation, Statement
from bot.answer.trace import Trace


@dataclass(frozen=True, slots=True)
class Understood:
    """The question as it will be searched. `changed` when it differs from what was typed."""

    standalone_question: str
    changed: bool


@dataclass(frozen=True, slots=True)
class EvidenceFound:
    """The sentences that matter, best first, before anything is concluded from them."""

    passages: tuple[Citation, ...]


@dataclass(frozen=True, slots=True)
class StatementReady:
    """One verified statement with the citations it introduces or uses again. Never taken back."""

    statement: Statement
    citations: tuple[Citation, ...]


@dataclass(frozen=True, slots=True)
class Finished:
    """The whole Answer; always the last event.

    Attributes:
        trace: What each stage made of the question, with drafts that failed: for the record, never for a reader.
    """

    answer: Answer
    trace: Trace | None = field(default=None, repr=False)


Event = Understood | EvidenceFound | StatementReady | Finished


def as_events(answer: Answer, trace: Trace) -> Iterator[Event]:
    """Yield the events of an answer that is there at once."""
    by_number = {citation.number: citation for citation in answer.citations}
    yield EvidenceFound(answer.citations)
    for statement in answer.statements:
        yield StatementReady(statement, tuple(by_number[number] for number in statement.citations))
    yield Finished(answer, trace)

"""A chatbot all of whose texts are hostile: what it is asked, its documents, their names and titles, its answers."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator, Sequence
from typing import Self

from bot.answer.answer import Citation, Refusal, Statement
from bot.answer.conversation import Turn
from bot.answer.events import Event, EvidenceFound, Finished, StatementReady, Understood
from bot.settings import Settings
from bot.storage.library import Contents
from index.document import Document
from index.errors import FootnoteError
from index.store.catalogue import TitledDocument
from tests.browser.payloads import PAYLOADS
from tests.browser.scripted import answer

_BEFORE = "Before it.\n"
_FOOTNOTE = re.compile(r"\[(\d+)\]")


def _batches() -> list[tuple[str, ...]]:
    size = 40
    return [tuple(PAYLOADS[start : start + size]) for start in range(0, len(PAYLOADS), size)]


BATCHES = _batches()
DOCUMENTS = {
    payload: Document(payload, payload, f"{_BEFORE}{payload}\nAfter it.\n", "text/plain", "0" * 64, ())
    for payload in PAYLOADS
}


def question_for(batch: int, kind: str) -> str:
    """Return a question that holds a batch of payloads and gets an `answer`, a `refusal` or a `fault` that does."""
    return f"{kind} {batch}\n" + "\n".join(BATCHES[batch])


class HostileChatbot:
    """Answers what `question_for` asks."""

    def __init__(self, widget_origins: tuple[str, ...] = ()) -> None:
        self.settings = Settings(
            answerer="extractive",
            maximum_question_characters=20_000,
            widget_origins=widget_origins,
            visitor_requests="",
        )

    def stream(
        self,
        question: str,
        history: Sequence[Turn] = (),
        *,
        question_id: str | None = None,
        cancel: threading.Event | None = None,
    ) -> Iterator[Event]:
        del history, cancel
        asked = re.match(r"(\w+) (\d+)", question)
        assert asked is not None, question
        kind, payloads = asked[1], BATCHES[int(asked[2])]
        standalone = f"In other words: {' '.join(payloads)}"
        yield Understood(standalone, changed=True)
        if kind == "fault":
            raise FootnoteError(" ".join(payloads))
        citations = tuple(_cite(number, payload) for number, payload in enumerate(payloads, start=1))
        yield EvidenceFound(citations)
        if kind == "refusal":
            refusal = Refusal(
                reason="not_in_documents", message=" ".join(payloads), nearest=citations, options=tuple(payloads)
            )
            yield Finished(answer(question_id or "q", question, standalone=standalone, refusal=refusal))
            return
        statements = [
            (Statement(text=_FOOTNOTE.sub(r"［\1］", one.quote), citations=(one.number,), support="supported"), (one,))
            for one in citations
        ]
        for statement, cited in statements:
            yield StatementReady(statement, cited)
        yield Finished(answer(question_id or "q", question, standalone=standalone, statements=statements))

    @property
    def library(self) -> Self:
        return self

    def document(self, document_id: str) -> Document | None:
        return DOCUMENTS.get(document_id)

    def contents(self, words: str = "", start: int = 0, count: int = 40) -> Contents:
        found = [TitledDocument(payload, payload) for payload in PAYLOADS if words in payload][start:]
        return Contents(len(PAYLOADS), tuple(found[:count]), len(found) > count, None)

    def example_questions(self) -> tuple[str, ...]:
        return BATCHES[0]

    def close(self) -> None:
        pass


def _cite(number: int, payload: str) -> Citation:
    return Citation(
        number=number,
        document_id=payload,
        title=payload,
        page=None,
        start=len(_BEFORE),
        end=len(_BEFORE) + len(payload),
        quote=payload,
    )

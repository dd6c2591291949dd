"""The page's stream: from a question in the box to the rendered parts of its answer, as they become ready."""

from __future__ import annotations

import logging
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from contextlib import aclosing
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from bot.answer.conversation import MAXIMUM_TURNS, Turn
from bot.answer.events import Event, EvidenceFound, Finished, StatementReady, Understood
from bot.chatbot import Chatbot
from bot.storage.answers import Origin
from bot.web.answer_service import (
    LONGEST_QUEUE_OF_ONE,
    AnswerService,
    CallerQueueFullError,
    QueueFullError,
    ServerStoppingError,
    Waiting,
)
from bot.web.page import render_html as render
from bot.web.page.language import Texts, choose_language
from index.errors import FootnoteError

logger = logging.getLogger(__name__)

PagePart = dict[str, Any]


class PageQuestion(BaseModel):
    """What the page sends with a question. It comes from a browser, so it is validated and bounded."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    turn: str = Field(max_length=64)
    language: Literal["en", "zh-Hant", "zh-Hans"] = "en"
    conversation: str = Field(default="", max_length=64)
    history: tuple[Turn, ...] = Field(default=(), max_length=2 * MAXIMUM_TURNS)


class PageStream:
    """Answers the page's questions through the answer service, and renders the events."""

    def __init__(self, chatbot: Chatbot, service: AnswerService) -> None:
        self._chatbot = chatbot
        self._service = service

    async def ask(self, question: str, request: object, visitor: str = "", caller: str = "") -> AsyncIterator[PagePart]:
        """Yield what the page should show so far: the `turn` it belongs to, and all `parts` up to now.

        Each value contains all earlier parts, so the page loses nothing when it skips one.

        Args:
            question: As typed.
            request: What the page sent with it, not validated yet.
            visitor: Whose answer it is, for the record.
            caller: Whom the queue is fair to.
        """
        if not question.strip():
            return
        try:
            asked = PageQuestion.model_validate(request)
        except ValidationError:
            logger.warning("a question came with an unusable request and is not answered")
            yield _unusable(request)
            return
        parts: list[PagePart] = []
        arriving = self._parts(question, asked, choose_language(asked.language), visitor, caller)
        with self._service.under_way():
            async with aclosing(arriving):
                async for part in arriving:
                    if part is not None:
                        parts.append(part)
                    yield {"turn": asked.turn, "parts": list(parts)}

    async def _parts(
        self, question: str, asked: PageQuestion, texts: Texts, visitor: str, caller: str
    ) -> AsyncGenerator[PagePart | None, None]:
        origin = Origin("page", asked.conversation, visitor)
        try:
            async with aclosing(self._service.events(question, asked.history, origin, caller)) as events:
                async for event in events:
                    for part in self._render(event, texts):
                        yield part
        except QueueFullError:
            yield _fault(texts("line_full"), texts)
        except CallerQueueFullError:
            yield _fault(texts("own_line_full", count=LONGEST_QUEUE_OF_ONE), texts)
        except ServerStoppingError:
            yield _fault(texts("stopping"), texts)
        except FootnoteError as error:
            yield _fault(str(error), texts)
        except Exception:  # the edge of the application: the log has the traceback, the reader a sentence
            logger.exception("an answer failed")
            yield _fault(texts("fault"), texts)

    def _render(self, event: Waiting | Event | None, texts: Texts) -> Iterator[PagePart | None]:
        match event:
            case None:
                yield None
            case Waiting(position):
                yield _status(texts("waiting", position=position) if position else texts("searching"), texts)
            case Understood(standalone_question, changed):
                if changed:
                    yield {"slot": "understood", "html": render.render_understood(standalone_question, texts)}
            case EvidenceFound(passages):
                if passages:
                    yield _status(texts.count("reading", len(passages)), texts)
                    yield {"slot": "evidence", "html": render.render_evidence(passages, texts)}
            case StatementReady(statement, citations):
                yield {"slot": "statement", "html": render.render_statement(statement, citations, texts)}
            case Finished(answer=answer):
                html = render.render_answer(answer, texts, render.title_lookup(self._chatbot))
                yield {"slot": "answer", "answer": answer.model_dump(mode="json"), **html}


def _unusable(request: object) -> PagePart:
    """Return a fault for an invalid request, of which at most the turn and the language are read."""
    said = {key: value for key, value in request.items() if isinstance(value, str)} if isinstance(request, dict) else {}
    texts = choose_language(said.get("language"))
    return {"turn": said.get("turn", "")[:64], "parts": [_fault(texts("unusable"), texts)]}


def _status(words: str, texts: Texts) -> PagePart:
    return {"slot": "status", "html": render.render_status(words, texts)}


def _fault(words: str, texts: Texts) -> PagePart:
    return {"slot": "fault", "html": render.render_fault(words, texts)}

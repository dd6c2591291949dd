"""Questions that arrive by the API: queued with those of the page, with the API's errors."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing

from fastapi import Request

from bot.answer.answer import Answer
from bot.answer.conversation import Turn
from bot.answer.events import Event, Finished
from bot.storage.answers import Origin
from bot.web.answer_service import (
    LONGEST_QUEUE_OF_ONE,
    AnswerService,
    CallerQueueFullError,
    QueueFullError,
    ServerStoppingError,
    Waiting,
)
from bot.web.api.errors import ApiError, ErrorDetails

_RETRY = {"Retry-After": "5"}


class AnswerRequests:
    """Has the answer service answer requests of the API."""

    def __init__(self, service: AnswerService) -> None:
        self._service = service
        self.under_way = service.under_way

    async def events(
        self, request: Request, question: str, history: Sequence[Turn]
    ) -> AsyncGenerator[Waiting | Event | None, None]:
        """Yield what `AnswerService.events` does for an authenticated request.

        Raises:
            ApiError: The queue is full, or the server stops.
            FootnoteError: The index cannot be used.
        """
        if self._service.stopping:
            raise _stopping()
        origin, caller = Origin("api", visitor=request.state.key), request.state.caller
        try:
            async with aclosing(self._service.events(question, history, origin, caller)) as events:
                async for event in events:
                    yield event
        except QueueFullError as error:
            raise ApiError(503, _details("Too many questions are waiting.", "line_full"), _RETRY) from error
        except CallerQueueFullError as error:
            message = f"{LONGEST_QUEUE_OF_ONE} of your questions are waiting already."
            raise ApiError(429, _details(message, "own_line_full", "rate_limit_error"), _RETRY) from error
        except ServerStoppingError as error:
            raise _stopping() from error

    async def answer(self, request: Request, question: str, history: Sequence[Turn] = ()) -> Answer:
        """Return the answer.

        Raises:
            ApiError: The queue is full, the server stops, or the caller has disconnected.
            FootnoteError: The index cannot be used.
        """
        with self.under_way():
            async with aclosing(self.events(request, question, history)) as events:
                async for event in events:
                    if isinstance(event, Finished):
                        return event.answer
                    if not isinstance(event, Event) and await request.is_disconnected():
                        break
        raise ApiError(499, _details("The caller has left.", "left"))


def _stopping() -> ApiError:
    return ApiError(503, _details("The server stops: ask again in a moment.", "stopping"), _RETRY)


def _details(message: str, code: str, kind: str = "server_error") -> ErrorDetails:
    return ErrorDetails(message=message, type=kind, code=code)

"""Questions of programs: in one line with those of readers, and given up when the program has left."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing

from fastapi import Request

from bot.answer.answer import Answer
from bot.answer.conversation import Turn
from bot.answer.events import Event, Finished
from bot.storage.answers import Origin
from bot.web.answer_service import (
    LONGEST_LINE_OF_ONE,
    Answering,
    BrokenOffError,
    LineFullError,
    OwnLineFullError,
    Waiting,
)
from bot.web.api.errors import ApiError, ErrorDetails

_AGAIN = {"Retry-After": "5"}


class Turns:
    """Has questions answered.

    Args:
        answering: Answers readers and programs.
    """

    def __init__(self, answering: Answering) -> None:
        self._answering = answering
        self.under_way = answering.under_way

    async def events(
        self, request: Request, question: str, history: Sequence[Turn]
    ) -> AsyncGenerator[Waiting | Event | None, None]:
        """Yield what `Answering.events` does for a caller whom the door has let in.

        Raises:
            ApiError: The line is full, or the server stops.
            FootnoteError: The index cannot be used.
        """
        if self._answering.stopping:
            raise _stopping()
        origin, caller = Origin("api", visitor=request.state.key), request.state.caller
        try:
            async with aclosing(self._answering.events(question, history, origin, caller)) as events:
                async for event in events:
                    yield event
        except LineFullError as error:
            raise ApiError(503, _details("Too many questions are waiting.", "line_full"), _AGAIN) from error
        except OwnLineFullError as error:
            message = f"{LONGEST_LINE_OF_ONE} of your questions are waiting already."
            raise ApiError(429, _details(message, "own_line_full", "rate_limit_error"), _AGAIN) from error
        except BrokenOffError as error:
            raise _stopping() from error

    async def answer(self, request: Request, question: str, history: Sequence[Turn] = ()) -> Answer:
        """Return the answer.

        Raises:
            ApiError: The line is full, the server stops, or the caller has left.
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
    return ApiError(503, _details("The server stops: ask again in a moment.", "stopping"), _AGAIN)


def _details(message: str, code: str, kind: str = "server_error") -> ErrorDetails:
    return ErrorDetails(message=message, type=kind, code=code)

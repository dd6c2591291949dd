"""The queue of answers to check: filters, search, taking the next one.

The filter is part of every address below the queue, so that "next" means the next answer of the same filter.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from datetime import date
from typing import get_args

from fastapi import APIRouter, Request, Response

from bot.staff.review.quality import estimate_quality
from bot.staff.review.queue import QueueFilter, State, read_queue, take_next
from bot.storage.review_items import Reason
from bot.web.staff.staff_page import StaffServices, redirect_to, session_of, show

_STATES: tuple[State, ...] = get_args(State)
_KINDS = ("answer", "refusal", "small_talk")
_RATINGS = ("up", "down", "none")
_TEXTS = ("kind", "language", "document", "rating", "assignee", "words")
_LONGEST = 300


def queue_routes(services: StaffServices) -> APIRouter:
    """Return the routes of the queue."""
    router = APIRouter()

    @router.get("")
    def queue(request: Request, nothing: str = "", page: str = "1") -> Response:
        wanted = filter_of(request)
        number = int(page) if page.isdecimal() and len(page) < 9 else 1
        return show(
            request,
            "review.html",
            asked=wanted,
            query=query_of(request),
            page=read_queue(services.engine, wanted, number),
            reasons=tuple(Reason),
            states=_STATES,
            kinds=_KINDS,
            ratings=_RATINGS,
            nothing=bool(nothing),
            quality=estimate_quality(services.engine) if wanted.reason is Reason.SAMPLE else None,
        )

    @router.post("/next")
    def take_the_next(request: Request) -> Response:
        found = take_next(services.engine, filter_of(request), session_of(request).account)
        return redirect_to(f"review/{found}", **query_of(request)) if found else redirect_to("review", nothing="yes")

    return router


def filter_of(request: Request) -> QueueFilter:
    """Return the filter in an address; values that are unknown or malformed are left out."""
    query: Mapping[str, str] = request.query_params
    states: dict[str, State] = {state: state for state in _STATES}
    return QueueFilter(
        state=states.get(query.get("state", ""), "open"),
        reason=next((one for one in Reason if one.name and one.name.lower() == query.get("reason")), None),
        since=_day(query.get("since", "")),
        until=_day(query.get("until", "")),
        **{name: query.get(name, "").strip()[:_LONGEST] for name in _TEXTS},
    )


def query_of(request: Request) -> dict[str, str]:
    """Return the filter in an address as a query for another one, without what is empty."""
    wanted = filter_of(request)
    written = {
        "state": "" if wanted.state == "open" else wanted.state,
        "reason": wanted.reason.name.lower() if wanted.reason and wanted.reason.name else "",
        "since": wanted.since.isoformat() if wanted.since else "",
        "until": wanted.until.isoformat() if wanted.until else "",
        **{name: getattr(wanted, name) for name in _TEXTS},
    }
    return {name: value for name, value in written.items() if value}


def _day(text: str) -> date | None:
    with suppress(ValueError):
        return date.fromisoformat(text)
    return None

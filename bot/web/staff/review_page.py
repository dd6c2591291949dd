"""The queue of answers to check: filters, search, taking the next one. What is below it hangs on here."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from bot.staff.review.quality import estimate_quality
from bot.staff.review.queue import read_page, take_next
from bot.storage.review_items import ALL_REASONS, Reason
from bot.web.staff.desk import Desk, go_to, session_of, show
from bot.web.staff.review_item import STATES, asked_of, item_routes, page_of, to_query
from bot.web.staff.review_outcome import outcome_routes
from bot.web.staff.review_source import source_routes

_KINDS = ("answer", "refusal", "small_talk")
_RATINGS = ("up", "down", "none")


def review_routes(desk: Desk) -> APIRouter:
    """Return the routes of the part."""
    router = APIRouter()

    @router.get("")
    def queue(request: Request, nothing: str = "") -> Response:
        asked = asked_of(request.query_params)
        return show(
            request,
            "review.html",
            asked=asked,
            query=to_query(asked),
            page=read_page(desk.engine, asked, page_of(request.query_params)),
            reasons=ALL_REASONS,
            states=STATES,
            kinds=_KINDS,
            ratings=_RATINGS,
            nothing=bool(nothing),
            quality=estimate_quality(desk.engine) if asked.reason is Reason.SAMPLE else None,
        )

    @router.post("/next")
    def take_the_next(request: Request) -> Response:
        asked = asked_of(request.query_params)
        found = take_next(desk.engine, asked, session_of(request).account)
        return go_to(f"review/{found}", **to_query(asked)) if found else go_to("review", nothing="yes")

    for part in (source_routes, item_routes, outcome_routes):
        router.include_router(part(desk))
    return router

"""Golden questions from verdicts: what waits for a second person, and what became of the others."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from bot.review.golden import confirm, decline, proposals
from bot.web.staff.desk import Desk, go_to, session_of, show
from bot.web.staff.review_outcome import suite_of


def golden_routes(desk: Desk) -> APIRouter:
    """Return the routes of the page."""
    router = APIRouter()

    @router.get("")
    def golden(request: Request) -> Response:
        second = desk.settings.golden_second_person
        listed = proposals(desk.engine)
        return show(request, "golden.html", proposals=listed, suite=suite_of(desk.settings), second=second)

    @router.post("/{proposal_id}/confirm")
    def confirm_question(request: Request, proposal_id: int) -> Response:
        confirm(desk.engine, proposal_id, session_of(request).account)
        return go_to("golden")

    @router.post("/{proposal_id}/decline")
    def decline_question(request: Request, proposal_id: int) -> Response:
        decline(desk.engine, proposal_id, session_of(request).account)
        return go_to("golden")

    return router

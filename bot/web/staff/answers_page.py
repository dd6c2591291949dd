"""Golden questions from verdicts: what waits for a second person, and what became of the others.

Approved answers: which are shown, which were withdrawn and why, and what staff have to look at again.
"""

from __future__ import annotations

from fastapi import APIRouter, HTTPException, Request, Response

from bot.staff.approved.store import ApprovedAnswers, finish_task, open_tasks
from bot.staff.review.golden import confirm, decline, proposals
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


def approved_routes(desk: Desk) -> APIRouter:
    """Return the routes of the page."""
    router = APIRouter()
    store = ApprovedAnswers(desk.engine)

    @router.get("")
    def approved(request: Request) -> Response:
        return show(request, "approved.html", tasks=open_tasks(desk.engine), answers=store.all())

    @router.post("/{approved_id}/withdraw")
    def withdraw(request: Request, approved_id: str) -> Response:
        if store.find(approved_id) is None:
            raise HTTPException(404)
        store.withdraw(approved_id, session_of(request).account)
        return go_to("approved")

    @router.post("/tasks/{task_id}/done")
    def done(request: Request, task_id: int) -> Response:
        finish_task(desk.engine, task_id, session_of(request).account)
        return go_to("approved")

    return router

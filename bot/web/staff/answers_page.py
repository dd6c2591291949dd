"""Two lists of what verdicts led to: golden questions, and approved answers with the tasks of those withdrawn."""

from __future__ import annotations

from fastapi import APIRouter, HTTPException, Request, Response

from bot.staff.approved.approved_answers import ApprovedAnswers, finish_task, open_tasks
from bot.staff.review.golden_proposals import confirm_proposal, decline_proposal, proposals
from bot.web.staff.review_item import suite_of
from bot.web.staff.staff_page import StaffServices, redirect_to, session_of, show


def golden_routes(services: StaffServices) -> APIRouter:
    """Return the routes of the page."""
    router = APIRouter()

    @router.get("")
    def golden(request: Request) -> Response:
        second = services.settings.golden_second_person
        listed = proposals(services.engine)
        return show(request, "golden.html", proposals=listed, suite=suite_of(services.settings), second=second)

    @router.post("/{proposal_id}/confirm")
    def confirm_question(request: Request, proposal_id: int) -> Response:
        confirm_proposal(services.engine, proposal_id, session_of(request).account)
        return redirect_to("golden")

    @router.post("/{proposal_id}/decline")
    def decline_question(request: Request, proposal_id: int) -> Response:
        decline_proposal(services.engine, proposal_id, session_of(request).account)
        return redirect_to("golden")

    return router


def approved_routes(services: StaffServices) -> APIRouter:
    """Return the routes of the page."""
    router = APIRouter()
    store = ApprovedAnswers(services.engine)

    @router.get("")
    def approved(request: Request) -> Response:
        return show(request, "approved.html", tasks=open_tasks(services.engine), answers=store.all())

    @router.post("/{approved_id}/withdraw")
    def withdraw(request: Request, approved_id: str) -> Response:
        if store.find(approved_id) is None:
            raise HTTPException(404)
        store.withdraw(approved_id, session_of(request).account)
        return redirect_to("approved")

    @router.post("/tasks/{task_id}/done")
    def done(request: Request, task_id: int) -> Response:
        finish_task(services.engine, task_id, session_of(request).account)
        return redirect_to("approved")

    return router

"""Approved answers: which are shown, which were withdrawn and why, and what staff have to look at again."""

from __future__ import annotations

from fastapi import APIRouter, HTTPException, Request, Response

from bot.approved.store import ApprovedAnswers
from bot.approved.tasks import finish_task, open_tasks
from bot.web.staff.desk import Desk, go_to, session_of, show


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

"""The lists that staff work through: the queue of answers to check, golden questions, and approved answers.

The filter of the queue is part of every address below it, so that "next" means the next answer of the same filter.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from datetime import date
from typing import get_args

from fastapi import APIRouter, HTTPException, Request, Response

from bot.staff.approved_answers import ApprovedAnswers, finish_task, open_tasks
from bot.staff.review.golden_proposals import confirm_proposal, decline_proposal, proposals, suite_of
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


def golden_routes(services: StaffServices) -> APIRouter:
    """Return the routes of the list of golden questions."""
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
    """Return the routes of the list of approved answers."""
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

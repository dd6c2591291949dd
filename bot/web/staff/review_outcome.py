"""What a verdict does: a golden question, an approved answer; and the same question asked again today."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, Form, Request, Response

from bot.answer.errors import ReviewError
from bot.settings import Settings
from bot.staff.approved.store import ApprovedAnswers
from bot.staff.review.golden import golden_entry, propose, read_expected
from bot.staff.review.replay import compare
from bot.staff.review.verdicts import latest_of_each, verdicts_of
from bot.web.staff.desk import Desk, session_of, show
from bot.web.staff.review_item import asked_of, back_to, find_recorded, to_query


def outcome_routes(desk: Desk) -> APIRouter:
    """Return the routes below one answer."""
    router = APIRouter()

    @router.post("/{answer_id}/golden")
    def make_golden(request: Request, answer_id: str, expect: Annotated[str, Form()] = "") -> Response:
        recorded, me = find_recorded(desk, answer_id), session_of(request).account
        verdicts = latest_of_each(verdicts_of(desk.engine, recorded.id))
        mine = next((one for one in verdicts if one.reviewer == me), None)
        if mine is None:
            raise ReviewError("A golden question comes from your verdict: judge the answer first.")
        entry = golden_entry(recorded, mine.judgement, read_expected(expect))
        second = desk.settings.golden_second_person
        propose(desk.engine, recorded.id, entry, suite_of(desk.settings), me, second=second)
        return back_to(request, answer_id, saved="golden")

    @router.post("/{answer_id}/approve")
    def approve(request: Request, answer_id: str, question: Annotated[str, Form(max_length=2_000)] = "") -> Response:
        recorded, me = find_recorded(desk, answer_id), session_of(request).account
        verdicts = latest_of_each(verdicts_of(desk.engine, recorded.id))
        if not any(one.reviewer == me and one.judgement.verdict == "right" for one in verdicts):
            raise ReviewError("Only an answer that you found right can be approved: judge the answer first.")
        ApprovedAnswers(desk.engine).approve(recorded, me, desk.chatbot.document, question)
        return back_to(request, answer_id, saved="approved")

    @router.post("/{answer_id}/replay")
    def replay(request: Request, answer_id: str) -> Response:
        recorded = find_recorded(desk, answer_id)
        traced = desk.chatbot.trace(recorded.answer.question, recorded.history)
        return show(
            request,
            "review_replay.html",
            recorded=recorded,
            now=traced,
            replay=compare(recorded.answer, traced.answer, desk.chatbot.document),
            query=to_query(asked_of(request.query_params)),
        )

    return router


def suite_of(settings: Settings) -> Path:
    """Return the suite that golden questions of staff are added to."""
    return settings.golden_suite or settings.data_dir / "suites" / "staff.yaml"

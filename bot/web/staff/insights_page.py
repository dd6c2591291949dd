"""The page of insights: what people ask in vain, trends, documents that nothing cites, thresholds."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Depends, Form, Query, Request, Response

from bot.insight.overview import COLUMNS, gather
from bot.insight.thresholds import threshold_effects
from bot.records.audit import audit
from bot.web.staff.desk import Desk, go_to, session_of, show
from bot.web.staff.export import Format, download
from bot.web.staff.guard import require

_WEEKS = 8
Weeks = Annotated[int, Query(ge=1, le=104)]


def insight_routes(desk: Desk) -> APIRouter:
    """Return the routes of the page."""
    router = APIRouter()

    @router.get("")
    def insights(request: Request, weeks: Weeks = _WEEKS, chosen: str = "") -> Response:
        found = gather(desk.engine, desk.chatbot.embed, _since(weeks))
        judged, effects = threshold_effects(found.questions, desk.settings.review_sample)
        return show(
            request,
            "insights.html",
            found=found,
            weeks=weeks,
            judged=judged,
            effects=effects,
            threshold=desk.settings.refusal_threshold,
            chosen=chosen,
        )

    @router.get("/export/{form}")
    def export(request: Request, form: Format, weeks: Weeks = _WEEKS) -> Response:
        found = gather(desk.engine, desk.chatbot.embed, _since(weeks))
        with desk.engine.begin() as connection:
            audit(connection, session_of(request).account, "insights.export", form, after={"weeks": weeks})
        return download("asked-in-vain", form, COLUMNS, found.rows())

    @router.post("/threshold", dependencies=[Depends(require("admin"))])
    def choose_threshold(request: Request, threshold: Annotated[float, Form(ge=0, le=1)]) -> Response:
        before = {"refusal_threshold": desk.settings.refusal_threshold}
        with desk.engine.begin() as connection:
            after = {"refusal_threshold": threshold}
            audit(connection, session_of(request).account, "threshold.choose", "refusal_threshold", before, after)
        return go_to("insights", chosen=f"{threshold:g}")

    return router


def _since(weeks: int) -> datetime:
    return datetime.now(UTC) - timedelta(weeks=weeks)

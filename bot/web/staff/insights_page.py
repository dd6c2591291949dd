"""The digest: what people asked in vain, as one HTML file that needs no network and prints well.

The page of insights: what people ask in vain, trends, documents that nothing cites, thresholds.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, Depends, Form, Query, Request, Response
from markupsafe import Markup

from bot.answer.errors import ReviewError
from bot.staff.insight.overview import CANDIDATES, COLUMNS, Effect, Insights, gather, threshold_effects
from bot.staff.insight.questions import questions_since
from bot.storage.audit import audit
from bot.storage.threshold import RefusalThreshold
from bot.web.staff.authentication import require
from bot.web.staff.desk import STAFF_TEXTS, Desk, environment, go_to, session_of, show
from bot.web.staff.export import Format, download

_WEB = Path(__file__).parent.parent
_STYLES = (_WEB / "page/static/type.css", _WEB / "staff/static/desk.css", _WEB / "staff/static/insights.css")


def render_digest(found: Insights) -> str:
    """Return the digest of a stretch of time."""
    style = Markup("\n".join(path.read_text("utf-8") for path in _STYLES))  # noqa: S704  our own style sheets
    return environment.get_template("digest.html").render(t=STAFF_TEXTS["en"], found=found, style=style)


_WEEKS = 8
Weeks = Annotated[int, Query(ge=1, le=104)]


def insight_routes(desk: Desk) -> APIRouter:
    """Return the routes of the page."""
    router = APIRouter()
    threshold = RefusalThreshold(desk.engine, desk.settings)

    @router.get("")
    def insights(request: Request, weeks: Weeks = _WEEKS, wanted: str = "", applied: str = "") -> Response:
        found = gather(desk.engine, desk.chatbot.library.embed, _since(weeks))
        now, asked_for = threshold.value(), _to_threshold(wanted)
        extra = {now} if asked_for is None else {now, asked_for}
        judged, effects = threshold_effects(found.questions, desk.settings.review_sample, sorted({*CANDIDATES, *extra}))
        return show(
            request,
            "insights.html",
            found=found,
            weeks=weeks,
            judged=judged,
            effects=effects,
            by_threshold={effect.threshold: effect for effect in effects},
            fewest=_fewest_errors(effects, now),
            now=now,
            wanted=asked_for,
            is_set=threshold.is_set,
            choice=threshold.choice(),
            applied=bool(applied),
        )

    @router.get("/export/{form}")
    def export(request: Request, form: Format, weeks: Weeks = _WEEKS) -> Response:
        found = gather(desk.engine, desk.chatbot.library.embed, _since(weeks))
        with desk.engine.begin() as connection:
            audit(connection, session_of(request).account, "insights.export", form, after={"weeks": weeks})
        return download("asked-in-vain", form, COLUMNS, found.rows())

    @router.post("/threshold", dependencies=[Depends(require("admin"))])
    def apply_threshold(
        request: Request,
        wanted: Annotated[float, Form(ge=0, le=1)],
        weeks: Annotated[int, Form(ge=1, le=104)] = _WEEKS,
    ) -> Response:
        judged, _ = threshold_effects(questions_since(desk.engine, _since(weeks)), desk.settings.review_sample)
        if not judged:
            raise ReviewError("No verdict says what this threshold would do: check some answers of the random sample.")
        threshold.choose(session_of(request).account, wanted)
        return go_to("insights", weeks=str(weeks), applied="yes")

    return router


def _fewest_errors(effects: Sequence[Effect], now: float) -> Effect | None:
    """Return what has the fewest errors of both kinds together; of equal ones that which is nearest to now."""

    def errors(effect: Effect) -> tuple[float, float]:
        return effect.wrong_shown.share + effect.right_refused.share, abs(effect.threshold - now)

    return min(effects, key=errors, default=None)


def _to_threshold(written: str) -> float | None:
    """Return what somebody typed as a threshold; None for what is none."""
    with suppress(ValueError):
        if 0 <= (value := float(written.replace(",", "."))) <= 1:
            return value
    return None


def _since(weeks: int) -> datetime:
    return datetime.now(UTC) - timedelta(weeks=weeks)

"""The page of insights, and the digest: the same as one HTML file that needs no network and prints well."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, Depends, Form, Query, Request, Response
from markupsafe import Markup

from bot.answer.errors import ReviewError
from bot.staff.insights import COLUMNS, Insights, gather, questions_since
from bot.staff.review.quality import CANDIDATES, Effect, threshold_effects
from bot.storage.audit import audit
from bot.storage.threshold import RefusalThreshold
from bot.web.staff.authentication import require
from bot.web.staff.staff_page import (
    STAFF_TEXTS,
    StaffServices,
    TableFormat,
    download,
    environment,
    redirect_to,
    session_of,
    show,
)

_WEB = Path(__file__).parent.parent
_STYLES = (_WEB / "page/static/type.css", _WEB / "staff/static/desk.css", _WEB / "staff/static/insights.css")
_WEEKS = 8
_Weeks = Annotated[int, Query(ge=1, le=104)]


def render_digest(found: Insights) -> str:
    """Return the digest of a stretch of time."""
    style = Markup("\n".join(path.read_text("utf-8") for path in _STYLES))  # noqa: S704  our own style sheets
    return environment.get_template("digest.html").render(t=STAFF_TEXTS["en"], found=found, style=style)


def insight_routes(services: StaffServices) -> APIRouter:
    """Return the routes of the page."""
    router = APIRouter()
    threshold = RefusalThreshold(services.engine, services.settings)

    @router.get("")
    def insights(request: Request, weeks: _Weeks = _WEEKS, wanted: str = "", applied: str = "") -> Response:
        found = gather(services.engine, services.chatbot.library.embed, _since(weeks))
        now, asked_for = threshold.value(), _to_threshold(wanted)
        extra = {now} if asked_for is None else {now, asked_for}
        judged, effects = threshold_effects(
            found.questions, services.settings.review_sample, sorted({*CANDIDATES, *extra})
        )
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
    def export(request: Request, form: TableFormat, weeks: _Weeks = _WEEKS) -> Response:
        found = gather(services.engine, services.chatbot.library.embed, _since(weeks))
        with services.engine.begin() as connection:
            audit(connection, session_of(request).account, "insights.export", form, after={"weeks": weeks})
        return download("asked-in-vain", form, COLUMNS, found.rows())

    @router.post("/threshold", dependencies=[Depends(require("admin"))])
    def apply_threshold(
        request: Request,
        wanted: Annotated[float, Form(ge=0, le=1)],
        weeks: Annotated[int, Form(ge=1, le=104)] = _WEEKS,
    ) -> Response:
        judged, _ = threshold_effects(questions_since(services.engine, _since(weeks)), services.settings.review_sample)
        if not judged:
            raise ReviewError("No verdict says what this threshold would do: check some answers of the random sample.")
        threshold.choose(session_of(request).account, wanted)
        return redirect_to("insights", weeks=str(weeks), applied="yes")

    return router


def _fewest_errors(effects: Sequence[Effect], now: float) -> Effect | None:
    """Return the effect with the fewest errors of both kinds together; of equal ones the nearest to the threshold."""

    def errors(effect: Effect) -> tuple[float, float]:
        return effect.wrong_shown.share + effect.right_refused.share, abs(effect.threshold - now)

    return min(effects, key=errors, default=None)


def _to_threshold(written: str) -> float | None:
    """Return a threshold as it was typed; None for anything else."""
    with suppress(ValueError):
        if 0 <= (value := float(written.replace(",", "."))) <= 1:
            return value
    return None


def _since(weeks: int) -> datetime:
    return datetime.now(UTC) - timedelta(weeks=weeks)

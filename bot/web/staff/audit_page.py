"""The page of the audit, for admins: filters, pages, export. Nothing on it changes anything."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from datetime import UTC, date, datetime, timedelta
from typing import Any

from fastapi import APIRouter, Request, Response

from bot.storage.audit import audit_actions, audit_entries
from bot.web.staff.staff_page import StaffServices, TableFormat, download, show

_A_PAGE = 100
_COLUMNS = ("at", "actor", "action", "subject", "before", "after", "id")


def audit_routes(services: StaffServices) -> APIRouter:
    """Return the routes of the page."""
    router = APIRouter()

    @router.get("")
    def entries(
        request: Request, actor: str = "", action: str = "", since: str = "", until: str = "", older: str = ""
    ) -> Response:
        chosen = _chosen(actor, action, since, until)
        before = int(older) if older.isdecimal() else None
        with services.engine.connect() as connection:
            found = list(audit_entries(connection, **chosen, before_id=before, limit=_A_PAGE + 1))
            actors, actions = audit_actions(connection)
        asked = {"actor": actor, "action": action, "since": since, "until": until}
        shown, more = found[:_A_PAGE], len(found) > _A_PAGE
        return show(request, "audit.html", entries=shown, more=more, asked=asked, actors=actors, actions=actions)

    @router.get("/export")
    def export(
        form: TableFormat = "csv", actor: str = "", action: str = "", since: str = "", until: str = ""
    ) -> Response:
        def rows() -> Iterator[dict[str, Any]]:
            with services.engine.connect() as connection:
                for entry in audit_entries(connection, **_chosen(actor, action, since, until)):
                    yield {**asdict(entry), "at": entry.at.isoformat()}

        return download("footnote-audit", form, _COLUMNS, rows())

    return router


def _chosen(actor: str, action: str, since: str, until: str) -> dict[str, Any]:
    last = _day(until)
    return {
        "actor": actor,
        "action": action,
        "since": _day(since),
        "until": last + timedelta(days=1) if last else None,
    }


def _day(written: str) -> datetime | None:
    """Return the beginning of a day (UTC); None for what is no day."""
    try:
        return datetime.combine(date.fromisoformat(written), datetime.min.time(), UTC)
    except ValueError:
        return None

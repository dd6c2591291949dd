"""Requests of readers about their data: staff look it up, hand it over, or delete it."""

from __future__ import annotations

import json
from typing import Annotated

import sqlalchemy as sa
from fastapi import APIRouter, Form, Request, Response

from bot.answer.errors import AccountError
from bot.storage.answers import delete_visitor, delete_with_conversation, visitor_data
from bot.storage.audit import audit
from bot.storage.schema import ANSWERS
from bot.web.staff.staff_page import StaffServices, redirect_to, session_of, show


def privacy_routes(services: StaffServices) -> APIRouter:
    """Return the routes of the page."""
    router = APIRouter()

    @router.get("")
    def look_up(request: Request, reference: str = "", deleted: str = "") -> Response:
        """Show what a reference stands for: the id of an answer, or a visitor."""
        reference = reference.strip()
        found = services.records.find(reference) if reference else None
        visitor = found.origin.visitor if found else reference
        return show(
            request,
            "privacy.html",
            reference=reference,
            answer=found,
            in_conversation=_count(services, found.origin.conversation, visitor) if found else 0,
            visitor=visitor,
            of_visitor=len(services.records.of_visitor(visitor)),
            deleted=deleted if deleted.isdecimal() else "",
        )

    @router.post("/conversation")
    def delete_one(request: Request, answer: Annotated[str, Form()]) -> Response:
        count = delete_with_conversation(services.engine, session_of(request).account, answer)
        return redirect_to("privacy", deleted=str(count))

    @router.post("/visitor")
    def delete_all(request: Request, visitor: Annotated[str, Form()]) -> Response:
        count = delete_visitor(services.engine, session_of(request).account, visitor)
        return redirect_to("privacy", deleted=str(count))

    @router.post("/export")
    def export(request: Request, visitor: Annotated[str, Form()]) -> Response:
        data = visitor_data(services.records, visitor)
        if not data["answers"]:
            raise AccountError("Nothing is kept of this visitor.")
        with services.engine.begin() as connection:
            count = {"answers": len(data["answers"])}
            audit(connection, session_of(request).account, "visitor.export", visitor, after=count)
        return Response(
            json.dumps(data, ensure_ascii=False, indent=2),
            media_type="application/json",
            headers={"content-disposition": 'attachment; filename="footnote-visitor.json"'},
        )

    return router


def _count(services: StaffServices, conversation: str, visitor: str) -> int:
    same = sa.select(sa.func.count()).where(ANSWERS.c.conversation == conversation, ANSWERS.c.visitor == visitor)
    with services.engine.connect() as connection:
        return connection.scalar(same) or 0 if conversation else 1

"""The state of each file, and the suspicious documents."""

from __future__ import annotations

from collections import Counter
from typing import Annotated, Literal

from fastapi import APIRouter, Form, Request, Response

from bot.storage.audit import audit
from bot.web.staff.staff_page import StaffServices, redirect_to, session_of, show
from index.store.files import FileRegister, FileState

_A_PAGE = 200
_STATES: tuple[FileState, ...] = ("failed", "pending", "excluded", "indexed")

Mark = Literal["retry", "exclude", "include"]


def document_routes(services: StaffServices) -> APIRouter:
    """Return the routes of the page."""
    router = APIRouter()
    files, audit_run = FileRegister(services.engine), services.document_audit

    @router.get("")
    def documents(request: Request, state: str = "", words: str = "", start: int = 0, marked: str = "") -> Response:
        records = files.records()
        counts = Counter(record.state for record in records)
        chosen = [
            record
            for record in sorted(records, key=lambda record: _STATES.index(record.state))
            if (not state or record.state == state) and words.lower() in record.source.lower()
        ]
        start = max(0, start)
        return show(
            request,
            "documents.html",
            shown=chosen[start : start + _A_PAGE],
            total=len(chosen),
            start=start,
            a_page=_A_PAGE,
            counts={name: counts[name] for name in _STATES},
            state=state,
            words=words,
            marked=marked,
        )

    @router.post("")
    def mark(
        request: Request,
        mark: Annotated[Mark, Form()],
        source: Annotated[list[str] | None, Form()] = None,
        state: Annotated[str, Form()] = "",
        words: Annotated[str, Form()] = "",
    ) -> Response:
        names = source or []
        if not names:
            return redirect_to("documents", state=state, words=words, marked="nothing")
        before = {record.source: record.state for record in files.records() if record.source in names}
        # Only known names are passed on: the register takes others for patterns.
        marking = {"retry": files.retry, "exclude": files.exclude, "include": files.include}[mark]
        done = marking(sorted(before)) if before else []
        with services.engine.begin() as connection:
            for name in done:
                was = {"state": before[name]}
                audit(connection, session_of(request).account, f"file.{mark}", name, before=was)
        return redirect_to("documents", state=state, words=words, marked=str(len(done)))

    @router.get("/suspicious")
    def suspicious(request: Request) -> Response:
        report = audit_run.report()
        return show(
            request,
            "suspicious.html",
            found=report,
            outdated=report is not None and report.fingerprint != services.chatbot.overview().fingerprint,
            running=audit_run.running,
            fault=audit_run.fault,
        )

    @router.post("/suspicious")
    def look(request: Request) -> Response:
        audit_run.start()
        return redirect_to("documents/suspicious")

    return router

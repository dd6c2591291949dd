"""The page of documents: what became of each file, and which documents staff should look at."""

from __future__ import annotations

from collections import Counter
from typing import Annotated, Literal

from fastapi import APIRouter, Form, Request, Response

from bot.storage.audit import audit
from bot.web.staff.desk import Desk, go_to, session_of, show
from index.store.files import FileRegister, FileState

_A_PAGE = 200
_STATES: tuple[FileState, ...] = ("failed", "pending", "excluded", "indexed")

Mark = Literal["retry", "exclude", "include"]


def document_routes(desk: Desk) -> APIRouter:
    """Return the routes of the page."""
    router = APIRouter()
    files, search = FileRegister(desk.engine), desk.suspicions

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
            return go_to("documents", state=state, words=words, marked="nothing")
        before = {record.source: record.state for record in files.records() if record.source in names}
        # Only names that are known: the register would take others for patterns.
        marking = {"retry": files.retry, "exclude": files.exclude, "include": files.include}[mark]
        done = marking(sorted(before)) if before else []
        with desk.engine.begin() as connection:
            for name in done:
                was = {"state": before[name]}
                audit(connection, session_of(request).account, f"file.{mark}", name, before=was)
        return go_to("documents", state=state, words=words, marked=str(len(done)))

    @router.get("/suspicious")
    def suspicious(request: Request) -> Response:
        found = search.found()
        return show(
            request,
            "suspicious.html",
            found=found,
            outdated=found is not None and found.fingerprint != desk.chatbot.overview().fingerprint,
            running=search.running,
            fault=search.fault,
        )

    @router.post("/suspicious")
    def look(request: Request) -> Response:
        search.start()
        return go_to("documents/suspicious")

    return router

"""What an address asks of the queue. It is carried from page to page, so that "next" means the next of these.

One answer, checked: with its conversation, its sources beside it, what the bot saw, and the verdicts so far.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from typing import Annotated, cast, get_args

from fastapi import APIRouter, Depends, HTTPException, Request, Response
from markupsafe import Markup
from starlette.datastructures import FormData

from bot.answer.answer import Answer, Citation
from bot.answer.errors import NewerVerdictError
from bot.staff.approved.store import ApprovedAnswers
from bot.staff.review.golden import proposals
from bot.staff.review.queue import Asked, State, find_item, hand_back, take
from bot.staff.review.replay import Fate, fate_of
from bot.staff.review.verdicts import (
    CITATION_VERDICTS_IN_ORDER,
    AnswerVerdict,
    CitationVerdict,
    Judgement,
    judge,
    latest_of_each,
    verdicts_for,
    verdicts_of,
)
from bot.storage.answers import RecordedAnswer
from bot.storage.review_items import ALL_REASONS, Reason
from bot.web.page.links import quote_check
from bot.web.staff.desk import Desk, Fault, fault_in, go_to, session_of, show, staff_texts
from bot.web.staff.review_source import from_field, show_source, to_field
from index.document import Document, Span

STATES: tuple[State, ...] = get_args(State)
_TEXTS = ("kind", "language", "document", "rating", "assignee", "words")
_LONGEST = 300


def asked_of(query: Mapping[str, str]) -> Asked:
    """Return what a query asks; what is unknown or not well written in it does not count."""
    states: dict[str, State] = {state: state for state in STATES}
    reasons = {reason.name.lower(): reason for reason in Reason if reason.name}
    texts = {name: query.get(name, "").strip()[:_LONGEST] for name in _TEXTS}
    return Asked(
        state=states.get(query.get("state", ""), "open"),
        reason=reasons.get(query.get("reason", "")),
        since=_day(query.get("since", "")),
        until=_day(query.get("until", "")),
        **texts,
    )


def to_query(asked: Asked) -> dict[str, str]:
    """Return the query that asks the same, without what does not count."""
    written = {
        "state": "" if asked.state == "open" else asked.state,
        "reason": asked.reason.name.lower() if asked.reason and asked.reason.name else "",
        "since": asked.since.isoformat() if asked.since else "",
        "until": asked.until.isoformat() if asked.until else "",
        **{name: getattr(asked, name) for name in _TEXTS},
    }
    return {name: value for name, value in written.items() if value}


def page_of(query: Mapping[str, str]) -> int:
    """Return the number of the page that is asked for."""
    number = query.get("page", "1")
    return int(number) if number.isdecimal() and len(number) < 9 else 1


def _day(text: str) -> date | None:
    with suppress(ValueError):
        return date.fromisoformat(text)
    return None


@dataclass(frozen=True, slots=True)
class Seen:
    """A place that the bot looked at, with the words that stand there now."""

    document_id: str
    title: str
    start: int
    end: int
    words: str
    score: float | None = None


class Documents:
    """Documents of one page, each looked up once."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._found: dict[str, Document | None] = {}

    def find(self, document_id: str) -> Document | None:
        """Return a document, or None."""
        if document_id not in self._found:
            self._found[document_id] = self._desk.chatbot.document(document_id)
        return self._found[document_id]

    def seen(self, document_id: str, start: int, end: int, score: float | None = None) -> Seen:
        """Return what stands at a place."""
        document = self.find(document_id)
        title = document.title if document else document_id
        words = Span(start, max(start, end)).of(document.text) if document else ""
        return Seen(document_id, title, start, end, words, score)

    def fate(self, citation: Citation) -> Fate:
        """Return what became of a cited passage."""
        return fate_of(citation, self.find(citation.document_id))

    def section(self, citation: Citation) -> str:
        """Return the heading that a citation stands under; empty for none."""
        document = self.find(citation.document_id)
        section = document.section_at(citation.start) if document else None
        return section.title if section else ""


def item_routes(desk: Desk) -> APIRouter:
    """Return the routes of one answer."""
    router = APIRouter()

    @router.get("/{answer_id}")
    def item(request: Request, answer_id: str, saved: str = "") -> Response:
        return show_item(request, find_recorded(desk, answer_id), saved=saved)

    def show_item(
        request: Request,
        recorded: RecordedAnswer,
        status: int = 200,
        *,
        saved: str = "",
        typed: Judgement | None = None,
        fault: Fault | None = None,
    ) -> Response:
        """Return the page, its form filled with what was typed or else with the last verdict of who asks."""
        found = find_item(desk.engine, recorded.id)
        assert found is not None  # goes only with its answer
        me = session_of(request).account
        verdicts = verdicts_of(desk.engine, recorded.id)
        mine = next((one for one in latest_of_each(verdicts) if one.reviewer == me), None)
        filled = typed or (mine.judgement if mine else None)
        documents = Documents(desk)
        return show(
            request,
            "review_item.html",
            status,
            item=found,
            recorded=recorded,
            answer=recorded.answer,
            citations={citation.number: citation for citation in recorded.answer.citations},
            first_use=_first_use(recorded.answer),
            documents=documents,
            source=_first_source(request, recorded.answer, documents),
            verdicts=verdicts,
            mine=mine,
            filled=filled,
            picked=[(to_field(one), one, documents.find(one.document_id)) for one in filled.passages] if filled else [],
            fault=fault,
            citation_verdicts=CITATION_VERDICTS_IN_ORDER,
            answer_verdicts=verdicts_for(recorded.answer.kind),
            approved=ApprovedAnswers(desk.engine).of_answer(recorded.id),
            proposals=proposals(desk.engine, answer_id=recorded.id),
            seen=_seen(recorded, documents),
            query=to_query(asked_of(request.query_params)),
            saved=saved,
            all_reasons=ALL_REASONS,
            is_mine=found.assignee == me,
        )

    @router.post("/{answer_id}/take")
    def take_item(request: Request, answer_id: str) -> Response:
        take(desk.engine, find_recorded(desk, answer_id).id, session_of(request).account)
        return back_to(request, answer_id)

    @router.post("/{answer_id}/back")
    def hand_item_back(request: Request, answer_id: str) -> Response:
        hand_back(desk.engine, answer_id, session_of(request).account)
        return go_to("review", **to_query(asked_of(request.query_params)))

    @router.post("/{answer_id}/verdict")
    def give_verdict(request: Request, answer_id: str, form: Annotated[FormData, Depends(_form)]) -> Response:
        recorded = find_recorded(desk, answer_id)
        judgement = _to_judgement(desk, form)
        fingerprint = desk.chatbot.overview().fingerprint
        shown = str(form.get("shown", ""))
        try:
            judge(
                desk.engine,
                recorded.answer,
                judgement,
                session_of(request).account,
                fingerprint,
                shown=int(shown[:18]) if shown.isdecimal() else None,
            )
        except NewerVerdictError as error:
            fault = fault_in(staff_texts(request), str(error))
            return show_item(request, recorded, 409, typed=judgement, fault=fault)
        return back_to(request, answer_id, saved="verdict")

    return router


def find_recorded(desk: Desk, answer_id: str) -> RecordedAnswer:
    """Return an answer that is on record; otherwise nothing is at this address."""
    recorded = desk.records.find(answer_id)
    if recorded is None:
        raise HTTPException(404)
    return recorded


def back_to(request: Request, answer_id: str, **said: str) -> Response:
    """Return the way back to an answer's page, in the same queue."""
    return go_to(f"review/{answer_id}", **to_query(asked_of(request.query_params)), **said)


async def _form(request: Request) -> FormData:
    return await request.form()


def _to_judgement(desk: Desk, form: FormData) -> Judgement:
    """Return what a form says; a verdict that it does not know is refused where it is kept."""
    citations = {
        int(number): str(value)
        for name, value in form.items()
        if (number := name.removeprefix("citation-")).isdecimal() and value in CITATION_VERDICTS_IN_ORDER
    }
    return Judgement(
        verdict=cast(AnswerVerdict, str(form.get("verdict", ""))),
        citations=cast(dict[int, CitationVerdict], citations),
        passages=tuple(from_field(desk, str(field)) for field in form.getlist("passage")),
        comment=str(form.get("comment", "")).replace("\r\n", "\n").strip(),
    )


def _first_use(answer: Answer) -> dict[int, int]:
    """Return by the number of each citation the number of the first statement, from 0, that rests on it."""
    used: dict[int, int] = {}
    for index, statement in enumerate(answer.statements):
        for number in statement.citations:
            used.setdefault(number, index)
    return used


def _first_source(request: Request, answer: Answer, documents: Documents) -> Markup | None:
    """Return the document of the first citation, or of what comes nearest to one."""
    near = answer.citations or (answer.refusal.nearest if answer.refusal else ())
    for one in near:
        if document := documents.find(one.document_id):
            place = {"start": str(one.start), "end": str(one.end), "check": quote_check(one.quote)}
            return show_source(request, document, place)
    for entry in answer.retrieved:
        if document := documents.find(entry.document_id):
            return show_source(request, document, {"start": str(entry.start), "end": str(entry.start)})
    return None


def _seen(recorded: RecordedAnswer, documents: Documents) -> dict[str, list[Seen]]:
    retrieved = [documents.seen(one.document_id, one.start, one.end, one.score) for one in recorded.answer.retrieved]
    selected = [documents.seen(*place) for place in recorded.trail.get("selected", ())]
    return {"retrieved": retrieved, "selected": selected}

"""One answer of the queue: its conversation, sources and verdicts, and what staff make of it.

From here an answer gets a verdict, becomes a golden question, is approved, or is asked again.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, cast

from fastapi import APIRouter, Depends, Form, HTTPException, Request, Response
from markupsafe import Markup
from sqlalchemy.engine import Engine
from starlette.datastructures import FormData

from bot.answer.answer import Answer, Citation
from bot.answer.errors import NewerVerdictError, ReviewError
from bot.staff.approved_answers import ApprovedAnswers
from bot.staff.review.golden_proposals import golden_entry, proposals, propose_question, read_expected, suite_of
from bot.staff.review.queue import find_item, hand_back, take
from bot.staff.review.verdicts import (
    CITATION_VERDICTS_IN_ORDER,
    AnswerVerdict,
    Assessment,
    CitationVerdict,
    latest_of_each,
    record_verdict,
    verdicts_for,
    verdicts_of,
)
from bot.storage.answer_changes import PassageState, check_passage, compare_answers
from bot.storage.answers import RecordedAnswer
from bot.storage.review_items import Reason
from bot.web.page.links import quote_check
from bot.web.staff.review_page import query_of
from bot.web.staff.review_source import from_field, show_source, to_field
from bot.web.staff.staff_page import Fault, StaffServices, fault_in, redirect_to, session_of, show, staff_texts
from index.document import Document, Span


@dataclass(frozen=True, slots=True)
class RetrievedPlace:
    """A place that the chatbot retrieved or selected, with the words that are there now."""

    document_id: str
    title: str
    start: int
    end: int
    words: str
    score: float | None = None


class CitedDocuments:
    """Documents of one page, each looked up once."""

    def __init__(self, services: StaffServices) -> None:
        self._services = services
        self._found: dict[str, Document | None] = {}

    def find(self, document_id: str) -> Document | None:
        """Return a document, or None."""
        if document_id not in self._found:
            self._found[document_id] = self._services.chatbot.document(document_id)
        return self._found[document_id]

    def place(self, document_id: str, start: int, end: int, score: float | None = None) -> RetrievedPlace:
        """Return a place with its words."""
        document = self.find(document_id)
        title = document.title if document else document_id
        words = Span(start, max(start, end)).of(document.text) if document else ""
        return RetrievedPlace(document_id, title, start, end, words, score)

    def state(self, citation: Citation) -> PassageState:
        """Return whether a cited passage is still in its document."""
        return check_passage(citation, self.find(citation.document_id)).state

    def section(self, citation: Citation) -> str:
        """Return the heading above a cited passage; empty for none."""
        document = self.find(citation.document_id)
        section = document.section_at(citation.start) if document else None
        return section.title if section else ""


def item_routes(services: StaffServices) -> APIRouter:
    """Return the routes of the page of one answer."""
    router = APIRouter()
    engine = services.engine

    def show_item(
        request: Request,
        recorded: RecordedAnswer,
        status: int = 200,
        *,
        saved: str = "",
        typed: Assessment | None = None,
        fault: Fault | None = None,
    ) -> Response:
        """Return the page, its form filled with what was typed, or else with the reviewer's last verdict."""
        found = find_item(engine, recorded.id)
        assert found is not None, "an item is deleted only with its answer"
        answer, me = recorded.answer, session_of(request).account
        verdicts = verdicts_of(engine, recorded.id)
        mine = next((one for one in latest_of_each(verdicts) if one.reviewer == me), None)
        filled = typed or (mine.assessment if mine else None)
        documents = CitedDocuments(services)
        return show(
            request,
            "review_item.html",
            status,
            item=found,
            recorded=recorded,
            answer=answer,
            citations={citation.number: citation for citation in answer.citations},
            first_use=_first_use(answer),
            documents=documents,
            source=_first_source(request, answer, documents),
            verdicts=verdicts,
            mine=mine,
            filled=filled,
            picked=[(to_field(one), one, documents.find(one.document_id)) for one in filled.passages] if filled else [],
            fault=fault,
            citation_verdicts=CITATION_VERDICTS_IN_ORDER,
            answer_verdicts=verdicts_for(answer.kind),
            approved=ApprovedAnswers(engine).of_answer(recorded.id),
            proposals=proposals(engine, answer_id=recorded.id),
            seen={
                "retrieved": [
                    documents.place(one.document_id, one.start, one.end, one.score) for one in answer.retrieved
                ],
                "selected": [documents.place(*place) for place in recorded.trail.get("selected", ())],
            },
            query=query_of(request),
            saved=saved,
            all_reasons=tuple(Reason),
            is_mine=found.assignee == me,
        )

    @router.get("/{answer_id}")
    def item(request: Request, answer_id: str, saved: str = "") -> Response:
        return show_item(request, _recorded(services, answer_id), saved=saved)

    @router.post("/{answer_id}/take")
    def take_item(request: Request, answer_id: str) -> Response:
        take(engine, _recorded(services, answer_id).id, session_of(request).account)
        return _back_to(request, answer_id)

    @router.post("/{answer_id}/back")
    def hand_item_back(request: Request, answer_id: str) -> Response:
        hand_back(engine, answer_id, session_of(request).account)
        return redirect_to("review", **query_of(request))

    @router.post("/{answer_id}/verdict")
    def give_verdict(request: Request, answer_id: str, form: Annotated[FormData, Depends(_form)]) -> Response:
        recorded, assessment = _recorded(services, answer_id), _to_assessment(services, form)
        me, fingerprint = session_of(request).account, services.chatbot.overview().fingerprint
        field = str(form.get("shown", ""))
        shown = int(field[:18]) if field.isdecimal() else None
        try:
            record_verdict(engine, recorded.answer, assessment, me, fingerprint, shown=shown)
        except NewerVerdictError as error:
            fault = fault_in(staff_texts(request), str(error))
            return show_item(request, recorded, 409, typed=assessment, fault=fault)
        return _back_to(request, answer_id, saved="verdict")

    return router


def outcome_routes(services: StaffServices) -> APIRouter:
    """Return the routes of what follows a verdict: a golden question, an approved answer, the answer of today."""
    router = APIRouter()
    engine = services.engine

    @router.post("/{answer_id}/golden")
    def make_golden(request: Request, answer_id: str, expect: Annotated[str, Form()] = "") -> Response:
        recorded, me = _recorded(services, answer_id), session_of(request).account
        assessment = _own_assessment(request, engine, recorded.id)
        if assessment is None:
            raise ReviewError("A golden question comes from your verdict: judge the answer first.")
        entry = golden_entry(recorded, assessment, read_expected(expect))
        second = services.settings.golden_second_person
        propose_question(engine, recorded.id, entry, suite_of(services.settings), me, second=second)
        return _back_to(request, answer_id, saved="golden")

    @router.post("/{answer_id}/approve")
    def approve(request: Request, answer_id: str, question: Annotated[str, Form(max_length=2_000)] = "") -> Response:
        recorded = _recorded(services, answer_id)
        assessment = _own_assessment(request, engine, recorded.id)
        if assessment is None or assessment.verdict != "right":
            raise ReviewError("Only an answer that you found right can be approved: judge the answer first.")
        ApprovedAnswers(engine).approve(recorded, session_of(request).account, services.chatbot.document, question)
        return _back_to(request, answer_id, saved="approved")

    @router.post("/{answer_id}/replay")
    def replay(request: Request, answer_id: str) -> Response:
        recorded = _recorded(services, answer_id)
        trace = services.chatbot.trace(recorded.answer.question, recorded.history)
        compared = compare_answers(recorded.answer, trace.answer, services.chatbot.document)
        return show(request, "review_replay.html", recorded=recorded, replay=compared, query=query_of(request))

    return router


def _recorded(services: StaffServices, answer_id: str) -> RecordedAnswer:
    recorded = services.records.find(answer_id)
    if recorded is None:
        raise HTTPException(404)
    return recorded


def _back_to(request: Request, answer_id: str, **said: str) -> Response:
    return redirect_to(f"review/{answer_id}", **query_of(request), **said)


def _own_assessment(request: Request, engine: Engine, answer_id: str) -> Assessment | None:
    verdicts = latest_of_each(verdicts_of(engine, answer_id))
    return next((one.assessment for one in verdicts if one.reviewer == session_of(request).account), None)


async def _form(request: Request) -> FormData:
    return await request.form()


def _to_assessment(services: StaffServices, form: FormData) -> Assessment:
    """Return what a form says; `record_verdict` refuses a verdict that it does not know."""
    citations = {
        int(number): str(value)
        for name, value in form.items()
        if (number := name.removeprefix("citation-")).isdecimal() and value in CITATION_VERDICTS_IN_ORDER
    }
    return Assessment(
        verdict=cast(AnswerVerdict, str(form.get("verdict", ""))),
        citations=cast(dict[int, CitationVerdict], citations),
        passages=tuple(from_field(services, str(field)) for field in form.getlist("passage")),
        comment=str(form.get("comment", "")).replace("\r\n", "\n").strip(),
    )


def _first_use(answer: Answer) -> dict[int, int]:
    """Return by the number of each citation the index of the first statement that cites it."""
    used: dict[int, int] = {}
    for index, statement in enumerate(answer.statements):
        for number in statement.citations:
            used.setdefault(number, index)
    return used


def _first_source(request: Request, answer: Answer, documents: CitedDocuments) -> Markup | None:
    """Return the document of the first citation, or else of the first passage that was retrieved."""
    near = answer.citations or (answer.refusal.nearest if answer.refusal else ())
    for one in near:
        if document := documents.find(one.document_id):
            place = {"start": str(one.start), "end": str(one.end), "check": quote_check(one.quote)}
            return show_source(request, document, place)
    for entry in answer.retrieved:
        if document := documents.find(entry.document_id):
            return show_source(request, document, {"start": str(entry.start), "end": str(entry.start)})
    return None

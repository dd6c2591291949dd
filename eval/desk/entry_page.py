"""The page where one entry of a suite is fixed, beside the answer it judges and the passages it may quote."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form, Request, Response
from starlette.exceptions import HTTPException
from starlette.responses import RedirectResponse

from bot.answer.answer import RetrievedEntry
from bot.web.page.links import place_path
from eval.desk.entry import SuiteEntry, check_entry, list_ids, read_entry, save_entry
from eval.desk.folders import is_editable
from eval.desk.site import EvaluatorSite, show_page
from eval.errors import EvaluationError, Mistake, SuiteError
from eval.report.report import QuestionReport
from eval.suites.suite import load_suite
from eval.suites.suite_check import SuiteFindings
from index.errors import FootnoteError

_PASSAGES = 6
_NO_FINDINGS = SuiteFindings((), ())


@dataclass(frozen=True, slots=True)
class LinkedPassage:
    """A passage of a document, and the address where it can be read in its context."""

    document_id: str
    text: str
    address: str


@dataclass(frozen=True, slots=True)
class SheetQuestion:
    """A question of a spreadsheet, and the row it stands in."""

    row: int
    id: str
    question: str


def entry_routes(site: EvaluatorSite) -> APIRouter:
    """Return the routes that show a suite or one entry of it, and that save an entry."""
    router = APIRouter()

    @router.get("/suites/{name}")
    def suite(request: Request, name: str, id: str = "", run: str = "", saved: str = "") -> Response:  # noqa: A002
        path = _path(site, name)
        if not is_editable(path):
            return _show_spreadsheet(request, site, name, path, id, run)
        if not id:
            return show_page(request, "suite.html", site=site, name=name, path=path, ids=list_ids(path), editable=True)
        entry = read_entry(path, id)
        findings = check_entry(entry, site.documents())
        return _show_entry(request, site, entry, name, run, findings=findings, saved=bool(saved))

    @router.post("/suites/{name}", dependencies=[Depends(site.access.check_form)])
    def save(
        request: Request,
        name: str,
        id: Annotated[str, Form()] = "",  # noqa: A002
        file_hash: Annotated[str, Form()] = "",
        text: Annotated[str, Form()] = "",
        run: Annotated[str, Form()] = "",
    ) -> Response:
        path = _path(site, name)
        if not is_editable(path):
            raise EvaluationError(f"{path.name!r} is a spreadsheet: change it in the program it was made with.")
        entry = replace(read_entry(path, id), file_hash=file_hash)
        try:
            new_id = save_entry(entry, text, site.documents())
        except SuiteError as error:
            findings = SuiteFindings(error.mistakes, ())
            return _show_entry(request, site, entry, name, run, findings=findings, text=text, status=422)
        except EvaluationError as error:
            return _show_entry(request, site, entry, name, run, fault=str(error), text=text, status=409)
        return RedirectResponse(site.entry_address(name, new_id, run=run, saved="1"), 303)

    return router


def _path(site: EvaluatorSite, name: str) -> Path:
    path = site.suites.find(name)
    if path is None:
        raise HTTPException(404)
    return path


def _show_spreadsheet(request: Request, site: EvaluatorSite, name: str, path: Path, wanted: str, run: str) -> Response:
    """Return the questions of a spreadsheet, which is edited elsewhere, with the latest answer to one of them.

    Raises:
        SuiteError: It has mistakes.
    """
    suite = load_suite(path)
    written = zip(suite.entries, suite.questions, strict=True)
    rows = [SheetQuestion(entry.line, question.id, question.question) for entry, question in written]
    row = next((row for row in rows if row.id == wanted), None)
    values = _answered(site, path, row.id, row.question, run) if row else {}
    return show_page(
        request, "suite.html", site=site, name=name, path=path, editable=False, rows=rows, wanted=row, **values
    )


def _show_entry(
    request: Request,
    site: EvaluatorSite,
    entry: SuiteEntry,
    name: str,
    run: str,
    *,
    findings: SuiteFindings = _NO_FINDINGS,
    text: str | None = None,
    fault: str = "",
    saved: bool = False,
    status: int = 200,
) -> Response:
    return show_page(
        request,
        "entry.html",
        status,
        site=site,
        name=name,
        entry=entry,
        text=entry.text if text is None else text,
        rejected=text is not None,
        mistakes=[_in_text(mistake, entry) for mistake in findings.mistakes],
        warnings=[_in_text(mistake, entry) for mistake in findings.warnings],
        fault=fault,
        saved=saved,
        **_answered(site, entry.path, entry.id, entry.question, run),
    )


def _in_text(mistake: Mistake, entry: SuiteEntry) -> tuple[str, str, str]:
    """Return the line as it is counted in the text box, the key, and the message."""
    line = mistake.line - entry.lines.start
    where = f"line {line}" if line > 0 else f"line {mistake.line} of the file"
    return where, mistake.key, mistake.message


def _answered(site: EvaluatorSite, path: Path, identifier: str, question: str, run: str) -> dict[str, Any]:
    """Return what the template shows of the latest answer: the answer, its run, and the retrieved passages.

    Where no run asked the question, the passages are those that would be retrieved.
    """
    asked, name = _latest_answer(site, path, identifier, run)
    if asked and asked.answer:
        retrieved: Sequence[RetrievedEntry] = asked.answer.retrieved
    else:
        try:
            retrieved = site.chatbot.search(question).retrieved if question else ()
        except FootnoteError:
            retrieved = ()
    passages = []
    for one in sorted(retrieved, key=lambda entry: entry.rank)[:_PASSAGES]:
        document = site.chatbot.document(one.document_id)
        if document and (text := document.text[one.start : one.end].strip()):
            passages.append(LinkedPassage(one.document_id, text, place_path(one.document_id, one.start, one.end)))
    return {"asked": asked, "run": name, "passages": passages}


def _latest_answer(site: EvaluatorSite, path: Path, identifier: str, run: str) -> tuple[QuestionReport | None, str]:
    """Return the answer of a run, by default the newest with the suite, and the name of that run."""
    stored = [one.name for one in site.runs.stored() if one.finished and path.name in one.suites]
    for name in [run] if run in stored else stored[:1]:
        for question in site.runs.report(name).questions:
            if question.golden.id == identifier:
                return question, name
    return None, ""

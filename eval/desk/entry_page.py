"""The page where one entry of a suite is fixed, beside the answer it judges and the passages it may quote."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Form, Request, Response
from starlette.exceptions import HTTPException

from bot.answer.answer import RetrievedEntry
from bot.web.page.links import place_path
from eval.desk.desk import Desk, show
from eval.desk.entry import SuiteEntry, check_entry, list_ids, read_entry, save_entry
from eval.desk.suites import is_editable
from eval.errors import EvaluationError, Mistake, SuiteError
from eval.report.report import QuestionReport
from eval.suites.check import Findings
from eval.suites.suite import load_suite
from index.errors import FootnoteError

_PASSAGES = 6
_NOTHING_FOUND = Findings((), ())


@dataclass(frozen=True, slots=True)
class Passage:
    """A passage of a document, and the address where it can be read around."""

    document_id: str
    text: str
    address: str


@dataclass(frozen=True, slots=True)
class SheetRow:
    """A question of a spreadsheet, and the row it stands in."""

    row: int
    id: str
    question: str


def entry_routes(desk: Desk) -> APIRouter:
    """Return the route that shows a suite, or one entry of it."""
    router = APIRouter()

    @router.get("/suites/{name}")
    def suite(request: Request, name: str, id: str = "", run: str = "", saved: str = "") -> Response:  # noqa: A002
        path = _path(desk, name)
        if not is_editable(path):
            return _show_spreadsheet(request, desk, name, path, id, run)
        if not id:
            return show(request, "suite.html", desk=desk, name=name, path=path, ids=list_ids(path), editable=True)
        entry = read_entry(path, id)
        findings = check_entry(entry, desk.library())
        return _show_entry(request, desk, entry, name, run, findings=findings, saved=bool(saved))

    return router


def entry_changes(desk: Desk) -> APIRouter:
    """Return the route that saves an entry."""
    router = APIRouter()

    @router.post("/suites/{name}")
    def save(
        request: Request,
        name: str,
        id: Annotated[str, Form()] = "",  # noqa: A002
        file_hash: Annotated[str, Form()] = "",
        text: Annotated[str, Form()] = "",
        run: Annotated[str, Form()] = "",
    ) -> Response:
        path = _path(desk, name)
        if not is_editable(path):
            raise EvaluationError(f"{path.name!r} is a spreadsheet: change it in the program it was made with.")
        entry = replace(read_entry(path, id), file_hash=file_hash)
        try:
            new_id = save_entry(entry, text, desk.library())
        except SuiteError as error:
            findings = Findings(error.mistakes, ())
            return _show_entry(request, desk, entry, name, run, findings=findings, text=text, status=422)
        except EvaluationError as error:
            return _show_entry(request, desk, entry, name, run, fault=str(error), text=text, status=409)
        return desk.go_to(desk.entry_address(name, new_id, run=run, saved="1"))

    return router


def _show_spreadsheet(request: Request, desk: Desk, name: str, path: Path, wanted: str, run: str) -> Response:
    """Return the questions of a spreadsheet, which is changed where it was made, and what became of one of them.

    Raises:
        SuiteError: It has mistakes.
    """
    suite = load_suite(path)
    written = zip(suite.entries, suite.questions, strict=True)
    rows = [SheetRow(entry.line, question.id, question.question) for entry, question in written]
    values: dict[str, Any] = {"rows": rows, "wanted": next((row for row in rows if row.id == wanted), None)}
    if row := values["wanted"]:
        values["asked"], values["run"] = _latest_answer(desk, path, row.id, run)
        values["passages"] = _passages(desk, values["asked"], row.question)
    return show(request, "suite.html", desk=desk, name=name, path=path, editable=False, **values)


def _path(desk: Desk, name: str) -> Path:
    path = desk.suites.find(name)
    if path is None:
        raise HTTPException(404)
    return path


def _show_entry(
    request: Request,
    desk: Desk,
    entry: SuiteEntry,
    name: str,
    run: str,
    *,
    findings: Findings = _NOTHING_FOUND,
    text: str | None = None,
    fault: str = "",
    saved: bool = False,
    status: int = 200,
) -> Response:
    asked, told_by = _latest_answer(desk, entry.path, entry.id, run)
    return show(
        request,
        "entry.html",
        status,
        desk=desk,
        name=name,
        entry=entry,
        text=entry.text if text is None else text,
        rejected=text is not None,
        mistakes=[_in_text(mistake, entry) for mistake in findings.mistakes],
        warnings=[_in_text(mistake, entry) for mistake in findings.warnings],
        fault=fault,
        saved=saved,
        run=told_by,
        asked=asked,
        passages=_passages(desk, asked, entry.question),
    )


def _in_text(mistake: Mistake, entry: SuiteEntry) -> tuple[str, str, str]:
    """Return the line as it is counted in the text box, the key, and the message."""
    line = mistake.line - entry.lines.start
    where = f"line {line}" if line > 0 else f"line {mistake.line} of the file"
    return where, mistake.key, mistake.message


def _latest_answer(desk: Desk, path: Path, identifier: str, run: str) -> tuple[QuestionReport | None, str]:
    """Return what a run made of the question, by default the newest that asked it, and the name of that run."""
    stored = [one.name for one in desk.runs.stored() if one.finished and path.name in one.suites]
    for name in [run] if run in stored else stored[:1]:
        for question in desk.runs.report(name).questions:
            if question.golden.id == identifier:
                return question, name
    return None, ""


def _passages(desk: Desk, asked: QuestionReport | None, question: str) -> list[Passage]:
    """Return what was retrieved for the question; where no run asked it, what would be."""
    if asked and asked.answer:
        return _read_passages(desk, asked.answer.retrieved)
    try:
        return _read_passages(desk, desk.chatbot.search(question).retrieved) if question else []
    except FootnoteError:
        return []


def _read_passages(desk: Desk, retrieved: Sequence[RetrievedEntry]) -> list[Passage]:
    found = []
    for one in sorted(retrieved, key=lambda entry: entry.rank)[:_PASSAGES]:
        document = desk.chatbot.document(one.document_id)
        text = document.text[one.start : one.end].strip() if document else ""
        if text:
            found.append(Passage(one.document_id, text, place_path(one.document_id, one.start, one.end)))
    return found

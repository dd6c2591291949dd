"""What the routes of the evaluator's page share: the chatbot, the runs, the suites, addresses, pages and access.

Evaluators enter with a random key that only the terminal shows, and keep a cookie. Key and cookie live in memory and
end with the server. A member of staff who is logged in below /staff with the role of an evaluator needs neither.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Annotated, Any, ClassVar, Protocol
from urllib.parse import parse_qsl, quote, urlencode

from fastapi import Form, HTTPException
from jinja2 import Environment
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from bot.answer.answer import SearchResult
from bot.settings import Settings
from bot.web.extensions import ADMITTED
from bot.web.page.language import theme_for
from eval.desk.entry import DocumentTexts
from eval.desk.folders import RunFolders, SuiteFolders
from eval.desk.running import Runner, RunProgress
from eval.report.figures import MEASURES
from eval.report.page import build_environment
from eval.report.report import QuestionReport
from eval.report.table import number
from eval.run.asker import Subject
from eval.run.suite_run import stored_texts

PATH = "/evaluate"
COOKIE = "footnote_evaluator"
_HERE = Path(__file__).parent
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; "
    "frame-ancestors 'none'; base-uri 'none'"
)
# Nothing of these pages is left behind in a browser that others use too.
_NO_STORE = {"cache-control": "no-store"}
_STATIC = {
    "desk.css": ("text/css", (_HERE.parent / "report" / "static" / "report.css", _HERE / "static" / "desk.css")),
    "desk.js": ("text/javascript", (_HERE / "static" / "desk.js",)),
}
_CLOSED = "This page is for evaluators: open it with the link that footnote serve --evaluator printed, or log in.\n"
_STALE_FORM = "This form is from before the server was started again: go back, reload the page and send it once more."


def show_page(request: Request, template: str, status: int = 200, **values: Any) -> HTMLResponse:
    """Return a page, with the strictest content security policy that it works under."""
    page = _environment().get_template(template).render(theme=theme_for(request), **values)
    return HTMLResponse(page, status, {"content-security-policy": _POLICY, **_NO_STORE})


def show_report(page: str, policy: str) -> HTMLResponse:
    """Return a page that was rendered elsewhere and brings its own policy."""
    return HTMLResponse(page, headers={"content-security-policy": f"{policy}; frame-ancestors 'none'", **_NO_STORE})


@cache
def static_file(name: str) -> Response:
    """Return a style sheet or script of these pages.

    Raises:
        HTTPException: There is none of this name.
    """
    if name not in _STATIC:
        raise HTTPException(404)
    media_type, paths = _STATIC[name]
    return Response("".join(path.read_text("utf-8") for path in paths), media_type=media_type)


@cache
def _environment() -> Environment:
    environment = build_environment(_HERE / "templates")
    environment.globals.update(measure_words=MEASURES)
    environment.filters.update(signed=_signed, chance=_p_value)
    return environment


def _signed(value: float | None, name: str) -> str:
    text = number(name, value)
    return text if value is None or value < 0 else f"+{text}"


def _p_value(value: float | None) -> str:
    return "" if value is None else "<.001" if value < 0.001 else f"{value:.3f}"


class KeyAccess:
    """Lets in a browser that brings the key, and afterwards the cookie; every other request gets one sentence."""

    def __init__(self) -> None:
        self._key = secrets.token_urlsafe(32)
        self._session = secrets.token_urlsafe(32)
        self.form_token = secrets.token_urlsafe(32)

    @property
    def entrance(self) -> str:
        """Return the path with the key: what the terminal shows, and nothing else may."""
        return f"{PATH}?{urlencode({'key': self._key})}"

    def guard(self, app: ASGIApp) -> ASGIApp:
        """Return the application with this check before it."""

        async def guarded(scope: Scope, receive: Receive, send: Send) -> None:
            request = Request(scope)
            if request.method == "GET" and _same(request.query_params.get("key", ""), self._key):
                await self._admit(request)(scope, receive, send)
            elif scope.get(ADMITTED) or _same(request.cookies.get(COOKIE, ""), self._session):
                await app(scope, receive, send)
            else:
                await PlainTextResponse(_CLOSED, 403, _NO_STORE)(scope, receive, send)

        return guarded

    def check_form(self, token: Annotated[str, Form()] = "") -> None:
        """Refuse a form that was not made by these pages: a dependency of every route that changes something."""
        if not _same(token, self.form_token):
            raise HTTPException(403, _STALE_FORM)

    def _admit(self, request: Request) -> Response:
        """Redirect to the same address without the key, which then stays in no browser history."""
        rest = [(name, value) for name, value in parse_qsl(request.url.query) if name != "key"]
        address = quote(request.scope["path"]) + (f"?{urlencode(rest)}" if rest else "")
        response = RedirectResponse(address, 303, _NO_STORE)
        is_https = request.scope["scheme"] == "https"
        response.set_cookie(COOKIE, self._session, path=PATH, httponly=True, samesite="strict", secure=is_https)
        return response


def _same(given: str, kept: str) -> bool:
    return secrets.compare_digest(given.encode("utf-8", "surrogatepass"), kept.encode())


class SearchableSubject(Subject, Protocol):
    """The chatbot beside the pages: what is evaluated, and what shows a question's nearest passages."""

    @property
    def settings(self) -> Settings:
        """What it was built with."""
        ...

    def search(self, question: str) -> SearchResult:
        """Return what a question retrieves."""
        ...


@dataclass(frozen=True, slots=True)
class EvaluatorSite:
    """Everything that a page is made from.

    Attributes:
        home: Address of the list of runs.
    """

    chatbot: SearchableSubject
    runs: RunFolders
    suites: SuiteFolders
    runner: Runner
    access: KeyAccess
    home: ClassVar[str] = PATH

    def run_address(self, name: str, anchor: str = "", **asked: str) -> str:
        """Return the address of a run, or of a question in its report."""
        return _address(f"runs/{quote(name, safe='')}", asked) + (f"#{quote(anchor)}" if anchor else "")

    def entry_address(self, suite: str, identifier: str, **asked: str) -> str:
        """Return the address of a suite entry."""
        return _address(f"suites/{quote(suite, safe='')}", {"id": identifier, **asked})

    def suite_address(self, suite: str) -> str:
        """Return the address of a suite's list of questions."""
        return _address(f"suites/{quote(suite, safe='')}", {})

    def entry_of(self, question: QuestionReport, run: str) -> str | None:
        """Return the address where the suite entry of a reported question can be changed, if its suite is here."""
        name = self.suites.name_of(question.suite)
        return self.entry_address(name, question.golden.id, run=run) if name else None

    def documents(self) -> DocumentTexts:
        """Return the documents that quotes are checked against."""
        ids = [document.document_id for document in self.chatbot.overview().documents]
        return DocumentTexts(ids, stored_texts(self.chatbot))

    def progress(self, name: str) -> RunProgress | None:
        """Return how far a run is, or None where there is no such run."""
        if live := self.runner.progress(name):
            return live
        return next((run.progress for run in self.runs.stored() if run.name == name), None)


def _address(place: str, asked: dict[str, str]) -> str:
    given = {name: value for name, value in asked.items() if value}
    return f"{PATH}/{place}" + (f"?{urlencode(given)}" if given else "")

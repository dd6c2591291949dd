"""Templates of the evaluator's page to responses, with the strictest policy they can live under.

The door of the evaluator's page: a random key that only the terminal shows, and a cookie for who brought it.

The key and the cookie live in memory and end with the server. Who is logged in below /staff with the role for it needs
neither: that door is passed before this one.

What the routes of the evaluator's page share: the chatbot, the runs, the suites, and how addresses are written.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Protocol
from urllib.parse import parse_qsl, quote, urlencode

from fastapi import Form, HTTPException
from jinja2 import Environment
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

import bot.web.page
from bot.answer.answer import SearchResult
from bot.settings import Settings
from bot.web.extensions import ADMITTED
from bot.web.page.language import theme_for
from eval.desk.entry import Library
from eval.desk.running import Progress, Runner
from eval.desk.runs import RunShelf
from eval.desk.suites import SuiteShelf
from eval.report.figures import MEASURES
from eval.report.page import build_environment
from eval.report.report import QuestionReport
from eval.report.table import number
from eval.run.run import stored_texts
from eval.run.subject import Subject

_HERE = Path(__file__).parent
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; "
    "frame-ancestors 'none'; base-uri 'none'"
)
# Nothing of these pages is left behind in a browser that others use too.
_NO_STORE = {"cache-control": "no-store"}
_CHAT_STATIC = Path(str(bot.web.page.__file__)).parent / "static"
_STATIC = {
    "desk.css": ("text/css", (_HERE.parent / "html" / "static" / "report.css", _HERE / "static" / "desk.css")),
    "desk.js": ("text/javascript", (_HERE / "static" / "desk.js",)),
}


def show(request: Request, template: str, status: int = 200, **values: Any) -> HTMLResponse:
    """Return a page."""
    page = _environment().get_template(template).render(theme=theme_for(request), **values)
    return HTMLResponse(page, status, {"content-security-policy": _POLICY, **_NO_STORE})


def show_whole(page: str, policy: str) -> HTMLResponse:
    """Return a page that was rendered elsewhere and brings its own policy."""
    return HTMLResponse(page, headers={"content-security-policy": f"{policy}; frame-ancestors 'none'", **_NO_STORE})


@cache
def static_file(name: str) -> tuple[str, str] | None:
    """Return the media type and the text of one of our own files, or None."""
    if name not in _STATIC:
        return None
    media_type, paths = _STATIC[name]
    return media_type, "".join(path.read_text("utf-8") for path in paths)


@cache
def _environment() -> Environment:
    environment = build_environment(_HERE / "templates")
    environment.globals.update(measure_words=MEASURES)
    environment.filters.update(signed=_signed, chance=_chance)
    return environment


def _signed(value: float | None, name: str) -> str:
    text = number(name, value)
    return text if value is None or value < 0 else f"+{text}"


def _chance(p_value: float | None) -> str:
    """Return a p-value as it is printed."""
    if p_value is None:
        return ""
    return "<.001" if p_value < 0.001 else f"{p_value:.3f}"


COOKIE = "footnote_evaluator"
_CLOSED = "This page is for evaluators: open it with the link that footnote serve --evaluator printed, or log in.\n"
_STALE_FORM = "This form is from before the server was started again: go back, reload the page and send it once more."


class Door:
    """Lets in who brings the key, and afterwards who brings the cookie; everyone else reads one sentence.

    Args:
        path: Where the guarded pages begin, such as `/evaluate`.
    """

    def __init__(self, path: str) -> None:
        self._path = path
        self._key = secrets.token_urlsafe(32)
        self._session = secrets.token_urlsafe(32)
        self.form_token = secrets.token_urlsafe(32)

    @property
    def entrance(self) -> str:
        """Return the path with the key: what the terminal shows, and nothing else may."""
        return f"{self._path}?{urlencode({'key': self._key})}"

    def guard(self, app: ASGIApp) -> ASGIApp:
        """Return the application with this door before it."""

        async def guarded(scope: Scope, receive: Receive, send: Send) -> None:
            request = Request(scope)
            if request.method == "GET" and _same(request.query_params.get("key", ""), self._key):
                await self._admit(request)(scope, receive, send)
            elif scope.get(ADMITTED) or _same(request.cookies.get(COOKIE, ""), self._session):
                await app(scope, receive, send)
            else:
                await PlainTextResponse(_CLOSED, 403, {"cache-control": "no-store"})(scope, receive, send)

        return guarded

    def check_form(self, token: Annotated[str, Form()] = "") -> None:
        """Refuse a form that was not made by these pages: a dependency of every route that changes something."""
        if not _same(token, self.form_token):
            raise HTTPException(403, _STALE_FORM)

    def _admit(self, request: Request) -> Response:
        """Return the way to the same address without the key, which so stays in no history and no picture."""
        rest = [(name, value) for name, value in parse_qsl(request.url.query) if name != "key"]
        address = quote(request.scope["path"]) + (f"?{urlencode(rest)}" if rest else "")
        response = RedirectResponse(address, 303, {"cache-control": "no-store"})
        response.set_cookie(
            COOKIE,
            self._session,
            path=self._path,
            httponly=True,
            samesite="strict",
            secure=request.scope["scheme"] == "https",
        )
        return response


def _same(given: str, kept: str) -> bool:
    return secrets.compare_digest(given.encode("utf-8", "surrogatepass"), kept.encode())


PATH = "/evaluate"


class Searched(Subject, Protocol):
    """The chatbot beside the pages: what is evaluated, and what shows a document's nearest passages."""

    @property
    def settings(self) -> Settings:
        """What it was built with."""
        ...

    def search(self, question: str) -> SearchResult:
        """Return what a question retrieves."""
        ...


@dataclass(frozen=True, slots=True)
class Desk:
    """Everything that a page is made from.

    Attributes:
        form_token: What every form of these pages carries.
    """

    chatbot: Searched
    runs: RunShelf
    suites: SuiteShelf
    runner: Runner
    form_token: str

    @property
    def home(self) -> str:
        """Address of the list of runs."""
        return PATH

    def run_address(self, name: str, anchor: str = "", **asked: str) -> str:
        """Return the address of a run, or of a question in its report."""
        return _address(f"runs/{quote(name, safe='')}", asked) + (f"#{quote(anchor)}" if anchor else "")

    def entry_address(self, suite: str, identifier: str, **asked: str) -> str:
        """Return the address of a suite entry."""
        return _address(f"suites/{quote(suite, safe='')}", {"id": identifier, **asked})

    def suite_address(self, suite: str) -> str:
        """Return the address of a suite's list of questions."""
        return _address(f"suites/{quote(suite, safe='')}", {})

    def compare_address(self, a: str, b: str, **asked: str) -> str:
        """Return the address of a comparison."""
        return _address("compare", {"a": a, "b": b, **asked})

    def entry_of(self, question: QuestionReport, run: str) -> str | None:
        """Return the address where the suite entry of a reported question can be changed, if its suite is here."""
        name = self.suites.name_of(question.suite)
        return self.entry_address(name, question.golden.id, run=run) if name else None

    def go_to(self, address: str) -> RedirectResponse:
        """Return the way to a page after a form, so that a reload does not send the form again."""
        return RedirectResponse(address, 303)

    def go_to_run(self, name: str) -> RedirectResponse:
        """Return the way to a run's page after a form."""
        return self.go_to(self.run_address(name))

    def library(self) -> Library:
        """Return the documents that quotes are checked against."""
        ids = [document.document_id for document in self.chatbot.overview().documents]
        return Library(ids, stored_texts(self.chatbot))

    def progress(self, name: str) -> Progress | None:
        """Return how far a run is, or None where there is no such run."""
        if live := self.runner.progress(name):
            return live
        stored = next((run for run in self.runs.stored() if run.name == name), None)
        return stored.progress if stored else None


def _address(place: str, asked: dict[str, str]) -> str:
    given = {name: value for name, value in asked.items() if value}
    return f"{PATH}/{place}" + (f"?{urlencode(given)}" if given else "")

"""What all pages of the staff are made from, and how they become responses."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from fastapi import Request
from jinja2 import FileSystemLoader
from sqlalchemy.engine import Engine
from starlette.responses import HTMLResponse, RedirectResponse

from bot.accounts.accounts import Accounts
from bot.accounts.login import Login
from bot.accounts.sessions import Session, Sessions
from bot.chatbot import Chatbot
from bot.records.answers import AnswerRecords
from bot.settings import Settings
from bot.suspicions import SuspicionSearch
from bot.web.language import LANGUAGES, Texts, choose_language
from bot.web.reader import LANGUAGE_COOKIE, theme_for
from bot.web.render import environment as page_environment
from bot.web.staff.texts import STAFF_TEXTS

PATH = "/staff"
_WANTED = "lang"  # in an address: a language from now on
_ONE_YEAR = 365 * 24 * 3600

_HERE = Path(__file__).parent
environment = page_environment.overlay(
    loader=FileSystemLoader([_HERE / "templates", _HERE.parent / "templates"])  # the second has the page's skeleton
)


@dataclass(frozen=True, slots=True)
class Desk:
    """Everything that a page of the staff is made from.

    Attributes:
        settings: What the application was started with.
        chatbot: Documents, search and answers.
        records: What readers asked and were answered; `records.engine` is the database of all our tables.
        accounts: Who may log in.
        sessions: Who is logged in.
        login: Checks passwords.
        suspicions: Looks through the documents for suspicious ones.
    """

    settings: Settings
    chatbot: Chatbot
    records: AnswerRecords
    accounts: Accounts
    sessions: Sessions
    login: Login
    suspicions: SuspicionSearch

    @property
    def engine(self) -> Engine:
        """The database of all our tables."""
        return self.records.engine


def session_of(request: Request) -> Session:
    """Return who asks; the guard has let in nobody else."""
    session = request.state.session
    assert isinstance(session, Session)
    return session


def show(request: Request, template: str, status: int = 200, **values: Any) -> HTMLResponse:
    """Return a page from a template of `templates/`, which extends `frame.html`.

    It has `t` (the texts), `languages`, `session`, `parts` and `beside` (what is navigated to), `here` (the name of
    the part), `form_token` and `files` (where the public page keeps its files) beside the values given.
    """
    session = getattr(request.state, "session", None)
    page = environment.get_template(template).render(
        t=staff_texts(request),
        theme=theme_for(request),
        session=session,
        form_token=session.form_token if session else "",
        parts=getattr(request.state, "parts", ()),
        here=request.url.path.removeprefix(PATH).strip("/").partition("/")[0],
        beside=request.app.state.beside if session and session.may("evaluator") else (),
        languages=tuple(LANGUAGES.values()),
        **values,
    )
    response = HTMLResponse(page, status)
    if (wanted := request.query_params.get(_WANTED)) in LANGUAGES:
        response.set_cookie(LANGUAGE_COOKIE, wanted, max_age=_ONE_YEAR, samesite="lax")
    return response


def go_to(place: str, **asked: str) -> RedirectResponse:
    """Return the way to a page below /staff after a form, so that a reload does not send the form again."""
    given = {name: value for name, value in asked.items() if value}
    address = f"{PATH}/{place}".rstrip("/") + (f"?{urlencode(given)}" if given else "")
    return RedirectResponse(address, 303)


def staff_texts(request: Request) -> Texts:
    """Return the words of these pages in the reader's language."""
    wanted = request.query_params.get(_WANTED) or request.cookies.get(LANGUAGE_COOKIE)
    return STAFF_TEXTS[choose_language(wanted, request.headers.get("accept-language", "")).code]

"""The words of the staff's pages: a folder a language, a file a part; `t("review.title")` is `title` of review.toml.

Faults in the reader's language.

Errors speak English wherever they are raised, for the terminal, the logs and programs. On these pages their sentence is
looked up in `faults.toml` of the language, by the English one with names for what varies.

What all pages of the staff are made from, and how they become responses.
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from fastapi import Request
from jinja2 import FileSystemLoader
from sqlalchemy.engine import Engine
from starlette.responses import HTMLResponse, RedirectResponse

from bot.chatbot import Chatbot
from bot.settings import Settings
from bot.staff.accounts import Accounts
from bot.staff.document_audit import SuspicionSearch
from bot.staff.sessions import Login, Session, Sessions
from bot.storage.answers import AnswerRecords
from bot.web.page.language import LANGUAGE_COOKIE, LANGUAGES, Texts, choose_language, theme_for
from bot.web.page.render_html import environment as page_environment

_HERE = Path(__file__).parent


def _read(folder: Path) -> dict[str, str]:
    return {
        f"{path.stem}.{key}": words
        for path in sorted(folder.glob("*.toml"))
        for key, words in tomllib.loads(path.read_text("utf-8")).items()
    }


def _load() -> dict[str, Texts]:
    own = {code: _read(_HERE / "texts" / code.lower().replace("-", "_")) for code in LANGUAGES}
    return {code: Texts(code, {**public.entries, **own[code]}) for code, public in LANGUAGES.items()}


STAFF_TEXTS = _load()

_PART = "faults."
_VARIES = re.compile(r"\\\{(\w+)\\\}")


@dataclass(frozen=True, slots=True)
class Fault:
    """What did not work.

    Attributes:
        language: Of the words, as a tag; English where there is no other.
    """

    words: str
    language: str


def fault_in(t: Texts, english: str) -> Fault:
    """Return a fault in the language of some texts, where they hold it."""
    for sentence, words in _sentences(t.code):
        if found := sentence.fullmatch(english):
            return Fault(words.format(**found.groupdict()), t.code)
    return Fault(english, "en")


@cache
def _sentences(code: str) -> tuple[tuple[re.Pattern[str], str], ...]:
    kept = STAFF_TEXTS[code].entries.items()
    return tuple(
        (re.compile(_VARIES.sub(r"(?P<\1>.+)", re.escape(key.removeprefix(_PART))), re.DOTALL), words)
        for key, words in kept
        if key.startswith(_PART)
    )


PATH = "/staff"
_WANTED = "lang"  # in an address: a language from now on
_ONE_YEAR = 365 * 24 * 3600

# The second folder has the page's skeleton.
environment = page_environment.overlay(
    loader=FileSystemLoader([_HERE / "templates", _HERE.parent / "page" / "templates"])
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

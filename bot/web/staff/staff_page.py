"""What all staff pages are made from: services, texts, templates, and the responses that they become.

Texts are a folder a language and a file a part: `t("review.title")` is `title` of review.toml. Errors are raised in
English, for the terminal, the logs and programs; these pages translate them by `faults.toml` of the language, which
lists the English sentences with placeholders for what varies.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import chain
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlencode

from fastapi import Request
from jinja2 import FileSystemLoader
from sqlalchemy.engine import Engine
from starlette.responses import HTMLResponse, RedirectResponse, StreamingResponse

from bot.chatbot import Chatbot
from bot.settings import Settings
from bot.staff.accounts import Accounts
from bot.staff.document_audit import DocumentAudit
from bot.staff.sessions import Login, Session, Sessions
from bot.storage.answers import AnswerRecords
from bot.storage.table_lines import table_lines
from bot.web.page.language import LANGUAGE_COOKIE, LANGUAGES, Texts, choose_language, theme_for
from bot.web.page.render_html import environment as page_environment

PATH = "/staff"
_HERE = Path(__file__).parent
_FAULTS = "faults."
_PLACEHOLDER = re.compile(r"\\\{(\w+)\\\}")
_LANGUAGE = "lang"  # the query parameter that sets the language from now on
_ONE_YEAR = 365 * 24 * 3600
_MEDIA_TYPES = {"csv": "text/csv; charset=utf-8", "jsonl": "application/jsonl; charset=utf-8"}

TableFormat = Literal["csv", "jsonl"]

# The second folder has the page's skeleton.
environment = page_environment.overlay(
    loader=FileSystemLoader([_HERE / "templates", _HERE.parent / "page" / "templates"])
)


def _read_texts(public: Texts) -> Texts:
    folder = _HERE / "texts" / public.code.lower().replace("-", "_")
    own = {
        f"{path.stem}.{key}": words
        for path in sorted(folder.glob("*.toml"))
        for key, words in tomllib.loads(path.read_text("utf-8")).items()
    }
    return Texts(public.code, {**public.entries, **own})


STAFF_TEXTS = {code: _read_texts(public) for code, public in LANGUAGES.items()}


@dataclass(frozen=True, slots=True)
class StaffServices:
    """Everything that a page of the staff is made from.

    Attributes:
        settings: What the application was started with.
        chatbot: Documents, search and answers.
        records: What readers asked and were answered; `records.engine` is the database of all our tables.
        accounts: Who may log in.
        sessions: Who is logged in.
        login: Checks passwords.
        document_audit: Looks through the documents for suspicious ones.
    """

    settings: Settings
    chatbot: Chatbot
    records: AnswerRecords
    accounts: Accounts
    sessions: Sessions
    login: Login
    document_audit: DocumentAudit

    @property
    def engine(self) -> Engine:
        """The database of all our tables."""
        return self.records.engine


@dataclass(frozen=True, slots=True)
class Fault:
    """An error message for the reader.

    Attributes:
        language: Of the words, as a tag; English where there is no translation.
    """

    words: str
    language: str


def fault_in(t: Texts, english: str) -> Fault:
    """Return an error message in the language of some texts, where they translate it."""
    for sentence, words in _translations(t.code):
        if found := sentence.fullmatch(english):
            return Fault(words.format(**found.groupdict()), t.code)
    return Fault(english, "en")


@cache
def _translations(code: str) -> tuple[tuple[re.Pattern[str], str], ...]:
    return tuple(
        (re.compile(_PLACEHOLDER.sub(r"(?P<\1>.+)", re.escape(key.removeprefix(_FAULTS))), re.DOTALL), words)
        for key, words in STAFF_TEXTS[code].entries.items()
        if key.startswith(_FAULTS)
    )


def session_of(request: Request) -> Session:
    """Return the session of a request; the middleware has refused requests without one."""
    session = request.state.session
    assert isinstance(session, Session)
    return session


def show(request: Request, template: str, status: int = 200, **values: Any) -> HTMLResponse:
    """Return a page from a template of `templates/`, which extends `frame.html`.

    Besides the values it gets `t` (the texts), `theme`, `languages`, `session`, `form_token`, `parts` and `beside` (for
    the navigation) and `here` (the name of the part).
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
    if (wanted := request.query_params.get(_LANGUAGE)) in LANGUAGES:
        response.set_cookie(LANGUAGE_COOKIE, wanted, max_age=_ONE_YEAR, samesite="lax")
    return response


def redirect_to(place: str, **query: str) -> RedirectResponse:
    """Redirect to a page below /staff after a form, so that a reload does not send the form again."""
    given = {name: value for name, value in query.items() if value}
    address = f"{PATH}/{place}".rstrip("/") + (f"?{urlencode(given)}" if given else "")
    return RedirectResponse(address, 303)


def download(
    name: str, form: TableFormat, columns: Sequence[str], rows: Iterable[Mapping[str, Any]]
) -> StreamingResponse:
    """Return a table as a file to be saved, sent row by row.

    Args:
        name: The file's name, without its suffix.
        form: Its format.
        columns: The columns of a CSV file, in order.
        rows: One mapping a row.
    """
    mark = ("\ufeff",) if form == "csv" else ()  # by this a spreadsheet knows that it is UTF-8
    headers = {"content-disposition": f'attachment; filename="{name}.{form}"'}
    return StreamingResponse(
        chain(mark, table_lines(form, rows, columns)), media_type=_MEDIA_TYPES[form], headers=headers
    )


def staff_texts(request: Request) -> Texts:
    """Return the texts of these pages in the language of a request."""
    wanted = request.query_params.get(_LANGUAGE) or request.cookies.get(LANGUAGE_COOKIE)
    return STAFF_TEXTS[choose_language(wanted, request.headers.get("accept-language", "")).code]

"""The parts of the staff's pages, in the order of their navigation: the one place that names them all.

The staff's pages: an application of its own below /staff, which shares nothing with the public page but the port.

Every request passes `Guard` (guard.py): without a session there is the login page and nothing else. Every part is
refused to other roles than its own, and every change without the form's token, before any code of the part runs.

To add a part:

1. Write `NAME_page.py` beside this module, or a package, with a function `routes(desk: Desk) -> APIRouter`. Its paths
   begin below `/staff/NAME`: `@router.get("")` is `/staff/NAME`, `@router.get("/{answer_id}")` is below it. Only GET
   and POST reach it. `Desk` (desk.py) holds all that pages are made from; put your tables' class in the function.
2. Name it in `PARTS` (parts.py) with its roles. The navigation shows it to those roles and to admins.
3. Put its words into `NAME.toml` of each language in `texts/` (`title` is its name in the navigation;
   `t("NAME.key", count=3)` is used in templates), and what its errors say into `faults.toml`, by the English sentence.
4. Return pages by `show(request, "NAME.html", …)`; the template in `templates/` begins `{% extends "frame.html" %}`
   and fills the blocks `title` and `main`. Style what is particular in `static/NAME.css`, and scripts in
   `static/NAME.js` (a module), both linked in the block `head`; inline scripts and styles do not run.
5. A form is `<form method="post" action="…">` with `{{ form_field() }}` in it; a script sends the header
   `x-footnote-token` with the value of `document.body.dataset.token` (see static/desk.js, `send`). Answer it by
   `go_to("NAME", …)`. A FootnoteError becomes a page that says its line.
6. Who asks: `session_of(request).account`. A route for fewer roles than its part takes `Depends(require("admin"))`.
7. Whatever changes something calls `audit(connection, session.account, "thing.verb", subject, before, after)`
   (bot/storage/audit.py) in the same transaction, without a word that a reader wrote.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from fastapi import APIRouter, Depends, FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.staticfiles import StaticFiles
from starlette.exceptions import HTTPException

from bot.chatbot import Chatbot
from bot.settings import Settings
from bot.staff.accounts import Accounts, Role
from bot.staff.document_audit import SuspicionSearch, suspicious_documents
from bot.staff.sessions import Login, Sessions, session_limits
from bot.storage.answers import AnswerRecords
from bot.web.extensions import Pages
from bot.web.staff.account_pages import account_routes, login_routes, own_routes
from bot.web.staff.answers_page import approved_routes, golden_routes
from bot.web.staff.audit_page import audit_routes
from bot.web.staff.authentication import Entrance, Guard, check_form, require
from bot.web.staff.desk import PATH, Desk, fault_in, go_to, session_of, show, staff_texts
from bot.web.staff.documents_page import document_routes
from bot.web.staff.insights_page import insight_routes
from bot.web.staff.openid import openid_routes
from bot.web.staff.privacy_page import privacy_routes
from bot.web.staff.review_page import review_routes
from index.errors import FootnoteError


@dataclass(frozen=True, slots=True)
class Part:
    """One part of the pages.

    Attributes:
        name: Its path below /staff, and `NAME.title` its name in the texts.
        roles: Who has it beside admins; nobody else sees it, and every route of it refuses them.
        routes: Makes its routes; their paths begin below its own.
    """

    name: str
    roles: tuple[Role, ...]
    routes: Callable[[Desk], APIRouter]


PARTS = (
    Part("review", ("staff",), review_routes),
    Part("approved", ("staff",), approved_routes),
    Part("golden", ("staff", "evaluator"), golden_routes),
    Part("insights", ("staff",), insight_routes),
    Part("documents", ("staff",), document_routes),
    Part("privacy", ("staff",), privacy_routes),
    Part("accounts", ("admin",), account_routes),
    Part("audit", ("admin",), audit_routes),
)

_SUSPICIOUS = "suspicious.json"
_STATIC = Path(__file__).parent / "static"


def build_staff(
    settings: Settings, chatbot: Chatbot, records: AnswerRecords, evaluators: Sequence[Pages] = ()
) -> tuple[Pages, ...]:
    """Return the staff's pages around a chatbot and the records of its answers.

    After them come the evaluator's pages, which evaluators and admins who are logged in reach without a key.
    """
    desk = build_desk(settings, chatbot, records)
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    app.state.beside = evaluators
    app.include_router(login_routes(desk), prefix=PATH)
    app.include_router(openid_routes(desk), prefix=PATH)
    app.include_router(_home(), prefix=PATH)
    inside = [Depends(_navigation), Depends(check_form)]
    app.include_router(own_routes(desk), prefix=PATH, dependencies=inside)
    for part in PARTS:
        guarded = [Depends(require(*part.roles)), *inside]
        app.include_router(part.routes(desk), prefix=f"{PATH}/{part.name}", dependencies=guarded)
    app.mount(f"{PATH}/static", StaticFiles(directory=_STATIC))
    app.add_exception_handler(FootnoteError, _explain)
    app.add_exception_handler(HTTPException, _refuse)
    app.add_exception_handler(RequestValidationError, _refuse_form)
    staff = Pages(
        "Staff",
        PATH,
        Guard(app, desk.sessions, openid=bool(settings.oidc_issuer)),
        PATH,
        desk.suspicions.close,
        secret=False,
    )
    return (staff, *(replace(pages, app=Entrance(pages.app, desk.sessions)) for pages in evaluators))


def build_desk(settings: Settings, chatbot: Chatbot, records: AnswerRecords) -> Desk:
    """Return what the staff's pages are made from."""
    accounts = Accounts(records.engine)
    sessions = Sessions(records.engine, *session_limits(settings))
    suspicions = SuspicionSearch(
        lambda stop: suspicious_documents(chatbot.library.catalogue, chatbot.library.retriever, stop),
        lambda: chatbot.overview().fingerprint,
        settings.data_dir / _SUSPICIOUS,
    )
    return Desk(settings, chatbot, records, accounts, sessions, Login(records.engine, accounts), suspicions)


def _home() -> APIRouter:
    router = APIRouter()

    @router.get("")
    def home(request: Request) -> Response:
        """Go to the first part that the role has."""
        _navigation(request)
        return go_to(request.state.parts[0].name if request.state.parts else "me")

    return router


def _navigation(request: Request) -> None:
    session = session_of(request)
    request.state.parts = tuple(part for part in PARTS if session.may(*part.roles))


def _explain(request: Request, error: Exception) -> Response:
    return _fault(request, 400, str(error))


def _refuse(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    return _fault(request, error.status_code, "" if error.status_code == 404 else str(error.detail))


def _refuse_form(request: Request, error: Exception) -> Response:
    # What was sent is not repeated: it may be a password.
    assert isinstance(error, RequestValidationError)
    places = ", ".join(str(fault["loc"][-1]) for fault in error.errors())
    return _fault(request, 400, f"The form cannot be used ({places}): go back and fill it in again.")


def _fault(request: Request, status: int, words: str) -> Response:
    if getattr(request.state, "session", None) is not None:
        _navigation(request)
    return show(request, "fault.html", status, fault=fault_in(staff_texts(request), words) if words else None)

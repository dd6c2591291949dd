"""The staff pages: an application of its own below /staff, and its parts in the order of their navigation.

Every request passes `LoginRequired` (authentication.py): without a session there is only the login page. Every part is
refused to other roles than its own, and every change without the form's token, before any code of the part runs.

To add a part:

1. Write `NAME_page.py` beside this module with a function `routes(services: StaffServices) -> APIRouter`. Its paths
   begin below `/staff/NAME`: `@router.get("")` is `/staff/NAME`, `@router.get("/{answer_id}")` is below it. Only GET
   and POST reach it. `StaffServices` (staff_page.py) holds all that pages are made from.
2. Name it in `PARTS` with its roles. The navigation shows it to those roles and to admins.
3. Put its words into `NAME.toml` of each language in `texts/` (`title` is its name in the navigation;
   `t("NAME.key", count=3)` is used in templates), and its error messages into `faults.toml`, by the English sentence.
4. Return pages by `show(request, "NAME.html", …)`; the template in `templates/` begins `{% extends "frame.html" %}`
   and fills the blocks `title` and `main`. Styles of the part go into `static/NAME.css`, and scripts into
   `static/NAME.js` (a module), both linked in the block `head`; inline scripts and styles do not run.
5. A form is `<form method="post" action="…">` with `{{ form_field() }}` in it; a script sends the header
   `x-footnote-token` with the value of `document.body.dataset.token` (see static/desk.js, `send`). Answer it by
   `redirect_to("NAME", …)`. A FootnoteError becomes a page with its message.
6. The account that sends a request is `session_of(request).account`. A route for fewer roles than its part takes
   `Depends(require("admin"))`.
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
from bot.staff.document_audit import DocumentAudit
from bot.staff.sessions import Login, Sessions, session_limits
from bot.storage.answers import AnswerRecords
from bot.web.extensions import Pages
from bot.web.staff.account_pages import account_routes, audit_routes, login_routes, own_routes
from bot.web.staff.authentication import EvaluatorLogin, LoginRequired, check_form, require
from bot.web.staff.documents_page import document_routes
from bot.web.staff.insights_page import insight_routes
from bot.web.staff.openid import openid_routes
from bot.web.staff.privacy_page import privacy_routes
from bot.web.staff.review_item import item_routes, outcome_routes
from bot.web.staff.review_page import approved_routes, golden_routes, queue_routes
from bot.web.staff.review_source import source_routes
from bot.web.staff.staff_page import PATH, StaffServices, fault_in, redirect_to, session_of, show, staff_texts
from index.errors import FootnoteError


@dataclass(frozen=True, slots=True)
class StaffPart:
    """One part of the pages.

    Attributes:
        name: Its path below /staff, and `NAME.title` its name in the texts.
        roles: Who has it beside admins; nobody else sees it, and every route of it refuses them.
        routes: Make its routes; their paths begin below its own.
    """

    name: str
    roles: tuple[Role, ...]
    routes: tuple[Callable[[StaffServices], APIRouter], ...]


PARTS = (
    StaffPart("review", ("staff",), (queue_routes, source_routes, item_routes, outcome_routes)),
    StaffPart("approved", ("staff",), (approved_routes,)),
    StaffPart("golden", ("staff", "evaluator"), (golden_routes,)),
    StaffPart("insights", ("staff",), (insight_routes,)),
    StaffPart("documents", ("staff",), (document_routes,)),
    StaffPart("privacy", ("staff",), (privacy_routes,)),
    StaffPart("accounts", ("admin",), (account_routes,)),
    StaffPart("audit", ("admin",), (audit_routes,)),
)


def build_staff(
    settings: Settings, chatbot: Chatbot, records: AnswerRecords, evaluators: Sequence[Pages] = ()
) -> tuple[Pages, ...]:
    """Return the staff's pages around a chatbot and the records of its answers.

    After them come the evaluator's pages, which evaluators and admins who are logged in reach without a key.
    """
    accounts, sessions = Accounts(records.engine), Sessions(records.engine, *session_limits(settings))
    document_audit = DocumentAudit(chatbot.library, settings.data_dir / "suspicious.json")
    login = Login(records.engine, accounts)
    services = StaffServices(settings, chatbot, records, accounts, sessions, login, document_audit)
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    app.state.beside = evaluators
    app.include_router(login_routes(services), prefix=PATH)
    app.include_router(openid_routes(services), prefix=PATH)
    app.get(PATH)(_home)
    inside = [Depends(_navigation), Depends(check_form)]
    app.include_router(own_routes(services), prefix=PATH, dependencies=inside)
    for part in PARTS:
        guarded = [Depends(require(*part.roles)), *inside]
        for routes in part.routes:
            app.include_router(routes(services), prefix=f"{PATH}/{part.name}", dependencies=guarded)
    app.mount(f"{PATH}/static", StaticFiles(directory=Path(__file__).parent / "static"))
    app.add_exception_handler(FootnoteError, _explain)
    app.add_exception_handler(HTTPException, _refuse)
    app.add_exception_handler(RequestValidationError, _refuse_form)
    guarded_app = LoginRequired(app, sessions, openid=bool(settings.oidc_issuer))
    staff = Pages("Staff", PATH, guarded_app, PATH, document_audit.close, secret=False)
    return (staff, *(replace(pages, app=EvaluatorLogin(pages.app, sessions)) for pages in evaluators))


def _home(request: Request) -> Response:
    """Go to the first part that the role has."""
    _navigation(request)
    return redirect_to(request.state.parts[0].name if request.state.parts else "me")


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

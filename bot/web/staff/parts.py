"""The parts of the staff's pages, in the order of their navigation: the one place that names them all."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from fastapi import APIRouter

from bot.accounts.accounts import Role
from bot.web.staff.accounts_page import account_routes
from bot.web.staff.approved_page import approved_routes
from bot.web.staff.audit_page import audit_routes
from bot.web.staff.desk import Desk
from bot.web.staff.documents_page import document_routes
from bot.web.staff.golden_page import golden_routes
from bot.web.staff.insights_page import insight_routes
from bot.web.staff.privacy_page import privacy_routes
from bot.web.staff.review_page import review_routes


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

"""The audit: who did what to what, and when, with the state before and after. It only grows.

No code of ours changes or deletes an entry, and the database refuses it (triggers of revision 0002), retention
included: an entry never holds what a reader wrote, so nothing in it has to go when a conversation does.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from bot.storage.schema import AUDIT

TERMINAL = "(terminal)"  # the actor of commands; no account can have this name

State = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One action.

    Attributes:
        actor: Name of the account that acted; `TERMINAL` for a command.
        action: What was done, as `thing.verb`: `account.add`, `conversation.delete`.
        subject: What it was done to, by its name or id.
        before: What was there, as far as the action changed it.
        after: What is there now.
    """

    id: int
    at: datetime
    actor: str
    action: str
    subject: str
    before: State
    after: State


def audit(
    connection: Connection,
    actor: str,
    action: str,
    subject: str,
    before: State | None = None,
    after: State | None = None,
) -> None:
    """Add an entry in the transaction that does what it tells of, so that there is never one without the other.

    Args:
        connection: The open transaction.
        actor: Name of the account that acts, or `TERMINAL`.
        action: What is done, as `thing.verb`.
        subject: What it is done to, by its name or id.
        before: What was there; no text of readers, neither here nor in `after`.
        after: What is there now.
    """
    connection.execute(
        AUDIT.insert().values(
            at=datetime.now(UTC),
            actor=actor,
            action=action,
            subject=subject[:255],
            before=_to_text(before),
            after=_to_text(after),
        )
    )


def audit_entries(
    connection: Connection,
    *,
    actor: str = "",
    action: str = "",
    since: datetime | None = None,
    until: datetime | None = None,
    before_id: int | None = None,
    limit: int | None = None,
) -> Iterator[AuditEntry]:
    """Yield entries, newest first.

    Args:
        connection: A connection.
        actor: Only what this account did.
        action: Only actions that begin with this.
        since: Only from this moment on.
        until: Only before this moment.
        before_id: Only older ones than the entry with this id.
        limit: At most so many.
    """
    asked = sa.select(AUDIT).order_by(AUDIT.c.id.desc()).limit(limit)
    if actor:
        asked = asked.where(AUDIT.c.actor == actor)
    if action:
        asked = asked.where(AUDIT.c.action.startswith(action, autoescape=True))
    if since:
        asked = asked.where(AUDIT.c.at >= since)
    if until:
        asked = asked.where(AUDIT.c.at < until)
    if before_id:
        asked = asked.where(AUDIT.c.id < before_id)
    for row in connection.execute(asked):
        yield AuditEntry(
            row.id, row.at, row.actor, row.action, row.subject, json.loads(row.before), json.loads(row.after)
        )


def audit_actions(connection: Connection) -> tuple[list[str], list[str]]:
    """Return who has acted and what has been done so far, each sorted: what there is to choose from."""
    return (
        list(connection.scalars(sa.select(AUDIT.c.actor).distinct().order_by(AUDIT.c.actor))),
        list(connection.scalars(sa.select(AUDIT.c.action).distinct().order_by(AUDIT.c.action))),
    )


def _to_text(state: State | None) -> str:
    return json.dumps(dict(state or {}), ensure_ascii=False, sort_keys=True, default=str)

"""Who is logged in. A browser holds a random token, the database its hash; a session ends when idle, and when old."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import cast

import sqlalchemy as sa
from sqlalchemy.engine import Engine

from bot.accounts.accounts import Role
from bot.records.audit import audit
from bot.records.schema import ACCOUNTS, SESSIONS
from bot.settings import Settings
from index.document import hash_text

_NOTED_EVERY = timedelta(seconds=30)  # how exactly the last use is kept; not every request has to write


@dataclass(frozen=True, slots=True)
class Session:
    """A member of staff who is logged in.

    Attributes:
        account: Their name.
        role: Their role now, not when they logged in.
        token_hash: What the database knows the session by.
        form_token: What every form of theirs carries, so that no other site can send one.
    """

    account: str
    role: Role
    token_hash: str
    form_token: str

    def may(self, *roles: Role) -> bool:
        """Return whether they have one of the roles; an admin has all."""
        return self.role == "admin" or self.role in roles


def session_limits(settings: Settings) -> tuple[timedelta, timedelta]:
    """Return how long a session lasts unused, and how long at all."""
    return timedelta(minutes=settings.session_idle_minutes), timedelta(hours=settings.session_hours)


class Sessions:
    """The table of sessions.

    Args:
        engine: The database of the records, its tables made.
        idle: How long one lasts unused.
        lifetime: How long it lasts at all.
        now: Says what time it is.
    """

    def __init__(
        self,
        engine: Engine,
        idle: timedelta,
        lifetime: timedelta,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._engine = engine
        self._idle = idle
        self._lifetime = lifetime
        self._now = now

    def open(self, account: str, by: str) -> str:
        """Log an account in; return the token for its browser.

        Args:
            account: Its name.
            by: `password` or `openid`, for the audit.
        """
        token = secrets.token_urlsafe(32)
        row = {"token_hash": _hash(token), "account": account, "opened_at": self._now(), "used_at": self._now()}
        with self._engine.begin() as connection:
            connection.execute(SESSIONS.delete().where(sa.not_(self._lasts())))
            connection.execute(SESSIONS.insert().values(row))
            audit(connection, account, "session.open", account, after={"by": by})
        return token

    def find(self, token: str) -> Session | None:
        """Return the session of a token, and note that it is used; None when there is none, or it has ended."""
        if not token:
            return None
        theirs = sa.select(SESSIONS.c.used_at, ACCOUNTS.c.name, ACCOUNTS.c.role).join(ACCOUNTS)
        token_hash = _hash(token)
        with self._engine.connect() as connection:
            row = connection.execute(theirs.where(SESSIONS.c.token_hash == token_hash, self._lasts())).one_or_none()
        if row is None:
            return None
        if self._now() - row.used_at >= min(_NOTED_EVERY, self._idle / 10):
            with self._engine.begin() as connection:
                used = SESSIONS.update().where(SESSIONS.c.token_hash == token_hash)
                connection.execute(used.values(used_at=self._now()))
        return Session(row.name, cast("Role", row.role), token_hash, hash_text("form", token))

    def end(self, session: Session) -> None:
        """Log out."""
        with self._engine.begin() as connection:
            connection.execute(SESSIONS.delete().where(SESSIONS.c.token_hash == session.token_hash))
            audit(connection, session.account, "session.end", session.account)

    def end_all(self, actor: str, account: str | None = None) -> int:
        """End the sessions of an account, or of all; return how many that were."""
        ended = SESSIONS.delete() if account is None else SESSIONS.delete().where(SESSIONS.c.account == account)
        with self._engine.begin() as connection:
            count = connection.execute(ended).rowcount
            audit(connection, actor, "session.end_all", account or "*", after={"sessions_ended": count})
        return count

    def counts(self) -> dict[str, int]:
        """Return how many sessions each account has open."""
        lasting = sa.select(SESSIONS.c.account, sa.func.count()).where(self._lasts()).group_by(SESSIONS.c.account)
        with self._engine.connect() as connection:
            return {row[0]: row[1] for row in connection.execute(lasting)}

    def _lasts(self) -> sa.ColumnElement[bool]:
        now = self._now()
        return sa.and_(SESSIONS.c.used_at > now - self._idle, SESSIONS.c.opened_at > now - self._lifetime)


def _hash(token: str) -> str:
    return hash_text("session", token)

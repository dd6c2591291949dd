"""Who is logged in. A browser holds a random token, the database its hash; a session ends when idle, and when old.

Logging in: a name and a password, or a wait that grows with wrong ones.

Wrong passwords are counted for an account at one address, for an address, and for an account from everywhere. After
`FREE_TRIES` of them the next try has to wait, twice as long each time; a try made while waiting is not looked at and
lengthens nothing. The wait of an account from everywhere is short, so that whoever guesses at it cannot keep its owner
out, and it does not hold at an address where its password was right before.
"""

from __future__ import annotations

import math
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Connection, Engine

from bot.settings import Settings
from bot.staff.accounts import Account, Accounts, Role
from bot.storage.audit import audit
from bot.storage.schema import ACCOUNTS, LOGIN_FAILURES, SESSIONS
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


FREE_TRIES = 10
_FIRST_WAIT = timedelta(seconds=2)
_LONGEST_WAIT = timedelta(minutes=15)
_LONGEST_WAIT_EVERYWHERE = timedelta(seconds=30)
_FORGOTTEN_AFTER = timedelta(days=1)
_KNOWN_FOR = timedelta(days=90)
_KNOWN = 0  # the count of a row that says: here the password was right


@dataclass(frozen=True, slots=True)
class Wait:
    """A try that was not looked at.

    Attributes:
        seconds: How long to wait before the next one.
    """

    seconds: int


class Login:
    """Checks names and passwords.

    Args:
        engine: The database of the records, its tables made.
        accounts: Who has an account.
        now: Says what time it is.
    """

    def __init__(
        self, engine: Engine, accounts: Accounts, now: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self._engine = engine
        self._accounts = accounts
        self._now = now

    def try_password(self, name: str, password: str, address: str) -> Account | Wait | None:
        """Return the account, None for a wrong name or password, or how long to wait.

        Args:
            name: Name of an account, or what somebody takes for one.
            password: What they gave.
            address: Where they are.
        """
        here, known = hash_text("here", name, address), hash_text("known", name, address)
        place, everywhere = hash_text("address", address), hash_text("account", name)
        limits = {here: _LONGEST_WAIT, place: _LONGEST_WAIT, everywhere: _LONGEST_WAIT_EVERYWHERE}
        with self._engine.begin() as connection:
            rows = self._lock(connection, sorted(limits))
            if self._is_known(connection, known):
                del limits[everywhere]
            wait = max(self._wait(rows[key], longest) for key, longest in limits.items())
            if wait > timedelta(0):
                return Wait(math.ceil(wait.total_seconds()))
            # Counted before it is looked at: many tries at once are no way round the wait.
            for key, row in rows.items():
                failures = row.failures + 1 if self._now() - row.last_at < _FORGOTTEN_AFTER else 1
                this = LOGIN_FAILURES.update().where(LOGIN_FAILURES.c.key == key)
                connection.execute(this.values(failures=failures, last_at=self._now()))
        account = self._accounts.check(name, password)
        with self._engine.begin() as connection:
            if account is None:
                # An unknown name is not written down: it may be a password in the wrong field.
                known_name = sa.select(ACCOUNTS.c.name).where(ACCOUNTS.c.name == name)
                audit(connection, "(login)", "session.refuse", connection.scalar(known_name) or "(unknown name)")
                return None
            connection.execute(
                LOGIN_FAILURES.delete().where(LOGIN_FAILURES.c.key.in_((here, place, everywhere, known)))
            )
            connection.execute(LOGIN_FAILURES.insert().values(key=known, failures=_KNOWN, last_at=self._now()))
        return account

    def _is_known(self, connection: Connection, key: str) -> bool:
        known = sa.select(LOGIN_FAILURES.c.last_at).where(LOGIN_FAILURES.c.key == key)
        last = connection.scalar(known)
        return last is not None and self._now() - last < _KNOWN_FOR

    def _lock(self, connection: Connection, keys: Sequence[str]) -> dict[str, sa.Row[Any]]:
        """Return the rows of some keys, made where there are none; until the transaction ends, nobody else has them."""
        insert = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
        for key in keys:
            made = insert(LOGIN_FAILURES).values(key=key, failures=0, last_at=self._now())
            same = {"failures": LOGIN_FAILURES.c.failures}
            connection.execute(made.on_conflict_do_update(index_elements=["key"], set_=same))
        found = connection.execute(sa.select(LOGIN_FAILURES).where(LOGIN_FAILURES.c.key.in_(keys)))
        return {row.key: row for row in found}

    def _wait(self, row: sa.Row[Any], longest: timedelta) -> timedelta:
        beyond = row.failures - FREE_TRIES
        if beyond < 0:
            return timedelta(0)
        wait: timedelta = row.last_at + min(longest, _FIRST_WAIT * 2 ** min(beyond, 20)) - self._now()
        return wait

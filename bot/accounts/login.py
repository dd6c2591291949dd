"""Logging in: a name and a password, or a wait that grows with wrong ones.

Wrong passwords are counted for an account at one address, for an address, and for an account from everywhere. After
`FREE_TRIES` of them the next try has to wait, twice as long each time; a try made while waiting is not looked at and
lengthens nothing. The wait of an account from everywhere is short, so that whoever guesses at it cannot keep its owner
out, and it does not hold at an address where its password was right before.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Connection, Engine

from bot.accounts.accounts import Account, Accounts
from bot.records.audit import audit
from bot.records.schema import ACCOUNTS, LOGIN_FAILURES
from index.document import hash_text

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

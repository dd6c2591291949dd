"""Passwords: how long they must be, and what is kept of them (argon2id; memory and passes as OWASP advises).

Accounts: a name, a role, and the hash of a password. Every change is audited in the transaction that makes it.
"""

from __future__ import annotations

import re
import threading
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal, cast, get_args

import sqlalchemy as sa
from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy.engine import Connection, Engine

from bot.answer.errors import AccountError
from bot.storage.audit import audit
from bot.storage.schema import ACCOUNTS, SESSIONS

MINIMUM_CHARACTERS = 12
_MAXIMUM_CHARACTERS = 1_000
_AT_ONCE = 2  # each takes 46 MiB and a twentieth of a second

_hasher = PasswordHasher(time_cost=1, memory_cost=47_104, parallelism=1)
_turn = threading.BoundedSemaphore(_AT_ONCE)
# What the password of an unknown name is compared with, so that it takes as long as that of a known one.
_NOBODYS = "$argon2id$v=19$m=47104,t=1,p=1$V/XctAm+TBou2zX4Ip1hCQ$LboSHqL920v2dQI7gVD/xBItuIkyfgHB5z7JwyGvbro"


def hash_password(password: str) -> str:
    """Return what is kept of a password.

    Raises:
        AccountError: It is too short or too long.
    """
    if len(password) < MINIMUM_CHARACTERS:
        raise AccountError(f"A password has at least {MINIMUM_CHARACTERS} characters: choose a longer one.")
    if len(password) > _MAXIMUM_CHARACTERS:
        raise AccountError(f"A password has at most {_MAXIMUM_CHARACTERS:,} characters: choose a shorter one.")
    with _turn:
        return _hasher.hash(password)


def is_password(password: str, password_hash: str) -> bool:
    """Return whether a password is the kept one, after the same work for one that nobody has (an empty hash)."""
    if len(password) > _MAXIMUM_CHARACTERS:
        return False
    with _turn:
        try:
            return _hasher.verify(password_hash or _NOBODYS, password) and bool(password_hash)
        except (VerificationError, InvalidHashError):
            return False


Role = Literal["staff", "evaluator", "admin"]
OPENID = "(openid)"  # the actor where a provider says who has an account
ROLES: tuple[Role, ...] = get_args(Role)
_NAME = re.compile(r"[\w][\w.@+-]{0,63}")


@dataclass(frozen=True, slots=True)
class Account:
    """Someone who may log in.

    Attributes:
        role: `staff` checks answers, `evaluator` measures, `admin` does both and keeps accounts.
        has_password: False for one who logs in with OpenID Connect only.
    """

    name: str
    role: Role
    has_password: bool
    created_at: datetime


class Accounts:
    """The table of accounts.

    Args:
        engine: The database of the records, its tables made.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def all(self) -> tuple[Account, ...]:
        """Return the accounts by name."""
        with self._engine.connect() as connection:
            return tuple(_to_account(row) for row in connection.execute(sa.select(ACCOUNTS).order_by(ACCOUNTS.c.name)))

    def add(self, actor: str, name: str, role: Role, password: str | None) -> None:
        """Make an account; without a password it can only log in with OpenID Connect.

        Raises:
            AccountError: The name is taken or none, or the password is too short.
        """
        name = name.strip()
        if not _NAME.fullmatch(name):
            raise AccountError(
                f"The name {name!r} cannot be used: choose up to 64 letters, digits and . @ + - _, a letter first."
            )
        kept = hash_password(password) if password is not None else ""
        row = {"name": name, "role": role, "password_hash": kept, "created_at": datetime.now(UTC)}
        try:
            with self._engine.begin() as connection:
                connection.execute(ACCOUNTS.insert().values(row))
                audit(connection, actor, "account.add", name, after={"role": role, "password": bool(kept)})
        except sa.exc.IntegrityError as error:  # the database knows best, for another may add it at the same time
            raise AccountError(f"There is an account {name!r} already: choose another name.") from error

    def set_role(self, actor: str, name: str, role: Role) -> None:
        """Change what an account may do, from its next request on.

        Raises:
            AccountError: There is no such account, or it is the last admin with a password.
        """
        with self._engine.begin() as connection:
            before = self._require(connection, name)
            if role != "admin":
                _keep_an_admin(connection, name, actor)
            connection.execute(ACCOUNTS.update().where(ACCOUNTS.c.name == name).values(role=role))
            audit(connection, actor, "account.role", name, {"role": before.role}, {"role": role})

    def set_password(self, actor: str, name: str, password: str, keep_session: str = "") -> None:
        """Change a password, and end the account's sessions but one.

        Args:
            actor: Who changes it.
            name: Whose it is.
            password: The new one.
            keep_session: Hash of the token of the session to keep.

        Raises:
            AccountError: There is no such account, or the password is too short.
        """
        kept = hash_password(password)
        others = SESSIONS.delete().where(SESSIONS.c.account == name, SESSIONS.c.token_hash != keep_session)
        with self._engine.begin() as connection:
            self._require(connection, name)
            connection.execute(ACCOUNTS.update().where(ACCOUNTS.c.name == name).values(password_hash=kept))
            ended = connection.execute(others).rowcount
            audit(connection, actor, "account.password", name, after={"sessions_ended": ended})

    def remove(self, actor: str, name: str) -> None:
        """Delete an account and its sessions.

        Raises:
            AccountError: There is no such account, or it is the last admin with a password.
        """
        with self._engine.begin() as connection:
            before = self._require(connection, name)
            _keep_an_admin(connection, name, actor)
            connection.execute(ACCOUNTS.delete().where(ACCOUNTS.c.name == name))
            audit(connection, actor, "account.remove", name, before={"role": before.role})

    def enter(self, name: str, role: Role) -> None:
        """Make or update the account of somebody whom an OpenID provider knows by a name, with the role it gives.

        Raises:
            AccountError: The name cannot be used, or an account with a password has it.
        """
        with self._engine.connect() as connection:
            known = _find(connection, name)
        if known is None:
            self.add(OPENID, name, role, None)
        elif known.has_password:
            raise AccountError(f"The account {name!r} has a password here: log in with it, or ask an admin.")
        elif known.role != role:
            self.set_role(OPENID, name, role)

    def check(self, name: str, password: str) -> Account | None:
        """Return the account whose name and password these are, or None after the same time."""
        with self._engine.connect() as connection:
            row = connection.execute(sa.select(ACCOUNTS).where(ACCOUNTS.c.name == name)).one_or_none()
        right = is_password(password, row.password_hash if row is not None else "")
        return _to_account(row) if right and row is not None else None

    def _require(self, connection: Connection, name: str) -> Account:
        found = _find(connection, name)
        if found is None:
            raise AccountError(f"There is no account {name!r}: `footnote user list` shows them.")
        return found


def _find(connection: Connection, name: str) -> Account | None:
    row = connection.execute(sa.select(ACCOUNTS).where(ACCOUNTS.c.name == name).with_for_update()).one_or_none()
    return _to_account(row) if row is not None else None


def _keep_an_admin(connection: Connection, name: str, actor: str) -> None:
    """Raise AccountError where someone on the web would take away the last admin; the terminal can make another."""
    if actor.startswith("("):
        return
    others = sa.select(ACCOUNTS.c.name).where(ACCOUNTS.c.role == "admin", ACCOUNTS.c.name != name).with_for_update()
    if not connection.execute(others).all():
        raise AccountError(f"{name!r} is the only admin: make another account an admin first.")


def _to_account(row: sa.Row[tuple[object, ...]]) -> Account:
    named = row._mapping
    role = cast("Role", named["role"])
    return Account(str(named["name"]), role, bool(named["password_hash"]), cast("datetime", named["created_at"]))

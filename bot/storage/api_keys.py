"""Keys that programs show to be let in: what each may do, how often, and for how long. Kept as hashes.

A key is `footnote_ID_SECRET`. The secret has 256 random bits, so a plain SHA-256 of it cannot be turned round, and no
slow hash is needed to keep guesses away.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal, get_args

import sqlalchemy as sa
from sqlalchemy.engine import Row

from bot.answer.errors import KeyNameError
from bot.storage.schema import API_KEYS, RECORDS
from index.store.database import open_engine

Scope = Literal["answer", "search", "documents"]
SCOPES: tuple[Scope, ...] = get_args(Scope)
PREFIX = "footnote_"
_MAXIMUM_KEY_CHARACTERS = 200


@dataclass(frozen=True, slots=True)
class ApiKey:
    """What is known of a key; its secret is not.

    Attributes:
        key_id: The part of the key that is no secret.
        per_minute: Most requests in a minute; None for no limit.
        per_day: Most requests in a day of UTC; None for no limit.
        used_today: Requests counted today, of a key with a limit a day.
    """

    key_id: str
    name: str
    scopes: tuple[Scope, ...]
    per_minute: int | None
    per_day: int | None
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None
    used_today: int

    def state(self, moment: datetime) -> Literal["valid", "revoked", "expired"]:
        """Return whether the key opens anything at a moment."""
        if self.revoked_at is not None:
            return "revoked"
        return "expired" if self.expires_at is not None and self.expires_at <= moment else "valid"


class ApiKeys:
    """The table of keys.

    Args:
        database_url: SQLAlchemy URL; the tables are made or upgraded when it is opened.
    """

    def __init__(self, database_url: str) -> None:
        self._engine = open_engine(database_url)
        RECORDS.upgrade(self._engine)

    def add(
        self,
        name: str,
        scopes: Sequence[Scope],
        *,
        per_minute: int | None = None,
        per_day: int | None = None,
        expires_at: datetime | None = None,
    ) -> str:
        """Make a key and return it: the only time that it can be read.

        Raises:
            KeyNameError: The name is empty, too long, or taken.
        """
        if not 0 < len(name.strip()) <= 80 or not name.isprintable():
            raise KeyNameError(f"{name!r} is no name for a key: give it one of 1 to 80 visible characters.")
        key_id, secret = secrets.token_hex(6), secrets.token_urlsafe(32)
        row = {
            "key_id": key_id,
            "name": name,
            "secret_hash": _hash(secret),
            "scopes": " ".join(scope for scope in SCOPES if scope in scopes),
            "per_minute": per_minute,
            "per_day": per_day,
            "created_at": datetime.now(UTC),
            "expires_at": expires_at,
        }
        try:
            with self._engine.begin() as connection:
                connection.execute(API_KEYS.insert().values(row))
        except sa.exc.IntegrityError as error:
            raise KeyNameError(f"There is a key named {name!r} already: choose another name.") from error
        return f"{PREFIX}{key_id}_{secret}"

    def revoke(self, name: str) -> None:
        """Close a key for good.

        Raises:
            KeyNameError: No key that is still open has that name.
        """
        ours = API_KEYS.update().where(API_KEYS.c.name == name, API_KEYS.c.revoked_at.is_(None))
        with self._engine.begin() as connection:
            if not connection.execute(ours.values(revoked_at=datetime.now(UTC))).rowcount:
                raise KeyNameError(f"There is no open key named {name!r}: `footnote key list` names them.")

    def all(self) -> tuple[ApiKey, ...]:
        """Return every key, oldest first."""
        with self._engine.connect() as connection:
            rows = connection.execute(sa.select(API_KEYS).order_by(API_KEYS.c.created_at, API_KEYS.c.key_id))
            return tuple(_to_key(row) for row in rows)

    def find(self, shown: str) -> ApiKey | None:
        """Return the key that a program shows, or None for one that was never given out."""
        key_id, _, secret = shown.removeprefix(PREFIX).partition("_")
        if not shown.startswith(PREFIX) or len(shown) > _MAXIMUM_KEY_CHARACTERS or not shown.isascii():
            return None
        with self._engine.connect() as connection:
            row = connection.execute(sa.select(API_KEYS).where(API_KEYS.c.key_id == key_id)).one_or_none()
        # A key that is not there takes as long as a wrong secret.
        same = hmac.compare_digest(row.secret_hash if row is not None else "0" * 64, _hash(secret))
        return _to_key(row) if row is not None and same else None

    def count(self, key: ApiKey) -> bool:
        """Count a request of a key with a limit a day; return whether it is still within it.

        Counted in the database, so that a restart forgets nothing and several machines count together.
        """
        if key.per_day is None:
            return True
        today = _today()
        same_day = API_KEYS.c.counted_on == today
        within = API_KEYS.update().where(
            API_KEYS.c.key_id == key.key_id, sa.or_(~same_day, API_KEYS.c.counted < key.per_day)
        )
        counted = sa.case((same_day, API_KEYS.c.counted + 1), else_=1)
        with self._engine.begin() as connection:
            return connection.execute(within.values(counted=counted, counted_on=today)).rowcount == 1

    def close(self) -> None:
        """Release the database."""
        self._engine.dispose()


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def _today() -> str:
    return datetime.now(UTC).date().isoformat()


def _to_key(row: Row[Any]) -> ApiKey:
    return ApiKey(
        key_id=row.key_id,
        name=row.name,
        scopes=tuple(scope for scope in SCOPES if scope in row.scopes.split()),
        per_minute=row.per_minute,
        per_day=row.per_day,
        created_at=row.created_at,
        expires_at=row.expires_at,
        revoked_at=row.revoked_at,
        used_today=row.counted if row.counted_on == _today() else 0,
    )

"""Passwords: how long they must be, and what is kept of them (argon2id; memory and passes as OWASP advises)."""

from __future__ import annotations

import threading

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from bot.errors import AccountError

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

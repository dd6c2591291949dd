"""Turns of a conversation, and how many of them are looked at."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from pydantic import BaseModel, ConfigDict

# The last few turns decide what a follow-up means; older ones only add words that mislead the search.
MAXIMUM_TURNS = 12
MAXIMUM_TURN_CHARACTERS = 4_000
# What an exchange is about is said in its question and where its answer begins.
_EXCHANGES = 3
_REPLY_CHARACTERS = 300


class Turn(BaseModel):
    """One message of a conversation."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    role: Literal["user", "assistant"]
    content: str


def recent_turns(history: Sequence[Turn]) -> tuple[Turn, ...]:
    """Return the last turns, each cut to a bounded length, whatever the caller sends."""
    return tuple(
        Turn(role=turn.role, content=turn.content[:MAXIMUM_TURN_CHARACTERS]) for turn in history[-MAXIMUM_TURNS:]
    )


def recent_exchanges(history: Sequence[Turn]) -> tuple[str, ...]:
    """Return the last questions of the reader, each with how its answer begins, oldest first."""
    exchanges: list[str] = []
    for turn in recent_turns(history):
        if turn.role == "user":
            exchanges.append(turn.content)
        elif exchanges:
            exchanges[-1] = f"{exchanges[-1]} {turn.content[:_REPLY_CHARACTERS]}"
    return tuple(exchanges[-_EXCHANGES:])

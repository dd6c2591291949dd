"""Turns of a conversation, and how many of them are looked at."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from pydantic import BaseModel, ConfigDict

# The last few turns decide what a follow-up means; older ones only add words that mislead the search.
MAXIMUM_TURNS = 12
MAXIMUM_TURN_CHARACTERS = 4_000


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

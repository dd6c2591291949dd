"""How long a call of a language model may take."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """How long a call may take, in seconds.

    Attributes:
        connect: Until the connection stands.
        first_token: Until the first piece of text, a second attempt included.
        between_tokens: From one piece of text to the next.
        total: The whole reply.
    """

    connect: float = 3.0
    first_token: float = 20.0
    between_tokens: float = 10.0
    total: float = 90.0

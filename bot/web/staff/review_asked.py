"""What an address asks of the queue. It is carried from page to page, so that "next" means the next of these."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from datetime import date
from typing import get_args

from bot.review.queue import Asked, State
from bot.review.reasons import Reason

STATES: tuple[State, ...] = get_args(State)
_TEXTS = ("kind", "language", "document", "rating", "assignee", "words")
_LONGEST = 300


def asked_of(query: Mapping[str, str]) -> Asked:
    """Return what a query asks; what is unknown or not well written in it does not count."""
    states: dict[str, State] = {state: state for state in STATES}
    reasons = {reason.name.lower(): reason for reason in Reason if reason.name}
    texts = {name: query.get(name, "").strip()[:_LONGEST] for name in _TEXTS}
    return Asked(
        state=states.get(query.get("state", ""), "open"),
        reason=reasons.get(query.get("reason", "")),
        since=_day(query.get("since", "")),
        until=_day(query.get("until", "")),
        **texts,
    )


def to_query(asked: Asked) -> dict[str, str]:
    """Return the query that asks the same, without what does not count."""
    written = {
        "state": "" if asked.state == "open" else asked.state,
        "reason": asked.reason.name.lower() if asked.reason and asked.reason.name else "",
        "since": asked.since.isoformat() if asked.since else "",
        "until": asked.until.isoformat() if asked.until else "",
        **{name: getattr(asked, name) for name in _TEXTS},
    }
    return {name: value for name, value in written.items() if value}


def page_of(query: Mapping[str, str]) -> int:
    """Return the number of the page that is asked for."""
    number = query.get("page", "1")
    return int(number) if number.isdecimal() and len(number) < 9 else 1


def _day(text: str) -> date | None:
    with suppress(ValueError):
        return date.fromisoformat(text)
    return None

"""How much was asked, refused and rated down, week by week."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from bot.insight.asked import AskedQuestion


@dataclass(frozen=True, slots=True)
class Week:
    """Seven days from a Monday (UTC)."""

    monday: dt.date
    asked: int
    refused: int
    rated_down: int


def count_weeks(questions: Sequence[AskedQuestion], first: dt.date, last: dt.date) -> tuple[Week, ...]:
    """Return every week from one day to another, those in which nothing was asked among them."""
    by_monday: dict[dt.date, list[AskedQuestion]] = {}
    for one in questions:
        by_monday.setdefault(_monday(one.asked_at.date()), []).append(one)
    weeks, monday = [], _monday(first)
    while monday <= last:
        some = by_monday.get(monday, [])
        refused = sum(one.kind == "refusal" for one in some)
        weeks.append(Week(monday, len(some), refused, sum(one.rating == "down" for one in some)))
        monday += dt.timedelta(days=7)
    return tuple(weeks)


def _monday(day: dt.date) -> dt.date:
    return day - dt.timedelta(days=day.weekday())

"""How much was asked, refused and rated down, week by week."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from dataclasses import dataclass

from bot.insight.asked import AskedQuestion


@dataclass(frozen=True, slots=True)
class Week:
    """Seven days from a Monday (UTC)."""

    monday: datetime.date
    asked: int
    refused: int
    rated_down: int


def count_weeks(questions: Sequence[AskedQuestion], first: datetime.date, last: datetime.date) -> tuple[Week, ...]:
    """Return every week from one day to another, those in which nothing was asked among them."""
    by_monday: dict[datetime.date, list[AskedQuestion]] = {}
    for one in questions:
        by_monday.setdefault(_monday(one.asked_at.date()), []).append(one)
    weeks, monday = [], _monday(first)
    while monday <= last:
        some = by_monday.get(monday, [])
        refused = sum(one.kind == "refusal" for one in some)
        weeks.append(Week(monday, len(some), refused, sum(one.rating == "down" for one in some)))
        monday += datetime.timedelta(days=7)
    return tuple(weeks)


def _monday(day: datetime.date) -> datetime.date:
    return day - datetime.timedelta(days=day.weekday())

"""All that the page of insights and the digest show, for one stretch of time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from sqlalchemy.engine import Engine

from bot.insight.asked import AskedQuestion, questions_since
from bot.insight.documents import OldSupport, never_cited, old_supports, titles
from bot.insight.groups import Embed, Group, group_questions
from bot.insight.weeks import Week, count_weeks

# A document that says of itself that it is older than this may be outdated.
_OLD = timedelta(days=2 * 365)
COLUMNS = ("group", "count", "id", "asked_at", "question", "kind", "reason", "rating", "verdict", "nearest")


@dataclass(frozen=True, slots=True)
class Insights:
    """What was asked since a moment, and what that tells of the documents.

    Attributes:
        titles: Of the live documents, by id.
    """

    since: datetime
    until: datetime
    questions: tuple[AskedQuestion, ...]
    groups: tuple[Group, ...]
    weeks: tuple[Week, ...]
    unused: Mapping[str, str]
    old: tuple[OldSupport, ...]
    titles: Mapping[str, str]

    @property
    def refused(self) -> int:
        """How many questions were refused."""
        return sum(one.kind == "refusal" for one in self.questions)

    @property
    def rated_down(self) -> int:
        """How many answers their readers found wanting."""
        return sum(one.rating == "down" for one in self.questions)

    def rows(self) -> Iterator[dict[str, Any]]:
        """Yield a row for every question asked in vain, with the name and size of its group."""
        for group in self.groups:
            for one in group.questions:
                yield {
                    "group": group.name,
                    "count": len(group.questions),
                    "id": one.id,
                    "asked_at": one.asked_at.isoformat(),
                    "question": one.question,
                    "kind": one.kind,
                    "reason": one.reason,
                    "rating": one.rating,
                    "verdict": one.verdict,
                    "nearest": list(one.nearest),
                }


def gather(engine: Engine, embed: Embed, since: datetime) -> Insights:
    """Return what the records tell from a moment on."""
    now = datetime.now(UTC)
    questions = questions_since(engine, since)
    old_from: date = (now - _OLD).date()
    return Insights(
        since=since,
        until=now,
        questions=questions,
        groups=group_questions([one for one in questions if one.in_vain], embed),
        weeks=count_weeks(questions, since.date(), now.date()),
        unused=never_cited(engine, since),
        old=old_supports(engine, since, old_from),
        titles=titles(engine),
    )

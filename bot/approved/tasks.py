"""Tasks for staff: what they should look at that is no answer in the queue."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime

import sqlalchemy as sa
from sqlalchemy.engine import Engine

from bot.approved.store import Change
from bot.records.audit import audit
from bot.records.schema import APPROVED, TASKS


@dataclass(frozen=True, slots=True)
class Task:
    """An approved answer was withdrawn because its passages changed.

    Attributes:
        question: The one that the answer was approved for.
        changes: What changed.
    """

    id: int
    approved_id: str
    question: str
    made_at: datetime
    changes: tuple[Change, ...]


def open_tasks(engine: Engine) -> tuple[Task, ...]:
    """Return the tasks that nobody has done, newest first."""
    columns = (TASKS, APPROVED.c.question)
    waiting = sa.select(*columns).join(APPROVED).where(TASKS.c.done_at.is_(None)).order_by(TASKS.c.id.desc())
    with engine.connect() as connection:
        return tuple(
            Task(
                id=row.id,
                approved_id=row.approved_id,
                question=row.question,
                made_at=row.made_at,
                changes=tuple(Change(**change) for change in json.loads(row.details)),
            )
            for row in connection.execute(waiting)
        )


def finish_task(engine: Engine, task_id: int, by: str) -> bool:
    """Note that a task is done; return False when it was already."""
    waiting = TASKS.update().where(TASKS.c.id == task_id, TASKS.c.done_at.is_(None))
    with engine.begin() as connection:
        if not connection.execute(waiting.values(done_at=datetime.now(UTC), done_by=by)).rowcount:
            return False
        audit(connection, by, "task.finish", str(task_id))
        return True

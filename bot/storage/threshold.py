"""The confidence that an answer needs: what flag, variable or file say, else what an admin chose, else the default.

A choice is a row in the database and is looked up for every question, so that all processes which share the database
answer with it from the next question on. Whoever runs a process has the last word over it: what is set there counts,
and the choice waits until it is taken away.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Connection, Engine

from bot.answer.errors import SettingsError
from bot.settings import Settings
from bot.storage.audit import audit
from bot.storage.schema import CHOSEN_SETTINGS

_NAME = "refusal_threshold"


@dataclass(frozen=True, slots=True)
class Choice:
    """A threshold that an admin chose.

    Attributes:
        before: The threshold until then.
    """

    value: float
    before: float
    by: str
    at: datetime


class RefusalThreshold:
    """The threshold of one process.

    Args:
        engine: The database of the records, its tables made.
        settings: What the process was started with.
    """

    def __init__(self, engine: Engine, settings: Settings) -> None:
        self._engine = engine
        self._own = settings.refusal_threshold
        self.is_set = _NAME in settings.model_fields_set

    def value(self) -> float:
        """Return the confidence below which nothing is answered now."""
        choice = None if self.is_set else self.choice()
        return choice.value if choice else self._own

    def choice(self) -> Choice | None:
        """Return what an admin chose last, whether it counts here or not."""
        with self._engine.connect() as connection:
            return _find(connection)

    def choose(self, actor: str, value: float) -> None:
        """Have all processes answer with another threshold that are not told one when they are started.

        Args:
            actor: Name of the account that chooses.
            value: The confidence below which nothing is answered, from 0 to 1.

        Raises:
            SettingsError: This process is told one.
        """
        if self.is_set:
            raise SettingsError(
                f"{_NAME} is set to {self._own:g} where Footnote was started: take that line or variable out, start "
                "Footnote again, then choose here."
            )
        insert = postgresql.insert if self._engine.dialect.name == "postgresql" else sqlite.insert
        with self._engine.begin() as connection:
            found = _find(connection)
            row = {
                "value": value,
                "before": found.value if found else self._own,
                "chosen_by": actor,
                "chosen_at": datetime.now(UTC),
            }
            made = insert(CHOSEN_SETTINGS).values(name=_NAME, **row)
            connection.execute(made.on_conflict_do_update(index_elements=["name"], set_=row))
            audit(connection, actor, "threshold.apply", _NAME, {_NAME: row["before"]}, {_NAME: value})


def _find(connection: Connection) -> Choice | None:
    row = connection.execute(sa.select(CHOSEN_SETTINGS).where(CHOSEN_SETTINGS.c.name == _NAME)).one_or_none()
    return Choice(row.value, row.before, row.chosen_by, row.chosen_at) if row else None

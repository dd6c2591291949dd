"""Deletes the answers that have been kept for as long as they may be: at once, then every hour."""

from __future__ import annotations

import logging
import threading

from sqlalchemy.exc import SQLAlchemyError

from bot.records.answers import AnswerRecords
from index.errors import FootnoteError

_EVERY_SECONDS = 3_600

logger = logging.getLogger(__name__)


class Retention:
    """A thread that keeps the records no longer than they may be kept.

    Args:
        records: What is kept.
        days: For how long.
    """

    def __init__(self, records: AnswerRecords, days: float) -> None:
        self._records = records
        self._days = days
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._run, name="retention", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        while True:
            try:
                self._records.delete_older_than(self._days)
            except (FootnoteError, SQLAlchemyError) as error:
                logger.warning("old answers could not be deleted now: %s", str(error).splitlines()[0])
            if self._closed.wait(_EVERY_SECONDS):
                return

    def close(self) -> None:
        """End the thread."""
        self._closed.set()
        self._thread.join()

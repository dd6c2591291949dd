"""Puts an answer on record for whichever side of Footnote gave it."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from sqlalchemy.exc import SQLAlchemyError

from bot.conversation import Turn
from bot.events import Finished
from bot.records.answers import AnswerRecords, Origin
from bot.settings import Settings
from index.errors import FootnoteError

logger = logging.getLogger(__name__)


def keep(
    records: AnswerRecords, settings: Settings, finished: Finished, origin: Origin, history: Sequence[Turn] = ()
) -> None:
    """Record an answer where answers are kept; who asked does not wait for a full disk."""
    if not settings.keep_answers:
        return
    try:
        records.record(finished.answer, origin, history, finished.trail)
    except (FootnoteError, SQLAlchemyError) as error:
        logger.warning("an answer could not be put on record: %s", type(error).__name__)

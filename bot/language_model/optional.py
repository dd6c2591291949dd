"""A language model that may be missing or fail: the question is answered without it then."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TypeVar

from bot.language_model import ModelUnavailableError
from bot.language_model.session import Consultation

Value = TypeVar("Value")

logger = logging.getLogger(__name__)


class OptionalModel:
    """The language model of one question. After a failure it is not asked again for this question.

    Args:
        session: None where there is no model.
    """

    def __init__(self, session: Consultation | None = None) -> None:
        self._session = session

    def ask(self, request: Callable[[Consultation], Value], otherwise: Value) -> Value:
        """Return what the model replies to a request, or `otherwise` without a model or where it fails.

        Raises:
            CancelledError: The reader left.
        """
        if self._session is None:
            return otherwise
        try:
            return request(self._session)
        except ModelUnavailableError as error:
            logger.warning("answering without the language model: %s", error)
            self._session = None
            return otherwise

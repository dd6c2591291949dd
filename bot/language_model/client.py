"""A chat endpoint for callers that block: one retry, a circuit breaker, and Yes or No with or without probabilities."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncGenerator, Callable, Iterator, Sequence
from contextlib import aclosing, contextmanager
from functools import partial

from bot.language_model import CancelledError, ModelUnavailableError, Prompt
from bot.language_model.background import BackgroundLoop
from bot.language_model.breaker import CircuitBreaker
from bot.language_model.endpoint import ChatEndpoint, EndpointError, FirstWords
from bot.language_model.limits import Limits
from bot.language_model.patience import is_over
from bot.language_model.yes_no import log_odds_of_tokens, log_odds_of_words

_BEFORE_RETRY = 0.25
# Asked for in this order; a server that refuses all of them is asked for plain text from then on.
_TOP_LOGPROBS = (20, 5)
_REFUSING_STATUSES = frozenset({400, 422, 501})
# The server lives and turned down this one request, for its length for example: no reason to rest.
_OWN_FAULT_STATUSES = frozenset({400, 413, 422})
# Enough for "Yes" behind a line break or an opening quotation mark, in any tokenizer.
_PLAIN_TOKENS = 4
_ADVICE = "check the server, or choose --answerer extractive"


class ChatClient:
    """Implements `LanguageModel` over one OpenAI-compatible endpoint."""

    def __init__(
        self,
        url: str,
        model: str,
        key: str = "",
        *,
        limits: Limits | None = None,
        breaker: CircuitBreaker | None = None,
        trust_environment: bool = True,
        advice: str = _ADVICE,
    ) -> None:
        """Prepare; nothing is sent.

        Args:
            url: Base address, `/v1` included.
            model: The server's name for the model.
            key: Bearer token; empty where the server asks for none. Never shown.
            limits: Seconds a call may take.
            breaker: Keeps callers from waiting for a server that is down.
            trust_environment: Whether proxies named in environment variables are used.
            advice: What to do when it fails, the end of every error message.
        """
        self.name = model
        self._url = url
        self._advice = advice
        self._endpoint = ChatEndpoint(url, model, key, limits or Limits(), trust_environment=trust_environment)
        self._limits = limits or Limits()
        self._breaker = breaker or CircuitBreaker()
        self._loop = BackgroundLoop(f"language model {model}")
        self._top_logprobs: tuple[int, ...] = _TOP_LOGPROBS

    def log_odds(self, prompt: Prompt, cancel: threading.Event | None = None) -> float:
        """Return log P(Yes) / P(No) of the reply's first token; see `LanguageModel.log_odds`."""
        with self._guarded("judging", cancel):
            words = self._loop.run(self._first_words(prompt), cancel)
            value = log_odds_of_tokens(words.tokens) if words.tokens else log_odds_of_words(words.text)
            if value is None:
                raise EndpointError("answered neither Yes nor No")
            return value

    def complete(
        self,
        prompt: Prompt,
        maximum_tokens: int,
        *,
        stop: Sequence[str] = (),
        cancel: threading.Event | None = None,
    ) -> Iterator[str]:
        """Yield the pieces of the reply; see `LanguageModel.complete`."""
        with self._guarded("writing", cancel):
            yield from self._loop.iterate(self._stream(prompt, maximum_tokens, stop), cancel)

    def ready(self) -> bool:
        """Return whether the breaker would let a call through."""
        return self._breaker.allows()

    def warm_up(self) -> None:
        """Do nothing: the first call needs no preparation."""

    def close(self) -> None:
        """Close the connections; calls under way raise CancelledError."""
        self._loop.close(self._endpoint.close())

    @contextmanager
    def _guarded(self, kind: str, cancel: threading.Event | None) -> Iterator[None]:
        """Tell the breaker how the call ended, and raise what the reader may see."""
        if not self._breaker.start():
            raise ModelUnavailableError(
                f"The language model {self.name!r} at {self._url} has failed several times in a row and rests for a "
                f"moment: {self._advice}."
            )
        outcome: Callable[[], None] = self._breaker.abandoned
        try:
            yield
            outcome = partial(self._breaker.succeeded, kind)
        except CancelledError:
            if is_over(cancel):
                outcome = partial(self._breaker.failed, kind)
            raise
        except EndpointError as error:
            if error.status not in _OWN_FAULT_STATUSES:
                outcome = partial(self._breaker.failed, kind)
            raise ModelUnavailableError(
                f"The language model {self.name!r} at {self._url} {error}: {self._advice}."
            ) from error
        finally:
            outcome()

    async def _first_words(self, prompt: Prompt) -> FirstWords:
        try:
            async with asyncio.timeout(self._limits.first_token):
                return await self._with_what_is_offered(prompt)
        except TimeoutError as error:
            raise EndpointError("is too slow") from error

    async def _with_what_is_offered(self, prompt: Prompt) -> FirstWords:
        """Ask for probabilities as the server offers them; what it refuses or leaves out is not asked for again."""
        for number, top_logprobs in enumerate(self._top_logprobs):
            try:
                words = await self._try_twice(prompt, 1, top_logprobs)
            except EndpointError as error:
                if error.status not in _REFUSING_STATUSES:
                    raise
                continue
            if words.tokens:
                self._top_logprobs = self._top_logprobs[number:]
                return words
            break
        words = await self._try_twice(prompt, _PLAIN_TOKENS, 0)
        if not words.text.strip():
            raise EndpointError("gave an empty reply")
        # Only now: a request refused for its length would have failed again.
        self._top_logprobs = ()
        return words

    async def _try_twice(self, prompt: Prompt, maximum_tokens: int, top_logprobs: int) -> FirstWords:
        for last in (False, True):
            try:
                return await self._endpoint.first_words(
                    prompt, maximum_tokens=maximum_tokens, top_logprobs=top_logprobs
                )
            except EndpointError as error:
                if last or not error.retry:
                    raise
            await asyncio.sleep(_BEFORE_RETRY)
        raise AssertionError("the second attempt returns or raises")

    async def _stream(self, prompt: Prompt, maximum_tokens: int, stop: Sequence[str]) -> AsyncGenerator[str, None]:
        """Yield a reply; a failed attempt is repeated once, but never after something was yielded."""
        due = asyncio.get_running_loop().time() + self._limits.first_token
        silent = True
        for last in (False, True):
            try:
                async with aclosing(self._endpoint.stream(prompt, maximum_tokens, stop, due)) as pieces:
                    async for piece in pieces:
                        silent = False
                        yield piece
            except EndpointError as error:
                if last or not silent or not error.retry:
                    raise
                await asyncio.sleep(_BEFORE_RETRY)
            else:
                return

"""A circuit breaker: after some failures in a row nobody waits for a broken service; one caller at a time probes it.

Yes or No out of a reply's first token: pure arithmetic.

A chat endpoint for callers that block: one retry, a circuit breaker, and Yes or No with or without probabilities.
"""

from __future__ import annotations

import asyncio
import math
import threading
import time
from collections import Counter
from collections.abc import AsyncGenerator, Callable, Iterator, Sequence
from contextlib import aclosing, contextmanager
from functools import partial

from bot.language_model import CancelledError, Limits, ModelUnavailableError, Prompt
from bot.language_model.background import BackgroundLoop
from bot.language_model.endpoint import ChatEndpoint, EndpointError, FirstWords
from bot.language_model.session import is_over


class CircuitBreaker:
    """Counts failures in a row. Closed, calls go through; open, none does until `pause` has passed, then one probe.

    Calls of several kinds are counted apart: one kind that works does not make up for another that never does. Every
    call that `start` lets through must end with one of `succeeded`, `failed` and `abandoned`.
    """

    def __init__(self, *, failures: int = 3, pause: float = 20.0, clock: Callable[[], float] = time.monotonic) -> None:
        """Start closed.

        Args:
            failures: How many in a row open it.
            pause: Seconds before a probe, counted from the last failure.
            clock: Seconds that only grow.
        """
        self._limit = failures
        self._pause = pause
        self._clock = clock
        self._lock = threading.Lock()
        self._failures: Counter[str] = Counter()
        self._probe_at = 0.0
        self._probing = False

    def allows(self) -> bool:
        """Return whether a call would go through now, without taking the probe."""
        with self._lock:
            return self._allows()

    def start(self) -> bool:
        """Return whether the caller may go on; where the breaker is open, the caller is then the probe."""
        with self._lock:
            if not self._allows():
                return False
            self._probing = self._is_open()
            return True

    def succeeded(self, kind: str = "") -> None:
        """Close, unless calls of another kind fail: the service works."""
        with self._lock:
            del self._failures[kind]
            self._probing = False

    def failed(self, kind: str = "") -> None:
        """Count a failure, and open or stay open where it was one too many."""
        with self._lock:
            self._failures[kind] += 1
            self._probing = False
            self._probe_at = self._clock() + self._pause

    def abandoned(self) -> None:
        """Count nothing: the caller left before the outcome was known, so the next one may probe."""
        with self._lock:
            self._probing = False

    def _is_open(self) -> bool:
        return max(self._failures.values(), default=0) >= self._limit

    def _allows(self) -> bool:
        return not self._is_open() or (not self._probing and self._clock() >= self._probe_at)


YES = frozenset({"yes", "是"})
NO = frozenset({"no", "否", "不"})

# What a plain "Yes" counts as where a server gives no log-probabilities: a probability of .95. It is held below what
# a model that is sure gives (8 and more), because such a reply does not say how sure it is.
PLAIN_LOG_ODDS = 3.0

_AROUND_A_WORD = " \t\r\n\"'*`.,:;!()。，：；！「」“”"


def log_odds_of_tokens(tokens: Sequence[tuple[str, float]]) -> float | None:
    """Return log P(Yes) - log P(No) from the likeliest first tokens.

    Args:
        tokens: Each with its natural log-probability; several may be spellings of one word.

    Returns:
        The log-odds, or None when neither side is among the tokens. A side that is missing gets the smallest listed
        probability, which is the most it can have.
    """
    yes = [log_probability for token, log_probability in tokens if _word(token) in YES]
    no = [log_probability for token, log_probability in tokens if _word(token) in NO]
    if not yes and not no:
        return None
    least = min(log_probability for _, log_probability in tokens)
    return (_log_sum(yes) if yes else least) - (_log_sum(no) if no else least)


def log_odds_of_words(reply: str) -> float | None:
    """Return `PLAIN_LOG_ODDS` with the sign of the reply's first word, or None when that is neither Yes nor No."""
    words = reply.strip(_AROUND_A_WORD).split()
    if not words:
        return None
    first = _word(words[0])
    if first in YES or first[:1] in YES:
        return PLAIN_LOG_ODDS
    if first in NO or first[:1] in NO:
        return -PLAIN_LOG_ODDS
    return None


def _word(token: str) -> str:
    return token.strip(_AROUND_A_WORD).casefold()


def _log_sum(values: Sequence[float]) -> float:
    """Return log(sum(exp(values))) without underflow."""
    largest = max(values)
    return largest + math.log(sum(math.exp(value - largest) for value in values))


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

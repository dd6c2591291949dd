"""A model behind an OpenAI-compatible endpoint. The one door to openai's client."""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextlib
import queue
import threading
from collections.abc import Awaitable, Callable, Iterator, Sequence
from typing import Any
from urllib.parse import urlsplit

import httpx
import openai
from anyio.from_thread import BlockingPortal, start_blocking_portal

from bot.answer.errors import SettingsError
from bot.language_model import CancelledError, Limits, ModelUnavailableError, Prompt, RequestRefusedError
from bot.language_model.circuit_breaker import CircuitBreaker
from bot.language_model.yes_no import log_odds_of_tokens, log_odds_of_words
from bot.settings import Settings

_POLL = 0.05
# Asked for in this order; a server that refuses all of them is asked for plain text from then on.
_TOP_LOGPROBS = (20, 5)
_UNSUPPORTED_STATUSES = frozenset({400, 422, 501})
# The server lives and turned down this one request, for its length for example.
_REFUSED_STATUSES = frozenset({400, 413, 422})
# Enough for "Yes" behind a line break or an opening quotation mark, in any tokenizer.
_PLAIN_TOKENS = 4
# A server that ignores the limit on tokens is cut off here. Few tokens are longer, in any language.
_MOST_CHARACTERS_OF_A_TOKEN = 16
_ADVICE = "check the server, or choose --answerer extractive"
# What openai raises when a reply has not the shape it expects.
_NONSENSE = (openai.APIResponseValidationError, AttributeError, IndexError, KeyError, TypeError, ValueError)

Put = Callable[[Any], None]


class RemoteModel:
    """Implements `LanguageModel`. Requests run in an event loop of its own, so that a caller can leave at any moment.

    Args:
        url: Base address, `/v1` included.
        model: The server's name for the model.
        key: Bearer token; empty where the server asks for none. Never shown.
        limits: Seconds a call may take.
        breaker: Keeps callers from waiting for a server that is down.
    """

    def __init__(
        self,
        url: str,
        model: str,
        key: str = "",
        *,
        limits: Limits | None = None,
        breaker: CircuitBreaker | None = None,
    ) -> None:
        self.name = model
        self._url = url
        self._limits = limits or Limits()
        self._breaker = breaker or CircuitBreaker()
        self._top_logprobs: tuple[int, ...] = _TOP_LOGPROBS
        self._client = openai.AsyncOpenAI(
            base_url=url,
            # With an empty key the library would send OPENAI_API_KEY, a secret meant for another server.
            api_key=key or "none",
            max_retries=1,
            timeout=httpx.Timeout(self._limits.total, connect=self._limits.connect),
            # A redirect could carry the reader's question to another host.
            http_client=openai.DefaultAsyncHttpxClient(follow_redirects=False),
        )
        # The same goes for OPENAI_ORG_ID and OPENAI_PROJECT_ID.
        self._client.organization = self._client.project = None
        # Names what the library imports on first use, which takes a second of the first call's time.
        self._client.chat.completions.create  # noqa: B018
        self._lock = threading.Lock()
        self._closed = False
        self._exit = contextlib.ExitStack()
        self._portal: BlockingPortal = self._exit.enter_context(start_blocking_portal())

    @property
    def gives_probabilities(self) -> bool:
        """Whether the server says how sure it is, as far as its replies have shown."""
        return bool(self._top_logprobs)

    def log_odds(self, prompt: Prompt, cancel: threading.Event | None = None) -> float:
        """Return log P(Yes) / P(No) of the reply's first token; see `LanguageModel.log_odds`."""

        async def work(put: Put) -> None:
            async with asyncio.timeout(self._limits.first_token):
                put(await self._first_words(prompt))

        (value,) = self._run("judging", work, cancel)
        return float(value)

    def complete(
        self,
        prompt: Prompt,
        maximum_tokens: int,
        *,
        stop: Sequence[str] = (),
        cancel: threading.Event | None = None,
    ) -> Iterator[str]:
        """Yield the pieces of the reply; see `LanguageModel.complete`."""

        async def work(put: Put) -> None:
            async with asyncio.timeout(self._limits.total):
                await self._stream(prompt, maximum_tokens, stop, put)

        yield from self._run("writing", work, cancel)

    def ready(self) -> bool:
        """Return whether the breaker would let a call through."""
        return self._breaker.allows()

    def warm_up(self) -> None:
        """Do nothing: the first call needs no preparation."""

    def close(self) -> None:
        """Close the connections; calls under way raise CancelledError. Closing twice is no error."""
        with self._lock:
            if self._closed:
                return
            self._closed = True
        self._portal.call(self._client.close)
        self._portal.start_task_soon(self._portal.stop, True)  # noqa: FBT003  # the library's
        self._exit.close()

    def _run(self, kind: str, work: Callable[[Put], Awaitable[None]], cancel: threading.Event | None) -> Iterator[Any]:
        """Yield what `work` puts, as it comes; a caller that leaves cancels it, which closes its connection."""
        resting = f"{self._subject()} has failed several times in a row and rests for a moment: {_ADVICE}."
        found: queue.SimpleQueue[Any] = queue.SimpleQueue()
        with self._breaker.guard(kind, cancel, resting):
            with self._lock:
                if self._closed:
                    raise CancelledError
                task = self._portal.start_task_soon(work, found.put)
            try:
                while not (task.done() and found.empty()):
                    if cancel is not None and cancel.is_set():
                        raise CancelledError
                    with contextlib.suppress(queue.Empty):
                        yield found.get(timeout=_POLL)
                with self._translated():
                    task.result()
            finally:
                task.cancel()

    async def _first_words(self, prompt: Prompt) -> float:
        """Ask for probabilities as the server offers them; what it refuses or leaves out is not asked for again."""
        for number, most in enumerate(self._top_logprobs):
            try:
                choice = await self._first_choice(prompt, max_tokens=1, logprobs=True, top_logprobs=most)
            except openai.APIStatusError as error:
                if error.status_code not in _UNSUPPORTED_STATUSES:
                    raise
                continue
            if choice.logprobs and choice.logprobs.content:
                self._top_logprobs = self._top_logprobs[number:]
                tokens = [(token.token, token.logprob) for token in choice.logprobs.content[0].top_logprobs]
                return self._sure(log_odds_of_tokens(tokens))
            break
        text = (await self._first_choice(prompt, max_tokens=_PLAIN_TOKENS)).message.content or ""
        if not text.strip():
            raise self._failure("gave an empty reply")
        self._top_logprobs = ()  # only now: a request refused for its length would have failed again
        return self._sure(log_odds_of_words(text))

    async def _first_choice(self, prompt: Prompt, **options: Any) -> Any:
        reply = await self._client.chat.completions.create(
            model=self.name, messages=_messages(prompt), temperature=0.0, **options
        )
        return reply.choices[0]

    def _sure(self, log_odds: float | None) -> float:
        if log_odds is None:
            raise self._failure("answered neither Yes nor No")
        return log_odds

    async def _stream(self, prompt: Prompt, maximum_tokens: int, stop: Sequence[str], put: Put) -> None:
        options: dict[str, Any] = {"max_tokens": maximum_tokens} | ({"stop": list(stop)} if stop else {})
        length, is_complete = 0, False
        clock = asyncio.get_running_loop().time
        async with asyncio.timeout(self._limits.first_token) as limit:
            reply = await self._client.chat.completions.create(
                model=self.name, messages=_messages(prompt), temperature=0.0, stream=True, **options
            )
            async with reply:
                async for chunk in reply:
                    if not chunk.choices:
                        continue
                    if piece := chunk.choices[0].delta.content:
                        put(piece)
                        length += len(piece)
                        limit.reschedule(clock() + self._limits.between_tokens)
                    is_complete = is_complete or chunk.choices[0].finish_reason is not None
                    if length >= maximum_tokens * _MOST_CHARACTERS_OF_A_TOKEN:
                        return
        if not length:
            raise self._failure("gave an empty reply")
        if not is_complete:
            raise self._failure("broke off in the middle of a reply")

    @contextlib.contextmanager
    def _translated(self) -> Iterator[None]:
        """Turn what the libraries raise into our errors; no part of a server's own message is repeated."""
        try:
            yield
        except concurrent.futures.CancelledError as error:
            raise CancelledError from error
        except (TimeoutError, openai.APITimeoutError) as error:
            raise self._failure("is too slow") from error
        except openai.APIConnectionError as error:
            raise self._failure("cannot be reached") from error
        except openai.APIStatusError as error:
            raise self._failure(f"answered with the status {error.status_code}", error.status_code) from error
        except httpx.HTTPError as error:
            raise self._failure("broke off the connection") from error
        except _NONSENSE as error:
            raise self._failure("answered with something that is no chat completion") from error
        except openai.OpenAIError as error:
            raise self._failure("reported a failure") from error

    def _failure(self, what: str, status: int = 0) -> ModelUnavailableError:
        kind = RequestRefusedError if status in _REFUSED_STATUSES else ModelUnavailableError
        return kind(f"{self._subject()} {what}: {_ADVICE}.")

    def _subject(self) -> str:
        return f"The language model {self.name!r} at {self._url}"


def build_remote_model(settings: Settings) -> RemoteModel:
    """Return the client of the server that the settings name; nothing is sent yet.

    Raises:
        SettingsError: The address or the model's name is missing or cannot be used.
    """
    return RemoteModel(_checked_url(settings), settings.remote_model, settings.remote_key.get_secret_value())


def _checked_url(settings: Settings) -> str:
    """Return the checked base address.

    Raises:
        SettingsError: The address or the model's name is missing or cannot be used.
    """
    if not settings.remote_url or not settings.remote_model:
        missing = "remote_url" if not settings.remote_url else "remote_model"
        raise SettingsError(
            f"The answerer 'remote' needs the setting {missing!r}: set FOOTNOTE_{missing.upper()}, for example to "
            f"{'http://localhost:11434/v1' if missing == 'remote_url' else 'qwen2.5:7b'}."
        )
    try:
        parts = urlsplit(settings.remote_url)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    if not usable:
        raise SettingsError("The setting 'remote_url' is no http or https address: correct FOOTNOTE_REMOTE_URL.")
    if parts.username or parts.password or parts.query:
        # Addresses are shown in messages, keys never are.
        raise SettingsError(
            "The setting 'remote_url' holds a name, a password or a query: give the key as FOOTNOTE_REMOTE_KEY."
        )
    return settings.remote_url.rstrip("/")


def _messages(prompt: Prompt) -> Any:
    return [{"role": "system", "content": prompt.system}, {"role": "user", "content": prompt.user}]

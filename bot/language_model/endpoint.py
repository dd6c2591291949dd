"""An OpenAI-compatible chat endpoint, through llama-index's adapter: the one door to the libraries that speak it.

What goes wrong on the way, a refused connection as much as a page of HTML, leaves here as one `EndpointError`.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Sequence
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

import httpx
import openai
from llama_index.core.base.llms.types import ChatMessage
from llama_index.llms.openai_like import OpenAILike

from bot.language_model import Limits, Prompt

# A server that ignores the limit on tokens is cut off here. Few tokens are longer, in any language.
_MOST_CHARACTERS_OF_A_TOKEN = 16
_RETRIED_STATUSES = frozenset({408, 409, 425, 429})
# What llama-index and openai raise when a reply has not the shape they expect.
_NONSENSE = (AttributeError, IndexError, KeyError, TypeError, ValueError)

# The responses of the stream that this task reads.
_opened: ContextVar[list[httpx.Response]] = ContextVar("_opened")


@dataclass(frozen=True, slots=True)
class FirstWords:
    """The beginning of a reply.

    Attributes:
        text: The reply, a few tokens at most.
        tokens: The likeliest first tokens with their natural log-probabilities; empty where the server gives none.
    """

    text: str
    tokens: tuple[tuple[str, float], ...]


class EndpointError(Exception):
    """A request failed. The message completes a sentence that begins with the endpoint's name.

    Attributes:
        retry: Whether the same request may succeed a moment later.
        status: The HTTP status, 0 where none came.
    """

    def __init__(self, message: str, *, retry: bool = False, status: int = 0) -> None:
        super().__init__(message)
        self.retry = retry
        self.status = status


class ChatEndpoint:
    """One model at one address. Its methods belong to the event loop that first called one."""

    def __init__(self, url: str, model: str, key: str, limits: Limits, *, trust_environment: bool) -> None:
        """Prepare; nothing is sent.

        Args:
            url: Base address, `/v1` included.
            model: The server's name for the model.
            key: Bearer token; empty where the server asks for none.
            limits: Seconds.
            trust_environment: Whether proxies named in environment variables are used; never for loopback.
        """
        self._limits = limits
        self._http = httpx.AsyncClient(
            trust_env=trust_environment,
            # A redirect could carry the reader's question to another host.
            follow_redirects=False,
            event_hooks={"response": [_remember]},
        )
        # With an empty key the library would send OPENAI_API_KEY, a secret meant for another server.
        client = openai.AsyncOpenAI(base_url=url, api_key=key or "none", max_retries=0, http_client=self._http)
        # The same goes for OPENAI_ORG_ID and OPENAI_PROJECT_ID.
        client.organization = client.project = None
        # Names what the library imports on first use, which takes seconds and would eat up the first call's time.
        client.chat.completions.create  # noqa: B018
        self._adapter: Any = OpenAILike(
            model=model, api_base=url, is_chat_model=True, temperature=0.0, max_retries=0, async_openai_client=client
        )

    async def first_words(self, prompt: Prompt, *, maximum_tokens: int, top_logprobs: int) -> FirstWords:
        """Return how the reply begins, with the likeliest first tokens when `top_logprobs` is not 0.

        The caller limits the time.

        Raises:
            EndpointError: The request failed, or the reply is no chat completion.
        """
        asked = {"logprobs": True, "top_logprobs": top_logprobs} if top_logprobs else {}
        with _translated():
            response = await self._adapter.achat(_messages(prompt), **self._arguments(maximum_tokens), **asked)
            tokens = response.logprobs[0] if response.logprobs else ()
            return FirstWords(
                text=str(response.message.content or ""),
                tokens=tuple((str(token.token), float(token.logprob)) for token in tokens),
            )

    async def stream(
        self, prompt: Prompt, maximum_tokens: int, stop: Sequence[str], first_due: float
    ) -> AsyncGenerator[str, None]:
        """Yield the pieces of a reply, none of them empty.

        Args:
            prompt: What is asked.
            maximum_tokens: Where the reply is cut off.
            stop: Texts that end the reply.
            first_due: When the first piece must be there, in seconds of the event loop's clock.

        Raises:
            EndpointError: The request failed, the reply is empty or no chat completion, or it broke off.
        """
        arguments = self._arguments(maximum_tokens) | ({"stop": list(stop)} if stop else {})
        now = asyncio.get_running_loop().time
        end = now() + self._limits.total
        due = first_due
        length = 0
        finished = False
        with _translated():
            response = await self._adapter.astream_chat(_messages(prompt), **arguments)
        async with _closing_connections():
            while length < maximum_tokens * _MOST_CHARACTERS_OF_A_TOKEN:
                with _translated():
                    async with asyncio.timeout_at(min(due, end)):
                        chunk = await anext(response, None)
                    if chunk is None:
                        break
                    finished = finished or _is_last(chunk)
                    piece = str(chunk.delta or "")
                if piece:
                    length += len(piece)
                    due = now() + self._limits.between_tokens
                    yield piece
            else:
                finished = True
        if not length:
            raise EndpointError("gave an empty reply", retry=True)
        if not finished:
            raise EndpointError("broke off in the middle of a reply")

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    def _arguments(self, maximum_tokens: int) -> dict[str, Any]:
        timeout = httpx.Timeout(self._limits.total, connect=self._limits.connect)
        return {"max_tokens": maximum_tokens, "timeout": timeout}


def _messages(prompt: Prompt) -> list[Any]:
    return [ChatMessage(role="system", content=prompt.system), ChatMessage(role="user", content=prompt.user)]


def _is_last(chunk: Any) -> bool:
    choices: Any = getattr(chunk.raw, "choices", ())
    return bool(choices) and choices[0].finish_reason is not None


async def _remember(response: httpx.Response) -> None:
    if (responses := _opened.get(None)) is not None:
        responses.append(response)


@contextlib.asynccontextmanager
async def _closing_connections() -> AsyncIterator[None]:
    """Close what was opened inside at once. The libraries' iterators leave it to the garbage collector."""
    responses: list[httpx.Response] = []
    _opened.set(responses)
    try:
        yield
    finally:
        for response in responses:
            await response.aclose()


@contextlib.contextmanager
def _translated() -> Iterator[None]:
    """Turn what the libraries raise into `EndpointError`; no part of a server's own message is repeated."""
    try:
        yield
    except TimeoutError as error:
        raise EndpointError("is too slow") from error
    except openai.APIConnectionError as error:
        raise EndpointError("cannot be reached", retry=True) from error
    except openai.APIStatusError as error:
        status = error.status_code
        retry = status >= 500 or status in _RETRIED_STATUSES
        raise EndpointError(f"answered with the status {status}", retry=retry, status=status) from error
    except openai.OpenAIError as error:
        raise EndpointError("reported a failure", retry=True) from error
    except httpx.HTTPError as error:
        raise EndpointError("broke off the connection", retry=True) from error
    except _NONSENSE as error:
        raise EndpointError("answered with something that is no chat completion", retry=True) from error

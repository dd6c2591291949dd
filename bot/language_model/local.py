"""The local model: a child process that runs OpenVINO, started when it is needed and restarted when it dies."""

from __future__ import annotations

import atexit
import concurrent.futures
import contextlib
import itertools
import json
import os
import queue
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bot.language_model import (
    CancelledError,
    ModelUnavailableError,
    Prompt,
    RequestRefusedError,
)
from bot.language_model.circuit_breaker import CircuitBreaker
from bot.language_model.converted import Speed, convert
from bot.language_model.runtime import RuntimeOptions, usable_threads
from bot.language_model.weights import DEFAULT_WEIGHTS, find_weights
from bot.language_model.yes_no import log_odds_of_tokens

_POLL = 0.05
_STOPPING = 2.0
_LOADING = 180.0  # from a cold disk; callers wait less, see `patience`
_LONGEST_SILENCE = 60.0  # of a child that is at work; how long a reader waits is the caller's business
_ADVICE = "ask again, run `footnote doctor`, or choose --answerer extractive"
# The child needs no secret of ours, no proxy and no token.
_PASSED_ON = ("PATH", "HOME", "LANG", "LC_ALL", "LD_LIBRARY_PATH", "PYTHONPATH", "TMPDIR", "VIRTUAL_ENV")

Message = dict[str, Any]


@dataclass(frozen=True, slots=True)
class PromptState:
    """What the model makes of a prompt before it writes.

    Attributes:
        log_odds: Of Yes against No.
        hidden: By layer, the hidden state after the prompt's last token.
    """

    log_odds: float
    hidden: dict[int, list[float]]


class _ChildDiedError(ModelUnavailableError):
    """The child ended before it had answered."""


class ModelProcess:
    """The child process.

    The system ends the child when the thread that started it ends, so that thread has to stay.

    Args:
        options: What it loads.
        name: The model's, for messages.

    Raises:
        ModelUnavailableError: No process can be started.
    """

    def __init__(self, options: RuntimeOptions, name: str) -> None:
        environment = {variable: os.environ[variable] for variable in _PASSED_ON if variable in os.environ}
        # NumPy's threads would be in the way of leaving the network, and multiply nothing large.
        environment["OPENBLAS_NUM_THREADS"] = "1"
        command = [sys.executable, "-P", "-m", "bot.language_model.runtime"]
        pipe, nowhere = subprocess.PIPE, subprocess.DEVNULL
        try:
            self._child = subprocess.Popen(  # noqa: S603  # fixed arguments, no shell
                command, stdin=pipe, stdout=pipe, stderr=nowhere, encoding="utf-8", env=environment
            )
        except OSError as error:
            raise ModelUnavailableError(
                f"The local model cannot be started ({error.strerror}): free some memory, or choose --answerer "
                "extractive."
            ) from error
        self._options = options
        self._name = name
        self._lock = threading.Lock()
        self._numbers = itertools.count(1)
        self._replies: dict[int, queue.SimpleQueue[Message | None]] = {}
        self._stopped = False

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._child.pid

    def load(self, seconds: float) -> None:
        """Wait until the model is loaded.

        Raises:
            ModelUnavailableError: It died, did not get ready in time, or cannot use the model; it has ended then.
        """
        assert self._child.stdout is not None, "started with a pipe"
        too_late = threading.Timer(seconds, self._child.kill)
        too_late.start()
        try:
            self._write(self._options.line())
            line = self._child.stdout.readline()
        finally:
            too_late.cancel()
        answer = json.loads(line) if line.endswith("\n") else {}
        if "ready" not in answer:
            self.stop()
            reason = answer.get("error", f"its process ended with {self._child.returncode}")
            raise ModelUnavailableError(
                f"The local model {self._name!r} cannot be used ({reason}): run `footnote model fetch`, or name "
                "another file with --gguf."
            )
        threading.Thread(target=self._receive, name="local model", daemon=True).start()

    def answer(self, request: Message, cancel: threading.Event | None) -> Iterator[Message]:
        """Yield the lines of an answer; the child stops working on it when the caller does.

        Raises:
            ModelUnavailableError: It takes too long, the request cannot be answered, or the child died.
            CancelledError: `cancel` was set, or the child was stopped.
        """
        number, replies = next(self._numbers), queue.SimpleQueue[Message | None]()
        with self._lock:
            self._replies[number] = replies
        if self.has_ended():
            replies.put(None)
        is_over = False
        try:
            self._write(json.dumps(request | {"id": number}) + "\n")
            while not is_over:
                message = self._next(replies, cancel)
                is_over = "end" in message
                yield message
        finally:
            with self._lock:
                del self._replies[number]
            if not is_over:
                self._write(json.dumps({"cancel": number}) + "\n")

    def has_ended(self) -> bool:
        """Return whether it runs no more."""
        return self._child.poll() is not None

    def kill(self) -> None:
        """End it without waiting; whoever waits for it notices."""
        self._child.kill()

    def stop(self) -> None:
        """End it and wait until it is gone; calls under way are cancelled. Stopping twice is no error."""
        self._stopped = True
        assert self._child.stdin is not None, "started with a pipe"
        with contextlib.suppress(OSError):
            self._child.stdin.close()
        try:
            self._child.wait(_STOPPING)
        except subprocess.TimeoutExpired:
            self._child.kill()
            self._child.wait()

    def _next(self, replies: queue.SimpleQueue[Message | None], cancel: threading.Event | None) -> Message:
        due = time.monotonic() + _LONGEST_SILENCE
        while True:
            if cancel is not None and cancel.is_set():
                raise CancelledError
            if time.monotonic() > due:
                raise ModelUnavailableError(f"The local model {self._name!r} is too slow: {_ADVICE}.")
            try:
                message = replies.get(timeout=_POLL)
            except queue.Empty:
                continue
            if message is None:
                if self._stopped:
                    raise CancelledError
                raise _ChildDiedError(f"The local model {self._name!r} ended unexpectedly: {_ADVICE}.")
            if "refused" in message:
                raise RequestRefusedError(f"The local model {self._name!r} {message['refused']}: {_ADVICE}.")
            return message

    def _receive(self) -> None:
        """Hand each line to the call it belongs to, and None to all of them when the child has ended."""
        assert self._child.stdout is not None, "started with a pipe"
        for line in self._child.stdout:
            if line.endswith("\n"):
                message = json.loads(line)
                with self._lock:
                    replies = self._replies.get(message["id"])
                if replies:
                    replies.put(message)
        self._child.stdout.close()
        self._child.wait()
        with self._lock:
            for replies in self._replies.values():
                replies.put(None)

    def _write(self, line: str) -> None:
        assert self._child.stdin is not None, "started with a pipe"
        # A child that has ended, or a pipe closed by `stop`: whoever waits for the reply notices.
        with self._lock, contextlib.suppress(OSError, ValueError):
            self._child.stdin.write(line)
            self._child.stdin.flush()


class LocalModel:
    """Implements `LanguageModel` with the weights in the cache folder, or any GGUF file."""

    def __init__(
        self,
        cache: Path,
        gguf: Path | None = None,
        *,
        patience: float = 20.0,
        pause: float = 60.0,
        layers: Sequence[int] = (),
    ) -> None:
        """Prepare; nothing is started, and the weights may still be missing.

        Args:
            cache: Folder of the fetched weights and of the converted model.
            gguf: Weights to use instead.
            patience: Seconds that a caller waits for the model to be loaded; loading goes on for the next caller.
            pause: Seconds before another start after three that failed.
            layers: Layers whose hidden states `read` returns.
        """
        self._cache = cache
        self._gguf = gguf
        self._patience = patience
        self._layers = tuple(layers)
        self._starts = CircuitBreaker(failures=3, pause=pause)
        self._calls = CircuitBreaker()
        self._lock = threading.Lock()
        self._running: ModelProcess | None = None
        self._loading: ModelProcess | None = None
        self._starting: Future[ModelProcess] | None = None
        self._converting = False
        self._reason = ""  # of the last start that failed
        self._closing = threading.Event()
        # One thread that stays as long as the child may: the system ties the child's life to it.
        self._starter = ThreadPoolExecutor(1, thread_name_prefix="local model")
        atexit.register(self.close)

    @property
    def name(self) -> str:
        """The file name of the weights without its ending."""
        try:
            return find_weights(self._cache, self._gguf).stem
        except ModelUnavailableError:
            return Path(DEFAULT_WEIGHTS.file_name).stem

    @property
    def process_id(self) -> int | None:
        """The child's process id while it runs."""
        running = self._running
        return running.pid if running and not running.has_ended() else None

    def log_odds(self, prompt: Prompt, cancel: threading.Event | None = None) -> float:
        """Return log P(Yes) / P(No) of the reply's first token; see `LanguageModel.log_odds`."""
        return self.read(prompt, cancel).log_odds

    def read(self, prompt: Prompt, cancel: threading.Event | None = None) -> PromptState:
        """Return the log-odds with the hidden states of the chosen layers; errors as in `log_odds`."""
        *_, message = self._ask("judging", prompt, {"tokens": 0, "stop": []}, cancel)
        value = log_odds_of_tokens(message["first"])
        if value is None:
            raise ModelUnavailableError(f"The local model {self.name!r} answered neither Yes nor No: {_ADVICE}.")
        return PromptState(value, {int(layer): state for layer, state in message["hidden"].items()})

    def complete(
        self,
        prompt: Prompt,
        maximum_tokens: int,
        *,
        stop: Sequence[str] = (),
        cancel: threading.Event | None = None,
    ) -> Iterator[str]:
        """Yield the pieces of the reply; see `LanguageModel.complete`."""
        is_empty = True
        for message in self._ask("writing", prompt, {"tokens": maximum_tokens, "stop": list(stop)}, cancel):
            if "piece" in message:
                is_empty = False
                yield message["piece"]
        if is_empty:
            raise ModelUnavailableError(f"The local model {self.name!r} gave an empty reply: {_ADVICE}.")

    def measure(self) -> Speed:
        """Return how fast the model reads and writes now; errors as in `log_odds`."""
        self.log_odds(Prompt("Warm up.", "Yes or No?"))
        text = " ".join(f"On day {number} the ferry carried {number * 37 % 101} passengers." for number in range(20))
        *_, message = self._ask("writing", Prompt("You count.", text), {"tokens": 24, "stop": []}, None)
        return Speed(message["read"] / message["reading"], message["written"] / message["writing"])

    def ready(self) -> bool:
        """Return whether the model could answer now: the weights are there, converted, and nothing failed lately."""
        if self._converting:
            return False
        if self.process_id is not None:
            return self._calls.allows()
        try:
            find_weights(self._cache, self._gguf)
        except ModelUnavailableError:
            return False
        return self._starts.allows()

    def warm_up(self) -> None:
        """Begin to load the model, where its weights are there, and return at once."""
        with self._lock, contextlib.suppress(ModelUnavailableError):
            if self.process_id is None:
                self._begin()

    def close(self) -> None:
        """Stop the child. Closing twice is no error."""
        with self._lock:
            self._closing.set()
            if self._loading is not None:
                self._loading.kill()
        atexit.unregister(self.close)
        # The child ends when its thread does, so first the child, then the thread.
        running, self._running = self._running, None
        if running is not None:
            running.stop()
        self._starter.shutdown()

    def _ask(self, kind: str, prompt: Prompt, request: Message, cancel: threading.Event | None) -> Iterator[Message]:
        """Yield the lines of an answer; where the child dies before the first one, another child is asked."""
        request |= {"turns": [("system", prompt.system), ("user", prompt.user)]}
        resting = f"The local model has failed several times in a row and rests for a moment: {_ADVICE}."
        is_silent = True
        for is_last in (False, True):
            child = self._serving(cancel)
            try:
                with self._calls.guard(kind, cancel, resting):
                    for message in child.answer(request, cancel):
                        is_silent = False
                        yield message
            except _ChildDiedError:
                if is_last or not is_silent:
                    raise
            else:
                self._starts.succeeded()
                return

    def _serving(self, cancel: threading.Event | None) -> ModelProcess:
        """Return the child that runs, starting one if needed.

        Raises:
            ModelUnavailableError: There are no weights, they cannot be used, or they take long to load.
            CancelledError: `cancel` was set, or the model was closed.
        """
        with self._lock:
            if self._running is not None and not self._running.has_ended():
                return self._running
            starting = self._begin()
        end = time.monotonic() + self._patience
        while not concurrent.futures.wait([starting], timeout=_POLL).done:
            if cancel is not None and cancel.is_set():
                raise CancelledError
            if self._converting:
                raise ModelUnavailableError(
                    "The local model is being converted for this machine, which takes a minute: ask again then."
                )
            if time.monotonic() > end:
                raise ModelUnavailableError("The local model is still being loaded: ask again in a moment.")
        return starting.result()

    def _begin(self) -> Future[ModelProcess]:
        """Return the start under way, or begin one. The lock is held, and no child runs."""
        if self._closing.is_set():
            raise CancelledError
        if self._starting is None or self._starting.done():
            weights = find_weights(self._cache, self._gguf)
            if self._running is not None:
                self._running = None
                self._reason = f"The local model {weights.stem!r} ended unexpectedly: {_ADVICE}."
                self._starts.failed()  # weights can end a child on first use
            if not self._starts.start():
                raise ModelUnavailableError(f"{self._reason} After several failures it rests for a minute.")
            self._starting = self._starter.submit(self._start, weights)
        return self._starting

    def _start(self, weights: Path) -> ModelProcess:
        """Convert the weights where that is needed, start a child, and wait until it has loaded the model."""
        try:
            try:
                folder = convert(self._cache, weights, self._closing, self._note_conversion)
            finally:
                self._converting = False
            options = RuntimeOptions(str(folder), usable_threads(), self._layers)
            with self._lock:
                if self._closing.is_set():
                    raise CancelledError
                process = self._loading = ModelProcess(options, weights.stem)
            process.load(_LOADING)
        except ModelUnavailableError as error:
            self._reason = str(error)
            self._starts.failed()
            raise
        except CancelledError:
            self._starts.abandoned()
            raise
        with self._lock:
            self._running, self._loading = process, None
        return process

    def _note_conversion(self) -> None:
        self._converting = True

"""One run of the model's child process, seen from the parent.

The local model: llama.cpp in a child process, started when it is needed and restarted when it dies.
"""

from __future__ import annotations

import atexit
import concurrent.futures
import contextlib
import json
import os
import secrets
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from bot.language_model import CancelledError, Limits, ModelUnavailableError, Prompt
from bot.language_model.client import CircuitBreaker
from bot.language_model.server import ServerOptions
from bot.language_model.weights import DEFAULT_WEIGHTS, find_weights

if TYPE_CHECKING:
    from bot.language_model.client import ChatClient

# More threads than this slow a small model down.
_MOST_THREADS = 8
_STOPPING = 2.0
# The child needs no secret of ours, no proxy and no token.
_PASSED_ON = ("PATH", "HOME", "LANG", "LC_ALL", "LD_LIBRARY_PATH", "PYTHONPATH", "TMPDIR", "VIRTUAL_ENV")


class ModelProcess:
    """A child that has been started.

    Attributes:
        key: What requests to it must carry.
        pid: Its process id.
    """

    def __init__(self, weights: Path, name: str) -> None:
        """Start the child; it is not listening yet.

        The system ends the child when the thread that started it ends, so that thread has to stay.

        Raises:
            ModelUnavailableError: No process can be started.
        """
        self.key = secrets.token_urlsafe(32)
        environment = {variable: os.environ[variable] for variable in _PASSED_ON if variable in os.environ}
        # On a busy machine threads that spin while they wait for each other slow the model down tenfold.
        environment["OMP_WAIT_POLICY"] = "passive"
        command = [sys.executable, "-P", "-m", "bot.language_model.server"]
        try:
            self._child = subprocess.Popen(  # noqa: S603  # fixed arguments, no shell
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                text=True,
                env=environment,
            )
        except OSError as error:
            raise ModelUnavailableError(
                f"The local model cannot be started ({error.strerror}): free some memory, or choose --answerer "
                "extractive."
            ) from error
        self.pid = self._child.pid
        self._options = ServerOptions(str(weights), name, self.key, _usable_threads())

    def wait_for_url(self, seconds: float) -> str:
        """Return the address it listens at, once the weights are loaded.

        Raises:
            ModelUnavailableError: It died, did not get ready in time, or cannot use the weights; it has ended then.
        """
        assert self._child.stdin is not None, "started with a pipe"
        assert self._child.stdout is not None, "started with a pipe"
        too_late = threading.Timer(seconds, self._child.kill)
        too_late.start()
        try:
            with contextlib.suppress(BrokenPipeError):
                self._child.stdin.write(self._options.line())
                self._child.stdin.flush()
            line = self._child.stdout.readline()
        finally:
            too_late.cancel()
        answer = json.loads(line) if line.endswith("\n") else {}
        if "url" in answer:
            return str(answer["url"])
        self.stop()
        reason = answer.get("error", f"its process ended with {self._child.returncode}")
        raise ModelUnavailableError(
            f"The weights {self._options.path!r} cannot be used ({reason}): run `footnote model fetch`, or name "
            "another file with --gguf."
        )

    def ended(self, within: float = 0.0) -> bool:
        """Return whether it has ended, or does in the next seconds."""
        try:
            self._child.wait(within)
        except subprocess.TimeoutExpired:
            return False
        return True

    def kill(self) -> None:
        """End it without waiting; whoever waits for it notices."""
        self._child.kill()

    def stop(self) -> None:
        """End it and wait until it is gone. Stopping twice is no error."""
        assert self._child.stdin is not None, "started with a pipe"
        assert self._child.stdout is not None, "started with a pipe"
        with contextlib.suppress(OSError):
            self._child.stdin.close()
        if not self.ended(within=_STOPPING):
            self._child.kill()
            self._child.wait()
        self._child.stdout.close()


def _usable_threads() -> int:
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min(usable, _MOST_THREADS)


_POLL = 0.05
# Loading the weights from a cold disk; callers wait less, see `patience`.
_LOADING = 180.0
# The processor reads some forty tokens a second and prompts have hundreds.
_LIMITS = Limits(first_token=60.0)
# A connection breaks a moment before the system knows that the process has ended.
_UNTIL_ITS_DEATH_SHOWS = 0.3
_ADVICE = "ask again, run `footnote doctor`, or choose --answerer extractive"


@dataclass(frozen=True, slots=True)
class _Running:
    process: ModelProcess
    client: ChatClient


class LocalModel:
    """Implements `LanguageModel` with the weights in the cache folder, or any GGUF file."""

    def __init__(self, cache: Path, gguf: Path | None = None, *, patience: float = 20.0, pause: float = 60.0) -> None:
        """Prepare; nothing is started, and the weights may still be missing.

        Args:
            cache: Folder of the fetched weights.
            gguf: Weights to use instead.
            patience: Seconds that a caller waits for the weights to be loaded; loading goes on for the next caller.
            pause: Seconds before another start after three that failed.
        """
        self._cache = cache
        self._gguf = gguf
        self._patience = patience
        self._starts = CircuitBreaker(failures=3, pause=pause)
        self._lock = threading.Lock()
        self._running: _Running | None = None
        self._starting: Future[_Running] | None = None
        self._loading: ModelProcess | None = None
        self._last_dead: int | None = None
        self._closed = False
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
        return running.process.pid if running and not running.process.ended() else None

    def log_odds(self, prompt: Prompt, cancel: threading.Event | None = None) -> float:
        """Return log P(Yes) / P(No) of the reply's first token; see `LanguageModel.log_odds`."""
        running = self._serving(cancel)
        try:
            value = running.client.log_odds(prompt, cancel)
        except ModelUnavailableError:
            if not self._has_died(running):
                raise
            value = self._serving(cancel).client.log_odds(prompt, cancel)
        self._starts.succeeded()
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
        running = self._serving(cancel)
        silent = True
        try:
            for piece in running.client.complete(prompt, maximum_tokens, stop=stop, cancel=cancel):
                silent = False
                yield piece
        except ModelUnavailableError:
            if not self._has_died(running) or not silent:
                raise
            yield from self._serving(cancel).client.complete(prompt, maximum_tokens, stop=stop, cancel=cancel)
        self._starts.succeeded()

    def ready(self) -> bool:
        """Return whether the weights are there and neither their last starts nor the last calls failed."""
        running = self._running
        if running and not running.process.ended():
            return running.client.ready()
        try:
            find_weights(self._cache, self._gguf)
        except ModelUnavailableError:
            return False
        return self._starts.allows()

    def warm_up(self) -> None:
        """Begin to load the weights, where they are there, and return at once."""
        with self._lock, contextlib.suppress(ModelUnavailableError):
            if self._running is None or self._running.process.ended():
                self._begin()

    def close(self) -> None:
        """Stop the child. Closing twice is no error."""
        with self._lock:
            self._closed = True
            if self._loading is not None:
                self._loading.kill()
        atexit.unregister(self.close)
        # The child ends when its thread does, so first the client, then the child, then the thread.
        running, self._running = self._running, None
        if running is not None:
            running.client.close()
            running.process.stop()
        self._starter.shutdown()

    def _serving(self, cancel: threading.Event | None) -> _Running:
        """Return the child that runs, starting one if needed.

        Raises:
            ModelUnavailableError: There are no weights, they cannot be used, or they take long to load.
            CancelledError: `cancel` was set, or the model was closed.
        """
        with self._lock:
            if self._running is not None and not self._running.process.ended():
                return self._running
            starting = self._begin()
        end = time.monotonic() + self._patience
        while not concurrent.futures.wait([starting], timeout=_POLL).done:
            if cancel is not None and cancel.is_set():
                raise CancelledError
            if time.monotonic() > end:
                raise ModelUnavailableError("The local model is still being loaded: ask again in a moment.")
        return starting.result()

    def _begin(self) -> Future[_Running]:
        """Return the start under way, or begin one. The lock is held, and no child runs."""
        if self._closed:
            raise CancelledError
        if self._starting is None or self._starting.done():
            weights = find_weights(self._cache, self._gguf)
            if not self._starts.start():
                raise ModelUnavailableError(
                    f"The local model {str(weights)!r} has failed several times in a row and rests for a minute: run "
                    "`footnote doctor`, or name another file with --gguf."
                )
            self._starting = self._starter.submit(self._start, weights)
        return self._starting

    def _start(self, weights: Path) -> _Running:
        """Start a child, put it in the place of the one that died, and return it."""
        try:
            with self._lock:
                if self._closed:
                    raise CancelledError
                process = self._loading = ModelProcess(weights, weights.stem)
            # Takes seconds to import, while the child loads the weights.
            from bot.language_model.client import ChatClient

            url = process.wait_for_url(_LOADING)
        except ModelUnavailableError:
            self._starts.failed()
            raise
        client = ChatClient(
            f"{url}/v1", weights.stem, process.key, limits=_LIMITS, trust_environment=False, advice=_ADVICE
        )
        with self._lock:
            dead, self._running, self._loading = self._running, _Running(process, client), None
        if dead is not None:
            dead.client.close()
            dead.process.stop()
        return _Running(process, client)

    def _has_died(self, running: _Running) -> bool:
        """Return whether the child is gone, which counts once as a failed start: weights can kill it on first use."""
        if not running.process.ended(within=_UNTIL_ITS_DEATH_SHOWS):
            return False
        with self._lock:
            is_known, self._last_dead = self._last_dead == running.process.pid, running.process.pid
        if not is_known:
            self._starts.failed()
        return True

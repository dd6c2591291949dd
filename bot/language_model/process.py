"""One run of the model's child process, seen from the parent."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import subprocess
import sys
import threading
from pathlib import Path

from bot.language_model import ModelUnavailableError
from bot.language_model.server import ServerOptions

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

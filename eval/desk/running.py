"""The run that the evaluator's page makes: a child process that can be interrupted and ends with the server.

Only one run is made at a time.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

from pydantic import SecretStr

from bot.settings import AnswererName, Settings
from eval.errors import EvaluationError
from eval.report.report import REPORT_NAME
from eval.run.journal import ANSWERS_NAME

MOST_REPEATS = 100
ANSWERERS: tuple[AnswererName, ...] = get_args(AnswererName)
LOG_NAME = "run.log"
_INTERRUPTED = (130, -signal.SIGINT)  # exit codes
_PATIENCE_SECONDS = 20
_LONGEST_LOG = 20_000  # bytes
_BYTES_AT_ONCE = 1 << 20
# A name becomes a folder: letters, figures, and marks that neither hide it nor lead out of its folder.
_NAME = re.compile(r"[^\W_][\w.-]{0,63}")


@dataclass(frozen=True, slots=True)
class RunOrder:
    """One run as it is asked for.

    Attributes:
        name: Of its folder.
        suites: Files of the suites, in order.
        repeats: How often each question is asked.
        total: How many answers that makes.
    """

    name: str
    suites: tuple[Path, ...]
    answerer: AnswererName
    repeats: int
    total: int

    def command(self, folder: Path, data_dir: Path) -> list[str]:
        """Return the command line that carries out the order; given again, it goes on with what was interrupted."""
        flags = {"--out": folder, "--answerer": self.answerer, "--repeat": self.repeats, "--data-dir": data_dir}
        # -P: a folder of the reader's own that is called `eval` or `bot` must not be taken for ours.
        program = [sys.executable, "-P", "-m", "eval.desk.run_process", "eval", "run"]
        return [*program, *(f"{flag}={value}" for flag, value in flags.items()), "--", *map(str, self.suites)]


def answerer_named(name: object) -> AnswererName | None:
    """Return the answerer of a name, or None."""
    return next((one for one in ANSWERERS if one == name), None)


def is_run_name(name: str) -> bool:
    """Return whether a run may have this name."""
    return bool(_NAME.fullmatch(name))


def settings_environment(settings: Settings) -> dict[str, str]:
    """Return the settings as environment variables, so that a run is made with those of the server.

    A setting that the server was not given is left out: an administrator may choose it later.
    """
    values = {name: getattr(settings, name) for name in settings.model_fields_set}
    return {f"FOOTNOTE_{name.upper()}": _written(value) for name, value in values.items() if value is not None}


def _written(value: object) -> str:
    if isinstance(value, SecretStr):
        return value.get_secret_value()
    return os.pathsep.join(map(str, value)) if isinstance(value, tuple) else str(value)


RunState = Literal["running", "done", "interrupted", "failed"]


@dataclass(frozen=True, slots=True)
class RunProgress:
    """How far a run is.

    Attributes:
        done: How many answers are written down.
        total: How many there will be; None where the suite is no longer what it was.
        seconds_left: About how long it will take, once that can be told.
    """

    state: RunState
    done: int
    total: int | None
    seconds_left: int | None = None

    @property
    def words(self) -> str:
        """Return how far it is, in words."""
        if self.state == "running" and not self.done:
            return f"starting, {self.total} to ask"
        of = f"{self.done} of {self.total}" if self.total is not None else f"{self.done}"
        if (seconds := self.seconds_left) is None:
            return f"{of} answered"
        minutes = f"{round(seconds / 60)} min" if seconds < 5_400 else f"{seconds / 3_600:.1f} h"
        return f"{of} answered, about {f'{seconds} s' if seconds < 90 else minutes} left"


@dataclass(frozen=True, slots=True)
class _StartedRun:
    order: RunOrder
    process: subprocess.Popen[bytes]
    began: float
    done_before: int


class Runner:
    """Makes one run at a time.

    Args:
        settings: Those of the server, and so of the run, except for what the order says.
        folder: Where runs are kept, each in a folder of its own.
    """

    def __init__(self, settings: Settings, folder: Path) -> None:
        self._settings = settings
        self._folder = folder
        self._lock = threading.Lock()
        self._started: _StartedRun | None = None

    def start(self, order: RunOrder) -> None:
        """Start a run, or go on with one that was interrupted.

        Raises:
            EvaluationError: Another run is being made, or the folder cannot be written.
        """
        with self._lock:
            if self._started and self._started.process.poll() is None:
                raise EvaluationError(f"The run {self._started.order.name!r} is being made: wait for it, or cancel it.")
            folder = self._folder / order.name
            done_before = count_answers(folder)
            try:
                folder.mkdir(parents=True, exist_ok=True)
                process = self._spawn(order, folder)
            except OSError as error:
                raise EvaluationError(
                    f"The run cannot be started in {str(folder)!r} ({error.strerror}): free some space, or its folder."
                ) from error
            self._started = _StartedRun(order, process, time.monotonic(), done_before)

    def order(self, name: str) -> RunOrder | None:
        """Return what the run of a name was asked to do, if it is the latest one started here."""
        return self._started.order if self._started and self._started.order.name == name else None

    def progress(self, name: str) -> RunProgress | None:
        """Return how far a run is, if it is the latest one started here."""
        started = self._started
        if started is None or started.order.name != name:
            return None
        # Asked before the files are looked at: what a run that has ended leaves behind is complete.
        code = started.process.poll()
        folder, total = self._folder / name, started.order.total
        done = count_answers(folder)
        if code is None:
            seconds_each = (time.monotonic() - started.began) / max(1, done - started.done_before)
            seconds_left = round(seconds_each * (total - done)) if done > started.done_before else None
            return RunProgress("running", done, total, seconds_left)
        if (folder / REPORT_NAME).is_file():
            return RunProgress("done", done, total)
        return RunProgress("interrupted" if code in _INTERRUPTED else "failed", done, total)

    def cancel(self, name: str) -> None:
        """Interrupt a run: the question that is being asked is finished, and every answer is kept."""
        with self._lock:
            if self._started and self._started.order.name == name and self._started.process.poll() is None:
                self._started.process.send_signal(signal.SIGINT)

    def close(self) -> None:
        """End the run that is being made, with as many answers as it has."""
        with self._lock:
            if self._started is None:
                return
            process = self._started.process
            if process.poll() is None:
                process.send_signal(signal.SIGINT)
            with suppress(subprocess.TimeoutExpired):
                process.wait(_PATIENCE_SECONDS)
            # Answers are on disk as they come, so a run that does not listen loses none of them.
            process.kill()
            process.wait()
            if process.stdin:
                process.stdin.close()

    def _spawn(self, order: RunOrder, folder: Path) -> subprocess.Popen[bytes]:
        with (folder / LOG_NAME).open("ab") as log:
            return subprocess.Popen(  # noqa: S603  # our own program, its arguments checked, and no shell
                order.command(folder, self._settings.data_dir),
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=log,
                env={**os.environ, **settings_environment(self._settings)},
                start_new_session=True,  # Ctrl-C in the server's terminal reaches it once, through `close`
            )


def count_answers(folder: Path) -> int:
    """Return how many answers a run has written down: the lines of its file without the first, which is no answer."""
    try:
        with (folder / ANSWERS_NAME).open("rb") as file:
            lines = sum(piece.count(b"\n") for piece in iter(lambda: file.read(_BYTES_AT_ONCE), b""))
    except OSError:
        return 0
    return max(0, lines - 1)


def read_log(folder: Path) -> str:
    """Return the end of what a run wrote to its log."""
    try:
        content = (folder / LOG_NAME).read_bytes()
    except OSError:
        return ""
    return content[-_LONGEST_LOG:].decode("utf-8", "replace").strip()

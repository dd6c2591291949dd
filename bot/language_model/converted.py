"""The form of the local model that OpenVINO runs: made once from a GGUF file, verified before each use.

It lies in the user's cache under the hash of the file it was made from. Run as a process of its own,
`python -P -m bot.language_model.converted GGUF FOLDER` makes it; its memory goes with it.
"""

from __future__ import annotations

import contextlib
import json
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path

from filelock import FileLock, Timeout

from bot.language_model import CancelledError, ModelUnavailableError
from bot.language_model.runtime import instruction_set, restrict, usable_threads
from bot.language_model.weights import check_space, hash_of, known_hash

_HASHES = "hashes.json"  # written last: without it there is no converted model
_SPEED = "speed.json"
_SECONDS = 900.0
_POLL = 0.1
# What a converted model takes on disk, as a multiple of its GGUF file.
_SIZE = 1.5


def converted_folder(cache: Path, sha256: str) -> Path:
    """Return where the model converted from the file with a hash lies, whether or not it is there."""
    return cache / "language_model" / f"{sha256[:16]}-openvino-{version('openvino-genai')}"


def is_whole(folder: Path) -> bool:
    """Return whether every file of a converted model has the hash it was made with; about a second a gigabyte."""
    try:
        hashes = json.loads((folder / _HASHES).read_text(encoding="utf-8"))
        return bool(hashes) and all(hash_of(folder / name) == found for name, found in hashes.items())
    except (OSError, ValueError, AttributeError):
        return False


def convert(
    cache: Path,
    gguf: Path,
    cancel: threading.Event | None = None,
    on_start: Callable[[], None] = lambda: None,
) -> Path:
    """Return the folder of the converted model, made where there is none or it is damaged; of two processes, one does.

    Args:
        cache: The user's cache folder.
        gguf: The weights.
        cancel: Ends the conversion once it is set.
        on_start: Called before a conversion, which takes a minute.

    Raises:
        ModelUnavailableError: The weights are damaged or cannot be converted, or the cache cannot be written.
        CancelledError: `cancel` was set.
    """
    sha256 = known_hash(cache, gguf)
    folder = converted_folder(cache, sha256)
    if is_whole(folder):
        return folder
    on_start()
    parent = folder.parent
    try:
        parent.mkdir(parents=True, exist_ok=True)
        with _alone(folder, cancel):
            if is_whole(folder):
                return folder
            check_space(parent, _SIZE * gguf.stat().st_size, "to be converted")
            with _temporary(folder) as new:
                _run(gguf, sha256, new, cancel)
                hashes = {path.name: hash_of(path) for path in sorted(new.iterdir())}
                (new / _HASHES).write_text(json.dumps(hashes), encoding="utf-8")
                shutil.rmtree(folder, ignore_errors=True)
                new.replace(folder)
            for old in parent.glob(f"{sha256[:16]}-openvino-*/"):
                if old != folder:
                    shutil.rmtree(old, ignore_errors=True)  # made by another version
    except OSError as error:
        raise ModelUnavailableError(
            f"The local model cannot be converted in {str(parent)!r} ({error.strerror or error}): answers are "
            "quotations until it can; choose another folder with FOOTNOTE_MODEL_CACHE."
        ) from error
    return folder


@dataclass(frozen=True, slots=True)
class Speed:
    """Tokens a second, of a prompt and of a reply."""

    reading: float
    writing: float


def record_speed(folder: Path, speed: Speed) -> None:
    """Keep what was measured beside the converted model, where that can be written."""
    with contextlib.suppress(OSError):
        (folder / _SPEED).write_text(json.dumps(asdict(speed)), encoding="utf-8")


@dataclass(frozen=True, slots=True)
class RuntimeReport:
    """How the local model runs on this machine.

    Attributes:
        converted: Whether the weights have been converted.
        instruction_set: The widest instructions of the processor that a language model gains from.
        threads: Processor threads that it uses.
        speed: As `footnote model fetch` measured it last; None before.
    """

    converted: bool
    instruction_set: str
    threads: int
    speed: Speed | None

    def __str__(self) -> str:
        made = "" if self.converted else "not converted yet, run `footnote model fetch`; "
        speed = self.speed
        measured = f", reads {speed.reading:.0f} and writes {speed.writing:.1f} tokens a second" if speed else ""
        return f"{made}{self.instruction_set}, {self.threads} threads{measured}"


def describe_runtime(cache: Path, gguf: Path) -> RuntimeReport:
    """Return how the local model runs on this machine, without running it."""
    folder = converted_folder(cache, known_hash(cache, gguf))
    speed = None
    with contextlib.suppress(OSError, ValueError, TypeError):
        speed = Speed(**json.loads((folder / _SPEED).read_text(encoding="utf-8")))
    return RuntimeReport((folder / _HASHES).exists(), instruction_set(), usable_threads(), speed)


def _run(gguf: Path, sha256: str, new: Path, cancel: threading.Event | None) -> None:
    if hash_of(gguf) != sha256:
        raise ModelUnavailableError(
            f"The weights {str(gguf)!r} are damaged, their SHA-256 is not the right one: delete them and run "
            "`footnote model fetch`."
        )
    source = new / "source.gguf"  # the converter writes beside its source
    source.symlink_to(gguf.absolute())
    command = [sys.executable, "-P", "-m", "bot.language_model.converted", str(source)]
    with subprocess.Popen(  # noqa: S603  # fixed arguments, no shell
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
    ) as child:
        end = time.monotonic() + _SECONDS
        while child.poll() is None:
            if (cancel and cancel.is_set()) or time.monotonic() > end:
                child.kill()
            time.sleep(_POLL)
        assert child.stderr is not None, "started with a pipe"
        output = child.stderr.read().strip().splitlines()
    _raise_if_set(cancel)
    if child.returncode or not (new / "openvino_model.bin").exists():
        reason = output[-1] if output else f"its process ended with {child.returncode}"
        raise ModelUnavailableError(
            f"The weights {str(gguf)!r} cannot be converted ({reason}): free some memory or disk space, or name "
            "another file with --gguf."
        )
    source.unlink()


@contextmanager
def _alone(folder: Path, cancel: threading.Event | None) -> Iterator[None]:
    """Wait until no other process converts the same file."""
    lock = FileLock(f"{folder}.lock")
    while not lock.is_locked:
        _raise_if_set(cancel)
        with contextlib.suppress(Timeout):
            lock.acquire(timeout=_POLL)
    try:
        yield
    finally:
        lock.release()


def _raise_if_set(cancel: threading.Event | None) -> None:
    if cancel is not None and cancel.is_set():
        raise CancelledError


@contextmanager
def _temporary(folder: Path) -> Iterator[Path]:
    """Yield a new folder beside another one; what a killed process left of an earlier one is removed."""
    new = folder.with_name(f"{folder.name}.partial")
    shutil.rmtree(new, ignore_errors=True)
    new.mkdir()
    try:
        yield new
    finally:
        shutil.rmtree(new, ignore_errors=True)


def main() -> None:
    """Convert one file in its own folder."""
    restrict(can_write=True)
    sys.modules["openvino_telemetry"] = None  # type: ignore[assignment]  # would report over the network
    import openvino_genai

    openvino_genai.LLMPipeline(sys.argv[1], "CPU", enable_save_ov_model=True)


if __name__ == "__main__":
    main()

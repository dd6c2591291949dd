"""Where the local model's weights are, and how far they have come: a folder of the user's, outside any checkout.

The folder holds the default weights once they are fetched, `parts/` while they come, and `chosen.json` when the user
named a file of their own.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import re
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from filelock import FileLock, Timeout
from platformdirs import user_cache_path

from bot.language_model import ModelUnavailableError
from index.store.atomic_file import write_file

# The architecture comes among the first entries of a GGUF file: its key, the type of a string (8), its length.
_HEADER = 1 << 16
_ARCHITECTURE = re.compile(rb"general\.architecture\x08\0\0\0(.{8})", re.DOTALL)
_ARCHITECTURES = ("qwen2", "qwen3", "llama")  # what OpenVINO converts


@dataclass(frozen=True, slots=True)
class Weights:
    """A file of weights that is known exactly.

    Attributes:
        file_name: Its name in the cache folder.
        size: Bytes.
        sha256: Lower-case hexadecimal digest; nothing else is accepted.
    """

    file_name: str
    size: int
    sha256: str


DEFAULT_WEIGHTS = Weights(
    file_name="qwen2.5-coder-1.5b-instruct-q4_k_m.gguf",
    size=1_117_320_768,
    sha256="cc324af070c2ecbfd324a30884d2f951a7ff756aba85cb811a6ec436933bb046",
)


@dataclass(frozen=True, slots=True)
class FetchProgress:
    """How far the weights are.

    Attributes:
        state: `fetching` while some process fetches them.
        fraction: Share of the bytes that are there, from 0 to 1; 1 only when they can be used.
    """

    state: Literal["missing", "fetching", "ready"]
    fraction: float


def cache_folder(chosen: Path | None) -> Path:
    """Return the folder of the weights: the one chosen in the settings, else the user's cache folder."""
    return (chosen or user_cache_path("footnote")).expanduser().absolute()


def find_weights(cache: Path, gguf: Path | None = None, weights: Weights = DEFAULT_WEIGHTS) -> Path:
    """Return the file to load: `gguf` when given, else the file the user recorded, else the fetched weights.

    Sizes are compared here, hashes when the file is fetched: reading a gigabyte takes seconds.

    Raises:
        ModelUnavailableError: There is none, or it is not what it should be.
    """
    if gguf is not None:
        check_gguf(gguf)
        return gguf
    recorded = chosen_gguf(cache)
    if recorded is not None:
        return recorded
    path = cache / weights.file_name
    if _size(path) != weights.size:
        raise ModelUnavailableError(
            f"The local model is not at {str(path)!r} yet: run `footnote model fetch`, or name a file with --gguf."
        )
    return path


def fetch_progress(cache: Path, gguf: Path | None = None, weights: Weights = DEFAULT_WEIGHTS) -> FetchProgress:
    """Return how far the weights are; cheap enough to be asked every second, from any process."""
    try:
        find_weights(cache, gguf, weights)
    except ModelUnavailableError:
        there = sum(max(_size(part), 0) for part in parts_folder(cache).glob("*.bin"))
        fraction = min(there / weights.size, 0.99)
        return FetchProgress("fetching" if _is_locked(cache) else "missing", fraction)
    return FetchProgress("ready", 1.0)


def record_gguf(cache: Path, path: Path) -> None:
    """Make a file of the user's the local model from now on.

    Raises:
        ModelUnavailableError: It cannot be read or is no GGUF file.
        OSError: The cache folder cannot be written.
    """
    check_gguf(path)
    cache.mkdir(parents=True, exist_ok=True)
    content = {"path": str(path.absolute()), "size": path.stat().st_size, "sha256": hash_of(path)}
    write_file(_record(cache), json.dumps(content, indent=2) + "\n")


def forget_gguf(cache: Path) -> None:
    """Return to the default weights."""
    _record(cache).unlink(missing_ok=True)


def chosen_gguf(cache: Path) -> Path | None:
    """Return the file that the user recorded, or None.

    Raises:
        ModelUnavailableError: The file is gone or has another size than when it was recorded.
    """
    advice = "run `footnote model fetch --gguf PATH` again, or `footnote model fetch --source registry`"
    try:
        content = json.loads(_record(cache).read_text(encoding="utf-8"))
        path, size = Path(content["path"]), int(content["size"])
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ModelUnavailableError(f"The record {str(_record(cache))!r} cannot be read: {advice}.") from error
    if _size(path) != size:
        raise ModelUnavailableError(f"The model file {str(path)!r} is gone or has changed: {advice}.")
    return path


def check_gguf(path: Path) -> None:
    """Look at the beginning of a file.

    Raises:
        ModelUnavailableError: It cannot be read, is no GGUF file, or holds a model that cannot be run.
    """
    try:
        with path.open("rb") as file:
            head = file.read(_HEADER)
    except OSError as error:
        reason = error.strerror or str(error)
        raise ModelUnavailableError(
            f"The model file {str(path)!r} cannot be read ({reason}): name a GGUF file."
        ) from error
    if not head.startswith(b"GGUF"):
        raise ModelUnavailableError(
            f"The file {str(path)!r} is no GGUF file: name the weights of a model in GGUF form."
        )
    found = _ARCHITECTURE.search(head)
    length = int.from_bytes(found[1], "little") if found else 0
    name = head[found.end() : found.end() + length].decode("utf-8", "replace") if found else ""
    if name not in _ARCHITECTURES:
        raise ModelUnavailableError(
            f"The file {str(path)!r} holds a model of the architecture {name[:40]!r}, which is none of "
            f"{', '.join(_ARCHITECTURES)}: name another file, or let a server run it and choose --answerer remote."
        )


def hash_of(path: Path) -> str:
    """Return the SHA-256 of a file in hexadecimal; about a second a gigabyte."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def is_verified(path: Path, weights: Weights) -> bool:
    """Return whether the file is there and has the right size and hash."""
    return path.is_file() and path.stat().st_size == weights.size and hash_of(path) == weights.sha256


def known_hash(cache: Path, path: Path) -> str:
    """Return the SHA-256 that weights should have, or of a file that was never recorded the one it has."""
    if path == cache / DEFAULT_WEIGHTS.file_name:
        return DEFAULT_WEIGHTS.sha256
    with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
        content = json.loads(_record(cache).read_text(encoding="utf-8"))
        if content["path"] == str(path):
            return str(content["sha256"])
    return hash_of(path)


def check_space(folder: Path, needed: float, occasion: str) -> None:
    """Check that a folder has room for `needed` bytes.

    Args:
        folder: Where they go.
        needed: Bytes.
        occasion: What they are needed for, in words that end "the local model needs so much here".

    Raises:
        ModelUnavailableError: It has not.
    """
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise ModelUnavailableError(
            f"The local model needs {needed / 1e9:.1f} GB in {str(folder)!r} {occasion} and {free / 1e9:.1f} GB are "
            "free: free some, or choose another folder with FOOTNOTE_MODEL_CACHE."
        )


def parts_folder(cache: Path) -> Path:
    """Return the folder where parts wait until all are there."""
    return cache / "parts"


def fetch_lock(cache: Path) -> FileLock:
    """Return the lock that one fetching process holds; the system frees it when that process ends in any way."""
    return FileLock(cache / "fetch.lock")


def _is_locked(cache: Path) -> bool:
    if not (cache / "fetch.lock").exists():
        return False
    try:
        with fetch_lock(cache).acquire(timeout=0):
            return False
    except Timeout:
        return True
    except OSError:
        return False


def _record(cache: Path) -> Path:
    return cache / "chosen.json"


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return -1

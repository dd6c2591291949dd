"""Where the local model's weights are, and how far they have come: a folder of the user's, outside any checkout.

The folder holds the default weights once they are fetched, `parts/` while they come, and `chosen.json` when the user
named a file of their own.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from filelock import FileLock, Timeout
from platformdirs import user_cache_path

from bot.language_model import ModelUnavailableError
from index.store.atomic_file import write_file

_MAGIC = b"GGUF"
_BLOCK = 1 << 20


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
    """Look at the first bytes of a file.

    Raises:
        ModelUnavailableError: It cannot be read or is no GGUF file.
    """
    try:
        with path.open("rb") as file:
            magic = file.read(len(_MAGIC))
    except OSError as error:
        reason = error.strerror or str(error)
        raise ModelUnavailableError(
            f"The model file {str(path)!r} cannot be read ({reason}): name a GGUF file."
        ) from error
    if magic != _MAGIC:
        raise ModelUnavailableError(
            f"The file {str(path)!r} is no GGUF file: name the weights of a model in GGUF form."
        )


def hash_of(path: Path) -> str:
    """Return the SHA-256 of a file in hexadecimal; about a second a gigabyte."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()


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

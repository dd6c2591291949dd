"""The compiled form of an embedding model in the user's cache: made once, its hash checked every time."""

from __future__ import annotations

import fcntl
import json
import shutil
import subprocess
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path

from index.embedding.model_folder import hash_file
from index.errors import ConversionError

_HASHES = "hashes.json"  # written last: without it there is no compiled model
_TIMEOUT = 600.0


def compiled_model(folder: Path, model_id: str, cache: Path) -> Path:
    """Return the folder with the compiled form of a model, made where there is none or it is damaged.

    Args:
        folder: The sentence-transformers model.
        model_id: Its name with a hash of its weights.
        cache: The user's cache folder.

    Raises:
        ConversionError: The model cannot be compiled, or the cache cannot be written.
    """
    target = _folder(model_id, cache)
    parent = target.parent
    if _is_whole(target):
        return target
    try:
        parent.mkdir(parents=True, exist_ok=True)
        with (parent / f"{target.name}.lock").open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)  # two processes that start together make it once
            if not _is_whole(target):
                _make(folder, target)
    except OSError as error:
        raise ConversionError(f"the cache {str(parent)!r} cannot be written ({error.strerror})") from error
    return target


def is_compiled(model_id: str, cache: Path) -> bool:
    """Return whether there is a compiled form, and it is whole."""
    return _is_whole(_folder(model_id, cache))


def _folder(model_id: str, cache: Path) -> Path:
    return cache / "embedding" / f"{model_id}-openvino-{version('openvino')}"


def _make(folder: Path, target: Path) -> None:
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=f"{target.name}.") as temporary:
        new = Path(temporary) / "new"
        new.mkdir()
        command = [sys.executable, "-P", "-m", "index.embedding.convert", str(folder), str(new)]
        try:
            subprocess.run(command, check=True, capture_output=True, text=True, timeout=_TIMEOUT)  # noqa: S603  # ours
        except subprocess.CalledProcessError as error:
            reason = (error.stderr.strip().splitlines() or [f"exit {error.returncode}"])[-1]
            raise ConversionError(f"it cannot be compiled ({reason})") from error
        except subprocess.TimeoutExpired as error:
            raise ConversionError(f"it could not be compiled within {_TIMEOUT:.0f} s") from error
        hashes = {path.name: hash_file(path).hexdigest() for path in sorted(new.iterdir())}
        (new / _HASHES).write_text(json.dumps(hashes), encoding="utf-8")
        shutil.rmtree(target, ignore_errors=True)
        new.replace(target)


def _is_whole(target: Path) -> bool:
    try:
        hashes = json.loads((target / _HASHES).read_text(encoding="utf-8"))
        return bool(hashes) and all(hash_file(target / name).hexdigest() == found for name, found in hashes.items())
    except (OSError, ValueError, AttributeError):
        return False

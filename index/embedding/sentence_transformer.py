"""A sentence-transformers model on this machine: its id, tokens and vectors. Only this module imports the library."""

from __future__ import annotations

import copy
import functools
import logging
import os
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from platformdirs import user_cache_path

from index.embedding.embedder import Vectors
from index.embedding.model_files import PACKAGED, compiled_model, find_model, identify
from index.errors import ConversionError
from index.settings import EmbeddingRuntime
from index.text.invisible import comparable

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

    from index.embedding.openvino_encoder import OpenVinoEncoder

_BATCH = 16
_BFLOAT16 = frozenset(("avx512_bf16", "amx_bf16"))

logger = logging.getLogger(__name__)


class SentenceTransformerEmbedder:
    """An `Embedder`, loaded from this machine only, safe under threads.

    Args:
        model: `packaged`, a folder, or the name of a model that is already in the local Hugging Face cache.
        runtime: `openvino`, or `torch`, which is slower and gives the same vectors to 1e-4. PyTorch also runs models
            that cannot be compiled.
        cache: Folder of the compiled model; the user's cache folder when not given.

    Raises:
        ModelNotFoundError: There is no such model on this machine.
    """

    def __init__(
        self, model: str = PACKAGED, runtime: EmbeddingRuntime = "openvino", cache: Path | None = None
    ) -> None:
        from tokenizers import Tokenizer

        # Fast tokenizers are not thread-safe (huggingface/transformers#47085).
        self._lock = threading.Lock()
        os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
        self._folder = find_model(model)
        self._runtime = runtime
        self.cache = cache or user_cache_path("footnote")
        self.model_id = identify(model, self._folder)
        self._tokenizer = Tokenizer.from_file(str(self._folder / "tokenizer.json"))
        self._tokenizer.no_truncation()
        self._tokenizer.no_padding()
        self._loaded: TorchEncoder | OpenVinoEncoder | None = None
        self._half = False

    def in_half_precision(self) -> SentenceTransformerEmbedder:
        """Return the same model with vectors within 1e-2 and quicker; itself where the processor has no bfloat16."""
        if self._half or self._runtime != "openvino" or not _has_bfloat16():
            return self
        other = copy.copy(self)
        other._lock, other._loaded, other._half = threading.Lock(), None, True  # its own
        return other

    @property
    def dimension(self) -> int:
        """Length of a vector."""
        with self._lock:
            return self._encoder().dimension

    def embed(self, texts: Sequence[str]) -> Vectors:
        """Return an array of shape (len(texts), dimension), float32, each row of length one."""
        if not texts:
            return np.zeros((0, self.dimension), dtype=np.float32)
        with self._lock:
            return self._encoder().encode([comparable(text) for text in texts])

    def tokenize(self, text: str) -> list[int]:
        """Return the token ids of a text, without special tokens and without a limit."""
        ids: list[int] = self._tokenizer.encode(comparable(text), add_special_tokens=False).ids
        return ids

    def _encoder(self) -> TorchEncoder | OpenVinoEncoder:
        """Return the encoder, loaded on first use: a run that embeds nothing does not need it."""
        if self._loaded is None:
            self._loaded = self._load_compiled() if self._runtime == "openvino" else TorchEncoder(self._folder)
        return self._loaded

    def _load_compiled(self) -> TorchEncoder | OpenVinoEncoder:
        from index.embedding.openvino_encoder import OpenVinoEncoder  # not needed by torch

        try:
            compiled = compiled_model(self._folder, self.model_id, self.cache)
            return OpenVinoEncoder(compiled, self._folder, half=self._half)
        except (ConversionError, ImportError, RuntimeError) as error:
            logger.warning("the embedding model %s is run by PyTorch, slowly: %s", self.model_id, error)
            return TorchEncoder(self._folder)


class TorchEncoder:
    """Runs a model with PyTorch on the processor: works for every model, and takes seconds to start.

    Nothing is downloaded and no code of the model's folder is run. Not safe under threads.
    """

    def __init__(self, folder: Path) -> None:
        from sentence_transformers import SentenceTransformer  # takes seconds to import
        from transformers.utils import logging

        logging.disable_progress_bar()
        logging.set_verbosity_error()
        self.model: SentenceTransformer = SentenceTransformer(
            str(folder), device="cpu", local_files_only=True, trust_remote_code=False
        )

    @property
    def dimension(self) -> int:
        """Length of a vector."""
        return int(self.model.get_embedding_dimension() or 0)

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Return an array of shape (len(texts), dimension), float32, each row of length one."""
        vectors = self.model.encode(
            list(texts), batch_size=_BATCH, normalize_embeddings=True, show_progress_bar=False, convert_to_numpy=True
        )
        return np.asarray(vectors, dtype=np.float32)


@functools.cache
def _has_bfloat16() -> bool:
    """Return whether Linux lists an instruction set for bfloat16 among those of the processor."""
    table = Path("/proc/cpuinfo")
    return table.is_file() and not _BFLOAT16.isdisjoint(table.read_text(encoding="utf-8").split())

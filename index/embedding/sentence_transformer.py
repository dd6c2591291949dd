"""A sentence-transformers model on this machine: its name, its tokens, its vectors."""

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

from index.embedding.compiled import PACKAGED, compiled_model, find_model, identify
from index.embedding.embedder import Encoder, Vectors
from index.errors import ConversionError
from index.settings import EmbeddingRuntime
from index.text.invisible import comparable

if TYPE_CHECKING:
    from tokenizers import Tokenizer

_BFLOAT16 = frozenset(("avx512_bf16", "amx_bf16"))

logger = logging.getLogger(__name__)


class SentenceTransformerEmbedder:
    """An `Embedder`, loaded from this machine only, safe under threads.

    Args:
        model: `packaged`, a folder, or the name of a model that is already in the local Hugging Face cache.
        runtime: `openvino`, or `torch`, which is slower and gives the same vectors to 1e-4. A model that cannot be
            compiled is run by torch.
        cache: Folder of the compiled model; the user's cache folder when not given.

    Raises:
        ModelNotFoundError: There is no such model on this machine.
    """

    def __init__(
        self, model: str = PACKAGED, runtime: EmbeddingRuntime = "openvino", cache: Path | None = None
    ) -> None:
        # One worker at a time: fast tokenizers are not safe under threads (huggingface/transformers#47085).
        self._lock = threading.Lock()
        os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
        self._folder = find_model(model)
        self._runtime = runtime
        self.cache = cache or user_cache_path("footnote")
        self.model_id = identify(model, self._folder)
        self._tokenizer = _load_tokenizer(self._folder)
        self._loaded: Encoder | None = None
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

    def _encoder(self) -> Encoder:
        """Return the encoder, loaded when it is first needed: a run that embeds nothing never pays for it."""
        if self._loaded is None:
            self._loaded = self._compiled() if self._runtime == "openvino" else self._plain()
        return self._loaded

    def _compiled(self) -> Encoder:
        from index.embedding.openvino_encoder import OpenVinoEncoder  # not needed by torch

        try:
            compiled = compiled_model(self._folder, self.model_id, self.cache)
            return OpenVinoEncoder(compiled, self._folder, half=self._half)
        except (ConversionError, ImportError, RuntimeError) as error:
            logger.warning("the embedding model %s is run by PyTorch, slowly: %s", self.model_id, error)
            return self._plain()

    def _plain(self) -> Encoder:
        from index.embedding.torch_encoder import TorchEncoder  # torch takes seconds to import

        return TorchEncoder(self._folder)


@functools.cache
def _has_bfloat16() -> bool:
    """Return whether Linux says that the processor multiplies numbers of half the size, twice as many at once."""
    table = Path("/proc/cpuinfo")
    return table.is_file() and not _BFLOAT16.isdisjoint(table.read_text(encoding="utf-8").split())


def _load_tokenizer(folder: Path) -> Tokenizer:
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return tokenizer

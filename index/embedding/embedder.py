"""The interface of embedding models, and a cache of recent vectors."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Vectors = NDArray[np.float32]


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


class CachingEmbedder:
    """An `Embedder` that keeps the vectors of the most recently used texts.

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

"""What the rest of Footnote sees of an embedding model."""

from __future__ import annotations

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


class Encoder(Protocol):
    """One way to run a model. Not safe under threads: an `Embedder` guards it."""

    @property
    def dimension(self) -> int:
        """Length of a vector."""

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Return an array of shape (len(texts), dimension), float32, each row of length one."""

"""A model run as sentence-transformers runs it. The one door to sentence-transformers."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from index.embedding.embedder import Vectors

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

_BATCH = 16


class TorchEncoder:
    """Implements `Encoder` by PyTorch on the processor: right for every model, and slow to start."""

    def __init__(self, folder: Path) -> None:
        self.model = load_model(folder)

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


def load_model(folder: Path) -> SentenceTransformer:
    """Return the model in a folder; nothing is fetched and no code of the model's is run."""
    from sentence_transformers import SentenceTransformer  # torch takes seconds to import
    from transformers.utils import logging

    logging.disable_progress_bar()
    logging.set_verbosity_error()
    return SentenceTransformer(str(folder), device="cpu", local_files_only=True, trust_remote_code=False)

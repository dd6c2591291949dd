"""Embedding on a Ray cluster, an optional dependency: `pip install footnote-chat[ray]`.

Every worker loads the embedding model from its own machine, which needs the same version of Footnote.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from index.embedding.embedder import Embedder, Vectors
from index.errors import IndexingError
from index.settings import EmbeddingRuntime, IndexSettings

_CONNECT_SECONDS = 5.0
_BATCH = 16  # texts of one call to a worker
_MOST_CORES = 8  # that one copy of the model uses


class RayEmbedder:
    """An `Embedder` whose vectors come from a cluster; names, tokens and dimension come from this machine's model.

    The cluster is joined when the first text is embedded.

    Args:
        local: This machine's embedder, of the same model.
        settings: The address of the cluster, and the model.

    Raises:
        IndexingError: Ray is not installed.
    """

    def __init__(self, local: Embedder, settings: IndexSettings) -> None:
        os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
        try:
            import ray  # optional, and takes seconds to import
        except ImportError as error:
            raise IndexingError(
                "The setting 'ray_address' needs Ray: install it with `pip install footnote-chat[ray]`, or unset it."
            ) from error
        self._ray = ray
        self._local = local
        self._settings = settings
        self._workers: list[Any] = []
        self.model_id = local.model_id
        self.tokenize = local.tokenize

    @property
    def dimension(self) -> int:
        """Length of a vector."""
        return self._local.dimension

    def embed(self, texts: Sequence[str]) -> Vectors:
        """Return an array of shape (len(texts), dimension), float32, each row of length one.

        Raises:
            IndexingError: The cluster does not answer, lost a worker, or has another model.
        """
        if not texts:
            return self._local.embed(texts)
        try:
            workers = self._workers = self._workers or self._join()
            pieces = [list(texts[start : start + _BATCH]) for start in range(0, len(texts), _BATCH)]
            asked = [workers[number % len(workers)].embed.remote(piece) for number, piece in enumerate(pieces)]
            return np.concatenate(self._ray.get(asked))
        except (self._ray.exceptions.RayError, OSError, RuntimeError) as error:
            reason = (str(error).strip().splitlines() or [type(error).__name__])[-1]
            raise IndexingError(
                f"The Ray cluster at {self._settings.ray_address!r} cannot embed ({reason}): check it with "
                "`ray status` and index again; finished vectors are kept. Without ray_address this machine embeds."
            ) from error

    def close(self) -> None:
        """Leave the cluster."""
        if self._workers:
            self._workers = []
            self._ray.shutdown()

    def _join(self) -> list[Any]:
        _check_connection(self._settings.ray_address)
        self._ray.init(self._settings.ray_address, logging_level="error", log_to_driver=False)
        cores = [int(node["Resources"].get("CPU", 0)) for node in self._ray.nodes() if node["Alive"]]
        share = min([_MOST_CORES, *(count for count in cores if count)])
        remote = self._ray.remote(num_cpus=share, max_restarts=3, max_task_retries=3)(_Worker)
        model = (self._settings.embedding_model, self._settings.embedding_runtime, self._settings.model_cache)
        workers = [remote.remote(*model) for _ in range(sum(count // share for count in cores))]
        for name in self._ray.get([worker.model.remote() for worker in workers]):
            if name != self.model_id:
                raise RuntimeError(f"a worker has the embedding model {name}, not {self.model_id}")
        return workers


def _check_connection(address: str) -> None:
    """Raise OSError if the address does not accept connections: Ray would retry for minutes, then end the process."""
    host, _, port = address.removeprefix("ray://").rpartition(":")
    if host:
        socket.create_connection((host, int(port)), _CONNECT_SECONDS).close()


class _Worker:
    """A copy of the model on a machine of the cluster."""

    def __init__(self, model: str, runtime: EmbeddingRuntime, cache: Path | None) -> None:
        from index.embedding.sentence_transformer import SentenceTransformerEmbedder

        self._embedder = SentenceTransformerEmbedder(model, runtime, cache)

    def model(self) -> str:
        return self._embedder.model_id

    def embed(self, texts: list[str]) -> Vectors:
        return self._embedder.embed(texts)

"""A model compiled for this processor by OpenVINO: several times faster than PyTorch, which it does not import.

Texts are sorted by length, so that little of a batch is padding. Each core runs a batch of its own: if other processes
use some cores, that loses less time than all cores on one batch.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from index.embedding.embedder import Vectors
from index.errors import ConversionError

if TYPE_CHECKING:
    from openvino import AsyncInferQueue

# Larger batches are no faster on a processor, and leave cores idle when a question is compared with a dozen sentences.
_BATCH_TOKENS = 128
_MOST_STREAMS = 8
# Largest difference of any number of a vector from that of sentence-transformers.
_TOLERANCE = 1e-4
_HALF_TOLERANCE = 1e-2

Tokens = NDArray[np.int64]


class OpenVinoEncoder:
    """Runs the model that `index.embedding.convert` wrote. Not safe under threads.

    Args:
        compiled: Their folder.
        folder: The sentence-transformers model they were made from, for its tokenizer.
        half: Multiply in bfloat16.

    Raises:
        ConversionError: The compiled model does not give the vectors of sentence-transformers.
    """

    def __init__(self, compiled: Path, folder: Path, *, half: bool = False) -> None:
        from tokenizers import Tokenizer

        probe = json.loads((compiled / "probe.json").read_text(encoding="utf-8"))
        self._tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self._tokenizer.enable_truncation(probe["max_tokens"])
        self._tokenizer.no_padding()
        self._padding = _padding_id(folder)
        # OpenVINO sets a signal stack for the thread that loads it, and may free that memory in another thread. If the
        # main thread loaded it, which handles signals, the next Ctrl-C could end the process with a segmentation fault.
        with ThreadPoolExecutor(1, "footnote-embedding") as loader:
            self.dimension, self._queue = loader.submit(
                _load, compiled / "model.xml", "bf16" if half else "f32"
            ).result()
        expected = np.array(probe["vectors"], dtype=np.float32)
        self._check(probe["texts"], expected, _HALF_TOLERANCE if half else _TOLERANCE)

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Return an array of shape (len(texts), dimension), float32, each row of length one."""
        vectors = np.zeros((len(texts), self.dimension), dtype=np.float32)

        def keep(request: Any, rows: list[int]) -> None:
            vectors[rows] = request.get_output_tensor(0).data

        self._queue.set_callback(keep)
        for rows, ids, mask in self._batches(texts):
            self._queue.start_async({0: ids, 1: mask}, rows)
        self._queue.wait_all()
        return vectors

    def _batches(self, texts: Sequence[str]) -> Iterator[tuple[list[int], Tokens, Tokens]]:
        """Yield the places of some texts, their token ids and the mask, both of shape (texts, tokens)."""
        tokens = [encoding.ids for encoding in self._tokenizer.encode_batch(list(texts))]
        waiting = sorted(range(len(texts)), key=lambda row: len(tokens[row]))
        while waiting:
            longest = len(tokens[waiting[-1]])
            size = max(1, _BATCH_TOKENS // longest)
            rows, waiting = waiting[-size:], waiting[:-size]
            ids = np.full((len(rows), longest), self._padding, dtype=np.int64)
            mask = np.zeros_like(ids)
            for number, row in enumerate(rows):
                ids[number, : len(tokens[row])] = tokens[row]
                mask[number, : len(tokens[row])] = 1
            yield rows, ids, mask

    def _check(self, texts: Sequence[str], expected: Vectors, tolerance: float) -> None:
        worst = float(np.abs(self.encode(texts) - expected).max())
        if not worst <= tolerance:
            raise ConversionError(f"its compiled form gives vectors that are {worst:.1g} off")


def _load(model_file: Path, precision: str) -> tuple[int, AsyncInferQueue]:
    """Return the length of a vector, and a queue that runs as many batches at once as there are cores."""
    import openvino  # half a second

    streams = min(os.cpu_count() or 1, _MOST_STREAMS)
    options = {"PERFORMANCE_HINT": "THROUGHPUT", "INFERENCE_PRECISION_HINT": precision, "NUM_STREAMS": streams}
    model = openvino.Core().compile_model(str(model_file), "CPU", options)
    return int(model.output(0).partial_shape[1].get_length()), openvino.AsyncInferQueue(model, streams)


def _padding_id(folder: Path) -> int:
    """Return the padding token; some models derive positions from it."""
    configuration = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    return int(configuration.get("pad_token_id") or 0)

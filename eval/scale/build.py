"""An index of one size: staged, built and published by the code that `footnote index` uses.

What a killed run has staged is kept; what it has built of a generation is thrown away and built again, as it is by
`footnote index`. Seconds add up over all the runs it took.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path

from bot.settings import Settings
from eval.progress import show_progress
from eval.scale.vary import CHUNKS_A_DOCUMENT, Passages, Varied, vary
from eval.whole_file import write_whole
from index.catalogue import Catalogue, vector_key
from index.generation import problem_of, renew
from index.ownership import own

_PAGE = 1_000  # chunks between two signs of progress
_DOCUMENTS_AT_ONCE = 13  # about as many chunks as `footnote index` embeds at once


class Seconds:
    """How long each stage took, kept in a file so that an interrupted run's share is not lost."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.by_stage: dict[str, float] = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}

    def add(self, stage: str, seconds: float) -> None:
        """Add to a stage."""
        self.set(stage, self.by_stage.get(stage, 0.0) + seconds)

    def set(self, stage: str, seconds: float) -> None:
        """Say how long a stage took that is always done from its beginning."""
        self.by_stage[stage] = round(seconds, 2)
        write_whole(self._path, json.dumps(self.by_stage))


def build_index(passages: Passages, chunks: int, settings: Settings, model_id: str) -> dict[str, float]:
    """Build an index of so many varied passages in the settings' data folder, and return the seconds of each stage.

    Stages: "stage", "vectors", "keywords", "exact", "check". What is there already is not done again.
    """
    data_dir = settings.data_dir
    with own(data_dir), closing(Catalogue(settings.catalogue_url())) as catalogue:
        seconds = Seconds(data_dir / "seconds.json")
        if catalogue.count_chunks() != chunks:
            _stage(passages, chunks, catalogue, model_id, seconds)
        live = catalogue.property("generation")
        if not live or problem_of(data_dir, live, catalogue.property("fingerprint")):
            _publish(data_dir, chunks, catalogue, model_id, seconds)
    return seconds.by_stage


def _stage(passages: Passages, chunks: int, catalogue: Catalogue, model_id: str, seconds: Seconds) -> None:
    documents = -(-chunks // CHUNKS_A_DOCUMENT)
    staged = catalogue.staged_ids()
    with show_progress(f"staging {chunks} chunks, documents", documents) as advance:
        waiting: list[Varied] = []
        for number in range(documents):
            varied = vary(passages, number, min(CHUNKS_A_DOCUMENT, chunks - number * CHUNKS_A_DOCUMENT))
            if varied.document.document_id not in staged:
                waiting.append(varied)
            if len(waiting) == _DOCUMENTS_AT_ONCE or number == documents - 1:
                begin = time.perf_counter()  # making the documents up is not counted
                _add(waiting, catalogue, model_id)
                seconds.add("stage", time.perf_counter() - begin)
                waiting = []
            advance()


def _add(documents: list[Varied], catalogue: Catalogue, model_id: str) -> None:
    """Store documents as `footnote index` does: what has no vector yet, then each document with its chunks."""
    keys = [[vector_key(model_id, f"{chunk.title}\n{chunk.text}") for chunk in one.chunks] for one in documents]
    vectors = {
        key: vector
        for one, some in zip(documents, keys, strict=True)
        for key, vector in zip(some, one.vectors, strict=True)
    }
    missing = catalogue.missing_vectors(list(vectors))
    catalogue.add_vectors({key: vectors[key] for key in missing})
    for one, some in zip(documents, keys, strict=True):
        catalogue.stage(one.document, one.chunks, some, "varied")


def _publish(data_dir: Path, chunks: int, catalogue: Catalogue, model_id: str, seconds: Seconds) -> None:
    stages = _Stages(chunks, seconds)
    with closing(stages):
        renew(data_dir, catalogue, model_id, (), pipeline="varied", progress=stages)


class _Stages:
    """Times the stages of a build and shows how far each has come."""

    def __init__(self, chunks: int, seconds: Seconds) -> None:
        self._pages = -(-chunks // _PAGE)
        self._seconds = seconds
        self._stage, self._begin, self._shown = "", 0.0, 0
        self._bar = ExitStack()
        self._advance: Callable[[], None] = lambda: None

    def __call__(self, stage: str, done: int) -> None:
        if stage != self._stage:
            self.close()
            self._stage, self._begin, self._shown = stage, time.perf_counter(), 0
            self._advance = self._bar.enter_context(show_progress(f"{stage}, thousands of chunks", self._pages))
        for _ in range(self._shown, -(-done // _PAGE)):
            self._advance()
            self._shown += 1

    def close(self) -> None:
        """End the stage that is running."""
        if self._stage:
            self._seconds.set(self._stage, time.perf_counter() - self._begin)
        self._bar.close()


def sizes_on_disk(data_dir: Path) -> dict[str, int]:
    """Return the bytes of each part of an index: the database, and each file or folder of its generation."""
    parts = {"database": sum(path.stat().st_size for path in data_dir.glob("footnote.db*"))}
    for generation in (data_dir / "generations").iterdir():
        for part in generation.iterdir():
            parts[part.stem] = sum(path.stat().st_size for path in _files(part))
    return parts


def _files(part: Path) -> Iterator[Path]:
    return (path for path in part.rglob("*") if path.is_file()) if part.is_dir() else iter((part,))

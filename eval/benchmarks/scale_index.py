"""An index of one size: built from varied passages by the code of `footnote index`, and measured.

What a killed run has staged is kept; what it has built of a generation is thrown away and built again, as it is by
`footnote index`. Seconds add up over all the runs it took.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

from bot.answer.conversation import Turn
from bot.build import build_chatbot
from bot.chatbot import Chatbot
from bot.settings import Settings
from eval.benchmarks.latency import time_question
from eval.benchmarks.varied_passages import Passages, VariedDocument, vary
from eval.errors import ReportError
from eval.run.progress import show_progress
from index.embedding.build import build_embedder
from index.embedding.embedder import Embedder
from index.generation import GenerationSnapshot, problem_of, publish_generation
from index.store.atomic_file import write_file
from index.store.catalogue import Catalogue, vector_key
from index.store.ownership import lock_data_folder

_CHUNKS_A_DOCUMENT = 10
_PAGE = 1_000  # chunks between two steps of the progress bar
_DOCUMENTS_AT_ONCE = 13  # about as many chunks as `footnote index` embeds at once
_CANDIDATES = 50  # as many chunks as each half of retrieval contributes to a question


class _StageTimer:
    """Times the stages of a build and shows the progress of each.

    Seconds are kept in a file so that an interrupted run's share is not lost.
    """

    def __init__(self, path: Path, chunks: int) -> None:
        self._path = path
        self._pages = -(-chunks // _PAGE)
        self.seconds: dict[str, float] = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
        self._stage, self._begin, self._shown = "", 0.0, 0
        self._bar = ExitStack()
        self._advance: Callable[[], None] = lambda: None

    def set(self, stage: str, seconds: float) -> None:
        """Replace what is kept of a stage."""
        self.seconds[stage] = round(seconds, 2)
        write_file(self._path, json.dumps(self.seconds), ReportError)

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
            self.set(self._stage, time.perf_counter() - self._begin)
        self._bar.close()


def build_index(passages: Passages, chunks: int, settings: Settings, model_id: str) -> dict[str, float]:
    """Build an index of so many varied passages in the settings' data folder, and return the seconds of each stage.

    Stages: "stage", "vectors", "keywords", "exact", "check". What is there already is not done again.
    """
    data_dir = settings.data_dir
    with lock_data_folder(data_dir), closing(Catalogue(settings.catalogue_url())) as catalogue:
        timer = _StageTimer(data_dir / "seconds.json", chunks)
        if catalogue.count_chunks() != chunks:
            _stage(passages, chunks, catalogue, model_id, timer)
        live = catalogue.property("generation")
        if not live or problem_of(data_dir, live, catalogue.property("fingerprint")):
            with closing(timer):
                publish_generation(data_dir, catalogue, model_id, (), pipeline="varied", progress=timer)
    return timer.seconds


def _stage(passages: Passages, chunks: int, catalogue: Catalogue, model_id: str, timer: _StageTimer) -> None:
    documents = -(-chunks // _CHUNKS_A_DOCUMENT)
    staged = catalogue.staged_ids()
    with show_progress(f"staging {chunks} chunks, documents", documents) as advance:
        waiting: list[VariedDocument] = []
        for number in range(documents):
            varied = vary(passages, number, min(_CHUNKS_A_DOCUMENT, chunks - number * _CHUNKS_A_DOCUMENT))
            if varied.document.document_id not in staged:
                waiting.append(varied)
            if len(waiting) == _DOCUMENTS_AT_ONCE or number == documents - 1:
                begin = time.perf_counter()  # making the documents up is not counted
                _add(waiting, catalogue, model_id)
                timer.set("stage", timer.seconds.get("stage", 0.0) + time.perf_counter() - begin)
                waiting = []
            advance()


def _add(documents: list[VariedDocument], catalogue: Catalogue, model_id: str) -> None:
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


def sizes_on_disk(data_dir: Path) -> dict[str, int]:
    """Return the bytes of each part of an index: the database, and each file or folder of its generation."""
    parts = {"database": sum(path.stat().st_size for path in data_dir.glob("footnote.db*"))}
    for generation in (data_dir / "generations").iterdir():
        for part in generation.iterdir():
            content = part.rglob("*") if part.is_dir() else [part]
            parts[part.stem] = sum(path.stat().st_size for path in content if path.is_file())
    return parts


def measure_index(begin: float, folder: str, questions: str) -> dict[str, Any]:
    """Return memory and waiting times of one index; called in a process of its own.

    Args:
        begin: Not used: loading is not measured.
        folder: The data folder.
        questions: A JSON file with the questions and their histories.

    Returns:
        MiB before the index is opened and after all questions, seconds to open it, milliseconds of each question.
    """
    del begin
    rows = json.loads(Path(questions).read_text(encoding="utf-8"))
    settings = Settings(data_dir=Path(folder), database_url="", answerer="extractive")
    embedder = build_embedder(settings)
    embedder.embed(["the model and its working memory are loaded"] * 20)
    before = _resident_mib()
    with closing(build_chatbot(settings, embedder)) as chatbot:
        asked = _ask(chatbot, [(row["question"], tuple(Turn(**turn) for turn in row["history"])) for row in rows])
    return {"before_mib": before, **asked, **_search(settings, embedder, [row["question"] for row in rows])}


def _ask(chatbot: Chatbot, questions: list[tuple[str, tuple[Turn, ...]]]) -> dict[str, Any]:
    """Ask each question once, after a first that is not counted."""
    begin = time.perf_counter()
    chatbot.warm_up()
    opened = time.perf_counter() - begin
    chatbot.ask(*questions[0])
    times = [time_question(chatbot, *one) for one in questions]
    found = [one for one in times if one.evidence_ms is not None]
    return {
        "open_seconds": opened,
        "after_mib": _resident_mib(),
        "evidence_ms": [one.evidence_ms for one in found],
        "retrieve_ms": [one.stages_ms["retrieve"] for one in found],
    }


def _search(settings: Settings, embedder: Embedder, questions: list[str]) -> dict[str, Any]:
    """Time each half of retrieval by itself, as the retriever calls it."""
    with closing(Catalogue(settings.catalogue_url())) as catalogue:
        generation = GenerationSnapshot(
            settings.data_dir,
            catalogue.property("generation"),
            catalogue.property("fingerprint"),
            catalogue.chunk_sets.live(),
        )
    vectors, keywords, phrases = [], [], settings.phrase_weight
    with closing(generation):
        for question, vector in zip(questions, embedder.embed(questions), strict=True):
            begin = time.perf_counter()
            near = generation.vectors.search(vector, _CANDIDATES)
            middle = time.perf_counter()
            generation.keywords.search(question, _CANDIDATES, [chunk_id for chunk_id, _ in near], phrases)
            keywords.append(1000 * (time.perf_counter() - middle))
            vectors.append(1000 * (middle - begin))
    return {"vectors_ms": vectors, "keywords_ms": keywords}


def _resident_mib() -> float:
    """Return the memory that this process holds, from Linux's table of it."""
    lines = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmRSS"))

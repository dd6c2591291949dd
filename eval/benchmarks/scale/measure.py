"""Every size in turn: build it, then measure it in a fresh process."""

from __future__ import annotations

import json
import platform
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import closing
from itertools import islice
from pathlib import Path

from bot.settings import Settings
from eval.benchmarks.dataset import Dataset, Query, index_corpus
from eval.benchmarks.scale.build import Passages, build_index, read_passages, sizes_on_disk
from eval.benchmarks.scale.report import Rates, ScaleReport, Size
from eval.errors import EvaluationError
from eval.run.origin import read_origin
from eval.run.progress import show_progress
from index.document import Document
from index.embedding.build import build_embedder
from index.embedding.embedder import Embedder
from index.store.catalogue import Catalogue
from index.sync.splitter import Splitter

_TIMED_PASSAGES = 500
_EMBED_AT_ONCE = 128
_LONGEST_SECONDS = 3_600


def measure_scale(
    dataset: Dataset, sizes: Sequence[int], questions: int, work: Path, settings: Settings
) -> ScaleReport:
    """Build and measure an index of each size.

    Args:
        dataset: Whose passages are varied and whose questions are asked.
        sizes: How many chunks; each is kept in a folder of its own and not built again.
        questions: Most questions.
        work: Where the indexes are.
        settings: How passages are cut and embedded.

    Raises:
        EvaluationError: The set has no questions, or a measuring process failed.
    """
    asked = tuple(islice(dataset.queries, questions))
    if not asked:
        raise EvaluationError(f"The set {dataset.name!r} has no questions to ask: name another.")
    embedder = build_embedder(settings)
    with show_progress("embedding the real passages", 1) as advance:
        real = index_corpus(dataset.corpus, work / "real", settings, embedder)
        advance()
    with closing(Catalogue(real.catalogue_url())) as catalogue:
        passages = read_passages(catalogue)
    rates = _measure_rates(passages, settings, embedder)
    found = [_measure(passages, chunks, asked, work / str(chunks), settings, embedder.model_id) for chunks in sizes]
    return ScaleReport(
        dataset=dataset.name,
        passages=len(passages.titles),
        questions=len(asked),
        rates=rates,
        sizes=tuple(found),
        processor=_processor(),
        memory_mib=_memory_mib(),
        origin=read_origin(),
    )


def _measure(
    passages: Passages, chunks: int, asked: Sequence[Query], folder: Path, settings: Settings, model_id: str
) -> Size:
    chosen = settings.model_copy(update={"data_dir": folder, "database_url": ""})
    seconds = build_index(passages, chunks, chosen, model_id)
    questions = folder / "questions.json"
    rows = [{"question": query.question, "history": [turn.model_dump() for turn in query.history]} for query in asked]
    questions.write_text(json.dumps(rows), encoding="utf-8")
    with show_progress(f"asking {chunks} chunks", 1) as advance:
        measured = _ask(folder, questions)
        advance()
    return Size(chunks=chunks, seconds=seconds, disk_bytes=sizes_on_disk(folder), **measured)


def _ask(folder: Path, questions: Path) -> dict[str, object]:
    command = [sys.executable, "-m", "eval.benchmarks.scale.child", str(folder), str(questions)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=_LONGEST_SECONDS)  # noqa: S603
    if done.returncode:
        reason = (done.stderr.strip().splitlines() or ["it said nothing"])[-1]
        raise EvaluationError(f"The index in {str(folder)!r} could not be measured: {reason}")
    measured: dict[str, object] = json.loads(done.stdout.splitlines()[-1])
    return measured


def _measure_rates(passages: Passages, settings: Settings, embedder: Embedder) -> Rates:
    """Time what a real document costs besides: cutting it, and embedding its chunks."""
    texts = [
        f"{title}\n{' '.join(sentences)}"
        for title, sentences in islice(zip(passages.titles, passages.sentences, strict=True), _TIMED_PASSAGES)
    ]
    splitter = Splitter(
        embedder.tokenize,
        embedder.model_id,
        chunk_tokens=settings.chunk_tokens,
        overlap_tokens=settings.overlap_tokens,
    )
    splitter.split(Document("first", "first", texts[0], "text/plain", ""))  # what is loaded on first use
    begin = time.perf_counter()
    cut = sum(len(splitter.split(Document("timed", "timed", text, "text/plain", ""))) for text in texts)
    middle = time.perf_counter()
    for start in range(0, len(texts), _EMBED_AT_ONCE):
        embedder.embed(texts[start : start + _EMBED_AT_ONCE])
    end = time.perf_counter()
    return Rates(split_ms=1000 * (middle - begin) / cut, embed_ms=1000 * (end - middle) / len(texts))


def _processor() -> str:
    """Return the processor's name as Linux tells it, else its type."""
    table = Path("/proc/cpuinfo")
    lines = table.read_text(encoding="utf-8").splitlines() if table.is_file() else []
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.machine())


def _memory_mib() -> int:
    """Return the memory of the machine, 0 where it is not told."""
    table = Path("/proc/meminfo")
    return int(table.read_text(encoding="utf-8").split()[1]) // 1024 if table.is_file() else 0

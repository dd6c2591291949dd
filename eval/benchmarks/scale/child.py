"""Memory and waiting times of one index, in its own process: `python -m eval.benchmarks.scale.child FOLDER QUESTIONS`.

Prints one JSON object: MiB before the index is opened and after all questions, milliseconds of each question.
"""

from __future__ import annotations

import json
import sys
import time
from contextlib import closing
from pathlib import Path

from bot.answer.conversation import Turn
from bot.answer.events import EvidenceFound, Finished
from bot.build import build_chatbot
from bot.chatbot import Chatbot
from bot.settings import Settings
from index.embedding.build import build_embedder
from index.embedding.embedder import Embedder
from index.generation import GenerationSnapshot
from index.store.catalogue import Catalogue

_CANDIDATES = 50  # as many as each half brings to a question


def main(folder: str, questions: str) -> None:
    """Measure an index and print what was found."""
    rows = json.loads(Path(questions).read_text(encoding="utf-8"))
    asked = [(row["question"], tuple(Turn(**turn) for turn in row["history"])) for row in rows]
    settings = Settings(data_dir=Path(folder), database_url="", answerer="extractive")
    embedder = build_embedder(settings)
    embedder.embed(["the model and its working memory are loaded"] * 20)
    found: dict[str, object] = {"before_mib": _resident_mib()}
    with closing(build_chatbot(settings, embedder)) as chatbot:
        found |= _ask(chatbot, asked)
    found |= _search(settings, embedder, [question for question, _ in asked])
    json.dump(found, sys.stdout)


def _ask(chatbot: Chatbot, asked: list[tuple[str, tuple[Turn, ...]]]) -> dict[str, object]:
    """Ask each question once, after a first that is not counted."""
    begin = time.perf_counter()
    chatbot.warm_up()
    opened = time.perf_counter() - begin
    chatbot.ask(*asked[0])
    evidence, retrieve = [], []
    for question, history in asked:
        begin, waited = time.perf_counter(), None
        for event in chatbot.stream(question, history):
            if isinstance(event, EvidenceFound):
                waited = 1000 * (time.perf_counter() - begin)
            elif isinstance(event, Finished) and waited is not None:
                evidence.append(waited)
                retrieve.append(event.answer.timings_ms["retrieve"])
    return {
        "open_seconds": opened,
        "after_mib": _resident_mib(),
        "evidence_ms": evidence,
        "retrieve_ms": retrieve,
    }


def _search(settings: Settings, embedder: Embedder, questions: list[str]) -> dict[str, object]:
    """Time each half of retrieval by itself, as the retriever calls it."""
    with closing(Catalogue(settings.catalogue_url())) as catalogue:
        generation = GenerationSnapshot(
            settings.data_dir,
            catalogue.property("generation"),
            catalogue.property("fingerprint"),
            catalogue.chunk_sets.live(),
        )
    vectors, words, phrases = [], [], settings.phrase_weight
    with closing(generation):
        for question, vector in zip(questions, embedder.embed(questions), strict=True):
            begin = time.perf_counter()
            near = generation.vectors.search(vector, _CANDIDATES)
            middle = time.perf_counter()
            generation.keywords.search(question, _CANDIDATES, [chunk_id for chunk_id, _ in near], phrases)
            words.append(1000 * (time.perf_counter() - middle))
            vectors.append(1000 * (middle - begin))
    return {"vectors_ms": vectors, "keywords_ms": words}


def _resident_mib() -> float:
    """Return the memory that this process holds, from Linux's table of it."""
    lines = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmRSS"))


if __name__ == "__main__":
    main(*sys.argv[1:])

"""As many passages as are wanted, by varying real ones: their words are real, what they say is not.

A varied passage takes most of its sentences from one real passage and the rest from another, gets other numbers, and
some of its names are exchanged for other names of the set or for coined ones. Coined names make the vocabulary grow
with the collection, about one word a passage, as that of real text does (Heaps' law). Its vector is not computed from
its text, which would take hours for a million: it is the mean of the two real vectors, by how much of the text is
whose, plus a little noise. That is enough to time a search and to size an index, and good for nothing else.

An index of one size: staged, built and published by the code that `footnote index` uses.

What a killed run has staged is kept; what it has built of a generation is thrown away and built again, as it is by
`footnote index`. Seconds add up over all the runs it took.
"""

from __future__ import annotations

import json
import random
import re
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bot.settings import Settings
from eval.errors import ReportError
from eval.run.progress import show_progress
from index.document import Chunk, Document, Span, hash_text
from index.embedding.embedder import Vectors
from index.generation import problem_of, publish_generation
from index.store.atomic_file import write_file
from index.store.catalogue import Catalogue, vector_key
from index.store.ownership import lock_data_folder

CHUNKS_A_DOCUMENT = 10
_SHARE_OF_FIRST = 0.7
_NOISE = 0.25  # length of the noise beside a vector of length one
_EXCHANGED, _COINED = 0.3, 0.1  # shares of the names
_CHANGING = re.compile(r"\d+|(?<=[a-z,] )[A-Z][a-z]{3,}")
_NAME = re.compile(r"(?<=[a-z,] )[A-Z][a-z]{3,}")


@dataclass(frozen=True, slots=True)
class Passages:
    """Real passages: a title and the sentences of each, and their vectors, a row each."""

    titles: Sequence[str]
    sentences: Sequence[Sequence[str]]
    vectors: Vectors
    names: Sequence[str]


@dataclass(frozen=True, slots=True)
class Varied:
    """A made-up document, its chunks, and a vector for each of them."""

    document: Document
    chunks: tuple[Chunk, ...]
    vectors: Vectors


def read_passages(catalogue: Catalogue) -> Passages:
    """Return the passages of an index of real documents, in the order of their ids."""
    chunks, vectors = [], []
    for page in catalogue.chunk_sets.live().pages():
        chunks += [chunk for chunk, _ in page]
        vectors += [vector for _, vector in page]
    names = sorted({name for chunk in chunks for name in _NAME.findall(chunk.text)})
    texts = [tuple(map(chunk.sentence_text, chunk.sentences)) or (chunk.text,) for chunk in chunks]
    return Passages([chunk.title for chunk in chunks], texts, np.array(vectors, dtype=np.float32), names)


def vary(passages: Passages, number: int, chunks: int) -> Varied:
    """Return the made-up document of a number, always the same one.

    Args:
        passages: What it is made from.
        number: Which document.
        chunks: How many chunks it has.
    """
    chance = random.Random(number)  # noqa: S311  # not for secrets
    document_id = f"varied/{number:08d}"
    title = passages.titles[chance.randrange(len(passages.titles))]
    made = [_vary_passage(passages, chance) for _ in range(chunks)]
    text = "\n\n".join(" ".join(sentences) for sentences, _ in made)
    content = hash_text(title, text)
    document = Document(document_id, title, text, "text/plain", content)
    pieces, place = [], 0
    for position, (sentences, _) in enumerate(made):
        spans = _spans(sentences, place)
        span = Span(place, spans[-1].end)
        chunk_id = hash_text(document_id, content, str(position))[:32]
        pieces.append(Chunk(chunk_id, document_id, position, span, span.of(text), title, spans))
        place = span.end + 2
    noise = np.random.default_rng(number).normal(size=(chunks, passages.vectors.shape[1]))
    rows = np.array([row for _, row in made]) + noise * _NOISE / np.sqrt(passages.vectors.shape[1])
    vectors = (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)
    return Varied(document, tuple(pieces), vectors)


def _vary_passage(passages: Passages, chance: random.Random) -> tuple[list[str], Vectors]:
    """Return the sentences and the vector, without noise, of a passage made from two."""
    first, second = (chance.randrange(len(passages.sentences)) for _ in range(2))
    kept = [sentence for sentence in passages.sentences[first] if chance.random() < _SHARE_OF_FIRST]
    kept = kept or [passages.sentences[first][0]]
    length = sum(map(len, passages.sentences[first]))
    own = have = sum(map(len, kept))
    for sentence in chance.sample(passages.sentences[second], len(passages.sentences[second])):
        if have + len(sentence) <= length:
            kept.append(sentence)
            have += len(sentence)
    change = _changes(passages.names, chance)
    share = own / max(have, 1)
    vector = share * passages.vectors[first] + (1 - share) * passages.vectors[second]
    return [_CHANGING.sub(change, sentence) for sentence in kept], vector


def _changes(names: Sequence[str], chance: random.Random) -> Callable[[re.Match[str]], str]:
    """Return what a number or a name becomes, the same each time within a passage."""
    known: dict[str, str] = {}

    def change(match: re.Match[str]) -> str:
        found = match.group()
        if found not in known:
            known[found] = _number_like(found, chance) if found[0].isdigit() else _name_for(found, names, chance)
        return known[found]

    return change


def _number_like(number: str, chance: random.Random) -> str:
    return str(chance.randrange(10 ** (len(number) - 1), 10 ** len(number)))


def _name_for(name: str, names: Sequence[str], chance: random.Random) -> str:
    drawn = chance.random()
    if not names or drawn > _COINED + _EXCHANGED:
        return name
    other = chance.choice(names)
    return other if drawn > _COINED else name[: len(name) // 2 + 1] + other[len(other) // 2 :].lower()


def _spans(sentences: Sequence[str], begin: int) -> tuple[Span, ...]:
    spans = []
    for sentence in sentences:
        spans.append(Span(begin, begin + len(sentence)))
        begin += len(sentence) + 1
    return tuple(spans)


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
        write_file(self._path, json.dumps(self.by_stage), ReportError)


def build_index(passages: Passages, chunks: int, settings: Settings, model_id: str) -> dict[str, float]:
    """Build an index of so many varied passages in the settings' data folder, and return the seconds of each stage.

    Stages: "stage", "vectors", "keywords", "exact", "check". What is there already is not done again.
    """
    data_dir = settings.data_dir
    with lock_data_folder(data_dir), closing(Catalogue(settings.catalogue_url())) as catalogue:
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
        publish_generation(data_dir, catalogue, model_id, (), pipeline="varied", progress=stages)


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

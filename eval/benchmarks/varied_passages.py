"""As many passages as are wanted, by varying real ones: their words are real, what they say is not.

A varied passage takes most of its sentences from one real passage and the rest from another, gets other numbers, and
some of its names are exchanged for other names of the set or for coined ones. Coined names make the vocabulary grow
with the collection, about one word a passage, as that of real text does (Heaps' law). Its vector is not computed from
its text, which would take hours for a million: it is the mean of the two real vectors, by how much of the text is
whose, plus a little noise. That is enough to time a search and to size an index, and says nothing about quality.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from index.document import Chunk, Document, Span, hash_text
from index.embedding.embedder import Vectors
from index.store.catalogue import Catalogue

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
class VariedDocument:
    """A made-up document, its chunks, and a vector for each of them."""

    document: Document
    chunks: tuple[Chunk, ...]
    vectors: Vectors


def real_passages(catalogue: Catalogue) -> Passages:
    """Return the passages of an index of real documents, in the order of their ids."""
    chunks, vectors = [], []
    for page in catalogue.chunk_sets.live().pages():
        chunks += [chunk for chunk, _ in page]
        vectors += [vector for _, vector in page]
    names = sorted({name for chunk in chunks for name in _NAME.findall(chunk.text)})
    texts = [tuple(map(chunk.sentence_text, chunk.sentences)) or (chunk.text,) for chunk in chunks]
    return Passages([chunk.title for chunk in chunks], texts, np.array(vectors, dtype=np.float32), names)


def vary(passages: Passages, number: int, chunks: int) -> VariedDocument:
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
    return VariedDocument(document, tuple(pieces), vectors)


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

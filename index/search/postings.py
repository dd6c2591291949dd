"""The inverted index in the file of a keyword index, and BM25 scores computed from it with NumPy.

FTS5 ranks too, but processes a question's postings one at a time, about 0.7 µs each, and common words occur in hundreds
of thousands of a million chunks. Arrays are many times faster, with the same formula and ranking: k1 = 1.2, b = 0.75
(https://www.sqlite.org/fts5.html, section 5.1.1).
"""

from __future__ import annotations

import sqlite3
from array import array
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

ScoreArray = NDArray[np.float64]
Numbers = NDArray[np.int64]
QueryFunction = Callable[[str, tuple[object, ...]], list[tuple[Any, ...]]]

_K1, _B = 1.2, 0.75
_LOWEST_WEIGHT = 1e-6  # of a word that occurs in more than half of the chunks, as in FTS5
_REMOVED = 2**32 - 1  # the length that marks a removed chunk
_MOST_TIMES = 255  # fits a byte; more occurrences hardly change BM25


class PostingsWriter:
    """Collects the words of chunks, which are numbered from 1 in the order of `add`.

    Uses 5 bytes for each distinct word of each chunk, three times that while writing.
    """

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}
        self._words, self._times = array("I"), array("B")
        self._different, self._lengths = array("I"), array("I")

    def add(self, words: Sequence[str]) -> None:
        """Add the words of the next chunk."""
        times = Counter(words)
        self._words.extend([self._numbers.setdefault(word, len(self._numbers)) for word in times])
        self._times.extend([min(count, _MOST_TIMES) for count in times.values()])
        self._different.append(len(times))
        self._lengths.append(len(words))

    def write(self, connection: sqlite3.Connection) -> None:
        """Write the tables that `Postings` reads."""
        connection.execute(
            "CREATE TABLE vocabulary (word TEXT PRIMARY KEY, chunks INTEGER NOT NULL, number INTEGER NOT NULL) "
            "WITHOUT ROWID"
        )
        connection.execute(
            "CREATE TABLE posting (number INTEGER PRIMARY KEY, chunks BLOB NOT NULL, times BLOB NOT NULL)"
        )
        connection.execute("CREATE TABLE length (words BLOB NOT NULL)")
        counts = np.bincount(_view(self._words), minlength=len(self._numbers))
        connection.executemany(
            "INSERT INTO vocabulary VALUES (?, ?, ?)",
            ((word, int(counts[number]), number) for word, number in sorted(self._numbers.items())),
        )
        connection.executemany("INSERT INTO posting VALUES (?, ?, ?)", self._rows(counts))
        connection.execute("INSERT INTO length VALUES (?)", (_view(self._lengths).astype("<u4").tobytes(),))

    def _rows(self, counts: Numbers) -> Iterator[tuple[int, bytes, bytes]]:
        order = np.argsort(_view(self._words), kind="stable")  # by word, and by chunk within a word
        chunks = np.repeat(np.arange(1, len(self._different) + 1, dtype="<u4"), _view(self._different))[order]
        times = np.frombuffer(self._times, dtype=np.uint8)[order]
        begin = 0
        for number, end in enumerate(np.cumsum(counts).tolist()):
            yield number, chunks[begin:end].tobytes(), times[begin:end].tobytes()
            begin = end


def change_postings(
    connection: sqlite3.Connection, removed: Mapping[int, Sequence[str]], added: Sequence[Sequence[str]]
) -> None:
    """Remove chunks from the tables that `PostingsWriter` wrote, and append others.

    Args:
        connection: The file.
        removed: The words of each removed chunk, by its number. Numbers are not used again.
        added: The words of each added chunk.
    """
    ((words,),) = connection.execute("SELECT words FROM length").fetchall()
    lengths = np.frombuffer(words, dtype="<u4").copy()
    lengths[np.array(list(removed), dtype=np.int64) - 1] = _REMOVED
    first = len(lengths) + 1
    lengths = np.append(lengths, np.array([len(words) for words in added], dtype="<u4"))
    connection.execute("UPDATE length SET words = ?", (lengths.astype("<u4").tobytes(),))
    postings: dict[str, list[tuple[int, int]]] = {}
    for number, chunk in enumerate(added, start=first):
        for word, times in Counter(chunk).items():
            postings.setdefault(word, []).append((number, min(times, _MOST_TIMES)))
    removed_numbers = np.array(sorted(removed), dtype="<u4")
    ((last,),) = connection.execute("SELECT coalesce(max(number), -1) FROM posting").fetchall()
    for word in sorted({*postings, *(word for chunk in removed.values() for word in chunk)}):
        last = _change_word(connection, word, removed_numbers, postings.get(word, ()), last)


def _change_word(
    connection: sqlite3.Connection, word: str, removed: Numbers, added: Sequence[tuple[int, int]], last: int
) -> int:
    """Change the postings of one word, and return the highest number of any word."""
    row = connection.execute(
        "SELECT number, posting.chunks, times FROM vocabulary JOIN posting USING (number) WHERE word = ?", (word,)
    ).fetchone()
    number, chunks, times = row or (last + 1, b"", b"")
    places, counts = np.frombuffer(chunks, dtype="<u4"), np.frombuffer(times, dtype=np.uint8)
    kept = ~np.isin(places, removed)
    places = np.append(places[kept], np.array([chunk for chunk, _ in added], dtype="<u4")).astype("<u4")
    counts = np.append(counts[kept], np.array([count for _, count in added], dtype=np.uint8)).astype(np.uint8)
    connection.execute("DELETE FROM vocabulary WHERE word = ?", (word,))
    connection.execute("DELETE FROM posting WHERE number = ?", (number,))
    if len(places):
        connection.execute("INSERT INTO vocabulary VALUES (?, ?, ?)", (word, len(places), number))
        connection.execute("INSERT INTO posting VALUES (?, ?, ?)", (number, places.tobytes(), counts.tobytes()))
    return max(last, number)


class Postings:
    """Reads what `PostingsWriter` wrote. Safe for many threads if `query` is."""

    def __init__(self, query: QueryFunction) -> None:
        self._query = query
        self._norms: ScoreArray | None = None
        self._chunks = 0

    def frequencies(self, words: Sequence[str]) -> dict[str, int]:
        """Return the number of chunks that contain each word; words that occur in none are left out."""
        return {word: count for word, count, _ in self._entries(words)}

    def words_between(self, begin: str, end: str) -> list[str]:
        """Return the words from `begin` on and before `end`, in order."""
        rows = self._query("SELECT word FROM vocabulary WHERE word >= ? AND word < ? ORDER BY word", (begin, end))
        return [word for (word,) in rows]

    def scores(self, words: Sequence[str]) -> ScoreArray:
        """Return the BM25 score of every chunk, chunk 1 first; 0 for one that contains none of the words."""
        norms = self._read_norms()
        scores = np.zeros(len(norms))
        entries = {word: (count, number) for word, count, number in self._entries(words)}
        for count, number in (entries[word] for word in words if word in entries):
            ((chunks, times),) = self._query("SELECT chunks, times FROM posting WHERE number = ?", (number,))
            places = np.frombuffer(chunks, dtype="<u4") - 1
            found = np.frombuffer(times, dtype=np.uint8).astype(np.float64)
            weight = max(np.log((self._chunks - count + 0.5) / (count + 0.5)), _LOWEST_WEIGHT)
            scores[places] += weight * (found * (_K1 + 1)) / (found + norms[places])
        return scores

    def _entries(self, words: Sequence[str]) -> list[tuple[str, int, int]]:
        marks = ", ".join("?" * len(words))
        return self._query(
            f"SELECT word, chunks, number FROM vocabulary WHERE word IN ({marks})",  # noqa: S608  # only question marks
            tuple(words),
        )

    def _read_norms(self) -> ScoreArray:
        """Return the length normalisation of each chunk, the second term of BM25's denominator; read once."""
        if self._norms is None:
            ((words,),) = self._query("SELECT words FROM length", ())
            lengths = np.frombuffer(words, dtype="<u4")
            there = lengths[lengths != _REMOVED]
            self._chunks = len(there)
            self._norms = _K1 * (1 - _B + _B * lengths / max(there.sum() / max(self._chunks, 1), 1.0))
        return self._norms


def best_places(scores: ScoreArray, limit: int) -> Numbers:
    """Return the places of the highest scores above 0, best first; of equal ones the first."""
    places = np.flatnonzero(scores > 0)
    if len(places) > limit:
        found = scores[places]
        places = places[found >= np.partition(found, -limit)[-limit]]
    return places[np.lexsort((places, -scores[places]))][:limit]


def _view(values: array[int]) -> Numbers:
    return np.frombuffer(values, dtype=np.uint32)

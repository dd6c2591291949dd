"""Keyword search over one generation: BM25 by SQLite's FTS5, built once, read from disk, never rebuilt for a query.

The words stored are ours (`index.words`): folded, stemmed, Chinese in pairs of characters and one script, so FTS5 only
splits at the spaces that we put between them. Ranking is BM25 with k1 = 1.2 and b = 0.75 (Robertson and Zaragoza,
2009, "The Probabilistic Relevance Framework"; https://www.sqlite.org/fts5.html, section 5.1.1).
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

from rapidfuzz import process
from rapidfuzz.distance import OSA

from index.document import Chunk
from index.errors import IndexingError
from index.words import content_words, search_keys

_TITLE_WEIGHT = 1.0
_MAXIMUM_QUERY_WORDS = 64
_SCORES = (
    f"SELECT chunk.chunk_id, -bm25(word, {_TITLE_WEIGHT}, 1.0) AS score "  # noqa: S608  # a constant
    "FROM word JOIN chunk ON chunk.number = word.rowid WHERE word MATCH ?"
)
_SHORTEST_CORRECTED = 5  # letters; shorter words have too many neighbours
_CLOSE = 0.83


def build_keyword_index(path: Path, pages: Iterable[Sequence[Chunk]]) -> int:
    """Write the keyword index of the chunks to a new file and return how many it holds."""
    count = 0
    connection = sqlite3.connect(path)
    try:
        connection.execute("PRAGMA journal_mode=OFF")  # a half-built file is thrown away, never repaired
        connection.execute("CREATE TABLE chunk (number INTEGER PRIMARY KEY, chunk_id TEXT NOT NULL)")
        connection.execute(
            "CREATE VIRTUAL TABLE word USING fts5(title, body, content='', tokenize=\"unicode61 tokenchars '_'\")"
        )
        for page in pages:
            numbered = list(enumerate(page, start=count + 1))
            connection.executemany("INSERT INTO chunk VALUES (?, ?)", [(n, chunk.chunk_id) for n, chunk in numbered])
            connection.executemany(
                "INSERT INTO word (rowid, title, body) VALUES (?, ?, ?)",
                [(n, _stored(chunk.title), _stored(chunk.text)) for n, chunk in numbered],
            )
            count += len(page)
        connection.execute("INSERT INTO word (word) VALUES ('optimize')")
        connection.commit()
    finally:
        connection.close()
    return count


@dataclass(frozen=True, slots=True)
class WordStatistics:
    """What the index knows of the words of a question.

    Attributes:
        frequencies: In how many chunks each word stands; words that stand in none are left out.
        corrections: What a word that stands in none was probably meant to be.
        chunks: How many chunks there are.
    """

    frequencies: Mapping[str, int]
    corrections: Mapping[str, str]
    chunks: int


class KeywordIndex:
    """Searches a file made by `build_keyword_index`; read-only, safe for many threads.

    Every method raises `IndexingError` when the file is missing or damaged.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._local = threading.local()
        self._opened: list[sqlite3.Connection] = []

    def count(self) -> int:
        """Return how many chunks the index holds."""
        return int(self._query("SELECT count(*) FROM chunk", ())[0][0])

    def search(
        self, question: str, limit: int, also: Sequence[str] = (), phrase_weight: float = 0.0
    ) -> list[tuple[str, float]]:
        """Return (chunk id, BM25 score) pairs, best first; any word of the question may match.

        Words that are neighbours in the question, function words left out, score again where they stand side by side,
        a pair as if it were a word.

        Args:
            question: The question.
            limit: Most chunks to find.
            also: Chunks whose score is wanted even if they are not among these; without one when they hold no word.
            phrase_weight: What such a pair counts beside a word; 0 leaves pairs aside.
        """
        words = [word.key for word in content_words(question)]
        keys = list(dict.fromkeys(words or search_keys(question)))
        if not keys:
            return []
        corrected = self.statistics(question).corrections
        keys += [corrected[key] for key in keys if key in corrected]
        phrases = [_spell(key) for key in keys]
        pairs = list(dict.fromkeys(f"{_spell(one)} {_spell(other)}" for one, other in pairwise(words)))
        scores = self._best(phrases, limit)
        wanted = [*scores, *(chunk_id for chunk_id in also if chunk_id not in scores)]
        scores |= self._of(phrases, wanted[len(scores) :])
        for chunk_id, score in self._of(pairs, list(scores)).items() if phrase_weight else ():
            scores[chunk_id] += phrase_weight * score
        return sorted(scores.items(), key=lambda pair: (-pair[1], pair[0]))

    def _best(self, phrases: Sequence[str], limit: int) -> dict[str, float]:
        """Return the BM25 scores of the chunks that match best, by chunk id."""
        rows = self._query(f"{_SCORES} ORDER BY score DESC, chunk.chunk_id LIMIT ?", (_any_of(phrases), limit))
        return {chunk_id: float(score) for chunk_id, score in rows}

    def _of(self, phrases: Sequence[str], chunk_ids: Sequence[str]) -> dict[str, float]:
        """Return the BM25 scores of those of some chunks that hold any of the phrases, by chunk id."""
        if not phrases or not chunk_ids:
            return {}
        marks = ", ".join("?" * len(chunk_ids))
        rows = self._query(f"{_SCORES} AND chunk.chunk_id IN ({marks})", (_any_of(phrases), *chunk_ids))
        return {chunk_id: float(score) for chunk_id, score in rows}

    def statistics(self, question: str) -> WordStatistics:
        """Return how often the content words of a question occur, and what misspelt ones were meant to be."""
        words = content_words(question)
        frequencies = self._frequencies([word.key for word in words])
        corrections = {}
        for word in words:
            if word.key not in frequencies and not word.is_number and len(word.span) >= _SHORTEST_CORRECTED:
                meant = self._nearest(word.key)
                if meant:
                    corrections[word.key] = meant
        return WordStatistics(
            {**frequencies, **self._frequencies(list(corrections.values()))}, corrections, self.count()
        )

    def _frequencies(self, keys: Sequence[str]) -> dict[str, int]:
        spelled = {_spell(key): key for key in keys}
        marks = ", ".join("?" * len(spelled))
        rows = self._query(
            f"SELECT term, doc FROM temp.vocabulary WHERE term IN ({marks})",  # noqa: S608  # only question marks
            tuple(spelled),
        )
        return {spelled[term]: int(count) for term, count in rows}

    def _nearest(self, key: str) -> str | None:
        """Return the indexed word that differs least from a word that is not indexed, or None when none is close.

        Close is a restricted Damerau-Levenshtein distance of at most a sixth of the longer word, with the same initial.
        """
        begin, end = key[0], chr(ord(key[0]) + 1)
        rows = self._query("SELECT term FROM temp.vocabulary WHERE term >= ? AND term < ?", (begin, end))
        terms = [term for (term,) in rows if abs(len(term) - len(key)) <= 2]
        found = process.extractOne(key, terms, scorer=OSA.normalized_similarity, score_cutoff=_CLOSE)
        return str(found[0]) if found else None

    def close(self) -> None:
        """Release every connection."""
        for connection in self._opened:
            connection.close()
        self._opened.clear()

    def _query(self, statement: str, values: tuple[object, ...]) -> list[tuple[Any, ...]]:
        try:
            return self._connection().execute(statement, values).fetchall()
        except sqlite3.DatabaseError as error:
            raise IndexingError(
                f"The keywords in {str(self._path)!r} cannot be read ({error}): run `footnote index` again."
            ) from error

    def _connection(self) -> sqlite3.Connection:
        connection: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if connection is None:
            uri = f"{self._path.absolute().as_uri()}?mode=ro&immutable=1"
            connection = sqlite3.connect(uri, uri=True, check_same_thread=False)
            connection.execute("CREATE VIRTUAL TABLE temp.vocabulary USING fts5vocab('main', 'word', 'row')")
            self._local.connection = connection
            self._opened.append(connection)
        return connection


def _any_of(phrases: Sequence[str]) -> str:
    return " OR ".join(f'"{phrase}"' for phrase in phrases[:_MAXIMUM_QUERY_WORDS])


def _stored(text: str) -> str:
    return " ".join(_spell(key) for key in search_keys(text))


def _spell(key: str) -> str:
    """Return a key in characters that FTS5 keeps together."""
    return key.replace(".", "_").replace("'", "_")

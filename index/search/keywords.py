"""Keyword search over one generation by BM25: writing, changing and searching the SQLite file of a keyword index.

The file stores the words of `index.text.words`: folded, stemmed, Chinese as pairs of simplified characters.
`index.search.postings` ranks single words, SQLite's FTS5 ranks pairs of adjacent words. FTS5 splits only at the spaces
that are put between words here. Both use k1 = 1.2 and b = 0.75 (Robertson and Zaragoza, 2009, "The Probabilistic
Relevance Framework").
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

import Stemmer
from rapidfuzz import process
from rapidfuzz.distance import OSA

from index.document import Chunk
from index.errors import IndexingError
from index.search.postings import Postings, PostingsWriter, best_places, change_postings
from index.text.words import content_words, search_keys

# Raise the number when words are split or stored differently: a file of another version is not changed but built again.
KEYWORDS_VERSION: Final = f"1:{Stemmer.version()}"
_MAXIMUM_QUERY_WORDS = 64
_SHORTEST_CORRECTED = 5  # letters; shorter words have too many neighbours
_CLOSE = 0.83


def build_keyword_index(path: Path, pages: Iterable[Sequence[Chunk]]) -> int:
    """Write the keyword index of the chunks to a new file and return how many it holds."""
    count = 0
    postings = PostingsWriter()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA journal_mode=OFF")  # an incomplete file is deleted, never repaired
        connection.execute("CREATE TABLE chunk (number INTEGER PRIMARY KEY, chunk_id TEXT NOT NULL UNIQUE)")
        connection.execute(
            "CREATE VIRTUAL TABLE word USING fts5(title, body, content='', tokenize=\"unicode61 tokenchars '_'\")"
        )
        for page in pages:
            words = [_words_of(chunk) for chunk in page]
            _insert(connection, page, words, after=count)
            for title, body in words:
                postings.add([*title, *body])
            count += len(page)
        _compact(connection)
        postings.write(connection)
        connection.commit()
    return count


def change_keyword_index(path: Path, removed: Iterable[Sequence[Chunk]], added: Iterable[Sequence[Chunk]]) -> None:
    """Remove chunks from a keyword index and add others. A word that no chunk contains any more leaves no trace.

    Args:
        path: A file that no other process has open.
        removed: Pages of chunks that it contains, unchanged since they were added.
        added: Pages of chunks that it does not contain, or that are removed by the same call.
    """
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA journal_mode=OFF")
        connection.execute("PRAGMA secure_delete=ON")
        removed_words = {number: words for page in removed for number, words in _remove(connection, page)}
        ((last,),) = connection.execute("SELECT coalesce(max(number), 0) FROM chunk").fetchall()
        last = max(last, *removed_words, 0)
        added_words: list[list[str]] = []
        for page in added:
            words = [_words_of(chunk) for chunk in page]
            _insert(connection, page, words, after=last + len(added_words))
            added_words += [[*title, *body] for title, body in words]
        change_postings(connection, removed_words, added_words)
        _compact(connection)
        connection.commit()


@dataclass(frozen=True, slots=True)
class WordStatistics:
    """How often the words of a question occur in the index.

    Attributes:
        frequencies: Number of chunks that contain each word; words that occur in none are left out.
        corrections: The likely intended word for words that occur in none.
        chunks: Number of chunks in the index.
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
        self._postings = Postings(self._query)

    @cached_property
    def _count(self) -> int:
        ((count,),) = self._query("SELECT count(*) FROM chunk", ())
        return int(count)

    def chunk_ids(self) -> Iterator[str]:
        """Yield the ids of all chunks, in no order."""
        yield from (chunk_id for (chunk_id,) in self._query("SELECT chunk_id FROM chunk", ()))

    def search(
        self, question: str, limit: int, also: Sequence[str] = (), phrase_weight: float = 0.0
    ) -> list[tuple[str, float]]:
        """Return (chunk id, BM25 score) pairs, best first; any word of the question may match.

        Two content words that are adjacent in the question and in a chunk score again, like a word of their own.

        Args:
            question: The question.
            limit: Most chunks to find.
            also: Ids of chunks to score in addition; those that contain no word of the question are left out.
            phrase_weight: Weight of the score of adjacent words; 0 ignores them.
        """
        words = [word.key for word in content_words(question)]
        keys = list(dict.fromkeys(words or search_keys(question)))
        if not keys:
            return []
        corrected = self.statistics(question).corrections
        keys += [corrected[key] for key in keys if key in corrected]
        scores = self._postings.scores(keys[:_MAXIMUM_QUERY_WORDS])
        found = dict.fromkeys(best_places(scores, limit).tolist())
        found |= {place: None for place in self._places(also) if scores[place] > 0}
        total = {place: float(scores[place]) for place in found}
        pairs = list(dict.fromkeys(f"{_spell(one)} {_spell(other)}" for one, other in pairwise(words)))
        for place, score in self._of_pairs(pairs, list(found)).items() if phrase_weight else ():
            total[place] += phrase_weight * score
        chunk_ids = self._chunk_ids(list(found))
        return sorted(
            ((chunk_ids[place], score) for place, score in total.items()), key=lambda pair: (-pair[1], pair[0])
        )

    def _of_pairs(self, pairs: Sequence[str], places: Sequence[int]) -> dict[int, float]:
        """Return the BM25 scores by place of the chunks, among those at `places`, that contain any of the pairs."""
        if not pairs or not places:
            return {}
        query = " OR ".join(f'"{pair}"' for pair in pairs[:_MAXIMUM_QUERY_WORDS])
        # The plus sign keeps SQLite from running one search for each place.
        rows = self._query(
            "SELECT rowid, -bm25(word) FROM word "  # noqa: S608  # only question marks
            f"WHERE word MATCH ? AND +rowid IN ({_marks(places)})",
            (query, *(place + 1 for place in places)),
        )
        return {number - 1: float(score) for number, score in rows}

    def _places(self, chunk_ids: Sequence[str]) -> list[int]:
        """Return the places of chunks in the index; unknown ids are left out."""
        statement = f"SELECT number FROM chunk WHERE chunk_id IN ({_marks(chunk_ids)})"  # noqa: S608  # only question marks
        return [number - 1 for (number,) in self._query(statement, tuple(chunk_ids))]

    def _chunk_ids(self, places: Sequence[int]) -> dict[int, str]:
        statement = f"SELECT number, chunk_id FROM chunk WHERE number IN ({_marks(places)})"  # noqa: S608  # as above
        rows = self._query(statement, tuple(place + 1 for place in places))
        return {number - 1: str(chunk_id) for number, chunk_id in rows}

    def statistics(self, question: str) -> WordStatistics:
        """Return how often the content words of a question occur, with corrections of misspelt ones."""
        words = content_words(question)
        frequencies = self._postings.frequencies([word.key for word in words])
        corrections = {}
        for word in words:
            if word.key not in frequencies and not word.is_number and len(word.span) >= _SHORTEST_CORRECTED:
                meant = self._nearest(word.key)
                if meant:
                    corrections[word.key] = meant
        return WordStatistics(
            {**frequencies, **self._postings.frequencies(list(corrections.values()))}, corrections, self._count
        )

    def _nearest(self, key: str) -> str | None:
        """Return the nearest indexed word, or None.

        It has the same initial and a restricted Damerau-Levenshtein distance of at most a sixth of the longer word.
        """
        begin, end = key[0], chr(ord(key[0]) + 1)
        words = [word for word in self._postings.words_between(begin, end) if abs(len(word) - len(key)) <= 2]
        found = process.extractOne(key, words, scorer=OSA.normalized_similarity, score_cutoff=_CLOSE)
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
            self._local.connection = connection
            self._opened.append(connection)
        return connection


def _marks(values: Sequence[object]) -> str:
    return ", ".join("?" * len(values))


def _words_of(chunk: Chunk) -> tuple[list[str], list[str]]:
    return search_keys(chunk.title), search_keys(chunk.text)


def _insert(
    connection: sqlite3.Connection, chunks: Sequence[Chunk], words: Sequence[tuple[list[str], list[str]]], *, after: int
) -> None:
    numbers = range(after + 1, after + 1 + len(chunks))
    ids = [(number, chunk.chunk_id) for number, chunk in zip(numbers, chunks, strict=True)]
    connection.executemany("INSERT INTO chunk VALUES (?, ?)", ids)
    connection.executemany(
        "INSERT INTO word (rowid, title, body) VALUES (?, ?, ?)",
        [(number, _stored(title), _stored(body)) for number, (title, body) in zip(numbers, words, strict=True)],
    )


def _remove(connection: sqlite3.Connection, chunks: Sequence[Chunk]) -> list[tuple[int, list[str]]]:
    """Take chunks out of the table of ids and of FTS5; return their numbers and words."""
    removed = []
    for chunk in chunks:
        row = connection.execute("DELETE FROM chunk WHERE chunk_id = ? RETURNING number", (chunk.chunk_id,)).fetchone()
        title, body = _words_of(chunk)
        connection.execute(
            "INSERT INTO word (word, rowid, title, body) VALUES ('delete', ?, ?, ?)",
            (row[0], _stored(title), _stored(body)),
        )
        removed.append((row[0], [*title, *body]))
    return removed


def _compact(connection: sqlite3.Connection) -> None:
    """Merge the segments of the FTS5 table, which also erases deleted entries."""
    connection.execute("INSERT INTO word (word) VALUES ('optimize')")


def _stored(keys: Sequence[str]) -> str:
    return " ".join(map(_spell, keys))


def _spell(key: str) -> str:
    """Return a key in characters that FTS5 does not split."""
    return key.replace(".", "_").replace("'", "_")

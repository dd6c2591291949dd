"""Keyword search over one generation: BM25, read from a file that `index.search.keyword_files` made.

The words stored are those of `index.text.words`: folded, stemmed, Chinese in pairs of characters and one script.
`index.search.postings` ranks words, SQLite's FTS5 ranks pairs of neighbours; it splits only at the spaces that we put
between them. Both rank by BM25 with k1 = 1.2 and b = 0.75 (Robertson and Zaragoza, 2009, "The Probabilistic Relevance
Framework").
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

from rapidfuzz import process
from rapidfuzz.distance import OSA

from index.errors import IndexingError
from index.search.keyword_files import spell
from index.search.postings import Postings, best_places
from index.text.words import content_words, search_keys

_MAXIMUM_QUERY_WORDS = 64
_SHORTEST_CORRECTED = 5  # letters; shorter words have too many neighbours
_CLOSE = 0.83


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
    """Searches a file made by `index.search.keyword_files`; read-only, safe for many threads.

    Every method raises `IndexingError` when the file is missing or damaged.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._local = threading.local()
        self._opened: list[sqlite3.Connection] = []
        self._postings = Postings(self._query)
        self._count: int | None = None

    def count(self) -> int:
        """Return how many chunks the index holds."""
        if self._count is None:
            ((count,),) = self._query("SELECT count(*) FROM chunk", ())
            self._count = int(count)
        return self._count

    def chunk_ids(self) -> Iterator[str]:
        """Yield the ids of all chunks, in no order."""
        yield from (chunk_id for (chunk_id,) in self._query("SELECT chunk_id FROM chunk", ()))

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
        scores = self._postings.scores(keys[:_MAXIMUM_QUERY_WORDS])
        found = dict.fromkeys(best_places(scores, limit).tolist())
        found |= {place: None for place in self._places(also) if scores[place] > 0}
        total = {place: float(scores[place]) for place in found}
        pairs = list(dict.fromkeys(f"{spell(one)} {spell(other)}" for one, other in pairwise(words)))
        for place, score in self._of_pairs(pairs, list(found)).items() if phrase_weight else ():
            total[place] += phrase_weight * score
        chunk_ids = self._chunk_ids(list(found))
        return sorted(
            ((chunk_ids[place], score) for place, score in total.items()), key=lambda pair: (-pair[1], pair[0])
        )

    def _of_pairs(self, pairs: Sequence[str], places: Sequence[int]) -> dict[int, float]:
        """Return the BM25 scores of those of some places that hold any of the pairs, by place."""
        if not pairs or not places:
            return {}
        query = " OR ".join(f'"{pair}"' for pair in pairs[:_MAXIMUM_QUERY_WORDS])
        # The plus keeps SQLite from searching once for each place.
        rows = self._query(
            "SELECT rowid, -bm25(word) FROM word "  # noqa: S608  # only question marks
            f"WHERE word MATCH ? AND +rowid IN ({_marks(places)})",
            (query, *(place + 1 for place in places)),
        )
        return {number - 1: float(score) for number, score in rows}

    def _places(self, chunk_ids: Sequence[str]) -> list[int]:
        """Return where the chunks stand in the order of all; ids that are not there are left out."""
        statement = f"SELECT number FROM chunk WHERE chunk_id IN ({_marks(chunk_ids)})"  # noqa: S608  # only question marks
        return [number - 1 for (number,) in self._query(statement, tuple(chunk_ids))]

    def _chunk_ids(self, places: Sequence[int]) -> dict[int, str]:
        statement = f"SELECT number, chunk_id FROM chunk WHERE number IN ({_marks(places)})"  # noqa: S608  # as above
        rows = self._query(statement, tuple(place + 1 for place in places))
        return {number - 1: str(chunk_id) for number, chunk_id in rows}

    def statistics(self, question: str) -> WordStatistics:
        """Return how often the content words of a question occur, and what misspelt ones were meant to be."""
        words = content_words(question)
        frequencies = self._postings.frequencies([word.key for word in words])
        corrections = {}
        for word in words:
            if word.key not in frequencies and not word.is_number and len(word.span) >= _SHORTEST_CORRECTED:
                meant = self._nearest(word.key)
                if meant:
                    corrections[word.key] = meant
        return WordStatistics(
            {**frequencies, **self._postings.frequencies(list(corrections.values()))}, corrections, self.count()
        )

    def _nearest(self, key: str) -> str | None:
        """Return the indexed word that differs least from a word that is not indexed, or None when none is close.

        Close is a restricted Damerau-Levenshtein distance of at most a sixth of the longer word, with the same initial.
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

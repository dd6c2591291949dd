"""Writing the file of a keyword index: built at once, or a copy changed where chunks went and came."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from contextlib import closing
from pathlib import Path
from typing import Final

import Stemmer

from index.document import Chunk
from index.search.postings import PostingsWriter, change_postings
from index.text.words import search_keys

# Files of another version cannot be changed, only built again: raise the number when words are cut or stored otherwise.
KEYWORDS_VERSION: Final = f"1:{Stemmer.version()}"


def build_keyword_index(path: Path, pages: Iterable[Sequence[Chunk]]) -> int:
    """Write the keyword index of the chunks to a new file and return how many it holds."""
    count = 0
    postings = PostingsWriter()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA journal_mode=OFF")  # a half-built file is thrown away, never repaired
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


def change_keyword_index(path: Path, gone: Iterable[Sequence[Chunk]], come: Iterable[Sequence[Chunk]]) -> None:
    """Take chunks out of a keyword index and put others in. Of a word that no chunk holds any more nothing is left.

    Args:
        path: A file that nobody else reads.
        gone: Pages of chunks that it holds, as they were when they were put in.
        come: Pages of chunks that it does not hold, or no longer.
    """
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA journal_mode=OFF")
        connection.execute("PRAGMA secure_delete=ON")
        removed = {number: words for page in gone for number, words in _remove(connection, page)}
        ((last,),) = connection.execute("SELECT coalesce(max(number), 0) FROM chunk").fetchall()
        last = max(last, *removed, 0)
        added: list[list[str]] = []
        for page in come:
            words = [_words_of(chunk) for chunk in page]
            _insert(connection, page, words, after=last + len(added))
            added += [[*title, *body] for title, body in words]
        change_postings(connection, removed, added)
        _compact(connection)
        connection.commit()


def spell(key: str) -> str:
    """Return a key in characters that FTS5 keeps together."""
    return key.replace(".", "_").replace("'", "_")


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
    """Merge what FTS5 wrote into one piece, which also drops what was deleted from it."""
    connection.execute("INSERT INTO word (word) VALUES ('optimize')")


def _stored(keys: Sequence[str]) -> str:
    return " ".join(map(spell, keys))

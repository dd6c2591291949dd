"""Search over what was asked and answered: FTS5 on SQLite, a tsvector on PostgreSQL, the words cut as everywhere."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, TSQUERY
from sqlalchemy.engine import Connection

from bot.answer import Answer
from bot.records.schema import REVIEW_ITEMS
from index.words import search_keys, simplify

# FTS5 is asked through a column that has the name of the table.
_WORDS = sa.table("review_words", *(sa.column(name) for name in ("rowid", "number", "words", "review_words")))


def add_words(connection: Connection, number: int, answer: Answer) -> None:
    """Make an answer findable by its words.

    Args:
        connection: An open transaction.
        number: Of its item.
        answer: Whose words.
    """
    texts = (answer.question, answer.standalone_question, *(one.text for one in answer.statements))
    keys = sorted({key for text in texts for key in search_keys(text)})
    if connection.dialect.name == "sqlite":
        connection.execute(_WORDS.insert().values(rowid=number, words=" ".join(map(_spell, keys))))
    else:
        lexemes = sa.func.array_to_tsvector(sa.cast(keys, ARRAY(sa.Text)))
        connection.execute(_WORDS.insert().values(number=number, words=lexemes))


def holds_words(dialect: str, asked: str) -> sa.ColumnElement[bool] | None:
    """Return the condition that an item holds all words of a search; None where it has no words.

    A single ideograph finds the words that begin with it.
    """
    keys = list(dict.fromkeys(search_keys(asked)))
    if not keys:
        return None
    if dialect == "sqlite":
        asked_of_sqlite = " ".join(f'"{_spell(key)}"' + ("*" if _is_lone(key) else "") for key in keys)
        found = sa.select(_WORDS.c.rowid).where(_WORDS.c.review_words.op("MATCH")(asked_of_sqlite))
    else:
        lexemes = " & ".join(f"'{_quoted(key)}'" + (":*" if _is_lone(key) else "") for key in keys)
        found = sa.select(_WORDS.c.number).where(_WORDS.c.words.op("@@")(sa.cast(lexemes, TSQUERY)))
    return REVIEW_ITEMS.c.number.in_(found)


def forget_words(connection: Connection) -> None:
    """Leave nothing of the words of deleted answers in SQLite's file; on PostgreSQL they go with the rows."""
    if connection.dialect.name == "sqlite":
        connection.execute(_WORDS.insert().values(review_words="optimize"))


def _is_lone(key: str) -> bool:
    return len(key) == 1 and not key.isascii() and simplify(key) == key and not key.isdigit()


def _spell(key: str) -> str:
    """Return a key in characters that FTS5's ascii tokenizer keeps together."""
    return "".join(character if character.isalnum() or not character.isascii() else "_" for character in key)


def _quoted(key: str) -> str:
    return key.replace("\\", "\\\\").replace("'", "''")

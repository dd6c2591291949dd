"""A corpus: a `.jsonl` file whose every row `{"_id", "title", "text"}` is a document."""

from __future__ import annotations

import json
from collections.abc import Iterator

from index.document import Document
from index.errors import UnreadableDocumentError
from index.readers.block_text import BuiltText
from index.readers.source_file import SourceFile, Unreadable
from index.readers.text_file import normalise_newlines
from index.readers.titles import choose_title, heading_line, on_one_line, opening_words
from index.sync.scan import NO_NAME_CHARACTER


class _BadRowError(Exception):
    """One row is no document; the message says why."""


def read_corpus(source: SourceFile) -> Iterator[Document | Unreadable]:
    """Yield each row as a document, or as unreadable with its line number; the rows after it go on.

    Raises:
        UnreadableDocumentError: No row could be read, so the file is no corpus.
    """
    problems: list[Unreadable] = []
    line_of_id: dict[str, int] = {}
    for number, line in source.lines():
        try:
            document = _parse_row(line, source)
            if document.document_id in line_of_id:
                raise _BadRowError(f"repeats the _id of line {line_of_id[document.document_id]}: give each row its own")
        except _BadRowError as error:
            problem = Unreadable(f"{source.document_id}, line {number}", str(error))
            if line_of_id:
                yield problem
            else:
                problems.append(problem)
            continue
        yield from problems
        problems.clear()
        line_of_id[document.document_id] = number
        yield document
    if not line_of_id and not problems:
        raise UnreadableDocumentError("is empty")
    if not line_of_id:
        first = problems[0]
        where = first.source.removeprefix(f"{source.document_id}, ")
        raise UnreadableDocumentError(f'has no row {{"_id", "title", "text"}}: {where} {first.reason}')


def _parse_row(line: bytes, source: SourceFile) -> Document:
    try:
        row = json.loads(line.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise _BadRowError("is not UTF-8: save the file as UTF-8") from error
    except json.JSONDecodeError as error:
        raise _BadRowError(f"is not JSON: {error.msg} at character {error.pos + 1}") from error
    except (ValueError, RecursionError) as error:
        raise _BadRowError("is not JSON that can be read: it is nested too deep or has too long a number") from error
    if not isinstance(row, dict):
        raise _BadRowError("is not a JSON object")
    document_id, title, text = row.get("_id"), row.get("title"), row.get("text")
    if isinstance(document_id, int) and not isinstance(document_id, bool):
        document_id = str(document_id)
    if not isinstance(document_id, str) or not document_id.strip() or NO_NAME_CHARACTER.search(document_id):
        raise _BadRowError('lacks an "_id" that is text on one line')
    if not isinstance(text, str) or not text.strip():
        raise _BadRowError('has no "text"')
    if title is not None and not isinstance(title, str):
        raise _BadRowError('has a "title" that is not text')
    canonical = json.dumps({"text": text, "title": title or ""}, sort_keys=True, separators=(",", ":"))
    text = normalise_newlines(text)
    titles = (title,) if title and on_one_line(title) else (heading_line(text), opening_words(text))
    return SourceFile(source.path, document_id, source.maximum_bytes).document(
        canonical.encode(), choose_title(document_id, *titles), BuiltText(text), "text/plain"
    )

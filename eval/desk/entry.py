"""One entry of a suite file: read as text, checked, and put back without touching anything else in the file.

An entry is edited as the lines that it stands on. A round-trip parser such as ruamel.yaml keeps comments but writes the
whole file anew (line breaks inside values, flow style, byte-order mark), so lines are replaced instead.
"""

from __future__ import annotations

import hashlib
import re
import threading
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml

from eval.errors import EvaluationError, Mistake, SuiteError
from eval.measures.answered import TextOf
from eval.suites.golden import GoldenQuestion
from eval.suites.located import Located, read_json_lines, read_yaml
from eval.suites.suite import Suite, parse_suite
from eval.suites.suite_check import SuiteFindings, check_suite
from index.document import Span
from index.store.atomic_file import replacing

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_DEEPER = (yaml.BlockSequenceStartToken, yaml.BlockMappingStartToken)
# Ends of blocks, and of the file, are found only after the comments that follow: they are no part of an entry.
_WITHOUT_WORDS = (yaml.BlockEndToken, yaml.StreamEndToken, yaml.DocumentEndToken)
_LINE_NUMBER = re.compile(r"\bline \d+|:\d+\b")
_saving = threading.Lock()


@dataclass(frozen=True, slots=True)
class SuiteEntry:
    """An entry as it stands in its file.

    Attributes:
        question: What it asks; empty where that cannot be read.
        text: Its lines, without the last line end.
        lines: Which lines of the file these are, counted from 0.
        file_hash: SHA-256 (hex) of the file, by which it is known whether it has changed since.
    """

    path: Path
    id: str
    question: str
    text: str
    lines: Span
    file_hash: str


@dataclass(frozen=True, slots=True)
class DocumentTexts:
    """The documents that quotes are checked against; empty where nothing is indexed."""

    document_ids: Collection[str]
    text_of: TextOf


def read_entry(path: Path, identifier: str) -> SuiteEntry:
    """Return an entry by its id.

    Raises:
        EvaluationError: There is none, or the file is not one whose entries stand on lines of their own.
    """
    content = _read(path)
    for entry, lines in _outline(content, path):
        if isinstance(entry.value, dict) and entry.find(("id",)).value == identifier:
            text = "\n".join(_text(content).split("\n")[lines.start : lines.end])
            asked = entry.plain().get("question")
            return SuiteEntry(path, identifier, asked if isinstance(asked, str) else "", text, lines, _hash(content))
    raise EvaluationError(f"There is no question {identifier!r} in {str(path)!r}: was it renamed or removed?")


def list_ids(path: Path) -> list[str]:
    """Return the ids of the entries of a file.

    Raises:
        EvaluationError: The file cannot be read as a list.
    """
    found = (entry.find(("id",)).value for entry, _ in _outline(_read(path), path))
    return [one for one in found if isinstance(one, str)]


def check_entry(entry: SuiteEntry, documents: DocumentTexts) -> SuiteFindings:
    """Return what is wrong with an entry as it stands, its quotes included."""
    content = _read(entry.path)
    if mistakes := _inside(_mistakes_of(content, entry.path), entry.lines):
        return SuiteFindings(tuple(mistakes), ())
    (located,) = (one for one, lines in _outline(content, entry.path) if lines == entry.lines)
    return _check_quotes(entry.path, located, documents)


def save_entry(entry: SuiteEntry, text: str, documents: DocumentTexts) -> str:
    """Put a new text in the place of an entry, and return its id, which may be a new one.

    Args:
        entry: As it was when it was opened.
        text: One entry, as a person wrote it.
        documents: What quotes are checked against.

    Raises:
        SuiteError: The text has mistakes; nothing was saved.
        EvaluationError: The file has changed since it was opened, or cannot be written; nothing was saved.
    """
    with _saving:
        before = _unchanged(entry)
        after = _replace_lines(before, entry.lines, text)
        question = _checked(entry, before, after, text, documents)
        try:
            with replacing(entry.path) as unfinished:
                unfinished.write_bytes(after)
                _unchanged(entry)
        except OSError as error:
            raise EvaluationError(
                f"The suite {str(entry.path)!r} cannot be written ({error.strerror}): nothing was saved."
            ) from error
        return question.id


def _replace_lines(content: bytes, lines: Span, text: str) -> bytes:
    """Return a file with some of its lines replaced, its byte order mark and its way of ending lines kept."""
    mark = _BYTE_ORDER_MARK if content.startswith(_BYTE_ORDER_MARK) else b""
    # Only a line feed ends a line: `splitlines` would also break at characters that stand inside texts.
    written = content.removeprefix(mark).split(b"\n")
    ending = b"\r\n" if written[lines.start].endswith(b"\r") else b"\n"
    new = ending.join(line.encode() for line in _lines_of(text))
    if ending == b"\r\n" and lines.end < len(written):
        new += b"\r"
    return mark + b"\n".join([*written[: lines.start], new, *written[lines.end :]])


def _lines_of(text: str) -> list[str]:
    """Return the lines that a browser sends, without empty ones at either end."""
    return text.replace("\r\n", "\n").strip("\n").rstrip().split("\n")


def _checked(entry: SuiteEntry, before: bytes, after: bytes, text: str, documents: DocumentTexts) -> GoldenQuestion:
    """Return the question of a file that would be saved, or raise all its new mistakes."""
    lines = Span(entry.lines.start, entry.lines.start + len(_lines_of(text)))
    # Mistakes that stood elsewhere before do not keep one entry from being corrected.
    found, earlier = _mistakes_of(after, entry.path), _mistakes_of(before, entry.path)
    known = {_without_lines(one) for one in earlier if one not in _inside(earlier, entry.lines)}
    inside = _inside(found, lines)
    if new := inside + [one for one in found if one not in inside and _without_lines(one) not in known]:
        raise SuiteError(new)
    old, entries = _outline(before, entry.path), _outline(after, entry.path)
    number = [span for _, span in old].index(entry.lines)
    if _all_but(entries, number) != _all_but(old, number):
        raise SuiteError([Mistake(str(entry.path), lines.start + 1, "", "write exactly one question here")])
    if wrong := _check_quotes(entry.path, entries[number][0], documents).mistakes:
        raise SuiteError(wrong)
    return GoldenQuestion.model_validate(entries[number][0].plain())


def _all_but(entries: Sequence[tuple[Located, Span]], number: int) -> list[object]:
    return [entry.plain() for entry, _ in (*entries[:number], *entries[number + 1 :])]


def _check_quotes(path: Path, entry: Located, documents: DocumentTexts) -> SuiteFindings:
    if not documents.document_ids:
        return SuiteFindings((), ())
    question = GoldenQuestion.model_validate(entry.plain())
    return check_suite(Suite(str(path), "", (question,), (entry,)), documents.document_ids, documents.text_of)


def _mistakes_of(content: bytes, path: Path) -> Sequence[Mistake]:
    try:
        parse_suite(content, path)
    except SuiteError as error:
        return error.mistakes
    return ()


def _inside(mistakes: Sequence[Mistake], lines: Span) -> list[Mistake]:
    return [mistake for mistake in mistakes if lines.start < mistake.line <= lines.end]


def _without_lines(mistake: Mistake) -> tuple[str, str]:
    return mistake.key, _LINE_NUMBER.sub("", mistake.message)


def _outline(content: bytes, path: Path) -> list[tuple[Located, Span]]:
    """Return the entries of a file and the lines of each, counted from 0.

    Raises:
        EvaluationError: It is no list of entries on lines of their own.
    """
    text = _text(content)
    if path.suffix.lower() == ".jsonl":
        entries, mistakes = read_json_lines(text, str(path))
        spans = [Span(entry.line - 1, entry.line) for entry in entries]
    else:
        entries, mistakes = read_yaml(text, str(path))
        spans = list(_entry_lines(text)) if entries else []
    if mistakes and not entries:
        raise SuiteError(mistakes)
    if len(spans) != len(entries):
        raise EvaluationError(f"The questions of {str(path)!r} share lines: change them in a text editor.")
    return list(zip(entries, spans, strict=True))


def _entry_lines(text: str) -> Iterator[Span]:
    """Yield the lines of each entry of the outermost YAML list: none for a list in brackets, as `[{…}, {…}]`."""
    starts: list[int] = []
    ends: list[int] = []
    depth = 0
    for token in yaml.scan(text, yaml.SafeLoader):
        depth += isinstance(token, _DEEPER) - isinstance(token, yaml.BlockEndToken)
        if isinstance(token, yaml.BlockEntryToken) and depth == 1:
            starts.append(token.start_mark.line)
            ends.append(token.start_mark.line)
        if starts and depth and not isinstance(token, _WITHOUT_WORDS):
            # A block of text ends after the empty lines below it, which are no part of the entry.
            words = text[token.start_mark.index : token.end_mark.index].rstrip()
            ends[-1] = token.start_mark.line + words.count("\n")
    return (Span(start, end + 1) for start, end in zip(starts, ends, strict=True))


def _unchanged(entry: SuiteEntry) -> bytes:
    content = _read(entry.path)
    if _hash(content) != entry.file_hash:
        raise EvaluationError(
            f"{str(entry.path)!r} has changed since you opened it, so nothing was saved: "
            "copy what you wrote, open the entry again and put it in."
        )
    return content


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise EvaluationError(f"The suite {str(path)!r} cannot be read ({error.strerror}).") from error


def _text(content: bytes) -> str:
    try:
        return content.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        raise EvaluationError("The suite is not UTF-8: save it as UTF-8.") from error


def _hash(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()

"""Where each entry of a suite file stands: which lines are its own, so that everything else can stay as it is.

One entry of a suite file: read as text, checked, and put back without touching anything else in the file.
"""

from __future__ import annotations

import hashlib
import re
import threading
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import yaml

from eval.errors import EvaluationError, Mistake, SuiteError
from eval.measures.answered import TextOf
from eval.suites.check import Findings, check_suite
from eval.suites.golden import GoldenQuestion
from eval.suites.located import Located, read_json_lines, read_yaml
from eval.suites.suite import Suite, load_suite
from index.document import Span

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_DEEPER = (yaml.BlockSequenceStartToken, yaml.BlockMappingStartToken)
# Ends of blocks, and of the file, are found only after the comments that follow: they are no part of an entry.
_WITHOUT_WORDS = (yaml.BlockEndToken, yaml.StreamEndToken, yaml.DocumentEndToken)


def read_entries(text: str, path: str) -> tuple[list[Located], list[Mistake]]:
    """Return the entries of a suite's text by the ending of its name, and what is wrong with the text as such."""
    return (read_json_lines if path.lower().endswith(".jsonl") else read_yaml)(text, path)


def entry_lines(text: str, path: str, entries: Sequence[Located]) -> list[Span]:
    """Return the lines of each entry, counted from 0: none where entries share lines, as in `[{…}, {…}]`.

    Args:
        text: With line feeds alone at the ends of its lines.
        path: Tells the format.
        entries: As `read_entries` returned them.
    """
    if path.lower().endswith(".jsonl"):
        return [Span(entry.line - 1, entry.line) for entry in entries]
    return [Span(text.count("\n", 0, start), text.count("\n", 0, end) + 1) for start, end in _entry_characters(text)]


def _entry_characters(text: str) -> list[tuple[int, int]]:
    """Return the first and the last character of each entry of the outermost list, its dash included."""
    places: list[tuple[int, int]] = []
    depth = 0
    for token in yaml.scan(text, yaml.SafeLoader):
        if isinstance(token, _DEEPER):
            depth += 1
        elif isinstance(token, yaml.BlockEndToken):
            depth -= 1
        elif isinstance(token, yaml.BlockEntryToken) and depth == 1:
            places.append((token.start_mark.index, token.start_mark.index))
        if places and depth and not isinstance(token, _WITHOUT_WORDS):
            places[-1] = (places[-1][0], _last_character(text, token))
    return places


def _last_character(text: str, token: yaml.Token) -> int:
    """Return the last character of a token that is not white space: a block of text ends after the lines below it."""
    start: int = token.start_mark.index
    return start + len(text[start : token.end_mark.index].rstrip()) - 1


def replace_lines(content: bytes, lines: Span, text: str) -> bytes:
    """Return a file with some of its lines replaced, its byte order mark and its way of ending lines kept."""
    mark = _BYTE_ORDER_MARK if content.startswith(_BYTE_ORDER_MARK) else b""
    # Only a line feed ends a line: `splitlines` would also break at characters that stand inside texts.
    written = content.removeprefix(mark).split(b"\n")
    ending = b"\r\n" if written[lines.start].endswith(b"\r") else b"\n"
    new = ending.join(line.encode() for line in lines_of(text))
    if ending == b"\r\n" and lines.end < len(written):
        new += b"\r"
    return mark + b"\n".join([*written[: lines.start], new, *written[lines.end :]])


def lines_of(text: str) -> list[str]:
    """Return the lines that a browser sends, without empty ones at either end."""
    return text.replace("\r\n", "\n").strip("\n").rstrip().split("\n")


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
class Library:
    """The documents that quotes are checked against; empty where nothing is indexed."""

    document_ids: Collection[str]
    text_of: TextOf


def read_entry(path: Path, identifier: str) -> SuiteEntry:
    """Return an entry by its id.

    Raises:
        EvaluationError: There is none, or the file is not one whose entries stand on lines of their own.
    """
    content = _read(path)
    entries, spans = _outline(content, path)
    for entry, lines in zip(entries, spans, strict=True):
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
    found = (entry.find(("id",)).value for entry in _outline(_read(path), path)[0])
    return [one for one in found if isinstance(one, str)]


def check_entry(entry: SuiteEntry, library: Library) -> Findings:
    """Return what is wrong with an entry as it stands, its quotes included."""
    content = _read(entry.path)
    entries, spans = _outline(content, entry.path)
    mistakes = _inside(_mistakes_of(entry.path, str(entry.path)), entry.lines)
    if mistakes:
        return Findings(tuple(mistakes), ())
    return _check_quotes(entry.path, entries[spans.index(entry.lines)], library)


def save_entry(entry: SuiteEntry, text: str, library: Library) -> str:
    """Put a new text in the place of an entry, and return its id, which may be a new one.

    Args:
        entry: As it was when it was opened.
        text: One entry, as a person wrote it.
        library: What quotes are checked against.

    Raises:
        SuiteError: The text has mistakes; nothing was saved.
        EvaluationError: The file has changed since it was opened, or cannot be written; nothing was saved.
    """
    with _saving:
        before = _unchanged(entry)
        after = replace_lines(before, entry.lines, text)
        unfinished = entry.path.with_name(f".unfinished-{entry.path.name}")
        try:
            unfinished.write_bytes(after)
            question = _checked(entry, before, unfinished, text, library)
            unfinished.chmod(entry.path.stat().st_mode)
            _unchanged(entry)
            unfinished.replace(entry.path)
        except OSError as error:
            raise EvaluationError(
                f"The suite {str(entry.path)!r} cannot be written ({error.strerror}): nothing was saved."
            ) from error
        finally:
            unfinished.unlink(missing_ok=True)
        return question.id


def _checked(entry: SuiteEntry, before: bytes, candidate: Path, text: str, library: Library) -> GoldenQuestion:
    """Return the question of a file that would be saved, or raise all its new mistakes."""
    lines = Span(entry.lines.start, entry.lines.start + len(lines_of(text)))
    # Mistakes that stood elsewhere before do not keep one entry from being corrected.
    known = {_without_lines(one) for one in _outside(_mistakes_of(entry.path, str(entry.path)), entry.lines)}
    found = _mistakes_of(candidate, str(entry.path))
    new = [*_inside(found, lines), *(one for one in _outside(found, lines) if _without_lines(one) not in known)]
    if new:
        raise SuiteError(new)
    old, old_spans = _outline(before, entry.path)
    entries, _ = _outline(candidate.read_bytes(), entry.path)
    number = old_spans.index(entry.lines)
    if _all_but(entries, number) != _all_but(old, number):
        raise SuiteError([Mistake(str(entry.path), lines.start + 1, "", "write exactly one question here")])
    wrong = _check_quotes(entry.path, entries[number], library).mistakes
    if wrong:
        raise SuiteError(wrong)
    return GoldenQuestion.model_validate(entries[number].plain())


def _all_but(entries: Sequence[Located], number: int) -> list[object]:
    return [entry.plain() for entry in (*entries[:number], *entries[number + 1 :])]


def _check_quotes(path: Path, entry: Located, library: Library) -> Findings:
    if not library.document_ids:
        return Findings((), ())
    question = GoldenQuestion.model_validate(entry.plain())
    return check_suite(Suite(str(path), "", (question,), (entry,)), library.document_ids, library.text_of)


def _mistakes_of(path: Path, name: str) -> list[Mistake]:
    """Return the mistakes of a file, which may have another name for a moment."""
    try:
        load_suite(path)
    except SuiteError as error:
        return [replace(mistake, path=name) for mistake in error.mistakes]
    return []


def _inside(mistakes: Sequence[Mistake], lines: Span) -> list[Mistake]:
    return [mistake for mistake in mistakes if lines.start < mistake.line <= lines.end]


def _outside(mistakes: Sequence[Mistake], lines: Span) -> list[Mistake]:
    inside = _inside(mistakes, lines)
    return [mistake for mistake in mistakes if mistake not in inside]


def _without_lines(mistake: Mistake) -> tuple[str, str]:
    return mistake.key, _LINE_NUMBER.sub("", mistake.message)


def _outline(content: bytes, path: Path) -> tuple[list[Located], list[Span]]:
    """Return the entries of a file and the lines of each.

    Raises:
        EvaluationError: It is no list of entries on lines of their own.
    """
    text = _text(content)
    entries, mistakes = read_entries(text, str(path))
    if mistakes and not entries:
        raise SuiteError(mistakes)
    spans = entry_lines(text, str(path), entries)
    if len(spans) != len(entries):
        raise EvaluationError(f"The questions of {str(path)!r} share lines: change them in a text editor.")
    return entries, spans


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

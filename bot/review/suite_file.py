"""Adds a question to a suite file that people write by hand: all that is there stays, letter by letter."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from filelock import FileLock

from bot.errors import ReviewError

_LOCK_SECONDS = 10
_HEAD = "# Golden questions from the staff's verdicts.\n"


def append_question(path: Path, entry: Mapping[str, Any]) -> None:
    """Add a question at the end of a `.yaml`, `.yml` or `.jsonl` suite, which is made if it is not there.

    A question that stands there already, just so, is not added twice.

    Raises:
        ReviewError: The file cannot be read, changed or written, or has another question with this id.
    """
    if path.suffix.lower() not in (".yaml", ".yml", ".jsonl"):
        raise ReviewError(f"Questions cannot be added to {str(path)!r}: name a .yaml or .jsonl file as golden_suite.")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(f"{path}.lock", timeout=_LOCK_SECONDS):
            _append(path, dict(entry))
    except OSError as error:
        raise ReviewError(f"The suite {str(path)!r} cannot be written ({error.strerror or error}).") from error


def _append(path: Path, entry: dict[str, Any]) -> None:
    before = path.read_bytes() if path.exists() else b""
    text = _decode(path, before)
    known = _entries(path, text)
    for one in known:
        if isinstance(one, dict) and one.get("id") == entry["id"]:
            if one == entry:
                return
            raise ReviewError(f"The suite {str(path)!r} has a question {entry['id']!r} already: change that one there.")
    after = _with_entry(path, text, entry)
    if not _holds(path, after, [*known, entry]):
        raise ReviewError(
            f"The suite {str(path)!r} is not written as a list with each question on lines of its own: "
            "add this one in a text editor."
        )
    ending = "\r\n" if b"\r\n" in before else "\n"
    mark = b"\xef\xbb\xbf" if before.startswith(b"\xef\xbb\xbf") else b""
    _write_whole(path, mark + after.replace("\n", ending).encode())


def _decode(path: Path, content: bytes) -> str:
    try:
        return content.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        raise ReviewError(f"The suite {str(path)!r} is not UTF-8: save it as UTF-8.") from error


def _entries(path: Path, text: str) -> list[Any]:
    try:
        if path.suffix.lower() == ".jsonl":
            lines = (line for line in text.split("\n") if line.strip() and not line.startswith("#"))
            return [json.loads(line) for line in lines]
        found = yaml.safe_load(text)
    except (ValueError, yaml.YAMLError) as error:
        reason = str(error).splitlines()[0]
        raise ReviewError(f"The suite {str(path)!r} cannot be read ({reason}): correct it first.") from error
    if found is None:
        return []
    if not isinstance(found, list):
        raise ReviewError(f"The suite {str(path)!r} is no list of questions: correct it first.")
    return found


def _holds(path: Path, text: str, entries: list[Any]) -> bool:
    try:
        return _entries(path, text) == entries
    except ReviewError:
        return False


def _with_entry(path: Path, text: str, entry: dict[str, Any]) -> str:
    if path.suffix.lower() == ".jsonl":
        return _ended(text) + json.dumps(entry, ensure_ascii=False) + "\n"
    written = yaml.safe_dump([entry], allow_unicode=True, sort_keys=False, width=120)
    return (_ended(text) + "\n" if text.strip() else text or _HEAD + "\n") + _indented(written, _indent(text))


def _ended(text: str) -> str:
    return text if not text or text.endswith("\n") else text + "\n"


def _indent(text: str) -> str:
    """Return the white space before the dashes of the list."""
    for line in text.split("\n"):
        if line.lstrip().startswith("- "):
            return line[: len(line) - len(line.lstrip())]
    return ""


def _indented(text: str, indent: str) -> str:
    return "".join(indent + line if line.strip() else line for line in text.splitlines(keepends=True))


def _write_whole(path: Path, content: bytes) -> None:
    """Replace a file at once; after a power cut it is the old or the new one."""
    unfinished = path.with_name(f".unfinished-{path.name}")
    try:
        with unfinished.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        if path.exists():
            unfinished.chmod(path.stat().st_mode)
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)

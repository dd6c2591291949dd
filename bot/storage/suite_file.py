"""Adds a question to a suite file that people write by hand; every byte that is there stays.

The file is not written from parsed data: ruamel.yaml, which keeps comments, still breaks and joins lines.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import regex
import yaml
from filelock import FileLock

from bot.answer.errors import ReviewError
from index.store.atomic_file import write_file

_LOCK_SECONDS = 10
_HEAD = "# Golden questions from the staff's verdicts.\n"
_BYTE_ORDER_MARK = "\ufeff"


def append_question(path: Path, entry: Mapping[str, Any]) -> None:
    """Add a question at the end of a `.yaml`, `.yml` or `.jsonl` suite, which is made if it is not there.

    A question that the suite holds already, with the same content, is not added twice.

    Raises:
        ReviewError: The file cannot be read, changed or written, or has another question with this id.
    """
    if path.suffix.lower() not in (".yaml", ".yml", ".jsonl"):
        raise ReviewError(f"Questions cannot be added to {str(path)!r}: name a .yaml or .jsonl file as golden_suite.")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(f"{path}.lock", timeout=_LOCK_SECONDS):
            before = path.read_bytes().decode() if path.exists() else ""
            if (after := _appended(path, before, dict(entry))) != before:
                write_file(path, after)
    except UnicodeDecodeError as error:
        raise ReviewError(f"The suite {str(path)!r} is not UTF-8: save it as UTF-8.") from error
    except OSError as error:
        raise ReviewError(f"The suite {str(path)!r} cannot be written ({error.strerror or error}).") from error


def _appended(path: Path, before: str, entry: dict[str, Any]) -> str:
    """Return the text of a suite with one more question."""
    try:
        known = _read(path, before)
    except (ValueError, yaml.YAMLError) as error:
        reason = str(error).splitlines()[0]
        raise ReviewError(f"The suite {str(path)!r} cannot be read ({reason}): correct it first.") from error
    if not isinstance(known, list):
        raise ReviewError(f"The suite {str(path)!r} is no list of questions: correct it first.")
    if entry in known:
        return before
    if any(isinstance(one, dict) and one.get("id") == entry["id"] for one in known):
        raise ReviewError(f"The suite {str(path)!r} has a question {entry['id']!r} already: change that one there.")
    if path.suffix.lower() == ".jsonl":
        added = json.dumps(entry, ensure_ascii=False) + "\n"
    else:
        written = yaml.safe_dump([entry], allow_unicode=True, sort_keys=False, width=120).splitlines(keepends=True)
        dash = regex.search(r"^([ \t]*)- ", before, regex.MULTILINE)
        indent = dash[1] if dash else ""
        added = "\n" + "".join(f"{indent}{line}" if line.strip() else line for line in written)
        before = before or _HEAD
    if not before.endswith(("\n", _BYTE_ORDER_MARK)) and before:
        added = "\n" + added
    after = before + (added.replace("\n", "\r\n") if "\r\n" in before else added)
    try:
        whole = _read(path, after) == [*known, entry]
    except (ValueError, yaml.YAMLError):
        whole = False
    if not whole:
        raise ReviewError(
            f"The suite {str(path)!r} is not written as a list with each question on lines of its own: "
            "add this one in a text editor."
        )
    return after


def _read(path: Path, text: str) -> Any:
    text = text.removeprefix(_BYTE_ORDER_MARK)
    if path.suffix.lower() == ".jsonl":
        return [json.loads(line) for line in text.split("\n") if line.strip() and not line.startswith("#")]
    found = yaml.safe_load(text)
    return [] if found is None else found

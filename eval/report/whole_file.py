"""Files that are there whole or not at all: a reader never sees half of one."""

from __future__ import annotations

from pathlib import Path

from eval.errors import ReportError


def write_whole(path: Path, text: str) -> None:
    """Write a text file, replacing what was there only when it is complete.

    Raises:
        ReportError: The file cannot be written.
    """
    unfinished = path.with_name(f".{path.name}.unfinished")
    try:
        unfinished.write_text(text, encoding="utf-8")
        unfinished.replace(path)
    except OSError as error:
        raise ReportError(f"{str(path)!r} cannot be written ({error.strerror}): name another file.") from error

"""Writing files so that a reader, also after a power cut, finds the old content or the new, never a part of one."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from index.errors import FootnoteError


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yield the path of a temporary file in the same folder, which replaces `path` when the block ends without error.

    The temporary file keeps the suffix of `path`, and is removed when the block raises.
    """
    temporary = path.with_name(f".unfinished-{path.name}")
    try:
        yield temporary
        if path.exists():
            temporary.chmod(path.stat().st_mode)
        flush_to_disk(temporary)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def write_file(path: Path, content: str | bytes, error: type[FootnoteError] | None = None) -> None:
    """Write a file, replacing one that is there only when the new one is complete.

    Args:
        path: The file.
        content: Bytes, or text that is written as UTF-8.
        error: What to raise in place of OSError, with a message that names the file.
    """
    try:
        with replacing(path) as temporary:
            temporary.write_bytes(content.encode() if isinstance(content, str) else content)
    except OSError as failure:
        if error is None:
            raise
        raise error(f"{str(path)!r} cannot be written ({failure.strerror}): name another file.") from failure


def move_durably(source: Path, target: Path) -> None:
    """Rename a file; its content and its new name are on the disk when this returns."""
    flush_to_disk(source)
    source.replace(target)
    flush_to_disk(target.parent)


def flush_to_disk(path: Path) -> None:
    """Have the system write a file's content, or a folder's list of names, to the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)

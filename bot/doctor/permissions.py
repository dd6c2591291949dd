"""Whether we can write the data folder, and nobody else can."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

from bot.doctor.finding import Check


def check_permissions(data_dir: Path) -> Iterator[Check]:
    """Look at the data folder and the database in it, where there are any."""
    if not data_dir.is_dir():
        return
    if not os.access(data_dir, os.R_OK | os.X_OK):
        message = f"{str(data_dir)!r} may not be looked into: be the user whose it is, or name another --data-dir"
        yield Check(name="permissions", state="failed", message=message)
        return
    found = [path for path in (data_dir, data_dir / "footnote.db") if path.exists()]
    closed = [str(path) for path in found if not os.access(path, os.W_OK)]
    open_to_all = [str(path) for path in found if path.stat().st_mode & stat.S_IWOTH]
    if closed:
        message = (
            f"{', '.join(closed)} cannot be written: questions are answered, but nothing can be indexed; use chown"
        )
        yield Check(name="permissions", state="warning", message=message)
    if open_to_all:
        message = f"everybody on this machine may change {', '.join(open_to_all)}: run chmod o-w on it"
        yield Check(name="permissions", state="warning", message=message)
    if not closed and not open_to_all:
        yield Check(name="permissions", state="ok", message=f"{str(data_dir)!r} is ours to write")

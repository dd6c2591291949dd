"""Room for the next generation, which is built beside the live one."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from bot.doctor.finding import Check

_NEEDED_BYTES = 500_000_000
_TIMES_THE_INDEX = 3  # the live generation, the next one, and the database as it grows


def check_disk(data_dir: Path) -> Check:
    """Compare the free space with the size of the index."""
    existing = next(
        folder for folder in (data_dir.absolute(), *data_dir.absolute().parents) if os.access(folder, os.F_OK)
    )
    free = shutil.disk_usage(existing).free
    size = sum(_size(Path(folder, name)) for folder, _, names in os.walk(data_dir) for name in names)
    needed = max(_NEEDED_BYTES, _TIMES_THE_INDEX * size)
    message = f"{free / 1e9:.1f} GB free for {str(data_dir)!r}, which holds {size / 1e9:.1f} GB"
    if free < needed:
        advice = f"free some, {needed / 1e9:.1f} GB are safe, or move to another --data-dir"
        return Check(name="disk", state="warning", message=f"{message}: {advice}")
    return Check(name="disk", state="ok", message=message)


def _size(file: Path) -> int:
    try:
        return file.lstat().st_size
    except OSError:  # removed since it was listed, or kept from us
        return 0

"""Where generations lie, what is kept of them, and how their files are made to survive a power cut."""

from __future__ import annotations

import os
import shutil
from pathlib import Path


def generations_folder(data_dir: Path) -> Path:
    """Return the folder that holds all generations."""
    return data_dir / "generations"


def generation_folder(data_dir: Path, name: str) -> Path:
    """Return the folder of one generation."""
    return generations_folder(data_dir) / name


def next_name(live: str) -> str:
    """Return the name of the generation after the live one; the first one's if there is none."""
    return f"{int(live or 0) + 1:06d}"


def sweep_generations(data_dir: Path, *, keep: str) -> None:
    """Delete every generation but the one named, and what interrupted builds have left."""
    parent = generations_folder(data_dir)
    for folder in parent.iterdir() if parent.is_dir() else ():
        if folder.name != keep:
            shutil.rmtree(folder, ignore_errors=True)


def make_durable(folder: Path) -> None:
    """Have the system write a folder, all below it and its name to the disk."""
    for path in [*folder.rglob("*"), folder, folder.parent]:
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

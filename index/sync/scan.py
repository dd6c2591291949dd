"""Which files there are below the folders, and their hashes."""

from __future__ import annotations

import hashlib
import stat
from collections.abc import Sequence
from dataclasses import dataclass
from os.path import realpath
from pathlib import Path

from index.paths import files_below, is_still, is_text
from index.readers import READERS_VERSION, is_supported
from index.sync.findings import Findings
from index.sync.report import Progress, SyncReport


@dataclass(frozen=True, slots=True)
class Source:
    """A file to be indexed: where it is, and its name in the index."""

    path: Path
    name: str
    file_hash: str


@dataclass(frozen=True, slots=True)
class Scan:
    """What a look at the folders found.

    Attributes:
        sources: The files to be indexed, folder by folder, by name.
        empty_folders: Those of the folders that hold no file.
    """

    sources: list[Source]
    empty_folders: list[Path]


def scan(
    paths: Sequence[Path], report: SyncReport, findings: Findings, progress: Progress, *, unattended: bool
) -> Scan:
    """Look at the files below some folders; those that are not to be indexed are noted with the reason."""
    below = {path: files_below(path, findings.fail_to_open) for path in paths}
    files = [pair for pairs in below.values() for pair in pairs]
    sources = []
    for number, (path, name) in enumerate(files):
        progress("scan", number, len(files))
        if (before := findings.before.get(name)) and before.excluded:
            report.excluded.append(name)
            continue
        try:
            if problem := _problem(path, paths):
                findings.fail(name, problem)
            elif unattended and not is_still(path):
                report.pending.append(name)
            else:
                sources.append(Source(path, name, _hash_file(path)))
        except OSError as error:
            findings.fail_to_open(name, error)
    return Scan(sources, [path for path, found in below.items() if not found])


def _problem(path: Path, paths: Sequence[Path]) -> str:
    """Return why a file is not even opened, if so."""
    if not is_text(path):
        return "has a name that is not text on one line: rename it"
    # Unlike Path.resolve, realpath does not mind a link that leads to itself.
    if path.is_symlink() and not any(Path(realpath(path)).is_relative_to(realpath(root)) for root in paths):
        return "is a link out of the folder: copy the file into it"
    if path.is_symlink() and not path.is_file():
        return "is a link to a folder, to itself or to nothing: put the documents into its place, or remove it"
    if not stat.S_ISREG(path.stat().st_mode):
        return "is not a regular file: put a copy of the document in its place"
    if not is_supported(path):
        return f"is not a supported format ({path.suffix or 'no suffix'})"
    return ""


def _hash_file(path: Path) -> str:
    """Return a hash of the file and of how it is read."""
    with path.open("rb") as file:
        return f"{READERS_VERSION}:" + hashlib.file_digest(file, "sha256").hexdigest()

"""What a run came from: code, packages and machine, so that it can be run again."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import shutil
import subprocess
from pathlib import Path

from pydantic import BaseModel, ConfigDict

# What an answer depends on besides our own code.
_PACKAGES = (
    "footnote-chat",
    "chromadb",
    "llama-index-core",
    "numpy",
    "pydantic",
    "sentence-transformers",
    "torch",
    "transformers",
)


class Origin(BaseModel):
    """What a run came from.

    Attributes:
        commit: Commit of the checkout the code runs from, or None outside one.
        dirty: Whether that checkout differs from its commit, or None outside one.
        versions: Versions of Python and of the packages an answer depends on.
        platform: Operating system and processor type.
        processors: How many processors this process may use.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    commit: str | None
    dirty: bool | None
    versions: dict[str, str]
    platform: str
    processors: int


def read_origin(source: Path = Path(__file__)) -> Origin:
    """Return the origin of a run whose code is in the checkout around `source`."""
    # An installed copy may lie inside somebody else's checkout; only a tracked file speaks for its commit.
    tracked = _git(source.parent, "ls-files", "--error-unmatch", source.name)
    commit = _git(source.parent, "rev-parse", "HEAD") if tracked else None
    changes = _git(source.parent, "status", "--porcelain") if commit else None
    return Origin(
        commit=commit,
        dirty=None if changes is None else bool(changes),
        versions=_versions(),
        platform=f"{platform.system()} {platform.release()} {platform.machine()}",
        processors=len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1,
    )


def _versions() -> dict[str, str]:
    versions = {"python": platform.python_version()}
    for package in _PACKAGES:
        try:
            versions[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            continue
    return versions


def _git(folder: Path, *arguments: str) -> str | None:
    """Return what git prints, or None when there is no git, no checkout or no such thing."""
    program = shutil.which("git")
    if program is None:
        return None
    done = subprocess.run(  # noqa: S603  fixed arguments, no shell
        [program, *arguments], cwd=folder, capture_output=True, text=True, check=False
    )
    return done.stdout.strip() if done.returncode == 0 else None

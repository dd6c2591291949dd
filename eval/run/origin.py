"""The code, packages and machine that a run was made with, so that it can be run again."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import shutil
import subprocess
from contextlib import suppress
from pathlib import Path

from pydantic import BaseModel, ConfigDict

# What an answer depends on besides our own code.
_PACKAGES = "footnote-chat chromadb llama-index-core numpy pydantic sentence-transformers torch transformers".split()
_PROCESSORS = Path("/proc/cpuinfo")


class RunOrigin(BaseModel):
    """The code, packages and machine that a run was made with.

    Attributes:
        commit: Commit of the checkout the code runs from, or None outside one.
        dirty: Whether that checkout differs from its commit, or None outside one.
        versions: Versions of Python and of the packages an answer depends on.
        platform: Operating system and processor type.
        processors: How many processors this process may use.
        processor: Their name; None where the system does not tell, and in reports from before it was recorded.
        memory_mib: How much memory the machine has; None likewise.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    commit: str | None
    dirty: bool | None
    versions: dict[str, str]
    platform: str
    processors: int
    processor: str | None = None
    memory_mib: int | None = None

    def machine(self) -> str:
        """Return what is known of the machine in a few words."""
        known = [f"{self.processors} × {self.processor or 'processor'}"]
        if self.memory_mib is not None:
            known.append(f"{self.memory_mib / 1024:.0f} GiB memory")
        return ", ".join([*known, self.platform])


def read_origin(source: Path = Path(__file__)) -> RunOrigin:
    """Return the origin of a run whose code is in the checkout around `source`."""
    # An installed copy may lie inside somebody else's checkout; only a tracked file speaks for its commit.
    tracked = _git(source.parent, "ls-files", "--error-unmatch", source.name)
    commit = _git(source.parent, "rev-parse", "HEAD") if tracked else None
    changes = _git(source.parent, "status", "--porcelain") if commit else None
    return RunOrigin(
        commit=commit,
        dirty=None if changes is None else bool(changes),
        versions=_versions(),
        platform=f"{platform.system()} {platform.release()} {platform.machine()}",
        processors=len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1,
        processor=_processor(),
        memory_mib=_memory_mib(),
    )


def _processor() -> str | None:
    try:
        lines = _PROCESSORS.read_text(encoding="utf-8").splitlines()
    except OSError:  # not Linux
        return platform.processor() or None
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else None


def _memory_mib() -> int | None:
    if not {"SC_PAGE_SIZE", "SC_PHYS_PAGES"} <= os.sysconf_names.keys():
        return None
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2**20


def _versions() -> dict[str, str]:
    versions = {"python": platform.python_version()}
    for package in _PACKAGES:
        with suppress(importlib.metadata.PackageNotFoundError):
            versions[package] = importlib.metadata.version(package)
    return versions


def _git(folder: Path, *arguments: str) -> str | None:
    """Return what git prints, or None when there is no git, no checkout or no such thing."""
    program = shutil.which("git")
    if program is None:
        return None
    command = [program, *arguments]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)  # noqa: S603  no shell
    return done.stdout.strip() if done.returncode == 0 else None

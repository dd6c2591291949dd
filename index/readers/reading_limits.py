"""What one file may cost. A larger file may take more, since people do have large files."""

from __future__ import annotations

import resource
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_MEGABYTE: Final = 1_000_000
TOO_MUCH_MEMORY: Final = "needs more memory than is safe to give it: split it, or save it without pictures"
OUT_OF_MEMORY: Final = 71  # exit status of a reading process that had not even room to say so


@dataclass(frozen=True, slots=True)
class ReadingLimits:
    """Limits on reading one file of which nothing has come back yet; each document that comes back renews the time.

    Attributes:
        seconds: Of the clock and of the processor, for a small file.
        seconds_per_megabyte: More time for each megabyte of the file.
        memory_bytes: Address space of the process that reads, for a small file.
        memory_per_byte: More address space for each byte of the file.
        text_bytes: Most that comes back as one document, for a small file.
        text_per_byte: More text for each byte of the file.
    """

    seconds: float = 20
    seconds_per_megabyte: float = 1
    memory_bytes: int = 900 * _MEGABYTE
    memory_per_byte: int = 8
    text_bytes: int = 50 * _MEGABYTE
    text_per_byte: int = 2

    def seconds_for(self, size: int) -> float:
        """Return the time for a file of `size` bytes."""
        return self.seconds + self.seconds_per_megabyte * size / _MEGABYTE

    def memory_for(self, size: int) -> int:
        """Return the address space for a file of `size` bytes."""
        return self.memory_bytes + self.memory_per_byte * size

    def text_for(self, size: int) -> int:
        """Return the bytes of text that a file of `size` bytes may become."""
        return self.text_bytes + self.text_per_byte * size


def write_nothing() -> None:
    """Let this process write no file, not even a core dump."""
    for what in (resource.RLIMIT_FSIZE, resource.RLIMIT_CORE):
        resource.setrlimit(what, (0, 0))


def allow(memory_bytes: int) -> None:
    """Let this process have so much address space in all."""
    resource.setrlimit(resource.RLIMIT_AS, (memory_bytes, resource.RLIM_INFINITY))


def allow_time(seconds: float) -> None:
    """Let this process compute so much longer; the system ends it by SIGXCPU when it goes on."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    until = round(used.ru_utime + used.ru_stime + seconds) + 1
    resource.setrlimit(resource.RLIMIT_CPU, (until, resource.RLIM_INFINITY))


def peak_memory() -> int:
    """Return the most bytes of memory that this process ever used.

    Not what `getrusage` says: that counts what the process which started this one used before.
    """
    lines = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM:"))

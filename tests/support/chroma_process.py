"""A real Chroma server on loopback, as a child process whose files cannot grow without bound."""

from __future__ import annotations

import os
import resource
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

_LARGEST_FILE = 1 << 30  # bytes; a torn collection has been seen to grow to 65 GB


class ChromaProcess:
    """Starts, stops, kills, freezes `chroma run` on a port of its own that stays the same."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self._port = probe.getsockname()[1]
        self.url = f"http://127.0.0.1:{self._port}"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it and return when it answers."""
        program = Path(sys.executable).parent / "chroma"
        self._process = subprocess.Popen(
            [program, "run", "--path", self._folder / "chroma", "--host", "127.0.0.1", "--port", str(self._port)],
            stdout=(self._folder / "chroma.log").open("ab"),
            stderr=subprocess.STDOUT,
        )
        resource.prlimit(self._process.pid, resource.RLIMIT_FSIZE, (_LARGEST_FILE, _LARGEST_FILE))
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            try:
                if httpx.get(f"{self.url}/api/v2/heartbeat", timeout=2).is_success:
                    return
            except httpx.HTTPError:
                assert self._process.poll() is None, (self._folder / "chroma.log").read_text(errors="replace")
        raise AssertionError("the Chroma server does not answer")

    def stop(self) -> None:
        """End it at once."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def empty(self) -> None:
        """Start it again with nothing of what it held."""
        self.stop()
        shutil.rmtree(self._folder / "chroma")
        self.start()

    @contextmanager
    def frozen(self) -> Iterator[None]:
        """Stop it in its tracks: connections stay open and nothing is answered."""
        assert self._process is not None
        os.kill(self._process.pid, signal.SIGSTOP)
        try:
            yield
        finally:
            os.kill(self._process.pid, signal.SIGCONT)

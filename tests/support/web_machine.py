"""`footnote serve` as a machine of its own: a process with a data folder that it shares with nobody."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx

_LARGEST_FILE = 1 << 30  # bytes
_PROGRAM = "from bot.cli import main; main()"


class WebMachine:
    """Starts, stops, kills and asks a web process. It takes a free port each time it starts, unless one is given."""

    def __init__(self, folder: Path, environment: Mapping[str, str], port: int = 0) -> None:
        self._folder = folder
        self._port = port
        self._log = folder.with_suffix(".log")
        self._environment = {**os.environ, "FOOTNOTE_ANSWERER": "extractive", **environment}
        self._process: subprocess.Popen[bytes] | None = None
        self.address = ""

    def start(self) -> None:
        """Start it; `wait` until it can be asked."""
        self._log.write_bytes(b"")
        self._process = subprocess.Popen(
            [sys.executable, "-c", _PROGRAM, "serve", "--port", str(self._port), "--data-dir", str(self._folder)],
            stderr=self._log.open("ab"),
            env=self._environment,
            cwd=Path(__file__).parent.parent.parent,
        )
        resource.prlimit(self._process.pid, resource.RLIMIT_FSIZE, (_LARGEST_FILE, _LARGEST_FILE))

    def wait(self, seconds: float = 240) -> None:
        """Return when the page is there and what answers is loaded."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            said = self.said()
            if "Footnote is ready at " in said:
                self.address = said.split("Footnote is ready at ")[1].split()[0]
                # The parts behind the page are loaded before this is answered.
                httpx.get(f"{self.address}/config", timeout=seconds, trust_env=False).raise_for_status()
                return
            assert self._process is not None
            assert self._process.poll() is None, said
            time.sleep(0.05)
        raise AssertionError(f"the web process did not get ready: {self.said()}")

    def kill(self) -> None:
        """End it at once."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    @property
    def process_id(self) -> int:
        """Its process id while it runs."""
        assert self._process is not None
        return self._process.pid

    @property
    def processor_seconds(self) -> float:
        """How long processors have worked for it, which does not depend on what else the machine does."""
        user, system = (Path("/proc") / str(self.process_id) / "stat").read_text().rsplit(")", 1)[1].split()[11:13]
        return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")

    def terminate(self) -> None:
        """Ask it to end, as a service manager does."""
        assert self._process is not None
        self._process.terminate()

    def ended(self, seconds: float = 20) -> int:
        """Return its exit code once it has ended.

        Raises:
            subprocess.TimeoutExpired: It goes on.
        """
        assert self._process is not None
        return self._process.wait(seconds)

    def said(self) -> str:
        """Return what it wrote for its operator."""
        return self._log.read_text(errors="replace")

    def ask(self, question: str) -> dict[str, Any] | str:
        """Return the Answer as the page gets it, or the words it shows instead of one.

        Raises:
            httpx.TransportError: The process is gone.
        """
        session = uuid4().hex
        with httpx.Client(base_url=self.address, timeout=120, trust_env=False) as client:
            asked = {"data": [question, {"turn": "t", "language": "en"}], "fn_index": 0, "session_hash": session}
            client.post("/gradio_api/queue/join", json=asked).raise_for_status()
            with client.stream("GET", "/gradio_api/queue/data", params={"session_hash": session}) as events:
                for line in events.iter_lines():
                    event = json.loads(line.removeprefix("data:")) if line.startswith("data:") else {}
                    if event.get("msg") == "process_completed":
                        last = event["output"]["data"][0]["parts"][-1]
                        return last.get("answer") or last["html"]
        raise AssertionError("the stream ended without an answer")

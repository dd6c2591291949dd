"""`footnote serve` as a process: it starts on an empty folder, says where it is, and stops cleanly."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
import urllib.request
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow


def test_serve_starts_without_an_index_and_stops_on_interrupt(tmp_path: Path) -> None:
    # A shell that runs the tests in the background makes its children ignore interrupts, hence the first line.
    program = (
        "import signal; signal.signal(signal.SIGINT, signal.default_int_handler); from bot.cli import main; main()"
    )
    command = [sys.executable, "-c", program, "serve", "--port", "0"]
    server = subprocess.Popen(
        [*command, "--data-dir", str(tmp_path)],
        stderr=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parent.parent,
    )
    try:
        said = server.stderr.readline()
        assert "Footnote is ready at http://127.0.0.1:" in said
        address = said.split("at ")[1].split(" ")[0]
        with urllib.request.urlopen(address) as page:
            assert "No documents are indexed yet" in page.read().decode()
        # A reader's open stream does not keep the server, and does not make it complain.
        stream = urllib.request.urlopen(f"{address}/gradio_api/heartbeat/reader")
        threading.Thread(target=stream.read, daemon=True).start()
        server.send_signal(signal.SIGINT)
        assert server.wait(10) == 130
        assert "Traceback" not in server.stderr.read()
    finally:
        server.kill()

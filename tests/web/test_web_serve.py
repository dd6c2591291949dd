"""`footnote serve` as a process: it says where it is and stops cleanly, with its page up before what it loads."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
import urllib.request
from pathlib import Path

import pytest

from index.store.catalogue import Catalogue

pytestmark = pytest.mark.slow


# A shell that runs the tests in the background makes its children ignore interrupts, hence the first line.
PROGRAM = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler); from bot.cli import main; main()"


def serve(data_dir: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", PROGRAM, "serve", "--port", "0", "--data-dir", str(data_dir)],
        stderr=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parent.parent.parent,
    )


def test_serve_starts_without_an_index_and_stops_on_interrupt(tmp_path: Path) -> None:
    server = serve(tmp_path)
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


def test_serve_stops_on_an_interrupt_while_it_loads(tmp_path: Path) -> None:
    server = serve(tmp_path)
    try:
        assert "Footnote is ready at" in server.stderr.readline()
        server.send_signal(signal.SIGINT)
        assert server.wait(15) == 130
        assert server.stderr.read().strip() == "Interrupted."
    finally:
        server.kill()


def test_serve_ends_with_a_sentence_when_the_index_cannot_be_used(tmp_path: Path) -> None:
    catalogue = Catalogue(f"sqlite:///{tmp_path / 'footnote.db'}")
    catalogue.set_properties({"generation": "000001"})
    catalogue.close()
    server = serve(tmp_path)
    try:
        assert server.wait(60) == 1
        *_, last = server.stderr.read().splitlines()
        assert last.startswith("footnote: The index in ")
        assert "run `footnote index`" in last
    finally:
        server.kill()

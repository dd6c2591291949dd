"""How soon `footnote serve` shows its page, and how soon the first question has its evidence."""

from __future__ import annotations

import subprocess
import sys
import time
import urllib.request
from pathlib import Path

from eval.errors import EvaluationError

_READY = "Footnote is ready at "
_PATIENCE = 120.0


def time_serving(data_dir: Path) -> float:
    """Return the seconds from the command to the page of an extractive `footnote serve` over an index.

    Raises:
        EvaluationError: It did not start.
    """
    command = [str(Path(sys.executable).parent / "footnote"), "serve", "--port", "0", "--data-dir", str(data_dir)]
    begin = time.perf_counter()
    server = subprocess.Popen([*command, "--answerer", "extractive"], stderr=subprocess.PIPE, text=True)  # noqa: S603
    try:
        assert server.stderr is not None
        said = server.stderr.readline()
        if _READY not in said:
            raise EvaluationError(f"footnote serve did not start: {said.strip() or 'it said nothing'}.")
        address = said.partition(_READY)[2].split(" ")[0]
        with urllib.request.urlopen(address, timeout=_PATIENCE) as page:  # noqa: S310  # our own server
            page.read()
        return time.perf_counter() - begin
    finally:
        server.terminate()
        server.wait(30)

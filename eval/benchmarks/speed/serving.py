"""How soon `footnote serve` shows its page, and how soon the first question has its evidence."""

from __future__ import annotations

import json
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from eval.errors import EvaluationError

_READY = "Footnote is ready at "
_PATIENCE = 120.0
# What the page shows first of an answer, as a JSON value of `bot.web.page.stream`.
_EVIDENCE = '"evidence"'


@dataclass(frozen=True, slots=True)
class Served:
    """Seconds from the command `footnote serve` to its page, and to the evidence of a question asked at once."""

    page_seconds: float
    first_evidence_seconds: float


def time_serving(data_dir: Path, questions: Iterable[str]) -> Served:
    """Start an extractive `footnote serve` over an index, open its page as a browser does, and ask.

    Args:
        data_dir: The index.
        questions: Asked one after another until one has evidence; some are answered without.

    Raises:
        EvaluationError: It did not start, or gave no evidence.
    """
    command = [str(Path(sys.executable).parent / "footnote"), "serve", "--port", "0", "--data-dir", str(data_dir)]
    begin = time.perf_counter()
    server = subprocess.Popen([*command, "--answerer", "extractive"], stderr=subprocess.PIPE, text=True)  # noqa: S603
    try:
        assert server.stderr is not None
        said = ""
        for said in server.stderr:
            if _READY in said:
                break
        else:
            raise EvaluationError(f"footnote serve did not start: {said.strip() or 'it said nothing'}.")
        address = said.partition(_READY)[2].split(" ")[0]
        _get(address)
        page_seconds = time.perf_counter() - begin
        if not any(_has_evidence(address, question) for question in questions):
            raise EvaluationError("footnote serve found no evidence for any question: ask what the documents hold.")
        return Served(page_seconds, time.perf_counter() - begin)
    finally:
        server.terminate()
        server.wait(30)


def _has_evidence(address: str, question: str) -> bool:
    """Ask as the page's script does, over Gradio's queue, until passages are shown or the answer ends."""
    dependencies = json.loads(_get(f"{address}/config"))["dependencies"]
    asking = next(one["id"] for one in dependencies if one["backend_fn"])
    asked = {"data": [question, {"turn": "speed"}], "fn_index": asking, "session_hash": "speed"}
    _get(f"{address}/gradio_api/queue/join", json.dumps(asked).encode())
    events = f"{address}/gradio_api/queue/data?session_hash=speed"
    with urllib.request.urlopen(events, timeout=_PATIENCE) as stream:  # noqa: S310  # our own server
        return any(_EVIDENCE in line.decode() for line in stream)


def _get(address: str, body: bytes | None = None) -> str:
    request = urllib.request.Request(address, body, {"content-type": "application/json"})  # noqa: S310  # our own server
    with urllib.request.urlopen(request, timeout=_PATIENCE) as response:  # noqa: S310
        text: str = response.read().decode()
    return text

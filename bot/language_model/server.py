"""The child process that runs the local model: llama.cpp's OpenAI-compatible server on loopback.

Started as `python -m bot.language_model.server`. One JSON line on stdin says what to run, one on stdout where it
listens (`{"url": …}`) or why not (`{"error": …}`). The end of stdin, which a dead parent causes too, ends it at once.
"""

from __future__ import annotations

import contextlib
import ctypes
import importlib.util
import json
import os
import signal
import sys
import threading
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

_PR_SET_PDEATHSIG = 1
_LONGEST_REPLY = 1_024
# Prompts whose computation waits in memory for the next question that begins like them.
_PROMPT_CACHE_MEBIBYTES = 256


@dataclass(frozen=True, slots=True)
class ServerOptions:
    """What the parent tells the child; secret, so it travels on stdin and not among the arguments.

    Attributes:
        path: Weights.
        name: The model's name in the interface.
        key: What a request must carry.
        threads: Processor threads.
        slots: Requests that are computed at a time.
        context: Tokens of prompt and reply together, for each slot.
        batch: Tokens computed at a time. A request that nobody waits for any more ends after the batch it is in, so
            this is what a reader who left costs the next one: at 64 about a second and a half on two slow cores, and
            prompts are read as fast as at 512.
    """

    path: str
    name: str
    key: str
    threads: int
    slots: int = 2
    context: int = 4_096
    batch: int = 64

    def line(self) -> str:
        """Return the JSON line for the child."""
        return json.dumps(asdict(self)) + "\n"


def main() -> None:
    """Run until stdin ends."""
    options = ServerOptions(**json.loads(sys.stdin.readline()))
    _restrict()
    threading.Thread(target=_end_with_parent, daemon=True).start()
    try:
        server = _serve(options)
        answer = {"url": str(server.listening_address)}
    except (ImportError, OSError, RuntimeError, ValueError) as error:
        answer = {"error": " ".join(str(error).split()) or type(error).__name__}
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()
    if "url" in answer:
        threading.Event().wait()


def _serve(options: ServerOptions) -> Any:
    _find_openmp()
    import xllamacpp  # only after the limits are set, and OpenMP is there

    parameters = xllamacpp.CommonParams()
    parameters.model.path = options.path
    parameters.model_alias = {options.name}
    parameters.api_keys = [options.key]
    parameters.hostnames = ["127.0.0.1"]
    parameters.port = 0
    parameters.n_parallel = options.slots
    parameters.n_ctx = options.slots * options.context
    parameters.n_batch = parameters.n_ubatch = options.batch
    parameters.cpuparams.n_threads = parameters.cpuparams_batch.n_threads = options.threads
    # Weights repacked at loading are read a quarter slower on AVX2 (33 against 41 tokens a second, three runs each).
    parameters.no_extra_bufts = True
    parameters.n_predict = _LONGEST_REPLY
    parameters.cache_prompt = True
    parameters.cache_ram_mib = _PROMPT_CACHE_MEBIBYTES
    parameters.offline = True
    # Nothing but answering: no page, no state of other requests.
    parameters.ui = parameters.endpoint_slots = parameters.endpoint_props = parameters.endpoint_metrics = False
    parameters.verbosity = -1
    return xllamacpp.Server(parameters)


def _restrict() -> None:
    """No files written, no core dumps, no Ctrl-C of the terminal (the parent decides), no life after the parent."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # Modules and calls that other systems lack; the pipe does the rest there.
    with contextlib.suppress(ImportError, OSError, ValueError, AttributeError):
        import resource  # not on every system

        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def _find_openmp() -> None:
    """Load PyTorch's copy of the OpenMP runtime where the system has none; llama.cpp's wheel brings none."""
    try:
        ctypes.CDLL("libgomp.so.1", mode=ctypes.RTLD_GLOBAL)
    except OSError:
        torch = importlib.util.find_spec("torch")
        if torch is not None and torch.origin is not None:
            with contextlib.suppress(OSError):
                ctypes.CDLL(str(Path(torch.origin).parent / "lib" / "libgomp.so.1"), mode=ctypes.RTLD_GLOBAL)


def _end_with_parent() -> None:
    sys.stdin.read()
    os._exit(0)


if __name__ == "__main__":
    main()

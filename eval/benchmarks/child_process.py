"""Measurements in a process of their own, whose memory and loading time are those of what is measured alone."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from importlib import import_module
from typing import Any

from eval.errors import EvaluationError
from index.errors import FootnoteError

_TIMEOUT_SECONDS = 3600


def run_in_child(failure: str, function: str, *arguments: str) -> dict[str, Any]:
    """Call a function in a fresh Python process and return the JSON object that it returns.

    Args:
        failure: How the error message begins, such as "The index could not be measured".
        function: `module:name`. It takes the arguments, and before them the `time.perf_counter()` at which its module
            began to be imported.
        arguments: What it is called with.

    Raises:
        EvaluationError: The process failed.
    """
    command = [sys.executable, "-m", __name__, function, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=_TIMEOUT_SECONDS)  # noqa: S603
    if done.returncode:
        reason = (done.stderr.strip().splitlines() or ["the process printed no error"])[-1]
        raise EvaluationError(f"{failure}: {reason}")
    measured: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return measured


def _main(function: str, *arguments: str) -> None:
    begin = time.perf_counter()
    module, _, name = function.partition(":")
    json.dump(getattr(import_module(module), name)(begin, *arguments), sys.stdout)


if __name__ == "__main__":
    try:
        _main(*sys.argv[1:])
    except FootnoteError as error:
        sys.exit(str(error))

"""One indexing run in a process of its own: what a document does to it does not touch the server."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Mapping
from typing import Any

from bot.errors import WatchError
from bot.settings import Settings

_LOOK_SECONDS = 0.25


def index_in_child(settings: Settings, stop: threading.Event) -> Mapping[str, Any]:
    """Index the folders of the settings and return the fields of the `SyncReport`.

    Args:
        settings: What to index, and where.
        stop: Ends the process at once; the next run takes up what it had done.

    Raises:
        WatchError: Nothing was indexed; the message says why.
    """
    command = [sys.executable, "-P", "-m", "bot.watch.child", str(os.getpid())]
    # Its secrets go by stdin, where no other user of the machine sees them; the language model's is not needed.
    order = settings.model_dump_json(exclude={"remote_key"}, exclude_unset=True) + "\n"
    try:
        with subprocess.Popen(  # noqa: S603  # fixed arguments, no shell
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        ) as child:
            output, errors = _wait(child, order, stop)
    except OSError as error:
        raise WatchError(f"the process that indexes cannot be started ({error.strerror}).") from error
    try:
        answer = json.loads(output.splitlines()[-1])
    except (IndexError, ValueError):
        last = (errors.strip().splitlines() or ["without a word"])[-1]
        raise WatchError(f"the process that indexes ended with {child.returncode} ({last}).") from None
    if "error" in answer:
        raise WatchError(answer["error"])
    report: Mapping[str, Any] = answer["report"]
    return report


def _wait(child: subprocess.Popen[str], order: str, stop: threading.Event) -> tuple[str, str]:
    """Return what the child wrote to stdout and stderr."""
    unsent: str | None = order
    while True:
        try:
            return child.communicate(unsent, timeout=_LOOK_SECONDS)
        except subprocess.TimeoutExpired:
            unsent = None  # the first call goes on with it
            if stop.is_set():
                child.kill()

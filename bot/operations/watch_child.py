"""The child process that indexes for a server that goes on serving: `python -m bot.operations.watch_child PARENT`.

One JSON line on stdin holds the settings; the last line on stdout says what was done (`{"report": …}`) or why it could
not be (`{"error": …}`). When the parent dies, so does the child.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
import time
from dataclasses import asdict

from bot.settings import Settings
from index.errors import FootnoteError

_NICENESS = 10  # answers come first
_LOOK_SECONDS = 1.0


def main() -> None:
    """Index the folders of the settings once."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C of the terminal: the parent decides
    threading.Thread(target=_end_with, args=(int(sys.argv[1]),), daemon=True).start()
    os.nice(_NICENESS)
    settings = Settings(**json.loads(sys.stdin.readline()))
    from bot.operations.indexing import index_documents  # takes seconds to import

    answer: dict[str, object]
    try:
        report = index_documents(settings.documents, settings, lambda _stage, _done, _total: None, unattended=True)
        answer = {"report": asdict(report)}
    except FootnoteError as error:
        answer = {"error": str(error)}
    sys.stdout.write(json.dumps(answer) + "\n")


def _end_with(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(_LOOK_SECONDS)
    os._exit(1)


if __name__ == "__main__":
    main()

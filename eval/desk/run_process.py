"""`python -m eval.desk.run_process ARGUMENTS…`: the command line as a child of the evaluator's page.

It can be interrupted even where the server was started in the background, whose children ignore interrupts, and it ends
when the server is gone, however that came about: its standard input is a pipe that only the server holds open.
"""

from __future__ import annotations

import os
import signal
import sys
import threading

_INTERRUPTED = 130
_STDIN = 0


def run() -> None:
    """Run the command line until it ends, is interrupted, or nobody holds the other end of the pipe."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    try:
        from bot.cli import main  # an interrupt must be understood before anything slow is imported

        main()
    except KeyboardInterrupt:
        sys.exit(_INTERRUPTED)


def _end_with_parent() -> None:
    while os.read(_STDIN, 1):
        pass
    os.kill(os.getpid(), signal.SIGINT)


if __name__ == "__main__":
    run()

"""An indexing run as every command does it, in this process or in a child process.

A server that goes on serving uses a child, so that a document that crashes a library does not stop the server. One JSON
line on the child's stdin holds the settings; the last line on its stdout says what was done (`{"report": …}`) or why it
could not be (`{"error": …}`). The child ends when its parent does.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bot.answer.errors import WatchError
from bot.settings import Settings
from index.errors import FootnoteError

if TYPE_CHECKING:
    from index.sync import SyncProgress, SyncReport

_NICENESS = 10  # answers come first
_STOP_SECONDS = 0.25  # between two looks at whether the run shall stop
_PARENT_SECONDS = 1.0  # between two looks at whether the parent is there


def index_documents(
    paths: Sequence[Path],
    settings: Settings,
    progress: SyncProgress,
    *,
    dry_run: bool = False,
    allow_empty: bool = False,
    unattended: bool = False,
) -> SyncReport:
    """Bring the index that the settings name in line with folders; see `synchronise`.

    Args:
        paths: Folders, single files, or corpus files.
        settings: Where the index is and how it is made.
        progress: Called as by `synchronise`, and with the stages "load" before and "examples" after its own.
        dry_run: Report what would change and write nothing.
        allow_empty: Accept folders without a single readable document.
        unattended: Leave files alone that are being written, or that failed before and have not changed.

    Raises:
        FootnoteError: The folders, the data folder or the embedding model cannot be used.
    """
    from bot.build import build_chatbot  # what is imported here takes seconds
    from bot.staff.approved_answers import ApprovedAnswers
    from bot.storage.schema import RECORDS
    from index.embedding.build import build_embedder, bulk_embedder
    from index.store.catalogue import Catalogue
    from index.sync import synchronise

    with closing(Catalogue(settings.catalogue_url())) as catalogue:
        progress("load", 0, 0)
        embedder = build_embedder(settings)
        with bulk_embedder(settings, embedder) as bulk:
            report = synchronise(
                paths,
                settings,
                catalogue,
                bulk,
                dry_run=dry_run,
                allow_empty=allow_empty,
                unattended=unattended,
                progress=progress,
            )
        if not dry_run:
            RECORDS.upgrade(catalogue.engine)
            ApprovedAnswers(catalogue.engine).check(catalogue.document)
    if not dry_run:
        progress("examples", 0, 0)
        with closing(build_chatbot(settings, embedder)) as chatbot:
            chatbot.example_questions()
    return report


def index_in_child(settings: Settings, stop: threading.Event) -> Mapping[str, Any]:
    """Index the folders of the settings and return the fields of the `SyncReport`.

    Args:
        settings: What to index, and where.
        stop: Ends the process at once; the next run takes up what it had done.

    Raises:
        WatchError: Nothing was indexed; the message says why.
    """
    command = [sys.executable, "-P", "-m", "bot.operations.indexing", str(os.getpid())]
    # Secrets go by stdin, which no other user of the machine sees; the key of the language model is not needed.
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
            return child.communicate(unsent, timeout=_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            unsent = None  # the first call goes on with it
            if stop.is_set():
                child.kill()


def _main() -> None:
    """Run the child process: index the folders of the settings once."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C of the terminal: the parent decides
    threading.Thread(target=_end_with, args=(int(sys.argv[1]),), daemon=True).start()
    os.nice(_NICENESS)
    settings = Settings(**json.loads(sys.stdin.readline()))
    answer: dict[str, object]
    try:
        report = index_documents(settings.documents, settings, lambda _stage, _done, _total: None, unattended=True)
        answer = {"report": asdict(report)}
    except FootnoteError as error:
        answer = {"error": str(error)}
    sys.stdout.write(json.dumps(answer) + "\n")


def _end_with(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(_PARENT_SECONDS)
    os._exit(1)


if __name__ == "__main__":
    _main()

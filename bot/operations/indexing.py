"""An indexing run as every command does it: index, approved answers and example questions in line with folders."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from bot.build import build_chatbot
from bot.settings import Settings
from bot.staff.approved.store import ApprovedAnswers
from bot.storage.schema import RECORDS
from index.embedding.build import build_embedder, bulk_embedder
from index.store.catalogue import Catalogue
from index.sync import SyncProgress, SyncReport, synchronise


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
        unattended: Nobody looks on.

    Raises:
        FootnoteError: The folders, the data folder or the embedding model cannot be used.
    """
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

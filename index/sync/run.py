"""An indexing run: what is new, changed, gone or unchanged, and what is done about it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path, PurePosixPath

import sqlalchemy as sa

from index.document import Document
from index.embedding.embedder import Embedder
from index.errors import IndexingError, NoDocumentsError, UnreadableDocumentError
from index.generation import clean_up, problem_of, renew
from index.readers import Unreadable
from index.readers.process import ReadingProcess
from index.search.chroma_server import chroma_server
from index.settings import IndexSettings
from index.store.catalogue import Catalogue, DocumentSummary
from index.store.failpoints import failpoint
from index.store.ownership import own
from index.sync.report import Findings, Progress, SyncReport
from index.sync.scan import Source, check_paths, scan
from index.sync.splitter import Splitter
from index.sync.stage import EMBEDDED_AT_ONCE, Split, Stager


def synchronise(
    paths: Sequence[Path],
    settings: IndexSettings,
    catalogue: Catalogue,
    embedder: Embedder,
    *,
    dry_run: bool = False,
    allow_empty: bool = False,
    unattended: bool = False,
    progress: Progress | None = None,
) -> SyncReport:
    """Bring the index in line with folders and corpus files: afterwards it holds just what they hold.

    Args:
        paths: Folders, single files, or corpus files.
        settings: Chunk sizes and limits.
        catalogue: The database.
        embedder: Makes the vectors; called only for texts that have none yet.
        dry_run: Report what would change and write nothing.
        allow_empty: Accept folders without a single readable document, which empties the index.
        unattended: Nobody looks on: leave a file alone that is being written, or that could not be read before and has
            not changed, and follow no other folders than the last run did.
        progress: Called with a stage name, done, and total or 0 where that is not known. Stages overlap, and two
            threads call.

    Raises:
        NoDocumentsError: There is nothing to index, or one of several folders is empty, and `allow_empty` is not set.
        IndexBusyError: Another process is indexing.
        IndexingError: A path does not exist, or the data folder cannot be used.
    """
    check_paths(paths)
    with own(settings.data_dir), catalogue.elected():
        run = _Run(
            settings, catalogue, embedder, progress or (lambda _stage, _done, _total: None), unattended=unattended
        )
        try:
            return run.apply(paths, dry_run=dry_run, allow_empty=allow_empty)
        except sa.exc.DBAPIError as error:
            raise IndexingError(
                f"The database could not be written ({str(error.orig).splitlines()[0]}): make sure that it can be "
                "reached and that there is room, and run `footnote index` again. The index was left as it was."
            ) from error


class _Run:
    def __init__(
        self,
        settings: IndexSettings,
        catalogue: Catalogue,
        embedder: Embedder,
        progress: Progress,
        *,
        unattended: bool,
    ) -> None:
        self._settings = settings
        self._catalogue = catalogue
        self._embedder = embedder
        self._progress = progress
        self._splitter = Splitter(
            embedder.tokenize,
            embedder.model_id,
            chunk_tokens=settings.chunk_tokens,
            overlap_tokens=settings.overlap_tokens,
        )
        self._pipeline = self._splitter.version
        self._unattended = unattended
        self._report = SyncReport()
        self._findings = Findings(catalogue.files, self._report)
        self._stager = Stager(catalogue, embedder, self._report, progress)
        self._reading = ReadingProcess()
        self._live: dict[str, DocumentSummary] = {}
        self._moved: dict[str, str] = {}  # unchanged documents that now come from another file
        self._seen: dict[str, str] = {}  # document id -> source that brought it

    def apply(self, paths: Sequence[Path], *, dry_run: bool, allow_empty: bool) -> SyncReport:
        report = self._report
        report.dry_run = dry_run
        if self._unattended:
            self._check_folders(paths)
        self._live = {summary.document_id: summary for summary in self._catalogue.summaries()}
        found = scan(paths, report, self._findings, self._progress, unattended=self._unattended)
        if not dry_run:
            self._catalogue.discard_staged()
            clean_up(self._settings.data_dir, self._catalogue)
        self._stage_all(found.sources)
        kept = {failure.source for failure in report.failed} | set(report.pending)
        report.removed = sorted(
            key
            for key, summary in self._live.items()
            if key not in self._seen and not (kept & {key, summary.source, *_folders_of(summary.source)})
        )
        if not allow_empty:
            self._check_loss(paths, found.empty_folders, kept)
        for names in (report.added, report.changed, report.unchanged):
            names.sort()
        if not dry_run:
            self._publish(paths)
        report.chunks = self._catalogue.count_chunks()
        report.fingerprint = self._catalogue.property("fingerprint")
        return report

    def _check_folders(self, paths: Sequence[Path]) -> None:
        last = self._catalogue.property("folders")
        if last and last != _listed(paths):
            raise IndexingError(
                f"The index was made of {', '.join(map(repr, json.loads(last)))}, not of "
                f"{', '.join(repr(str(path)) for path in paths)}: correct the setting `documents`, or run "
                "`footnote index` once to change over. Nothing was changed."
            )

    def _check_loss(self, paths: Sequence[Path], empty_folders: Sequence[Path], kept: set[str]) -> None:
        """Refuse to lose documents because a disk is not there."""
        live = self._live
        all_excluded = bool(live) and {one.source for one in live.values()} <= set(self._report.excluded)
        if not self._seen and not self._report.pending and not (live and kept) and not all_excluded:
            raise NoDocumentsError(self._nothing_found(paths))
        if self._report.removed and empty_folders:
            raise NoDocumentsError(
                f"The folder {str(empty_folders[0])!r} is empty: is its disk there? Pass --allow-empty if it is "
                "meant to be. The index was left as it was."
            )

    def _nothing_found(self, paths: Sequence[Path]) -> str:
        shown = ", ".join(repr(str(path)) for path in paths)
        reasons = "; ".join(f"{failure.source}: {failure.reason}" for failure in self._report.failed[:3])
        found = f" ({len(self._report.failed)} could not be read: {reasons})" if reasons else ""
        return (
            f"No documents to index in {shown}{found}: add readable files, or pass --allow-empty to empty the index. "
            "The index was left as it was."
        )

    # Read, split, stage ---------------------------------------------------------------------------------------------

    def _stage_all(self, sources: Sequence[Source]) -> None:
        same_pipeline = self._catalogue.property("pipeline") == self._pipeline
        findings = self._findings
        known = findings.known_hashes(unattended=self._unattended) if same_pipeline else {}
        findings.hashes = {source.name: source.file_hash for source in sources}
        findings.waiting = {name for name, file_hash in findings.hashes.items() if known.get(name) != file_hash}
        if not self._report.dry_run:
            findings.write_waiting()
        batches = self._split(sources, known, same_pipeline=same_pipeline)
        # While one batch is embedded, which leaves Python's lock free, the next is read and split.
        with self._reading, ThreadPoolExecutor(1, "footnote-reading") as reader:
            ahead = reader.submit(next, batches, None)
            while batch := ahead.result():
                ahead = reader.submit(next, batches, None)
                self._stager.stage(batch)
                findings.write_failures()
        self._progress("read", len(sources), len(sources))

    def _split(
        self, sources: Sequence[Source], known: Mapping[str, str], *, same_pipeline: bool
    ) -> Iterator[list[Split]]:
        """Yield what is new in batches of documents, never an empty one."""
        by_source: dict[str, list[str]] = {}
        for summary in self._live.values():
            by_source.setdefault(summary.source, []).append(summary.document_id)
        waiting: list[Split] = []
        size = 0
        for number, source in enumerate(sources):
            self._progress("read", number, len(sources))
            if known.get(source.name) == source.file_hash:
                self._keep(source, by_source.get(source.name, []))
                continue
            for document in self._read(source):
                failpoint("read")
                if not self._claim(document.document_id, source.name):
                    continue
                is_new = self._is_new(document, source, same_pipeline=same_pipeline)
                if not is_new or self._report.dry_run:
                    continue
                waiting.append(Split(document, self._splitter.split(document), source.name))
                size += len(waiting[-1].chunks)
                if size >= EMBEDDED_AT_ONCE:
                    yield waiting
                    waiting, size = [], 0
        if waiting:
            yield waiting

    def _keep(self, source: Source, document_ids: Sequence[str]) -> None:
        """Leave the documents of a file as they are that is as it was."""
        before = self._findings.before[source.name]
        if before.state == "failed":
            self._findings.fail_whole(source.name, before.reason)
            return
        for document_id in document_ids:
            if self._claim(document_id, source.name):
                self._report.unchanged.append(document_id)

    def _read(self, source: Source) -> Iterator[Document]:
        try:
            for item in self._reading.read_file(
                source.path, source.name, maximum_bytes=self._settings.maximum_file_bytes
            ):
                if isinstance(item, Unreadable):
                    self._findings.fail(item.source, item.reason, source.name)
                else:
                    yield item
        except UnreadableDocumentError as error:
            self._findings.fail_whole(source.name, str(error))

    def _claim(self, document_id: str, source: str) -> bool:
        """Record which source a document came from; a second one with the same id is a failure."""
        first = self._seen.setdefault(document_id, source)
        if first != source:
            self._findings.fail(source, f"has the id {document_id!r} that {first!r} has already: rename one of them")
        return first == source

    def _is_new(self, document: Document, source: Source, *, same_pipeline: bool) -> bool:
        """Return whether a document must be indexed, and report it."""
        known = self._live.get(document.document_id)
        old = known if same_pipeline else None
        if old is not None and old.content_hash == document.content_hash():
            self._report.unchanged.append(document.document_id)
            if old.source != source.name:
                self._moved[document.document_id] = source.name
            return False
        (self._report.changed if known is not None else self._report.added).append(document.document_id)
        for kind in {mark.kind.value for mark in document.marks}:
            self._report.marks[kind] = self._report.marks.get(kind, 0) + 1
        return True

    # Publish --------------------------------------------------------------------------------------------------------

    def _publish(self, paths: Sequence[Path]) -> None:
        report = self._report
        data_dir = self._settings.data_dir
        replaced = {*report.changed, *report.removed}
        live, fingerprint = self._catalogue.property("generation"), self._catalogue.property("fingerprint")
        other_model = self._catalogue.property("embedding_model") != self._embedder.model_id
        if report.added or replaced or not live or other_model or problem_of(data_dir, live, fingerprint):
            if live and not other_model:
                self._check_vectors()
            renew(
                data_dir,
                self._catalogue,
                self._embedder.model_id,
                replaced,
                pipeline=self._pipeline,
                server=chroma_server(self._settings, self._catalogue),
                progress=lambda _index, done: self._progress("build", done, 0),
            )
        self._catalogue.relate()
        if self._moved:
            self._catalogue.move_documents(self._moved)
        self._findings.write_all()
        self._catalogue.set_properties({"folders": _listed(paths)})

    def _check_vectors(self) -> None:
        """Refuse to build an index of what is not what was stored."""
        if damaged := self._catalogue.chunk_sets.count_damaged_vectors(self._embedder.dimension):
            raise IndexingError(
                f"The vectors of {damaged} chunks in the database are lost or cut short: restore a backup with "
                "`footnote restore`, or index the folders into a new --data-dir. The index was left as it was."
            )


def _folders_of(source: str) -> list[str]:
    """Return the names of the folders above a file."""
    return [parent.as_posix() for parent in PurePosixPath(source).parents]


def _listed(paths: Sequence[Path]) -> str:
    return json.dumps([str(path.absolute()) for path in paths], ensure_ascii=False)

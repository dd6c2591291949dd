"""An indexing run: determine which documents are new, changed, removed or unchanged; read, split, embed, publish."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Final

import sqlalchemy as sa

from index.document import Chunk, Document
from index.embedding.embedder import Embedder
from index.errors import IndexingError, NoDocumentsError, UnreadableDocumentError
from index.generation import finish_sweep, problem_of, publish_generation
from index.readers import Unreadable
from index.readers.process import ReadingProcess
from index.search.chroma_server import chroma_server
from index.settings import IndexSettings
from index.store.catalogue import Catalogue, LiveDocument, vector_key
from index.store.failpoints import failpoint
from index.store.ownership import lock_data_folder
from index.sync.scan import ScannedFile, check_paths, scan
from index.sync.splitter import Splitter
from index.sync.sync_report import OutcomeCollector, SyncProgress, SyncReport

_BATCH: Final = 128  # chunks that are embedded together
_TITLE_CHARACTERS: Final = 120  # of the title, for context; a whole headline would outweigh the passage


def synchronise(
    paths: Sequence[Path],
    settings: IndexSettings,
    catalogue: Catalogue,
    embedder: Embedder,
    *,
    dry_run: bool = False,
    allow_empty: bool = False,
    unattended: bool = False,
    progress: SyncProgress | None = None,
) -> SyncReport:
    """Bring the index in line with folders and corpus files: afterwards it contains exactly their documents.

    Args:
        paths: Folders, single files, or corpus files.
        settings: Chunk sizes and limits.
        catalogue: The database.
        embedder: Makes the vectors; called only for texts that have none yet.
        dry_run: Report what would change and write nothing.
        allow_empty: Accept folders without a single readable document, which empties the index.
        unattended: No person starts this run: leave out files that are being written, or that could not be read before
            and have not changed, and refuse other folders than those of the last run.
        progress: Called with a stage name, done, and total or 0 if that is unknown. Stages overlap, and two threads
            call.

    Raises:
        NoDocumentsError: There is nothing to index, or one of several folders is empty, and `allow_empty` is not set.
        IndexBusyError: Another process is indexing.
        IndexingError: A path does not exist, or the data folder cannot be used.
    """
    check_paths(paths)
    with lock_data_folder(settings.data_dir), catalogue.elected():
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


@dataclass(frozen=True, slots=True)
class _SplitDocument:
    document: Document
    chunks: list[Chunk]
    source: str


class _Run:
    def __init__(
        self,
        settings: IndexSettings,
        catalogue: Catalogue,
        embedder: Embedder,
        progress: SyncProgress,
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
        self._unattended = unattended
        self._report = SyncReport()
        self._outcomes = OutcomeCollector(catalogue.files, self._report)
        self._reading = ReadingProcess()
        self._live: dict[str, LiveDocument] = {}
        self._moved: dict[str, str] = {}  # unchanged documents that now come from another file
        self._seen: dict[str, str] = {}  # document id -> file that it was read from

    def apply(self, paths: Sequence[Path], *, dry_run: bool, allow_empty: bool) -> SyncReport:
        report = self._report
        report.dry_run = dry_run
        if self._unattended:
            self._check_folders(paths)
        self._live = {summary.document_id: summary for summary in self._catalogue.summaries()}
        files, empty_folders = scan(paths, report, self._outcomes, self._progress, unattended=self._unattended)
        if not dry_run:
            self._catalogue.discard_staged()
            finish_sweep(self._settings.data_dir, self._catalogue)
        self._stage_all(files)
        kept = {failure.source for failure in report.failed} | set(report.pending)
        report.removed = sorted(
            key
            for key, summary in self._live.items()
            if key not in self._seen and not (kept & {key, summary.source, *_folders_of(summary.source)})
        )
        if not allow_empty:
            self._check_loss(paths, empty_folders, kept)
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
        """Refuse to remove documents because a disk is not mounted."""
        live, failed = self._live, self._report.failed
        all_excluded = bool(live) and {summary.source for summary in live.values()} <= set(self._report.excluded)
        if not self._seen and not self._report.pending and not (live and kept) and not all_excluded:
            folders = ", ".join(repr(str(path)) for path in paths)
            reasons = "; ".join(f"{failure.source}: {failure.reason}" for failure in failed[:3])
            found = f" ({len(failed)} could not be read: {reasons})" if reasons else ""
            raise NoDocumentsError(
                f"No documents to index in {folders}{found}: add readable files, or pass --allow-empty to empty the "
                "index. The index was left as it was."
            )
        if self._report.removed and empty_folders:
            raise NoDocumentsError(
                f"The folder {str(empty_folders[0])!r} is empty: is its disk there? Pass --allow-empty if it is "
                "meant to be. The index was left as it was."
            )

    # Read, split, stage ---------------------------------------------------------------------------------------------

    def _stage_all(self, files: Sequence[ScannedFile]) -> None:
        same_pipeline = self._catalogue.property("pipeline") == self._splitter.version
        outcomes = self._outcomes
        known = outcomes.known_hashes(unattended=self._unattended) if same_pipeline else {}
        outcomes.hashes = {file.name: file.file_hash for file in files}
        outcomes.to_read = {name for name, file_hash in outcomes.hashes.items() if known.get(name) != file_hash}
        if not self._report.dry_run:
            outcomes.write_pending()
        batches = self._split(files, known, same_pipeline=same_pipeline)
        # While one batch is embedded, which releases the interpreter lock, the next is read and split.
        with self._reading, ThreadPoolExecutor(1, "footnote-reading") as reader:
            ahead = reader.submit(next, batches, None)
            while batch := ahead.result():
                ahead = reader.submit(next, batches, None)
                self._stage(batch)
                outcomes.write_failures()
        self._progress("read", len(files), len(files))

    def _stage(self, batch: Sequence[_SplitDocument]) -> None:
        """Store documents and the vectors of their chunks; texts that have a vector are not embedded again."""
        texts: dict[str, str] = {}
        keys: list[list[str]] = []
        for split in batch:
            embedded = [f"{split.document.title[:_TITLE_CHARACTERS]}\n{chunk.text}" for chunk in split.chunks]
            keys.append([vector_key(self._embedder.model_id, text) for text in embedded])
            texts.update(zip(keys[-1], embedded, strict=True))
        missing = sorted(self._catalogue.missing_vectors(list(texts)))
        for begin in range(0, len(missing), _BATCH):
            some = missing[begin : begin + _BATCH]
            vectors = self._embedder.embed([texts[key] for key in some])
            failpoint("embed")
            self._catalogue.add_vectors(dict(zip(some, vectors, strict=True)))  # kept if the run is interrupted
            self._report.embedded += len(some)
            self._progress("embed", self._report.embedded, 0)
        for split, vector_ids in zip(batch, keys, strict=True):
            self._catalogue.stage(split.document, split.chunks, vector_ids, split.source)
            failpoint("stage")

    def _split(
        self, files: Sequence[ScannedFile], known: Mapping[str, str], *, same_pipeline: bool
    ) -> Iterator[list[_SplitDocument]]:
        """Yield new and changed documents in batches, never an empty one."""
        by_source: dict[str, list[str]] = {}
        for summary in self._live.values():
            by_source.setdefault(summary.source, []).append(summary.document_id)
        batch: list[_SplitDocument] = []
        size = 0
        for number, file in enumerate(files):
            self._progress("read", number, len(files))
            if known.get(file.name) == file.file_hash:
                self._keep(file, by_source.get(file.name, []))
                continue
            for document in self._read(file):
                failpoint("read")
                if not self._claim(document.document_id, file.name):
                    continue
                is_new = self._is_new(document, file, same_pipeline=same_pipeline)
                if not is_new or self._report.dry_run:
                    continue
                batch.append(_SplitDocument(document, self._splitter.split(document), file.name))
                size += len(batch[-1].chunks)
                if size >= _BATCH:
                    yield batch
                    batch, size = [], 0
        if batch:
            yield batch

    def _keep(self, file: ScannedFile, document_ids: Sequence[str]) -> None:
        """Keep the documents of an unchanged file, or its failure."""
        before = self._outcomes.before[file.name]
        if before.state == "failed":
            self._outcomes.fail_whole(file.name, before.reason)
            return
        for document_id in document_ids:
            if self._claim(document_id, file.name):
                self._report.unchanged.append(document_id)

    def _read(self, file: ScannedFile) -> Iterator[Document]:
        try:
            for item in self._reading.read_file(file.path, file.name, maximum_bytes=self._settings.maximum_file_bytes):
                if isinstance(item, Unreadable):
                    self._outcomes.fail(item.source, item.reason, file.name)
                else:
                    yield item
        except UnreadableDocumentError as error:
            self._outcomes.fail_whole(file.name, str(error))

    def _claim(self, document_id: str, source: str) -> bool:
        """Record which file a document was read from; a second file with the same document id is a failure."""
        first = self._seen.setdefault(document_id, source)
        if first != source:
            self._outcomes.fail(source, f"has the id {document_id!r} that {first!r} has already: rename one of them")
        return first == source

    def _is_new(self, document: Document, file: ScannedFile, *, same_pipeline: bool) -> bool:
        """Return whether a document must be indexed, and report it."""
        known = self._live.get(document.document_id)
        if known is not None and same_pipeline and known.content_hash == document.content_hash():
            self._report.unchanged.append(document.document_id)
            if known.source != file.name:
                self._moved[document.document_id] = file.name
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
            publish_generation(
                data_dir,
                self._catalogue,
                self._embedder.model_id,
                replaced,
                pipeline=self._splitter.version,
                server=chroma_server(self._settings, self._catalogue),
                progress=lambda _index, done: self._progress("build", done, 0),
            )
        self._catalogue.relate()
        if self._moved:
            self._catalogue.move_documents(self._moved)
        self._outcomes.write_all()
        self._catalogue.set_properties({"folders": _listed(paths)})

    def _check_vectors(self) -> None:
        """Refuse to build an index from missing or truncated vectors."""
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

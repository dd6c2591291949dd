"""Folder to index: scan, plan, apply. What a run is interrupted at, the next one takes up.

scan      which files there are, and their hashes
plan      which are new, changed, gone, unchanged
apply     read, split, embed, stage; build a generation; publish both in one transaction; sweep
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

import sqlalchemy as sa

from index.catalogue import Catalogue, DocumentSummary, vector_key
from index.chroma_server import chroma_server
from index.document import Chunk, Document
from index.embedding.embedder import Embedder
from index.errors import IndexingError, NoDocumentsError, UnreadableDocumentError
from index.failpoints import failpoint
from index.files import Outcome
from index.generation import clean_up, problem_of, renew
from index.ownership import own
from index.paths import check_paths, files_below, is_still
from index.readers import READERS_VERSION, Unreadable, is_supported
from index.readers.process import ReadingProcess
from index.settings import IndexSettings
from index.splitter import Splitter

Progress = Callable[[str, int, int], None]

_TITLE_CHARACTERS = 120  # enough of a title for context; a whole headline would crowd out the passage
_EMBED_AT_ONCE = 128


@dataclass(frozen=True, slots=True)
class Failure:
    """A file that could not be indexed, and why."""

    source: str
    reason: str


@dataclass(slots=True)
class SyncReport:
    """What a run did.

    Attributes:
        added: Document ids, sorted, as in the next three.
        pending: Files that are being written and wait for the next run.
        excluded: Files that people keep out.
        marks: By kind, how many of the added and changed documents hold something that is kept out of answers.
    """

    added: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)
    unchanged: list[str] = field(default_factory=list)
    failed: list[Failure] = field(default_factory=list)
    pending: list[str] = field(default_factory=list)
    excluded: list[str] = field(default_factory=list)
    chunks: int = 0
    embedded: int = 0
    fingerprint: str = ""
    dry_run: bool = False
    marks: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Source:
    """A file to be indexed: where it is, and its name in the index."""

    path: Path
    name: str
    file_hash: str


@dataclass(frozen=True, slots=True)
class _Split:
    """A document to be staged."""

    document: Document
    chunks: list[Chunk]
    source: str


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
        self._report = SyncReport()
        self._unattended = unattended
        self._before = catalogue.files.last_outcomes()
        self._empty_folders: list[Path] = []
        self._hashes: dict[str, str] = {}  # of every file that is to be indexed
        self._waiting: set[str] = set()  # files that are not known to be as they were
        self._reasons: dict[str, list[str]] = {}  # file -> what is wrong with it or with parts of it
        self._unreadable: set[str] = set()  # files of which nothing could be read
        self._moved: dict[str, str] = {}  # unchanged documents that now come from another file
        self._seen: dict[str, str] = {}  # document id -> source that brought it
        self._reading = ReadingProcess()

    def apply(self, paths: Sequence[Path], *, dry_run: bool, allow_empty: bool) -> SyncReport:
        report = self._report
        report.dry_run = dry_run
        if self._unattended:
            self._check_folders(paths)
        live = {summary.document_id: summary for summary in self._catalogue.summaries()}
        sources = self._scan(paths)
        if not dry_run:
            self._catalogue.discard_staged()
            clean_up(self._settings.data_dir, self._catalogue)
        self._stage_all(sources, live, dry_run=dry_run)
        kept = {failure.source for failure in report.failed} | set(report.pending)
        report.removed = sorted(
            key
            for key, summary in live.items()
            if key not in self._seen and not (kept & {key, summary.source, *_folders_of(summary.source)})
        )
        if not allow_empty:
            self._check_loss(paths, live, kept)
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

    def _check_loss(self, paths: Sequence[Path], live: dict[str, DocumentSummary], kept: set[str]) -> None:
        """Refuse to lose documents because a disk is not there."""
        all_excluded = bool(live) and {one.source for one in live.values()} <= set(self._report.excluded)
        if not self._seen and not self._report.pending and not (live and kept) and not all_excluded:
            raise NoDocumentsError(self._nothing_found(paths))
        if self._report.removed and self._empty_folders:
            raise NoDocumentsError(
                f"The folder {str(self._empty_folders[0])!r} is empty: is its disk there? Pass --allow-empty if it is "
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

    # Scan -----------------------------------------------------------------------------------------------------------

    def _scan(self, paths: Sequence[Path]) -> list[Source]:
        below = {path: files_below(path, self._fail_to_open) for path in paths}
        self._empty_folders = [path for path, files in below.items() if not files]
        files = [pair for pairs in below.values() for pair in pairs]
        sources = []
        for number, (path, name) in enumerate(files):
            self._progress("scan", number, len(files))
            if (before := self._before.get(name)) and before.excluded:
                self._report.excluded.append(name)
                continue
            if path.is_symlink() and not any(path.resolve().is_relative_to(root.resolve()) for root in paths):
                self._fail(name, "is a link out of the folder: copy the file into it")
                continue
            if not path.is_file():
                self._fail(name, "is a link to a folder or to nothing: index that folder itself")
                continue
            if not is_supported(path):
                self._fail(name, f"is not a supported format ({path.suffix or 'no suffix'})")
                continue
            try:
                if self._unattended and not is_still(path):
                    self._report.pending.append(name)
                    continue
                sources.append(Source(path, name, _hash_file(path)))
            except OSError as error:
                self._fail_to_open(name, error)
        return sources

    # Read, split, embed, stage --------------------------------------------------------------------------------------

    def _stage_all(self, sources: list[Source], live: dict[str, DocumentSummary], *, dry_run: bool) -> None:
        same_pipeline = self._catalogue.property("pipeline") == self._pipeline
        known = self._known_hashes() if same_pipeline else {}
        self._hashes = {source.name: source.file_hash for source in sources}
        self._waiting = {name for name, file_hash in self._hashes.items() if known.get(name) != file_hash}
        if not dry_run:
            self._catalogue.files.write(dict.fromkeys(self._waiting, Outcome("pending")))
        by_source: dict[str, list[str]] = {}
        for summary in live.values():
            by_source.setdefault(summary.source, []).append(summary.document_id)
        batches = self._split(sources, live, known, by_source, same_pipeline=same_pipeline, dry_run=dry_run)
        # While one batch is embedded, which leaves Python's lock free, the next is read and split.
        told: set[str] = set()
        with self._reading, ThreadPoolExecutor(1, "footnote-reading") as reader:
            ahead = reader.submit(next, batches, None)
            while batch := ahead.result():
                ahead = reader.submit(next, batches, None)
                self._stage(batch)
                failed = {name: self._outcome(name) for name in set(self._reasons) - told}
                self._catalogue.files.write(failed)
                told |= failed.keys()
        self._progress("read", len(sources), len(sources))

    def _split(
        self,
        sources: list[Source],
        live: dict[str, DocumentSummary],
        known: dict[str, str],
        by_source: dict[str, list[str]],
        *,
        same_pipeline: bool,
        dry_run: bool,
    ) -> Iterator[list[_Split]]:
        """Yield what is new in batches of documents, never an empty one."""
        waiting: list[_Split] = []
        size = 0
        for number, source in enumerate(sources):
            self._progress("read", number, len(sources))
            if known.get(source.name) == source.file_hash:
                before = self._before[source.name]
                if before.state == "failed":
                    self._unreadable.add(source.name)
                    self._fail(source.name, before.reason)
                else:
                    self._keep(source, by_source.get(source.name, []))
                continue
            for document in self._read(source):
                failpoint("read")
                if not self._claim(document.document_id, source.name):
                    continue
                old = live.get(document.document_id)
                if not self._is_new(document, source, old if same_pipeline else None, known=old is not None) or dry_run:
                    continue
                waiting.append(_Split(document, self._splitter.split(document), source.name))
                size += len(waiting[-1].chunks)
                if size >= _EMBED_AT_ONCE:
                    yield waiting
                    waiting, size = [], 0
        if waiting:
            yield waiting

    def _keep(self, source: Source, document_ids: list[str]) -> None:
        for document_id in document_ids:
            if self._claim(document_id, source.name):
                self._report.unchanged.append(document_id)

    def _read(self, source: Source) -> Iterator[Document]:
        try:
            for item in self._reading.read_file(
                source.path, source.name, maximum_bytes=self._settings.maximum_file_bytes
            ):
                if isinstance(item, Unreadable):
                    self._fail(item.source, item.reason, source.name)
                else:
                    yield item
        except UnreadableDocumentError as error:
            self._unreadable.add(source.name)
            self._fail(source.name, str(error))

    def _claim(self, document_id: str, source: str) -> bool:
        """Record which source a document came from; a second one with the same id is a failure."""
        first = self._seen.setdefault(document_id, source)
        if first != source:
            self._fail(source, f"has the id {document_id!r} that {first!r} has already: rename one of them")
        return first == source

    def _is_new(self, document: Document, source: Source, old: DocumentSummary | None, *, known: bool) -> bool:
        """Return whether a document must be indexed, and report it; `old` is its version under the same pipeline."""
        if old is not None and old.content_hash == document.content_hash():
            self._report.unchanged.append(document.document_id)
            if old.source != source.name:
                self._moved[document.document_id] = source.name
            return False
        (self._report.changed if known else self._report.added).append(document.document_id)
        for kind in {mark.kind.value for mark in document.marks}:
            self._report.marks[kind] = self._report.marks.get(kind, 0) + 1
        return True

    def _stage(self, batch: list[_Split]) -> None:
        texts: dict[str, str] = {}
        keys: list[list[str]] = []
        for one in batch:
            embedded = [f"{one.document.title[:_TITLE_CHARACTERS]}\n{chunk.text}" for chunk in one.chunks]
            keys.append([vector_key(self._embedder.model_id, text) for text in embedded])
            texts.update(zip(keys[-1], embedded, strict=True))
        missing = sorted(self._catalogue.missing_vectors(list(texts)))
        for begin in range(0, len(missing), _EMBED_AT_ONCE):
            some = missing[begin : begin + _EMBED_AT_ONCE]
            vectors = self._embedder.embed([texts[key] for key in some])
            failpoint("embed")
            self._catalogue.add_vectors(dict(zip(some, vectors, strict=True)))  # an interrupted run keeps these
            self._report.embedded += len(some)
            self._progress("embed", self._report.embedded, 0)
        for one, vector_ids in zip(batch, keys, strict=True):
            self._catalogue.stage(one.document, one.chunks, vector_ids, one.source)
            failpoint("stage")

    # Publish --------------------------------------------------------------------------------------------------------

    def _publish(self, paths: Sequence[Path]) -> None:
        report = self._report
        data_dir = self._settings.data_dir
        replaced = {*report.changed, *report.removed}
        live, fingerprint = self._catalogue.property("generation"), self._catalogue.property("fingerprint")
        other_model = self._catalogue.property("embedding_model") != self._embedder.model_id
        if report.added or replaced or not live or other_model or problem_of(data_dir, live, fingerprint):
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
        self._record_files(paths)

    def _record_files(self, paths: Sequence[Path]) -> None:
        """Write what became of the files. What was found as before is left alone: people may have marked it since."""
        names = {*self._hashes, *self._reasons, *self._report.pending, *self._report.excluded}
        outcomes = {name: self._outcome(name) for name in names}
        changed = {
            name: outcome
            for name, outcome in outcomes.items()
            if name in self._waiting or outcome != self._before.get(name)
        }
        self._catalogue.files.write(changed)
        self._catalogue.files.keep_only(names)
        self._catalogue.set_properties({"folders": _listed(paths)})

    def _outcome(self, name: str) -> Outcome:
        if reasons := self._reasons.get(name):
            more = f" (and {len(reasons) - 1} more)" if len(reasons) > 1 else ""
            return Outcome("failed", reasons[0] + more, self._hashes[name] if name in self._unreadable else "")
        if name in self._hashes:
            return Outcome("indexed", file_hash=self._hashes[name])
        return Outcome("pending", "is being written" if name in self._report.pending else "")

    def _known_hashes(self) -> dict[str, str]:
        """Return the hashes of the files that need not be read again if they are as they were."""
        return {
            name: before.file_hash
            for name, before in self._before.items()
            if before.file_hash and (before.state == "indexed" or self._unattended)
        }

    def _fail(self, source: str, reason: str, file: str = "") -> None:
        """Report what cannot be indexed: a file, or with `file` a part of that."""
        self._report.failed.append(Failure(source, reason))
        part = source.removeprefix(f"{file}, ")
        self._reasons.setdefault(file or source, []).append(f"{part} {reason}" if file else reason)

    def _fail_to_open(self, name: str, error: OSError) -> None:
        self._fail(name, f"cannot be opened ({error.strerror})")


def _hash_file(path: Path) -> str:
    """Return a hash of the file and of how it is read."""
    with path.open("rb") as file:
        return f"{READERS_VERSION}:" + hashlib.file_digest(file, "sha256").hexdigest()


def _folders_of(source: str) -> list[str]:
    """Return the names of the folders above a file."""
    return [parent.as_posix() for parent in PurePosixPath(source).parents]


def _listed(paths: Sequence[Path]) -> str:
    return json.dumps([str(path.absolute()) for path in paths], ensure_ascii=False)

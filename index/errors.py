"""Errors of the document index.

FootnoteError
├── IndexingError
│   ├── NoDocumentsError
│   ├── IndexBusyError
│   ├── IndexMismatchError
│   ├── DatabaseUnavailableError
│   │   └── DatabaseUnwritableError
│   └── ChromaUnavailableError
├── UnreadableDocumentError
├── EmptyIndexError
├── ModelNotFoundError
└── ConversionError
"""


class FootnoteError(Exception):
    """Base of every expected failure. The message is one line: what failed, where, and what to do."""


class IndexingError(FootnoteError):
    """The documents or the data folder cannot be used as asked."""


class NoDocumentsError(IndexingError):
    """The folder holds nothing that could be indexed."""


class IndexBusyError(IndexingError):
    """Another process is writing to the same index."""


class IndexMismatchError(IndexingError):
    """The index was built with another embedding model."""


class DatabaseUnavailableError(IndexingError):
    """The database server is gone, frozen, or refuses. The same call succeeds when it is back."""


class DatabaseUnwritableError(DatabaseUnavailableError):
    """The file of the database cannot be opened or written now: no room, no permission, or a lock."""


class ChromaUnavailableError(IndexingError):
    """The Chroma server is gone, frozen, or refuses. Search continues without it."""


class UnreadableDocumentError(FootnoteError):
    """One file cannot be read; others are indexed. The message is the reason, without the file's name."""


class EmptyIndexError(FootnoteError):
    """A question was asked before anything was indexed."""


class ModelNotFoundError(FootnoteError):
    """Model weights are missing."""


class ConversionError(FootnoteError):
    """An embedding model cannot be compiled; PyTorch runs it. The message is the reason, without the model's name."""

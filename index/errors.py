"""Errors of the document index.

FootnoteError               one line for the reader: what, where, what to do
├── IndexingError           the folder or the data folder cannot be used
│   ├── NoDocumentsError    nothing to index
│   ├── IndexBusyError      another process owns the index
│   ├── IndexMismatchError  the index was built for another embedding model
│   ├── DatabaseUnavailableError  the database server is gone, frozen, or refuses
│   │   └── DatabaseUnwritableError  its file cannot be written: no room, no permission, another's lock
│   └── ChromaUnavailableError    the Chroma server is gone, frozen, or refuses
├── UnreadableDocumentError one file cannot be read; the others go on
├── EmptyIndexError         a question was asked before anything was indexed
├── ModelNotFoundError      model weights are not where they should be
└── ConversionError         an embedding model cannot be compiled; it is run the plain way
"""


class FootnoteError(Exception):
    """Base of every expected failure. The message is shown as it is, on one line."""


class IndexingError(FootnoteError):
    """The documents or the data folder cannot be used as asked."""


class NoDocumentsError(IndexingError):
    """The folder holds nothing that could be indexed."""


class IndexBusyError(IndexingError):
    """Another process is writing to the same index."""


class IndexMismatchError(IndexingError):
    """The index was built with another embedding model."""


class DatabaseUnavailableError(IndexingError):
    """The database server is gone, frozen, or refuses. The same call works when it is back."""


class DatabaseUnwritableError(DatabaseUnavailableError):
    """The file of the database cannot be written or opened now: no room, no permission, a lock."""


class ChromaUnavailableError(IndexingError):
    """The Chroma server is gone, frozen, or refuses. Search goes on without it."""


class UnreadableDocumentError(FootnoteError):
    """One file cannot be read. The message is the reason, without the file's name."""


class EmptyIndexError(FootnoteError):
    """There is no index to search yet."""


class ModelNotFoundError(FootnoteError):
    """Model weights are missing."""


class ConversionError(FootnoteError):
    """An embedding model has no compiled form. The message is the reason, without the model's name."""

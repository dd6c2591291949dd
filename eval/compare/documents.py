"""Whether two runs saw the same documents, and which ones changed in between."""

from __future__ import annotations

from eval.compare.comparison import DocumentChange, DocumentChanges
from eval.report import RunReport


def same_documents(a: RunReport, b: RunReport) -> bool:
    """Return whether the documents are the same: by the hash of each, or of the whole index where there are none."""
    if a.document_hashes and b.document_hashes:
        return a.document_hashes == b.document_hashes
    return a.index_fingerprint == b.index_fingerprint


def document_changes(a: RunReport, b: RunReport) -> DocumentChanges | None:
    """Return which documents are not the same, or None where a report does not say which it had."""
    before, after = a.document_hashes, b.document_hashes
    if not before or not after:
        return None
    return DocumentChanges(
        added=tuple(sorted(after.keys() - before.keys())),
        removed=tuple(sorted(before.keys() - after.keys())),
        changed=tuple(sorted(one for one in before.keys() & after.keys() if before[one] != after[one])),
    )


def kinds_of_change(documents: DocumentChanges) -> dict[str, DocumentChange]:
    """Return what happened to each document that is not the same, by id."""
    kinds: dict[str, DocumentChange] = dict.fromkeys(documents.added, "added")
    kinds |= dict.fromkeys(documents.removed, "removed")
    kinds |= dict.fromkeys(documents.changed, "changed")
    return kinds


def describe_changes(documents: DocumentChanges | None, most: int = 5) -> str:
    """Return the changes as words, such as `1 changed (law.txt), 2 added (a.txt, b.txt)`."""
    if documents is None:
        return "the fingerprints of their indexes differ"
    parts = []
    for kind in ("changed", "added", "removed"):
        names = getattr(documents, kind)
        if names:
            more = ", …" if len(names) > most else ""
            parts.append(f"{len(names)} {kind} ({', '.join(names[:most])}{more})")
    return ", ".join(parts)

"""Addresses of places in documents: what a footnote links to, and how the link is parsed.

The document's id is base64url, so it may contain any character and is never interpreted as a path.
"""

from __future__ import annotations

import base64
import binascii
import hashlib

from bot.answer.answer import Citation


def encode_id(document_id: str) -> str:
    """Return the document's id as one path segment."""
    return base64.urlsafe_b64encode(document_id.encode("utf-8", "surrogatepass")).decode("ascii").rstrip("=")


def decode_id(segment: str) -> str | None:
    """Return the document's id of a path segment, or None when `encode_id` did not make it."""
    try:
        document_id = base64.urlsafe_b64decode(segment + "=" * (-len(segment) % 4)).decode("utf-8", "surrogatepass")
    except (ValueError, binascii.Error):
        return None
    return document_id if encode_id(document_id) == segment else None


def quote_check(quote: str) -> str:
    """Return a hash of a quotation: a link contains it, so that a changed text at its place is noticed."""
    return hashlib.sha256(quote.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def place_path(document_id: str, start: int, end: int, check: str = "") -> str:
    """Return the link to a place in a document."""
    ending = f"&check={check}" if check else ""
    return f"/source/{encode_id(document_id)}?start={start}&end={end}{ending}#cited"


def citation_path(citation: Citation) -> str:
    """Return the link a footnote opens; it notices when the quoted words are no longer there."""
    return place_path(citation.document_id, citation.start, citation.end, quote_check(citation.quote))

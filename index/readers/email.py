"""E-mail: who wrote what to whom and when, the text, and the text files attached to it."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from email import message_from_bytes, policy
from email.errors import MessageError
from email.message import EmailMessage
from typing import Final

from index.document import Document
from index.errors import UnreadableDocumentError
from index.readers.block_text import BlockText
from index.readers.html import write_html
from index.readers.source_file import SourceFile
from index.readers.text_file import decode, normalise_newlines
from index.readers.titles import choose_title

_HEADERS: Final = ("From", "To", "Cc", "Date", "Subject")
# What the standard library raised when mutated messages were read.
_DAMAGE: Final = (MessageError, LookupError, ValueError, TypeError, AttributeError, AssertionError, RecursionError)


def read_email(source: SourceFile) -> Iterator[Document]:
    """Yield the message as one document, titled by its subject; other attachments are named."""
    content = source.read()
    out = BlockText()
    try:
        message = message_from_bytes(content, policy=policy.default)
        if not isinstance(message, EmailMessage) or not any(name in message for name in _HEADERS):
            raise UnreadableDocumentError("is no e-mail message: save it from the mail program as .eml")
        headers = {name: _header(message, name) for name in _HEADERS}
        for name, value in headers.items():
            if value:
                out.write(f"{name}: {value}")
                out.end_line()
        out.end_block()
        has_text = _write_body(message, out)
        for part in message.iter_attachments():
            has_text |= _write_attachment(part, out)
    except _DAMAGE as error:
        raise UnreadableDocumentError("is damaged or no e-mail message: save it from the mail program again") from error
    if not has_text and not headers["Subject"]:
        raise UnreadableDocumentError("has no text")
    yield source.document(
        content, choose_title(source.document_id, headers["Subject"]), out.build(), "message/rfc822", _date(message)
    )


def _header(message: EmailMessage, name: str) -> str:
    return str(message.get(name, "")).strip()


def _date(message: EmailMessage) -> datetime.date | None:
    written = message.get("Date")
    stated = getattr(written, "datetime", None)
    return stated.date() if isinstance(stated, datetime.datetime) else None


def _write_body(message: EmailMessage, out: BlockText) -> bool:
    body = message.get_body(("plain", "html"))
    return isinstance(body, EmailMessage) and _write_part(body, out)


def _write_attachment(part: object, out: BlockText) -> bool:
    if not isinstance(part, EmailMessage):
        return False
    out.start_heading(1)
    out.write(f"Attachment: {part.get_filename() or part.get_content_type()}")
    out.end_heading()
    return part.get_content_maintype() == "text" and _write_part(part, out)


def _write_part(part: EmailMessage, out: BlockText) -> bool:
    """Write the text of a part; return whether it has any."""
    payload = part.get_payload(decode=True)
    if not isinstance(payload, bytes) or not payload.strip():
        return False
    charset = part.get_content_charset()
    try:
        text = normalise_newlines(payload.decode(charset)) if charset else decode(payload)
    except (LookupError, UnicodeDecodeError):
        text = decode(payload)
    if part.get_content_subtype() == "html":
        write_html(text, out)
    else:
        out.write_verbatim(text)
    return True

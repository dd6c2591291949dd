"""What the process that reads says of a file, and how it crosses the pipe: JSON with its length before it."""

from __future__ import annotations

import json
import struct
from dataclasses import asdict, dataclass
from typing import Final

from index.document import Document
from index.readers.source import Unreadable

LENGTH: Final = struct.Struct(">Q")


@dataclass(frozen=True, slots=True)
class Reply:
    """One thing said; a sign of life where it holds nothing.

    Attributes:
        refused: Why nothing, or nothing more, in the file can be read.
        finished: Nothing more follows for this file.
        worn: The process has grown so large that it should be replaced.
    """

    document: Document | None = None
    unreadable: Unreadable | None = None
    refused: str | None = None
    finished: bool = False
    worn: bool = False

    def to_frame(self) -> bytes:
        """Return the reply as it is sent."""
        content = json.dumps(asdict(self), ensure_ascii=False, default=str).encode("utf-8", "replace")
        return LENGTH.pack(len(content)) + content

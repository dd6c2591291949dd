"""The beginning of a GGUF file: enough for its architecture to be known."""

from __future__ import annotations

import struct


def gguf_header(architecture: str) -> bytes:
    """Return a header without tensors and with one entry, the architecture."""
    key, value = b"general.architecture", architecture.encode()
    entry = struct.pack("<Q", len(key)) + key + struct.pack("<IQ", 8, len(value)) + value
    return b"GGUF" + struct.pack("<IQQ", 3, 0, 1) + entry

"""Reading files: one module a format, one door for all of them."""

from index.readers.read import READERS_VERSION, SUPPORTED_SUFFIXES, is_supported, read_file
from index.readers.source_file import Unreadable

__all__ = ["READERS_VERSION", "SUPPORTED_SUFFIXES", "Unreadable", "is_supported", "read_file"]

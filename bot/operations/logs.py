"""Logs to stderr, as lines or as JSON. A line is one line: what could move a terminal or forge an entry is escaped."""

from __future__ import annotations

import logging
import sys

import regex
from pythonjsonlogger.json import JsonFormatter

from bot.settings import LogFormat, LogLevel

# Control characters but tab and newline; line and paragraph separators; what reverses the order of letters.
_UNSAFE = regex.compile(r"[\p{Cc}--\t\n]|[\u2028\u2029\u202a-\u202e\u2066-\u2069]", regex.VERSION1)
_FIELDS = "%(asctime)s %(levelname)s %(name)s %(message)s"


def set_up_logs(form: LogFormat, level: LogLevel) -> None:
    """Send what is logged in this process to stderr."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_JsonLines(_FIELDS) if form == "json" else _Lines(_FIELDS))
    # Libraries may log what they are given, and that is readers' words: below a warning only our own modules speak.
    logging.basicConfig(handlers=[handler], level=logging.WARNING, force=True)
    for name in ("bot", "index", "eval"):
        logging.getLogger(name).setLevel(level.upper())


def escape_controls(text: str) -> str:
    """Return text in which characters that act instead of being read are shown by their number."""
    return _UNSAFE.sub(lambda found: f"\\u{ord(found.group()):04x}", text)


class _Lines(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        # The lines of a traceback are indented, so that none of them can pass for an entry.
        return escape_controls(super().format(record)).replace("\n", "\n  ")


class _JsonLines(JsonFormatter):
    """JSON escapes by itself what is not ASCII, and every control character."""

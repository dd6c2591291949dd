"""Characters that change what a reader sees without being seen, taken out of everything that is displayed.

Stored texts keep them: offsets count the text as stored. Joiners stay, because Persian, Indic scripts and emoji
need them.
"""

from __future__ import annotations

import re

from markupsafe import Markup

_INVISIBLE = re.compile(
    "["
    "\u0000-\u0008\u000b-\u001f\u007f-\u009f"  # control characters except tab and line feed
    "\u200b\u2060-\u2064\ufeff\u180e\u115f\u1160\u3164\uffa0"  # spaces and fillers without width
    "\u202a-\u202e\u2066-\u2069\u061c"  # directional overrides and isolates
    "\ufff9-\ufffb\U000e0000-\U000e007f"  # annotations and tag characters
    "]"
    # A second variation selector in a row selects nothing; it only carries hidden data.
    "|(?<=[\ufe00-\ufe0f\U000e0100-\U000e01ef])[\ufe00-\ufe0f\U000e0100-\U000e01ef]+"
)
_LONE_SURROGATE = re.compile("[\ud800-\udfff]")


def visible(text: str) -> str:
    """Return the text as it may be displayed: nothing hidden, nothing reordered, and always encodable."""
    return _LONE_SURROGATE.sub("\ufffd", _INVISIBLE.sub("", text))


def stored_offset(text: str, seen: int) -> int:
    """Return where in a text the character stands that is number `seen` (from 0) of those that are displayed."""
    offset = 0
    for hidden in _INVISIBLE.finditer(text):
        if seen <= hidden.start() - offset:
            break
        offset += len(hidden.group())
    return min(seen + offset, len(text))


def finalize(value: object) -> object:
    """Apply `visible` to every plain string a template shows; markup was made of such strings already."""
    return visible(value) if isinstance(value, str) and not isinstance(value, Markup) else value

"""No network for this process: its own empty network where the kernel gives one, and no sockets in Python."""

from __future__ import annotations

import ctypes
import sys
from typing import Final

_NEW_NETWORK: Final = 0x40000000
_NEW_USER: Final = 0x10000000


def cut_off_network() -> bool:
    """Leave the network for good; return whether the kernel did it too, so that no library in C gets round it."""
    sys.addaudithook(_refuse_sockets)
    try:
        unshare = ctypes.CDLL(None).unshare
    except (OSError, AttributeError):  # no Linux
        return False
    # Whoever may not leave alone may often do so as another user; that one may read only what this one owns.
    return not unshare(_NEW_NETWORK) or not unshare(_NEW_NETWORK | _NEW_USER)


def _refuse_sockets(event: str, _arguments: tuple[object, ...]) -> None:
    if event.startswith("socket."):
        raise PermissionError(f"a document asked for the network ({event})")

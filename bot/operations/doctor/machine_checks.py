"""Room for the next generation, which is built beside the live one.

Whether we can write the data folder, and nobody else can.

The port of the web application.

Python, Footnote, and whether the libraries are those it was made with.
"""

from __future__ import annotations

import os
import shutil
import socket
import stat
import sys
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path

from packaging.requirements import Requirement

from bot.operations.doctor.finding import Check

_NEEDED_BYTES = 500_000_000
_TIMES_THE_INDEX = 3  # the live generation, the next one, and the database as it grows


def check_disk(data_dir: Path) -> Check:
    """Compare the free space with the size of the index."""
    existing = next(
        folder for folder in (data_dir.absolute(), *data_dir.absolute().parents) if os.access(folder, os.F_OK)
    )
    free = shutil.disk_usage(existing).free
    size = sum(_size(Path(folder, name)) for folder, _, names in os.walk(data_dir) for name in names)
    needed = max(_NEEDED_BYTES, _TIMES_THE_INDEX * size)
    message = f"{free / 1e9:.1f} GB free for {str(data_dir)!r}, which holds {size / 1e9:.1f} GB"
    if free < needed:
        advice = f"free some, {needed / 1e9:.1f} GB are safe, or move to another --data-dir"
        return Check(name="disk", state="warning", message=f"{message}: {advice}")
    return Check(name="disk", state="ok", message=message)


def _size(file: Path) -> int:
    try:
        return file.lstat().st_size
    except OSError:  # removed since it was listed, or kept from us
        return 0


def check_permissions(data_dir: Path) -> Iterator[Check]:
    """Look at the data folder and the database in it, where there are any."""
    if not data_dir.is_dir():
        return
    if not os.access(data_dir, os.R_OK | os.X_OK):
        message = f"{str(data_dir)!r} may not be looked into: be the user whose it is, or name another --data-dir"
        yield Check(name="permissions", state="failed", message=message)
        return
    found = [path for path in (data_dir, data_dir / "footnote.db") if path.exists()]
    closed = [str(path) for path in found if not os.access(path, os.W_OK)]
    open_to_all = [str(path) for path in found if path.stat().st_mode & stat.S_IWOTH]
    if closed:
        message = (
            f"{', '.join(closed)} cannot be written: questions are answered, but nothing can be indexed; use chown"
        )
        yield Check(name="permissions", state="warning", message=message)
    if open_to_all:
        message = f"everybody on this machine may change {', '.join(open_to_all)}: run chmod o-w on it"
        yield Check(name="permissions", state="warning", message=message)
    if not closed and not open_to_all:
        yield Check(name="permissions", state="ok", message=f"{str(data_dir)!r} is ours to write")


def check_port(host: str, port: int) -> Check:
    """Try whether the port is free; when the web application runs, it is not."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except OSError as error:
        reason = error.strerror or str(error)
        message = f"{host}:{port} cannot be used ({reason}): unless Footnote has it, choose another with --port"
        return Check(name="port", state="warning", message=message)
    return Check(name="port", state="ok", message=f"{host}:{port} is free")


_DISTRIBUTION = "footnote-chat"
_SHOWN = 3


def check_versions() -> Iterator[Check]:
    """Yield the versions of Python and of Footnote."""
    found = ".".join(str(part) for part in sys.version_info[:3])
    if sys.version_info[:2] == (3, 11):
        yield Check(name="python", state="ok", message=found)
    else:
        yield Check(name="python", state="failed", message=f"{found}: Footnote needs Python 3.11, install that")
    yield Check(name="footnote", state="ok", message=version(_DISTRIBUTION))


def check_libraries() -> Check:
    """Compare what is installed with what this Footnote requires."""
    required = [Requirement(line) for line in requires(_DISTRIBUTION) or ()]
    needed = [one for one in required if one.marker is None or one.marker.evaluate({"extra": ""})]
    wrong = [problem for problem in map(_problem, needed) if problem]
    if not wrong:
        return Check(name="libraries", state="ok", message=f"all {len(needed)} as required")
    more = f" and {len(wrong) - _SHOWN} more" if len(wrong) > _SHOWN else ""
    message = f"{'; '.join(wrong[:_SHOWN])}{more}: run `make setup` again"
    return Check(name="libraries", state="failed", message=message)


def _problem(requirement: Requirement) -> str:
    try:
        found = version(requirement.name)
    except PackageNotFoundError:
        return f"{requirement.name} is missing"
    if requirement.specifier.contains(found, prereleases=True):
        return ""
    return f"{requirement.name} is {found}, not {requirement.specifier}"

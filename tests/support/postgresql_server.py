"""A private PostgreSQL server in a temporary folder, reached by a socket file alone, for one test session."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg

_SETTINGS = {"listen_addresses": "", "fsync": "off", "full_page_writes": "off", "autovacuum": "off"}


def find_programs() -> Path | None:
    """Return the folder of the server's programs, or None where they are not installed."""
    debian = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"))
    found = shutil.which("postgres") or (debian[-1] if debian else None)
    return Path(found).resolve().parent if found else None


class PostgresqlServer:
    """Starts, stops, freezes a server. It refuses to be run by root, who runs it as `nobody`."""

    def __init__(self, programs: Path, folder: Path) -> None:
        self._programs = programs
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None
        self._user = pwd.getpwnam("nobody" if os.getuid() == 0 else pwd.getpwuid(os.getuid()).pw_name)
        if os.getuid() == 0:
            os.chown(folder, self._user.pw_uid, self._user.pw_gid)
        options = ["--username=footnote", "--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync"]
        command = [str(programs / "initdb"), "-D", str(folder / "data"), *options]
        subprocess.run(command, check=True, capture_output=True, cwd=folder, **self._as_user())

    def start(self) -> None:
        """Start it and return when it answers."""
        settings = [f"-c{name}={value}" for name, value in _SETTINGS.items()]
        self._process = subprocess.Popen(
            [self._programs / "postgres", "-D", self._folder / "data", "-k", self._folder, *settings],
            stderr=(self._folder / "log").open("ab"),
            cwd=self._folder,
            **self._as_user(),
        )
        ready = [str(self._programs / "pg_isready"), "-q", "-h", str(self._folder), "-U", "footnote", "-t", "1"]
        for _ in range(600):
            if subprocess.run(ready, check=False).returncode == 0:
                return
            assert self._process.poll() is None, (self._folder / "log").read_text()
        raise AssertionError("the server does not answer")

    def stop(self) -> None:
        """End it at once, and every connection with it."""
        if self._process is not None:
            self._process.send_signal(signal.SIGINT)
            self._process.wait(30)
            self._process = None

    @contextmanager
    def frozen(self) -> Iterator[None]:
        """Stop every process of it in its tracks: connections stay open and nothing is answered."""
        assert self._process is not None
        family = [self._process.pid, *_children(self._process.pid)]
        for process in family:
            os.kill(process, signal.SIGSTOP)
        try:
            yield
        finally:
            for process in family:
                os.kill(process, signal.SIGCONT)

    def make_database(self) -> str:
        """Return the URL of a new, empty database."""
        name = f"test_{uuid4().hex[:12]}"
        with psycopg.connect(self._dsn("postgres"), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}")
        return f"postgresql://footnote@/{name}?host={self._folder}"

    def end_connections(self, where: str = "true") -> int:
        """End the connections of others that a condition on `pg_stat_activity` selects; return how many."""
        query = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE application_name = 'footnote' AND "
        with psycopg.connect(self._dsn("postgres"), autocommit=True) as connection:
            row = connection.execute(query + where).fetchone()
        assert row is not None
        return int(row[0])

    def _dsn(self, database: str) -> str:
        return f"host={self._folder} user=footnote dbname={database}"

    def _as_user(self) -> dict[str, Any]:
        if os.getuid() != 0:
            return {}
        return {"user": self._user.pw_uid, "group": self._user.pw_gid, "extra_groups": []}


def _children(parent: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{parent}/task/{parent}/children").read_text().split()]

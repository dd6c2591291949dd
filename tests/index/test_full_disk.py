"""R8 and R9: a disk that is full at any point, and a data folder that cannot be written.

Each runs in a process with a file system of its own, which Linux allows to root.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

may_mount = pytest.mark.skipif(
    subprocess.run(["unshare", "--mount", "true"], capture_output=True, check=False).returncode != 0,
    reason="this user may not mount file systems",
)
pytestmark = may_mount

FULL = """
import errno, os, sys
from pathlib import Path
from index.store.catalogue import Catalogue
from index.search.retriever import Retriever
from tests.index.word_embedder import WordEmbedder
from index.errors import FootnoteError
from tests.index.archive import Archive

def main(root):
    archive = Archive(root)
    for name in ("ferry", "library", "tram"):
        archive.write(name, 1)
    archive.run()
    before, failed = dict(archive.texts), 0
    serving = Retriever(Catalogue(archive.settings.catalogue_url()), WordEmbedder(), archive.data)
    question = before["tram.txt"].split("\\n")[4]
    assert serving.retrieve([question], 1)
    for number in range(12):
        archive.write(f"paper{number}", 1)
    archive.write("ferry", 2)
    usual = os.statvfs(root)
    whole = usual.f_bavail * usual.f_frsize
    ballast = root / "ballast"
    for step in range(20):
        left = int(step * 90_000)
        ballast.write_bytes(bytes(max(whole - left, 0)))
        try:
            archive.run()
        except (FootnoteError, OSError) as error:
            failed += 1
            message = str(error)
            assert isinstance(error, FootnoteError), repr(error)
            assert "\\n" not in message
            assert "room" in message or "full" in message, message
            (best,) = serving.retrieve([question], 1)  # while the disk is full
            assert best.chunk.document_id == "tram.txt"
            ballast.unlink()
            assert archive.held() == before
            archive.assert_answers(before)
        else:
            break
    ballast.unlink(missing_ok=True)
    archive.run()
    assert archive.held() == archive.texts
    archive.assert_answers(archive.texts)
    print("failed", failed)

if __name__ == "__main__":
    main(Path(sys.argv[1]))
"""

READ_ONLY = """
import subprocess, sys
from contextlib import closing
from pathlib import Path
from index.errors import IndexingError
from tests.index.archive import Archive

def main(root):
    archive = Archive(root)
    archive.write("ferry", 1)
    archive.write("library", 1)
    archive.run()
    subprocess.run(["mount", "--bind", archive.data, archive.data], check=True)
    subprocess.run(["mount", "-o", "remount,ro,bind", archive.data], check=True)
    assert archive.held() == archive.texts
    archive.assert_answers(archive.texts)
    archive.write("tram", 1)
    try:
        archive.run()
    except IndexingError as error:
        print(error)
    else:
        raise AssertionError("a folder that cannot be written was indexed into")

if __name__ == "__main__":
    main(Path(sys.argv[1]))
"""


def run_apart(script: str, root: Path, mount: str) -> str:
    """Run a script in a mount namespace of its own, after a command there."""
    (root.parent / "script.py").write_text(script, encoding="utf-8")
    shell = f"{mount} && exec {sys.executable} {root.parent / 'script.py'} {root}"
    repository = Path(__file__).parent.parent.parent
    done = subprocess.run(
        ["unshare", "--mount", "--propagation", "private", "sh", "-c", shell],
        env={**os.environ, "PYTHONPATH": str(repository)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3_000:]
    return done.stdout


def test_a_full_disk_leaves_the_old_state_and_is_overcome_once_there_is_room(tmp_path: Path) -> None:
    root = tmp_path / "root"
    root.mkdir()
    printed = run_apart(FULL, root, f"mount -t tmpfs -o size=12m none {root}")
    assert int(printed.split()[-1]) >= 5  # so often it was full; with more room than that the run succeeds


def test_a_folder_that_cannot_be_written_answers_and_refuses_to_index(tmp_path: Path) -> None:
    root = tmp_path / "root"
    root.mkdir()
    refusal = run_apart(READ_ONLY, root, "true")
    assert refusal.count("\n") == 1
    assert "cannot be written" in refusal

"""R9: a data folder that this user may only read, and one that may not even be looked into.

Each runs in a process that has to ask for permission, also where root runs the tests.
"""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from index.store.catalogue import Catalogue
from tests.index.archive import Archive

_FREE = "-dac_override,-dac_read_search"  # what lets root do without permission
_REPOSITORY = Path(__file__).parent.parent.parent


@pytest.fixture
def archive(tmp_path: Path) -> Archive:
    made = Archive(tmp_path)
    made.write("ferry", 1)
    made.run()
    return made


def run_as_others(*command: object, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run Python with some arguments and no privileges."""
    before = ["setpriv", "--bounding-set", _FREE, "--inh-caps", _FREE] if os.getuid() == 0 else []
    return subprocess.run(
        [*before, sys.executable, *map(str, command)],
        env={**os.environ, "PYTHONPATH": str(_REPOSITORY), "FOOTNOTE_ANSWERER": "extractive"},
        cwd=folder,  # whose data folder is `data`
        capture_output=True,
        text=True,
        check=False,
    )


def footnote(archive: Archive, *arguments: object) -> subprocess.CompletedProcess[str]:
    return run_as_others("-c", "import bot.cli; bot.cli.main()", *arguments, folder=archive.data.parent)


def close(archive: Archive, mode: int) -> None:
    for path in archive.data.iterdir():
        path.chmod(mode)
    archive.data.chmod(0o555 if mode else 0)


OPEN_RECORDS = """
import sys
from bot.storage.answers import AnswerRecords
records = AnswerRecords(sys.argv[1])
print("opened")
"""


def test_what_may_only_be_read_is_saved_and_refuses_marks_in_one_line(archive: Archive, tmp_path: Path) -> None:
    close(archive, 0o444)
    saved = footnote(archive, "backup", tmp_path / "copy.tar.gz")
    assert (saved.returncode, saved.stderr) == (0, "")
    refused = footnote(archive, "index", "--retry", "*")
    assert refused.returncode == 1
    assert "readonly database): see that there is room and that you may write it" in refused.stderr
    assert refused.stderr.count("\n") == 1


def test_answers_are_given_where_none_can_be_put_on_record(archive: Archive, tmp_path: Path) -> None:
    close(archive, 0o444)
    opened = run_as_others("-c", OPEN_RECORDS, archive.settings.catalogue_url(), folder=tmp_path)
    assert opened.stdout == "opened\n"
    assert opened.stderr.startswith("answers cannot be put on record: ")
    assert opened.stderr.count("\n") == 1


READ = """
import sys
from index.store.catalogue import Catalogue
print(Catalogue(sys.argv[1]).property("word"))
"""


def test_whoever_only_reads_sees_what_another_user_is_writing(archive: Archive, tmp_path: Path) -> None:
    with closing(Catalogue(archive.settings.catalogue_url())) as writer:
        writer.set_properties({"word": "before"})
        close(archive, 0o444)
        writer.set_properties({"word": "after"})  # in the log beside the database until that is closed
        read = run_as_others("-c", READ, archive.settings.catalogue_url(), folder=tmp_path)
        assert read.stdout == "after\n", read.stderr


def test_a_folder_that_may_not_be_looked_into_is_named_by_every_command(archive: Archive, tmp_path: Path) -> None:
    close(archive, 0)
    for arguments in (("index", archive.folder), ("index", "--status"), ("backup", tmp_path / "copy.tar.gz")):
        refused = footnote(archive, *arguments)
        assert refused.returncode == 1
        assert refused.stderr == (
            f"footnote: {str(archive.data)!r} may not be read: be the user whose it is, or name another --data-dir.\n"
        )
    examined = footnote(archive, "doctor")
    assert examined.returncode == 1
    assert "failed   permissions: " in examined.stdout
    assert "failed   database: " in examined.stdout
    archive.data.chmod(0o755)

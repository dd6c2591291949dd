"""One suite entry replaced in its file: what is checked first, and that nothing else is touched."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from eval.desk.entry import DocumentTexts, SuiteEntry, check_entry, list_ids, read_entry, save_entry
from eval.desk.folders import SuiteFolders, suite_folders
from eval.errors import EvaluationError, SuiteError

FERRY = "The first ferry leaves Mui Wo at 5:55 am. The last one leaves at 11:30 pm."
LIBRARY = DocumentTexts(["ferry.txt"], lambda name: FERRY if name == "ferry.txt" else None)
YAML = """\
# What a clerk wrote above everything.

- id: first   # a comment of its own
  question: When does the first ferry leave?
  expect: [["5:55"]]
  evidence:
    - any_of:
        - {document_id: ferry.txt, quote: "leaves Mui Wo at 5:55 am"}

# About the last ferry:

-
  id: last
  question: |
    When does the last ferry leave,
    # and from where?

  expect: [["11:30"]]
  # a comment inside
  tags: [time,
    ferry]   # the end

- {id: short, question: Who is the captain, answerable: false}
# The end."""


def write(folder: Path, content: str | bytes, name: str = "suite.yaml") -> Path:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def lines_of(entry: SuiteEntry) -> str:
    return "".join(f"{line}\n" for line in entry.text.split("\n"))


@pytest.mark.parametrize(
    ("identifier", "first", "last"),
    [
        (
            "first",
            "- id: first   # a comment of its own",
            '{document_id: ferry.txt, quote: "leaves Mui Wo at 5:55 am"}',
        ),
        ("last", "-", "    ferry]   # the end"),
        ("short", "- {id: short, question: Who is the captain, answerable: false}", "captain, answerable: false}"),
    ],
)
def test_an_entry_is_its_own_lines(tmp_path: Path, identifier: str, first: str, last: str) -> None:
    entry = read_entry(write(tmp_path, YAML), identifier)
    assert entry.text.split("\n")[0] == first
    assert entry.text.endswith(last)
    assert lines_of(entry) in YAML


@pytest.mark.parametrize("ending", ["\n", "\r\n"])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
@pytest.mark.parametrize("identifier", ["first", "last", "short"])
def test_everything_else_stays_byte_for_byte(tmp_path: Path, identifier: str, ending: str, mark: bytes) -> None:
    content = mark + YAML.replace("\n", ending).encode()
    path = write(tmp_path, content)
    entry = read_entry(path, identifier)
    changed = entry.text.replace(f"id: {identifier}", f"id: new-{identifier}")
    # A browser ends lines in its own way, and a person leaves empty ones.
    assert save_entry(entry, changed.replace("\n", "\r\n") + "\r\n\r\n", LIBRARY) == f"new-{identifier}"
    assert path.read_bytes() == content.replace(f"id: {identifier}".encode(), f"id: new-{identifier}".encode())
    assert [one.name for one in tmp_path.iterdir()] == ["suite.yaml"]


def test_more_lines_and_the_last_line_without_an_end(tmp_path: Path) -> None:
    path = write(tmp_path, "- {id: a, question: Q, answerable: false}\n- {id: b, question: Q, answerable: false}")
    save_entry(read_entry(path, "b"), "- id: b\n  question: Who?\n  answerable: false\n", LIBRARY)
    assert path.read_text() == (
        "- {id: a, question: Q, answerable: false}\n- id: b\n  question: Who?\n  answerable: false"
    )


def test_json_lines(tmp_path: Path) -> None:
    rows = [{"id": name, "question": f"Who is {name}\u2028?", "answerable": False} for name in "abc"]
    written = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    path = write(tmp_path, written, "suite.jsonl")
    entry = read_entry(path, "b")
    save_entry(entry, entry.text.replace("Who is", "Where is"), LIBRARY)
    assert path.read_text() == written.replace("Who is b", "Where is b")
    with pytest.raises(SuiteError, match="not valid JSON"):
        save_entry(read_entry(path, "b"), "{", LIBRARY)


@pytest.mark.parametrize(
    ("text", "line", "key", "message"),
    [
        ("- id: first\n  question: [", 5, "", "not valid YAML"),
        ("- id: first\n  question: When\n  expekt: [[x]]", 5, "expekt", "did you mean 'expect'"),
        ("- {id: last, question: When, expect: [[x]]}", 8, "id", "already used on line 3"),
        ("", 3, "", "exactly one question"),
        ("- {id: x, question: A, answerable: false}\n- {id: y, question: B, answerable: false}", 3, "", "exactly one"),
        ("[{id: x, question: A, answerable: false}]", 3, "", "YAML"),
        (
            "- id: first\n  question: When\n  expect: [[x]]\n"
            "  evidence: [{any_of: [{document_id: ferry.txt, quote: leaves Mui Wo at 6 am}]}]",
            6,
            "evidence[0].any_of[0].quote",
            "the nearest text is 'leaves Mui Wo at 5:55",
        ),
    ],
)
def test_mistakes_are_named_and_nothing_is_saved(tmp_path: Path, text: str, line: int, key: str, message: str) -> None:
    path = write(tmp_path, YAML)
    with pytest.raises(SuiteError) as caught:
        save_entry(read_entry(path, "first"), text, LIBRARY)
    mistake = caught.value.mistakes[0]
    assert message in mistake.message
    assert mistake.key == key
    if key:
        assert mistake.line == line
    assert mistake.path == str(path)
    assert path.read_text() == YAML
    assert [one.name for one in tmp_path.iterdir()] == ["suite.yaml"]


def test_mistakes_elsewhere_do_not_keep_an_entry_from_being_corrected(tmp_path: Path) -> None:
    path = write(tmp_path, "- {id: a, question: Q}\n- {id: b, question: Q}\n")
    assert "nothing says when" in check_entry(read_entry(path, "b"), LIBRARY).mistakes[0].message
    save_entry(read_entry(path, "b"), "- {id: b, question: Q, answerable: false}", LIBRARY)
    assert path.read_text() == "- {id: a, question: Q}\n- {id: b, question: Q, answerable: false}\n"


def test_a_file_that_changed_since_is_not_written(tmp_path: Path) -> None:
    path = write(tmp_path, YAML)
    entry = read_entry(path, "short")
    path.write_text(YAML.replace("The end", "Another end"))
    with pytest.raises(EvaluationError, match="has changed since you opened it"):
        save_entry(entry, entry.text, LIBRARY)
    with pytest.raises(EvaluationError, match="has changed since"):
        save_entry(replace(read_entry(path, "short"), file_hash=""), entry.text, LIBRARY)
    assert path.read_text() == YAML.replace("The end", "Another end")


def test_quotes_of_an_entry_are_checked_as_it_stands(tmp_path: Path) -> None:
    path = write(tmp_path, YAML.replace("5:55 am", "6:00 am"))
    assert "does not occur" in check_entry(read_entry(path, "first"), LIBRARY).mistakes[0].message
    assert check_entry(read_entry(path, "last"), LIBRARY).mistakes == ()
    assert check_entry(read_entry(path, "first"), DocumentTexts((), lambda name: None)).mistakes == ()


def test_what_cannot_be_edited_is_said(tmp_path: Path) -> None:
    with pytest.raises(EvaluationError, match="share lines"):
        read_entry(write(tmp_path, "[{id: a, question: Q}, {id: b, question: R}]"), "a")
    with pytest.raises(EvaluationError, match="no question 'gone'"):
        read_entry(write(tmp_path, YAML), "gone")
    with pytest.raises(EvaluationError, match="not valid YAML"):
        list_ids(write(tmp_path, "- id: [a\n"))
    with pytest.raises(EvaluationError, match="UTF-8"):
        list_ids(write(tmp_path, b"- id: \xff\n"))
    assert list_ids(write(tmp_path, YAML)) == ["first", "last", "short"]


def test_suites_are_found_by_name_and_nothing_else_is(tmp_path: Path) -> None:
    one, other = tmp_path / "one", tmp_path / "other"
    for folder in (one, other):
        folder.mkdir()
        write(folder, YAML)
    write(one, "id,question", "sheet.csv")
    write(one, "", ".hidden.yaml")
    write(one, "", "gate.toml")
    secret = write(tmp_path, YAML, "secret.yaml")
    (one / "link.yaml").symlink_to(secret)
    shelf = SuiteFolders([one, other, tmp_path / "missing"])
    assert list(shelf.files()) == ["sheet.csv", "suite.yaml", "suite.yaml~2"]
    assert shelf.find("suite.yaml~2") == other / "suite.yaml"
    for name in ("../secret.yaml", str(secret), "link.yaml", ".hidden.yaml", "", "."):
        assert shelf.find(name) is None
    assert shelf.name_of(str(other / "suite.yaml")) == "suite.yaml~2"
    assert shelf.name_of("elsewhere/suite.yaml") == "suite.yaml"
    assert shelf.name_of("elsewhere/gone.yaml") is None


def test_suite_folders_are_read_from_the_environment(tmp_path: Path) -> None:
    assert suite_folders({"FOOTNOTE_SUITES": "a:b"}, tmp_path) == (Path("a"), Path("b"))
    packaged, own = suite_folders({}, tmp_path)
    assert (packaged / "seed.yaml").is_file()
    assert own == tmp_path / "suites"

"""The golden-suite format: what loads, and what a clerk reads when it does not."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from eval.errors import SuiteError
from eval.suites.golden import EarlierTurn, EvidenceItem, GoldenQuestion, Quote
from eval.suites.suite import load_suite, load_suites

FULL = """\
- id: ai-institute-sum
  question: How much is reserved for the AI research institute?
  history: []
  answerable: true
  expect: [["1 billion", "1bn"]]
  forbid: []
  evidence:
    - any_of:
        - {document_id: a.txt, quote: "reservation of HK$1 billion"}
        - {document_id: a.txt, quote: "reserved HK$1 billion"}
  max_words: 120
  tags: [fact, numeric]
- id: short
  question: And when?
  history:
    - {role: user, content: "How much?"}
    - {role: assistant, content: "HK$1 billion. [1]"}
  answerable: false
"""


def mistakes_of(tmp_path: Path, text: str, name: str = "suite.yaml") -> list[tuple[int, str, str]]:
    """Write a suite, load it, and return line, key and message of every mistake."""
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    with pytest.raises(SuiteError) as raised:
        load_suite(path)
    assert all(str(mistake).startswith(f"{path}:{mistake.line}: ") for mistake in raised.value.mistakes)
    return [(mistake.line, mistake.key, mistake.message) for mistake in raised.value.mistakes]


def test_every_key_is_read_and_the_rest_has_defaults(tmp_path: Path) -> None:
    path = tmp_path / "suite.yml"
    path.write_text(FULL, encoding="utf-8")
    suite = load_suite(path)
    first, second = suite.questions
    assert first == GoldenQuestion(
        id="ai-institute-sum",
        question="How much is reserved for the AI research institute?",
        expect=(("1 billion", "1bn"),),
        evidence=(
            EvidenceItem(
                any_of=(
                    Quote(document_id="a.txt", quote="reservation of HK$1 billion"),
                    Quote(document_id="a.txt", quote="reserved HK$1 billion"),
                )
            ),
        ),
        max_words=120,
        tags=("fact", "numeric"),
    )
    assert second.history == (
        EarlierTurn(role="user", content="How much?"),
        EarlierTurn(role="assistant", content="HK$1 billion. [1]"),
    )
    assert (second.expect, second.forbid, second.evidence, second.max_words, second.tags) == ((), (), (), None, ())
    assert suite.hash == hashlib.sha256(path.read_bytes()).hexdigest()


def test_yaml_and_jsonl_hold_the_same_suite(tmp_path: Path) -> None:
    source = tmp_path / "suite.yaml"
    source.write_text(FULL, encoding="utf-8")
    questions = load_suite(source).questions
    rows = [question.model_dump(mode="json") for question in questions]
    (tmp_path / "again.yaml").write_text(yaml.safe_dump(rows, allow_unicode=True), encoding="utf-8")
    lines = "\ufeff" + "\r\n\r\n".join(json.dumps(row) for row in rows) + "\r\n"
    (tmp_path / "again.jsonl").write_bytes(lines.encode())
    assert load_suite(tmp_path / "again.yaml").questions == questions
    assert load_suite(tmp_path / "again.jsonl").questions == questions


@given(
    text=st.text(st.characters(exclude_categories=["Cs"]), min_size=1).filter(
        lambda text: any(letter.isalnum() for letter in text)
    )
)
def test_any_text_survives_jsonl(text: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.mktemp("suites") / "suite.jsonl"
    row = {"id": "a", "question": text, "expect": [[text]]}
    path.write_text(json.dumps(row, ensure_ascii=False), encoding="utf-8", newline="")
    assert load_suite(path).questions[0].question == text


def test_all_mistakes_are_found_each_on_its_line(tmp_path: Path) -> None:
    text = """\
- id: a
  quesion: What?
  question: What?
  expect:
    - ["one"]
    - []
- question: Who?
  expect: [two]
- id: a
  question: ""
  answerable: "no"
  max_words: 0
  tags: fact
- id: b
  question: When?
  history:
    - {role: user, content: Hello}
    - {role: bot, content: Hi}
    - role: user
      contents: Hm
  evidence:
    - {document_id: a.txt, quote: words}
    - any_of:
        - document_id: a.txt
          quote: ""
        - {document: a.txt, quote: words}
"""
    assert mistakes_of(tmp_path, text) == [
        (2, "quesion", "unknown key; did you mean 'question'?"),
        (6, "expect[1]", "this list is empty: write at least one entry or remove it"),
        (7, "id", "this key is missing: add it"),
        (8, "expect[0]", 'expect is a list of groups, each a list of phrases: write [["1 billion", "1bn"]]'),
        (9, "id", "the id 'a' is already used on line 1: give this question another"),
        (10, "question", "this is empty: write some text or remove it"),
        (11, "answerable", "no is neither true nor false: write one of them, without quotes"),
        (12, "max_words", "0 is too small: write 1 or more, or null for no limit"),
        (13, "tags", "write a list here, such as [one, two], or [] for none"),
        (18, "history[1].role", "bot is no role: write user or assistant"),
        (19, "history[2].content", "this key is missing: add it"),
        (20, "history[2].contents", "unknown key; did you mean 'content'?"),
        (
            22,
            "evidence[0]",
            "an evidence item lists its quotes below any_of: write - any_of: [{document_id: …, quote: …}]",
        ),
        (25, "evidence[1].any_of[0].quote", "this is empty: write some text or remove it"),
        (26, "evidence[1].any_of[1].document_id", "this key is missing: add it"),
        (26, "evidence[1].any_of[1].document", "unknown key; did you mean 'document_id'?"),
    ]


@pytest.mark.parametrize(
    ("keys", "line", "key", "message"),
    [
        ("expect: [[5:55]]", 3, "expect[0][0]", "5:55 is not text here: put it in quotes"),
        ("tags:\n\n    fact", 3, "tags", "write a list here, such as [one, two], or [] for none"),
        ("question:", 2, "question", "nothing is not text: write some"),
        ("question: {a: b}", 2, "question", "a mapping is not text: write some"),
        (
            "max_words: many",
            3,
            "max_words",
            "many is not a whole number: write one without quotes, or null for no limit",
        ),
        (
            "max_words: true",
            3,
            "max_words",
            "true is not a whole number: write one without quotes, or null for no limit",
        ),
        ("history: [hello]", 3, "history[0]", "write a mapping here: {role: user, content: …}"),
        ("history: hello", 3, "history", "write a list here, such as [{role: user, content: …}], or [] for none"),
        ("evidence: [words]", 3, "evidence[0]", "write a mapping here: any_of: [{document_id: …, quote: …}]"),
        ("evidence: words", 3, "evidence", "write a list of evidence items: - any_of: [{document_id: …, quote: …}]"),
        (
            "evidence: [{any_of: []}]",
            3,
            "evidence[0].any_of",
            "this list is empty: write at least one entry or remove it",
        ),
        (
            "sources: []",
            3,
            "sources",
            "unknown key; the keys here are "
            "id, question, history, dialogue, answerable, expect, forbid, evidence, max_words, tags",
        ),
        ("forbid: [x]\n  forbid: [y]", 4, "forbid", "this key is written twice: keep one"),
    ],
)
def test_one_wrong_key(tmp_path: Path, keys: str, line: int, key: str, message: str) -> None:
    question = "" if keys.startswith("question") else "\n  question: What?"
    expect = "" if keys.startswith("expect") else "\n  expect: [[one]]"
    assert mistakes_of(tmp_path, f"- id: a{question}\n  {keys}{expect}\n") == [(line, key, message)]


def test_keys_that_contradict_each_other(tmp_path: Path) -> None:
    text = """\
- {id: a, question: "What?"}
- id: b
  question: Who?
  answerable: false
  expect: [[one]]
  evidence: [{any_of: [{document_id: a.txt, quote: words}]}]
- {id: hello, question: Hello, tags: [small_talk]}
- {id: polite, question: "Are you mad?", forbid: [yes indeed]}
"""
    assert mistakes_of(tmp_path, text) == [
        (
            1,
            "question",
            "nothing says when its answer is right: "
            "add expect or evidence, set answerable: false, or tag it small_talk",
        ),
        (5, "expect", "an unanswerable question has no expect: remove it, or set answerable: true"),
        (6, "evidence", "an unanswerable question has no evidence: remove it, or set answerable: true"),
    ]


@pytest.mark.parametrize(
    ("name", "text", "line", "message"),
    [
        ("suite.txt", "", 1, "a suite is a .yaml, .yml, .jsonl, .csv or .xlsx file: rename it, or save it as one"),
        ("suite.yaml", "# nothing\n", 1, "the suite holds no questions: start each with '- id: …'"),
        ("suite.jsonl", "\n\n", 1, "the suite holds no questions: start each with '- id: …'"),
        ("suite.yaml", "\nquestions: []\n", 2, "a suite is a list: start every question with '- id: …'"),
        (
            "suite.yaml",
            "- id: a\n- loose words\n",
            2,
            "a question is a mapping of keys: write 'id: …' and 'question: …' below one '-'",
        ),
        (
            "suite.yaml",
            "- id: a\n  question: He said: what?\n",
            2,
            "this is not valid YAML: mapping values are not allowed here "
            "(text with any of : # ? , [ ] { } needs quotes)",
        ),
        ("suite.yaml", '- id: a\n  question: "\x01"\n', 2, "the character U+0001 cannot stand in YAML: remove it"),
        (
            "suite.yaml",
            "- id: a\n  question: What?\n  tags: &again [*again]\n",
            3,
            "this is not valid YAML: an alias stands for something that contains it",
        ),
        (
            "suite.yaml",
            "- id: a\n  question: 2025-13-45\n",
            2,
            "this is not valid YAML: month must be in 1..12: put it in quotes",
        ),
        (
            "suite.jsonl",
            '\n{"id": "a",}\n',
            2,
            "this line is not valid JSON: Expecting property name enclosed in double quotes at column 12",
        ),
        ("suite.yaml", "[" * 5000, 1, "lists are nested too deeply to be read"),
        ("suite.jsonl", "[" * 100_000, 1, "lists are nested too deeply to be read"),
    ],
)
def test_files_that_are_no_suite(tmp_path: Path, name: str, text: str, line: int, message: str) -> None:
    found = mistakes_of(tmp_path, text, name)
    assert (line, "", message) in found


def test_a_file_that_is_not_there_and_one_that_is_not_utf8(tmp_path: Path) -> None:
    with pytest.raises(SuiteError, match=r"gone\.yaml:1: the file cannot be read \(No such file or directory\)"):
        load_suite(tmp_path / "gone.yaml")
    (tmp_path / "latin.yaml").write_bytes("- id: a\n  question: Café?\n".encode("latin-1"))
    with pytest.raises(SuiteError, match=r"latin\.yaml:2: this is not UTF-8: save the file as UTF-8"):
        load_suite(tmp_path / "latin.yaml")


def test_jsonl_mistakes_carry_the_line_of_their_row(tmp_path: Path) -> None:
    text = '{"id": "a", "question": "What?", "expect": [[1]]}\n\n{"id": "a", "question": null, "id": "a"}\n'
    assert mistakes_of(tmp_path, text, "suite.jsonl") == [
        (1, "expect[0][0]", "1 is not text here: put it in quotes"),
        (3, "id", "this key is written twice: keep one"),
        (3, "question", "null is not text here: put it in quotes"),
        (3, "id", "the id 'a' is already used on line 1: give this question another"),
    ]


def test_an_id_used_in_two_suites_names_both_places(tmp_path: Path) -> None:
    for name in ("one.yaml", "two.yaml"):
        (tmp_path / name).write_text("# a comment\n- {id: a, question: What, answerable: false}\n", encoding="utf-8")
    with pytest.raises(SuiteError) as raised:
        load_suites([tmp_path / "one.yaml", tmp_path / "two.yaml"])
    (mistake,) = raised.value.mistakes
    first = tmp_path / "one.yaml"
    assert (mistake.path, mistake.line, mistake.key) == (str(tmp_path / "two.yaml"), 2, "id")
    assert mistake.message == f"the id 'a' is already used at {first}:2: give this question another"


def test_aliases_may_stand_for_a_value(tmp_path: Path) -> None:
    path = tmp_path / "suite.yaml"
    evidence = "[{any_of: [{document_id: &report a.txt, quote: one}, {document_id: *report, quote: two}]}]"
    path.write_text(f"- id: a\n  question: What?\n  evidence: {evidence}\n", encoding="utf-8")
    assert [quote.document_id for quote in load_suite(path).questions[0].evidence[0].any_of] == ["a.txt", "a.txt"]


@pytest.mark.parametrize(
    ("name", "text"),
    [("suite.yaml", "- [1]\n- {id: a, question: x, answerable: false}\n"), ("suite.jsonl", '[1]\n{"id": "a"}\n')],
)
def test_a_list_in_the_place_of_a_question_is_named(tmp_path: Path, name: str, text: str) -> None:
    assert (1, "", "a question is a mapping of keys: write 'id: …' and 'question: …' below one '-'") in mistakes_of(
        tmp_path, text, name
    )

"""Suites as spreadsheets: what a clerk may write in CSV and Excel, and what is said when it cannot be read."""

from __future__ import annotations

import datetime
import io
import json
import zipfile
from collections.abc import Sequence
from pathlib import Path

import openpyxl
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from eval.errors import SuiteError
from eval.suites.golden import GoldenQuestion
from eval.suites.sheets import to_cells, to_csv, to_workbook
from eval.suites.suite import Suite, load_suite
from eval.suites.suite_check import check_form, check_suite

SUITE = """\
- id: sum
  question: How much is reserved for the AI research institute, and when?
  expect: [["1 billion", "1bn"], ["2025; 2026", "the year, \\"2025\\""]]
  forbid: ["60 billion", "a; b"]
  evidence:
    - any_of:
        - {document_id: "minutes: april.txt", quote: "launch the \\"Establishment\\" program"}
        - {document_id: a.txt, quote: "reserved HK$1 billion; and more"}
    - any_of: [{document_id: "預算 案.txt", quote: "預留「10億元」"}]
  max_words: 120
  tags: [fact, "who, what"]
- id: follow-up
  question: "And when?"
  history:
    - {role: user, content: "How much: tell me."}
    - {role: assistant, content: "HK$1 billion. [1]"}
  answerable: false
- {id: first, question: "Where is it?", dialogue: park, expect: [["north"]]}
- {id: second, question: "=And since 17:30?", dialogue: park, expect: [["2025"]], tags: [date]}
"""


def load(tmp_path: Path, name: str, content: str | bytes) -> Suite:
    path = tmp_path / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return load_suite(path)


def mistakes_of(tmp_path: Path, name: str, content: str | bytes) -> list[tuple[int, str, str]]:
    with pytest.raises(SuiteError) as raised:
        load(tmp_path, name, content)
    return [(mistake.line, mistake.key, mistake.message) for mistake in raised.value.mistakes]


def workbook(*rows: Sequence[object], title: str = "Sheet", formats: dict[str, str] | None = None) -> bytes:
    """Return a workbook with one sheet; `formats` gives the number format of cells by address."""
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = title
    for row in rows:
        sheet.append(list(row))
    for address, number_format in (formats or {}).items():
        sheet[address].number_format = number_format
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def test_one_suite_in_four_forms_is_the_same_suite(tmp_path: Path) -> None:
    questions = load(tmp_path, "suite.yaml", SUITE).questions
    lines = "\n".join(json.dumps(row, ensure_ascii=False) for row in yaml.safe_load(SUITE))
    assert load(tmp_path, "suite.jsonl", f"# A remark\n{lines}").questions == questions
    csv_suite = load(tmp_path, "suite.csv", to_csv(questions, ["A remark"]))
    excel_suite = load(tmp_path, "suite.xlsx", to_workbook(questions, ["A remark"]))
    assert csv_suite.questions == questions
    assert excel_suite.questions == questions
    # The remark is row 1, the headings are row 2; that a row has several lines of text does not matter.
    assert [entry.line for entry in csv_suite.entries] == [3, 4, 5, 6]
    assert [entry.line for entry in excel_suite.entries] == [3, 4, 5, 6]


def test_what_a_clerk_writes(tmp_path: Path) -> None:
    sheet = """\
 Question ;Document;quote;EXPECT;Forbid;Answerable;Tags;Max_Words;History;# for us
How much?;a.txt;He said "reserved", then left;1 billion | 1bn;;YES;fact, numeric;120;;check
;;;;;;;;;
When?;b.txt;in 2025;"2025
April | 4/2025; again";2024;;"date
fact";;"User: How much?
 Assistant：HK$1 billion; or so";
Who?;;;;;No;;;;
"""
    first, second, third = load(tmp_path, "suite.csv", sheet.replace("\n", "\r\n")).questions
    assert first == GoldenQuestion.model_validate(
        {
            "id": first.id,
            "question": "How much?",
            "expect": [["1 billion", "1bn"]],
            "evidence": [{"any_of": [{"document_id": "a.txt", "quote": 'He said "reserved", then left'}]}],
            "max_words": 120,
            "tags": ["fact", "numeric"],
        }
    )
    assert second.expect == (("2025",), ("April", "4/2025"), ("again",))
    assert (second.forbid, second.tags) == (("2024",), ("date", "fact"))
    assert [(turn.role, turn.content) for turn in second.history] == [
        ("user", "How much?"),
        ("assistant", "HK$1 billion; or so"),
    ]
    assert (third.answerable, third.expect, third.max_words) == (False, (), None)
    # An id comes from what is asked, not from the row.
    moved = load(tmp_path, "moved.csv", "question,answerable\nWhat?,no\nWho?,no\n").questions
    assert moved[1].id == third.id
    assert len({first.id, second.id, third.id}) == 3


@pytest.mark.parametrize(
    ("cell", "items"),
    [
        ('a.txt: "one"', [[("a.txt", "one")]]),
        ('a.txt: "one" | b/c: d.txt: "two"', [[("a.txt", "one"), ("b/c: d.txt", "two")]]),
        ('a.txt: "one" | "two"\nb.txt："three"', [[("a.txt", "one"), ("a.txt", "two")], [("b.txt", "three")]]),
        ('a.txt: "the "Funding" program"', [[("a.txt", 'the "Funding" program')]]),
        ('a.txt: "the ""Funding"" program"', [[("a.txt", 'the "Funding" program')]]),
        ('a.txt: "he said "no""', [[("a.txt", 'he said "no"')]]),
        ('a.txt: "one | two; three"', [[("a.txt", "one | two; three")]]),
        ("a.txt: “one” | b.txt: 「二」", [[("a.txt", "one"), ("b.txt", "二")]]),
        ('"a | b.txt": "one"', [[("a | b.txt", "one")]]),
    ],
)
def test_evidence_cells(tmp_path: Path, cell: str, items: list[list[tuple[str, str]]]) -> None:
    content = workbook(["question", "evidence"], ["What?", cell])
    (question,) = load(tmp_path, "suite.xlsx", content).questions
    found = [[(quote.document_id, quote.quote) for quote in item.any_of] for item in question.evidence]
    assert found == items


# Every mark that means something in a cell, and letters of several scripts.
_phrases = st.text("ab1|｜;；,，:：\"“”「」'#=-. é中文", min_size=1, max_size=12).filter(
    lambda text: text == " ".join(text.split())
)


@given(groups=st.lists(st.lists(_phrases, min_size=1, max_size=3), min_size=1, max_size=3), tags=st.lists(_phrases))
def test_any_phrase_survives_a_cell(
    groups: list[list[str]], tags: list[str], tmp_path_factory: pytest.TempPathFactory
) -> None:
    question = GoldenQuestion(id="a", question="What?", expect=groups, forbid=tags, tags=tags)
    path = tmp_path_factory.mktemp("sheets") / "suite.csv"
    path.write_bytes(to_csv([question]))
    assert load_suite(path).questions == (question,)


def test_every_mistake_has_its_row_and_column(tmp_path: Path) -> None:
    rows = [
        ["id", "question", "answerable", "history", "evidence", "max_words", "document", "quote", "tag", "expect"],
        ["a", "What?", "maybe", None, None, None, None, None, None, "x"],
        [],
        ["a", None, True, "user: Hi\nbot: Hello\nHow?", None, 0, None, None, None, "x"],
        ["b", "Who?", None, None, "a.txt, page 3", "many", "a.txt", None, None, None, "stray"],
        ["c", "Why?", False, None, None, None, None, None, None, "x"],
        ["d", "Where?"],
    ]
    expected = [
        (1, "tag", "unknown column; did you mean 'tags'? (a column of remarks starts with #)"),
        (2, "answerable", "'maybe' is neither yes nor no: write one of them"),
        (4, "question", "this key is missing: add it"),
        (4, "history[1].role", "bot is no role: write user or assistant"),
        (4, "history[2]", "start every line with user: or assistant:"),
        (4, "max_words", "'0' is not a whole number from 1: write one, or leave the cell empty for no limit"),
        (4, "id", "the id 'a' is already used on line 2: give this question another"),
        (5, "", "'stray' stands in column 11, which has no heading: name the column"),
        (5, "evidence[0]", 'write document_id: "quote", one item a line, alternatives separated by |'),
        (5, "max_words", "'many' is not a whole number from 1: write one, or leave the cell empty for no limit"),
        (5, "quote", "this is empty: write some text or remove it"),
        (6, "expect", "an unanswerable question has no expect: remove it, or set answerable: true"),
        (
            7,
            "question",
            "nothing says when its answer is right: "
            "add expect or evidence, set answerable: false, or tag it small_talk",
        ),
    ]
    found = mistakes_of(tmp_path, "suite.xlsx", workbook(*rows))
    assert sorted(found) == sorted(expected)
    assert [line for line, _, _ in found] == sorted(line for line, _, _ in found)
    text = "\n".join(",".join(f'"{cell}"' if cell is not None else "" for cell in row) for row in rows)
    text = text.replace('"True"', "yes").replace('"False"', "NO")
    assert sorted(mistakes_of(tmp_path, "suite.csv", text)) == sorted(expected)


def test_wrong_quotes_are_found_in_their_column(tmp_path: Path) -> None:
    suite = load(tmp_path, "suite.csv", "question,document,quote\nWhat?,a.txt,wrods\nWho?,b.txt,x\n")
    found = check_suite(suite, ["a.txt"], {"a.txt": "words"}.get).mistakes
    assert [(one.line, one.key) for one in found] == [(2, "quote"), (3, "document")]


def test_what_excel_makes_of_what_was_typed(tmp_path: Path) -> None:
    head = ["id", "question", "expect", "answerable", "max_words"]
    rows = [
        [1.0, "Year?", 1990, True, 120.0],
        [2, "Price?", 17.8, "yes", "20"],
        ["x", "Share?", 0.125, "TRUE", None],
        ["y", "True?", True, None, None],
        ["z", "Who?", None, False, None],
    ]
    suite = load(tmp_path, "suite.xlsx", workbook(head, *rows, formats={"C4": "0.0%"}))
    assert [question.id for question in suite.questions] == ["1", "2", "x", "y", "z"]
    assert [question.expect for question in suite.questions] == [
        (("1990",),),
        (("17.8",),),
        (("12.5%",),),
        (("TRUE",),),
        (),
    ]
    assert [question.max_words for question in suite.questions[:3]] == [120, 20, None]
    assert [question.answerable for question in suite.questions] == [True, True, True, True, False]

    day = datetime.datetime(2025, 4, 16, tzinfo=datetime.UTC).replace(tzinfo=None)
    changed = workbook(
        ["id", "question", "expect"],
        ["a", "When?", day],
        ["b", "At what time?", datetime.time(5, 55)],
        ["c", "How many?", 41000],
        ["d", "Why?", "#REF!"],
        formats={"C4": "#,##0"},
    )
    hint = "format the cell as Text and type it as the documents write it"
    assert mistakes_of(tmp_path, "suite.xlsx", changed) == [
        (2, "expect", f"Excel has made this a date or time (2025-04-16 00:00:00): {hint}"),
        (3, "expect", f"Excel has made this a date or time (05:55:00): {hint}"),
        (4, "expect", f"Excel stores this as the number 41000 and shows it in another form: {hint}"),
        (5, "expect", "this cell shows the error #REF!: write text in its place"),
    ]


def test_the_sheet_named_suite_is_read_else_the_first(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    book.active.append(["a list of", "other things"])
    sheet = book.create_sheet("Suite")
    sheet.append(["question", "answerable"])
    sheet.append(["Who?", "no"])
    book.save(tmp_path / "two.xlsx")
    assert load_suite(tmp_path / "two.xlsx").questions[0].question == "Who?"
    content = workbook(["question", "answerable"], ["What?", "no"], title="Tabelle1")
    assert load(tmp_path, "one.xlsx", content).questions[0].question == "What?"


@pytest.mark.parametrize(
    "content",
    [
        b"\xef\xbb\xbfquestion,answerable\r\nWho?,no\r\n",
        b"question;answerable\nWho?;no",
        b"sep=;\r\nquestion;answerable\r\nWho?;no",
        b"question\tanswerable\nWho?\tno",
        "question\tanswerable\r\nWho?\tno\r\n".encode("utf-16"),
        b'"question","answerable"\n"Who?","no"\n\n,\n',
        b"# Drafts; see, below\nquestion;answerable\nWho?;no",
        b"# note,question,answerable\nx,Who?,no",
    ],
)
def test_delimiters_and_encodings(tmp_path: Path, content: bytes) -> None:
    (question,) = load(tmp_path, "suite.csv", content).questions
    assert (question.question, question.answerable) == ("Who?", False)


def _zip(name: str, text: str) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, text)
    return file.getvalue()


@pytest.mark.parametrize(
    ("name", "content", "start"),
    [
        ("suite.csv", b"", "the suite holds no questions: write one a row"),
        ("suite.csv", b"question,answerable\n", "the suite holds no questions: write one a row"),
        ("suite.csv", "question\nWas heißt das?".encode("latin-1"), "this is not UTF-8"),
        ("suite.csv", b"id,answer\na,b", "unknown column; "),
        ("suite.csv", b'question,answerable\nWho?,no\n"What?,no\nWhen?,no\n', "this row is not valid CSV"),
        ("suite.csv", b"question,question\nWho?,What?", "this column stands twice: keep one"),
        ("suite.xlsx", b"question,answerable", "this is not an Excel workbook that can be read"),
        ("suite.xlsx", b"\xd0\xcf\x11\xe0" + b"\0" * 600, "this workbook is protected by a password or in the old"),
        ("suite.xlsx", _zip("readme.txt", "hello"), "this is not an Excel workbook that can be read"),
        ("suite.xlsx", _zip("bomb", "0" * 400_000_001), "this workbook is too large"),
        ("suite.xlsx", workbook()[:-40], "this is not an Excel workbook that can be read"),
        ("suite.xlsx", workbook(["question"]), "the suite holds no questions: write one a row"),
        ("suite.xls", b"", "a suite is a .yaml, .yml, .jsonl, .csv or .xlsx file"),
    ],
)
def test_files_that_are_no_suite(tmp_path: Path, name: str, content: bytes, start: str) -> None:
    found = mistakes_of(tmp_path, name, content)
    assert any(message.startswith(start) for _, _, message in found), found
    assert all("\n" not in message for _, _, message in found)


def test_a_workbook_that_claims_endless_rows(tmp_path: Path) -> None:
    source = workbook(["question"], ["Who?"])
    changed = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(source)) as old, zipfile.ZipFile(changed, "w") as made:
        for entry in old.infolist():
            data = old.read(entry)
            made.writestr(entry, data.replace(b'<row r="2"', b'<row r="9999999999"'))
    ((_, _, message),) = mistakes_of(tmp_path, "suite.xlsx", changed.getvalue())
    assert "more than 1,048,576 rows" in message


def test_an_unclosed_quotation_mark_is_reported_where_it_opens(tmp_path: Path) -> None:
    ((line, _, _),) = mistakes_of(tmp_path, "suite.csv", 'question,answerable\nWho?,no\n"What?,no\nWhen?,no\n')
    assert line == 3


def test_many_rows(tmp_path: Path) -> None:
    rows = "".join(f"q{number},Question {number}?,no\n" for number in range(5_000))
    suite = load(tmp_path, "suite.csv", f"id,question,answerable\n{rows}")
    assert (len(suite.questions), suite.entries[-1].line) == (5_000, 5_001)


def test_cells_that_would_be_formulas_are_text(tmp_path: Path) -> None:
    question = GoldenQuestion(id="a", question="=1+1", answerable=False)
    (tmp_path / "suite.xlsx").write_bytes(to_workbook([question]))
    sheet = openpyxl.load_workbook(tmp_path / "suite.xlsx").active
    assert (sheet["B2"].value, sheet["B2"].data_type) == ("=1+1", "s")
    assert to_cells(question)["answerable"] == "no"


def test_dialogues_that_do_not_read_as_one_and_drafts_are_warned_of(tmp_path: Path) -> None:
    suite = load(
        tmp_path,
        "suite.csv",
        "id,question,dialogue,history,answerable,tags\n"
        "a,Where?,park,,no,\n"
        "b,When?,Park ,,no,draft\n"
        "c,Who?,ferry,,no,\n"
        "d,Why?,,,no,\n"
        'e,How?,ferry,"user: Hi\nassistant: Hello",no,\n'
        "f,What?,alone,,no,\n",
    )
    found = check_form(suite)
    assert found.mistakes == ()
    assert [(one.line, one.key, one.message) for one in found.warnings] == [
        (2, "dialogue", "the dialogue 'park' has a single turn; did you mean 'Park'?"),
        (3, "tags", "this question is a draft: confirm or correct, then remove the tag draft"),
        (3, "dialogue", "the dialogue 'Park' has a single turn; did you mean 'park'?"),
        (
            6,
            "dialogue",
            "the turn before this one of the dialogue 'ferry' stands on line 4: put them next to each other",
        ),
        (
            6,
            "history",
            "this turn of the dialogue 'ferry' has a history of its own, so it does not follow the turns before it: "
            "remove one of the two",
        ),
        (7, "dialogue", "the dialogue 'alone' has a single turn; add the other turns, or remove the key"),
    ]


def test_a_question_that_stands_twice_is_named_by_its_rows_not_by_an_id_nobody_wrote(tmp_path: Path) -> None:
    (tmp_path / "suite.csv").write_text("question,answerable\nWhen?,no\nWhen?,no\n", encoding="utf-8")
    with pytest.raises(SuiteError) as raised:
        load_suite(tmp_path / "suite.csv")
    assert [mistake.message for mistake in raised.value.mistakes] == [
        "the same question already stands on line 2: remove one of the two, or write an id for each"
    ]


def test_answers_that_nothing_can_be_and_histories_that_are_no_conversation_are_warned_of(tmp_path: Path) -> None:
    suite = load(
        tmp_path,
        "suite.csv",
        "id,question,history,expect,forbid,document,quote\n"
        "a,How much?,,1 billion|1 billion or so,billion,a.txt,some money\n"
        "b,When?,user: Hi,5 am,noon,a.txt,at 5 am\n"
        "c,When?,,5 am|6 am,5 am,a.txt,at 5 am\n",
    )
    assert [(one.line, one.key, one.message) for one in check_form(suite).warnings] == [
        (2, "expect[0]", "whatever shows this also shows 'billion', which is forbidden: no answer can be right"),
        (3, "history[0]", "two messages of the user follow each other: a question and its answer take turns"),
        (4, "evidence[0]", "this quote itself shows '5 am', which is forbidden: an answer that quotes it is wrong"),
    ]

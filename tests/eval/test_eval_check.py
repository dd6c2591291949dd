"""Suites against the documents they are about."""

from __future__ import annotations

from pathlib import Path

import pytest

from eval.suites.suite import load_suite
from eval.suites.suite_check import SuiteFindings, check_suite, nearest_text

TEXTS = {
    "town/ferry.txt": (
        "The first ferry leaves Mui Wo at\n5:55 am. Tickets cost HK$17.8 on weekdays. The last ferry leaves at 11 pm."
    ),
    "library.md": "圖書館早上九時開放，藏書四萬一千冊。",
}


def findings(tmp_path: Path, text: str) -> SuiteFindings:
    """Write a suite, load it and check it against the two documents."""
    path = tmp_path / "suite.yaml"
    path.write_text(text, encoding="utf-8")
    return check_suite(load_suite(path), TEXTS.keys(), TEXTS.get)


def test_quotes_may_differ_in_white_space_and_occur_twice(tmp_path: Path) -> None:
    found = findings(
        tmp_path,
        """\
- id: first
  question: When?
  expect: [["5:55"]]
  evidence:
    - any_of:
        - {document_id: town/ferry.txt, quote: "Mui Wo at  5:55 am"}
        - {document_id: town/ferry.txt, quote: "ferry leaves"}
""",
    )
    assert found == SuiteFindings((), ())


def test_a_wrong_quote_shows_the_nearest_text_and_a_wrong_name_the_nearest_name(tmp_path: Path) -> None:
    found = findings(
        tmp_path,
        """\
- id: first
  question: When?
  evidence:
    - any_of:
        - document_id: town/ferry.txt
          quote: "Tickets cost HK$18.7 on weekdays"
        - document_id: town/fery.txt
          quote: "ferry"
    - any_of:
        - {document_id: library.md, quote: "Completely different words"}
        - {document_id: nowhere, quote: "Words"}
""",
    )
    path = tmp_path / "suite.yaml"
    assert [str(mistake) for mistake in found.mistakes] == [
        f"{path}:6: evidence[0].any_of[0].quote: 'Tickets cost HK$18.7 on weekdays' does not occur in "
        "'town/ferry.txt'; the nearest text is 'Tickets cost HK$17.8 on weekdays.'",
        f"{path}:7: evidence[0].any_of[1].document_id: there is no document 'town/fery.txt' in the index; "
        "did you mean 'town/ferry.txt'?",
        f"{path}:10: evidence[1].any_of[0].quote: 'Completely different words' does not occur in 'library.md'; "
        "nothing in it comes near",
        f"{path}:11: evidence[1].any_of[1].document_id: there is no document 'nowhere' in the index; "
        "index it first, or correct the name",
    ]


def test_an_expected_group_that_no_document_of_the_evidence_shows_is_a_warning(tmp_path: Path) -> None:
    found = findings(
        tmp_path,
        """\
- id: first
  question: When?
  expect:
    - ["5:55", "six"]
    - [bus, coach]
  evidence:
    - any_of: [{document_id: town/ferry.txt, quote: "5:55 am"}]
- {id: second, question: When, expect: [[bus]]}
""",
    )
    assert not found.mistakes
    assert [str(warning) for warning in found.warnings] == [
        f"{tmp_path / 'suite.yaml'}:5: expect[1]: no document of the evidence shows any of ['bus', 'coach']: "
        "answer_bearing cannot be met"
    ]


@pytest.mark.parametrize(
    ("document", "quote", "nearest"),
    [
        ("town/ferry.txt", "the first ferry leaves Mui Wo", "The first ferry leaves Mui Wo"),
        ("town/ferry.txt", "Ferries leave Mui Wo at 5:55 am", "first ferry leaves Mui Wo at 5:55 am."),
        ("library.md", "圖書館早上十時開放", "圖書館早上九時開放"),
        ("library.md", "xyz", ""),
    ],
)
def test_nearest_text(document: str, quote: str, nearest: str) -> None:
    assert nearest_text(TEXTS[document], quote) == nearest

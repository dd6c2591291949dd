from __future__ import annotations

import pytest

from index.relations.duplicates import sign
from index.relations.versions import Edition, VersionCandidate, date_in_head, find_series, read_edition

BODY = "This leaflet lists what a crossing costs and where tickets are sold. A ticket costs {} dollars on weekdays. "


@pytest.mark.parametrize(
    ("name", "edition", "rest"),
    [
        ("report-2024", Edition(date=(2024,)), "report"),
        ("budget 2025-26", Edition(date=(2025,)), "budget"),
        ("fees/2024-03-01/ferry", Edition(date=(2024, 3, 1)), "fees ferry"),
        ("Minutes, 5 March 2024", Edition(date=(2024, 3, 5)), "minutes"),
        ("2024年3月收費表", Edition(date=(2024, 3)), "收 费 表"),
        ("rules_v1.10", Edition(version=(1, 10)), "rules"),
        ("收費表 第二版", Edition(version=(2,)), "收 费 表"),
        ("leave-policy-draft", Edition(stage=(1,)), "leave policy"),
        ("收費表定稿", Edition(stage=(2,)), "收 费 表"),
        ("evidence-1", Edition(), "evidence 1"),
        ("aircraft 20240 parts", Edition(), "aircraft 20240 parts"),
    ],
)
def test_a_name_says_which_version_it_is(name: str, edition: Edition, rest: str) -> None:
    assert read_edition(name) == (edition, rest)


def _papers(*names: str, text: str = BODY, copies: str = "", dated: tuple[Edition, ...] = ()) -> list[VersionCandidate]:
    return [
        VersionCandidate(name, name, sign(text.format(place)), copies, dated[place] if dated else Edition())
        for place, name in enumerate(names)
    ]


def _order(papers: list[VersionCandidate]) -> list[str]:
    series = find_series(papers)
    return sorted(series, key=lambda document_id: series[document_id][1])


@pytest.mark.parametrize(
    "names",
    [
        ("fares-2023.txt", "fares-2024.txt"),
        ("fares v2.docx", "fares v10.docx"),
        ("fares-draft.txt", "fares-final.txt"),
        ("2023/fares.txt", "2024/fares.txt"),
    ],
)
def test_versions_are_put_in_order(names: tuple[str, ...]) -> None:
    assert _order(_papers(*reversed(names))) == list(names)


def test_an_order_that_is_not_certain_is_none() -> None:
    assert _order(_papers("fares-2023.txt", "fares-final.txt")) == []
    assert _order(_papers("fares-2023.txt", "fares_2023.pdf")) == []
    assert _order(_papers("fares.txt", "fares-2024.txt")) == []
    assert _order(_papers("20230101.txt", "20230102.txt")) == []


def test_papers_of_one_name_with_other_contents_are_a_diary() -> None:
    texts = (
        "Alice met the baker about the bread.",
        "The pump was repaired at noon by two men.",
        "No ferry ran in fog.",
    )
    papers = [
        VersionCandidate(f"diary-2024-01-0{day}", "Diary", sign(text), "", Edition())
        for day, text in enumerate(texts, start=1)
    ]
    assert find_series(papers) == {}


def test_copies_are_versions_where_each_bears_a_date() -> None:
    dates = (Edition(date=(2024, 3)), Edition(date=(2023, 3)))
    assert _order(_papers("a.txt", "b.txt", copies="a.txt", dated=dates)) == ["b.txt", "a.txt"]
    assert _order(_papers("a.txt", "b.txt", copies="a.txt", dated=(dates[0], dates[0]))) == []


def test_the_date_of_a_short_notice_is_not_its_version() -> None:
    assert date_in_head("Effective 1 March 2024. " + BODY * 4) == Edition(date=(2024, 3, 1))
    assert date_in_head("Bread delivered on 1 March 2024.") == Edition()


def test_a_question_means_the_version_of_which_it_names_a_part() -> None:
    asked, _ = read_edition("What did a ticket cost in 2023?")
    assert Edition(date=(2023, 5)).is_meant_by(asked)
    assert not Edition(date=(2024, 5)).is_meant_by(asked)
    assert not Edition(date=(2023,)).is_meant_by(read_edition("What does a ticket cost?")[0])

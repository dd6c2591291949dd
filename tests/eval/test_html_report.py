"""The page of a report, and the command that writes it."""

from __future__ import annotations

import base64
import hashlib
import re
from pathlib import Path

import pytest
from bs4 import BeautifulSoup, Tag
from click.testing import CliRunner, Result

from bot.cli import footnote
from eval.errors import ReportError
from eval.report.page import render_report
from eval.report.question import anchors
from tests.support.synthetic_report import HOSTILE, VERDICTS, large_report, question, run_report


def page_of(html: str) -> BeautifulSoup:
    # A template's text is no text of the page, but it is what these tests look at.
    shown = html.replace("<template>", "<div data-body>").replace("</template>", "</div>")
    return BeautifulSoup(shown, "lxml")


def body_of(page: BeautifulSoup, anchor: str) -> Tag:
    found = page.select_one(f'[id="{anchor}"] [data-body]')
    assert found is not None
    return found


def test_headline_counts_and_measures() -> None:
    page = page_of(render_report(large_report(12)))
    assert page.h1.get_text() == "4 of 12 questions as they should be"
    counts = [item.get_text(" ", strip=True) for item in page.select(".verdicts li")]
    assert counts == [
        "2 Right",
        "2 Rightly refused",
        "2 Wrong",
        "2 Wrongly refused",
        "2 Wrongly answered",
        "2 Crashed",
    ]
    facts = page.select_one(".facts").get_text(" ", strip=True)
    for fact in ("extractive", "suites/ferry.yaml", "c" * 12, "with uncommitted changes", "f" * 12, "12.5 s"):
        assert fact in facts
    row = next(row for row in page.select(".measures tbody tr") if row.th.get_text().startswith("answer_correct"))
    assert [cell.get_text(strip=True) for cell in row.select("td")] == ["0.333", "0.097–0.700", "6", "6"]
    assert len(page.select("details.question")) == 12
    assert page.select_one("#shown").get_text() == "12 questions"


def test_a_question_shows_what_became_of_it() -> None:
    page = page_of(render_report(run_report([question("wrong", "late ferry", tags=("fact",))])))
    row = page.select_one('[id="q-late-ferry"]')
    assert row["data-verdict"] == "wrong"
    assert "data-failed" in row.attrs
    body = body_of(page, "q-late-ferry")
    assert [mark.get_text() for mark in body.select("mark")] == ["leaves Mui Wo at 5:55 am"]
    wanted = [item.get_text(" ", strip=True) for item in body.select(".wanted li")]
    assert wanted[0].startswith("met says 5:55")
    assert wanted[1] == "not met says Tai O"
    assert wanted[2].startswith("kept at most 40 words")
    assert "covered by 1" in wanted[3]
    assert body.select_one("sup a")["href"] == "#q-late-ferry~c1"
    assert body.select_one('[id="q-late-ferry~c1"]') is not None
    assert [row.td.get_text() for row in body.select(".retrieved tbody tr")] == list("12345678")
    assert "Tell me about the ferry." in body.get_text()


def test_a_refusal_and_a_crash_show_their_reasons() -> None:
    page = page_of(render_report(run_report([question("wrongly_refused", "a"), question("crashed", "b")])))
    refused = body_of(page, "q-a")
    assert "not_in_documents" in refused.get_text()
    assert refused.select_one("mark") is not None  # the nearest passage held the evidence
    assert "RuntimeError: ferry" in body_of(page, "q-b").pre.get_text()


def test_hostile_texts_stay_texts() -> None:
    report = run_report([question(verdict, HOSTILE + verdict, words=HOSTILE, tags=(HOSTILE,)) for verdict in VERDICTS])
    html = render_report(report, report)
    assert len(re.findall(r"</script", html, re.IGNORECASE)) == 1
    page = page_of(html)
    assert not page.select("img, iframe, object, embed, [onload], [onerror]")
    assert HOSTILE in page.select_one("details.question h3").get_text()
    assert HOSTILE in body_of(page, page.select_one("details.question")["id"]).get_text()
    assert len(page.select("[data-body]")) == len(VERDICTS)


def test_nothing_is_fetched_and_only_our_script_may_run() -> None:
    page = page_of(render_report(run_report([question("right", words=HOSTILE)])))
    for node in page.select("[src], [href], [srcset], [data], [action]"):
        assert "src" not in node.attrs
        assert node["href"].startswith(("#", "data:image/svg+xml,"))
    assert not page.select("link:not([rel=icon])")
    style = page.style.string
    assert "url(" not in style
    assert "@import" not in style
    policy = page.select_one("meta[http-equiv]")["content"]
    digest = base64.b64encode(hashlib.sha256(page.script.string.encode()).digest()).decode()
    assert policy.startswith(f"default-src 'none'; script-src 'sha256-{digest}';")
    assert "innerHTML" not in page.script.string


def test_changes_since_a_previous_run_are_shown() -> None:
    before = run_report([question("wrong", "a"), question("right", "b"), question("right", "c")])
    now = run_report([question("right", "a"), question("wrongly_refused", "b"), question("right", "c")])
    page = page_of(render_report(now, before))
    assert "1 better, 1 worse" in page.select_one(".changed").get_text()
    turned = {row["id"]: row["data-turned"] for row in page.select("details.question")}
    assert turned == {"q-a": "better", "q-b": "worse", "q-c": ""}
    assert "was right" in page.select_one("#q-b summary").get_text()
    assert not page_of(render_report(now)).select("[name=turned]")


def test_addresses_are_unique_and_have_no_spaces() -> None:
    questions = [question("right", name) for name in ("a b", "a-b", "香港", "???", "a b")]
    assert anchors(questions) == ["q-a-b", "q-a-b~2", "q-香港", "q-question", "q-a-b~3"]


def invoke(*arguments: str) -> Result:
    return CliRunner().invoke(footnote, ["eval", "report", *arguments])


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "run").mkdir()
    run_report([question("right", "a"), question("wrong", "b")]).write(tmp_path / "run" / "report.json")
    return tmp_path


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize("named", ["run", "run/report.json"])
def test_without_a_page_the_tables_are_printed(named: str) -> None:
    result = invoke(named)
    assert result.exit_code == 0
    assert "answer_correct" in result.stdout
    assert "2 questions, 1 not as they should be" in result.stdout


def test_the_page_is_one_file(folder: Path) -> None:
    result = invoke("run", "--html", "report.html", "--previous", "run/report.json")
    assert (result.exit_code, result.stdout) == (0, "")
    assert "Wrote 'report.html'" in result.stderr
    assert "<h1>1 of 2 questions as they should be</h1>" in (folder / "report.html").read_text("utf-8")
    assert sorted(path.name for path in folder.iterdir()) == ["report.html", "run"]


@pytest.mark.usefixtures("folder")
def test_what_cannot_be_read_or_written_is_said_in_one_line() -> None:
    missing = invoke("no.json").exception
    assert isinstance(missing, ReportError)
    assert "'no.json' cannot be read" in str(missing)
    unwritable = invoke("run", "--html", "no/folder.html").exception
    assert isinstance(unwritable, ReportError)
    assert "'no/folder.html' cannot be written" in str(unwritable)
    assert invoke("run", "--previous", "run").exit_code == 2

"""The evaluator's page: its door, its runs as real child processes, comparisons and entries, as a browser asks."""

from __future__ import annotations

import re
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from starlette.responses import PlainTextResponse
from starlette.testclient import TestClient
from starlette.types import Receive, Scope, Send

from bot.answer.answer import SearchResult
from bot.answer.errors import ServeError
from bot.chatbot import Chatbot
from bot.settings import Settings, load_settings
from bot.storage.answers import AnswerRecords
from bot.web.app import build_app
from bot.web.extensions import Branch, Pages, load_pages
from bot.web.security import SecurityMiddleware
from eval.desk.pages import build_pages
from eval.desk.running import is_run_name, settings_environment
from eval.run.suite_run import RunOptions, run_suites
from eval.suites.suite import load_suites
from tests.browser.scripted import ScriptedChatbot
from tests.eval.test_eval_run import SUITE
from tests.eval.test_eval_run import ScriptedChatbot as AskedChatbot
from tests.support.staff_site import StaffSite

REPLIES = {
    "right": "It leaves at 5:55 am.",
    "wrong": "From Mui Wo.",
    "crash": RuntimeError("a scripted crash"),
    "refused": None,
    "silent": None,
    "invented": "Captain Haddock.",
    "follow": "From Mui Wo.",
}
PATIENCE_SECONDS = 240
CLOSED = "This page is for evaluators"


class DeskChatbot(ScriptedChatbot):
    """The scripted chatbot with a data folder."""

    def __init__(self, data_dir: Path) -> None:
        super().__init__()
        self.settings = Settings(answerer="extractive", data_dir=data_dir)

    def search(self, question: str) -> SearchResult:
        """Return that nothing is found."""
        return SearchResult(id="", standalone_question=question, retrieved=(), timings_ms={})


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with one suite and two finished runs of it."""
    data_dir = tmp_path_factory.mktemp("made")
    (data_dir / "suites").mkdir(parents=True)
    path = data_dir / "suites" / "ferry.yaml"
    path.write_text(SUITE, encoding="utf-8")
    for name, replies in (("monday", REPLIES), ("tuesday", {**REPLIES, "silent": "At 5:55 am.", "right": None})):
        folder = data_dir / "runs" / name
        report = run_suites(
            AskedChatbot(replies),
            load_suites([path]),
            Settings(answerer="extractive"),
            options=RunOptions(folder=folder),
        )
        report.write(folder / "report.json")
    return data_dir


@pytest.fixture
def data(made: Path, tmp_path: Path) -> Path:
    """A copy of that folder, which a test may change."""
    return shutil.copytree(made, tmp_path / "data")


async def nothing(scope: Scope, receive: Receive, send: Send) -> None:
    """Stands for the rest of the application, which takes a second to build and is not asked here."""
    await PlainTextResponse("Not found", 404)(scope, receive, send)


def served(pages: Pages) -> SecurityMiddleware:
    """Return the pages as the application serves them: behind the security middleware."""
    return SecurityMiddleware(Branch(nothing, pages), below=(pages.path,))


@pytest.fixture
def pages(data: Path) -> Iterator[Pages]:
    built = build_pages(DeskChatbot(data))
    yield built
    built.close()


@pytest.fixture
def visitor(pages: Pages) -> TestClient:
    """Somebody without the key."""
    return TestClient(served(pages), follow_redirects=False)


@pytest.fixture
def evaluator(visitor: TestClient, pages: Pages) -> TestClient:
    """Somebody who brought it."""
    assert visitor.get(pages.entrance).status_code == 303
    return visitor


def test_evaluators_and_admins_come_in_with_their_login_until_it_ends(
    pages: Pages, data: Path, database_url: str
) -> None:
    with closing(AnswerRecords(database_url)) as records:
        site = StaffSite(DeskChatbot(data), records, (pages,))
        for name, status in {"": 403, "stefan": 403, "eve": 200, "anna": 200}.items():
            browser = site.browser(name)
            assert browser.get("/evaluate").status_code == status, name
            if name:
                assert ('href="/evaluate"' in browser.get("/staff/me").text) is (status == 200)
        eve = site.browser("eve")
        started = eve.client.post("/evaluate/runs", data={"token": "made up"})
        assert (started.status_code, "from before the server" in started.text) == (403, True)
        site.accounts.set_role("(test)", "eve", "staff")
        assert eve.get("/evaluate").status_code == 403
        site.accounts.set_role("(test)", "eve", "evaluator")
        eve.send("/staff/logout")
        assert eve.get("/evaluate").status_code == 403
        assert not [cookie for cookie in eve.client.cookies.jar if cookie.value]


def token_of(client: TestClient) -> str:
    return re.search(r'name="token" value="([^"]+)"', client.get("/evaluate").text)[1]


# The door

ROUTES = [
    "/evaluate",
    "/evaluate/",
    "/evaluate/runs/monday",
    "/evaluate/runs/monday/progress",
    "/evaluate/compare?a=monday&b=tuesday",
    "/evaluate/suites/ferry.yaml",
    "/evaluate/static/desk.js",
    "/evaluate/nothing",
]


@pytest.mark.parametrize("address", ROUTES)
def test_without_the_key_there_is_one_sentence(visitor: TestClient, address: str) -> None:
    for key in ("", "wrong", "é\udcff".encode("utf-8", "surrogatepass").decode("latin-1")):
        response = visitor.get(address, params={"key": key} if key else None)
        assert response.status_code == 403
        assert response.text.startswith(CLOSED)
        assert len(response.text) < 200
        assert "set-cookie" not in response.headers
    visitor.cookies.set("footnote_evaluator", "forged", path="/evaluate")
    assert visitor.get(address).status_code == 403
    for method in ("POST", "HEAD"):
        assert visitor.request(method, address).status_code == 403
    assert visitor.put(address).status_code == 404


def test_the_key_opens_once_for_a_cookie_and_leaves_the_address(visitor: TestClient, pages: Pages) -> None:
    response = visitor.get(pages.entrance.replace("?", "?suite=a%26b&"))
    assert response.status_code == 303
    assert response.headers["location"] == "/evaluate?suite=a%26b"
    cookie = response.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=strict" in cookie
    assert "path=/evaluate" in cookie
    assert pages.entrance.split("key=")[1] not in response.headers["set-cookie"]
    assert visitor.get("/evaluate").status_code == 200


def test_pages_are_strict_and_stay_here(evaluator: TestClient) -> None:
    response = evaluator.get("/evaluate")
    assert "script-src 'self'; style-src 'self'" in response.headers["content-security-policy"]
    assert "unsafe" not in response.headers["content-security-policy"]
    assert response.headers["cache-control"] == "no-store"
    assert "<script>" not in response.text
    assert " style=" not in response.text
    report = evaluator.get("/evaluate/runs/monday").headers["content-security-policy"]
    assert "default-src 'none'; script-src 'sha256-" in report


def test_the_application_has_the_page_only_where_it_is_asked_for(data: Path, pages: Pages) -> None:
    with closing(AnswerRecords(f"sqlite:///{data / 'footnote.db'}")) as records:
        with TestClient(build_app(DeskChatbot(data), records)) as client:
            for address in ROUTES:
                assert client.get(address).status_code == 404
                assert client.post(address).status_code == 404
        with TestClient(build_app(DeskChatbot(data), records, [pages])) as client:
            assert client.get("/evaluate").status_code == 403
            assert "All runs" in client.get(pages.entrance).text
            assert "script-src 'self' 'unsafe-eval'" in client.get("/").headers["content-security-policy"]
            assert client.get("/evaluates").status_code == 404


def test_forms_need_their_token_and_their_origin(evaluator: TestClient, data: Path) -> None:
    filled = {"suite": "ferry.yaml", "answerer": "extractive", "repeat": "1", "name": "forged"}
    for token in ({}, {"token": "forged"}):
        refused = evaluator.post("/evaluate/runs", data={**filled, **token})
        assert refused.status_code == 403
        assert "reload the page" in refused.text
    good = {**filled, "token": token_of(evaluator)}
    for headers in ({"origin": "https://evil.example"}, {"sec-fetch-site": "cross-site"}, {"origin": "null"}):
        assert evaluator.post("/evaluate/runs", data=good, headers=headers).status_code == 403
    assert not (data / "runs" / "forged").exists()


def test_pages_come_from_entry_points() -> None:
    with pytest.raises(ServeError, match="--evaluator"):
        load_pages(DeskChatbot(Path("data")), [])


# The list, the report, the comparison


def test_list_shows_runs_with_their_figures(evaluator: TestClient) -> None:
    html = evaluator.get("/evaluate").text
    assert html.index("tuesday") < html.index("monday")
    assert html.count('type="radio"') == 4
    assert "ferry.yaml" in html
    assert "Wrongly refused" in html
    assert "seed.yaml" in html


def test_report_links_each_question_to_its_entry(evaluator: TestClient) -> None:
    html = evaluator.get("/evaluate/runs/monday").text
    assert 'href="/evaluate/suites/ferry.yaml?id=wrong&amp;run=monday"' in html
    assert '<a class="address" href="/evaluate">All runs</a>' in html
    assert "What changed since the previous run" in evaluator.get("/evaluate/runs/tuesday?previous=monday").text
    assert evaluator.get("/evaluate/runs/tuesday?previous=sunday").status_code == 400


@pytest.mark.parametrize("name", ["gone", "%2e%2e", "..%2f..", "monday%2f..%2f..", "%00", "%2e", "~"])
def test_only_runs_have_addresses(evaluator: TestClient, name: str) -> None:
    for ending in ("", "/progress"):
        assert evaluator.get(f"/evaluate/runs/{name}{ending}").status_code == 404
    assert evaluator.get(f"/evaluate/suites/{name}", params={"id": "right"}).status_code == 404
    assert evaluator.get("/evaluate/compare", params={"a": "monday", "b": "../monday"}).status_code == 400


def test_comparison_shows_flips_and_links_both_answers(evaluator: TestClient) -> None:
    html = evaluator.get("/evaluate/compare?a=monday&b=tuesday").text
    assert "<b>1</b> newly wrong, <b>1</b> newly right" in html
    assert 'href="/evaluate/runs/monday#q-silent"' in html
    assert 'href="/evaluate/runs/tuesday#q-silent"' in html
    assert "At 5:55 am." in html
    same = evaluator.get("/evaluate/compare?a=monday&b=monday")
    assert same.status_code == 400
    assert "Choose two runs" in same.text


def test_changed_documents_are_said_first(evaluator: TestClient, data: Path) -> None:
    chatbot = AskedChatbot(REPLIES, texts={"ferry.txt": "The first ferry leaves Mui Wo at 5:55 am.", "new.txt": "New."})
    report = run_suites(chatbot, load_suites([data / "suites" / "ferry.yaml"]), Settings())
    (data / "runs" / "later").mkdir()
    report.write(data / "runs" / "later" / "report.json")
    refused = evaluator.get("/evaluate/compare?a=monday&b=later")
    assert refused.status_code == 409
    assert "documents have changed" in refused.text
    allowed = evaluator.get("/evaluate/compare?a=monday&b=later&changed=1").text
    assert "What the documents did" in allowed
    assert "1 added (new.txt)" in allowed


def test_damaged_report_does_not_hide_the_others(evaluator: TestClient, data: Path) -> None:
    (data / "runs" / "broken").mkdir()
    (data / "runs" / "broken" / "report.json").write_text("{}")
    html = evaluator.get("/evaluate").text
    assert "is no run report" in html
    assert "monday" in html


# Suite entries


def form_of(html: str) -> dict[str, str]:
    return dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', html))


def test_an_entry_is_fixed_beside_its_answer(evaluator: TestClient, data: Path) -> None:
    address = "/evaluate/suites/ferry.yaml?id=wrong&run=monday"
    html = evaluator.get(address).text
    assert "From Mui Wo." in html
    assert "- {id: wrong, question: Where from, expect: [[Tai O]], tags: [fact]}</textarea>" in html
    form = form_of(html)
    bad = evaluator.post("/evaluate/suites/ferry.yaml", data={**form, "text": "- {id: wrong, question: Where from}"})
    assert bad.status_code == 422
    assert "Nothing was saved" in bad.text
    assert "<b>line 1</b>, <code>question</code>: nothing says when" in bad.text
    good = "- {id: wrong, question: Where from, expect: [[Mui Wo]], tags: [fact]}"
    saved = evaluator.post("/evaluate/suites/ferry.yaml", data={**form, "text": good})
    assert saved.status_code == 303
    assert "nothing else in the file was touched" in evaluator.get(saved.headers["location"]).text
    assert (data / "suites" / "ferry.yaml").read_text() == SUITE.replace("Tai O", "Mui Wo")
    again = evaluator.post("/evaluate/suites/ferry.yaml", data={**form, "text": good})
    assert again.status_code == 409
    assert "has changed since you opened it" in again.text


def test_spreadsheets_are_read_only(evaluator: TestClient, data: Path) -> None:
    written = "id,question,answerable\na,Who is the captain?,no\n"
    (data / "suites" / "sheet.csv").write_text(written)
    html = evaluator.get("/evaluate/suites/sheet.csv?id=a").text
    assert "is a spreadsheet" in html
    assert "Row 2: Who is the captain?" in html
    assert "No finished run has asked this question yet." in html
    assert "Nearest passages" in html
    assert "<textarea" not in html
    form = {"token": token_of(evaluator), "id": "a", "text": "x"}
    assert "is a spreadsheet" in evaluator.post("/evaluate/suites/sheet.csv", data=form).text
    assert (data / "suites" / "sheet.csv").read_text() == written


# Starting


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"name": "../out"}, "cannot be called"),
        ({"name": ".hidden"}, "cannot be called"),
        ({"name": "monday"}, "already"),
        ({"repeat": "0"}, "1 to 100 times"),
        ({"repeat": "²"}, "1 to 100 times"),
        ({"answerer": "oracle"}, "who answers"),
        ({"suite": "../secret.yaml"}, "at least one suite"),
        ({"suite": "bad.yaml"}, "bad.yaml:1"),
    ],
)
def test_what_cannot_be_started_is_said(
    evaluator: TestClient, data: Path, change: dict[str, str], message: str
) -> None:
    (data / "suites" / "bad.yaml").write_text("- {id: a, question: Q}\n")
    filled = {"suite": "ferry.yaml", "answerer": "extractive", "repeat": "1", "name": "new", **change}
    response = evaluator.post("/evaluate/runs", data={**filled, "token": token_of(evaluator)})
    assert response.status_code == 400
    assert message in response.text
    assert sorted(path.name for path in (data / "runs").iterdir()) == ["monday", "tuesday"]


@pytest.mark.parametrize("name", ["a", "2026-11-23-0301", "夏天", "a.b_c-d"])
def test_names_of_runs(name: str) -> None:
    assert is_run_name(name)
    for bad in (f"{name}/x", f"../{name}", f"-{name}", f"{name}\n", f"{name}\x00", name * 65, ""):
        assert not is_run_name(bad)


def test_runs_are_made_with_the_settings_of_the_server(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    settings = load_settings({"answerer": "remote", "top_k": 3, "data_dir": tmp_path, "remote_key": "s3cret"})
    for name, value in settings_environment(settings).items():
        monkeypatch.setenv(name, value)
    assert load_settings({}) == settings


# Runs, as real child processes


@pytest.fixture
def ferry_chatbot(
    tmp_path: Path, index_folder: Callable[..., object], open_chatbot: Callable[[Path], Chatbot]
) -> Chatbot:
    """A real chatbot over one small document, and a suite of sixty questions about it."""
    (tmp_path / "documents").mkdir()
    (tmp_path / "documents" / "ferry.txt").write_text("The first ferry leaves Mui Wo at 5:55 am.\n")
    data_dir = tmp_path / "real"
    index_folder(tmp_path / "documents", data_dir)
    (data_dir / "suites").mkdir()
    rows = [f'- {{id: q{n}, question: "When does ferry {n} leave?", expect: [["5:55"]]}}\n' for n in range(60)]
    (data_dir / "suites" / "sixty.yaml").write_text("".join(rows))
    return open_chatbot(data_dir)


def wait_until(client: TestClient, name: str, wanted: Callable[[dict], bool]) -> dict:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not wanted(found := client.get(f"/evaluate/runs/{name}/progress").json()):
        assert time.monotonic() < deadline, found
        time.sleep(0.02)
    return found


def test_a_run_is_started_cancelled_and_goes_on(ferry_chatbot: Chatbot) -> None:
    pages = build_pages(ferry_chatbot)
    with closing(pages):
        client = TestClient(served(pages))
        client.get(pages.entrance)
        token = token_of(client)
        form = {"suite": "sixty.yaml", "answerer": "extractive", "repeat": "1", "name": "one", "token": token}
        assert "running" in client.post("/evaluate/runs", data=form).text
        busy = client.post("/evaluate/runs", data={**form, "name": "two"})
        assert busy.status_code == 400
        assert "is being made" in busy.text
        assert client.get("/evaluate/runs", follow_redirects=False).headers["location"] == "/evaluate"
        first = wait_until(client, "one", lambda found: found["done"] > 0)
        assert first["total"] == 60
        client.post("/evaluate/runs/one/cancel", data={"token": token})
        stopped = wait_until(client, "one", lambda found: found["state"] != "running")
        assert stopped["state"] == "interrupted"
        assert 0 < stopped["done"] < 60
        assert "Go on" in client.get("/evaluate").text
        client.post("/evaluate/runs/one/resume", data={"token": token})
        done = wait_until(client, "one", lambda found: found["state"] != "running")
        assert done == {"state": "done", "done": 60, "total": 60, "words": "60 of 60 answered"}
        assert "as they should be" in client.get("/evaluate/runs/one").text
        gone = client.post("/evaluate/runs/gone/resume", data={"token": token})
        assert gone.status_code == 400
        assert "Start a new run" in gone.text

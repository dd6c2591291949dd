"""A model's opinion of a run: repeated, honest about itself, and without a say in any gate."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from bs4 import BeautifulSoup
from click.testing import CliRunner, Result

from bot.answer.answer import Citation, Statement
from bot.answer.errors import SettingsError
from bot.cli import footnote
from bot.language_model import Prompt
from eval.compare.compare import compare_runs
from eval.errors import EvaluationError, GateError, ReportError
from eval.gate.gate_check import check_gate
from eval.gate.rules import load_gate
from eval.judge.command import judge_with_progress
from eval.judge.judge import MOST_REPEATS, KeptReplies, judge_report, majority_of, opinion_in, present
from eval.judge.record import ModelJudge, Opinion, agreeing_pairs, cohen_kappa, krippendorff_alpha
from eval.report.page import render_report
from eval.report.report import RunReport
from eval.suites.golden import EarlierTurn, EvidenceItem, Quote
from prompts.model_judge import judge_prompts_hash, parse_judge_prompt
from prompts.replies import prompts_hash
from tests.support.made_reports import make_answer, make_question, make_report
from tests.support.model_server import model_server, unused_url
from tests.support.scripted_model import Reply, ScriptedModel, unavailable

PROMPTS = Path(__file__).parent.parent.parent / "prompts"


def run() -> RunReport:
    """Return a run with two right answers, a wrong one, and one of each kind that is not judged."""
    return make_report(
        [
            make_question("a", answer=make_answer("Ferry a goes at 5:55.")),
            make_question("b", answer=make_answer("Ferry b goes at 5:55.")),
            make_question("c", "wrong", answer=make_answer("Ferry c goes at noon.")),
            make_question("d", "wrongly_refused"),
            make_question("e", "rightly_refused"),
            make_question("f", "wrongly_answered"),
            make_question("g", "crashed"),
            make_question("h", tags=("small_talk",)),
        ]
    )


def judged(write: Reply | Callable[[Prompt], Reply], folder: Path, repeats: int = 3) -> ModelJudge:
    return judge_report(run(), KeptReplies(ScriptedModel(write), folder / "replies.jsonl"), repeats)


def by_the_answer(prompt: Prompt) -> str:
    return "Wrong" if "noon" in prompt.user else "Right."


def first_named(prompt: Prompt) -> str:
    """Prefer the word that is named first: the bias that repeats are to show."""
    found = re.search(r"Is the answer (\w+) or", prompt.user)
    assert found is not None
    return found[1]


def test_a_steady_judge_agrees_with_itself_and_with_the_rule(tmp_path: Path) -> None:
    opinion = judged(by_the_answer, tmp_path)
    assert [(one.id, one.majority, one.by_rule) for one in opinion.answers] == [
        ("a", "right", "right"),
        ("b", "right", "right"),
        ("c", "wrong", "wrong"),
    ]
    assert {len(one.opinions) for one in opinion.answers} == {3}
    correct = opinion.measures["judged_correct"]
    assert (correct.value, correct.n, correct.unscored) == (pytest.approx(2 / 3), 3, 0)
    assert correct.low is not None
    assert correct.low < 2 / 3
    agreement = opinion.agreement
    assert (agreement.among_repeats.value, agreement.krippendorff_alpha) == (1, 1)
    assert (agreement.with_answer_correct.value, agreement.cohen_kappa) == (1, 1)
    assert opinion.disputed() == ()
    assert opinion.not_judged == {"refused": 1, "unanswerable": 2, "crashed": 1, "small talk": 1}
    assert (opinion.model, opinion.prompts_hash) == ("scripted", judge_prompts_hash())


def test_a_judge_that_flips_is_seen_to(tmp_path: Path) -> None:
    opinion = judged(first_named, tmp_path, repeats=4)
    assert all(sorted(map(str, one.opinions)) == ["right", "right", "wrong", "wrong"] for one in opinion.answers)
    # Two against two is no verdict, and no zero.
    assert (opinion.measures["judged_correct"].n, opinion.measures["judged_correct"].unscored) == (0, 3)
    assert opinion.agreement.among_repeats.value == pytest.approx(1 / 3)
    assert opinion.agreement.krippendorff_alpha is not None
    assert opinion.agreement.krippendorff_alpha < 0
    assert (opinion.agreement.with_answer_correct.n, opinion.agreement.cohen_kappa) == (0, None)


@pytest.mark.parametrize("reply", ["It is hard to say.", "Right or Wrong", "42", "Yes"])
def test_nonsense_is_unscored(reply: str, tmp_path: Path) -> None:
    opinion = judged(reply, tmp_path)
    assert [one.opinions for one in opinion.answers] == [(None,) * 3] * 3
    assert opinion.unparsable == 9
    correct = opinion.measures["judged_correct"]
    assert (correct.value, correct.n, correct.unscored) == (None, 0, 3)
    assert opinion.agreement.among_repeats.n == 0
    assert opinion.agreement.krippendorff_alpha is None
    assert ModelJudge.model_validate_json(opinion.model_dump_json()) == opinion


def test_a_run_without_answers_asks_nothing(tmp_path: Path) -> None:
    model = ScriptedModel("Right")
    report = make_report([make_question("g", "crashed")])
    opinion = judge_report(report, KeptReplies(model, tmp_path / "replies.jsonl"), 3)
    assert (model.asked, opinion.answers, opinion.measures["judged_correct"].n) == ([], (), 0)


def test_what_it_disputes_and_what_it_wrote_itself_is_named(tmp_path: Path) -> None:
    own = make_answer().model_copy(
        update={"provenance": make_answer().provenance.model_copy(update={"language_model": "scripted"})}
    )
    report = make_report([make_question("a", answer=own), make_question("c", "wrong")])
    opinion = judge_report(report, KeptReplies(ScriptedModel("Right"), tmp_path / "replies.jsonl"), 1)
    assert [(one.id, one.by_rule) for one in opinion.disputed()] == [("c", "wrong")]
    assert opinion.own_answers == 1
    assert "wrote 1 of these answers itself" in opinion.describe()[-1]
    # It says the one thing of everything, so its agreement of one half is chance.
    assert (opinion.agreement.with_answer_correct.value, opinion.agreement.cohen_kappa) == (0.5, 0)
    assert opinion.agreement.among_repeats.n == 0


def test_every_repeat_is_another_prompt_with_the_same_material() -> None:
    (question,) = make_report([make_question("a")]).questions
    answer = make_answer()
    prompts = list(present(question, answer, MOST_REPEATS))
    assert len({prompt.user for prompt in prompts}) == MOST_REPEATS == 12
    assert len({prompt.system for prompt in prompts}) == 1
    for prompt in prompts:
        assert prompt.user.startswith("Question: When does the first ferry leave?")
        assert all(part in prompt.user for part in ('- It says: "5:55"', "[1] 5:55", "Answer: At 5:55 am. [1]"))
    assert {first_named(prompt) for prompt in prompts[:2]} == {"Right", "Wrong"}
    assert list(present(question, answer, 2)) == prompts[:2]


def test_quotes_and_phrases_come_in_another_order_too() -> None:
    citations = tuple(
        Citation(number=n, document_id="d", title="T", page=None, start=0, end=6, quote=f"quote{n}") for n in (1, 2, 3)
    )
    statement = Statement(text="So.", citations=(1, 2, 3), support="quoted")
    changes = {"text": "So. [1] [2] [3]", "statements": (statement,), "citations": citations}
    answer = make_answer().model_copy(update=changes)
    golden = make_question("a").golden.model_copy(update={"expect": (("one", "two", "three"),), "forbid": ("four",)})
    question = make_question("a", answer=answer).model_copy(update={"golden": golden})
    users = [prompt.user for prompt in present(question, answer, 6)]
    assert len({re.search(r"cites:\n(.*\n.*\n.*)", user)[1] for user in users}) > 1  # type: ignore[index]
    assert len({re.search(r"It says: (.*)", user)[1] for user in users}) > 1  # type: ignore[index]
    assert all('- It does not say: "four"' in user for user in users)


def test_a_follow_up_shows_its_conversation_and_evidence_stands_in_for_phrases() -> None:
    golden = make_question("a").golden.model_copy(
        update={
            "history": (EarlierTurn(role="user", content="Tell me of {ferries}."),),
            "expect": (),
            "evidence": (EvidenceItem(any_of=(Quote(document_id="d", quote="leaves at 5:55"),)),),
        }
    )
    question = make_question("a").model_copy(update={"golden": golden})
    (prompt,) = present(question, make_answer("x" * 9_000), 1)
    assert "Conversation before the question:\nuser: Tell me of {ferries}.\nQuestion: When" in prompt.user
    assert '- It rests on: "leaves at 5:55"' in prompt.user
    assert len(prompt.user) < 4_096


@pytest.mark.parametrize(
    ("reply", "opinion"),
    [
        ("Right", "right"),
        (" wrong.\n", "wrong"),
        ("**Right**", "right"),
        ("", None),
        ("Right, because", None),
        ("Right\nWrong", None),
        ("Not right", None),
        ("Rightly", None),
    ],
)
def test_a_reply_is_one_of_two_words_or_nothing(reply: str, opinion: Opinion | None) -> None:
    assert opinion_in(reply) == opinion


def test_a_majority_needs_more_than_half_of_what_could_be_read() -> None:
    assert majority_of(["right", "wrong", "right"]) == "right"
    assert majority_of(["wrong", None, None]) == "wrong"
    assert majority_of(["right", "wrong", None]) is None
    assert majority_of([None]) is None


def test_agreement_by_hand() -> None:
    assert agreeing_pairs(["right", "right", "wrong"]) == pytest.approx(1 / 3)
    assert agreeing_pairs(["right", None]) is None
    # The example of K. Krippendorff, "Computing Krippendorff's Alpha-Reliability" (2011), section C.
    rows = ["123321412...", "1233224125.3", ".3332342251.", "12332441251."]
    answers = [[None if cell == "." else cell for cell in column] for column in zip(*rows, strict=True)]
    assert krippendorff_alpha(answers) == pytest.approx(0.743, abs=0.0005)
    assert krippendorff_alpha([("right", "right")]) is None
    assert krippendorff_alpha([("right",), ("wrong", None)]) is None
    # 20 right by both, 5 and 10 by one, 15 by none: observed .7, by chance .5.
    pairs: list[tuple[Opinion, Opinion]] = [("right", "right")] * 20 + [("right", "wrong")] * 5
    pairs += [("wrong", "right")] * 10 + [("wrong", "wrong")] * 15
    assert cohen_kappa(pairs) == pytest.approx(0.4)
    assert cohen_kappa([("right", "right")] * 3) is None
    assert cohen_kappa([]) is None


def test_what_was_judged_is_kept_when_the_model_goes_away(tmp_path: Path) -> None:
    kept = tmp_path / "replies.jsonl"
    failing = ScriptedModel(lambda prompt: unavailable() if "noon" in prompt.user else "Right")
    with pytest.raises(EvaluationError) as caught:
        judge_with_progress(run(), failing, 3, kept)
    assert str(caught.value) == (
        f"The language model is down: start it again. 6 replies are kept in {str(kept)!r}: "
        "the same command goes on from there."
    )
    with kept.open("a", encoding="utf-8") as file:
        file.write('{"request": "cut o')
    back = ScriptedModel(by_the_answer)
    opinion = judge_with_progress(run(), back, 3, kept)
    assert len(back.asked) == 3
    assert [one.majority for one in opinion.answers] == ["right", "right", "wrong"]
    again, more = ScriptedModel(unavailable()), ScriptedModel(by_the_answer)
    assert judge_with_progress(run(), again, 3, kept) == opinion
    judge_with_progress(run(), more, 4, kept)
    assert (again.asked, len(more.asked)) == ([], 3)


def with_opinion(report: RunReport, folder: Path) -> RunReport:
    opinion = judge_report(report, KeptReplies(ScriptedModel("Right"), folder / "replies.jsonl"), 3)
    return report.model_copy(update={"model_judge": opinion})


GATES = {
    "a floor": "[at_least]\njudged_correct = 0.5",
    "a ceiling": "[at_most]\njudged_correct = 0.5",
    "a regression": "[allowed_regression]\njudged_correct = 0.5",
    "a tag": "[tags.fact.at_least]\njudged_correct = 0.5",
    "its agreement": "[at_least]\ncohen_kappa = 0.5",
    "a heading": "[model_judge]\njudged_correct = 0.5",
}


@pytest.mark.parametrize("kind", GATES)
def test_a_gate_that_names_an_opinion_is_refused(kind: str, tmp_path: Path) -> None:
    (tmp_path / "gate.toml").write_text(GATES[kind], encoding="utf-8")
    with pytest.raises(GateError, match="a model's opinion never decides a gate: remove this") as caught:
        load_gate(tmp_path / "gate.toml")
    assert "\n" not in str(caught.value)


def test_an_opinion_changes_no_check_and_no_comparison(tmp_path: Path) -> None:
    report = run()
    (tmp_path / "gate.toml").write_text("[at_least]\nanswer_correct = 0.9", encoding="utf-8")
    gate, opined = load_gate(tmp_path / "gate.toml"), with_opinion(report, tmp_path)
    assert check_gate(gate, opined) == check_gate(gate, report)
    assert compare_runs(report, opined) == compare_runs(report, report)


def test_the_page_calls_an_opinion_an_opinion(tmp_path: Path) -> None:
    report = with_opinion(run(), tmp_path)
    page = BeautifulSoup(render_report(report), "lxml")
    section = page.select_one("#opinion")
    assert section is not None
    assert section.summary.get_text() == "A model's opinion of the answers: no measure, and part of no gate"
    text = section.get_text(" ", strip=True)
    assert "The opinion of scripted on 3 answers, asked 3 times about each." in text
    assert "judged_ correct" in text
    assert "krippendorff_alpha -, cohen_kappa 0.000" in text
    links = [link["href"] for link in section.select(".plain-list a")]
    assert links == ["#q-c"]
    assert page.select_one('[id="q-c"]') is not None
    # Outside of it nothing speaks of it, and without an opinion there is no such part.
    section.extract()
    assert "judged" not in page.main.get_text()
    assert not BeautifulSoup(render_report(run()), "lxml").select("#opinion")


def test_the_judge_has_prompts_of_its_own() -> None:
    shaping = [(PROMPTS / name).read_bytes() for name in ("replies.toml", "instructions.toml")]
    assert prompts_hash() == hashlib.sha256(b"".join(shaping)).hexdigest()[:16]
    source = (PROMPTS / "model_judge.toml").read_text(encoding="utf-8")
    assert "Right" in parse_judge_prompt(source)["system"]
    with pytest.raises(ValueError, match=r"quotes has the placeholders \['quote'\], the code fills in \['lines'\]"):
        parse_judge_prompt(source.replace("cites:\\n{lines}", "cites:\\n{quote}"))
    with pytest.raises(ValueError, match="the part 'tone' is unknown"):
        parse_judge_prompt(f'{source}\ntone = "kind"\n')


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "monday").mkdir()
    run().write(tmp_path / "monday" / "report.json")
    return tmp_path


def judge(*arguments: str, url: str = "") -> Result:
    environment = {"FOOTNOTE_REMOTE_URL": url, "FOOTNOTE_REMOTE_MODEL": "far"}
    return CliRunner().invoke(footnote, ["eval", "judge", *arguments, "--answerer", "remote"], env=environment)


def test_the_command_asks_a_server_and_writes_a_copy(folder: Path) -> None:
    before = (folder / "monday" / "report.json").read_bytes()
    with model_server() as server:
        server.reply = "Right"
        printed = judge("monday", url=server.url)
        assert printed.exit_code == 0, printed.exception
        assert len(server.requests) == 9
        as_json = judge("monday/report.json", "--json", url=server.url)
        assert len(server.requests) == 9
    assert "It is no measure of the run and decides no gate." in printed.stdout
    assert "disputed  c: answer_correct says wrong, the model right, right, right" in printed.stdout
    assert "Wrote 'monday/report.judged.json'" in printed.stderr
    written = RunReport.load(folder / "monday" / "report.judged.json")
    assert written.model_judge is not None
    assert json.loads(as_json.stdout) == written.model_judge.model_dump(mode="json")
    assert written.model_copy(update={"model_judge": None}) == run()
    assert (folder / "monday" / "report.json").read_bytes() == before


def test_what_cannot_be_done_is_one_line(folder: Path) -> None:
    nobody = judge("monday", url=unused_url())
    assert nobody.exit_code == 1
    assert isinstance(nobody.exception, EvaluationError)
    assert "cannot be reached" in str(nobody.exception)
    assert "0 replies are kept" in str(nobody.exception)
    assert not (folder / "monday" / "report.judged.json").exists()
    assert isinstance(judge("tuesday", url=unused_url()).exception, ReportError)
    assert isinstance(judge("monday", "--out", "no/where.json", url=unused_url()).exception, ReportError)
    assert isinstance(judge("monday").exception, SettingsError)
    assert judge("monday", "--repeat", str(MOST_REPEATS + 1)).exit_code == 2
    missing = CliRunner().invoke(footnote, ["eval", "judge", "monday", "--gguf", "no.gguf", "--answerer", "local"])
    assert isinstance(missing.exception, EvaluationError)
    assert "There is no language model to ask" in str(missing.exception)

"""Drafted golden questions: what rules make of sentences, and the command that writes them down."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from bot.cli import footnote
from bot.language_model.session import ModelSession
from bot.text.facts import missing_facts
from eval.drafts.command import word_drafts
from eval.drafts.propose import asks_the_same, choose_drafts, propose_questions, reword_question
from eval.drafts.question_draft import QuestionDraft, SourceSentence
from eval.errors import DraftError
from eval.measures.correctness import shows
from eval.suites.golden import contradictions
from eval.suites.suite import load_suite
from eval.suites.suite_check import check_form, check_suite
from tests.support.scripted_model import ScriptedModel, unavailable

SEEDS = Path(__file__).parent.parent.parent / "seeds"
LIBRARY = """The Harbour Library
The Harbour Library was founded in 1987 by Mei Lam. The Harbour Library holds 41,000 books for readers of all ages.
The River Library holds 12,500 books and lends them for free. The Harbour Library is located in Mui Wo.
The city has allocated $4 million to build a new reading room. The city has reserved $1 million to repair the old roof.
Dr Ada Wong, director of the library, thanked the volunteers.
The reading room was closed in March 2024 because the roof was leaking.
The shop sells small goods such as postcards, pencils, and maps. It was not open on Mondays. He was 41.
"""
CHINESE = """海港圖書館於1987年4月成立，是全港最大的圖書館。海港圖書館位於梅窩碼頭。
海港圖書館藏書四萬二千冊，全部免費外借。河畔圖書館藏書一萬二千冊。圖書館的設施包括閱讀室、電腦室和兒童角。
圖書館館長陳大文表示，圖書館明年擴建。由於屋頂漏水，閱讀室去年關閉。它由市政府管理。
海港圖書館是一座三層高的公共建築。
"""


def drafts_of(text: str, document_id: str = "a.txt") -> list[QuestionDraft]:
    return propose_questions({document_id: text})


def asked(drafts: list[QuestionDraft], kind: str) -> dict[str, tuple[tuple[str, ...], ...]]:
    return {draft.question: draft.expect for draft in drafts if draft.kind == kind and not draft.asked_before}


def test_questions_of_every_kind_from_english() -> None:
    drafts = drafts_of(LIBRARY)
    assert asked(drafts, "date")["When was the Harbour Library founded by Mei Lam?"] == (("1987",),)
    assert asked(drafts, "date")["When was the reading room closed because the roof was leaking?"] == (("March 2024",),)
    assert asked(drafts, "who") == {
        "Who was the Harbour Library founded by in 1987?": (("Mei Lam",),),
        "Who is the director of the library?": (("Ada Wong",),),
    }
    numbers = asked(drafts, "numeric")
    assert numbers["How many books does the Harbour Library hold for readers of all ages?"] == (("41,000", "41000"),)
    (money,) = numbers["How much has the city allocated to build a new reading room?"]
    assert set(money) >= {"4 million", "4,000,000"}
    assert "How many books does the River Library hold?" in numbers
    assert asked(drafts, "where") == {"Where is the Harbour Library located?": (("Mui Wo",),)}
    assert asked(drafts, "why") == {"Why was the reading room closed in March 2024?": (("roof",), ("leaking",))}
    assert asked(drafts, "list") == {
        "Which small goods are named in connection with the shop?": (("postcards",), ("pencils",), ("maps",))
    }
    comparisons = asked(drafts, "comparison")
    assert comparisons["Which has more books, the Harbour Library or the River Library?"] == (("41,000", "41000"),)
    assert any(question.startswith("Which is larger, the sum allocated to build") for question in comparisons)
    assert not any("Mondays" in draft.question or "41." in draft.question for draft in drafts)  # "It", "He": of whom?


def test_questions_of_every_kind_from_chinese() -> None:
    drafts = drafts_of(CHINESE)
    assert asked(drafts, "date") == {"海港圖書館於何時成立？": (("1987年4月", "April 1987"),)}
    assert asked(drafts, "where") == {"海港圖書館位於哪裏？": (("梅窩碼頭", "梅窝码头"),)}
    assert asked(drafts, "numeric")["海港圖書館藏書多少冊？"] == (("四萬二千", "42000", "42,000", "4.2萬"),)
    assert asked(drafts, "list") == {
        "圖書館的設施包括哪些？": (("閱讀室", "阅读室"), ("電腦室", "电脑室"), ("兒童角", "儿童角"))
    }
    assert asked(drafts, "who") == {"圖書館館長是誰？": (("陳大文", "陈大文"),)}
    assert asked(drafts, "why") == {"為什麼閱讀室去年關閉？": (("屋頂漏水", "屋顶漏水"),)}
    assert list(asked(drafts, "definition")) == ["海港圖書館是什麼？"]
    assert "海港圖書館藏書和河畔圖書館藏書，哪個較多？" in asked(drafts, "comparison")
    assert not any(draft.question.startswith("它由") for draft in drafts if not draft.asked_before)
    simplified = drafts_of("海港图书馆于1987年4月成立，是全港最大的图书馆。")
    assert list(asked(simplified, "date")) == ["海港图书馆于何时成立？"]


@pytest.mark.parametrize("text", [LIBRARY, CHINESE, *(path.read_text(encoding="utf-8") for path in SEEDS.iterdir())])
def test_nothing_is_invented_and_nothing_given_away(text: str) -> None:
    answerable = [draft for draft in drafts_of(text) if not draft.is_near_miss]
    assert len(answerable) > 8
    for draft in answerable:
        sources = [source.flat() for source in draft.sources]
        assert all(source in " ".join(text.split()) for source in sources)
        for group in draft.expect:
            assert any(shows(" ".join(sources), phrase) for phrase in group)
            assert not any(shows(draft.question, phrase) for phrase in group)
            numbers = [phrase for phrase in group if phrase not in " ".join(sources)]
            wrong = [fact for phrase in numbers for fact in missing_facts(phrase, sources)]
            assert not [fact for fact in wrong if fact.kind in {"number", "date"}]


def test_a_follow_up_says_it_for_what_was_named() -> None:
    follow_ups = [draft.golden() for draft in drafts_of(LIBRARY) if draft.asked_before]
    found = {(one.history[0].content, one.history[1].content, one.question) for one in follow_ups}
    before = "How many books does the Harbour Library hold for readers of all ages?"
    assert (before, "41,000.", "Where is it located?") in found
    assert all(
        "follow_up" in one.tags and [turn.role for turn in one.history] == ["user", "assistant"] for one in follow_ups
    )


def test_a_near_miss_asks_for_what_no_word_hints_at() -> None:
    misses = {draft.question for draft in drafts_of(LIBRARY) if draft.is_near_miss}
    assert "What is the telephone number of the Harbour Library?" in misses
    assert "When was the reading room closed in March 2024?" not in misses
    assert "Who was the Harbour Library founded by in 1990?" in misses
    told = {
        draft.question for draft in drafts_of(f"{LIBRARY} Phone the library under 2345 6789.") if draft.is_near_miss
    }
    assert "What is the telephone number of the Harbour Library?" not in told
    golden = next(draft for draft in drafts_of(LIBRARY) if draft.is_near_miss).golden()
    assert (golden.answerable, golden.expect, golden.evidence) == (False, (), ())
    assert set(golden.tags) == {"draft", "near_miss", "check_not_stated"}
    assert list(contradictions(golden)) == []


def test_a_question_with_two_answers_is_left_out_and_one_stated_twice_has_both_quotes() -> None:
    first = "The Harbour Library was founded in 1987."
    assert not asked(drafts_of(f"{first} Some disagree. The Harbour Library was founded in 1988."), "date")
    twice = propose_questions({"a.txt": first, "b.txt": f"{first} A visit is free."})
    (golden,) = [draft.golden() for draft in twice if draft.kind == "date"]
    assert [quote.document_id for quote in golden.evidence[0].any_of] == ["a.txt", "b.txt"]


def test_a_seed_fixes_the_choice_and_kinds_are_spread() -> None:
    proposed = drafts_of(LIBRARY)
    chosen = choose_drafts(proposed, 12, 3)
    assert chosen == choose_drafts(proposed, 12, 3)
    assert chosen != choose_drafts(proposed, 12, 4)
    assert sum(draft.is_near_miss for draft in chosen) == 3
    assert len({draft.kind for draft in chosen}) >= 7
    assert len(choose_drafts(proposed, 1_000, 0)) == len({(draft.question, draft.asked_before) for draft in proposed})


DRAFT_WHEN = QuestionDraft(
    "date",
    "When was the Harbour Library founded by Mei Lam?",
    (("1987",),),
    (SourceSentence("a.txt", "The Harbour Library was founded in 1987 by Mei Lam."),),
)


@pytest.mark.parametrize(
    ("line", "is_used"),
    [
        ("In what year did Mei Lam found the Harbour Library?", True),
        ("Was it in 1987 that Mei Lam founded the Harbour Library?", False),  # says the answer
        ("Who founded the Harbour Library?", False),  # asks for something else
        ("When was the Harbour Museum founded by Peter Lee?", False),  # names what the sentence does not
        ("When was the Harbour Library founded by Mei Lam", False),
        ("海港圖書館何時創立？", False),
        ("", False),
    ],
)
def test_a_model_words_a_question_only_as_long_as_it_stays_the_same(line: str, *, is_used: bool) -> None:
    model = ScriptedModel(write=line)
    worded = reword_question(DRAFT_WHEN, ModelSession(model))
    assert worded.question == (line if is_used else DRAFT_WHEN.question)
    assert (worded.expect, worded.sources) == (DRAFT_WHEN.expect, DRAFT_WHEN.sources)
    assert asks_the_same(DRAFT_WHEN, line) == is_used
    assert "1987" in model.asked[0].user


def test_where_the_model_fails_the_rules_word_the_question(capsys: pytest.CaptureFixture[str]) -> None:
    near_miss = next(draft for draft in drafts_of(LIBRARY) if draft.is_near_miss)
    silent = ScriptedModel(is_ready=False)
    assert word_drafts([DRAFT_WHEN], silent) == [DRAFT_WHEN]
    assert silent.asked == []
    replies = iter(["When did Mei Lam found the Harbour Library?", unavailable()])
    worded = word_drafts([near_miss, DRAFT_WHEN, DRAFT_WHEN], ScriptedModel(write=lambda _: next(replies)))
    assert [draft.question for draft in worded] == [
        near_miss.question,
        "When did Mei Lam found the Harbour Library?",
        DRAFT_WHEN.question,
    ]
    assert "worded by rules: The language model is down" in capsys.readouterr().err


def invoke(*arguments: object) -> Result:
    return CliRunner().invoke(footnote, ["eval", *map(str, arguments)])


@pytest.mark.parametrize("suffix", ["yaml", "jsonl", "csv", "xlsx"])
def test_the_command_writes_drafts_that_load_and_stand_in_the_documents(
    seed_data: Path, tmp_path: Path, suffix: str
) -> None:
    out = tmp_path / f"drafts.{suffix}"
    result = invoke("new", "--data-dir", seed_data, "--out", out, "--count", 16)
    assert result.exit_code == 0, result.output
    assert result.stdout.startswith(f"{out}: 16 drafts (")
    assert "Confirm or correct each one" in result.stderr
    suite = load_suite(out)
    texts = {path.name: path.read_text(encoding="utf-8") for path in SEEDS.iterdir()}
    assert check_suite(suite, texts.keys(), texts.get).mistakes == ()
    assert sum(not question.answerable for question in suite.questions) == 4
    assert [warning.message for warning in check_form(suite).warnings] == [
        "16 questions from here are drafts: confirm or correct, then remove the tag draft"
    ]
    again = tmp_path / f"again.{'yaml' if suffix != 'yaml' else 'csv'}"
    invoke("new", "--data-dir", seed_data, "--out", again, "--count", 16)
    assert load_suite(again).questions == suite.questions
    if suffix != "xlsx":
        assert out.read_text(encoding="utf-8-sig").startswith("# Drafts by footnote eval new")


def test_every_question_of_the_seeds_can_be_drafted(seed_data: Path, tmp_path: Path) -> None:
    result = invoke("new", "--data-dir", seed_data, "--out", tmp_path / "all.csv", "--count", 300)
    assert result.exit_code == 0, result.output
    assert all(question.question.strip() for question in load_suite(tmp_path / "all.csv").questions)


def test_check_names_the_drafts(seed_data: Path, tmp_path: Path) -> None:
    out = tmp_path / "drafts.csv"
    invoke("new", "--data-dir", seed_data, "--out", out, "--count", 2)
    result = invoke("check", out, "--data-dir", tmp_path / "none")
    assert result.exit_code == 0
    assert result.stdout == f"{out}: 2 questions, no mistakes\n"
    assert f"warning: {out}:7: tags: 2 questions from here are drafts: confirm or correct, then" in result.stderr


def test_what_cannot_be_drafted_is_said_in_one_line(seed_data: Path, tmp_path: Path) -> None:
    there = tmp_path / "there.yaml"
    there.write_text("mine", encoding="utf-8")
    for arguments, message in [
        (["--out", there], "already, and it is left alone: name another with --out."),
        (["--out", tmp_path / "drafts.txt"], "name a .yaml, .yml, .jsonl, .csv, .xlsx file with --out."),
        (["--out", tmp_path / "none" / "drafts.csv"], "make it, or name another."),
        (
            ["--out", tmp_path / "a.csv", "--document", "000_22370086f0b82f5.txt"],
            "did you mean '000_22370086f0b82f53.txt'?",
        ),
        (["--out", tmp_path / "a.csv", "--data-dir", tmp_path], "run footnote index first."),
    ]:
        result = invoke("new", "--data-dir", seed_data, *arguments)
        assert result.exit_code == 1
        assert isinstance(result.exception, DraftError)
        assert str(result.exception).endswith(message)
    assert there.read_text(encoding="utf-8") == "mine"
    assert not (tmp_path / "footnote.db").exists()

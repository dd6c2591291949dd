"""The golden suite of the seed documents, as `footnote eval run` runs it: what must hold, and what must not slip."""

from __future__ import annotations

from pathlib import Path

from bot.chatbot import Chatbot
from eval.run.suite_run import run_suites
from eval.suites.suite import load_suites

SUITES = Path(__file__).parent.parent.parent / "eval" / "suites"


def test_the_tuned_half_holds_its_floors(seed_chatbot: Chatbot) -> None:
    report = run_suites(seed_chatbot, load_suites([SUITES / "seed.yaml"]), seed_chatbot.settings)
    metrics = report.metrics
    assert report.crashes == 0
    assert metrics["quote_fidelity"].value == 1
    # Floors a little below the published figures of the extractive answerer (docs/quality.md).
    assert (metrics["answer_correct"].value or 0) >= 0.4
    assert (metrics["refusal_recall"].value or 0) >= 0.6
    assert (metrics["recall_at_5"].value or 0) >= 0.9


def test_both_halves_are_well_formed_and_large_enough(seed_chatbot: Chatbot) -> None:
    suites = load_suites([SUITES / "seed.yaml", SUITES / "seed_check.yaml"])  # ids are unique across both
    assert sum(len(suite.questions) for suite in suites) >= 80
    for suite in suites:
        tags = {tag for question in suite.questions for tag in question.tags}
        assert {
            "fact",
            "date",
            "list",
            "follow_up",
            "near_miss",
            "false_premise",
            "small_talk",
            "zh_hant",
            "zh_hans",
        } <= tags

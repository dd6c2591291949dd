"""What retrieval is worth: a quick look at the seed documents, and a whole one at the public sets."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from bot.chatbot import Chatbot
from bot.settings import Settings
from eval.benchmarks.sets.public_set import load_set
from eval.benchmarks.sets.retrieval_steps import STEPS, measure_steps
from eval.measures.answered import covers, occurrences
from eval.run.progress import show_progress
from eval.suites.suite import load_suites
from index.document import Span

SUITE = Path(__file__).parent.parent.parent / "eval" / "suites" / "seed.yaml"
DATASETS = Path(os.environ.get("FOOTNOTE_DATASETS", Path(__file__).parent.parent.parent.parent / "shared" / "datasets"))
SETS = ("lihua_world", "squad2", "covidqa", "drcd", "multihop100/hotpotqa", "multihop100/musique")
WEIGHTS = {step.name: step.settings for step in STEPS}
# A question or two of a hundred, which is less than any of these sets can tell apart.
NOISE = 0.02


def reciprocal_rank(chatbot: Chatbot) -> float:
    """Return the mean over the golden questions of one divided by the rank of the first chunk with the evidence."""

    def text_of(document_id: str) -> str | None:
        document = chatbot.document(document_id)
        return document.text if document else None

    ranks = []
    for question in (question for suite in load_suites([SUITE]) for question in suite.questions if question.evidence):
        wanted = [
            (quote.document_id, span)
            for item in question.evidence
            for quote in item.any_of
            for span in occurrences(text_of(quote.document_id) or "", quote.quote)
        ]
        found = chatbot.search(question.question, question.history, top_k=10).retrieved
        at = [one.rank for one in found if covers((one.document_id, Span(one.start, one.end)), wanted)]
        ranks.append(1 / min(at) if at else 0.0)
    assert len(ranks) >= 30
    return sum(ranks) / len(ranks)


def test_ranking_of_the_seed_documents_does_not_slip(seed_data: Path, open_chatbot: Callable[..., Chatbot]) -> None:
    reached = {
        name: reciprocal_rank(open_chatbot(seed_data, **WEIGHTS[name])) for name in ("dense", "keyword", "chosen")
    }
    assert reached["chosen"] >= max(reached["dense"], reached["keyword"]) - NOISE
    assert reached["chosen"] >= 0.8


@pytest.mark.slow
@pytest.mark.skipif(not (DATASETS / "squad2").is_dir(), reason="the public sets are not beside the project")
@pytest.mark.parametrize("name", SETS)
def test_ranking_is_as_good_as_its_better_half(name: str, tmp_path: Path) -> None:
    steps = measure_steps([load_set(DATASETS / name)], Settings(), tmp_path, show_progress)
    reached = {step.step: step.sets[0].metrics["recall_at_5"].value or 0.0 for step in steps}
    assert reached["chosen"] >= max(reached["dense"], reached["keyword"]) - NOISE, reached
    assert reached["chosen"] >= reached["naive"] - NOISE, reached

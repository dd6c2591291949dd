"""A language model's opinion of the answers of a run, as it stands in a report, and how far opinions agree."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from typing import Literal

from eval.measures.interval import Metric, mean, summarise
from eval.report.json_file import Record

Opinion = Literal["right", "wrong"]


class JudgedAnswer(Record):
    """One answer of the run and what the model said of it.

    Attributes:
        suite: File of the question.
        id: Of the golden question.
        repeat: Which time it was asked in the run, from 1.
        opinions: One for each time the model was asked; None where its reply was neither of the two words.
        majority: What most of them say; None where they are tied or none could be read.
        by_rule: What `answer_correct` says; None where it does not apply.
    """

    suite: str
    id: str
    repeat: int
    opinions: tuple[Opinion | None, ...]
    majority: Opinion | None
    by_rule: Opinion | None

    @property
    def is_disputed(self) -> bool:
        """Whether the model and the rule disagree."""
        return None not in (self.majority, self.by_rule) and self.majority != self.by_rule


class Agreement(Record):
    """How far the model agrees with itself, and with the deterministic verdict.

    Attributes:
        among_repeats: Share of the pairs of opinions on one answer that are the same, averaged over answers; scored
            where at least two could be read.
        krippendorff_alpha: The same beyond chance; None where all opinions are alike, so that chance cannot be told.
        with_answer_correct: Share of the answers on which the majority says what `answer_correct` says.
        cohen_kappa: The same beyond chance; None likewise.
    """

    among_repeats: Metric
    krippendorff_alpha: float | None
    with_answer_correct: Metric
    cohen_kappa: float | None


class ModelJudge(Record):
    """A model's opinion of a run. It is no measure of the run: no gate may rest on it.

    Attributes:
        model: Name of the language model.
        prompts_hash: Of what it was asked.
        repeats: How often it was asked about each answer, each time with the material in another order.
        own_answers: How many of the judged answers the same model had written; a model favours its own words.
        unparsable: How many replies were neither of the two words.
        not_judged: How many times a question was asked and not judged, by the reason.
        measures: `judged_correct`, over the judged answers alone.
        answers: The judged answers in the order of the report.
    """

    model: str
    prompts_hash: str
    repeats: int
    own_answers: int
    unparsable: int
    not_judged: dict[str, int]
    measures: dict[str, Metric]
    agreement: Agreement
    answers: tuple[JudgedAnswer, ...]

    def disputed(self) -> tuple[JudgedAnswer, ...]:
        """Return the answers on which the model and `answer_correct` disagree."""
        return tuple(answer for answer in self.answers if answer.is_disputed)

    def shares(self) -> dict[str, Metric]:
        """Return all that has an interval, by name."""
        one = self.agreement
        return self.measures | {
            "among_repeats": one.among_repeats,
            "with_answer_correct": one.with_answer_correct,
        }

    def beyond_chance(self) -> dict[str, float | None]:
        """Return the coefficients of agreement, by name."""
        one = self.agreement
        return {"krippendorff_alpha": one.krippendorff_alpha, "cohen_kappa": one.cohen_kappa}

    def describe(self) -> list[str]:
        """Return in a few sentences whose opinion it is, what it is worth, and what it leaves out."""
        left_out = ", ".join(f"{count} {reason}" for reason, count in self.not_judged.items())
        lines = [
            f"The opinion of {self.model} on {len(self.answers)} answers, asked {self.repeats} times about each. "
            "It is no measure of the run and decides no gate.",
            f"Not judged: {left_out or 'nothing'}. Replies that were neither Right nor Wrong: {self.unparsable}.",
        ]
        if self.own_answers:
            lines.append(f"It wrote {self.own_answers} of these answers itself; models favour their own words.")
        return lines


def agreement_of(answers: Sequence[JudgedAnswer], clusters: Sequence[Hashable]) -> Agreement:
    """Return the agreement over judged answers, `clusters` as in `eval.measures.interval.summarise`."""
    pairs = [
        (one.majority, one.by_rule) if one.majority is not None and one.by_rule is not None else None for one in answers
    ]
    return Agreement(
        among_repeats=summarise([agreeing_pairs(one.opinions) for one in answers], mean, clusters),
        krippendorff_alpha=krippendorff_alpha([one.opinions for one in answers]),
        with_answer_correct=summarise([float(one[0] == one[1]) if one else None for one in pairs], mean, clusters),
        cohen_kappa=cohen_kappa([one for one in pairs if one]),
    )


def agreeing_pairs(opinions: Iterable[Opinion | None]) -> float | None:
    """Return the share of the pairs of opinions that are the same; None where there are fewer than two opinions."""
    held = [one for one in opinions if one is not None]
    pairs = len(held) * (len(held) - 1)
    return sum(held.count(one) * (held.count(one) - 1) for one in dict.fromkeys(held)) / pairs if pairs else None


def krippendorff_alpha(answers: Iterable[Sequence[Hashable | None]]) -> float | None:
    """Return Krippendorff's alpha for nominal data, in which opinions may be missing ("Content Analysis", 1980).

    Args:
        answers: For each answer its opinions; only answers with at least two count.

    Returns:
        At most 1; 0 is chance. None where all opinions are alike: then no chance can be computed.
    """
    from nltk.metrics.agreement import AnnotationTask  # takes seconds to import

    counted = [held for some in answers if len(held := [one for one in some if one is not None]) >= 2]
    if len({one for held in counted for one in held}) < 2:
        return None
    rows = [(place, answer, one) for answer, held in enumerate(counted) for place, one in enumerate(held)]
    return float(AnnotationTask(rows).alpha())


def cohen_kappa(pairs: Sequence[tuple[Opinion, Opinion]]) -> float | None:
    """Return Cohen's kappa (Educational and Psychological Measurement 20, 1960) of two verdicts on each answer.

    Returns:
        At most 1; 0 is chance. None where both sides say the same one thing of everything.
    """
    from sklearn.metrics import cohen_kappa_score  # takes seconds to import

    if len({one for pair in pairs for one in pair}) < 2:
        return None
    ours, theirs = zip(*pairs, strict=True)
    return float(cohen_kappa_score(ours, theirs))


def is_opinion(name: str) -> bool:
    """Return whether a name that somebody wrote into a gate means a model's opinion."""
    return name.startswith(("judge", "model_judge")) or name in Agreement.model_fields

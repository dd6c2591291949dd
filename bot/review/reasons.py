"""Why an answer deserves a look, and how soon."""

from __future__ import annotations

from collections.abc import Mapping
from enum import IntFlag
from typing import Any

from bot.answer import Answer

LOW_CONFIDENCE = 0.6
# A refusal is close to the threshold when it missed it by no more than this.
CLOSE = 0.15


class Reason(IntFlag):
    """Reasons, kept as one number: an answer has any of them. Their values are in databases and never change."""

    DOWN = 1  # its reader says that it is not good
    DISPUTED = 2  # those who checked it do not agree
    LOW_CONFIDENCE = 4
    DROPPED = 8  # something was drafted that its sources do not say
    CLOSE_REFUSAL = 16
    DISAGREEMENT = 32  # sources say otherwise than each other
    PLANTED = 64  # a cited document addresses a machine
    SAMPLE = 128  # drawn at random, whatever it is


ALL_REASONS = tuple(Reason)

# What a single reason is worth: several add up. The sample stands high, so that it is checked whole and in time;
# answers that other reasons bring forward would otherwise be all that is ever known of it.
_WEIGHTS = {
    Reason.DISPUTED: 50,
    Reason.DOWN: 40,
    Reason.SAMPLE: 30,
    Reason.DROPPED: 20,
    Reason.PLANTED: 20,
    Reason.DISAGREEMENT: 15,
    Reason.LOW_CONFIDENCE: 15,
    Reason.CLOSE_REFUSAL: 10,
}


def reasons_for(answer: Answer, trail: Mapping[str, Any], *, planted: bool, draw: float, sample: float) -> Reason:
    """Return why an answer deserves a look when it is put on record.

    Args:
        answer: As it was given.
        trail: Its way through the chatbot (`Trail.to_json`); empty where it is not known.
        planted: Whether a document that it cites is marked for planted instructions.
        draw: Uniform in [0, 1).
        sample: The share of answers that is drawn.
    """
    threshold = trail.get("threshold", 1.0)
    close = answer.kind == "refusal" and answer.confidence > 0 and threshold - CLOSE <= answer.confidence < threshold
    found = {
        Reason.LOW_CONFIDENCE: answer.kind == "answer" and answer.confidence < LOW_CONFIDENCE,
        Reason.DROPPED: bool(trail.get("dropped")),
        Reason.CLOSE_REFUSAL: close,
        Reason.DISAGREEMENT: trail.get("disagreements", 0) > 0,
        Reason.PLANTED: planted,
        Reason.SAMPLE: draw < sample,
    }
    return Reason(sum(reason for reason, holds in found.items() if holds))


def priority_of(reasons: Reason) -> int:
    """Return how soon an answer should be looked at; 0 when nothing speaks for it."""
    return sum(weight for reason, weight in _WEIGHTS.items() if reason in reasons)

"""The rules of a gate, read from a TOML file whose mistakes are all named (docs/gating.md)."""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from eval.compare.difference import MEASURE_NAMES, less_is_better
from eval.errors import GateError
from eval.judge.record import is_opinion
from eval.measures.scoring import TAG_MEASURES


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


def _one_of(known: Iterable[str], what: str) -> AfterValidator:
    def check(name: str) -> str:
        if name not in known:
            raise ValueError(_did_you_mean(name, known, what))
        return name

    return AfterValidator(check)


def _limits(*, ceilings: bool) -> AfterValidator:
    better, key = ("higher", "at_least") if ceilings else ("lower", "at_most")

    def check(limits: dict[str, float]) -> dict[str, float]:
        for name, limit in limits.items():
            if less_is_better(name) != ceilings:
                raise ValueError(f"{name} is the better the {better} it is: write its limit under {key}")
            if name.endswith("_ms"):
                if limit < 0:
                    raise ValueError(f"{name} is a time in milliseconds: write 0 or more, not {limit:g}")
            elif not 0 <= limit <= 1:
                raise ValueError(f"{name} is a share: write a number from 0 to 1, such as 0.4, not {limit:g}")
        return limits

    return AfterValidator(check)


_Measure = Annotated[str, _one_of(MEASURE_NAMES, "measure")]
_TagMeasure = Annotated[str, _one_of(TAG_MEASURES, "measure by tag")]
_Number = Annotated[float, Field(allow_inf_nan=False)]


class AllowedRegression(_Strict):
    """How much worse a measure may be than in the baseline.

    Attributes:
        by: The allowance, in the unit of the measure.
        significant: A larger drop fails only if its p-value is below this level; None where any larger drop fails.
    """

    by: Annotated[_Number, Field(ge=0)] = 0.0
    significant: Annotated[float, Field(gt=0, lt=1)] | None = None


def _from_number(value: object) -> object:
    """Read `0.05` as `{ by = 0.05 }`."""
    return {"by": value} if isinstance(value, int | float) and not isinstance(value, bool) else value


_Regression = Annotated[AllowedRegression, BeforeValidator(_from_number)]


class TagRules(_Strict):
    """What the questions with one tag must reach."""

    at_least: Annotated[dict[_TagMeasure, _Number], _limits(ceilings=False)] = {}
    at_most: Annotated[dict[_TagMeasure, _Number], _limits(ceilings=True)] = {}
    allowed_regression: dict[_TagMeasure, _Regression] = {}


class Gate(_Strict):
    """The rules that a run must keep to pass.

    Attributes:
        max_crashes: Most questions that may crash; 0 by default, because a crash counts in no measure.
        max_dropped: Most questions of the baseline that this run may leave out; 0 by default, because a suite without
            its hard questions would pass.
        max_newly_wrong: Most questions that may be right in the baseline and wrong now.
        at_least: Floors of measures.
        at_most: Ceilings of measures.
        allowed_regression: Measures that are compared with the baseline.
        tags: The last three over the questions with one tag.
    """

    max_crashes: Annotated[int, Field(ge=0)] = 0
    max_dropped: Annotated[int, Field(ge=0)] = 0
    max_newly_wrong: Annotated[int, Field(ge=0)] | None = None
    at_least: Annotated[dict[_Measure, _Number], _limits(ceilings=False)] = {}
    at_most: Annotated[dict[_Measure, _Number], _limits(ceilings=True)] = {}
    allowed_regression: dict[_Measure, _Regression] = {}
    tags: dict[str, TagRules] = {}

    @property
    def baseline_rules(self) -> tuple[str, ...]:
        """The keys of the rules that look at an earlier run."""
        of_all = {"max_newly_wrong": self.max_newly_wrong is not None, "allowed_regression": self.allowed_regression}
        by_tag = tuple(f"tags.{tag}.allowed_regression" for tag in self.compared_tags)
        return (*(name for name, given in of_all.items() if given), *by_tag)

    @property
    def compared_tags(self) -> tuple[str, ...]:
        """Tags whose questions are compared with an earlier run."""
        return tuple(tag for tag, rules in self.tags.items() if rules.allowed_regression)

    def without_baseline(self) -> Gate:
        """Return the rules that look at one run alone."""
        alone: dict[str, Any] = {"allowed_regression": {}}
        tags = {tag: rules.model_copy(update=alone) for tag, rules in self.tags.items()}
        return self.model_copy(update={**alone, "max_newly_wrong": None, "tags": tags})


def load_gate(path: Path) -> Gate:
    """Return the rules of a TOML file.

    Raises:
        GateError: The file cannot be read or has mistakes; the message names every one.
    """
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise GateError(f"The gate {str(path)!r} cannot be read ({error.strerror}): name an existing file.") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise GateError(f"{path}: this is not TOML ({error}): correct it.") from error
    if not content:
        raise GateError(f"{path}: the gate holds no rules: write some, such as those in docs/gating.md.")
    try:
        return Gate.model_validate(content)
    except ValidationError as error:
        mistakes = [_explain(detail) for detail in error.errors(include_url=False)]
        raise GateError(f"{path}: {'; '.join(mistakes)}.") from error


def _explain(detail: Mapping[str, Any]) -> str:
    """Return one mistake with the key it is at."""
    key = [str(part) for part in detail["loc"] if part != "[key]"]
    kind, written = detail["type"], detail.get("input")
    if kind == "extra_forbidden":
        message = _did_you_mean(key[-1], _model_at(key[:-1]).model_fields, "key")
    elif kind == "value_error":
        message = str(detail["ctx"]["error"])
    elif kind in ("model_type", "dict_type"):
        message = f"{written!r} stands where lines of name = number belong: write [{'.'.join(key)}] above them"
    else:
        message = f"{written!r} cannot be used here: {str(detail['msg']).lower().replace('input', 'it')}"
    return f"{'.'.join(key)}: {message}"


def _model_at(key: list[str]) -> type[BaseModel]:
    if key[:1] == ["tags"]:
        key = key[2:] or key
    below: dict[str, type[BaseModel]] = {"allowed_regression": AllowedRegression, "tags": TagRules}
    return below.get(key[0], Gate) if key else Gate


def _did_you_mean(name: str, known: Iterable[str], what: str) -> str:
    if is_opinion(name):
        return "a model's opinion never decides a gate: remove this, and gate answer_correct instead"
    near = difflib.get_close_matches(name.lower(), list(known), n=1)
    hint = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(known)}"
    return f"unknown {what}; {hint}"

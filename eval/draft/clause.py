"""English main clauses that can be turned into questions without a parser: subject, verb, the rest."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from importlib.resources import files
from tomllib import loads

import regex

# What may stand before the subject. A lead that is a date answers "When …?".
_LEAD = regex.compile(
    r"^(?P<lead>(?:In addition|Furthermore|Moreover|However|Also|Finally|Meanwhile|Today|Currently|Later|Nevertheless|"
    r"Therefore|Thus|(?:To|In|On|At|With|After|Before|During|Since|By|For|From|As|Under|Building) [^,.;:]{2,140})), "
    r"(?=(?:the|a|an) |\p{Lu})"
)
_AUXILIARIES = (
    *("is", "are", "was", "were", "will", "has", "have", "had"),
    *("can", "could", "should", "would", "must", "may", "might"),
)
_UNCLEAR = regex.compile(
    r"^(?:he|she|it|they|we|i|you|this|these|that|those|there|here|his|her|its|their|our|my|such|another|other|others|"
    r"some|many|most|both|all|each|one|who|what|which|when|where|why|how|if|as|but|and|or|so|to|in|on|at|by|for|from|"
    r"with|within|among|between|throughout|despite|like|unlike|near|without|after|before|during|since|while|although|because|when|once|under|over|according|it's|yes|no|not|"
    r"\p{L}+ing|\p{L}+ly)\b",
    regex.IGNORECASE,
)
_RELATIVE = regex.compile(
    r"\band$|\b(?:who|whom|which|that|whose|where|when|if|because|while|said|says|he|she|they|it|not|called|however|"
    r"for the (?:first|second|last)|\p{Ll}{3,}ed)\b"
)
_ADDITION = regex.compile(r" (?:who|whom|which|whose|where|when)\b.*$")
_ASIDE = regex.compile(r"\s?\([^()]*\)")

_NEGATIVE = regex.compile(r"\b(?:not|never|no|nor|neither|cannot|hardly|without)\b|n['’]t\b")
_ADVERB = regex.compile(
    r"^(?:also|now|currently|actively|officially|already|still|then|just|recently|first|later|originally|formally|"
    r"subsequently|finally|basically|fully) "
)
_DETERMINER = regex.compile(r"^(?:The|A|An|Its|Their|His|Her)\b")
_LONGEST_SUBJECT = 10  # words


@dataclass(frozen=True, slots=True)
class Clause:
    """The main clause of a sentence.

    Attributes:
        subject: As it stands in the middle of a sentence.
        auxiliary: What goes before the subject in a question: "is", "will", "did".
        verb: What stays behind it of a verb that needs "do": "open" of "opened"; else empty.
        rest: Up to the first comma; no full stop.
        tail: What comes after that comma.
        lead: What comes before the subject, up to a comma.
    """

    subject: str
    auxiliary: str
    verb: str
    rest: str
    tail: str
    lead: str = ""

    def ask(self, opening: str, predicate: str) -> str:
        """Return a question with inversion: opening, auxiliary, subject, predicate."""
        return f"{opening} {self.auxiliary} {self.subject} {predicate}".rstrip(" ,") + "?"

    def ask_subject(self, word: str) -> str:
        """Return a question for the subject itself; nothing where the verb cannot stand there."""
        return "" if self.verb else f"{word} {self.auxiliary} {self.rest}?"


def read_clause(sentence: str, text: str) -> Clause | None:
    """Return the main clause of a sentence, or None where plain rules would get it wrong.

    Args:
        sentence: In one line.
        text: The whole document: a first word that stands there in small letters is no name.
    """
    plain = _ASIDE.sub("", sentence).rstrip(" .")
    lead = _LEAD.match(plain)
    match = _pattern().match(plain[lead.end() if lead else 0 :])
    if match is None:
        return None
    subject = regex.sub(r" \p{Ll}+ly$", "", match["subject"].strip())
    if (
        _UNCLEAR.search(subject)
        or _RELATIVE.search(subject)
        or subject.endswith(" and")
        or len(subject.split()) > _LONGEST_SUBJECT
    ):
        return None
    rest, _, tail = match["rest"].partition(", ")
    rest = _ADDITION.sub("", rest)
    if second := _second_clause().search(rest):
        rest, tail = rest[: second.start()].rstrip(), ""
    while _ADVERB.search(rest):
        rest = _ADVERB.sub("", rest)
    if _NEGATIVE.search(rest) or ";" in rest or not rest:
        return None
    base, auxiliary = _verbs().get(match["verb"], ("", match["verb"]))
    return Clause(_inside(subject, text), auxiliary, base, rest, tail, lead["lead"] if lead else "")


def _inside(subject: str, text: str) -> str:
    """Return a subject as it is written where it does not open the sentence."""
    first = subject.split(maxsplit=1)[0]
    is_ordinary = _DETERMINER.search(subject) or regex.search(rf"\b{regex.escape(first.lower())}\b", text)
    return subject[0].lower() + subject[1:] if is_ordinary and (first == "A" or not first.isupper()) else subject


@functools.cache
def _pattern() -> regex.Pattern[str]:
    verbs = "|".join((*_AUXILIARIES, *_verbs()))
    subject = r"(?P<subject>(?:(?:the|an?) )?[\p{L}“\"][^,;:.!?]{1,90}?)"
    return regex.compile(rf"^{subject}(?:, [^,;:]{{3,80}},)? (?P<verb>{verbs}) (?P<rest>\S.*)$")


@functools.cache
def _second_clause() -> regex.Pattern[str]:
    verbs = "|".join((*_AUXILIARIES, *_verbs(), r"\p{Ll}+ed"))
    return regex.compile(rf"\band (?:{verbs}|it|he|she|they|then|later|also)\b")


@functools.cache
def _verbs() -> dict[str, tuple[str, str]]:
    """Return base form and auxiliary for each form of a verb that needs "do"."""
    table = loads(files("eval.draft").joinpath("verbs.toml").read_text(encoding="utf-8"))
    past = {form: (base, "did") for base, form in table["past"].items()}
    return past | {form: (base, "does") for base, form in table["present"].items()}

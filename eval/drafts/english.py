"""Questions that a plain English main clause answers, made without a parser.

Every form takes what it asks for out of the clause and puts the rest behind "When was …", "How many …" and so on; what
was taken out is the expected answer. A sentence that fits no form gives no question.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.resources import files
from tomllib import loads

import regex

from bot.text.dates import read_dates
from bot.text.quantity import Quantity, is_currency, read_quantities
from eval.drafts.question_draft import (
    Amount,
    Groups,
    QuestionDraft,
    SourceSentence,
    date_phrases,
    item_groups,
    name_phrases,
    number_phrases,
    word_groups,
)
from index.text.words import is_function_word, iterate_words

_BE = frozenset({"is", "are", "was", "were"})
_HAVE = frozenset({"has", "have", "had"})
_AUXILIARIES = (*_BE, *_HAVE, "will", "can", "could", "should", "would", "must", "may", "might")
_TABLE = loads(files("eval.drafts").joinpath("verbs.toml").read_text(encoding="utf-8"))
# Base form and auxiliary for each form of a verb that needs "do".
_VERBS: dict[str, tuple[str, str]] = {form: (base, "did") for base, form in _TABLE["past"].items()} | {
    form: (base, "does") for base, form in _TABLE["present"].items()
}
_FINITE = "|".join((*_AUXILIARIES, *_VERBS))
_CLAUSE = regex.compile(
    r"^(?P<subject>(?:(?:the|an?) )?[\p{L}“\"][^,;:.!?]{1,90}?)(?:, [^,;:]{3,80},)? "
    rf"(?P<verb>{_FINITE}) (?P<rest>\S.*)$"
)
_SECOND_CLAUSE = regex.compile(rf"\band (?:{_FINITE}|\p{{Ll}}+ed|it|he|she|they|then|later|also)\b")
# What may stand before the subject.
_LEAD = regex.compile(
    r"^(?:\p{Lu}\p{Ll}+ly|In addition|Furthermore|Moreover|However|Also|Meanwhile|Today|Later|Nevertheless|"
    r"Therefore|Thus|(?:To|In|On|At|With|After|Before|During|Since|By|For|From|As|Under|\p{Lu}\p{Ll}+ing) "
    r"[^,.;:]{2,140}), "
    r"(?=(?:the|a|an) |\p{Lu})"
)
_RELATIVE = regex.compile(
    r"\band$|\b(?:who|whom|which|that|whose|where|when|if|because|while|said|says|he|she|they|it|not|called|however|"
    r"for the (?:first|second|last)|\p{Ll}{3,}ed)\b"
)
_ADDITION = regex.compile(r" (?:who|whom|which|whose|where|when)\b.*$")
_ASIDE = regex.compile(r"\s?\([^()]*\)")
_NEGATIVE = regex.compile(r"\b(?:not|never|no|nor|neither|cannot|hardly|without)\b|n['’]t\b")
_ADVERBS = regex.compile(r"^(?:(?:\p{Ll}+ly|also|now|already|still|then|just|first|later) )+")
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
    """

    subject: str
    auxiliary: str
    verb: str
    rest: str

    def ask(self, opening: str, predicate: str) -> str:
        """Return a question with inversion: opening, auxiliary, subject, predicate."""
        return f"{opening} {self.auxiliary} {self.subject} {predicate}".rstrip(" ,") + "?"


def read_clause(sentence: str, text: str) -> Clause | None:
    """Return the main clause of a sentence, or None where plain rules would get it wrong.

    Args:
        sentence: In one line.
        text: The whole document: a first word that stands there in small letters is no name.
    """
    plain = _ASIDE.sub("", sentence).rstrip(" .")
    match = _CLAUSE.match(_LEAD.sub("", plain))
    if match is None:
        return None
    subject = regex.sub(r" \p{Ll}+ly$", "", match["subject"].strip())
    if _is_unclear(subject) or _RELATIVE.search(subject) or len(subject.split()) > _LONGEST_SUBJECT:
        return None
    rest = _ADDITION.sub("", match["rest"].partition(", ")[0])
    rest = _ADVERBS.sub("", _SECOND_CLAUSE.split(rest, maxsplit=1)[0].rstrip())
    if _NEGATIVE.search(rest) or ";" in rest or not rest:
        return None
    base, auxiliary = _VERBS.get(match["verb"], ("", match["verb"]))
    return Clause(_inside(subject, text), auxiliary, base, rest)


def _is_unclear(subject: str) -> bool:
    """Return whether a subject opens with a pronoun, a preposition, a conjunction, a participle or an adverb."""
    first = next(iterate_words(subject), None)
    if first is None or regex.match(r"\p{L}+(?:ing|ly)\b", subject):
        return True
    return is_function_word(first, subject) and subject.split(maxsplit=1)[0].lower() not in {"the", "a", "an"}


def _inside(subject: str, text: str) -> str:
    """Return a subject as it is written where it does not open the sentence."""
    first = subject.split(maxsplit=1)[0]
    is_ordinary = _DETERMINER.search(subject) or regex.search(rf"\b{regex.escape(first.lower())}\b", text)
    return subject[0].lower() + subject[1:] if is_ordinary and (first == "A" or not first.isupper()) else subject


_NAME = r"\p{Lu}[\p{L}\d'’.&-]*(?: (?:of|for|and|the|de|van|von)(?= (?:the )?\p{Lu})| \p{Lu}[\p{L}\d'’&-]*){0,7}"
_BEFORE_DATE = regex.compile(
    r" ?\b(?P<word>in|on|at|by|since|until|during|around|about)"
    r"(?: (?:the (?:end|beginning|start|middle) of|early|late|mid|the year|around|about))*[ -]?$"
)
_DATE_OPENINGS = {"since": "Since when", "until": "Until when", "by": "By when"}
_AFTER = regex.compile(r"^(?:$|[,.)]| (?:by|in|at|on|to|with|for|after|when|because|and|as|from|under|near|through)\b)")
_BARE_YEAR = regex.compile(r"(?<![\d/-])(?:1[5-9]\d\d|20\d\d)(?![\d/-])")
_COUNTED = regex.compile(r"^ (?P<thing>\p{Ll}[\p{L}-]+(?: \p{Ll}[\p{L}-]+(?=s\b))?)")
_NOT_COUNTED = regex.compile(
    r"^(?:of|in|and|or|to|from|per|by|at|on|for|with|which|that|than|more|other|times|years? (?:old|ago))\b"
)
_PREPOSITION = regex.compile(
    r"\b(?P<word>in|for|over|with|into|within|across|through|from|on|at|by|to) (?:about |over )?$"
)
_BY = regex.compile(rf"^(?P<verb>\p{{Ll}}+(?:ed|en|wn|lt|un|ht|ade|et)) (?P<middle>.*?)\bby (?P<name>(?:the )?{_NAME})")
_ROLE = regex.compile(
    r"(?<![\p{L}])(?P<name>(?:(?:Professor|Dr|Mr|Mrs|Ms) )?\p{Lu}[\p{L}'’-]+(?: \p{Lu}[\p{L}'’-]+){1,3}), "
    r"(?:the )?(?P<role>(?:\p{Lu}\p{L}+ )?(?:[Cc]hief|[Ss]ecretary|[Dd]irector|[Cc]hair\w*|[Pp]resident|[Mm]inister|"
    r"[Hh]ead|[Mm]anager|[Ff]ounder|[Cc]ommissioner|[Mm]ayor|[Pp]rincipal|[Dd]ean|[Ee]ditor)[^,.;]*)(?=[,.])"
)
_PLACED = regex.compile(
    rf"^(?P<verb>located|situated|based|held|built|opened|born|headquartered|buried|founded|signed)(?P<middle>[^,]*?) "
    rf"(?P<place>(?:in|at|near|on|next to|adjacent to|north of|south of|east of|west of) (?:the )?{_NAME})"
)
_REASON = regex.compile(r"\b(?:because|so that|in order to|due to|owing to|aiming to) (?P<reason>.+)$")
_LIST = regex.compile(
    r"(?:^|[ ,])(?P<head>(?:\p{Ll}[\p{L}-]+ ){0,2}\p{Ll}[\p{L}-]+s),? "
    r"(?:such as|including|namely) (?P<items>[^.;:()]+)$"
)
_SMALL = regex.compile(r"^(?:(?:of|the|an?|and|or|for|in|on|at|by|to|with|from|its|their) )+")
_OBJECT = r"(?P<object>(?:an?|the|its|their|all|new|more|\p{Lu})\b.*)$"
_DOING = regex.compile(rf"^(?P<verb>\p{{Ll}}+ing) {_OBJECT}")
_DONE = regex.compile(rf"^(?P<verb>\p{{Ll}}+(?:ed|en|ade|uilt|ld|nt)) {_OBJECT}")
_WHOLE_OBJECT = regex.compile(rf"^(?=.{{9}}){_OBJECT}")
_INDEFINITE = regex.compile(r"(?:an?|the) \p{Ll}")
_ENOUGH_WORDS = 5
_SPENT = regex.compile(r"^(?P<verb>\p{Ll}{3,}) (?:from .+ )?(?P<aim>(?:to \p{Ll}|for |on ).+)$")


def propose_english(sentence: SourceSentence, text: str) -> Iterator[QuestionDraft]:
    """Yield the questions that a sentence answers.

    Args:
        sentence: One sentence of the document.
        text: The whole document.
    """
    yield from _roles(sentence)
    clause = read_clause(sentence.flat(), text)
    for form in _FORMS if clause else ():
        assert clause is not None
        yield from form(clause, sentence)


def _draft(
    kind: str, question: str, expect: Groups, sentence: SourceSentence, clause: Clause, amount: Amount | None = None
) -> QuestionDraft:
    return QuestionDraft(kind, " ".join(question.split()), expect, (sentence,), clause.subject, amount=amount)


def _roles(sentence: SourceSentence) -> Iterator[QuestionDraft]:
    for role in _ROLE.finditer(sentence.flat()):
        yield QuestionDraft("who", f"Who is the {role['role'].strip()}?", (name_phrases(role["name"]),), (sentence,))


def _dates(clause: Clause, sentence: SourceSentence) -> Iterator[QuestionDraft]:
    rest = clause.rest
    places = [(one.span.start, one.span.end, date_phrases(one, rest)) for one in read_dates(rest) if one.options]
    places += [(*found.span(), (found.group(),)) for found in _BARE_YEAR.finditer(rest)]
    for start, end, phrases in places:
        before = _BEFORE_DATE.search(rest[:start])
        if before is None or not _AFTER.match(rest[end:]):
            continue
        left = f"{clause.verb} {rest[: before.start()]}{rest[end:]}".strip(" ,")
        if left or clause.auxiliary not in _BE:
            question = clause.ask(_DATE_OPENINGS.get(before["word"], "When"), left)
            yield _draft("date", question, (phrases,), sentence, clause)


def _numbers(clause: Clause, sentence: SourceSentence) -> Iterator[QuestionDraft]:
    for one in read_quantities(clause.rest):
        if one.is_article or one.is_ordinal or one.code or not one.values:
            continue
        if is_currency(one.unit):
            yield from _money(clause, sentence, one)
        elif not one.unit:
            yield from _counted(clause, sentence, one)


def _money(clause: Clause, sentence: SourceSentence, one: Quantity) -> Iterator[QuestionDraft]:
    before, after = clause.rest[: one.span.start], clause.rest[one.span.end :]
    if regex.search(r"\b(?:of|from|the|and|than)\s*$", before) or not _AFTER.match(after.rstrip()):
        return
    left = f"{before.rstrip()}{after}"
    spent = _SPENT.match(left)
    amount = Amount(f"the sum {spent['verb']} {spent['aim']}", one.unit, next(iter(one.values))) if spent else None
    question = clause.ask("How much", f"{clause.verb} {left}")
    yield _draft("numeric", question, (number_phrases(one, clause.rest),), sentence, clause, amount)


def _counted(clause: Clause, sentence: SourceSentence, one: Quantity) -> Iterator[QuestionDraft]:
    before, after = clause.rest[: one.span.start], clause.rest[one.span.end :]
    counted = _COUNTED.match(after)
    if counted is None or _NOT_COUNTED.match(counted["thing"]):
        return
    thing, after = counted["thing"], after[counted.end() :]
    preposition = _PREPOSITION.search(before)
    is_object = not before or preposition or regex.search(r"\p{Ll}(?:ed|en|ade|ld|t|s|e|n|d) $", before)
    if not thing.endswith(("s", "people", "staff")) or not is_object:
        return
    has = clause.auxiliary in {"has", "have"} and not before
    if has:  # "The library has 41,000 books"
        does = "do" if clause.auxiliary == "have" else "does"
        question = f"How many {thing} {does} {clause.subject} have{after}?"
    elif clause.auxiliary in _BE and not before:
        return
    else:
        opening = f"{preposition['word'].capitalize()} how many" if preposition else "How many"
        kept = before[: preposition.start()] if preposition else before
        question = clause.ask(f"{opening} {thing}", f"{clause.verb} {kept}{after}")
    amount = Amount(clause.subject, thing, next(iter(one.values))) if has or clause.verb == "hold" else None
    yield _draft("numeric", question, (number_phrases(one, clause.rest),), sentence, clause, amount)


def _agents(clause: Clause, sentence: SourceSentence) -> Iterator[QuestionDraft]:
    passive = _BY.match(clause.rest) if clause.auxiliary in _BE else None
    if passive:
        question = clause.ask("Who", f"{passive['verb']} by {passive['middle']}")
        yield _draft("who", question, (name_phrases(passive["name"]),), sentence, clause)


def _places(clause: Clause, sentence: SourceSentence) -> Iterator[QuestionDraft]:
    match = _PLACED.match(clause.rest)
    if match:
        place = regex.sub(r"^(?:in|at|near|on|\p{L}+ (?:to|of)) ", "", match["place"])
        if not read_dates(place):
            question = clause.ask("Where", f"{match['verb']}{match['middle']}")
            yield _draft("where", question, (name_phrases(place),), sentence, clause)


def _reasons(clause: Clause, sentence: SourceSentence) -> Iterator[QuestionDraft]:
    match = _REASON.search(clause.rest)
    if match and match.start() > 5:
        question = clause.ask("Why", f"{clause.verb} {clause.rest[: match.start()]}")
        yield _draft("why", question, word_groups(match["reason"], question), sentence, clause)


def _lists(clause: Clause, sentence: SourceSentence) -> Iterator[QuestionDraft]:
    plain = _ASIDE.sub("", sentence.flat()).rstrip(" .")
    match = _LIST.search(plain[max(0, plain.find(clause.rest)) :])  # a clause ends at the commas between its items
    if match is None:
        return
    head = _SMALL.sub("", match["head"])
    items = [regex.sub(r"^(?:and|or) ", "", item.strip()) for item in regex.split(r",|(?<!,) and ", match["items"])]
    items = [item for item in items if item]
    if len(items) > 1 and all(len(item.split()) <= 5 for item in items):
        question = f"Which {head} are named in connection with {clause.subject}?"
        yield _draft("list", question, item_groups(items), sentence, clause)


def _definitions(clause: Clause, sentence: SourceSentence) -> Iterator[QuestionDraft]:
    if clause.auxiliary in _BE and _INDEFINITE.match(clause.rest) and len(clause.subject.split()) < 6:
        question = f"What {clause.auxiliary} {clause.subject}?"
        yield _draft("definition", question, word_groups(clause.rest, question), sentence, clause)


def _facts(clause: Clause, sentence: SourceSentence) -> Iterator[QuestionDraft]:
    """Yield questions for the object, and for the subject where the rest says enough to tell it from others."""
    doing = _DOING.match(clause.rest) if clause.auxiliary in _BE else None
    done = _DONE.match(clause.rest) if clause.auxiliary in _HAVE else None
    whole = _WHOLE_OBJECT.match(clause.rest) if clause.verb else None
    if match := doing or done or whole:
        question = clause.ask("What", clause.verb or match["verb"])
        yield _draft("fact", question, word_groups(match["object"], question), sentence, clause)
    is_definition = clause.auxiliary in _BE and regex.match(r"(?:an?|the|one|not) ", clause.rest)
    is_named = len(clause.subject.split()) > 1 or clause.subject[0].isupper()
    if is_named and not is_definition and not clause.verb and len(clause.rest.split()) >= _ENOUGH_WORDS:
        question = f"What {clause.auxiliary} {clause.rest}?"
        yield _draft("fact", question, word_groups(clause.subject, question), sentence, clause)


_Form = Callable[[Clause, SourceSentence], Iterator[QuestionDraft]]
_FORMS: tuple[_Form, ...] = (_dates, _numbers, _agents, _places, _reasons, _lists, _definitions, _facts)

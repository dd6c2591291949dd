"""A follow-up and its history into a question that stands alone.

A question that stands alone is left as it is. A pronoun without an antecedent of its own takes the topic of the
question before; a fragment ("And when?") carries the question before in brackets, so that the reader sees what was
understood.

Where a language model is there it rewrites the follow-up. A small model may answer the question instead, or change one
that needed nothing. So it is asked only about questions that refer to the conversation, and its line is used only when
it is still the same question.
"""

from __future__ import annotations

from collections.abc import Sequence

import regex

from bot.answer.conversation import Turn, recent_turns
from bot.answer.understanding import Understanding
from bot.language_model.session import ModelSession
from bot.stages.question.answer_type import AnswerType, expected_type
from bot.stages.question.clean import clean_question, has_words
from bot.stages.question.small_talk import small_talk_kind
from index.text.words import content_words, iterate_words
from prompts.instructions import instruction

_MAXIMUM_LOOK_BACK = 4


def _pattern(text: str) -> regex.Pattern[str]:
    return regex.compile(text, regex.IGNORECASE | regex.VERBOSE)


_OPENER = _pattern(
    r"""^(?:and|but|or|so|then|also|what\ about|how\ about|what\ else|anything\ else|any\ others?|which\ ones?
    |why\ not|how\ so|tell\ me\ more|more\ details?|go\ on|elaborate
    |the\ (?:first|second|third|last|other|former|latter)(?:\ one)?)\b
    |^(?:那麼?|那么|然後|然后|還有|还有|另外|而且|以及|至於|至于)|呢[？?]?$"""
)
_OBJECT_PRONOUN = _pattern(
    r"""\b(?:it|they|them|he|him|she|the\ (?:former|latter|same))\b
    |(?:^|(?<=\b(?:is|are|was|were|does|do|did|can|will|would|should|could|has|have
       |about|of|for|in|on|to|by|with|at|from|like|after|before)\ ))
     (?:this|that|these|those)\b(?!\ \p{L}+\ (?:is|are|was|were|has|have)\b)
    |(?<!\b(?:is|are|was|were|be|been)\ )\bthere\b(?!\ (?:is|are|was|were|a|an|any|no|be)\b)
    |它們?|它们?|他們|他们|她們|她们|[他她]|(?:這|那|这)(?:個|个|些|裡|里|間|间)?(?=[是有在會会何怎幾几什甚誰谁哪的需要由])"""
)
_POSSESSIVE = _pattern(r"\b(?:its|their|his|her)\b|(?:它|他|她)(?:們|们)?的")
_EXPLETIVE = _pattern(
    r"\bis\ it\ (?:true|possible|legal|correct|safe|necessary|ok|right)\b"
    r"|\b(?:does|did|will|would)\ it\ (?:take|mean)\ (?:to|for|that)\b"
    r"|\bwhat\ time\ is\ it\b"
)
_CLAUSE = _pattern(r"[,;，；]|\b(?:and|but|when|if|because|while|since|after|before)\b")
_DETERMINED = _pattern(
    r"\b(?:the|a|an|this|that|these|those|of|in|on|at|for|by|with|from|to|about"
    r"|is|are|was|were|did|does|do|has|have)\b"
)
_NAME_RUN = regex.compile(r"\p{Lu}[\p{L}'’-]+(?:\s+\p{Lu}[\p{L}'’-]+)+")
_TRAILING = regex.compile(r"[\s?？!！.。]+$")
_IDEOGRAPH = regex.compile(r"\p{Han}")
_LONGEST_IDEOGRAPHIC_FRAGMENT = 4
_SHORT_ASKING = _pattern(r"^(?:how|what|which|whose|why|when|where|who)\b(?:\s+\S+){0,2}$")
_LINKS = ("and", "but", "or", "so", "then", "also")
_PERSON = ("he", "him", "she", "his", "her")


def condense(question: str, history: Sequence[Turn]) -> Understanding:
    """Return the question with what it takes from the conversation filled in."""
    return _condense(question, recent_turns(history), _MAXIMUM_LOOK_BACK)


def stands_alone(question: str) -> bool:
    """Return whether a question can be understood without the ones before it."""
    words = content_words(question)
    if opener := _OPENER.search(question):
        # "And what is the capital of the French Republic?" has a subject of its own.
        return opener.group().lower() in _LINKS and len(words) >= 3 and find_reference(question) is None
    return find_reference(question) is None and not _is_fragment(question)


def _is_fragment(question: str) -> bool:
    """Return whether a question has no subject of its own: "why?", "how many buildings?", "何時？"."""
    if ideographs := len(_IDEOGRAPH.findall(question)):
        return ideographs <= _LONGEST_IDEOGRAPHIC_FRAGMENT
    subjects = content_words(question)
    return not subjects or (len(subjects) == 1 and bool(_SHORT_ASKING.match(question)))


def _condense(question: str, history: Sequence[Turn], depth: int) -> Understanding:
    if not history or not depth or stands_alone(question):
        return Understanding(question, question)
    before = _question_before(history, depth)
    if not before or before == question:
        return Understanding(question, question)
    reference = find_reference(question)
    if reference is None:
        return Understanding(question, f"{question} ({_TRAILING.sub('', before)})", before)
    filled = _fill(question, reference, _topic_for(reference.group().lower(), before, history))
    return Understanding(question, filled, before)


def _question_before(history: Sequence[Turn], depth: int) -> str:
    """Return the last real question of the reader, itself standing alone."""
    for index in range(len(history) - 1, -1, -1):
        turn = history[index]
        if turn.role != "user":
            continue
        asked = clean_question(turn.content)
        if has_words(asked) and not small_talk_kind(asked):
            earlier = _condense(asked, history[:index], depth - 1)
            # A fragment is no subject: the one after it leans on what the fragment leaned on.
            return earlier.context if earlier.context and find_reference(asked) is None else earlier.standalone_question
    return ""


def find_reference(question: str) -> regex.Match[str] | None:
    """Return the first pronoun that points outside the question, or None."""
    for pattern, own_words in ((_POSSESSIVE, 2), (_OBJECT_PRONOUN, 99)):
        for match in pattern.finditer(question):
            if _EXPLETIVE.search(question):
                continue
            before = question[: match.start()]
            clauses = _CLAUSE.split(before)
            here, earlier = clauses[-1], " ".join(clauses[:-1])
            # "When was the plan made and who made it?": the antecedent stands in the clause before.
            if len(content_words(earlier)) < 2 and len(content_words(here)) < own_words:
                return match
    return None


def _topic_for(pronoun: str, before: str, history: Sequence[Turn]) -> str:
    if pronoun in _PERSON:
        answers = [turn.content for turn in history if turn.role == "assistant"]
        names = _NAME_RUN.findall(answers[-1]) if answers else []
        return names[0] if names else _topic(before)
    return _topic(before)


def _topic(question: str) -> str:
    """Return what a question is about: its longest stretch between small words, names first."""
    bare = _TRAILING.sub("", question)
    pieces = [piece.strip(' ,;:()"“”') for piece in _DETERMINED.split(bare)]
    scored = []
    for place, piece in enumerate(pieces):
        words = content_words(piece)
        if words:
            names = sum(word.is_name for word in content_words(f"x {piece}"))
            scored.append((min(names, 2), len(words), place, piece))
    if not scored:
        return bare
    _, _, place, piece = max(scored)
    start = bare.find(piece)
    return f"the {piece}" if regex.search(r"\bthe\s+$", bare[:start], regex.IGNORECASE) else piece


def _fill(question: str, reference: regex.Match[str], topic: str) -> str:
    pronoun = reference.group().lower()
    if pronoun in ("its", "their", "his", "her"):
        topic = f"{topic}'s"
    elif pronoun == "there":
        topic = f"at {topic}"
    elif pronoun.endswith("的"):
        topic = f"{topic}的"
    return question[: reference.start()] + topic + question[reference.end() :]


_TURNS = 4
_TURN_CHARACTERS = 240
_LONGEST = 300
_SPEAKERS = {"user": "Reader", "assistant": "Answer"}


def rewrite(understanding: Understanding, history: Sequence[Turn], session: ModelSession) -> Understanding:
    """Return the question with what the model says it takes from the conversation, or as it was.

    Raises:
        ModelUnavailableError: The model cannot be used.
        CancelledError: The reader left.
    """
    if not history or stands_alone(understanding.question):
        return understanding
    turns = recent_turns(history)[-_TURNS:]
    conversation = "\n".join(f"{_SPEAKERS[turn.role]}: {_shorten(turn.content)}" for turn in turns)
    line = session.write_line(
        instruction("conversation", "system"),
        instruction(
            "conversation",
            "standalone",
            conversation=session.fence.around(conversation),
            question=understanding.question,
        ),
    )
    if not is_same_question(understanding.question, line, [turn.content for turn in turns]):
        return understanding
    return Understanding(understanding.question, line, understanding.context or understanding.standalone_question)


def is_same_question(question: str, rewritten: str, said: Sequence[str]) -> bool:
    """Return whether a rewritten question asks what the question asks, with words of the conversation filled in.

    It must end as a question, ask for the same kind of thing, keep what the question says, and add only words that were
    said before.
    """
    if not rewritten.endswith(("?", "？")) or len(rewritten) > _LONGEST:
        return False
    kind = expected_type(question)
    if kind not in (AnswerType.OTHER, expected_type(rewritten)):
        return False
    kept = {word.key for word in iterate_words(rewritten)}
    own = {word.key for word in content_words(question)}
    if len(own & kept) < 0.7 * len(own):
        return False
    known = own | {word.key for text in said for word in iterate_words(text)}
    added = [word.key for word in content_words(rewritten) if word.key not in known]
    return len(added) <= 1 and bool(content_words(rewritten))


def _shorten(text: str) -> str:
    folded = " ".join(text.split())
    return folded if len(folded) <= _TURN_CHARACTERS else f"{folded[:_TURN_CHARACTERS]}…"

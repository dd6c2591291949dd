"""Example questions: made from sentences of the documents, kept only when the bot answers them from there.

The forms are plain English and Chinese grammar; which questions are shown is decided by asking them.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence

import regex

from bot.answer.answer import Answer
from index.document import Chunk
from index.store.catalogue import Catalogue

WANTED = 4
_MAXIMUM_TRIES = 24
_DOCUMENTS = 12
_LONGEST = 110

_NAME = r"(?:[Tt]he )?\p{Lu}[\p{L}\d'’-]+(?: (?:of|for|and|the|in) (?=\p{Lu})| \p{Lu}[\p{L}\d'’-]*){0,7}"
_MONEY = r"(?:\p{L}{0,3}\p{Sc}\s?[\d.,]+(?: (?:million|billion|trillion))?)"
_PARTICIPLE = r"(?:\p{Ll}{2,}ed|\p{Ll}{2,}(?:own|orn|ilt|ent|aid|ought|ade))"

# A sentence of this form answers a question of that form.
_FORMS: tuple[tuple[regex.Pattern[str], str], ...] = (
    (
        regex.compile(rf"\b(?P<verb>{_PARTICIPLE}) {_MONEY} (?:from [^,.;]+? )?(?P<aim>(?:to|for) [^,.;]+)"),
        "How much was {verb} {aim}?",
    ),
    (
        regex.compile(rf"(?P<name>{_NAME}) (?P<be>was|were) (?P<verb>{_PARTICIPLE}) (?:in|on|at) [^.]*\d{{4}}"),
        "When {be} {name} {verb}?",
    ),
    (
        regex.compile(rf"(?P<name>{_NAME}) (?P<be>is|are) (?:\p{{Ll}}+ly |now )?(?P<verb>\p{{Ll}}{{3,}}ing) "),
        "What {be} {name} {verb}?",
    ),
    (regex.compile(rf"^(?P<name>{_NAME}) (?:is|was) an? "), "What is {name}?"),
    (regex.compile(rf"^(?P<name>{_NAME}),? (?:is )?responsible for (?P<aim>[^,.;]+)"), "Who is responsible for {aim}?"),
    (regex.compile(r"^(?P<name>\p{Han}{2,12})是(?:一|由|位)"), "{name}是什麼？"),
)


class ExampleQuestions:
    """The example questions of an index: found once for each state of it, then kept in its database.

    Args:
        catalogue: The documents.
        ask: Answers a question; called up to 24 times.
    """

    def __init__(self, catalogue: Catalogue, ask: Callable[[str], Answer]) -> None:
        self._catalogue = catalogue
        self._ask = ask

    def kept(self) -> tuple[str, ...] | None:
        """Return those that were found for the index as it is now, or None before that."""
        found = json.loads(self._catalogue.property("examples") or "{}")
        current = found.get("fingerprint") == self._catalogue.property("fingerprint")
        return tuple(found["questions"]) if found and current else None

    def find(self) -> tuple[str, ...]:
        """Return up to four questions that the documents answer."""
        kept = self.kept()
        if kept is None:
            summaries = self._catalogue.summaries()
            some = summaries[:: max(1, len(summaries) // _DOCUMENTS)][:_DOCUMENTS]
            kept = choose_examples([self._catalogue.chunks_of(summary.document_id) for summary in some], self._ask)
            found = {"fingerprint": self._catalogue.property("fingerprint"), "questions": kept}
            self._catalogue.set_properties({"examples": json.dumps(found, ensure_ascii=False)})
        return kept


def propose_questions(chunks: Sequence[Chunk]) -> Iterator[str]:
    """Yield questions that sentences of a document seem to answer, the likeliest forms first."""
    for pattern, form in _FORMS:
        for chunk in chunks:
            for span in chunk.sentences:
                match = pattern.search(chunk.sentence_text(span))
                if match:
                    values = {name: value.strip() for name, value in match.groupdict().items()}
                    values["name"] = regex.sub(r"^The\b", "the", values.get("name", ""))
                    question = form.format(**values)
                    if len(question) <= _LONGEST:
                        yield question


def choose_examples(documents: Sequence[Sequence[Chunk]], ask: Callable[[str], Answer]) -> tuple[str, ...]:
    """Return up to four questions that the bot answers, from different documents where there are that many.

    Args:
        documents: The chunks of each document that may be asked about.
        ask: Answers a question; one that is refused, or answered from another document, is no example.
    """
    proposals = [(chunks[0].document_id, propose_questions(chunks)) for chunks in documents if chunks]
    chosen: list[str] = []
    tries = 0
    while proposals and len(chosen) < WANTED and tries < _MAXIMUM_TRIES:
        document_id, questions = proposals.pop(0)
        for question in questions:
            tries += 1
            if question not in chosen and _is_answered(ask(question), document_id):
                chosen.append(question)
                proposals.append((document_id, questions))  # its turn comes again after the other documents
                break
            if tries >= _MAXIMUM_TRIES:
                break
    return tuple(chosen)


def _is_answered(answer: Answer, document_id: str) -> bool:
    return answer.kind == "answer" and any(citation.document_id == document_id for citation in answer.citations)

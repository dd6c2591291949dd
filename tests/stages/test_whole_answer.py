from __future__ import annotations

from bot.stages.evidence.excerpts import choose_excerpts
from bot.stages.evidence.ranking import ScoredSentence
from bot.stages.evidence.selection import Features, QuestionWords, Sentence
from bot.stages.judgement.prompt import WrittenSentence
from bot.stages.question.answer_type import AnswerType
from bot.stages.writing.model_answer import complete_answer
from index.document import Chunk, Span
from index.text.words import content_words

TEXT = "The ferry carries 200 guests.\nThe bus carries 60 guests.\nDogs need a ticket."
FEATURES = Features(0.5, 0.0, 0.5, 0.5, 0.0, 0.0, 0.5, 1.0, 0.5, 0.5, 1.0)


def _ranked() -> list[ScoredSentence]:
    lines = TEXT.split("\n")
    spans = tuple(Span(TEXT.index(line), TEXT.index(line) + len(line)) for line in lines)
    chunk = Chunk("a.txt:0", "a.txt", 0, Span(0, len(TEXT)), TEXT, "Ways", spans)
    words = [frozenset(word.key for word in content_words(line)) for line in lines]
    return [
        ScoredSentence(Sentence(chunk, span, span.of(TEXT), FEATURES, keys), 0.5)
        for span, keys in zip(spans, words, strict=True)
    ]


def _asked(question: str, kind: AnswerType = AnswerType.OTHER) -> QuestionWords:
    words = tuple(content_words(question))
    return QuestionWords(words, {word.key: 1.0 for word in words}, kind)


def _complete(
    question: str, *written: WrittenSentence, kind: AnswerType = AnswerType.OTHER
) -> list[tuple[str, list[str]]]:
    ranked = _ranked()
    found = complete_answer(written, choose_excerpts(ranked), ranked, _asked(question, kind), question)
    return [(one.text, [excerpt.text for excerpt in one.excerpts]) for one in found]


def test_a_reply_that_does_not_say_where_stands_on_the_best_sentence() -> None:
    assert _complete("How many guests?", WrittenSentence("", ())) == [("", ["The ferry carries 200 guests."])]


def test_no_reply_stays_none() -> None:
    assert _complete("Compare the ferry and the bus.") == []


def test_a_reply_that_only_turns_the_question_round_gives_way_to_the_sentence() -> None:
    ferry = choose_excerpts(_ranked())[:1]
    quoted = [("", ["The ferry carries 200 guests."])]
    assert (
        _complete("Which guests does the ferry carry?", WrittenSentence("The ferry carries guests.", ferry)) == quoted
    )
    kept = _complete("Does the ferry carry guests?", WrittenSentence("The ferry carries guests.", ferry))
    assert kept[0][0] == "The ferry carries guests."


def test_a_long_reply_that_copies_a_sentence_gives_way_to_the_whole_of_it() -> None:
    sentence = (
        "Furthermore, the council has set aside $60 million of the $100 million of the harbour fund for new piers on "
        "the north shore, inviting sailors and fishermen to submit proposals."
    )
    span = Span(0, len(sentence))
    chunk = Chunk("a.txt:0", "a.txt", 0, span, sentence, "Piers", (span,))
    ranked = [ScoredSentence(Sentence(chunk, span, sentence, FEATURES, frozenset()), 0.5)]
    excerpts = choose_excerpts(ranked)

    def complete(reply: str) -> str:
        question = "Who is invited to submit proposals?"
        return complete_answer((WrittenSentence(reply, excerpts),), excerpts, ranked, _asked(question), question)[
            0
        ].text

    copied = "The council has set aside $60 million of the $100 million of the harbour fund for new piers."
    assert complete(copied) == ""
    assert complete("Sailors and fishermen are invited.") == "Sailors and fishermen are invited."


def test_a_sentence_with_neither_a_word_of_the_question_nor_the_kind_of_thing_it_asks_for_is_no_answer() -> None:
    dogs = WrittenSentence("", choose_excerpts(_ranked())[2:])
    assert _complete("What does the steamer cost?", dogs, kind=AnswerType.MONEY) == []
    assert _complete("What do dogs cost?", dogs, kind=AnswerType.MONEY) == [("", ["Dogs need a ticket."])]
    assert _complete("Who comes aboard?", dogs) == [("", ["Dogs need a ticket."])]
    ferry = WrittenSentence("", choose_excerpts(_ranked())[:1])
    assert _complete("How many come aboard?", ferry, kind=AnswerType.NUMBER) != []


def test_when_gets_a_time_and_how_many_a_number() -> None:
    ferry, bus, dogs = choose_excerpts(_ranked())
    assert _complete("When does the ferry sail?", WrittenSentence("", (ferry,)), kind=AnswerType.DATE) == []
    assert _complete("How many dogs need a ticket?", WrittenSentence("", (dogs,)), kind=AnswerType.NUMBER) == []
    question = "How many guests does the bus carry, with their dogs?"
    both = _complete(question, WrittenSentence("", (bus,)), WrittenSentence("", (dogs,)), kind=AnswerType.NUMBER)
    assert [sources for _, sources in both] == [[bus.text], [dogs.text]]
    assert len(_complete("How much do dogs need?", WrittenSentence("", (dogs,)), kind=AnswerType.NUMBER)) == 1

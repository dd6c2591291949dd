"""From a question that stands alone to the chunks that may answer it, in whatever language they are written."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bot.answer.timing import Stopwatch
from bot.answer.understanding import Understanding
from bot.language_model.session import OptionalModel
from bot.stages.question.translation import documents_language, is_foreign, translate_question
from index.document import RetrievedChunk
from index.search.retriever import Retriever


@dataclass(frozen=True, slots=True)
class Retrieved:
    """What a question retrieved.

    Attributes:
        searched: The question in the language of the documents; as it was understood where that is the same.
        chunks: Best first.
    """

    searched: Understanding
    chunks: tuple[RetrievedChunk, ...]


def retrieve(
    understanding: Understanding,
    exchanges: Sequence[str],
    retriever: Retriever,
    limit: int,
    model: OptionalModel,
    stopwatch: Stopwatch,
) -> Retrieved:
    """Return the chunks for a question. One in another language than the documents is translated and searched again.

    Args:
        understanding: The question.
        exchanges: What the conversation was about before, oldest first.
        retriever: Finds chunks.
        limit: Chunks to find.
        model: Translates; without one the question is searched as it is.
        stopwatch: Times the search as `retrieve` and the translation as `condense`.

    Raises:
        EmptyIndexError: Nothing has been indexed yet.
    """
    question = understanding.standalone_question
    with stopwatch.timed("retrieve"):
        found = retriever.retrieve(understanding.wordings, limit, exchanges)
    language = documents_language([result.chunk.text for result in found])
    if language is None or not is_foreign(question, language):
        return Retrieved(understanding, tuple(found))
    with stopwatch.timed("condense"):
        translated = model.ask(lambda session: translate_question(question, language, session), "")
    if not translated:
        return Retrieved(understanding, tuple(found))
    # A translation has lost some of the question's words, so the conversation would outweigh what is asked now. A
    # follow-up has what it needs filled in already.
    with stopwatch.timed("retrieve"):
        found = retriever.retrieve((translated, question), limit)
    return Retrieved(Understanding(translated, translated), tuple(found))

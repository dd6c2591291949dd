"""Splitting documents into chunks, with every offset asserted.

llama-index's `SentenceSplitter` chooses the boundaries. It is run without overlap, so that each piece starts at the
first character after the one before and need not be searched for in the text (its own search can find an earlier copy
of repetitive text). The overlap is added here, in whole sentences.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable
from functools import partial
from itertools import pairwise

from index.document import Chunk, Document, Span, hash_text
from index.text.sentences import is_hard_wrapped, split_sentences

TokenCounter = Callable[[str], list[int]]

# Raise when the same document would be split differently: every document is then split again.
SPLITTER_VERSION = "1"


class Splitter:
    """Splits documents into chunks of at most `chunk_tokens` tokens, the overlap of whole sentences included.

    Args:
        tokenize: Text to token ids, by the tokenizer of the embedding model.
        model_id: The embedding model, which is part of every chunk's id, so that two models never share one.
        chunk_tokens: Most tokens of new text in a chunk.
        overlap_tokens: Most tokens repeated from the chunk before.
    """

    def __init__(self, tokenize: TokenCounter, model_id: str, *, chunk_tokens: int, overlap_tokens: int) -> None:
        self._tokenize = tokenize
        self._overlap_tokens = overlap_tokens
        self._new_tokens = max(chunk_tokens - overlap_tokens, chunk_tokens // 2)
        self.version = f"{SPLITTER_VERSION}:{chunk_tokens}:{overlap_tokens}:{model_id}"

    def split(self, document: Document) -> list[Chunk]:
        """Return the chunks of a document in order; none for a text without words."""
        text = document.text
        wrapped = is_hard_wrapped(text)
        sentences = split_sentences(text, hard_wrapped=wrapped)
        barred = document.barred()
        content = hash_text(document.title, text)
        chunks = []
        for position, span in enumerate(self._place(text, hard_wrapped=wrapped)):
            extended = self._extend_back(text, span, sentences) if position else span
            inside = tuple(
                sentence
                for sentence in _clip(sentences, extended)
                if not any(sentence.overlap(place) for place in barred)
            )
            chunk = Chunk(
                chunk_id=hash_text(document.document_id, content, str(position), self.version)[:32],
                document_id=document.document_id,
                position=position,
                span=extended,
                text=extended.of(text),
                title=document.title,
                sentences=inside,
            )
            assert all(extended.contains(sentence) for sentence in inside), "a sentence lies outside its chunk"
            chunks.append(chunk)
        return chunks

    def _place(self, text: str, *, hard_wrapped: bool) -> list[Span]:
        """Return the spans of the pieces of `SentenceSplitter`, which do not overlap."""
        from llama_index.core.node_parser import SentenceSplitter  # takes seconds to import

        splitter = SentenceSplitter(
            chunk_size=self._new_tokens,
            chunk_overlap=0,
            tokenizer=self._tokenize,
            paragraph_separator="\n\n",
            chunking_tokenizer_fn=partial(_cut_sentences, hard_wrapped=hard_wrapped),
        )
        spans = []
        position = 0
        for piece in splitter.split_text(text):
            if not piece:
                continue
            start = position + len(text[position:]) - len(text[position:].lstrip()) if position else text.index(piece)
            assert text.startswith(piece, start), f"chunk at character {start} differs from the document"
            spans.append(Span(start, start + len(piece)))
            position = start + len(piece)
        return spans

    def _extend_back(self, text: str, span: Span, sentences: list[Span]) -> Span:
        start = span.start
        tokens = 0
        for index in range(bisect_left(sentences, Span(span.start, span.start)) - 1, -1, -1):
            tokens += len(self._tokenize(sentences[index].of(text)))
            if tokens > self._overlap_tokens:
                break
            start = sentences[index].start
        return Span(start, span.end)


def _cut_sentences(text: str, *, hard_wrapped: bool) -> list[str]:
    """Return the text split at sentence starts, nothing left out."""
    starts = [span.start for span in split_sentences(text, hard_wrapped=hard_wrapped)]
    cuts = [0, *starts[1:], len(text)]
    return [text[start:end] for start, end in pairwise(cuts) if end > start]


def _clip(sentences: list[Span], chunk: Span) -> list[Span]:
    """Return the sentences inside a chunk; a sentence that crosses its boundary is cut there."""
    first = max(0, bisect_left(sentences, Span(chunk.start, chunk.start)) - 1)
    clipped = []
    for sentence in sentences[first:]:
        if sentence.start >= chunk.end:
            break
        if sentence.overlap(chunk):
            clipped.append(Span(max(sentence.start, chunk.start), min(sentence.end, chunk.end)))
    return clipped

"""Near-duplicate documents by MinHash, found without comparing every pair.

A signature holds the minimum of a document's word shingles under many random orders; the share of equal numbers in two
signatures estimates the resemblance of the documents (Broder, 1997, "On the resemblance and containment of documents").
Documents with a high resemblance become neighbours when signatures are sorted by a few of their numbers (Bawa, Condie
and Ganesan, 2005, "LSH Forest").
"""

from __future__ import annotations

import re
import unicodedata
from zlib import crc32

import numpy as np
import numpy.typing as npt

from index.text.words import simplify

Signature = npt.NDArray[np.uint32]

NEARLY_THE_SAME = 0.8  # least resemblance of two documents that count as copies

_SHINGLE = 3  # words, or ideographs
_ORDERS = 128
_SORTINGS = 16
_SORTED_BY = 6  # numbers of the signature
_AT_ONCE = 8_192  # shingles, to bound the memory for a long document
_IDEOGRAPHS = "\u3041-\u30ff\u3400-\u9fff\uac00-\ud7af\uf900-\ufaff"
_WORD = re.compile(rf"[{_IDEOGRAPHS}]|[^\W_{_IDEOGRAPHS}]+")
_RUN = re.compile(rf"[{_IDEOGRAPHS}]+")

# Signatures are stored, so these numbers must never change; NumPy guarantees those of RandomState.
_RANDOM = np.random.RandomState(1)
_FACTORS = _RANDOM.randint(1, 2**63 - 1, size=_ORDERS).astype(np.uint64) | np.uint64(1)
_SUMMANDS = _RANDOM.randint(0, 2**63 - 1, size=_ORDERS).astype(np.uint64)
_PLACES = _RANDOM.randint(1, 2**63 - 1, size=_SHINGLE).astype(np.uint64) | np.uint64(1)


def folded_words(text: str) -> list[str]:
    """Return the words and ideographs of a text, normalised in case, width and Chinese script, without punctuation."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    return _WORD.findall(_RUN.sub(lambda run: simplify(run.group()), folded))


def sign(text: str) -> Signature:
    """Return the signature of a text, of shape (128,); for a text without words, all numbers are the highest."""
    words = np.array([crc32(word.encode("utf-8", "surrogatepass")) for word in folded_words(text)], dtype=np.uint64)
    width = min(_SHINGLE, len(words))
    shingles = np.zeros(max(len(words) - width + 1, 0) if width else 0, dtype=np.uint64)
    for place in range(width):
        shingles = (shingles ^ (words[place : place + len(shingles)] * _PLACES[place])) * _PLACES[0]
        shingles ^= shingles >> np.uint64(29)
    shingles = np.unique(shingles)
    signature = np.full(_ORDERS, np.iinfo(np.uint32).max, dtype=np.uint32)
    for start in range(0, len(shingles), _AT_ONCE):
        some = shingles[np.newaxis, start : start + _AT_ONCE]
        ordered = (some * _FACTORS[:, np.newaxis] + _SUMMANDS[:, np.newaxis]) >> np.uint64(32)
        signature = np.minimum(signature, ordered.min(axis=1).astype(np.uint32))
    return signature


def resemblance(one: Signature, other: Signature) -> float:
    """Return the estimated share of their shingles that two texts have in common, in [0, 1]."""
    return float((one == other).mean())


def group_duplicates(signatures: Signature) -> list[int]:
    """Return for each document the place of the first document of its group of copies, which may be itself.

    Args:
        signatures: One a row, of shape (documents, 128).
    """
    first = list(range(len(signatures)))
    has_words = signatures.min(axis=1, initial=np.iinfo(np.uint32).max) < np.iinfo(np.uint32).max
    for start in range(0, _ORDERS, _ORDERS // _SORTINGS):
        columns = [signatures[:, (start + place) % _ORDERS] for place in range(_SORTED_BY)]
        order = np.lexsort(columns[::-1])
        left, right = order[:-1], order[1:]
        alike = (signatures[left] == signatures[right]).mean(axis=1) >= NEARLY_THE_SAME
        for one, other in zip(left[alike & has_words[left]], right[alike & has_words[left]], strict=True):
            roots = _root(first, int(one)), _root(first, int(other))
            first[max(roots)] = min(roots)
    return [_root(first, place) for place in range(len(first))]


def _root(first: list[int], place: int) -> int:
    while first[place] != place:
        first[place] = first[first[place]]
        place = first[place]
    return place

"""Characters that nobody sees, and letters that look like others: found, and taken out of what is compared.

Stored texts keep them, because offsets count the text as it stands in the source. Persian, Indic scripts, Thai and
emoji need some of them; there they are nothing to wonder at.
"""

from __future__ import annotations

import regex

from index.document import Span

# Everything without a width or a sign of its own, variation selectors and fillers with it.
_UNSEEN = regex.compile(
    r"[\p{Cf}\u034F\u115F\u1160\u17B4\u17B5\u180B-\u180F\u3164\uFFA0\uFE00-\uFE0F\U000E0000-\U000E01EF]"
)
_TAGS = r"[\U000E0000-\U000E007F]"
_ZERO_WIDTH = r"[\u200B\u2060-\u2064\u206A-\u206F\uFEFF\u034F\u115F\u1160\u17B4\u17B5\u180E\u3164\uFFA0]"
_SELECTOR = r"[\uFE00-\uFE0F\U000E0100-\U000E01EF]"
# Scripts whose words are written without them; in a word of these even a joiner only breaks the word for machines.
_PLAIN_SCRIPT = r"[\p{Latin}\p{Greek}\p{Cyrillic}\p{Han}\p{Hiragana}\p{Katakana}\p{Hangul}\p{Nd}]"
_RIGHT_TO_LEFT = r"[\p{Hebrew}\p{Arabic}\p{Syriac}\p{Thaana}\p{Nko}]"
_SUSPICIOUS = regex.compile(
    rf"""(?<!\U0001F3F4{_TAGS}*){_TAGS}+                        # tag characters spell ASCII; only flags need them
    |(?<={_PLAIN_SCRIPT})(?:{_ZERO_WIDTH}|[\u200C\u200D])+(?={_PLAIN_SCRIPT})
    |(?:{_ZERO_WIDTH}|[\u200C\u200D]){{3,}}                     # a row of them spells something in binary
    |(?<={_SELECTOR}){_SELECTOR}+                               # one selects, more of them carry data
    |[\u202D\u202E]                                             # overrides turn the order of letters round
    |[\u202A\u202B\u2066-\u2068](?![^\n]*{_RIGHT_TO_LEFT})(?<!{_RIGHT_TO_LEFT}[^\n]*)""",
    regex.VERBOSE,
)
_LOOK_ALIKE = regex.compile(r"[\u0370-\u04FF\u0500-\u052F]")
_SPELLED_WORD = regex.compile(r"[\p{Latin}\p{Greek}\p{Cyrillic}]++")
_LATIN = regex.compile(r"\p{Latin}")
# Unicode's confusables, the letters that are drawn alike in common fonts.
_LOOKS_LATIN = str.maketrans(
    "аеорсухіјѕԁһԛԝѵАВЕЗКМНОРСТУХІЈЅԌԚԜοναικρτυΑΒΕΖΗΙΚΜΝΟΡΤΥΧ",
    "aeopcyxijsdhqwvABE3KMHOPCTYXIJSGQWovaikptuABEZHIKMNOPTYX",
)


def suspicious_places(text: str) -> list[Span]:
    """Return where characters hide something: runs that no script needs."""
    if text.isascii() or not _UNSEEN.search(text):
        return []
    return [Span(*match.span()) for match in _SUSPICIOUS.finditer(text)]


def without_suspicious(text: str) -> str:
    """Return the text without characters that hide something; what a script needs stays."""
    return text if text.isascii() or not _UNSEEN.search(text) else _SUSPICIOUS.sub("", text)


def comparable(text: str) -> str:
    """Return the text without unseen characters, and with letters that only look Latin as Latin ones."""
    if text.isascii():
        return text
    seen = _UNSEEN.sub("", text)
    return _SPELLED_WORD.sub(_latin_where_mixed, seen) if _LOOK_ALIKE.search(seen) else seen


def _latin_where_mixed(word: regex.Match[str]) -> str:
    written: str = word.group()
    return written.translate(_LOOKS_LATIN) if _LATIN.search(written) else written


def comparable_places(text: str) -> tuple[str, list[int] | None]:
    """Return the comparable text, and for each of its characters the place in `text`; None where they are the same."""
    plain = comparable(text)
    if len(plain) == len(text):
        return plain, None
    places = [place for place, character in enumerate(text) if not _UNSEEN.match(character)]
    return plain, places


def spelled_by_tags(text: str) -> str:
    """Return what the tag characters of a text spell."""
    return "".join(chr(ord(character) - 0xE0000) for character in text if 0xE0020 <= ord(character) <= 0xE007E)

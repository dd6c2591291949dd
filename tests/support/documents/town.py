"""A town's papers: more than two hundred files of every format, forty of which state a fact that is asked for."""

from __future__ import annotations

import random
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from itertools import cycle, islice
from pathlib import Path

from tests.support.documents.written import FORMATS, PAGED, SECTIONED, Part, as_text

_PLACES = (
    "Tarnholm Brackwater Ostermoor Kelvaston Ridgecombe Sandhollow Virelle Marrowby Quillport Dunmarsh "
    "Fenwick Galeford Hexley Inverlode Jarrowick Kestrelby Lorncastle Mistral Northam Oakhurst Pendrith "
    "Quarrington Rosthwaite Silverdale Thornbury Ulverton Wexcombe Yarrowdale Zennorth Ashgrove Birchwood "
    "Coldharbour Dovecote Elmsworth Foxglove Greywell Hartfield Ivybridge Juniper Kingsmere "
).split()
_KINDS = (
    ("The {place} library holds {number} books.", "How many books does the {place} library hold?"),
    ("The {place} hospital has {number} beds.", "How many beds does the {place} hospital have?"),
    ("The {place} bridge is {number} metres long.", "How long is the {place} bridge?"),
    ("The budget of the {place} council is {number} dollars.", "What is the budget of the {place} council?"),
)
_TOPICS = ("Roads", "Gardens", "Schools", "Markets", "Harbours", "Museums", "Forests", "Buses")
_FILLER = (
    "The committee on {topic} met in {month} and heard from residents of the district.",
    "Work on {topic} goes on as planned, and the next report is due before the end of {month}.",
    "Officers were asked to study how other towns care for their {topic}.",
    "In {month} the volunteers who look after the {topic} were thanked for their patience.",
)
_MONTHS = "January February March April May June July August September October November December".split()
_ENCODINGS = ("utf-16", "cp1252", "big5", "gb18030")
_CHINESE = ("本區圖書館上月舉行講座，居民踴躍參加。", "委員會討論了街道維修的進度，並聽取居民意見。")


@dataclass(frozen=True)
class Fact:
    """Something planted: what to ask, the number that answers, and where it stands."""

    question: str
    answer: str
    document_id: str
    page: int | None
    section: str | None


def write_town(folder: Path, files: int, facts: int, formats: Collection[str] = tuple(FORMATS)) -> list[Fact]:
    """Write so many files of each format in turn, the first ones with a fact each; return the facts."""
    chance = random.Random(6)
    planted: list[Fact] = []
    for number, suffix in enumerate(islice(cycle(formats), files)):
        parts = list(_parts(chance))
        title = f"Report {number} on {parts[0].heading.lower()}"
        name = f"{_MONTHS[number % 12].lower()}/report{number}.{suffix}"
        if number < facts:
            statement, question = (words.replace("{place}", _PLACES[number]) for words in _KINDS[number % len(_KINDS)])
            answer = f"{chance.randrange(1_000, 9_999)}"
            place = chance.randrange(len(parts))
            part = parts[place]
            parts[place] = Part(
                part.heading, (part.paragraphs[0], statement.replace("{number}", answer), *part.paragraphs[1:])
            )
            document_id = f"{title}-{place}" if suffix == "jsonl" else name
            page = place + 1 if suffix in PAGED else None
            planted.append(Fact(question, answer, document_id, page, part.heading if suffix in SECTIONED else None))
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(FORMATS[suffix](title, parts))
    for number, encoding in enumerate(_ENCODINGS):
        words = _CHINESE if encoding in {"big5", "gb18030"} else ("Café and naïve résumé were served.",)
        content = as_text(encoding)("Old note", [Part(str(number), words * 4)])
        (folder / f"old_{encoding}.txt").write_bytes(content)
    return planted


def _parts(chance: random.Random) -> Iterator[Part]:
    for topic in chance.sample(_TOPICS, 3):
        yield Part(
            f"{topic} and works",
            tuple(
                words.format(topic=topic.lower(), month=chance.choice(_MONTHS)) for words in chance.sample(_FILLER, 3)
            ),
        )

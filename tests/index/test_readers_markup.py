"""Markdown, HTML and Word documents."""

from pathlib import Path

import docx
import pytest
from docx.oxml import parse_xml
from docx.oxml.ns import nsdecls

from index.document import Document
from index.readers import read_file

CHINESE = "香港人工智能研究院獲預留十億元撥款，第一班渡輪於早上五時五十五分由梅窩開出。"


def read_one(folder: Path, name: str, content: str | bytes) -> Document:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    (document,) = read_file(path, name, maximum_bytes=1_000_000)
    assert isinstance(document, Document)
    return document


MARKDOWN = """\
# The *new* library

It opens at **9 am**, see [the
notice](http://example.org "x"), ![a map](map.png)
and `lend --days 14`.\\
第一班渡輪
於五時開出。 Tom &amp; <b>Ann</b><br>left.

- books
  - novels
- maps

3. borrow

   for 14 days
4. return

| Route | Fare |
|-------|------|
| Mui *Wo* | HK$17.8 |
|  | |

```python
def lend():

    return 14
```

<div>Raw <i>HTML</i><script>alert(1)</script></div>

> Quiet, ~~please~~.

Second heading
---
***
End.
"""
MARKDOWN_TEXT = """\
The new library

It opens at 9 am, see the notice, a map and lend --days 14.
第一班渡輪於五時開出。 Tom & Ann
left.

- books
- novels
- maps

3. borrow

for 14 days

4. return

Route | Fare
Mui Wo | HK$17.8

def lend():

    return 14

Raw HTML

Quiet, please.

Second heading

End."""


def test_markdown_becomes_the_text_a_reader_sees(tmp_path):
    document = read_one(tmp_path, "library.md", MARKDOWN)
    assert document.text == MARKDOWN_TEXT
    assert (document.title, document.media_type) == ("The new library", "text/markdown")


@pytest.mark.parametrize(
    ("markup", "title", "text"),
    [
        ("---\ntitle: 'Our library'\ntags: [a]\n---\n# Other\n\nText.", "Our library", "Other\n\nText."),
        ("Text. More\n\n## Late heading\n", "Late heading", "Text. More\n\nLate heading"),
        ("The library opens at 9 am.\n", "opening times", "The library opens at 9 am."),
        ("---\n\nA rule is no front matter.\n", "opening times", "A rule is no front matter."),
    ],
)
def test_titles_of_markdown(tmp_path, markup, title, text):
    document = read_one(tmp_path, "opening-times.md", markup)
    assert (document.title, document.text) == (title, text)


PAGE = """\
<!DOCTYPE html><html><head><meta charset="utf-8"><title> Ferry
 fares &amp; times </title><style>p { color: red }</style></head><body>
<nav><ul><li><a href="/">Home</a></li><li>About</li></ul></nav>
<h1>Ferries</h1><p>The first
   ferry <b>leaves</b> at&nbsp;5:55, H<sub>2</sub>O.</p><!-- secret --><div>Pier<br>six<p>inner</div>
<ol><li>Pay<ul><li>cash<li>card</ul></li><li><p>Board</p></li></ol>
<table><caption>Fares</caption><tr><th>Route<th>Fare</tr><tr><td><p>Mui Wo</p><td>HK$17.8<tr><td><td></table>
<table><tr><td><p>Left one</p><p>Left two</p><table><tr><td>a</td><td>b</td></tr></table></td><td>Right</table>
<pre>
def fare():
    return 17.8
</pre><script>alert(1)</script><noscript>off</noscript><template>later</template>
<p>第一班渡輪
於五時開出。</p></body></html>
"""
PAGE_TEXT = """\
Ferries

The first ferry leaves at 5:55, H2O.

Pier
six

inner

1. Pay
- cash
- card

2. Board

Fares
Route | Fare
Mui Wo | HK$17.8

Left one

Left two

a | b

Right

def fare():
    return 17.8

第一班渡輪於五時開出。"""


def test_a_page_becomes_the_text_a_browser_shows(tmp_path):
    document = read_one(tmp_path, "ferry.html", PAGE)
    assert document.text == PAGE_TEXT
    assert (document.title, document.media_type) == ("Ferry fares & times", "text/html")


@pytest.mark.parametrize(
    ("page", "title"),
    [
        ("<title> </title><h1>Ferries</h1><p>Text.", "Ferries"),
        ("<p>Ferry notes</p><p>They leave at 5:55.", "Ferry notes"),
        ("<p>They leave at 5:55.", "pier six"),
    ],
)
def test_titles_of_pages(tmp_path, page, title):
    assert read_one(tmp_path, "pier_six.htm", page).title == title


@pytest.mark.parametrize(
    ("declared", "encoding"),
    [
        ("big5", "big5hkscs"),
        ("gb2312", "gb18030"),
        ("utf-8", "utf-8"),
        (None, "utf-8"),
        (None, "utf-8-sig"),
        (None, "utf-16"),
        (None, "big5"),
        ("iso-8859-1", "utf-8-sig"),  # the byte order mark is right, the declaration is not
        ("utf-8", "big5"),  # declared wrongly
        ("utf-16", "utf-8"),  # cannot be true of a declaration that could be read
        ("idna", "utf-8"),
        ("no-such-encoding", "utf-8"),
    ],
)
def test_encodings_of_pages(tmp_path, declared, encoding):
    meta = f'<meta http-equiv="Content-Type" content="text/html; charset={declared}">' if declared else ""
    page = f"<html><head>{meta}</head><body><p>{CHINESE}</p></body></html>"
    assert read_one(tmp_path, "a.html", page.encode(encoding)).text == CHINESE


def test_an_xhtml_page_is_read_without_a_warning(tmp_path, recwarn):
    page = '<?xml version="1.0" encoding="utf-8"?><html xmlns="http://www.w3.org/1999/xhtml"><p>渡輪</p></html>'
    assert read_one(tmp_path, "a.html", page).text == "渡輪"
    assert not recwarn.list


@pytest.mark.parametrize("tags", ["<div>", "<ul><li>", "<table><tr><td>x<td>"])
def test_deep_nesting_is_no_danger(tmp_path, tags):
    assert "Deep words" in read_one(tmp_path, "a.html", tags * 300 + "Deep words").text


def test_entities_of_a_page_load_nothing(tmp_path):
    secret = tmp_path / "secret.txt"
    secret.write_text("SECRET", encoding="utf8")
    page = f'<!DOCTYPE html [<!ENTITY x SYSTEM "{secret.as_uri()}">]><p>Words &x; <img src="{secret.as_uri()}"></p>'
    assert "SECRET" not in read_one(tmp_path, "a.html", page).text


def save_word(path: Path) -> None:
    word = docx.Document()
    word.add_heading("Annual report", 0)
    word.add_heading("Scope", 1)
    word.add_paragraph("The library holds 41,000 books.")
    word.add_paragraph("novels", style="List Bullet")
    word.add_paragraph("maps", style="List Number")
    table = word.add_table(2, 2)
    for cell, words in zip(table._cells, ["Route", "Fare", "Mui Wo", "HK$17.8"], strict=True):
        cell.text = words
    table.cell(1, 0).add_paragraph("slow")
    table.cell(0, 0).merge(table.cell(0, 1))
    word.add_paragraph("Pier\tsix\nEast")
    word.save(str(path))


def test_a_word_document_keeps_its_order(tmp_path):
    path = tmp_path / "report.docx"
    save_word(path)
    (document,) = read_file(path, "report.docx", maximum_bytes=1_000_000)
    assert document.text.split("\n") == [
        *["Annual report", "", "Scope", "", "The library holds 41,000 books.", "", "- novels", "- maps", ""],
        *["Route Fare", "Mui Wo slow | HK$17.8", "", "Pier six", "East"],
    ]
    assert document.title == "Annual report"
    assert document.media_type.endswith("wordprocessingml.document")


def test_word_text_in_controls_links_and_tracked_changes_is_read(tmp_path):
    word = docx.Document()
    word.core_properties.title = "Declared title"
    run = "<w:r><w:t>{}</w:t></w:r>"
    word.element.body.insert(
        0,
        parse_xml(
            f"<w:sdt {nsdecls('w')}><w:sdtContent><w:p>{run.format('In a control, ')}"
            f'<w:ins w:id="1" w:author="x">{run.format("inserted")}</w:ins>'
            '<w:del w:id="2" w:author="x"><w:r><w:delText>deleted</w:delText></w:r></w:del>'
            f'<w:moveFrom w:id="3" w:author="x">{run.format("moved away")}</w:moveFrom>'
            f"<w:hyperlink>{run.format(' and linked')}</w:hyperlink></w:p></w:sdtContent></w:sdt>"
        ),
    )
    word.save(str(tmp_path / "a.docx"))
    (document,) = read_file(tmp_path / "a.docx", "a.docx", maximum_bytes=1_000_000)
    assert (document.title, document.text) == ("Declared title", "In a control, inserted and linked")

"""What stands on a page of a PDF: pieces of text with their places, and words that are drawn but not seen."""

from __future__ import annotations

import ctypes
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

import pypdfium2 as pdfium
import pypdfium2.raw as pdfium_c

from index.readers.pdf_layout import TextPiece

_INVISIBLE_MODES: Final = (pdfium_c.FPDF_TEXTRENDERMODE_INVISIBLE, pdfium_c.FPDF_TEXTRENDERMODE_CLIP)
_TINY_POINTS: Final = 1.5
_NEARLY_WHITE: Final = 235
_SEEN_DIFFERENCE: Final = 24  # of 255 shades of grey
_CELL_GAP: Final = 1.2  # of a character's height
_SPACE_GAP: Final = 0.2
_MOST_PIXELS: Final = 25_000_000
_HYPHEN: Final = "\x02"  # how pdfium gives a hyphen at the end of a line
_PAGE_OF_IMAGE: Final = 0.5  # share of the page


@dataclass(slots=True)
class PageText:
    """The text of one page.

    Attributes:
        pieces: What is seen, in the order of the file.
        hidden: What is drawn and not seen.
        height: Of the page, in points.
        is_picture: Whether a picture covers most of it.
    """

    pieces: list[TextPiece]
    hidden: list[str]
    height: float
    is_picture: bool


@dataclass(slots=True)
class _Run:
    """Characters that stand together and look alike."""

    text: str
    left: float
    bottom: float
    right: float
    top: float
    look: _Look

    def piece(self) -> TextPiece:
        return TextPiece(self.text, self.left, self.bottom, self.right, self.top)


@dataclass(frozen=True, slots=True)
class _Look:
    is_invisible: bool = False
    is_pale: bool = False


@dataclass(slots=True)
class _Sheet:
    """The page as it is shown: its size, and how its own coordinates turn into those."""

    page: pdfium.PdfPage
    width: float = field(init=False)
    height: float = field(init=False)

    def __post_init__(self) -> None:
        self.width, self.height = self.page.get_size()

    def place(self, left: float, bottom: float, right: float, top: float) -> tuple[float, float, float, float]:
        x, y, *_ = self.page.get_cropbox()
        (left, right), (bottom, top) = sorted((left - x, right - x)), sorted((bottom - y, top - y))
        match self.page.get_rotation():
            case 90:
                return bottom, self.height - right, top, self.height - left
            case 180:
                return self.width - right, self.height - top, self.width - left, self.height - bottom
            case 270:
                return self.width - top, left, self.width - bottom, right
            case _:
                return left, bottom, right, top


def read_page(page: pdfium.PdfPage) -> PageText:
    """Return what stands on a page.

    Text that is drawn invisibly over a picture of the whole page is what a scanner recognised in it: it counts as seen.

    Raises:
        pdfium.PdfiumError: The page is damaged.
    """
    sheet = _Sheet(page)
    runs = list(_runs(page, sheet))
    is_picture = _covered_by_picture(page, sheet)
    recognised = is_picture and all(run.look.is_invisible for run in runs)
    pale = [run for run in runs if run.look.is_pale]
    unseen = _unseen_on_paper(page, sheet, pale) if pale else set()
    pieces: list[TextPiece] = []
    hidden: list[str] = []
    for run in runs:
        across, up = (run.left + run.right) / 2, (run.bottom + run.top) / 2
        is_off = not (0 <= across <= sheet.width and 0 <= up <= sheet.height)
        is_hidden = run.look.is_invisible and not recognised
        if is_hidden or is_off or run.top - run.bottom < _TINY_POINTS or id(run) in unseen:
            hidden.append(run.text)
        else:
            pieces.append(run.piece())
    return PageText(pieces, hidden, sheet.height, is_picture)


def draw(page: pdfium.PdfPage, scale: float) -> tuple[int, int, bytes]:
    """Return the page as a picture: width, height, and a byte of grey for each pixel, row by row from the top."""
    width, height = page.get_size()
    scale = min(scale, (_MOST_PIXELS / max(width * height, 1)) ** 0.5)
    bitmap = page.render(scale=scale, grayscale=True)
    rows = memoryview(bitmap.buffer).cast("B")
    lines = (bytes(rows[y * bitmap.stride : y * bitmap.stride + bitmap.width]) for y in range(bitmap.height))
    return bitmap.width, bitmap.height, b"".join(lines)


def _runs(page: pdfium.PdfPage, sheet: _Sheet) -> Iterator[_Run]:
    characters = page.get_textpage()
    box = pdfium_c.FS_RECTF()
    run: _Run | None = None
    look, known = _Look(), 0
    space = False
    for index in range(pdfium_c.FPDFText_CountChars(characters)):
        character = chr(pdfium_c.FPDFText_GetUnicode(characters, index)).replace(_HYPHEN, "-")
        if character.isspace() or character == "\x00":
            space = True
            continue
        if not pdfium_c.FPDFText_GetLooseCharBox(characters, index, box):
            continue
        left, bottom, right, top = sheet.place(box.left, box.bottom, box.right, box.top)
        drawn_by = pdfium_c.FPDFText_GetTextObject(characters, index)
        address = ctypes.cast(drawn_by, ctypes.c_void_p).value or 0
        if address != known:
            look, known = _look_of(characters, index, drawn_by), address
        if run is not None and run.look == look and _goes_on(run, left, bottom, top):
            gap = left - run.right
            run.text += (" " if space or gap > _SPACE_GAP * (top - bottom) else "") + character
            run.right, run.bottom, run.top = max(run.right, right), min(run.bottom, bottom), max(run.top, top)
        else:
            if run is not None:
                yield run
            run = _Run(character, left, bottom, right, top, look)
        space = False
    if run is not None:
        yield run


def _goes_on(run: _Run, left: float, bottom: float, top: float) -> bool:
    height = max(top - bottom, run.top - run.bottom)
    same_line = abs((bottom + top) - (run.bottom + run.top)) < height
    return same_line and -0.5 * height < left - run.right < _CELL_GAP * height


def _look_of(characters: object, index: int, drawn_by: object) -> _Look:
    colour = [ctypes.c_uint() for _ in range(4)]
    mode = pdfium_c.FPDFTextObj_GetTextRenderMode(drawn_by)
    has_colour = pdfium_c.FPDFText_GetFillColor(characters, index, *colour)
    red, green, blue, opacity = (one.value for one in colour) if has_colour else (0, 0, 0, 255)
    fills = mode == pdfium_c.FPDF_TEXTRENDERMODE_FILL
    is_pale = fills and min(red, green, blue) >= _NEARLY_WHITE
    return _Look(mode in _INVISIBLE_MODES or (fills and not opacity), is_pale)


def _covered_by_picture(page: pdfium.PdfPage, sheet: _Sheet) -> bool:
    area = 0.0
    for image in page.get_objects(filter=[pdfium_c.FPDF_PAGEOBJ_IMAGE], max_depth=3):
        left, bottom, right, top = image.get_bounds()
        area = max(area, (right - left) * (top - bottom))
    return area >= _PAGE_OF_IMAGE * sheet.width * sheet.height


def _unseen_on_paper(page: pdfium.PdfPage, sheet: _Sheet, runs: list[_Run]) -> set[int]:
    """Return the ids of the runs where the drawn page shows one shade: pale text stands out on dark ground only."""
    width, height, pixels = draw(page, 2.0)
    across, down = width / sheet.width, height / sheet.height
    unseen = set()
    for run in runs:
        x0, x1 = max(0, int(run.left * across)), min(width, int(run.right * across) + 1)
        y0, y1 = max(0, int((sheet.height - run.top) * down)), min(height, int((sheet.height - run.bottom) * down) + 1)
        shades = b"".join(pixels[y * width + x0 : y * width + x1] for y in range(y0, y1))
        if not shades or max(shades) - min(shades) < _SEEN_DIFFERENCE:
            unseen.add(id(run))
    return unseen

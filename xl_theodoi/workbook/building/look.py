"""How every generated workbook looks: font, colours, cell formats, page set-up.

The master and the unit workbooks share this module, so that an office sees one style.
Decree 30/2020/NĐ-CP (Phụ lục I) asks for Times New Roman and A4; its margins (left 30 mm,
right 15 mm, top and bottom 20 mm) are for letters, lists in landscape keep the wider
binding edge at two thirds of the size.

Colour never stands alone: whatever is coloured says the same in words, because offices
print in black and white.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache, lru_cache
from math import ceil
from typing import TYPE_CHECKING, Any, Final

from xl_theodoi.resources import PACKAGE
from xl_theodoi.workbook.building.rows import ListRows, utf16_length
from xl_theodoi.workbook.filling.heights import TALLEST, Font, line_count, line_counts

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import date
    from io import BytesIO

    from xl_theodoi.domain.own_row import RowFormula
    from xl_theodoi.domain.profile import FieldKind

FONT: Final = "Times New Roman"
SIZE: Final = 11
"""Points; the size of lists. At 11 a digit is 7 pixels wide, which widths count in."""
TEXT_SIZE: Final = 12
"""Points; the size of sentences outside lists."""
DATE_FORMAT: Final = "dd/mm/yyyy"
MOMENT_FORMAT: Final = "dd/mm/yyyy hh:mm"
NUMBER_FORMAT: Final = "#,##0"
PERCENT_FORMAT: Final = "0.0%"
TEXT_FORMAT: Final = 49
"""Excel's own number of the text format; it keeps "10/12" from becoming a date. Not for long
texts: older versions print text-formatted cells over 255 characters as ###."""

MM: Final = 1 / 25.4
"""Inches in a millimetre; margins are given in inches."""
A4: Final = 9
"""Excel's number of the paper size."""
LINE_SPACING: Final = 1.27
"""Height of a line against the font size."""
SHORT: Final = 160
"""Letters of texts whose lines are kept in mind: units, subjects, names come again and again."""
CELL_PADDING: Final = 6.0
"""Points of a cell's width that text does not use."""
PIXEL_MM: Final = 25.4 / 96
"""Printed size of a pixel at 100 %."""
CHARACTER_MM: Final = 7 * PIXEL_MM
"""Printed width, at 100 %, of one unit of column width."""
PORTRAIT: Final = (30.0, 15.0, 20.0, 20.0)
"""Left, right, top, bottom margins in millimetres."""
LANDSCAPE: Final = (20.0, 10.0, 15.0, 15.0)
LANDSCAPE_FORM: Final = (20.0, 10.0, 20.0, 15.0)
"""The same for a form on its side; the page number stands in the top margin."""
PAGE_SAFETY: Final = 0.97
"""Printers differ a little in what they take for a page."""
FOOT_LIMIT: Final = 255
"""UTF-16 units that a page's head or foot holds, its codes included."""
LEAST_SCALE: Final = 0.55
"""Below this size 11-point text is no longer readable on paper; more pages wide are used."""


@dataclass(frozen=True, slots=True)
class Tone:
    """A colour family that goes with a word.

    Attributes:
        fill: Background, as #RRGGBB, or an empty string for none.
        ink: Text colour.
        bold: Whether the text is bold, so that it stands out without colour too.
        italic: Whether the text is italic.
    """

    fill: str
    ink: str
    bold: bool = False
    italic: bool = False

    def properties(self) -> dict[str, Any]:
        """Return the format properties, for cells and for conditional formats alike."""
        found: dict[str, Any] = {"font_color": self.ink}
        if self.fill:
            found["bg_color"] = self.fill
        if self.bold:
            found["bold"] = True
        if self.italic:
            found["italic"] = True
        return found


TONES: Final[Mapping[str, Tone]] = {
    "overdue": Tone("#F8CBCB", "#9C0006", bold=True),
    "due_soon": Tone("#FFE699", "#7F5200", bold=True),
    "done": Tone("#D5EBD0", "#1E5B22"),
    "waiting": Tone("#DCEBF7", "#1F4E79"),
    "no_deadline": Tone("#E4E4E4", "#404040"),
    "set_aside": Tone("", "#6B6B6B", italic=True),
    "open": Tone("", "#000000"),
    "input": Tone("#FFFBE6", "#000000"),
    "wrong": Tone("#F4B183", "#7B1E00", bold=True),
}
"""Colours by meaning: overdue red, due soon amber, done green, waiting for approval blue,
no deadline grey, returned or cancelled grey italics; cells to fill in pale yellow, cells that
contradict themselves orange."""

LINE: Final = "#8C8C8C"
"""Colour of the grid; dark enough for a laser printer."""
HEADER_FILL: Final = "#DCE6F1"
COMPUTED_HEADER_FILL: Final = "#D0D0D0"
COMPUTED_FILL: Final = "#F2F2F2"
"""Cells that the program computes and nobody types."""
CHART_COLOURS: Final[Mapping[str, Sequence[str]]] = {
    "done": ("#4E9A51", "#8CC48A"),
    "waiting": ("#8CC48A", "#B5DBB2"),
    "in_progress": ("#3F78B5", "#7FA9D6"),
    "not_started": ("#9AA5B1", "#C3CAD1"),
    "due_soon": ("#E0A100", "#F2CC5C"),
    "overdue": ("#C0392B", "#E07A6E"),
    "set_aside": ("#8E7CA6", "#C9BFD6"),
}
"""Chart colours by meaning; the second one is for a second status of the same meaning."""


@cache
def texts() -> Mapping[str, Any]:
    """Return `workbook_texts.toml`: what the generated workbooks say to their readers."""
    path = PACKAGE / "data" / "workbook_texts.toml"
    return tomllib.loads(path.read_text(encoding="utf-8"))


def new_book(
    buffer: BytesIO,
    *,
    title: str,
    author: str,
    as_of: date,
    subject: str = "",
    book_class: Any = None,
) -> Any:
    """Return an XlsxWriter workbook with our default font and fixed properties.

    Text is never taken for a formula, a link or a number: what people write stays as it is.
    The creation moment is the as-of date, so that equal content gives equal bytes.

    Args:
        buffer: Where `close()` puts the file.
        title: Title in the document's properties.
        author: Office in whose name the workbook is made.
        as_of: Day for which it is made.
        subject: Subject in the document's properties.
        book_class: Class of the workbook, where it is another one than `DirectBook`.
    """
    # Heavy, only needed by commands that make workbooks.
    from xl_theodoi.workbook.building.book import DirectBook  # noqa: PLC0415

    book = (book_class or DirectBook)(
        buffer,
        {
            "strings_to_formulas": False,
            "strings_to_urls": False,
            "strings_to_numbers": False,
            "default_format_properties": {"font_name": FONT, "font_size": SIZE},
        },
    )
    book.set_properties(
        {
            "title": title,
            "subject": subject,
            "author": author,
            "company": author,
            "created": datetime(as_of.year, as_of.month, as_of.day, tzinfo=UTC).replace(
                tzinfo=None
            ),
        }
    )
    book.set_size(1600, 900)
    return book


class Look:
    """The cell formats of one workbook, each made once.

    Attributes:
        book: The XlsxWriter workbook that the formats belong to.
    """

    def __init__(self, book: Any) -> None:
        self.book = book
        self._made: dict[tuple[tuple[str, Any], ...], Any] = {}

    def style(self, **properties: Any) -> Any:
        """Return a format with our font and the given XlsxWriter properties.

        `locked=False` makes a cell editable under sheet protection.
        """
        wanted = {"font_name": FONT, "font_size": SIZE, "valign": "top", **properties}
        key = tuple(sorted(wanted.items()))
        if key not in self._made:
            self._made[key] = self.book.add_format(wanted)
        return self._made[key]

    def cell(
        self,
        kind: FieldKind,
        *,
        computed: bool = False,
        formula: bool = False,
        locked: bool = True,
        wrap: bool = True,
        fill: str = "",
    ) -> Any:
        """Return the format of a list's body cell that holds values of a kind.

        Args:
            kind: Kind of the field; dates, choices and numbers are centred.
            computed: Whether the program computes the value (grey).
            formula: Whether the cell holds a formula: Excel makes a text of one that is
                entered into a cell formatted as text.
            locked: Whether sheet protection keeps the cell.
            wrap: Whether long text breaks; hidden columns do not, so that what nobody sees
                never makes a row higher.
            fill: Background, where neither none nor the grey of computed cells is meant.
        """
        properties: dict[str, Any] = {"border": 1, "border_color": LINE}
        if kind == "date":
            properties |= {"num_format": DATE_FORMAT, "align": "center"}
        elif kind == "number":
            properties |= {"num_format": NUMBER_FORMAT, "align": "center"}
        elif kind == "choice":
            properties["align"] = "center"
        else:
            properties["align"] = "left"
            if kind == "text" and not formula:
                properties["num_format"] = TEXT_FORMAT
        if wrap and kind != "date":
            properties["text_wrap"] = True
        if fill or computed:
            properties["bg_color"] = fill or COMPUTED_FILL
        if not locked:
            properties["locked"] = False
        return self.style(**properties)

    def header(self, *, computed: bool = False) -> Any:
        """Return the format of a list's heading cell."""
        return self.style(
            bold=True,
            text_wrap=True,
            align="center",
            valign="vcenter",
            border=1,
            border_color=LINE,
            bg_color=COMPUTED_HEADER_FILL if computed else HEADER_FILL,
        )

    def title(self, **properties: Any) -> Any:
        """Return the format of a sheet's title."""
        return self.style(**{"bold": True, "font_size": 14, "valign": "vcenter", **properties})

    def agency(self, *, issuing: bool = False, **properties: Any) -> Any:
        """Return the format of the agency lines: superior plain, issuing agency bold."""
        return self.style(**{"bold": issuing, "font_size": TEXT_SIZE, **properties})

    def text(self, **properties: Any) -> Any:
        """Return the format of a sentence outside a list."""
        return self.style(**{"font_size": TEXT_SIZE, "text_wrap": True, **properties})

    def tone(self, name: str) -> Any:
        """Return the conditional format of a colour family (see `TONES`)."""
        key = ("tone", name)
        if (key,) not in self._made:
            # A conditional format carries only what differs: a font name in it is an error.
            self._made[(key,)] = self.book.add_format(
                {**TONES[name].properties(), "font_name": "", "font_size": 0}
            )
        return self._made[(key,)]


def text_lines(text: str, width: float, *, size: float = SIZE, bold: bool = False) -> int:
    """Return how many lines a text takes in a column.

    Args:
        text: What the cell shows; line breaks count.
        width: Column width in characters.
        size: Font size in points.
        bold: Whether the text is bold, which is wider.
    """
    return lines_of((text,), *text_room(width, size, bold=bold))[0]


@cache
def text_room(width: float, size: float = SIZE, *, bold: bool = False) -> tuple[Font, float]:
    """Return the font of a text in a column and the points that it has, for `line_count`."""
    return Font(FONT, size, bold), max(size, column_pixels(width) * 0.75 - CELL_PADDING)


def lines_of(texts: Iterable[str], font: Font, room: float) -> list[int]:
    """Return how many lines each text takes, in a font and a room that `text_room` gives."""
    texts = list(texts)
    different = set(texts)
    if 2 * len(different) > len(texts) > 1:
        return line_counts(texts, font, room)
    # Units, subjects and names come again and again.
    lines = {text: _lines_of_one(text, font, room) for text in different}
    return [lines[text] for text in texts]


@lru_cache(maxsize=4096)
def _lines_of_short(text: str, font: Font, room: float) -> int:
    return line_count(text, font, room)


def _lines_of_one(text: str, font: Font, room: float) -> int:
    if len(text) <= SHORT:
        return _lines_of_short(text, font, room)
    return line_count(text, font, room)


def column_pixels(width: float) -> int:
    """Return a column's width in pixels on the screen from its width in characters."""
    return int(width * 7 + 5)


def row_height(
    cells: Iterable[tuple[str, float]], *, size: float = SIZE, bold: bool = False
) -> float:
    """Return a row height in points that shows every text, for rows that cannot fit themselves.

    Merged cells and headings with filter buttons never fit themselves. Rows of lists get an
    estimate too (see `add_sheet`): Excel would fit them on opening, LibreOffice not.

    Args:
        cells: Text and column width of each cell.
        size: Font size in points.
        bold: Whether the texts are bold.
    """
    most = max((text_lines(text, width, size=size, bold=bold) for text, width in cells), default=1)
    return height_of_lines(most, size)


def height_of_lines(lines: int, size: float = SIZE) -> float:
    """Return the row height in points for a number of lines, at most what Excel takes."""
    return min(TALLEST, ceil(lines * size * LINE_SPACING + 3))


def add_sheet(book: Any, name: str) -> Any:
    """Return a new XlsxWriter worksheet that also knows `fit_row` and lists.

    `fit_row(row, height)` gives a row a height that Excel may still change: XlsxWriter marks
    every height as the user's own, and then the row would not grow with its text.
    `add_list(...)` and `put_rows(...)` hold a table whose rows XlsxWriter need not know
    (see `building.rows`); nothing may stand below it.
    """
    return book.add_worksheet(name, worksheet_class=_sheet_class())


@cache
def _sheet_class() -> Any:
    from xlsxwriter.utility import xl_range  # noqa: PLC0415
    from xlsxwriter.worksheet import Worksheet  # noqa: PLC0415 - heavy

    class FittedSheet(Worksheet):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.fitted: set[int] = set()
            self._row_is_fitted = False
            self.first_page_differs = False
            self.list_rows: ListRows | None = None

        def add_list(
            self,
            heading_row: int,
            columns: Sequence[Mapping[str, Any]],
            rows: int,
            formulas: Mapping[str, str] | None = None,
            **options: Any,
        ) -> None:
            """Add a table from the first column on; XlsxWriter notes each cell of a table.

            Args:
                heading_row: 0-based row.
                columns: XlsxWriter's options of each column.
                rows: Number of body rows.
                formulas: By heading, the formula that Excel puts into new rows, with references
                    to the own row in full; cells get theirs from `list_rows_at`.
                options: XlsxWriter's options of the table.
            """
            last = heading_row + rows
            self.add_table(
                heading_row, 0, heading_row + 1, len(columns) - 1, {"columns": columns, **options}
            )
            table = self.tables[-1]
            table["range"] = table["a_range"] = xl_range(heading_row, 0, last, len(columns) - 1)
            if "autofilter" in table:
                table["autofilter"] = table["a_range"]
            for given, column in zip(columns, table["columns"], strict=True):
                # Given as an option, it would become a formula in every cell.
                column["formula"] = (formulas or {}).get(given["header"], "")

        def list_rows_at(
            self,
            row: int,
            formats: Sequence[Any],
            moment: Any,
            truth: tuple[str, str],
            formulas: Mapping[int, RowFormula] | None = None,
        ) -> ListRows:
            """Return where the rows of a list go, from the first column of a row on."""
            return ListRows(
                row,
                formats,
                moment=moment,
                string_index=self.str_table._get_shared_string_index,  # noqa: SLF001
                serial=self._convert_date_time,
                truth=truth,
                formulas=formulas,
            )

        def put_rows(self, rows: ListRows) -> None:
            """Take the rows of the sheet's list; they are the last of the sheet."""
            self.list_rows = rows
            self._check_dimensions(rows.first_row, 0)
            self._check_dimensions(rows.first_row + len(rows) - 1, rows.width - 1)

        def row_points(self, row: int) -> float:
            """Return the height of a row in points."""
            info = self.row_info.get(row)
            return float(info.height if info else self.default_row_height) * 0.75

        def number_pages(self, header: str, margin: float) -> None:
            """Print a header on every page but the first, counted from 1 on this sheet."""
            self.set_header(header, {"margin": margin})
            self.set_start_page(1)
            self.first_page_differs = True

        def fit_row(self, row: int, height: float) -> None:
            self.fitted.add(row)
            self.set_row(row, height)

        def _write_rows(self) -> None:
            rows = self.list_rows
            if rows is None:
                super()._write_rows()
                return
            self.dim_rowmax = rows.first_row - 1
            super()._write_rows()
            self.dim_rowmax = rows.first_row + len(rows) - 1
            for xml in rows.xml():
                self.fh.write(xml)

        def _write_row(self, row: int, *rest: Any, **options: Any) -> None:
            self._row_is_fitted = row in self.fitted
            super()._write_row(row, *rest, **options)

        def _xml_start_tag_unencoded(
            self, tag: str, attributes: Sequence[tuple[str, Any]] = ()
        ) -> None:
            if tag == "row" and self._row_is_fitted:
                attributes = [pair for pair in attributes if pair[0] != "customHeight"]
            super()._xml_start_tag_unencoded(tag, attributes)

        def _xml_start_tag(self, tag: str, attributes: Sequence[tuple[str, Any]] = ()) -> None:
            if tag == "headerFooter" and self.first_page_differs:
                attributes = [*attributes, ("differentFirst", 1)]
            super()._xml_start_tag(tag, attributes)

    return FittedSheet


def form_height(*, portrait: bool) -> float:
    """Return the room for rows on a page of a form, in points (see `set_up_form`)."""
    *_, top, bottom = PORTRAIT if portrait else LANDSCAPE_FORM
    return ((297 if portrait else 210) - top - bottom) * MM * 72 * PAGE_SAFETY


def set_up_form(sheet: Any, *, heading_row: int, portrait: bool) -> None:
    """Give a form the paper of an administrative document (NĐ 30/2020, Phụ lục I) at full size.

    The page number stands in the middle of the top margin, from the second page on. The sheet
    is not fitted to pages: then Excel would leave out the page ends that are set by hand.

    Args:
        sheet: Sheet of `add_sheet`.
        heading_row: 0-based row of the table's headings, repeated on every page.
        portrait: Whether the paper stands upright.
    """
    sheet.set_paper(A4)
    if portrait:
        sheet.set_portrait()
    else:
        sheet.set_landscape()
    left, right, top, bottom = PORTRAIT if portrait else LANDSCAPE_FORM
    sheet.set_margins(left * MM, right * MM, top * MM, bottom * MM)
    sheet.set_print_scale(100)
    sheet.repeat_rows(heading_row)
    sheet.number_pages(f'&C&"{FONT},Regular"&13&P', 10 * MM)


def _foot_note(text: str, room: int) -> str:
    """Return a text as a page's foot holds it, cut where it is longer than the room.

    Excel takes an ampersand for the beginning of a code, two for an ampersand, and counts
    UTF-16 units.
    """
    said = [letter if letter != "&" else "&&" for letter in text]
    if utf16_length("".join(said)) <= room:
        return "".join(said)
    del said[room:]
    while utf16_length("".join(said)) > room - 1:
        said.pop()
    return "".join(said).rstrip() + "…"


def pages_wide(widths: Sequence[float], repeat_columns: int = 0) -> int:
    """Return how many landscape pages side by side keep a list readable (`LEAST_SCALE`).

    Args:
        widths: Widths of the printed columns, in characters.
        repeat_columns: Number of columns that stand on every page.
    """
    left, right, *_ = LANDSCAPE
    room = (297 - left - right) / CHARACTER_MM / LEAST_SCALE
    repeated = sum(widths[:repeat_columns])
    return max(1, ceil((sum(widths) - repeated) / max(1.0, room - repeated)))


def set_up_page(
    sheet: Any,
    *,
    widths: Sequence[float],
    heading_row: int | None = None,
    repeat_columns: int = 0,
    first_column: int = 0,
    portrait: bool = False,
    one_page_wide: bool = False,
    margins: tuple[float, float, float, float] | None = None,
    note: str = "",
) -> int:
    """Give a sheet A4 paper, margins, page numbers and repeated headings.

    The sheet is printed one page wide, unless that would make it unreadable
    (`LEAST_SCALE`): a wide register takes two or three pages side by side.

    Args:
        sheet: XlsxWriter worksheet.
        widths: Widths of the printed columns, in characters.
        heading_row: 0-based row of the headings, repeated on every page.
        repeat_columns: Number of columns repeated on every page, where there are several
            pages side by side.
        first_column: 0-based column from which on they are counted.
        portrait: Whether the paper stands upright; then always one page wide.
        one_page_wide: Print on one page whatever the size.
        margins: Left, right, top, bottom in millimetres, where not the usual ones.
        note: Text on the left of the page's foot.

    Returns:
        Number of pages side by side.
    """
    sheet.set_paper(A4)
    if portrait:
        sheet.set_portrait()
        left, right, top, bottom = margins or PORTRAIT
    else:
        sheet.set_landscape()
        left, right, top, bottom = margins or LANDSCAPE
    sheet.set_margins(left * MM, right * MM, top * MM, bottom * MM)
    pages = 1 if one_page_wide or portrait else pages_wide(widths, repeat_columns)
    sheet.fit_to_pages(pages, 0)
    if heading_row is not None:
        sheet.repeat_rows(heading_row)
    if pages > 1 and repeat_columns:
        sheet.repeat_columns(first_column, first_column + repeat_columns - 1)
    font = f'&"{FONT},Regular"&10'
    words = texts()["print"]
    foot = f"&R{font}{words['page_number']}"
    if note:
        start = f"&L{font} " if note[0].isdigit() else f"&L{font}"
        foot = f"{start}{_foot_note(note, FOOT_LIMIT - len(start) - len(foot))}{foot}"
    sheet.set_footer(foot, {"margin": 8 * MM, "scale_with_doc": False})
    return pages

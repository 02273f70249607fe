"""Makes the report forms that ship with the program, from `templates.toml`.

The forms are ordinary workbooks that an office edits afterwards; this script is only needed
to make the first ones again. The same words give the same bytes. Geometry and type sizes
follow NĐ 30/2020/NĐ-CP, Phụ lục I: A4, margins 20/20/30/15 mm, Times New Roman, page number
centred in the top margin and absent from page 1.

Usage: python report_templates/make_templates.py [FOLDER]
"""

# ruff: noqa: INP001 - a folder of forms, not a package

from __future__ import annotations

import io
import sys
import tomllib
import zipfile
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import xlsxwriter

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from xlsxwriter.format import Format
    from xlsxwriter.workbook import Workbook
    from xlsxwriter.worksheet import Worksheet

HERE = Path(__file__).parent
FONT = "Times New Roman"
A4 = 9
INCH = 25.4
PAGE_NUMBER = f'&C&"{FONT},Regular"&13&P'
MADE = datetime(2026, 11, 1, tzinfo=UTC).replace(tzinfo=None)
"""A fixed day, so that making the forms again changes nothing."""

BODY, TABLE, SMALL = 13, 12, 11


class Sheet:
    """Writes one sheet of a form from top to bottom.

    Args:
        book: The workbook.
        words: Table `words` of the TOML file, and the words of the side.
        plan: The sheet's own table.
    """

    def __init__(self, book: Workbook, words: Mapping[str, Any], plan: Mapping[str, Any]) -> None:
        self._book = book
        self._words = words
        self._plan = plan
        self._row = 0
        self._columns = len(plan["columns"])
        self._sheet: Worksheet = book.add_worksheet(plan["name"])
        self._formats: dict[tuple[tuple[str, Any], ...], Format] = {}
        self._set_up()
        if plan.get("letterhead", True):
            self._letterhead()
        for block in plan["block"]:
            getattr(self, f"_{block['type']}")(block)
        self._sheet.print_area(0, 0, self._row - 1, self._columns - 1)

    def _set_up(self) -> None:
        sheet = self._sheet
        sheet.set_paper(A4)
        if self._plan.get("landscape"):
            sheet.set_landscape()
        sheet.set_margins(left=30 / INCH, right=15 / INCH, top=20 / INCH, bottom=20 / INCH)
        sheet.set_header(PAGE_NUMBER, {"margin": 10 / INCH})
        sheet.center_horizontally()
        sheet.hide_gridlines(2)
        for number, width in enumerate(self._plan["columns"]):
            # Widths of the plan are those of the file; the library adds the cell margins.
            sheet.set_column(number, number, width - 5 / 7)

    def _format(self, **properties: Any) -> Format:
        full = {
            "font_name": FONT,
            "font_size": BODY,
            "text_wrap": True,
            "valign": "vcenter",
            **properties,
        }
        key = tuple(sorted(full.items()))
        if key not in self._formats:
            self._formats[key] = self._book.add_format(full)
        return self._formats[key]

    def _put(self, first: int, last: int, text: str, style: Format, row: int | None = None) -> None:
        where = self._row if row is None else row
        if last > first:
            self._sheet.merge_range(where, first, where, last, "", style)
        if text:
            self._sheet.write_string(where, first, text, style)
        else:
            self._sheet.write_blank(where, first, None, style)

    def _wide(self, text: str, style: Format) -> None:
        self._put(0, self._columns - 1, text, style)
        self._row += 1

    def _gap(self, height: float) -> None:
        self._sheet.set_row(self._row, height)
        self._row += 1

    def _marker(self, order: str) -> None:
        self._sheet.write_string(
            self._row, 0, f"{{%tr {order} %}}", self._book.add_format({"font_color": "gray"})
        )
        self._row += 1

    # --- letterhead, title ---

    def _letterhead(self) -> None:
        words = self._words
        left, last = self._plan["left"] - 1, self._columns - 1
        top = {"align": "center", "valign": "top"}
        rule = {"align": "center", "valign": "bottom", "font_size": 8, "text_wrap": False}
        self._put(0, left, words["superior"], self._format(font_size=12, **top))
        self._put(
            left + 1,
            last,
            words["nation"],
            self._format(bold=True, **{**top, "font_size": 12, "text_wrap": False}),
        )
        self._row += 1
        self._put(0, left, words["agency"], self._format(bold=True, font_size=12, **top))
        self._put(left + 1, last, words["motto"], self._format(bold=True, font_size=13, **top))
        self._row += 1
        # The rules under agency and motto are rows of underscores: they keep to the middle
        # whatever columns are hidden or widened.
        self._put(0, left, "_" * 16, self._format(**rule))
        self._put(left + 1, last, "_" * 42, self._format(**rule))
        self._gap(9)
        self._gap(6)
        centre = {"align": "center"}
        self._put(
            0,
            left,
            words["number"].format(symbol=words["symbol"]),
            self._format(**centre),
        )
        self._put(
            left + 1,
            last,
            "{{ office.place }}" + words["dated"],
            self._format(italic=True, **centre),
        )
        self._row += 1
        self._gap(12)

    def _title(self, block: Mapping[str, Any]) -> None:
        style = self._format(bold=True, font_size=14, align="center")
        self._sheet.set_row(self._row, 20)
        self._wide(block.get("head", self._words["report"]), style)
        for line in block["lines"]:
            self._sheet.set_row(self._row, 20)
            self._wide(line, style)
        rule = self._format(align="center", valign="bottom", font_size=8, text_wrap=False)
        self._put(0, self._columns - 1, "_" * 26, rule)
        self._gap(9)
        self._gap(8)

    def _annex(self, block: Mapping[str, Any]) -> None:
        style = self._format(bold=True, font_size=14, align="center")
        self._sheet.set_row(self._row, 20)
        self._wide(self._words["annex"], style)
        for line in block["lines"]:
            self._sheet.set_row(self._row, 20)
            self._wide(line, style)
        self._wide(self._words["attached"], self._format(italic=True, align="center"))
        self._gap(8)

    def _addressee(self, block: Mapping[str, Any]) -> None:
        self._wide(
            self._words["addressee"].format(name=block["name"]), self._format(align="center")
        )
        self._gap(8)

    # --- text ---

    def _text(self, block: Mapping[str, Any]) -> None:
        style = self._format(align="justify", valign="top")
        condition = block.get("condition")
        if condition:
            self._marker(f"if {condition}")
        self._wide("      " + block["text"], style)
        if condition:
            self._marker("else")
            self._wide("      " + block["otherwise"], style)
            self._marker("endif")
        self._gap(6)

    def _heading(self, block: Mapping[str, Any]) -> None:
        if block.get("keep"):
            # The heading, the headings of its table and the table's first row stay together.
            self._marker("keep with next")
        self._wide(block["text"], self._format(bold=True, align="left"))
        self._gap(4)

    def _closing(self, block: Mapping[str, Any]) -> None:
        self._wide("      " + block["text"], self._format(align="justify", valign="top"))

    def _list(self, block: Mapping[str, Any]) -> None:
        self._marker(f"for {block['loop']}")
        condition = block.get("condition")
        if condition:
            self._marker(f"if {condition}")
        self._wide("      " + block["text"], self._format(align="justify", valign="top"))
        if condition:
            self._marker("endif")
        self._marker("endfor")
        self._gap(6)

    def _dots(self, block: Mapping[str, Any]) -> None:
        style = self._format(bottom=3, align="left")
        for _ in range(block["lines"]):
            self._sheet.set_row(self._row, 21)
            self._wide("", style)
        self._gap(6)

    def _pairs(self, block: Mapping[str, Any]) -> None:
        first, second = block["spans"]
        for number, (label, value) in enumerate(block["rows"]):
            indent = 3 if number in block.get("indented", ()) else 1
            self._put(0, first - 1, label, self._format(border=1, align="left", indent=indent))
            self._put(first, first + second - 1, value, self._format(border=1, align="center"))
            self._sheet.set_row(self._row, 19)
            self._row += 1
        self._gap(8)

    def _notes(self, block: Mapping[str, Any]) -> None:
        style = self._format(italic=True, font_size=12, align="justify", valign="top")
        names = block["names"]
        condition = " or ".join(f"notes.{name}" for name in names)
        if "always" in block:
            condition = "true"
        self._gap(4)
        self._marker(f"if {condition}")
        self._wide(self._words["note"], self._format(italic=True, bold=True, font_size=12))
        if "always" in block:
            self._wide("- " + block["always"], style)
        for name in names:
            self._marker(f"if notes.{name}")
            self._wide(f"- {{{{ notes.{name} }}}}", style)
            self._marker("endif")
        self._marker("endif")
        self._gap(6)

    # --- tables ---

    def _placed(self, columns: list[Mapping[str, Any]]) -> Iterator[tuple[int, int, Any]]:
        start = 0
        for column in columns:
            end = start + column.get("span", 1) - 1
            yield start, end, column
            start = end + 1

    def _cell_format(self, kind: str, *, size: int, bold: bool = False) -> Format:
        looks: dict[str, dict[str, Any]] = {
            "order": {"align": "center", "num_format": "0"},
            "order_point": {"align": "center", "num_format": '0"."'},
            "center": {"align": "center"},
            "left": {"align": "left"},
            "count": {"align": "center", "num_format": "0"},
            "date": {"align": "center", "num_format": "dd/mm/yyyy"},
            "rate": {"align": "center", "num_format": "0.0%"},
        }
        return self._format(border=1, font_size=size, bold=bold, **looks[kind])

    def _header(self, columns: list[Mapping[str, Any]], height: float | None) -> None:
        style = self._format(border=1, bold=True, align="center", font_size=SMALL)
        grouped = any("group" in column for column in columns)
        top = self._row
        bottom = top + (1 if grouped else 0)
        groups: dict[str, list[int]] = {}
        for start, end, column in self._placed(columns):
            if "group" in column:
                groups.setdefault(column["group"], []).extend((start, end))
                self._put(start, end, column["head"], style, row=bottom)
            elif bottom > top or end > start:
                self._sheet.merge_range(top, start, bottom, end, column["head"], style)
            else:
                self._put(start, end, column["head"], style, row=top)
        for name, places in groups.items():
            self._put(min(places), max(places), name, style, row=top)
        if grouped:
            self._sheet.set_row(top, 24)
            self._sheet.set_row(bottom, 34)
        else:
            self._sheet.set_row(top, height or self._header_height(columns))
        self._sheet.repeat_rows(top, bottom)
        self._row = bottom + 1

    def _header_height(self, columns: list[Mapping[str, Any]]) -> float:
        lines = 1
        for start, end, column in self._placed(columns):
            room = sum(self._plan["columns"][start : end + 1]) * 0.95
            used, count = 0.0, 1
            for word in column["head"].rpartition("%}")[2].split():
                if used and used + 1 + len(word) > room:
                    count, used = count + 1, 0.0
                used += len(word) + (1 if used else 0)
            lines = max(lines, count)
        return 8 + lines * SMALL * 1.3

    def _table(self, block: Mapping[str, Any]) -> None:
        columns = block["columns"]
        size = SMALL if block.get("small") else TABLE
        if not block.get("kept_heading"):
            self._marker("keep with next")
        self._header(columns, block.get("head_height"))
        self._marker("endkeep")
        section = self._format(border=1, bold=True, italic=True, align="left", font_size=size)
        if "outer" in block:
            # A status without tasks has its figure above the table; a row for it only fills
            # the page. Without any task one row says so.
            self._marker(f"for {block['outer']}")
            self._marker(f"if {block['outer_filled']}")
            self._section(block["outer_title"], section)
            self._loop(block["loop"], columns, size)
            self._marker("endif")
            self._marker("endfor")
            self._marker(f"if not {block['filled']}")
            style = self._format(border=1, italic=True, align="center", font_size=size)
            self._wide(block["empty"], style)
            self._marker("endif")
        elif "sections" in block:
            for part in block["sections"]:
                self._section(part["title"], section)
                self._loop(part["loop"], columns, size)
        else:
            self._loop(block["loop"], columns, size, empty=block.get("empty"))
        if block.get("keep_end", True):
            # No page with headings and nothing below, no signature alone on a page.
            self._marker("keep with previous")
        if block.get("total"):
            self._total(block["total_span"], columns, size)
        self._gap(6)

    def _section(self, title: str, style: Format) -> None:
        self._marker("keep with next")
        self._wide(title, style)
        self._marker("endkeep")

    def _loop(
        self, loop: str, columns: list[Mapping[str, Any]], size: int, empty: str | None = None
    ) -> None:
        self._marker(f"for {loop}")
        for start, end, column in self._placed(columns):
            style = self._cell_format(column.get("format", "count"), size=size)
            self._put(start, end, column["cell"], style)
        self._row += 1
        if empty:
            self._marker("else")
            self._wide(empty, self._format(border=1, italic=True, align="center", font_size=size))
        self._marker("endfor")

    def _total(self, span: int, columns: list[Mapping[str, Any]], size: int) -> None:
        style = self._format(border=1, bold=True, align="center", font_size=size)
        self._put(0, span - 1, self._words["total"], style)
        for start, end, column in self._placed(columns):
            if start >= span:
                kind = column.get("format", "count")
                self._put(
                    start,
                    end,
                    column.get("total", ""),
                    self._cell_format(kind, size=size, bold=True),
                )
        self._sheet.set_row(self._row, 21)
        self._row += 1

    # --- signature ---

    def _signature(self, _block: Mapping[str, Any]) -> None:
        words = self._words
        left, last = self._plan["left"] - 1, self._columns - 1
        self._gap(6)
        self._put(
            0,
            left,
            words["recipients"],
            self._format(bold=True, italic=True, font_size=12, align="left", valign="top"),
        )
        signer = self._format(bold=True, font_size=13, align="center", valign="top")
        self._put(left + 1, last, words["signer"], signer)
        self._row += 1
        small = self._format(font_size=11, align="left", valign="top")
        for line in words["recipient_list"]:
            self._put(0, left, line, small)
            self._put(left + 1, last, "", signer)
            self._row += 1
        self._sheet.set_row(self._row, 54)
        self._put(0, left, "", small)
        self._put(left + 1, last, "", signer)
        self._row += 1
        self._marker("endkeep")


def make(plan: Mapping[str, Any], data: Mapping[str, Any]) -> bytes:
    """Return one form."""
    target = io.BytesIO()
    book = xlsxwriter.Workbook(
        target,
        {
            "in_memory": True,
            "default_format_properties": {"font_name": FONT, "font_size": 11},
        },
    )
    book.set_properties({"created": MADE})
    for sheet in plan["sheet"]:
        Sheet(book, {**data["words"], **data["side"][sheet["side"]]}, sheet)
    book.close()
    return _first_page_without_number(target.getvalue())


def _first_page_without_number(package: bytes) -> bytes:
    """Return the package with sheets whose first page has a header of its own, a blank one."""
    target = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(package)) as source,
        zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as result,
    ):
        for entry in source.infolist():
            content = source.read(entry)
            if entry.filename.startswith("xl/worksheets/sheet"):
                content = content.replace(b"<headerFooter>", b'<headerFooter differentFirst="1">')
            info = zipfile.ZipInfo(entry.filename, (2026, 11, 1, 0, 0, 0))
            info.compress_type = zipfile.ZIP_DEFLATED
            info.external_attr = 0o600 << 16
            result.writestr(info, content)
    return target.getvalue()


def forms() -> dict[str, bytes]:
    """Return every form by its file name."""
    data = tomllib.loads((HERE / "templates.toml").read_text(encoding="utf-8"))
    result = {}
    for plan in data["form"]:
        content = make(plan, data)
        for name in plan.get("files", [plan.get("file")]):
            result[name] = content
    return result


def main() -> None:
    """Write the forms into the folder given, or beside this script."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else HERE
    for name, content in forms().items():
        (folder / name).write_bytes(content)


if __name__ == "__main__":
    main()

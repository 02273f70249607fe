"""The sheet of an open workbook on which a person reads what was found, with links."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

from xl_theodoi.domain.errors import TheodoiError
from xl_theodoi.domain.names import FINDINGS
from xl_theodoi.excel.state import native_flag, undisturbed
from xl_theodoi.excel.values import write_value
from xl_theodoi.messages import finding_sentences, text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import xlwings as xw
    from xlwings.main import Table

    from xl_theodoi.domain.findings import Finding

COLUMNS: Final[Mapping[str, int]] = {
    "severity": 10,
    "code": 24,
    "file": 22,
    "place": 18,
    "cell": 9,
    "task_id": 17,
    "what": 60,
    "fix": 60,
}
"""Columns of the list and their widths in characters."""
LINES_ABOVE: Final = 3
"""Title, summary and a blank line stand above the headings."""
MOST_ROWS: Final = 5000
"""Nobody reads more in one go; the last line says how many were left out."""
TABLE_STYLE: Final = "TableStyleLight9"

_LONGEST_LITERAL: Final = 255
"""Excel takes no longer text within a formula."""


def write_findings(
    book: xw.Book,
    findings: Sequence[Finding],
    *,
    labels: Mapping[str, str],
    summary: str,
) -> xw.Sheet | None:
    """Put findings in place of those of the last run, in one write, and return their sheet.

    The list is found by its table's name, wherever the office moved it. Where there is
    nothing to say and no list yet, no sheet is made and `None` comes back.

    Args:
        book: The open workbook.
        findings: What was found.
        labels: Column label by field name.
        summary: The line under the title.

    Raises:
        TheodoiError: `structure_protected` where a sheet cannot be added,
            `sheet_protected` where the list cannot be replaced, `excel_busy`.
    """
    table = _existing(book)
    if table is None and not findings:
        return None
    rows = _rows(book.name, findings, labels)
    with undisturbed(book):
        if table is None:
            return _make(book, rows, summary)
        _replace(table, rows, summary, file=book.name)
        return table.parent


def _existing(book: xw.Book) -> Table | None:
    for sheet in book.sheets:
        for table in sheet.tables:
            if table.name == FINDINGS:
                return table
    return None


def _rows(file: str, findings: Sequence[Finding], labels: Mapping[str, str]) -> list[list[Any]]:
    # Errors keep rows out, so they come first; within them the order of the sheet stays.
    ordered = sorted(findings, key=lambda finding: not finding.is_error)
    rows = [_row(file, finding, labels) for finding in ordered[:MOST_ROWS]]
    blank: list[Any] = [None] * len(COLUMNS)
    place = list(COLUMNS).index("what")
    if len(ordered) > MOST_ROWS:
        left_out = text("addin_sheet", "more", count=len(ordered) - MOST_ROWS)
        rows.append([*blank[:place], left_out, *blank[place + 1 :]])
    if not rows:
        rows.append([*blank[:place], text("addin_sheet", "none"), *blank[place + 1 :]])
    return rows


def _row(file: str, finding: Finding, labels: Mapping[str, str]) -> list[Any]:
    what, fix = finding_sentences(finding, labels)
    place = finding.location
    is_here = place.file in (None, file)
    cells = {
        "severity": text("addin_sheet", finding.severity.value),
        "code": finding.code,
        "file": place.file or file,
        "place": place.sheet,
        "cell": place.cell,
        "task_id": finding.task_id,
        "what": what,
        "fix": fix,
    }
    row = [write_value(cells[name]) for name in COLUMNS]
    if is_here and place.sheet and place.cell:
        row[list(COLUMNS).index("cell")] = link_formula(place.sheet, place.cell)
    return row


def link_formula(sheet: str, cell: str) -> str:
    r"""Return a formula that shows a cell's address and leads to the cell.

    Example:
        >>> link_formula("Sổ theo dõi", "H27")
        '=HYPERLINK("#\'Sổ theo dõi\'!H27","H27")'
    """
    quoted = sheet.replace("'", "''").replace('"', '""')
    target = f"#'{quoted}'!{cell}"
    return f'=HYPERLINK("{target}","{cell}")' if len(target) <= _LONGEST_LITERAL else cell


def _block(rows: list[list[Any]], summary: str, lines_above: int) -> list[list[Any]]:
    blank: list[Any] = [None] * len(COLUMNS)
    above = [[text("addin_sheet", "title"), *blank[1:]], [write_value(summary), *blank[1:]], blank]
    headings = [text("addin_sheet", name) for name in COLUMNS]
    return [*above[:lines_above], headings, *rows]


def _make(book: xw.Book, rows: list[list[Any]], summary: str) -> xw.Sheet:
    name = _free_name(book)
    if native_flag(book.api, "ProtectStructure", "protect_structure"):
        raise TheodoiError("structure_protected", file=book.name, sheet=name)
    sheet = book.sheets.add(name, after=book.sheets[len(book.sheets) - 1])
    width, header = len(COLUMNS), LINES_ABOVE + 1
    block = _block(rows, summary, LINES_ABOVE)
    sheet.range((1, 1), (len(block), width)).options(chunksize=None).value = block
    whole = sheet.range((header, 1), (header + len(rows), width))
    sheet.tables.add(source=whole, name=FINDINGS, has_headers=True, table_style_name=TABLE_STYLE)
    with suppress(Exception):
        # How the sheet looks must not decide whether the findings are seen.
        for index, (column, characters) in enumerate(COLUMNS.items(), start=1):
            cells = sheet.range((header, index), (header + len(rows), index))
            cells.column_width = characters
            if column in ("what", "fix", "file"):
                cells.wrap_text = True
        sheet.range((1, 1)).font.bold = True
    return sheet


def _free_name(book: xw.Book) -> str:
    wanted = text("addin_sheet", "sheet")
    taken = {sheet.name.lower() for sheet in book.sheets}
    name, number = wanted, 1
    while name.lower() in taken:
        number += 1
        name = f"{wanted} ({number})"
    return name


def _replace(table: Table, rows: list[list[Any]], summary: str, *, file: str) -> None:
    sheet, old = table.parent, table.range
    if native_flag(sheet.api, "ProtectContents", "protect_contents"):
        raise TheodoiError("sheet_protected", file=file, sheet=sheet.name)
    header, left, width = old.row, old.column, len(COLUMNS)
    old_height = old.shape[0]
    table.resize(sheet.range((header, left), (header + len(rows), left + width - 1)))
    lines_above = LINES_ABOVE if header > LINES_ABOVE else 0
    block = _block(rows, summary, lines_above)
    top = header - lines_above
    area = sheet.range((top, left), (top + len(block) - 1, left + width - 1))
    area.options(chunksize=None).value = block
    if old_height > len(rows) + 1:
        first = header + len(rows) + 1
        sheet.range((first, left), (header + old_height - 1, left + width - 1)).clear_contents()

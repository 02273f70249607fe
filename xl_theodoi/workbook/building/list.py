"""One list on a sheet: title rows, an Excel Table, drop-downs, limits, print set-up."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

from xl_theodoi.domain.cells import column_letter
from xl_theodoi.domain.own_row import row_formula
from xl_theodoi.workbook.building import look
from xl_theodoi.workbook.building.rows import CELL_LIMIT, joined, utf16_length

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from xl_theodoi.domain.cells import Value
    from xl_theodoi.domain.profile import FieldSpec

FIRST_DATE: Final = datetime(2000, 1, 1)  # noqa: DTZ001 - a cell's date has no time zone
LAST_DATE: Final = datetime(2099, 12, 31)  # noqa: DTZ001
INLINE_LIST_LIMIT: Final = 255
"""Characters of a drop-down list that is written into the validation itself."""
FILTER_BUTTON_WIDTH: Final = 2.5
"""Characters of a heading that its filter button covers."""

UNIT_LIST: Final = "DanhSachDonVi"
OFFICER_LIST: Final = "DanhSachChuyenVien"


@dataclass(frozen=True, slots=True)
class ListLayout:
    """What a list sheet shows.

    Attributes:
        table: Name of the Excel Table.
        fields: Field name to its specification, in column order.
        shown: Fields whose columns are visible.
        computed: Fields that the program computes.
        units: Fields with the drop-down of units.
        officers: Fields with the drop-down of officers.
        heading_row: 0-based row of the headings.
        frozen_columns: Number of columns that stay on screen.
        formulas: Formulas of fields whose values are their stored results, with references to
            the own row in full (`domain.own_row`).
    """

    table: str
    fields: Mapping[str, FieldSpec]
    shown: frozenset[str]
    computed: frozenset[str] = frozenset()
    units: frozenset[str] = frozenset()
    officers: frozenset[str] = frozenset()
    heading_row: int = 2
    frozen_columns: int = 0
    formulas: Mapping[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class ListSheet:
    """A list that has been written, with the addresses of its parts.

    Attributes:
        sheet: XlsxWriter worksheet.
        layout: What was asked for.
        first_row: 0-based row of the first body row.
        last_row: 0-based row of the last body row.
        columns: 0-based column of each field.
    """

    sheet: Any
    layout: ListLayout
    first_row: int
    last_row: int
    columns: dict[str, int] = field(default_factory=dict)

    def letter(self, name: str) -> str:
        """Return the column letters of a field."""
        return column_letter(self.columns[name] + 1)


class ListWriter:
    """Writes lists into one workbook.

    Attributes:
        look: The workbook's formats.
        unit_sheet: Sheet that lists the units, named in messages.
        officer_sheet: Sheet that lists the officers, named in messages.
        long_lists: Where to put a drop-down that does not fit into a validation; returns the
            reference to it.
    """

    def __init__(
        self,
        style: look.Look,
        *,
        unit_sheet: str,
        officer_sheet: str,
        long_lists: Callable[[Sequence[str]], str],
    ) -> None:
        self.look = style
        self.unit_sheet = unit_sheet
        self.officer_sheet = officer_sheet
        self.long_lists = long_lists

    def write(
        self, sheet: Any, layout: ListLayout, rows: Sequence[Mapping[str, Value]]
    ) -> ListSheet:
        """Write the table, its rows and its validations; a list without rows gets one blank row.

        Args:
            sheet: XlsxWriter worksheet.
            layout: Columns and their order.
            rows: Values by field name.
        """
        head = layout.heading_row
        body = rows or ({},)
        written = ListSheet(
            sheet,
            layout,
            first_row=head + 1,
            last_row=head + len(body),
            columns={name: column for column, name in enumerate(layout.fields)},
        )
        formats = self._columns(written)
        self._rows(written, body, formats)
        for name in layout.fields:
            self._validate(written, name)
        last = len(layout.fields) - 1
        area = f"A{head + 1}:{column_letter(last + 1)}{written.last_row + 1}"
        # Phone numbers and "05" are text on purpose: no warning triangles in the cells.
        sheet.ignore_errors({"number_stored_as_text": area, "two_digit_text_year": area})
        if layout.frozen_columns:
            sheet.freeze_panes(head + 1, layout.frozen_columns)
        else:
            sheet.freeze_panes(head + 1, 0)
        return written

    def _columns(self, written: ListSheet) -> list[Any]:
        """Set widths, write the headings as a table and return the format of each column."""
        layout, sheet = written.layout, written.sheet
        formats, headings = [], []
        for column, (name, spec) in enumerate(layout.fields.items()):
            shown = name in layout.shown
            computed = name in layout.computed
            cell = self.look.cell(
                spec.kind, computed=computed, formula=name in layout.formulas, wrap=shown
            )
            sheet.set_column(column, column, spec.width, None, {"hidden": not shown})
            formats.append(cell)
            headings.append(
                {
                    "header": spec.label,
                    "header_format": self.look.header(computed=computed),
                    "format": cell,
                }
            )
        sheet.add_list(
            layout.heading_row,
            headings,
            written.last_row - layout.heading_row,
            {layout.fields[name].label: formula for name, formula in layout.formulas.items()},
            name=layout.table,
            style=None,
        )
        shown_heads = [
            (spec.label, spec.width - FILTER_BUTTON_WIDTH)
            for name, spec in layout.fields.items()
            if name in layout.shown
        ]
        sheet.set_row(layout.heading_row, look.row_height(shown_heads, bold=True))
        return formats

    def _rows(
        self, written: ListSheet, rows: Sequence[Mapping[str, Value]], formats: Sequence[Any]
    ) -> None:
        """Write the body and give rows whose text wraps the height that shows it."""
        layout, sheet = written.layout, written.sheet
        moment = self.look.style(
            num_format=look.MOMENT_FORMAT, border=1, border_color=look.LINE, align="center"
        )
        # No letter of the font is wider than an em: shorter texts surely fit on one line.
        sure = [
            (place, int(look.column_pixels(spec.width) * 0.75 / look.SIZE), spec.width)
            for place, (name, spec) in enumerate(layout.fields.items())
            if name in layout.shown and spec.kind != "date"
        ]
        words = look.texts()["words"]
        letters = {spec.label: written.letter(name) for name, spec in layout.fields.items()}
        body = sheet.list_rows_at(
            written.first_row,
            formats,
            moment,
            (words["yes"], words["no"]),
            {
                written.columns[name]: row_formula(formula, layout.table, letters)
                for name, formula in layout.formulas.items()
            },
        )
        names = list(layout.fields)
        for row in rows:
            get = row.get
            values = [get(name) for name in names]
            lines = 1
            for place, length, width in sure:
                value = values[place]
                if isinstance(value, tuple):
                    value = values[place] = joined(value)
                if isinstance(value, str) and (len(value) > length or "\n" in value):
                    lines = max(lines, _lines(value, width))
            body.add(values)
            if lines > 1:
                body.fit_last(look.height_of_lines(lines))
        sheet.put_rows(body)

    def _validate(self, written: ListSheet, name: str) -> None:
        """Give a column its drop-down or limits; they follow the table when it grows."""
        layout = written.layout
        spec = layout.fields[name]
        words = look.texts()["validation"]
        rule: dict[str, Any]
        if name in layout.computed:
            rule = {
                "validate": "any",
                "input_title": words["computed_title"],
                "input_message": words["computed"],
            }
        elif name in layout.units:
            rule = {
                "validate": "list",
                "source": f"={UNIT_LIST}",
                "error_title": words["unit_title"],
                "error_message": words["unit"].format(sheet=self.unit_sheet),
            }
        elif name in layout.officers:
            rule = {
                "validate": "list",
                "source": f"={OFFICER_LIST}",
                "error_title": words["officer_title"],
                "error_message": words["officer"].format(sheet=self.officer_sheet),
                "error_type": "warning",
            }
        elif spec.choices:
            rule = self.choice_rule(spec.choices)
        elif spec.kind == "date":
            rule = {
                "validate": "date",
                "criteria": "between",
                "minimum": FIRST_DATE,
                "maximum": LAST_DATE,
                "error_title": words["date_title"],
                "error_message": words["date"],
            }
        elif spec.max_length is not None:
            rule = {
                "validate": "length",
                "criteria": "<=",
                "value": spec.max_length,
                "error_title": words["length_title"],
                "error_message": words["length"].format(limit=spec.max_length),
            }
        else:
            return
        column = written.columns[name]
        written.sheet.data_validation(written.first_row, column, written.last_row, column, rule)

    def choice_rule(self, choices: Sequence[str]) -> dict[str, Any]:
        """Return the validation of a drop-down with fixed values."""
        words = look.texts()["validation"]
        fits = len(",".join(choices)) <= INLINE_LIST_LIMIT and not any("," in c for c in choices)
        return {
            "validate": "list",
            "source": list(choices) if fits else self.long_lists(choices),
            "error_title": words["choice_title"],
            "error_message": words["choice"],
        }


@lru_cache(maxsize=16_384)
def _lines(text: str, width: float) -> int:
    return look.text_lines(text, width)


def write_value(
    sheet: Any, row: int, column: int, value: Any, cell: Any, *, moment: Any = None
) -> None:
    """Write a value by what it is; text is never taken for a formula or a number.

    Args:
        sheet: XlsxWriter worksheet.
        row: 0-based row.
        column: 0-based column.
        value: Text, number, truth value, date, moment, several texts, or blank.
        cell: Format of the cell.
        moment: Format of a moment; dates take `cell`.

    Raises:
        ValueError: For text longer than a cell can hold; callers report `too_long` before.
    """
    if value is None or value == "":
        sheet.write_blank(row, column, None, cell)
    elif isinstance(value, str):
        if len(value) > CELL_LIMIT // 2 and utf16_length(value) > CELL_LIMIT:
            message = f"text of {len(value)} characters does not fit into a cell"
            raise ValueError(message)
        sheet.write_string(row, column, value, cell)
    elif isinstance(value, bool):
        words = look.texts()["words"]
        sheet.write_string(row, column, words["yes" if value else "no"], cell)
    elif isinstance(value, (int, float)):
        sheet.write_number(row, column, value, cell)
    elif isinstance(value, datetime):
        sheet.write_datetime(row, column, value.replace(tzinfo=None), moment or cell)
    elif isinstance(value, date):
        sheet.write_datetime(row, column, value, cell)
    else:
        write_value(sheet, row, column, joined(value), cell)


def column_reference(table: str, label: str) -> str:
    """Return the structured reference to a table's column, special characters escaped."""
    for mark in ("'", "[", "]", "#"):
        label = label.replace(mark, f"'{mark}")
    return f"{table}[{label}]"


def quoted(text: str) -> str:
    """Return a text as a formula's literal."""
    return '"' + text.replace('"', '""') + '"'

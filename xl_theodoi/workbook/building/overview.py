"""The overview sheet: three tables and their charts, for leaders, ready to print.

Top down: figures, the two small tables with a chart beside them, the charts of units and of
ageing, and last the table of units, which grows downward with nothing below it.
"""

from __future__ import annotations

from math import ceil
from typing import TYPE_CHECKING, Any, Final

from xl_theodoi.domain.cells import column_letter
from xl_theodoi.domain.names import AS_OF_CELL, FIGURES_CELL
from xl_theodoi.resources import report_texts
from xl_theodoi.workbook.building import look
from xl_theodoi.workbook.building.list import column_reference, quoted, write_value

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date

    from xl_theodoi.domain.cells import Value
    from xl_theodoi.domain.profile import Profile

STATUS_TABLE: Final = "TongQuanTinhHinh"
UNIT_TABLE: Final = "TongQuanDonVi"
AGE_TABLE: Final = "TongQuanTuoi"

ROW_PIXELS: Final = 20
LABEL_WIDTH: Final = 30.0
COUNT_WIDTH: Final = 11.0
AGE_WIDTH: Final = 18.0
LEAST_COLUMNS: Final = 10
"""Columns of the page, of which the table of units may take more."""
HEAD_EXTRA_PIXELS: Final = 40
"""What the higher rows of title and headings add."""
SMALL_TABLE_ROWS: Final = 12
"""Rows kept for the two small tables; charts beside them are as high."""
AGE_COLUMN: Final = 3
CHART_COLUMN: Final = 6
FIGURES_ROW: Final = 4
SMALL_HEADING_ROW: Final = 9
MARGINS: Final = (15.0, 10.0, 15.0, 15.0)
"""Left, right, top, bottom in millimetres; the page stands upright."""
UNIT_BAR_PIXELS: Final = 28
CHART_FRAME_PIXELS: Final = 110
CHART_GAP_PIXELS: Final = 12
"""Free room right of a chart; at the edge of the page its frame would be cut."""
LEAST_CHART_PIXELS: Final = 280
MOST_CHART_PIXELS: Final = 1400
"""Room for the names of about fifty units; more units share the room."""


def overview_labels(profile: Profile) -> dict[str, tuple[str, ...]]:
    """Return the column labels of the three overview tables, in order.

    Rows of the status and the ageing table carry no total: charts show the columns as they
    are.
    """
    words = report_texts()["overview"]
    return {
        STATUS_TABLE: (words["status"], words["tasks"]),
        UNIT_TABLE: (
            words["unit"],
            *profile.count_labels,
            words["total"],
            words["overdue"],
            words["on_time_rate"],
        ),
        AGE_TABLE: (words["age"], words["tasks"]),
    }


def write_overview(
    style: look.Look,
    sheet: Any,
    profile: Profile,
    rows: Mapping[str, Sequence[Mapping[str, Value]]],
    as_of: date,
) -> None:
    """Fill the overview sheet.

    Args:
        style: Formats of the workbook.
        sheet: XlsxWriter worksheet.
        profile: The regulation, for labels and letterhead.
        rows: Rows of the three tables by printed label (see `overview_labels`).
        as_of: Day of the figures.

    Raises:
        ValueError: For a row with a label that its table does not have.
    """
    page = _Overview(style, sheet, profile, rows)
    page.head(as_of)
    page.small_tables()
    page.units()


class _Overview:
    def __init__(
        self,
        style: look.Look,
        sheet: Any,
        profile: Profile,
        rows: Mapping[str, Sequence[Mapping[str, Value]]],
    ) -> None:
        self.look, self.sheet, self.profile, self.rows = style, sheet, profile, rows
        self.labels = overview_labels(profile)
        self.words = look.texts()["overview"]
        self.width = max(LEAST_COLUMNS, len(self.labels[UNIT_TABLE]))
        self.name = look.texts()["sheets"]["overview"]
        units = len(rows.get(UNIT_TABLE, ()))
        self.unit_chart_pixels = min(
            MOST_CHART_PIXELS,
            max(LEAST_CHART_PIXELS, units * UNIT_BAR_PIXELS + CHART_FRAME_PIXELS),
        )
        self.chart_row = SMALL_HEADING_ROW + SMALL_TABLE_ROWS + 2
        self.unit_row = self.chart_row + ceil(self.unit_chart_pixels / ROW_PIXELS) + 2

    def head(self, as_of: date) -> None:
        """Write letterhead, title, the two dates and the leading figures."""
        sheet, words, dates = self.sheet, self.words, look.texts()["as_of"]
        sheet.hide_gridlines(2)
        for column in range(self.width):
            sheet.set_column(column, column, _width(column))
        head = self.profile.letterhead
        sheet.write_string(0, 0, head.superior, self.look.agency())
        sheet.write_string(1, 0, head.office, self.look.agency(issuing=True))
        centred = self.look.title(align="center_across")
        sheet.write_string(2, 0, words["title"], centred)
        for column in range(1, self.width):
            sheet.write_blank(2, column, None, centred)
        sheet.set_row(2, 24)

        row = FIGURES_ROW
        label = self.look.style(font_size=look.TEXT_SIZE)
        day = self.look.style(
            font_size=look.TEXT_SIZE, bold=True, align="right", num_format=look.DATE_FORMAT
        )
        figure = self.look.style(
            font_size=look.TEXT_SIZE, bold=True, align="right", num_format=look.NUMBER_FORMAT
        )
        editable = self.look.style(
            font_size=look.TEXT_SIZE,
            align="center",
            num_format=look.DATE_FORMAT,
            border=1,
            border_color=look.LINE,
            bg_color=look.TONES["input"].fill,
        )
        sheet.write_string(row, 0, dates["counted"], label)
        sheet.write_datetime(row, 1, as_of, day)
        columns = report_texts()["overview"]
        for offset, (text, column) in enumerate(
            ((words["total"], columns["total"]), (words["overdue"], columns["overdue"])), start=1
        ):
            sheet.write_string(row + offset, 0, text, label)
            formula = f"=SUM({column_reference(UNIT_TABLE, column)})"
            sheet.write_formula(row + offset, 1, formula, figure, self._sum(column))
        sheet.write_string(row, self.width - 2, dates["live"], self.look.style(align="right"))
        serial = (as_of - as_of.replace(year=1900, month=1, day=1)).days + 2
        sheet.write_formula(row, self.width - 1, "=TODAY()", editable, serial)
        sheet.write_url(
            row + 1,
            self.width - 2,
            f"internal:'{self.name}'!A{self.unit_row + 1}",
            self.look.style(font_color="#1F4E79", underline=1),
            self.words["to_units"],
        )
        book = self.look.book
        book.define_name(FIGURES_CELL, f"='{self.name}'!$B${row + 1}")
        book.define_name(AS_OF_CELL, f"='{self.name}'!${column_letter(self.width)}${row + 1}")
        text = f'TEXT({{}},"{look.DATE_FORMAT}")'
        warning = "&".join(
            (
                quoted(dates["differs_before"]),
                text.format(FIGURES_CELL),
                quoted(dates["differs_middle"]),
                text.format(AS_OF_CELL),
                quoted(dates["differs_after"]),
            )
        )
        sheet.write_formula(
            row + 3,
            0,
            f'=IF({FIGURES_CELL}={AS_OF_CELL},"",{warning})',
            self.look.style(italic=True, font_color=look.TONES["overdue"].ink),
            "",
        )

    def small_tables(self) -> None:
        """Write the status and the ageing table and the doughnut beside them."""
        words = self.words
        self._heading(SMALL_HEADING_ROW - 1, 0, words["status_heading"])
        self._heading(SMALL_HEADING_ROW - 1, AGE_COLUMN, words["age_heading"])
        status = self._table(STATUS_TABLE, SMALL_HEADING_ROW, 0, filters=False)
        age = self._table(AGE_TABLE, SMALL_HEADING_ROW, AGE_COLUMN, filters=False)

        doughnut = self.look.book.add_chart({"type": "doughnut"})
        doughnut.add_series(
            {
                "name": words["status_chart"],
                "categories": self._range(status, 0),
                "values": self._range(status, 1),
                "points": [
                    {"fill": {"color": colour}, "border": {"color": "#FFFFFF"}}
                    for colour in (*self._status_colours(), *look.CHART_COLOURS["set_aside"])
                ],
                "data_labels": {"value": True, "font": _font(9, bold=True)},
            }
        )
        doughnut.set_hole_size(45)
        doughnut.set_legend({"position": "right", "font": _font(10)})
        self._place(
            doughnut,
            words["status_chart"],
            (SMALL_HEADING_ROW - 1, CHART_COLUMN),
            (
                self._pixels(CHART_COLUMN, self.width) - CHART_GAP_PIXELS,
                (SMALL_TABLE_ROWS + 1) * ROW_PIXELS,
            ),
        )

        ageing = self.look.book.add_chart({"type": "column"})
        ageing.add_series(
            {
                "name": words["age_chart"],
                "categories": self._range(age, AGE_COLUMN),
                "values": self._range(age, AGE_COLUMN + 1),
                "fill": {"color": look.CHART_COLOURS["overdue"][0]},
                "gap": 60,
                "data_labels": {"value": True, "font": _font(10, bold=True)},
            }
        )
        ageing.set_legend({"none": True})
        ageing.set_x_axis({"num_font": _font(9)})
        ageing.set_y_axis({"num_font": _font(9), "major_gridlines": _grid(), **_whole_numbers()})
        self._place(
            ageing,
            words["age_chart"],
            (self.chart_row, CHART_COLUMN),
            (
                self._pixels(CHART_COLUMN, self.width) - CHART_GAP_PIXELS,
                min(self.unit_chart_pixels, LEAST_CHART_PIXELS),
            ),
        )

    def units(self) -> None:
        """Write the table of units, its chart above it, and the page set-up."""
        words, sheet = self.words, self.sheet
        self._heading(self.unit_row - 1, 0, words["unit_heading"])
        units = self._table(UNIT_TABLE, self.unit_row, 0, filters=True)
        chart = self.look.book.add_chart({"type": "bar", "subtype": "stacked"})
        for column, colour in enumerate(self._status_colours(), start=1):
            chart.add_series(
                {
                    "name": [self.name, self.unit_row, column],
                    "categories": self._range(units, 0),
                    "values": self._range(units, column),
                    "fill": {"color": colour},
                    "border": {"color": "#FFFFFF", "width": 0.5},
                    "gap": 45,
                }
            )
        chart.set_y_axis(
            {
                "num_font": _font(8),
                "major_gridlines": {"visible": False},
                "reverse": True,  # the first unit on top, as in the table
                "interval_unit": 1 if self.unit_chart_pixels < MOST_CHART_PIXELS else None,
            }
        )
        chart.set_x_axis(
            {
                "num_font": _font(9),
                "major_gridlines": _grid(),
                "label_position": "high",  # at the foot, because the other axis is reversed
                **_whole_numbers(),
            }
        )
        chart.set_legend({"position": "bottom", "font": _font(10)})
        self._place(
            chart,
            words["unit_chart"],
            (self.chart_row, 0),
            (self._pixels(0, CHART_COLUMN) - CHART_GAP_PIXELS, self.unit_chart_pixels),
        )
        widths = [_width(column) for column in range(self.width)]
        look.set_up_page(
            sheet,
            widths=widths,
            heading_row=self.unit_row,
            portrait=True,
            margins=MARGINS,
            note=self.profile.letterhead.office,
        )
        left, right, top, bottom = MARGINS
        scale = min(1.0, (210 - left - right) / (self._pixels(0, self.width) * look.PIXEL_MM))
        page = (297 - top - bottom) / look.PIXEL_MM / scale
        above = self.chart_row * ROW_PIXELS + HEAD_EXTRA_PIXELS
        table = (len(self.rows.get(UNIT_TABLE, ())) + 5) * ROW_PIXELS
        breaks = []
        if above + self.unit_chart_pixels > page:
            breaks.append(self.chart_row)
            above = 0
        if above + self.unit_chart_pixels + table > page:
            breaks.append(self.unit_row - 1)
        sheet.set_h_pagebreaks(breaks)

    def _table(self, table: str, row: int, column: int, *, filters: bool) -> tuple[int, int]:
        """Write one table and return its first and last body row."""
        labels = self.labels[table]
        body = self.rows.get(table) or ({},)
        unknown = {label for values in body for label in values} - set(labels)
        if unknown:
            message = f"{table}: unknown column {min(unknown)}"
            raise ValueError(message)
        rate = report_texts()["overview"]["on_time_rate"]
        text = self.look.style(border=1, border_color=look.LINE, text_wrap=True)
        number = self.look.style(
            border=1, border_color=look.LINE, align="center", num_format=look.NUMBER_FORMAT
        )
        percent = self.look.style(
            border=1, border_color=look.LINE, align="center", num_format=look.PERCENT_FORMAT
        )
        formats = [
            text if place == 0 else percent if label == rate else number
            for place, label in enumerate(labels)
        ]
        last = row + len(body)
        self.sheet.add_table(
            row,
            column,
            last,
            column + len(labels) - 1,
            {
                "name": table,
                "style": None,
                "autofilter": filters,
                "columns": [
                    {"header": label, "header_format": self.look.header(), "format": cell}
                    for label, cell in zip(labels, formats, strict=True)
                ],
            },
        )
        cut = 2.5 if filters else 0.0
        heads = [(label, _width(column + place) - cut) for place, label in enumerate(labels)]
        self.sheet.set_row(row, look.row_height(heads, bold=True))
        for place, values in enumerate(body, start=row + 1):
            for offset, label in enumerate(labels):
                write_value(self.sheet, place, column + offset, values.get(label), formats[offset])
            name = values.get(labels[0])
            lines = look.text_lines(str(name or ""), _width(column))
            if lines > 1:
                self.sheet.fit_row(place, look.height_of_lines(lines))
        if table == UNIT_TABLE:
            late = report_texts()["overview"]["overdue"]
            at = column + labels.index(late)
            self.sheet.conditional_format(
                row + 1,
                at,
                last,
                at,
                {
                    "type": "cell",
                    "criteria": ">",
                    "value": 0,
                    "format": self.look.tone("overdue"),
                },
            )
        return row + 1, last

    def _heading(self, row: int, column: int, text: str) -> None:
        self.sheet.write_string(
            row, column, text, self.look.style(bold=True, font_size=look.TEXT_SIZE)
        )

    def _place(self, chart: Any, title: str, cell: tuple[int, int], size: tuple[int, int]) -> None:
        chart.set_title({"name": title, "name_font": _font(12, bold=True), "overlay": False})
        chart.set_chartarea({"border": {"color": look.LINE}})
        chart.set_size({"width": size[0], "height": size[1]})
        # Moves with its cells and keeps its size: a filtered or higher row does not bend it.
        self.sheet.insert_chart(*cell, chart, {"object_position": 2, "description": title})

    def _range(self, rows: tuple[int, int], column: int) -> str:
        """Return the reference to a table column's body, as a range even for a single row.

        Editors widen ranges when a table grows; a single cell is no range to them.
        """
        letter = column_letter(column + 1)
        return f"='{self.name}'!${letter}${rows[0] + 1}:${letter}${rows[1] + 1}"

    def _pixels(self, start: int, end: int) -> int:
        """Return the width in pixels of columns from `start` up to, not including, `end`."""
        return sum(look.column_pixels(_width(column)) for column in range(start, end))

    def _sum(self, label: str) -> int:
        values = (row.get(label) for row in self.rows.get(UNIT_TABLE, ()))
        return int(sum(value for value in values if isinstance(value, (int, float))))

    def _status_colours(self) -> list[str]:
        """Return a chart colour for each status label, by what the label always means."""
        used: dict[str, int] = {}
        colours = []
        for label in self.profile.count_labels:
            rules = [rule for rule in self.profile.statuses if rule.label == label]
            tones = {rule.tone for rule in rules}
            # A label whose rules differ in colour means no more than how far the work is.
            tone = tones.pop() if len(tones) == 1 else "open"
            meaning = str(rules[0].progress if tone == "open" else tone)
            shades = look.CHART_COLOURS[meaning]
            colours.append(shades[used.get(meaning, 0) % len(shades)])
            used[meaning] = used.get(meaning, 0) + 1
        return colours


def _width(column: int) -> float:
    if column == 0:
        return LABEL_WIDTH
    return AGE_WIDTH if column == AGE_COLUMN else COUNT_WIDTH


def _font(size: float, *, bold: bool = False) -> dict[str, Any]:
    return {"name": look.FONT, "size": size, "bold": bold, "color": "#000000"}


def _grid() -> dict[str, Any]:
    return {"visible": True, "line": {"color": "#D9D9D9", "width": 0.75}}


def _whole_numbers() -> dict[str, Any]:
    return {"num_format": "0", "min": 0, "line": {"none": True}}

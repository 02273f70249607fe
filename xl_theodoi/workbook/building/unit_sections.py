"""The table of the form with one section per status (Huế, Phụ lục IV), line by line.

A task moves to another section when the unit chooses another state, and no program fits row
heights when formulas change. So the table is a stream of printed lines of equal height: a task
takes as many of them as its texts need now, as long as all tasks together find room; where
they do not, every task keeps its share. Hidden columns
hold every line once, in the order of the tasks, with the row of the table where it belongs now;
the visible row looks its line up. Cells shrink their text, should a line be too wide.
"""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any, Final

from xl_theodoi.domain.cells import column_letter
from xl_theodoi.domain.model import Progress
from xl_theodoi.domain.profile import EDITABLE_FIELDS
from xl_theodoi.workbook.building import look
from xl_theodoi.workbook.building.unit_content import unit_texts, vietnamese_date
from xl_theodoi.workbook.building.unit_plan import (
    CENTRED,
    STATUS_COLUMNS,
    FormPlan,
    line_ends,
    printed_lines,
)

if TYPE_CHECKING:
    from collections.abc import Callable


CONTINUED, FIRST_LINE, SECTION, SECTION_CONTINUED = 0, 1, 2, 3
"""What a line is; decides its borders and its fill."""

SPARE_LINES: Final = 6
"""Lines of the table beyond the shares of the tasks."""


class SectionWriter:
    """Writes the table from a row of the form on."""

    def __init__(self, sheet: Any, style: look.Look, form: FormPlan) -> None:
        self.sheet, self.style, self.form = sheet, style, form
        self.labels = form.labels.labels
        self.heads = [self._section_lines(at) for at in range(len(self.labels))]
        # Hidden columns: line looked up, what it is; then, per stored line, where it belongs,
        # what it is, its text per column, and what the unit's texts need to be broken.
        start = form.c_free
        self.c_found, self.c_shown_kind, self.c_target, self.c_kind = range(start, start + 4)
        self.c_store = start + 4
        self.c_work = self.c_store + len(form.columns)
        self.at = 0
        # Lines that every task takes now, and that the table has for all of them.
        needs = [self._need(at) for at in range(len(form.figures))]
        self.shared = sum(form.shares) + SPARE_LINES
        fits = sum(needs) <= self.shared
        self.lines = [
            need if fits else min(need, share)
            for need, share in zip(needs, form.shares, strict=True)
        ]
        self.needs = needs
        self.ends: list[str] = []

    def _need(self, at: int) -> int:
        """Return the lines that a task's texts take as sent."""
        form = self.form
        needed = form.fixed[at]
        for column in form.columns:
            if form.is_written(column):
                text = str(form.value(column.name, at))
                needed = max(needed, len(line_ends(text, form.letters(column.width))))
        return min(needed, form.lines[at])

    def _section_lines(self, at: int) -> list[dict[str, str]]:
        """Return what a section's heading prints: lines of text by column."""
        form = self.form
        names = [column.name for column in form.columns]
        first = next((name for name in names if name != "stt"), names[0])
        texts = {first: [self.labels[at]]}
        hinted = form.labels.progress_of(self.labels[at]) == {Progress.NOT_STARTED}
        if hinted and "progress_text" in names and first != "progress_text":
            letters = form.letters(form.columns[names.index("progress_text")].width) - 3
            hint = unit_texts()["form"]["section_hint"]
            texts["progress_text"] = printed_lines(hint, letters, 5)
        count = max(len(lines) for lines in texts.values())
        return [
            {name: lines[nth] for name, lines in texts.items() if nth < len(lines)}
            for nth in range(count)
        ]

    def _cell(self, column: int, row: int | str) -> str:
        """Return a cell's address; a row is a 0-based number, or the text of its number."""
        number = row if isinstance(row, str) else row + 1
        return f"${column_letter(column + 1)}${number}"

    def _task_span(self, column: int, last: int | None = None) -> str:
        count = len(self.form.figures) if last is None else last
        return f"{self._cell(column, 0)}:{self._cell(column, count - 1)}"

    def write(self, row: int, page_ends: Callable[[int, float, int], list[int]]) -> int:
        """Write the stored lines and the table; return the row below the table.

        Args:
            row: First row of the table's body.
            page_ends: Gives the rows that end a page, from the number of lines, their height
                and how many of them are not in use.
        """
        form, sheet = self.form, self.sheet
        last = self.c_work + 40
        sheet.set_column(form.c_free, last, 9, None, {"hidden": True})
        offsets = self._offsets()
        total = self.shared + sum(len(lines) for lines in self.heads)
        order: list[tuple[int, int, list[str]]] = []
        for at in range(len(self.labels)):
            order += self._store_section(at)
        for at in range(len(form.figures)):
            order += self._store_task(at, offsets[at])
        by_row = {target: nth for nth, (target, _, _) in enumerate(order) if target}
        height = form.size * look.LINE_SPACING + 1
        self._table(row, total, order, by_row, height)
        ends = page_ends(total, height, self.shared - sum(self.lines))
        self._borders(row, row + total - 1, len(form.columns) - 1, ends)
        return row + total

    def _offsets(self) -> list[int]:
        """Write and return the number of table rows above each task's first line."""
        form, plain = self.form, self.style.style()
        sizes = [len(lines) for lines in self.heads]
        above = [sum(sizes[: nth + 1]) for nth in range(len(sizes))]
        choose = ",".join(str(number) for number in above)
        labels, lines = self._task_span(form.c_label), self._task_span(form.c_lines)
        needs = self._task_span(form.c_need)
        found = []
        seen: dict[int, int] = {}
        for at, figure in enumerate(form.figures):
            label = self._cell(form.c_label, at)
            same, number = "", ""
            if at:
                earlier = self._task_span(form.c_label, at)
                same = f"+SUMIF({earlier},{label},{self._task_span(form.c_lines, at)})"
                number = f"+COUNTIF({earlier},{label})"
            before = sum(
                size
                for other, size in zip(form.figures, self.lines, strict=True)
                if other.label < figure.label
            )
            offset = above[figure.label - 1] + before + seen.get(figure.label, 0)
            seen[figure.label] = seen.get(figure.label, 0) + self.lines[at]
            found.append(offset)
            need = self._cell(form.c_need, at)
            self.sheet.write_formula(
                at, form.c_lines,
                f"=IF(SUM({needs})<={self.shared},{need},MIN({need},{form.shares[at]}))",
                plain, self.lines[at],
            )  # fmt: skip
            self.sheet.write_formula(
                at,
                form.c_rank,
                f'=IF({label}=0,-1,CHOOSE({label},{choose})+SUMIFS({lines},{labels},">0",'
                f'{labels},"<"&{label}){same})',
                plain,
                offset,
            )
            order = sum(
                other.label < figure.label or (other.label == figure.label and nth < at)
                for nth, other in enumerate(form.figures)
            )
            self.sheet.write_formula(
                at,
                form.c_number,
                f'=COUNTIFS({labels},">0",{labels},"<"&{label}){number}+1',
                plain,
                order + 1,
            )
        return found

    def _store_section(self, at: int) -> list[tuple[int, int, list[str]]]:
        form, plain = self.form, self.style.style()
        labels, lines = self._task_span(form.c_label), self._task_span(form.c_lines)
        above = sum(len(self.heads[nth]) for nth in range(at))
        above_now = above + sum(
            size
            for figure, size in zip(form.figures, self.lines, strict=True)
            if figure.label <= at
        )
        found = []
        for nth, texts in enumerate(self.heads[at]):
            kind = SECTION_CONTINUED if nth else SECTION
            shown = [texts.get(column.name, "") for column in form.columns]
            self.sheet.write_formula(
                self.at,
                self.c_target,
                f'={above + nth + 1}+SUMIFS({lines},{labels},">0",{labels},"<={at}")',
                plain,
                above_now + nth + 1,
            )
            self.sheet.write_number(self.at, self.c_kind, kind, plain)
            for column, text in enumerate(shown):
                if text:
                    self.sheet.write_string(self.at, self.c_store + column, text, plain)
            self.at += 1
            found.append((above_now + nth + 1, kind, shown))
        return found

    def _store_task(self, at: int, offset: int) -> list[tuple[int, int, list[str]]]:
        form, plain = self.form, self.style.style()
        first, count = self.at, form.lines[at]
        rank, taken = self._cell(form.c_rank, at), self._cell(form.c_lines, at)
        self.ends = []
        shown = [
            self._store_column(column, at, first, count) for column in range(len(form.columns))
        ]
        # A text needs one line more than ends of lines stand before its own end.
        counted = "".join(f",1+{end}" for end in self.ends) if count > 1 else ""
        self.sheet.write_formula(
            at, form.c_need, f"=MAX({form.fixed[at]}{counted})", plain, self.needs[at]
        )
        found = []
        for nth in range(count):
            kind = CONTINUED if nth else FIRST_LINE
            unused = f"{rank}<0" if nth < form.fixed[at] else f"OR({rank}<0,{taken}<={nth})"
            target = offset + nth + 1 if nth < self.lines[at] else 0
            self.sheet.write_formula(
                first + nth, self.c_target, f"=IF({unused},0,{rank}+{nth + 1})", plain, target
            )
            self.sheet.write_number(first + nth, self.c_kind, kind, plain)
            found.append((target, kind, [lines[nth] for lines in shown]))
        self.at += count
        return found

    def _store_column(self, column: int, at: int, first: int, count: int) -> list[str]:
        """Store the lines of one column of a task; return what they show as sent."""
        form, plain = self.form, self.style.style()
        spec = form.columns[column]
        place, code = self._cell(form.c_place, at), self._cell(form.c_code, at)
        number = self._cell(form.c_number, at)
        value = form.value(spec.name, at)
        if spec.name == "stt":
            value = self._order(at)
        is_typed = spec.name in EDITABLE_FIELDS or spec.name in (
            "stt",
            "timeliness",
            "status_label",
        )
        text = vietnamese_date(value) if isinstance(value, date) else str(value)
        letters = form.letters(spec.width)
        lines = [*printed_lines(text, letters, count), *[""] * count][:count]
        target = self.c_store + column
        if not is_typed:
            for nth, line in enumerate(lines):
                if line:
                    self.sheet.write_string(first + nth, target, line, plain)
            return lines
        formula = form.formula(
            spec.name, place, code, number, form.constant(spec.name, form.plan.cells[at])
        )
        if spec.kind == "date":
            formula = (
                f'IF(ISNUMBER({formula}),TEXT(DAY({formula}),"00")&"/"&TEXT(MONTH({formula}),"00")'
                f'&"/"&YEAR({formula}),{formula}&"")'
            )
        formula = f'IF({place}=0,"",{formula})'
        if spec.kind == "date" or spec.name in (*STATUS_COLUMNS, "stt", "timeliness"):
            self.sheet.write_formula(first, target, f'={formula}&""', plain, text)
            return [text, *[""] * (count - 1)]
        lines = [*printed_lines(text, letters, self.lines[at]), *[""] * count][:count]
        self._break_lines(column, at, first, formula, text)
        return lines

    def _break_lines(self, column: int, at: int, first: int, formula: str, text: str) -> None:
        """Break a text of the unit into lines by formulas, as `line_ends` does."""
        form, plain = self.form, self.style.style()
        count, taken = form.lines[at], self._cell(form.c_lines, at)
        least = min(count, form.shares[at])
        letters = form.letters(form.columns[column].width)
        typed = [spec.name for spec in form.columns if form.is_written(spec)]
        full = self.c_work + 2 * typed.index(form.columns[column].name)
        source = self._cell(full, first)
        self.sheet.write_formula(first, full, f"={formula}", plain, text)
        ends = line_ends(text, letters)
        shown = [*printed_lines(text, letters, self.lines[at]), *[""] * count][:count]
        before_last = f"{self._cell(full + 1, first)}:{self._cell(full + 1, first + count - 2)}"
        self.ends.append(f'COUNTIF({before_last},"<"&LEN({source}))')
        for nth in range(count):
            row = first + nth
            before = self._cell(full + 1, row - 1) if nth else "0"
            end = self._cell(full + 1, row)
            piece = f"MID({source},{before}+1,{letters + 1})"
            self.sheet.write_formula(
                row, full + 1,
                f"=IF(LEN({source})<={before}+{letters},LEN({source}),{before}+IFERROR(FIND("
                f'CHAR(1),SUBSTITUTE({piece}," ",CHAR(1),LEN({piece})-LEN(SUBSTITUTE({piece}'
                f'," ","")))),{letters}))',
                plain, ends[nth] if nth < len(ends) else len(text),
            )  # fmt: skip
            line = f"TRIM(MID({source},{before}+1,{end}-{before}))"
            if nth >= least - 1:
                last = "" if nth == count - 1 else f",{taken}={nth + 1}"
                cut = f"AND(LEN({source})>{end}{last})"
                line = f'IF({cut},LEFT({line},{letters - 1})&"…",{line})'
            self.sheet.write_formula(
                row, self.c_store + column, f"={line}", plain, " ".join(shown[nth].split())
            )

    def _order(self, at: int) -> int:
        figures = self.form.figures
        label = figures[at].label
        return 1 + sum(
            other.label < label or (other.label == label and nth < at)
            for nth, other in enumerate(figures)
        )

    def _table(
        self, row: int, total: int, order: list[tuple[int, int, list[str]]],
        by_row: dict[int, int], height: float,
    ) -> None:  # fmt: skip
        form, sheet, plain = self.form, self.sheet, self.style.style()
        stored_rows = len(order) - 1
        targets = f"{self._cell(self.c_target, 0)}:{self._cell(self.c_target, stored_rows)}"
        kinds = f"{self._cell(self.c_kind, 0)}:{self._cell(self.c_kind, stored_rows)}"
        shapes = [self._shape(column) for column in range(len(form.columns))]
        lines = [
            f"{self._cell(self.c_store + column, 0)}:"
            f"{self._cell(self.c_store + column, stored_rows)}"
            for column in range(len(form.columns))
        ]
        blank = [""] * len(form.columns)
        for nth in range(total):
            here = row + nth
            stored = by_row.get(nth + 1, -1)
            _, kind, texts = order[stored] if stored >= 0 else (0, -1, blank)
            found = self._cell(self.c_found, here)
            sheet.write_formula(
                here, self.c_found, f"=IFERROR(MATCH({nth + 1},{targets},0),0)", plain, stored + 1
            )
            sheet.write_formula(
                here, self.c_shown_kind, f"=IF({found}=0,-1,INDEX({kinds},{found}))", plain, kind
            )
            for column, text in enumerate(texts):
                sheet.write_formula(
                    here, column, f'=IF({found}=0,"",INDEX({lines[column]},{found})&"")',
                    shapes[column], text,
                )  # fmt: skip
            sheet.set_row(here, height)

    def _shape(self, column: int) -> Any:
        """Return the format of a line's cell; all borders are conditional."""
        centred = self.form.columns[column].kind in CENTRED
        return self.style.style(
            font_size=self.form.size,
            shrink=True,
            valign="vcenter",
            align="center" if centred else "left",
        )

    def _borders(self, first: int, last: int, last_column: int, page_ends: list[int]) -> None:
        """Let the lines of a task share one box, and a section stand across the table.

        The table is closed below its last line in use, and where a page ends.
        """
        letters = column_letter(self.c_shown_kind + 1)
        found = column_letter(self.c_found + 1)
        book = self.style.book
        section = {"bold": True, "bg_color": look.HEADER_FILL}
        task = {"left": 1, "right": 1}
        rules: tuple[tuple[int, dict[str, Any]], ...] = (
            (SECTION, {**section, "top": 1}),
            (SECTION_CONTINUED, section),
            (FIRST_LINE, {**task, "top": 1}),
            (CONTINUED, task),
        )
        # Conditional borders take the place of each other: those of a page's last row and of
        # the first and last columns are rules of their own.
        rows: list[tuple[int, int, dict[str, Any]]] = []
        start = first
        for end in [row for row in page_ends if row < last]:
            rows += [(start, end - 1, {}), (end, end, {"bottom": 1})]
            start = end + 1
        rows.append((start, last, {}))
        columns: tuple[tuple[int, int, dict[str, Any]], ...] = (
            (0, 0, {"left": 1}), (1, last_column - 1, {}), (last_column, last_column, {"right": 1}),
        )  # fmt: skip
        plain = {"font_name": "", "font_size": 0}
        for kind, properties in rules:
            for top, bottom, ends in rows:
                for left, right, edges in columns:
                    if left > right or top > bottom:
                        continue
                    wanted = {**properties, **ends, **edges, **plain}
                    self.sheet.conditional_format(
                        top, left, bottom, right,
                        {"type": "formula", "criteria": f"=${letters}{top + 1}={kind}",
                         "format": book.add_format(wanted)},
                    )  # fmt: skip
        self.sheet.conditional_format(
            first + 1, 0, last + 1, last_column,
            {"type": "formula", "criteria": f"=AND(N(${found}{first + 2})=0,${found}{first + 1}>0)",
             "format": book.add_format({"top": 1, **plain})},
        )  # fmt: skip

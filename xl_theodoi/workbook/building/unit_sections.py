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
from xl_theodoi.domain.profile import EDITABLE_FIELDS, LIVE_FIELDS
from xl_theodoi.workbook.building import look
from xl_theodoi.workbook.building.unit_content import unit_texts, vietnamese_date
from xl_theodoi.workbook.building.unit_plan import (
    CENTRED,
    FormColumn,
    FormPlan,
    line_ends,
    printed_lines,
)
from xl_theodoi.workbook.building.unit_rows import HERE, MARKS, RowPattern

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


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
        self.written = [spec.name for spec in form.columns if form.is_written(spec)]
        by_label = sorted(range(len(needs)), key=lambda at: form.figures[at].label)
        self.order = [0] * len(needs)
        for number, at in enumerate(by_label, start=1):
            self.order[at] = number
        self.need_patterns: dict[tuple[int, bool], RowPattern] = {}
        self.line_patterns: dict[tuple[bool, bool, bool, bool], RowPattern] = {}

    def _need(self, at: int) -> int:
        """Return the lines that a task's texts take as sent."""
        form = self.form
        needed = form.fixed[at]
        for column, values in zip(form.columns, form.values, strict=True):
            if form.is_written(column):
                text = str(values[at])
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

    def _task_span(self, column: int, last: str = "") -> str:
        """Return a helper column's cells, from the first task to one whose number is given."""
        return f"{self._cell(column, 0)}:{self._cell(column, last or str(len(self.needs)))}"

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
        for pattern in (*self.need_patterns.values(), *self.line_patterns.values()):
            sheet.write_rows(pattern)
        by_row = {target: nth for nth, (target, _, _) in enumerate(order) if target}
        height = form.size * look.LINE_SPACING + 1
        self._table(row, total, order, by_row, height)
        ends = page_ends(total, height, self.shared - sum(self.lines))
        self._borders(row, row + total - 1, len(form.columns) - 1, ends)
        return row + total

    def _offsets(self) -> list[int]:
        """Write and return the number of table rows above each task's first line."""
        form = self.form
        sizes = [len(lines) for lines in self.heads]
        above = [sum(sizes[: nth + 1]) for nth in range(len(sizes))]
        taken = [0] * (len(self.labels) + 1)  # lines of the tasks of each label
        for figure, size in zip(form.figures, self.lines, strict=True):
            taken[figure.label] += size
        offsets_of = [above[label - 1] + sum(taken[:label]) for label in range(1, len(taken))]
        first, others = self._offset_patterns(above)
        found = []
        for at, figure in enumerate(form.figures):
            offset = offsets_of[figure.label - 1]
            offsets_of[figure.label - 1] += self.lines[at]
            found.append(offset)
            rank, lines = others if at else first
            marks = [str(at), str(form.shares[at])]
            rank.add(at, [offset], marks)
            lines.add(at, [self.lines[at], self.order[at]], marks)
        for pattern in (*first, *others):
            self.sheet.write_rows(pattern)
        return found

    def _offset_patterns(self, above: Sequence[int]) -> list[tuple[RowPattern, RowPattern]]:
        """Return how the place of a task is worked out: of the first one, and of others.

        The first mark is the number of the task before, the second the task's share of lines.
        """
        form, plain = self.form, self.style.style()
        choose = ",".join(str(number) for number in above)
        labels, lines = self._task_span(form.c_label), self._task_span(form.c_lines)
        needs = self._task_span(form.c_need)
        label, need = self._cell(form.c_label, HERE), self._cell(form.c_need, HERE)
        found = []
        for is_first in (True, False):
            same, number = "", ""
            if not is_first:
                earlier = self._task_span(form.c_label, MARKS[0])
                same = f"+SUMIF({earlier},{label},{self._task_span(form.c_lines, MARKS[0])})"
                number = f"+COUNTIF({earlier},{label})"
            rank, rest = RowPattern(), RowPattern()
            rank.count(
                form.c_rank,
                f'IF({label}=0,-1,CHOOSE({label},{choose})+SUMIFS({lines},{labels},">0",'
                f'{labels},"<"&{label}){same})',
                plain,
            )
            rest.count(
                form.c_lines,
                f"IF(SUM({needs})<={self.shared},{need},MIN({need},{MARKS[1]}))",
                plain,
            )
            rest.count(
                form.c_number,
                f'COUNTIFS({labels},">0",{labels},"<"&{label}){number}+1',
                plain,
            )
            found.append((rank, rest))
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
        """Store the lines of a task; return where they belong, what they are and show."""
        form = self.form
        first, count, fixed = self.at, form.lines[at], form.fixed[at]
        least = min(count, form.shares[at])
        values = [self._line_values(column, at, count) for column in range(len(form.columns))]
        shown = [lines for lines, _, _ in values]
        key = (fixed, count > 1)
        if key not in self.need_patterns:
            self.need_patterns[key] = self._need_pattern(*key)
        self.need_patterns[key].add(at, [self.needs[at]], [str(first + 1), str(first + count - 1)])
        found = []
        for nth in range(count):
            kind = CONTINUED if nth else FIRST_LINE
            target = offset + nth + 1 if nth < self.lines[at] else 0
            place = (nth == 0, nth < fixed, nth >= least - 1, nth == count - 1)
            pattern = self.line_patterns.get(place)
            if pattern is None:
                pattern = self.line_patterns[place] = self._line_pattern(*place)
            stored: list[Any] = [target, kind]
            stored += [held[nth] for _, held, _ in values if nth < len(held)]
            for _, _, work in values:
                if work:
                    stored += work[nth]
            pattern.add(
                first + nth, stored,
                [str(at + 1), str(first + 1), str(first + nth), str(nth), str(nth + 1)],
            )  # fmt: skip
            found.append((target, kind, [lines[nth] for lines in shown]))
        self.at += count
        return found

    def _need_pattern(self, fixed: int, several: bool) -> RowPattern:
        """Return how the lines that a task needs are counted.

        The first mark is the task's first stored row, the second its last but one. A text
        needs one line more than ends of lines stand before its own end.
        """
        form = self.form
        counted = ""
        if several:
            for nth in range(len(self.written)):
                full = self.c_work + 2 * nth
                ends = f"{self._cell(full + 1, MARKS[0])}:{self._cell(full + 1, MARKS[1])}"
                counted += f',1+COUNTIF({ends},"<"&LEN({self._cell(full, MARKS[0])}))'
        found = RowPattern()
        found.count(form.c_need, f"MAX({fixed}{counted})", self.style.style())
        return found

    def _line_pattern(
        self, is_first: bool, is_fixed: bool, may_be_cut: bool, is_last: bool
    ) -> RowPattern:
        """Return a stored line of a task.

        The marks are the task's row, its first stored row, the row before this one, and the
        line's number from 0 and from 1.

        Args:
            is_first: Whether it is the task's first line.
            is_fixed: Whether the task takes it whatever the unit writes.
            may_be_cut: Whether a text may end here before its end.
            is_last: Whether it is the last one that the task can take.
        """
        form, plain = self.form, self.style.style()
        task, first, before_row, nth, number = MARKS[:5]
        rank, taken = self._cell(form.c_rank, task), self._cell(form.c_lines, task)
        place, code = self._cell(form.c_place, task), self._cell(form.c_code, task)
        unused = f"{rank}<0" if is_fixed else f"OR({rank}<0,{taken}<={nth})"
        found = RowPattern()
        found.count(self.c_target, f"IF({unused},0,{rank}+{number})", plain)
        found.number(self.c_kind, plain)
        work: list[tuple[int, str]] = []
        for column, spec in enumerate(form.columns):
            target = self.c_store + column
            if not self._is_typed(spec):
                found.text(target, plain, plain)
                continue
            formula = form.formula(spec.name, place, code, self._cell(form.c_number, task))
            if spec.kind == "date":
                formula = (
                    f'IF(ISNUMBER({formula}),TEXT(DAY({formula}),"00")&"/"'
                    f'&TEXT(MONTH({formula}),"00")&"/"&YEAR({formula}),{formula}&"")'
                )
            formula = f'IF({place}=0,"",{formula})'
            if spec.name not in self.written:
                if is_first:
                    found.formula(target, f'{formula}&""', plain)
                continue
            # A text of the unit is broken into lines by formulas, as `line_ends` does.
            letters = form.letters(spec.width)
            full = self.c_work + 2 * self.written.index(spec.name)
            source = self._cell(full, first)
            before = "0" if is_first else self._cell(full + 1, before_row)
            end = self._cell(full + 1, HERE)
            piece = f"MID({source},{before}+1,{letters + 1})"
            if is_first:
                work.append((full, formula))
            broken = (
                f"IF(LEN({source})<={before}+{letters},LEN({source}),{before}+IFERROR(FIND("
                f'CHAR(1),SUBSTITUTE({piece}," ",CHAR(1),LEN({piece})-LEN(SUBSTITUTE({piece}'
                f'," ","")))),{letters}))'
            )
            work.append((full + 1, broken))
            line = f"TRIM(MID({source},{before}+1,{end}-{before}))"
            if may_be_cut:
                last = "" if is_last else f",{taken}={number}"
                cut = f"AND(LEN({source})>{end}{last})"
                line = f'IF({cut},LEFT({line},{letters - 1})&"…",{line})'
            found.formula(target, line, plain)
        for column, formula in work:
            found.formula(column, formula, plain)
        return found

    def _is_typed(self, column: FormColumn) -> bool:
        """Whether a column shows what the unit types, or what follows from it."""
        return column.name in (*EDITABLE_FIELDS, *LIVE_FIELDS, "stt")

    def _line_values(
        self, column: int, at: int, count: int
    ) -> tuple[list[str], Sequence[str], list[tuple[Any, ...]]]:
        """Return what the lines of one column of a task show, store, and break.

        Returns:
            The text of each line; what is stored of it, for as many lines as have a cell; the
            values of the cells that break it, for each line, where there are any.
        """
        form = self.form
        spec = form.columns[column]
        value = self.order[at] if spec.name == "stt" else form.values[column][at]
        text = vietnamese_date(value) if isinstance(value, date) else str(value)
        letters = form.letters(spec.width)
        if not self._is_typed(spec):
            lines = [*printed_lines(text, letters, count), *[""] * count][:count]
            return lines, lines, []
        if spec.name not in self.written:
            return [text, *[""] * (count - 1)], [text], []
        ends = line_ends(text, letters)
        lines = [*printed_lines(text, letters, self.lines[at]), *[""] * count][:count]
        work: list[tuple[Any, ...]] = [
            (ends[nth] if nth < len(ends) else len(text),) for nth in range(count)
        ]
        work[0] = (text, *work[0])
        return lines, [" ".join(line.split()) for line in lines], work

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
        shown, found = RowPattern(), RowPattern()
        line = self._cell(self.c_found, HERE)
        for column, shape in enumerate(shapes):
            shown.formula(column, f'IF({line}=0,"",INDEX({lines[column]},{line})&"")', shape)
        found.count(self.c_found, f"IFERROR(MATCH({MARKS[0]},{targets},0),0)", plain)
        found.count(self.c_shown_kind, f"IF({line}=0,-1,INDEX({kinds},{line}))", plain)
        blank = [""] * len(form.columns)
        for nth in range(total):
            here = row + nth
            stored = by_row.get(nth + 1, -1)
            _, kind, texts = order[stored] if stored >= 0 else (0, -1, blank)
            shown.add(here, texts)
            found.add(here, [stored + 1, kind], [str(nth + 1)])
        sheet.set_heights(row, [height] * total)
        sheet.write_rows(shown)
        sheet.write_rows(found)

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

"""New rows of a table, made column by column.

A log grows by hundreds of thousands of rows at once. What stands in a cell after its address
is the same for equal values of a column: it is made once for each, and the rows are put
together from these endings without a step per cell. The rows are those that `TableEdit.fill`
makes one by one, where the sheet has something in a row already.
"""

from __future__ import annotations

from datetime import date
from itertools import chain, compress, repeat
from typing import TYPE_CHECKING, Final

from xl_theodoi.domain.cells import column_letter
from xl_theodoi.domain.errors import TheodoiError
from xl_theodoi.workbook.editing import rewrite
from xl_theodoi.workbook.editing.heights import grow
from xl_theodoi.workbook.editing.refs import Area
from xl_theodoi.workbook.editing.rows import Row, attributes_text, widened
from xl_theodoi.workbook.editing.values import is_usual_text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from xl_theodoi.domain.cells import Value
    from xl_theodoi.workbook.editing.book import TableColumn
    from xl_theodoi.workbook.editing.live import LiveColumn
    from xl_theodoi.workbook.editing.tables import TableEdit


class Absent:
    """Stands for a cell that a row does not name: calculated or blank."""


ABSENT: Final = Absent()

_TEXTS = frozenset({str, type(None), Absent})
_ALIKE = frozenset({*_TEXTS, date})
"""Types whose values are written alike where they are equal."""


class _NewColumn:
    """One column of new rows.

    Args:
        edit: The table.
        column: Its column.
        numbers: Sheet rows.
        values: A value for each row.
        model: A row like the new ones, without cells.

    Attributes:
        endings: Bytes of each cell after its address, empty where there is no cell.
        heights: Height that each row needs for its text, empty where one line does everywhere.
        lacks_cells: Whether some row has no cell here.
        references: Number of cells that refer to shared strings.
        filled: Rows whose cell holds something.
        calculated: Whether a cell holds a formula.
    """

    def __init__(
        self,
        edit: TableEdit,
        column: TableColumn,
        numbers: range,
        values: Sequence[Value | Absent],
        model: Row,
    ) -> None:
        self._edit = edit
        self._column = column
        self.index = column.index
        self.endings: list[bytes]
        self.heights: list[float] = []
        self.filled: Sequence[int] = numbers
        own = edit.new_style(column)
        self._style = own if own is not None else edit.sheet.style_at(model, column.index)
        self._blank = b"" if own is None else b' s="%d"/>' % own
        self._needs: dict[Value | Absent, float] = {}
        live = edit.live.get(column.index)
        if live is not None:
            self._make_live(live, values, numbers)
            return
        self.calculated = edit.is_calculated(column) and ABSENT in values
        self.endings = self._made(values, numbers)
        if any(self._needs.values()):
            self.heights = list(map(self._needs.get, values, repeat(0.0)))
        self.lacks_cells = not all(self.endings)
        self.references = _texts(values)
        blank = {None, ""} if self.calculated else {None, "", ABSENT}
        if not blank.isdisjoint(self._needs):
            self.filled = list(compress(numbers, (value not in blank for value in values)))

    def _make_live(
        self, live: LiveColumn, values: Sequence[Value | Absent], numbers: range
    ) -> None:
        """Make cells of a formula that is the same in every row, with their stored results."""
        sheet = self._edit.sheet
        element = live.elements(sheet, numbers)
        closing = b"</%sc>" % sheet.xml.prefix
        heights = self._edit.session.heights(sheet)

        def around(value: Value | Absent) -> tuple[bytes, bytes]:
            start, inner = b"" if self._style is None else b' s="%d"' % self._style, b""
            if not isinstance(value, Absent):
                start, inner = sheet.result_ending(numbers[0], self.index, value, self._style)
                self._needs[value] = heights.needed(self.index, self._style or 0, value)
            return start + b">", inner + closing

        types = set(map(type, values))
        if types <= _ALIKE or types - _ALIKE in ({int}, {bool}):
            known = {value: around(value) for value in dict.fromkeys(values)}
            parts = list(map(known.__getitem__, values))
        else:
            # 1, 1.0 and True are equal, and so are -0.0 and 0: each is made by itself.
            parts = [around(value) for value in values]
        if element.follower:
            made = {part: element.follower.join(part) for part in set(parts)}
            self.endings = list(map(made.__getitem__, parts))
            self.endings[0] = element(numbers[0]).join(parts[0])
        else:
            pairs = zip(numbers, parts, strict=True)
            self.endings = [element(number).join(part) for number, part in pairs]
        if any(self._needs.values()):
            self.heights = list(map(self._needs.get, values, repeat(0.0)))
        self.lacks_cells = False
        self.references = 0
        self.calculated = True

    def _made(self, values: Sequence[Value | Absent], numbers: range) -> list[bytes]:
        types = set(map(type, values))
        if types <= _ALIKE or types - _ALIKE in ({int}, {bool}):
            known = self._known(values, numbers[0])
            endings = list(map(known.__getitem__, values))
        else:
            # 1, 1.0 and True are equal, and so are -0.0 and 0: each is made by itself.
            endings = [self._ending(value, numbers[0]) for value in values]
        if self.calculated:
            for at, value in enumerate(values):
                if value is ABSENT:
                    endings[at] = self._formula(numbers[at])
        return endings

    def _known(self, values: Sequence[Value | Absent], number: int) -> dict[Value | Absent, bytes]:
        """Return the ending of each different value."""
        different = dict.fromkeys(values)
        texts = [value for value in different if is_usual_text(value)]
        sheet = self._edit.sheet
        known: dict[Value | Absent, bytes] = {}
        if texts:
            endings, style = sheet.text_endings(texts, self._style)
            known.update(zip(texts, endings, strict=True))
            heights = self._edit.session.heights(sheet)
            self._needs.update(heights.needed_by(self.index, style, texts))
        if len(known) < len(different):
            for value in different:
                if value not in known:
                    known[value] = self._ending(value, number)
        return known

    def _ending(self, value: Value | Absent, number: int) -> bytes:
        if value is None or isinstance(value, Absent) or value == "":
            self._needs[value] = 0.0
            return self._blank
        sheet = self._edit.sheet
        ending, style = sheet.ending(number, self.index, value, self._style)
        if isinstance(value, str):
            heights = self._edit.session.heights(sheet)
            self._needs[value] = heights.needed(self.index, style, value)
        return ending

    def _formula(self, number: int) -> bytes:
        text = self._edit.formula_for(self._column, number) or ""
        return self._edit.sheet.formula_ending(
            number, self.index, text, array=self._column.array, style=self._style
        )


def _texts(values: Sequence[Value | Absent]) -> int:
    """Return how many values are texts that are not empty."""
    if set(map(type, values)) <= _TEXTS:
        return len(values) - values.count(None) - values.count("") - values.count(ABSENT)
    return sum(isinstance(value, str) and value != "" for value in values)


def write_new_rows(
    edit: TableEdit,
    numbers: range,
    columns: Mapping[int, Sequence[Value | Absent]],
    template: Row,
) -> bool:
    """Write rows that join a table and that the sheet does not have yet.

    Args:
        edit: The table, which has learnt from the template.
        numbers: Sheet rows.
        columns: A value for each row, by column number; other columns are calculated or blank.
        template: The row whose formats the new rows take.

    Returns:
        Whether it was done; rows that are not all alike are left to the caller.

    Raises:
        TheodoiError: As `CellWriter.cell`, for the first cell that cannot be written.
        ValueError: As `CellWriter.cell`.
    """
    sheet = edit.sheet
    area = edit.table.area
    rows = Area(numbers[0], area.left, numbers[-1], area.right)
    if any(group.meets(rows) for group in sheet.group_formulas()):
        return False
    model = Row(0, {b"r": b"0"}, {}, existed=False)
    sheet.new_row(model, template)
    absent = [ABSENT] * len(numbers)
    try:
        made = [
            _NewColumn(edit, column, numbers, columns.get(column.index, absent), model)
            for column in edit.table.columns
        ]
    except (TheodoiError, ValueError):
        _raise_first(edit, numbers, columns)
        raise
    full = [column.index for column in made if not column.lacks_cells]
    if not full:
        return False
    spans = model.attributes.get(b"spans")
    if spans is not None:
        model.attributes[b"spans"] = widened(spans, made[0].index, made[-1].index)
        if widened(spans, full[0], full[-1]) != model.attributes[b"spans"]:
            return False
    _take(edit, numbers, made, model)
    for column in made:
        sheet.count_references(column.references)
        sheet.formulas_changed = sheet.formulas_changed or column.calculated
        if column.filled is numbers:
            sheet.changed.add_area(Area(numbers[0], column.index, numbers[-1], column.index))
        else:
            sheet.changed.add_rows(column.index, column.filled)
    return True


def _raise_first(
    edit: TableEdit, numbers: range, columns: Mapping[int, Sequence[Value | Absent]]
) -> None:
    """Let the first cell that cannot be written be the one that is named, row by row."""
    ordered = [(c.index, columns[c.index]) for c in edit.table.columns if c.index in columns]
    for at, number in enumerate(numbers):
        for index, values in ordered:
            value = values[at]
            if value is not None and not isinstance(value, Absent) and value != "":
                edit.sheet.ending(number, index, value, None)


def _take(edit: TableEdit, numbers: range, made: Sequence[_NewColumn], model: Row) -> None:
    """Put rows together from their endings and hand them to the sheet."""
    sheet = edit.sheet.xml
    prefix = sheet.prefix
    digits = [b"%d" % number for number in numbers]
    fields: list[list[bytes]] = [digits]
    known = _row_attributes(model, made)
    heights = _row_heights(made)
    if len(known) > 1:
        pattern = b'<%srow r="%%b"%%b>' % prefix
        fields.append(list(map(known.__getitem__, heights)))
    else:
        (attributes,) = known.values()
        pattern = b'<%srow r="%%b"%s>' % (prefix, attributes.replace(b"%", b"%%"))
    samples = [b'<%srow r="0"%s/>' % (prefix, attributes) for attributes in known.values()]
    for column in made:
        start = b'<%sc r="%s' % (prefix, column_letter(column.index).encode())
        if column.lacks_cells:
            pattern += b"%b"
            pairs = zip(digits, column.endings, strict=True)
            cells = [start + row + b'"' + ending if ending else b"" for row, ending in pairs]
            fields.append(cells)
        else:
            pattern += start + b'%b"%b'
            fields += (digits, column.endings)
        cell = start + b'0"'
        endings = set(column.endings) - {b""}
        samples.append(b"<%srow>%s</%srow>" % (prefix, b"".join(cell + e for e in endings), prefix))
    pattern += b"</%srow>" % prefix
    rows = map(pattern.__mod__, zip(*fields, strict=True))
    first = next(rows)
    samples.append(first)
    if len(numbers) < rewrite.MANY:
        sheet.take(dict(zip(numbers, chain((first,), rows), strict=True)), samples)
    else:
        rewrite.insert_rows(sheet, numbers, chain((first,), rows))
        sheet.take({}, samples)


def _row_heights(made: Sequence[_NewColumn]) -> list[float]:
    """Return the height that each row needs, empty where one line does in all rows."""
    lists = [column.heights for column in made if column.heights]
    return list(map(max, *lists)) if len(lists) > 1 else lists[0] if lists else []


def _row_attributes(model: Row, made: Sequence[_NewColumn]) -> dict[float, bytes]:
    """Return the attributes of the rows' start tags but for the number, by height needed."""
    result: dict[float, bytes] = {}
    for height in set(_row_heights(made)) or {0.0}:
        attributes = {name: value for name, value in model.attributes.items() if name != b"r"}
        grow(attributes, height)
        result[height] = attributes_text(attributes)
    return result

"""An xlwings engine over openpyxl, so that add-in code runs where there is no Excel.

This is not Excel. It subclasses the open part of xlwings (`base_classes`), keeps a real
workbook file in memory and does to a value that is assigned to a cell what Excel is known to
do: an apostrophe marks text, "=" begins a formula, text that looks like a number or a date
becomes one. It counts calls, because each costs Excel milliseconds, and can be made to fail.
"""

from __future__ import annotations

import re
import shutil
from collections import Counter
from copy import copy
from datetime import date, datetime
from itertools import count
from pathlib import Path
from types import SimpleNamespace

import openpyxl
import xlwings as xw
from openpyxl.comments import Comment
from openpyxl.styles import PatternFill
from openpyxl.utils import get_column_letter, range_boundaries
from openpyxl.worksheet.table import Table as FileTable
from openpyxl.worksheet.table import TableColumn, TableStyleInfo
from xlwings import base_classes

ERROR_NUMBERS = {"#REF!": -2146826265, "#N/A": -2146826246, "#SPILL!": -2146826243}
ERROR_NAMES = {-2146826265: "#REF!", -2146826246: "#N/A"}


_saves = count(1)


class EngineError(Exception):
    """Stands for a COM error; xlwings lets such errors through as they are."""


class Engine:
    """The engine itself: named differently from "excel" on purpose."""

    name = "not-excel"
    type = "desktop"

    def __init__(self):
        self.app = App(self)
        self.running = [self.app]

    @property
    def apps(self):
        return Apps(self)

    @staticmethod
    def prepare_xl_data_element(x, options):
        return "" if x is None else x

    @staticmethod
    def clean_value_data(data, datetime_builder, empty_as, number_builder, err_to_str):
        def clean(value):
            if value is None or value == "":
                return empty_as
            if isinstance(value, datetime):
                return datetime_builder(
                    year=value.year,
                    month=value.month,
                    day=value.day,
                    hour=value.hour,
                    minute=value.minute,
                    second=value.second,
                    microsecond=value.microsecond,
                    tzinfo=None,
                )
            if isinstance(value, int) and value in ERROR_NAMES:
                return ERROR_NAMES[value] if err_to_str else None
            return value

        return [[clean(value) for value in row] for row in data]


class Apps(base_classes.Apps):
    def __init__(self, engine):
        self.engine = engine

    def keys(self):
        return [app.pid for app in self.engine.running]

    def add(self, **kwargs):
        """Start a second Excel."""
        app = App(self.engine)
        app.pid = app.hwnd = len(self.engine.running) + 1
        self.engine.running.append(app)
        return app

    def __iter__(self):
        yield from self.engine.running

    def __len__(self):
        return len(self.engine.running)

    def __getitem__(self, pid):
        return next(app for app in self.engine.running if app.pid == pid)


class App(base_classes.App):
    screen_updating = True
    display_alerts = True
    enable_events = True
    interactive = True
    calculation = "automatic"
    status_bar = False
    visible = True
    version = "0.0"
    pid = 1
    hwnd = 1
    api = None
    calls = None

    def __init__(self, engine):
        self.engine = engine
        self.open_books = []
        self.selected = None
        self.alerts = []
        self.answers = []
        self.questions = []
        self.is_busy = False
        self.calls = Counter()
        self.written = []
        self.fail_at_write = None
        self.window = SimpleNamespace(ScrollRow=1, ScrollColumn=1)
        self.help = SimpleNamespace(AutoFillFormulasInLists=True, AutoExpandListRange=True)
        self.bars = []
        self.api = SimpleNamespace(
            InputBox=self._input_box, ActiveWindow=self.window, AutoCorrect=self.help
        )

    def __setattr__(self, name, value):
        if name in ("calculation", "display_alerts") and self.is_busy:
            raise EngineError("call was rejected by callee")
        if name == "status_bar":
            self.__dict__.setdefault("bars", []).append(value)
        super().__setattr__(name, value)

    def _input_box(self, prompt, title=None, default=None, *args, **kwargs):
        self.questions.append((prompt, default))
        return self.answers.pop(0)

    def note_write(self, area, value):
        if self.fail_at_write is not None and self.calls["write"] >= self.fail_at_write:
            self.fail_at_write = None
            raise EngineError("800A03EC")
        self.calls["write"] += 1
        self.written.append((area.sheet.name, area.local_address))

    @property
    def selection(self):
        return self.selected

    @property
    def books(self):
        return Books(self)

    def activate(self, steal_focus=False):
        pass

    def alert(self, prompt, title, buttons, mode, callback):
        self.alerts.append(prompt)
        if buttons in (None, "ok"):
            return "ok"
        self.questions.append((prompt, buttons))
        return self.answers.pop(0)

    def calculate(self):
        self.calls["calculate"] += 1


class Books(base_classes.Books):
    def __init__(self, app):
        self.app = app

    api = True

    @property
    def active(self):
        return self.app.open_books[-1] if self.app.open_books else None

    def __call__(self, name_or_index):
        for index, book in enumerate(self.app.open_books, start=1):
            if name_or_index in (index, book.name):
                return book
        raise KeyError(name_or_index)

    def __len__(self):
        return len(self.app.open_books)

    def __iter__(self):
        if self.app.is_busy:
            raise EngineError("call was rejected by callee")
        return iter(self.app.open_books)

    def open(self, fullname, *args, **kwargs):
        book = Book(self.app, Path(fullname))
        self.app.open_books.append(book)
        return book


class Book(base_classes.Book):
    api = None
    app = None
    fullname = ""

    def __init__(self, app, path):
        self.app = app
        self.fullname = str(path)
        self.file = openpyxl.load_workbook(path, keep_vba=path.suffix == ".xlsm")
        self.cached = openpyxl.load_workbook(path, data_only=True)
        self.api = SimpleNamespace(
            ReadOnly=False, Saved=True, ProtectStructure=False, SaveCopyAs=self.save_copy
        )
        self.sheet_apis = {}
        self.filtered = set()
        self.active_name = self.file.active.title

    @property
    def name(self):
        return Path(self.fullname).name

    @property
    def sheets(self):
        return Sheets(self)

    @property
    def names(self):
        return Names(self)

    def activate(self):
        pass

    def save(self, path=None, password=None):
        """Save under the own name; Excel's way of writing is never twice the same."""
        self.file.properties.title = f"saved {next(_saves)}"
        self.save_copy(path or self.fullname)
        self.api.Saved = True

    def close(self):
        self.app.open_books.remove(self)
        self.app.selected = None

    def save_copy(self, path):
        """Save as a file; headings are read from the cells, as Excel keeps them."""
        for sheet in self.file.worksheets:
            for table in sheet.tables.values():
                left, top, right, _ = range_boundaries(table.ref)
                table.tableColumns = [
                    TableColumn(id=index, name=str(sheet.cell(top, column).value))
                    for index, column in enumerate(range(left, right + 1), start=1)
                ]
        self.file.save(path)
        if str(path) != self.fullname:
            shutil.copymode(self.fullname, path)


class Sheets(base_classes.Sheets):
    def __init__(self, book):
        self.book = book

    api = True

    @property
    def active(self):
        return Sheet(self.book, self.book.file[self.book.active_name])

    def __call__(self, name_or_index):
        if isinstance(name_or_index, int):
            return Sheet(self.book, self.book.file.worksheets[name_or_index - 1])
        for sheet in self.book.file.worksheets:
            if sheet.title.lower() == name_or_index.lower():
                return Sheet(self.book, sheet)
        raise KeyError(name_or_index)

    def __len__(self):
        return len(self.book.file.worksheets)

    def __iter__(self):
        for sheet in self.book.file.worksheets:
            yield Sheet(self.book, sheet)

    def __contains__(self, name):
        return name in self.book.file.sheetnames

    def add(self, before=None, after=None, name=None):
        if self.book.api.ProtectStructure:
            raise EngineError("workbook is protected")
        index = self.book.file.index(after.ws) + 1 if after is not None else 0
        sheet = self.book.file.create_sheet(name, index)
        self.book.active_name = sheet.title
        return Sheet(self.book, sheet)


class Sheet(base_classes.Sheet):
    book = None

    def __init__(self, book, ws):
        self.book = book
        self.ws = ws

    @property
    def api(self):
        return self.book.sheet_apis.setdefault(self.ws.title, SheetApi(self.ws))

    @property
    def name(self):
        return self.ws.title

    @name.setter
    def name(self, value):
        if self.book.active_name == self.ws.title:
            self.book.active_name = value
        self.ws.title = value

    @property
    def index(self):
        return self.book.file.index(self.ws) + 1

    @property
    def tables(self):
        return Tables(self)

    @property
    def cells(self):
        return Range(self, 1, 1, 1_048_576, 16_384)

    def range(self, arg1, arg2=None):
        if isinstance(arg1, Range):
            last = arg2 or arg1
            rows = (arg1.row, last.row + last.shape[0] - 1)
            columns = (arg1.column, last.column + last.shape[1] - 1)
            return Range(
                self, rows[0], columns[0], rows[1] - rows[0] + 1, columns[1] - columns[0] + 1
            )
        if isinstance(arg1, tuple):
            if len(arg1) == 4:
                return Range(self, *arg1)
            (row, column), (last_row, last_column) = arg1, arg2 or arg1
            return Range(self, row, column, last_row - row + 1, last_column - column + 1)
        left, top, right, bottom = range_boundaries(arg1.replace("$", ""))
        return Range(self, top, left, bottom - top + 1, right - left + 1)

    def activate(self):
        self.book.active_name = self.name

    select = activate

    @property
    def visible(self):
        return self.ws.sheet_state == "visible"

    @visible.setter
    def visible(self, value):
        self.ws.sheet_state = "visible" if value else "hidden"

    def delete(self):
        del self.book.file[self.name]
        self.book.sheet_apis.pop(self.name, None)


class SheetApi(SimpleNamespace):
    """What xlwings does not wrap of a sheet."""

    def __init__(self, ws):
        super().__init__(ProtectContents=bool(ws.protection.sheet), FilterMode=False)
        self.__dict__["ws"] = ws

    def __setattr__(self, name, value):
        super().__setattr__(name, value)
        if name == "Visible":
            self.ws.sheet_state = {-1: "visible", 0: "hidden", 2: "veryHidden"}[value]


class Range(base_classes.Range):
    api = True
    options = None
    row = column = 0
    shape = (0, 0)

    def __init__(self, sheet, row, column, height, width):
        self.sheet = sheet
        self.row, self.column = row, column
        self.shape = (height, width)

    @property
    def coords(self):
        return (self.sheet, self.row, self.column, *self.shape)

    @property
    def app(self):
        return self.sheet.book.app

    @property
    def local_address(self):
        first = f"{get_column_letter(self.column)}{self.row}"
        bottom, right = self.row + self.shape[0] - 1, self.column + self.shape[1] - 1
        last = f"{get_column_letter(right)}{bottom}"
        return first if first == last else f"{first}:{last}"

    @property
    def address(self):
        return re.sub(r"([A-Z]+)([0-9]+)", r"$\1$\2", self.local_address)

    def get_address(self, row_absolute, col_absolute, external):
        return self.address

    def __len__(self):
        return self.shape[0] * self.shape[1]

    def __call__(self, arg1, arg2=None):
        if arg2 is None:
            down, right = divmod(arg1 - 1, self.shape[1])
        else:
            down, right = arg1 - 1, arg2 - 1
        return Range(self.sheet, self.row + down, self.column + right, 1, 1)

    def _cells(self):
        ws = self.sheet.ws
        for row in range(self.row, self.row + self.shape[0]):
            yield [
                ws.cell(row, column) for column in range(self.column, self.column + self.shape[1])
            ]

    def _read(self, cell):
        value = cell.value
        if cell.data_type == "f":
            value = self.sheet.book.cached[self.sheet.name][cell.coordinate].value
        if isinstance(value, str) and value in ERROR_NUMBERS:
            return ERROR_NUMBERS[value]
        if isinstance(value, bool) or value is None:
            return value
        if isinstance(value, (int, float)):
            return float(value)
        return value

    @property
    def raw_value(self):
        self.app.calls["read"] += 1
        values = tuple(tuple(self._read(cell) for cell in row) for row in self._cells())
        return values[0][0] if self.shape == (1, 1) else values

    @raw_value.setter
    def raw_value(self, data):
        self.app.note_write(self, data)
        self.sheet.book.api.Saved = False
        is_matrix = isinstance(data, (list, tuple))
        hidden = self.sheet.ws.row_dimensions
        for down, row in enumerate(self._cells()):
            if self.sheet.api.FilterMode and len(self) > 1 and hidden[self.row + down].hidden:
                continue
            for right, cell in enumerate(row):
                _type_in(cell, data[down][right] if is_matrix else data)

    @property
    def formula(self):
        self.app.calls["formula"] += 1
        texts = tuple(
            tuple("" if cell.value is None else str(cell.value) for cell in row)
            for row in self._cells()
        )
        return texts[0][0] if self.shape == (1, 1) else texts

    @formula.setter
    def formula(self, data):
        self.raw_value = data

    def get_special_cells(self, cell_type, value_type):
        assert cell_type == "formulas"
        if self.sheet.api.ProtectContents:
            raise EngineError("not on a protected sheet")
        self.app.calls["find"] += 1
        areas = []
        for right in range(self.shape[1]):
            column = self.column + right
            first = None
            for row in range(self.row, self.row + self.shape[0] + 1):
                inside = row < self.row + self.shape[0]
                cell = self.sheet.ws.cell(row, column) if inside else None
                is_formula = cell is not None and cell.data_type == "f"
                if is_formula and first is None:
                    first = row
                elif not is_formula and first is not None:
                    areas.append(Range(self.sheet, first, column, row - first, 1))
                    first = None
        return areas

    def clear_contents(self):
        for row in self._cells():
            for cell in row:
                cell.value = None

    def _columns_below(self, first_row):
        bottom = max(self.sheet.ws.max_row, first_row)
        right = get_column_letter(self.column + self.shape[1] - 1)
        return f"{get_column_letter(self.column)}{first_row}:{right}{bottom}"

    def delete(self, shift=None):
        assert shift == "up"
        self.app.calls["delete"] += 1
        height = self.shape[0]
        for row in self._cells():
            for cell in row:
                cell.value = None
        self.sheet.ws.move_range(self._columns_below(self.row + height), rows=-height)
        self._stretch(-height)

    def insert(self, shift=None, copy_origin=None):
        assert shift == "down"
        height = self.shape[0]
        self.sheet.ws.move_range(self._columns_below(self.row), rows=height)
        self._stretch(height)

    def _stretch(self, rows):
        for table in self.sheet.ws.tables.values():
            left, top, right, bottom = range_boundaries(table.ref)
            if left <= self.column <= right and top < self.row <= bottom:
                Table(self.sheet, table).set_ref(left, top, right, bottom + rows)

    def autofill(self, destination, type_):
        assert type_ == "fill_formats"
        source = next(self._cells())
        for row in destination.impl._cells():
            for cell, model in zip(row, source, strict=True):
                cell.number_format = model.number_format
                cell._style = copy(model._style)

    @property
    def number_format(self):
        formats = {cell.number_format for row in self._cells() for cell in row}
        return formats.pop() if len(formats) == 1 else None

    @number_format.setter
    def number_format(self, value):
        for row in self._cells():
            for cell in row:
                cell.number_format = value

    @property
    def color(self):
        fill = self.sheet.ws.cell(self.row, self.column).fill
        if fill.fill_type != "solid":
            return None
        rgb = fill.start_color.rgb[-6:]
        return tuple(int(rgb[at : at + 2], 16) for at in (0, 2, 4))

    @color.setter
    def color(self, value):
        fill = (
            PatternFill()
            if value is None
            else PatternFill("solid", "{:02X}{:02X}{:02X}".format(*value))
        )
        for row in self._cells():
            for cell in row:
                cell.fill = fill

    @property
    def note(self):
        cell = self.sheet.ws.cell(self.row, self.column)
        return Note(cell) if cell.comment else None

    def add_note(self, text):
        cell = self.sheet.ws.cell(self.row, self.column)
        cell.comment = Comment(text, "")
        return Note(cell)

    def select(self):
        self.app.calls["select"] += 1
        self.app.selected = self
        self.sheet.activate()

    @property
    def column_width(self):
        return self.sheet.ws.column_dimensions[get_column_letter(self.column)].width

    @column_width.setter
    def column_width(self, value):
        for column in range(self.column, self.column + self.shape[1]):
            self.sheet.ws.column_dimensions[get_column_letter(column)].width = value

    @property
    def wrap_text(self):
        return bool(self.sheet.ws.cell(self.row, self.column).alignment.wrap_text)

    @wrap_text.setter
    def wrap_text(self, value):
        for row in self._cells():
            for cell in row:
                alignment = copy(cell.alignment)
                alignment.wrap_text = value
                cell.alignment = alignment

    @property
    def font(self):
        return SimpleNamespace()


def _type_in(cell, value):
    """Do what Excel does with a value assigned to a cell."""
    cell.quotePrefix = False
    if value is None or value == "":
        cell.value = None
        return
    if not isinstance(value, str):
        assert type(value) is not date, "COM takes moments only"
        cell.value = value
        return
    if value.startswith("'"):
        cell.value = value[1:]
        cell.data_type = "s"
        return
    if cell.number_format == "@":
        cell.value = value
        cell.data_type = "s"
        return
    if value.startswith(("=", "+", "-", "@")):
        try:
            cell.value = float(value)
        except ValueError:
            cell.value = "=" + value.lstrip("=+@") if value[0] != "-" else "=" + value
        return
    if value in ERROR_NUMBERS:
        cell.value = value
        cell.data_type = "e"
        return
    if value.lower() in ("true", "false"):
        cell.value = value.lower() == "true"
        return
    for pattern in ("%d/%m/%Y", "%d-%m-%Y", "%Y-%m-%d", "%m/%Y"):
        try:
            cell.value = datetime.strptime(value, pattern)
        except ValueError:
            continue
        return
    try:
        cell.value = float(value)
    except ValueError:
        cell.value = value
        cell.data_type = "s"


class Note(base_classes.Note):
    def __init__(self, cell):
        self.cell = cell

    api = True

    @property
    def text(self):
        return self.cell.comment.text

    @text.setter
    def text(self, value):
        self.cell.comment = Comment(value, "")

    def delete(self):
        self.cell.comment = None


class Tables(base_classes.Tables):
    def __init__(self, sheet):
        self.sheet = sheet

    api = True

    def __iter__(self):
        for table in self.sheet.ws.tables.values():
            yield Table(self.sheet, table)

    def __len__(self):
        return len(self.sheet.ws.tables)

    def __call__(self, key):
        return (
            list(self)[key - 1]
            if isinstance(key, int)
            else Table(self.sheet, self.sheet.ws.tables[key])
        )

    def __contains__(self, name):
        return name in self.sheet.ws.tables

    def add(
        self,
        source_type=None,
        source=None,
        link_source=None,
        has_headers=None,
        destination=None,
        table_style_name=None,
        name=None,
    ):
        table = FileTable(displayName=name, name=name, ref=source.impl.local_address)
        table.tableStyleInfo = TableStyleInfo(name=table_style_name, showRowStripes=True)
        self.sheet.ws.add_table(table)
        return Table(self.sheet, table)


class Table(base_classes.Table):
    def __init__(self, sheet, table):
        self.sheet = sheet
        self.table = table
        self.api = SimpleNamespace(
            AutoFilter=SimpleNamespace(FilterMode=table.name in sheet.book.filtered)
        )

    api = None
    show_headers = True

    @property
    def name(self):
        return self.table.displayName

    @property
    def parent(self):
        return self.sheet

    @property
    def show_totals(self):
        return bool(self.table.totalsRowCount)

    @property
    def range(self):
        return self.sheet.range(self.table.ref)

    def set_ref(self, left, top, right, bottom):
        self.table.ref = f"{get_column_letter(left)}{top}:{get_column_letter(right)}{bottom}"
        if self.table.autoFilter is not None:
            self.table.autoFilter.ref = self.table.ref

    def resize(self, range):  # noqa: A002 - the name that xlwings has
        self.sheet.book.app.calls["resize"] += 1
        area = range.impl
        self.set_ref(
            area.column, area.row, area.column + area.shape[1] - 1, area.row + area.shape[0] - 1
        )


class Names(base_classes.Names):
    def __init__(self, book):
        self.book = book

    api = True

    def contains(self, name):
        return name in self.book.file.defined_names

    def __call__(self, name):
        return Name(self.book, self.book.file.defined_names[name])

    def __len__(self):
        return len(self.book.file.defined_names)


class Name(base_classes.Name):
    def __init__(self, book, defined):
        self.book = book
        self.defined = defined

    api = True

    @property
    def name(self):
        return self.defined.name

    @property
    def refers_to(self):
        return "=" + self.defined.attr_text

    @property
    def refers_to_range(self):
        ((sheet, address),) = self.defined.destinations
        return self.book.sheets(sheet).range(address)


def open_book(path):
    """Open a workbook file in a fresh engine of its own."""
    engine = Engine()
    xw.engines.active = xw.main.Engine(impl=engine)
    impl = engine.app.books.open(path)
    impl.app.selected = impl.sheets.active.range("B2")
    return xw.Book(impl=impl)

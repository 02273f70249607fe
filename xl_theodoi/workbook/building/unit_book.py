"""The workbook of a unit as a package: what is the same in every one is made once.

A `FilledBook` is an XlsxWriter workbook with `FilledSheet` for its sheets. Its formats are
numbers from the start, the styles part is made once for each set of formats, and parts are
deflated by a fast library; parts that are alike in many workbooks are deflated once.
"""
# ruff: noqa: SLF001 - XlsxWriter's parts are reached by its inner methods

from __future__ import annotations

import re
from functools import cache, lru_cache
from io import StringIO
from typing import TYPE_CHECKING, Any, Final
from zipfile import ZipInfo

from xlsxwriter import Workbook
from xlsxwriter.packager import Packager
from xlsxwriter.styles import Styles

from xl_theodoi.workbook.building.unit_sheet import FilledSheet, Kept, Strings, escaped
from xl_theodoi.workbook.editing.zip import ZipWriter, deflate_fast

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from io import BytesIO

    Properties = tuple[tuple[str, Any], ...]

_SMALL: Final = 8_192
"""Parts of at most so many characters are kept deflated, as the next workbook may have the same."""
_ESCAPE: Final = re.compile("(_x[0-9a-fA-F]{4}_)")
_STRINGS: Final = (
    '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
    '<sst xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" '
    'count="{}" uniqueCount="{}">'
)
_NEXT: Final = "</t></si><si><t>"


class Shape:
    """A cell format: its number in the workbook's styles part.

    Attributes:
        key: What tells it from other formats.
        properties: Its XlsxWriter properties.
    """

    __slots__ = ("_book", "_differs", "_number", "key", "properties")

    def __init__(self, book: FilledBook, key: str, properties: Properties) -> None:
        self._book, self.key, self.properties = book, key, properties
        self._number = self._differs = -1

    @property
    def xf(self) -> int:
        """Number among the cell formats, given at its first use."""
        if self._number < 0:
            # Number 0 is the default format.
            self._number = (
                1
                + self._book.shapes.setdefault(self.key, (len(self._book.shapes), self.properties))[
                    0
                ]
            )
        return self._number

    def _get_xf_index(self) -> int:
        return self.xf

    def _get_dxf_index(self) -> int:
        if self._differs < 0:
            self._differs = self._book.tones.setdefault(
                self.key, (len(self._book.tones), self.properties)
            )[0]
        return self._differs


class FilledBook(Workbook):  # type: ignore[misc]
    """A workbook whose sheets are text from the start.

    Attributes:
        strings: Number of every text in the table of shared texts.
        shapes: Cell formats by key: number and properties; conditional ones in `tones`.
    """

    def __init__(self, kept: Kept, buffer: BytesIO, options: Mapping[str, Any]) -> None:
        self.strings, self.kept = Strings(), kept
        self._default = tuple(options["default_format_properties"].items())
        self.shapes: dict[str, tuple[int, Properties]] = {}
        self.tones: dict[str, tuple[int, Properties]] = {}
        super().__init__(buffer, dict(options))

    def add_format(self, properties: Mapping[str, Any] | None = None) -> Shape:
        """Return a format of the workbook."""
        wanted = tuple((properties or {}).items())
        return Shape(self, _format_key(wanted, self._default), wanted)

    def add_filled_sheet(self, name: str) -> FilledSheet:
        """Return a new sheet."""
        sheet: FilledSheet = self.add_worksheet(name, worksheet_class=FilledSheet)
        sheet.strings, sheet.kept = self.strings, self.kept
        return sheet

    def close(self) -> None:
        """Put the finished package into the buffer."""
        self.fileclosed = True
        for sheet in self.worksheets_objs:
            sheet.active = int(sheet.index == self.worksheet_meta.activesheet)
        self._prepare_defined_names()
        self._prepare_tables()
        self.str_table.count = len(self.strings)  # XlsxWriter asks whether there is any
        packager = _Packager()
        packager._add_workbook(self)
        packager._set_in_memory(True)
        parts = packager._create_package()
        self.filename.write(_zipped([(name, held) for held, name, _ in parts]))

    def _prepare_format_properties(self) -> None:
        """Formats are numbers here; their properties stand in the styles part alone."""

    def _has_feature_property_bags(self) -> bool:
        return False

    def shared_strings(self) -> str:
        """Return the part of the shared texts."""
        used = sum(sheet.used for sheet in self.worksheets_objs)
        made = [_STRINGS.format(used, len(self.strings))]
        whole = "\0".join(self.strings)
        if "_x" not in whole and all(text == text.strip() for text in self.strings):
            plain = escaped(whole).replace("\0", _NEXT)
            return f"{made[0]}<si><t>{plain}</t></si></sst>"
        for text in self.strings:
            if "_x" in text:
                text = _ESCAPE.sub(r"_x005F\1", text)  # noqa: PLW2901
            space = ' xml:space="preserve"' if text[:1].isspace() or text[-1:].isspace() else ""
            made.append(f"<si><t{space}>{escaped(text)}</t></si>")
        made.append("</sst>")
        return "".join(made)

    def styles(self) -> str:
        """Return the part of the styles."""
        return _styles(
            tuple(properties for _, properties in self.shapes.values()),
            tuple(properties for _, properties in self.tones.values()),
            self._default,
        )


class _Packager(Packager):  # type: ignore[misc]
    """Takes the parts that the workbook makes itself instead of XlsxWriter's."""

    def _take(self, name: str, held: str | Iterator[bytes]) -> None:
        self.filenames.append((held, name, False))

    def _write_worksheet_files(self) -> None:
        for nth, sheet in enumerate(self.workbook.worksheets_objs, start=1):
            self._take(f"xl/worksheets/sheet{nth}.xml", sheet.pieces())

    def _write_shared_strings_file(self) -> None:
        self._take("xl/sharedStrings.xml", self.workbook.shared_strings())

    def _write_styles_file(self) -> None:
        self._take("xl/styles.xml", self.workbook.styles())

    def _write_theme_file(self) -> None:
        self._take("xl/theme/theme1.xml", self.workbook.theme_xml)


@lru_cache(maxsize=1024)
def _format_key(properties: Properties, default: Properties) -> str:
    """Return what tells a format from others, as XlsxWriter does."""
    return str(_plain_book(default).add_format(dict(properties))._get_format_key())


@cache
def _plain_book(default: Properties) -> Workbook:
    return Workbook(StringIO(), {"default_format_properties": dict(default)})


@lru_cache(maxsize=64)
def _styles(
    shapes: tuple[Properties, ...], tones: tuple[Properties, ...], default: Properties
) -> str:
    """Return the styles part of a workbook with these formats, as XlsxWriter writes it."""
    book = Workbook(StringIO(), {"default_format_properties": dict(default)})
    for properties in shapes:
        book.add_format(dict(properties))._get_xf_index()
    for properties in tones:
        book.add_format(dict(properties))._get_dxf_index()
    book._prepare_format_properties()
    styles = Styles()
    styles._set_style_properties(
        [
            book.xf_formats, book.palette, book.font_count, book.num_formats, book.border_count,
            book.fill_count, book.custom_colors, book.dxf_formats, book.has_comments,
        ]
    )  # fmt: skip
    written = StringIO()
    styles._set_xml_writer(written)
    styles._assemble_xml_file()
    return written.getvalue()


@lru_cache(maxsize=256)
def _small(text: str) -> tuple[int, int, list[bytes]]:
    """Return a part deflated that the next workbook may have too."""
    return deflate_fast([text.encode()])


def _zipped(parts: Sequence[tuple[str, str | StringIO | Iterator[bytes]]]) -> bytes:
    """Return a zip file of parts."""
    writer = ZipWriter()
    for path, held in parts:
        text = held.getvalue() if isinstance(held, StringIO) else held
        if not isinstance(text, str):
            made = deflate_fast(text)
        elif len(text) <= _SMALL:
            made = _small(text)
        else:
            made = deflate_fast([text.encode()])
        writer.put(path, _entry(path), *made)
    return writer.close(b"")


def _entry(path: str) -> ZipInfo:
    """Return a part's place in the directory, the same on every system."""
    entry = ZipInfo(path, (1980, 1, 1, 0, 0, 0))
    entry.create_system = 0
    return entry

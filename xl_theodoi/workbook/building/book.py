"""An XlsxWriter workbook whose parts go straight into our own zip writer.

XlsxWriter writes each part to a temporary file and lets the standard library deflate it
afterwards; that is slower than to deflate the text at once, and leaves texts of an office in
files of their own for a moment. It also takes a text that begins with `<r>` and ends with
`</r>` for markup: here a text is always a text.

Imported only where a workbook is made: XlsxWriter costs 0.1 s.
"""

from __future__ import annotations

import re
from io import BytesIO, StringIO
from typing import TYPE_CHECKING, Any

from xlsxwriter import Workbook
from xlsxwriter.packager import Packager
from xlsxwriter.sharedstrings import SharedStrings

from xl_theodoi.workbook.editing.zip import ZipWriter

if TYPE_CHECKING:
    from collections.abc import Mapping

_PLAIN = re.compile(r"(?!\s)[^&<>\x00-\x08\x0b-\x1f\ufffe\uffff]*(?<!\s)")
"""A text that stands in XML as it is, but for what looks like an escape."""
_PIECE = 1 << 20
"""Characters of a part that are kept before they are turned into bytes."""


class DirectBook(Workbook):  # type: ignore[misc]  # XlsxWriter has no type information
    """A workbook that is written into a buffer on `close()`.

    Args:
        buffer: Where the file goes.
        options: XlsxWriter's options.
    """

    def __init__(self, buffer: BytesIO, options: Mapping[str, Any]) -> None:
        # XlsxWriter is left an archive of its own to close; it stays empty.
        super().__init__(BytesIO(), dict(options))
        self._buffer = buffer

    def _get_packager(self) -> Packager:
        return _DirectPackager(self._buffer)


class _DirectPackager(Packager):  # type: ignore[misc]
    def __init__(self, buffer: BytesIO) -> None:
        super().__init__()
        self._buffer = buffer
        self._zip = ZipWriter()
        self._part: _Part | None = None

    def _filename(self, xml_filename: str) -> StringIO:
        self._finish_part()
        self._part = _Part(xml_filename)
        return self._part

    def _finish_part(self) -> None:
        if self._part is not None:
            self._zip.add(self._part.name, None, self._part.pieces())
        self._part = None

    def _create_package(self) -> list[Any]:
        left: list[Any] = super()._create_package()
        if left:
            message = f"parts that are no XML: {left}"
            raise ValueError(message)
        self._finish_part()
        self._buffer.write(self._zip.close(b""))
        return []

    def _write_shared_strings_file(self) -> None:
        table = self.workbook.str_table
        if table.count:
            strings = _PlainStrings()
            strings.string_table = table
            strings._set_xml_writer(self._filename("xl/sharedStrings.xml"))  # noqa: SLF001
            strings._assemble_xml_file()  # noqa: SLF001


class _PlainStrings(SharedStrings):  # type: ignore[misc]
    def _write_sst_strings(self) -> None:
        plain = _PLAIN.fullmatch
        write = self.fh.write
        for text in self.string_table.string_array:
            if plain(text) and "_x" not in text:
                write(f"<si><t>{text}</t></si>")
            else:
                self._write_si(text)

    def _write_si(self, string: str) -> None:
        escaped = self._escape_control_characters(string)
        ends = string[:1] + string[-1:]
        keep = [("xml:space", "preserve")] if ends != ends.strip() else []
        self._xml_si_element(escaped, keep)


class _Part(StringIO):
    """The text of one part, kept as bytes; XlsxWriter writes to it as to a file in memory."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.name = name
        self._texts: list[str] = []
        self._length = 0
        self._bytes: list[bytes] = []

    def write(self, text: str) -> int:
        self._texts.append(text)
        self._length += len(text)
        if self._length > _PIECE:
            self._encode()
        return len(text)

    def _encode(self) -> None:
        self._bytes.append("".join(self._texts).encode())
        self._texts.clear()
        self._length = 0

    def pieces(self) -> list[bytes]:
        """Return everything written."""
        self._encode()
        return self._bytes

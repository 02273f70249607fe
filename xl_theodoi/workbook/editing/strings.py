"""The shared strings: new texts are appended, known ones reused, nothing is parsed whole."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from xl_theodoi.domain.errors import TheodoiError
from xl_theodoi.workbook.editing import xml

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from xl_theodoi.workbook.editing.package import Package

_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sharedStrings+xml"
_NEW = (
    b'<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\r\n'
    b'<sst xmlns="%s" count="0" uniqueCount="0"></sst>' % xml.MAIN.encode()
)


class SharedStrings:
    """The shared strings of a workbook; the part is made when the first text needs it.

    Args:
        package: The package.
        workbook: Name of the workbook part.
        part: Name of the shared strings part, or `None`.
    """

    def __init__(self, package: Package, workbook: str, part: str | None) -> None:
        self._package = package
        self._workbook = workbook
        self._part = part
        self._wanted: set[bytes] = set()
        self._known: dict[bytes, int] = {}
        self._added: list[bytes] = []
        self._size = -1
        self._references = 0
        self._data = b""
        self._prefix = b""

    def expect(self, texts: Iterable[str]) -> None:
        """Say which texts will be asked for, so that one pass finds those already there."""
        self._wanted.update(_encoded(text) for text in texts)

    def _load(self) -> None:
        if self._part is None:
            self._data = _NEW
            self._size = 0
            return
        self._data = self._package.read(self._part)
        root = re.search(rb"<([A-Za-z_][\w.-]*:)?sst[\s>/]", self._data[:4096])
        if root is None or self._data.startswith((b"\xff\xfe", b"\xfe\xff")):
            raise TheodoiError("edit_unreadable_part", part=self._part, reason="sst")
        self._prefix = root[1] or b""
        self._size = 0
        for content in self._items():
            text = self._plain(content)
            if text is not None and text in self._wanted:
                self._known.setdefault(text, self._size)
            self._size += 1

    def _items(self) -> Iterator[bytes]:
        pattern = re.compile(
            rb"<%ssi(?:\s[^>]*)?(?:/>|(?<!/)>(.*?)</%ssi\s*>)" % (self._prefix, self._prefix),
            re.DOTALL,
        )
        for match in pattern.finditer(self._data):
            yield match[1] or b""

    def _plain(self, content: bytes) -> bytes | None:
        """Return the escaped text of an item without runs and phonetic hints."""
        match = re.fullmatch(
            rb"<%st(?:\s[^>]*)?(?:/>|>([^<]*)</%st>)" % (self._prefix, self._prefix), content
        )
        return None if match is None else (match[1] or b"")

    def index(self, text: str) -> int:
        """Return the index of a text, adding it when it is new, and count the reference."""
        if self._size < 0:
            self._load()
        self._references += 1
        encoded = _encoded(text)
        known = self._known.get(encoded)
        if known is None:
            known = self._known[encoded] = self._size + len(self._added)
            self._added.append(encoded)
        return known

    def release(self) -> None:
        """Count off a cell that no longer refers to a shared string."""
        self._references -= 1

    def texts(self) -> list[str]:
        """Return all texts, runs joined, phonetic hints left out; for reading row keys."""
        if self._size < 0:
            self._load()
        phonetic = re.compile(rb"<%srPh[\s>].*?</%srPh>" % (self._prefix, self._prefix), re.DOTALL)
        text = re.compile(rb"<%st(?:\s[^>]*)?>([^<]*)</%st>" % (self._prefix, self._prefix))
        result = [
            xml.decode_text(xml.unescape(b"".join(text.findall(phonetic.sub(b"", content)))))
            for content in self._items()
        ]
        return result + [xml.decode_text(xml.unescape(added)) for added in self._added]

    def flush(self) -> None:
        """Write the part when texts were added or references changed."""
        if not self._added and not self._references:
            return
        if self._size < 0:
            if self._part is None:
                return
            self._load()
        prefix = self._prefix
        match = re.search(rb"<%ssst((?:\s[^>]*?)?)(/?)>" % prefix, self._data)
        if match is None:
            raise TheodoiError("edit_unreadable_part", part=self._part or "", reason="sst")
        attributes = match[1]
        for name, change in ((b"count", self._references), (b"uniqueCount", len(self._added))):
            attributes = re.sub(
                rb"""(\s%s\s*=\s*["'])([0-9]+)""" % name,
                lambda m, change=change: b"%s%d" % (m[1], max(int(m[2]) + change, 0)),
                attributes,
            )
        space = b' xml:space="preserve"'
        items = b"".join(
            b"<%ssi><%st%s>%s</%st></%ssi>"
            % (prefix, prefix, space if _needs_space(text) else b"", text, prefix, prefix)
            for text in self._added
        )
        opening = b"<%ssst%s>" % (prefix, attributes)
        closing = b"</%ssst>" % prefix
        if match[2]:
            body, rest = b"", self._data[match.end() :]
        else:
            end = self._data.rindex(b"</%ssst" % prefix)
            body = self._data[match.end() : end]
            rest = self._data[self._data.index(b">", end) + 1 :]
        data = b"".join((self._data[: match.start()], opening, body, items, closing, rest))
        if self._part is None:
            self._part = self._package.free_name("xl/sharedStrings{}.xml").replace("1.xml", ".xml")
            self._package.declare(self._part, _TYPE)
            self._package.relate(self._workbook, "sharedStrings", self._part)
        self._package.write(self._part, data)
        self._size += len(self._added)
        self._added.clear()
        self._references = 0
        self._data = data


def _encoded(text: str) -> bytes:
    return xml.escape(xml.encode_text(text))


def _needs_space(text: bytes) -> bool:
    return text != text.strip() or b"\n" in text or b"  " in text or b"\t" in text

"""The shared strings: new texts are appended, known ones reused, nothing is parsed whole."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from xl_theodoi.domain.errors import TheodoiError
from xl_theodoi.workbook.editing import xml

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from xl_theodoi.domain.cells import Value
    from xl_theodoi.workbook.editing.package import Package

_SMALL = 1 << 20
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
        self._wanted: set[str] = set()
        self._encoded: dict[str, bytes] = {}
        self._known: dict[bytes, int] = {}
        self._indices: dict[str, int] = {}
        self._added: list[bytes] = []
        self._size = -1
        self._references = 0
        self._data = b""
        self._prefix = b""
        self._texts: list[str] | None = None

    def expect(self, values: Iterable[Value]) -> None:
        """Say which texts will be asked for, so that one pass finds those already there."""
        self._wanted.update(value for value in values if isinstance(value, str) and value)

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
        encoded = self._encoded = {text: _encoded(text) for text in self._wanted}
        self._wanted.clear()
        wanted = set(encoded.values())
        items = self._plain_items()
        self._size = len(items)
        for index, item in enumerate(items):
            if item in wanted:
                self._known.setdefault(item, index)

    def _plain_items(self) -> list[bytes]:
        """Return the escaped texts of all items; an item with runs or hints gives its markup.

        Markup begins with `<`, which no escaped text does, so that it equals none.
        """
        opening = b"<%ssi>" % self._prefix
        count = self._data.count(opening)
        prefix = self._prefix
        usual = re.findall(
            rb"<%ssi>(?:<%st(?: xml:space=\"preserve\")?>([^<]*)</%st>|(.*?))</%ssi>"
            % (prefix, prefix, prefix, prefix),
            self._data,
            re.DOTALL,
        )
        # Attributes, comments, empty items: whatever is unusual is told apart one by one.
        start = b"<%ssi" % self._prefix
        if len(usual) == count == self._data.count(start) and b"<!" not in self._data:
            return [self._text_or_markup(other) if other else plain for plain, other in usual]
        return [self._text_or_markup(content) for content in self._items()]

    def _text_or_markup(self, content: bytes) -> bytes:
        plain = self._plain(content)
        return content if plain is None else plain

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
        self._references += 1
        return self.place(text)

    def place(self, text: str) -> int:
        """Return the index of a text, adding it when it is new; nothing is counted."""
        known = self._indices.get(text)
        if known is None:
            if self._size < 0:
                self._load()
            encoded = self._encoded.pop(text, None) or _encoded(text)
            known = self._known.get(encoded)
            if known is None:
                known = self._known[encoded] = self._size + len(self._added)
                self._added.append(encoded)
                self._texts = None
            self._indices[text] = known
        return known

    def places(self, texts: Iterable[str]) -> list[int]:
        """Return the index of each text as `place` does."""
        known = self._indices
        place = self.place
        return [known[text] if text in known else place(text) for text in texts]

    def refer(self, count: int) -> None:
        """Count cells that refer to texts whose index is known."""
        self._references += count

    def release(self, count: int = 1) -> None:
        """Count off cells that no longer refer to a shared string."""
        self._references -= count

    def texts(self) -> list[str]:
        """Return all texts, runs joined, phonetic hints left out; for reading row keys."""
        if self._texts is None:
            if self._size < 0:
                self._load()
            self._texts = [
                *map(self._shown, self._items()),
                *(xml.decode_text(xml.unescape(added)) for added in self._added),
            ]
        return self._texts

    def _shown(self, content: bytes) -> str:
        plain = self._plain(content)
        if plain is None:
            prefix = self._prefix
            hint = re.compile(rb"<%srPh[\s>].*?</%srPh>" % (prefix, prefix), re.DOTALL)
            text = re.compile(rb"<%st(?:\s[^>]*)?>([^<]*)</%st>" % (prefix, prefix))
            plain = b"".join(text.findall(hint.sub(b"", content)))
        return xml.decode_text(xml.unescape(plain))

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
        view = memoryview(self._data)
        if match[2]:
            body, rest = view[:0], self._data[match.end() :]
        else:
            end = self._data.rindex(b"</%ssst" % prefix)
            body = view[match.end() : end]
            rest = self._data[self._data.index(b">", end) + 1 :]
        if self._part is None:
            self._part = self._package.free_name("xl/sharedStrings{}.xml").replace("1.xml", ".xml")
            self._package.declare(self._part, _TYPE)
            self._package.relate(self._workbook, "sharedStrings", self._part)
        pieces: list[bytes | memoryview] = [
            self._data[: match.start()] + opening,
            body,
            items,
            closing + rest,
        ]
        # What was there already is only read again where that costs nothing to speak of.
        new = pieces if len(body) < _SMALL else [pieces[0], *pieces[2:]]
        xml.check_well_formed(new, self._part)
        self._package.write(self._part, pieces)
        self._added.clear()
        self._references = 0
        self._size = -1
        self._data = b""


_PLAIN = re.compile(r"[^&<>_\x00-\x08\x0b-\x1f\ufffe\uffff\ud800-\udfff]*")


def _encoded(text: str) -> bytes:
    if _PLAIN.fullmatch(text):
        return text.encode()
    return xml.escape(xml.encode_text(text))


def _needs_space(text: bytes) -> bool:
    return text != text.strip() or b"\n" in text or b"  " in text or b"\t" in text

"""A package held in memory: parts, relationships, content types; unread entries stay as bytes."""

from __future__ import annotations

import io
import posixpath
import struct
import zipfile
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import unquote

from lxml import etree

from xl_theodoi.domain.errors import TheodoiError
from xl_theodoi.workbook.editing import xml
from xl_theodoi.workbook.editing.zip import LOCAL, UTF8_NAME, ZipWriter, inflate

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lxml.etree import _Element

    from xl_theodoi.workbook.editing.zip import Pieces

MAX_PART = 1 << 30
"""Largest part that is read, in bytes; more is a bomb or no register."""

_ENCRYPTED = 0x1
_CONTENT_TYPES = "[Content_Types].xml"
_COMPOUND_FILE = bytes.fromhex("D0CF11E0A1B11AE1")


@dataclass(frozen=True, slots=True)
class Relationship:
    """One relationship of a part; `target` is a part name, or an outside address."""

    id: str
    type: str
    target: str
    external: bool = False

    @property
    def kind(self) -> str:
        """Last word of the type, for example `table`."""
        return self.type.rpartition("/")[2]


class Package:
    """The parts of one workbook file.

    Parts that are neither written nor removed are copied as compressed bytes, with their
    name, time stamp and place in the file.

    Args:
        data: The file's bytes.
        file: File name as shown to people.

    Raises:
        TheodoiError: `edit_not_a_package` when the bytes are no zip package,
            `edit_encrypted` when a password protects them.
    """

    def __init__(self, data: bytes, file: str) -> None:
        self.file = file
        self.data = data
        if data.startswith(_COMPOUND_FILE):
            raise TheodoiError("edit_encrypted", file=file)
        try:
            self._zip = zipfile.ZipFile(io.BytesIO(data))
        except (zipfile.BadZipFile, ValueError, struct.error) as error:
            raise TheodoiError("edit_not_a_package", file=file, reason=str(error)) from error
        self._entries: dict[str, zipfile.ZipInfo] = {}
        folded: set[str] = set()
        for entry in self._zip.infolist():
            if entry.filename.casefold() in folded:
                raise TheodoiError("edit_not_a_package", file=file, reason=entry.filename)
            if entry.flag_bits & _ENCRYPTED:
                raise TheodoiError("edit_encrypted", file=file)
            folded.add(entry.filename.casefold())
            self._entries[entry.filename] = entry
        self._folded = {name.casefold(): name for name in self._entries}
        self._written: dict[str, Pieces] = {}
        self._removed: set[str] = set()
        self._types: _Element | None = None
        self._types_changed = False
        self._rels: dict[str, _Element] = {}
        self._rels_changed: set[str] = set()

    # Parts

    def names(self) -> list[str]:
        """Return the names of all parts there are now, in file order, new ones last."""
        names = [name for name in self._entries if name not in self._removed]
        return names + [name for name in self._written if name not in self._entries]

    def has(self, name: str) -> bool:
        """Whether there is a part of this name, in any case of letters."""
        return self.find(name) is not None

    def find(self, name: str) -> str | None:
        """Return the part's name as the file spells it, or `None`."""
        if name in self._written or (name in self._entries and name not in self._removed):
            return name
        found = self._folded.get(name.casefold())
        return None if found is None or found in self._removed else found

    def read(self, name: str) -> bytes:
        """Return a part's bytes as they are now.

        Raises:
            TheodoiError: `edit_unreadable_part` when the part is missing, damaged or too large.
        """
        found = self.find(name)
        if found is None:
            raise TheodoiError("edit_unreadable_part", part=name, reason="404")
        if found in self._written:
            pieces = self._written[found]
            return bytes(pieces[0]) if len(pieces) == 1 else b"".join(pieces)
        return self.original(found)

    def original(self, name: str) -> bytes:
        """Return a part's bytes as the file had them."""
        entry = self._entries[name]
        if entry.file_size > MAX_PART:
            raise TheodoiError("edit_unreadable_part", part=name, reason=f"{entry.file_size} B")
        try:
            if entry.compress_type != zipfile.ZIP_DEFLATED:
                return self._zip.read(entry)
            raw = self._raw(entry)
            if self._local_name(entry) != entry.orig_filename:
                raise zipfile.BadZipFile(entry.orig_filename)  # noqa: TRY301
            return inflate(raw, entry.file_size, entry.CRC)
        except (zipfile.BadZipFile, zlib.error, NotImplementedError, EOFError) as error:
            raise TheodoiError("edit_unreadable_part", part=name, reason=str(error)) from error

    def xml(self, name: str) -> _Element:
        """Return the root of a part."""
        return xml.parse_xml(self.read(name), name)

    def write(self, name: str, content: bytes | Pieces) -> None:
        """Replace a part's content, or add a part; pieces are joined when they are deflated."""
        found = self.find(name) or name
        self._removed.discard(found)
        self._written[found] = [content] if isinstance(content, bytes) else content

    def remove(self, name: str) -> None:
        """Take a part out, with its content type and the relationships that belong to it."""
        found = self.find(name)
        if found is None:
            return
        self._written.pop(found, None)
        if found in self._entries:
            self._removed.add(found)
        types = self._content_types()
        for override in types.findall(xml.tag("Override", xml.CONTENT_TYPES)):
            if override.get("PartName", "").lstrip("/").casefold() == found.casefold():
                types.remove(override)
                self._types_changed = True

    def changed(self) -> tuple[str, ...]:
        """Return the names of the parts that differ from the file: written, added, removed."""
        self._flush()
        names = [n for n in self._entries if n in self._written or n in self._removed]
        return (*names, *(n for n in self._written if n not in self._entries))

    # Content types

    def _content_types(self) -> _Element:
        if self._types is None:
            self._types = self.xml(_CONTENT_TYPES)
        return self._types

    def content_type(self, name: str) -> str:
        """Return a part's content type, empty when none is declared."""
        types = self._content_types()
        wanted = "/" + name.casefold()
        for override in types.findall(xml.tag("Override", xml.CONTENT_TYPES)):
            if override.get("PartName", "").casefold() == wanted:
                return override.get("ContentType", "")
        extension = name.rpartition(".")[2].casefold()
        for default in types.findall(xml.tag("Default", xml.CONTENT_TYPES)):
            if default.get("Extension", "").casefold() == extension:
                return default.get("ContentType", "")
        return ""

    def parts_of_type(self, ending: str) -> list[str]:
        """Return the names of the parts whose content type ends like this."""
        found: list[str] = []
        for override in self._content_types().findall(xml.tag("Override", xml.CONTENT_TYPES)):
            if override.get("ContentType", "").casefold().endswith(ending.casefold()):
                name = self.find(override.get("PartName", "").lstrip("/"))
                if name is not None:
                    found.append(name)
        return found

    def declare(self, name: str, content_type: str) -> None:
        """Give a new part its content type."""
        types = self._content_types()
        etree.SubElement(
            types,
            xml.tag("Override", xml.CONTENT_TYPES),
            {"PartName": "/" + name, "ContentType": content_type},
        )
        self._types_changed = True

    def declare_extension(self, extension: str, content_type: str) -> None:
        """Give an extension its content type, where it has none yet."""
        types = self._content_types()
        defaults = types.findall(xml.tag("Default", xml.CONTENT_TYPES))
        if any(d.get("Extension", "").casefold() == extension for d in defaults):
            return
        default = etree.Element(
            xml.tag("Default", xml.CONTENT_TYPES),
            {"Extension": extension, "ContentType": content_type},
        )
        types.insert(len(defaults), default)
        self._types_changed = True

    # Relationships

    def _rels_root(self, part: str) -> tuple[str, _Element | None]:
        folder, base = posixpath.split(part)
        name = posixpath.join(folder, "_rels", base + ".rels")
        name = self.find(name) or name
        if name not in self._rels and self.has(name):
            self._rels[name] = self.xml(name)
        return name, self._rels.get(name)

    def relationships(self, part: str) -> list[Relationship]:
        """Return the relationships of a part (of the package, for an empty name)."""
        _, root = self._rels_root(part)
        if root is None:
            return []
        folder = posixpath.dirname(part)
        result: list[Relationship] = []
        for node in root.findall(xml.tag("Relationship", xml.PACKAGE_RELS)):
            target = node.get("Target", "")
            external = node.get("TargetMode") == "External"
            if not external:
                path = unquote(target).partition("#")[0]
                path = path.lstrip("/") if path.startswith("/") else posixpath.join(folder, path)
                target = posixpath.normpath(path)
                target = self.find(target) or target
            result.append(Relationship(node.get("Id", ""), node.get("Type", ""), target, external))
        return result

    def relate(self, part: str, kind: str, target: str) -> str:
        """Add a relationship of an office-document kind and return its id."""
        name, root = self._rels_root(part)
        if root is None:
            root = etree.Element(
                xml.tag("Relationships", xml.PACKAGE_RELS),
                nsmap={None: xml.PACKAGE_RELS},  # type: ignore[dict-item]
            )
            self._rels[name] = root
        used = {node.get("Id") for node in root}
        number = len(used) + 1
        while f"rId{number}" in used:
            number += 1
        etree.SubElement(
            root,
            xml.tag("Relationship", xml.PACKAGE_RELS),
            {"Id": f"rId{number}", "Type": f"{xml.REL}/{kind}", "Target": "/" + target},
        )
        self._rels_changed.add(name)
        return f"rId{number}"

    def unrelate(self, part: str, target: str) -> None:
        """Take out the relationships of a part that lead to another part."""
        name, root = self._rels_root(part)
        if root is None:
            return
        gone = {r.id for r in self.relationships(part) if not r.external and r.target == target}
        for node in list(root):
            if node.get("Id") in gone:
                root.remove(node)
                self._rels_changed.add(name)

    def free_name(self, pattern: str) -> str:
        """Return the first unused part name of a pattern with a `{}` for the number."""
        number = 1
        while self.has(pattern.format(number)):
            number += 1
        return pattern.format(number)

    # Writing

    def _flush(self) -> None:
        if self._types is not None and self._types_changed:
            self.write(_CONTENT_TYPES, xml.write_xml(self._types))
            self._types_changed = False
        for name in sorted(self._rels_changed):
            self.write(name, xml.write_xml(self._rels[name]))
        self._rels_changed.clear()

    def build(self) -> bytes:
        """Return the bytes of the package as it is now; unchanged, the very bytes of the file.

        Raises:
            TheodoiError: `edit_too_large` when the result would exceed four gigabytes.
        """
        self._flush()
        if not self._written and not self._removed:
            return self.data
        writer = ZipWriter()
        for name in self.names():
            written = self._written.get(name)
            entry = self._entries.get(name)
            if written is not None:
                writer.add(name, entry, written)
            elif entry is not None:
                writer.copy(entry, self._raw(entry))
        return writer.close(self._zip.comment)

    def _raw(self, entry: zipfile.ZipInfo) -> memoryview:
        """Return an entry's compressed bytes as they lie in the file."""
        view = memoryview(self.data)
        at = entry.header_offset
        try:
            fields = LOCAL.unpack_from(view, at)
        except struct.error as error:
            raise TheodoiError(
                "edit_unreadable_part", part=entry.filename, reason=str(error)
            ) from error
        start = at + LOCAL.size + fields[9] + fields[10]
        raw = view[start : start + entry.compress_size]
        if fields[0] != b"PK\x03\x04" or len(raw) != entry.compress_size:
            raise TheodoiError("edit_unreadable_part", part=entry.filename, reason="zip")
        return raw

    def _local_name(self, entry: zipfile.ZipInfo) -> str:
        """Return an entry's name as it stands before its bytes."""
        start = entry.header_offset + LOCAL.size
        length = LOCAL.unpack_from(self.data, entry.header_offset)[9]
        name = self.data[start : start + length]
        return name.decode("utf-8" if entry.flag_bits & UTF8_NAME else "cp437", "replace")

    def untouched(self) -> Iterator[tuple[str, memoryview, int]]:
        """Yield name, compressed bytes and CRC of every entry that is copied as it is."""
        for name, entry in self._entries.items():
            if name not in self._written and name not in self._removed:
                yield name, self._raw(entry), entry.CRC

    def written(self) -> Iterator[tuple[str, Pieces]]:
        """Yield name and content of every part that is written."""
        yield from self._written.items()

"""Tells what differs between two states of a workbook, part by part, in words.

Nothing here imports the program.
"""

from __future__ import annotations

import difflib
import io
import re
import struct
import zipfile
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lxml import etree
from openxml_audit import OpenXmlValidator

if TYPE_CHECKING:
    from pathlib import Path

ROW = re.compile(rb"<row\b[^>]*?(?:/>|(?<!/)>.*?</row>)", re.DOTALL)
CELL = re.compile(rb"<c\b[^>]*?(?:/>|(?<!/)>.*?</c>)", re.DOTALL)


@dataclass(frozen=True)
class Entry:
    """One part: its bytes, and how it lies in the file."""

    data: bytes
    packed: bytes
    attributes: tuple[object, ...]


def entries(data: bytes) -> dict[str, Entry]:
    """Return the parts of a package, checked against their sums, in file order."""
    result = {}
    with zipfile.ZipFile(io.BytesIO(data)) as package:
        assert package.testzip() is None
        for info in package.infolist():
            name, extra = struct.unpack_from("<HH", data, info.header_offset + 26)
            start = info.header_offset + 30 + name + extra
            attributes = (
                info.date_time, info.external_attr, info.internal_attr, info.create_system,
                info.comment, info.extra,
            )  # fmt: skip
            # The very bytes, so also the way they are packed.
            packed = data[start : start + info.compress_size]
            result[info.filename] = Entry(package.read(info), packed, attributes)
    return result


def check_untouched(before: dict[str, Entry], after: dict[str, Entry], said: list[str]) -> None:
    """Every part that is not named is the same in the file; every named one really differs."""
    differing = {
        name
        for name in before.keys() | after.keys()
        if name not in before or name not in after or before[name].data != after[name].data
    }
    assert set(said) == differing
    assert len(said) == len(set(said))
    kept = [name for name in before if name in after]
    assert list(after)[: len(kept)] == kept
    for name in kept:
        if name not in differing:
            assert after[name] == before[name], name
        else:
            assert after[name].attributes == before[name].attributes, name


def differences(before: bytes, after: bytes) -> set[str]:
    """Return how two XML parts differ: `name@attribute`, `name text`, `+name`, `-name`.

    Namespaces declared at the root, its attributes and `mc:Ignorable` must be the same.
    """
    old, new = etree.fromstring(before), etree.fromstring(after)
    assert old.nsmap == new.nsmap
    found: set[str] = set()
    _compare(old, new, found)
    return found


def _local(node) -> str:
    return str(node.tag).rpartition("}")[2]


def _compare(old, new, found: set[str]) -> None:
    name = _local(old)
    assert old.tag == new.tag
    for key in {*old.attrib, *new.attrib}:
        if old.get(key) != new.get(key):
            found.add(f"{name}@{key.rpartition('}')[2]}")
    if (old.text or "").strip() != (new.text or "").strip():
        found.add(f"{name} text")
    tags = [_key(n) for n in old], [_key(n) for n in new]
    for kind, a, b, c, d in difflib.SequenceMatcher(None, *tags, autojunk=False).get_opcodes():
        if kind in ("equal", "replace") and b - a == d - c:
            for left, right in zip(old[a:b], new[c:d], strict=True):
                _compare(left, right, found)
        else:
            found.update(f"-{_local(node)}" for node in old[a:b])
            found.update(f"+{_local(node)}" for node in new[c:d])


def _key(node) -> str:
    return str(node.tag)


def _without_rows(sheet: bytes) -> tuple[bytes, list[bytes]]:
    empty = re.search(rb"<sheetData\s*/>", sheet)
    if empty:
        return sheet, []
    start = re.search(rb"<sheetData[^>]*>", sheet).end()
    stop = sheet.index(b"</sheetData>")
    rest = sheet[:start] + sheet[stop:]
    return rest, ROW.findall(sheet[start:stop])


def _numbered(rows: list[bytes]) -> dict[int, bytes]:
    numbers: dict[int, bytes] = {}
    last = 0
    for row in rows:
        named = re.match(rb'<row\b[^>]*?\sr="(\d+)"', row)
        last = int(named[1]) if named else last + 1
        numbers[last] = row
    return numbers


def sheet_differences(before: bytes, after: bytes) -> tuple[set[str], set[int]]:
    """Return how the edges of two sheets differ, and the numbers of the rows that differ.

    A row may differ only where one of its cells has another value, formula or format; all
    its other cells have the same bytes, and its attributes are the same but for the height
    and the span.
    """
    old_rest, old_rows = _without_rows(before)
    new_rest, new_rows = _without_rows(after)
    old, new = _numbered(old_rows), _numbered(new_rows)
    assert old.keys() <= new.keys(), "a row went"
    touched = set(new) - set(old)
    for number, row in old.items():
        if new[number] == row:
            continue
        touched.add(number)
        assert _row_attributes(row) == _row_attributes(new[number]), number
        left, right = _cells(row), _cells(new[number])
        other = {c for c in left.keys() | right.keys() if left.get(c) != right.get(c)}
        assert other, f"row {number} was written anew without need"
        for cell in other:
            assert _meaning(left.get(cell)) != _meaning(right.get(cell)), (cell, left.get(cell))
    edges = differences(old_rest, new_rest) if old_rest != new_rest else set()
    return edges, touched


def _row_attributes(row: bytes) -> dict[bytes, bytes]:
    start = row[: row.index(b">")]
    found = dict(re.findall(rb'([\w:]+)="([^"]*)"', start))
    return {k: v for k, v in found.items() if k not in (b"ht", b"spans")}


def _cells(row: bytes) -> dict[str, bytes]:
    return {re.search(rb'\sr="(\w+)"', cell)[1].decode(): cell for cell in CELL.findall(row)}


def _meaning(cell: bytes | None) -> tuple[object, ...]:
    if cell is None:
        return ()
    attributes = dict(re.findall(rb'([\w:]+)="([^"]*)"', cell[: cell.index(b">")]))
    inner = re.sub(rb"^<c\b[^>]*>", b"", cell)
    return attributes.get(b"s", b""), attributes.get(b"t", b""), inner


def string_items(data: bytes) -> list[bytes]:
    """Return the shared strings as they stand."""
    return re.findall(rb"<si>.*?</si>|<si/>", data, re.DOTALL)


def audit(path: Path) -> Counter[tuple[str, str]]:
    """Return what the validator finds in a workbook, by part, numbers left out."""
    result = OpenXmlValidator().validate(str(path))
    return Counter(
        (error.part_uri, re.sub(r"\d+", "n", error.description)) for error in result.errors
    )

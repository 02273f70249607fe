"""The parts of an `.xlsx` or `.xlsm` package, inflated only within stated limits.

The directory of a zip file is a claim, not a fact: it is judged before anything is
inflated, and what is inflated is counted against it. Every error leaves here as a
`TheodoiError` whose code is a file-level reason of the contract.
"""

from __future__ import annotations

import io
import struct
import zipfile
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar, cast

from isal import isal_zlib

from xl_theodoi.domain.errors import TheodoiError
from xl_theodoi.workbook.reading.guarded_xml import parse_small

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_Parsed = TypeVar("_Parsed")

MEGABYTE = 1 << 20

MAIN_NAMESPACES = (
    "http://schemas.openxmlformats.org/spreadsheetml/2006/main",
    "http://purl.oclc.org/ooxml/spreadsheetml/main",
)
"""SpreadsheetML, transitional and strict."""

_STRICT_PREFIX = "http://purl.oclc.org/ooxml/"
_WORKBOOK_TYPES = ("sheet.main+xml", "sheet.macroenabled.main+xml", "template.main+xml")
_OLE_MAGIC = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_LOCAL_HEADER = struct.Struct("<4s22xHH")
_DIRECTORY_MARK = b"PK\x01\x02"
_CHUNK = 2 * MEGABYTE
_LARGEST_KEPT = MEGABYTE // 16
"""Bytes of a small part up to which what it says is kept for the next file."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How much a workbook may ask of us before it is refused as `too_large`.

    Attributes:
        file_bytes: Size of the file itself.
        parts: Number of parts in the package.
        part_bytes: Inflated size of one part.
        total_bytes: Inflated size of all parts together.
        ratio: Inflated size over packed size of one part; judged only above `ratio_floor`,
            because honest sheets with thousands of alike rows reach a few hundred.
        ratio_floor: Inflated size in bytes below which no ratio is suspicious.
        structure_bytes: Inflated size of a part that is not cells: styles, names, tables.
        rows: Filled rows of one sheet, counted in its fullest column.
        cells: Filled cells of one sheet; formatted blank cells do not count.
        strings: Entries of the shared string table.
        items: Entries of any other list: sheets, names, tables, cell formats.
    """

    file_bytes: int
    parts: int
    part_bytes: int
    total_bytes: int
    ratio: int
    ratio_floor: int
    structure_bytes: int
    rows: int
    cells: int
    strings: int
    items: int


MASTER_LIMITS = Limits(
    file_bytes=400 * MEGABYTE,
    parts=20_000,
    part_bytes=1200 * MEGABYTE,
    total_bytes=1200 * MEGABYTE,
    ratio=1000,
    ratio_floor=600 * MEGABYTE,
    structure_bytes=64 * MEGABYTE,
    rows=1_048_576,
    cells=30_000_000,
    strings=30_000_000,
    items=200_000,
)
"""For the office's own workbook."""

RETURN_LIMITS = Limits(
    file_bytes=50 * MEGABYTE,
    parts=3_000,
    part_bytes=300 * MEGABYTE,
    total_bytes=300 * MEGABYTE,
    ratio=400,
    ratio_floor=64 * MEGABYTE,
    structure_bytes=24 * MEGABYTE,
    rows=200_000,
    cells=2_000_000,
    strings=2_000_000,
    items=70_000,
)
"""For a workbook that somebody sent: a unit's list has hundreds of rows, not millions."""


@dataclass(frozen=True, slots=True)
class Relationship:
    """One relationship of a part.

    Attributes:
        id: Identifier within its part, such as `rId1`.
        kind: Last segment of the type's address: `worksheet`, `table`, `vbaProject`.
        target: Part name for an internal target, the address as written for an external one.
        external: Whether the target lies outside the package.
    """

    id: str
    kind: str
    target: str
    external: bool


@dataclass(slots=True)
class Package:
    """An opened package: its parts by name, relationships and content types.

    Part names are compared without regard to case, as the packaging rules ask; they carry
    no leading slash.

    Attributes:
        data: The bytes of the file.
        file: File name as shown to people.
        limits: What reading may cost.
        entries: Directory entries by part name in lower case.
        workbook_part: Name of the workbook part.
        is_strict: Whether the workbook is Strict OOXML.
        content_types: Content type by part name in lower case.
    """

    data: bytes
    file: str
    limits: Limits
    entries: dict[str, zipfile.ZipInfo]
    workbook_part: str = ""
    is_strict: bool = False
    content_types: dict[str, str] = field(default_factory=dict)
    _default_types: dict[str, str] = field(default_factory=dict)
    _relationships: dict[str, list[Relationship]] = field(default_factory=dict)
    _sha256: str = ""

    @property
    def sha256(self) -> str:
        """Hash of the file's bytes, hexadecimal."""
        if not self._sha256:
            self._sha256 = sha256(self.data).hexdigest()
        return self._sha256

    @property
    def part_names(self) -> list[str]:
        """Names of all parts as the file writes them, in directory order."""
        return [_clean_name(entry) for entry in self.entries.values() if not entry.is_dir()]

    def has(self, part: str) -> bool:
        """Whether the package has this part."""
        return part.lower() in self.entries

    def size(self, part: str) -> int:
        """Return the inflated size that the directory claims for a part, 0 for a missing one."""
        entry = self.entries.get(part.lower())
        return 0 if entry is None else entry.file_size

    def content_type(self, part: str) -> str:
        """Return the content type of a part in lower case, blank where none is declared."""
        name = part.lower()
        return self.content_types.get(name) or self._default_types.get(name.rpartition(".")[2], "")

    def chunks(self, part: str, limit: int | None = None) -> Iterator[bytes]:
        """Yield the inflated bytes of a part, piece by piece.

        Args:
            part: Part name.
            limit: Largest inflated size accepted; the limit for any part if not given.

        Raises:
            TheodoiError: `not_a_workbook` if the part is missing, damaged or longer than the
                directory says; `too_large` beyond the limit.
        """
        entry = self.entries.get(part.lower())
        if entry is None:
            raise self.damaged(part)
        most = self.limits.part_bytes if limit is None else limit
        if entry.file_size > most:
            raise self.too_large("part_bytes", part)
        start = entry.header_offset
        magic, name_length, extra_length = _LOCAL_HEADER.unpack_from(self.data, start)
        if magic != b"PK\x03\x04":
            raise self.damaged(part)
        start += _LOCAL_HEADER.size + name_length + extra_length
        packed = memoryview(self.data)[start : start + entry.compress_size]
        if len(packed) != entry.compress_size:
            raise self.damaged(part)
        size = crc = 0
        for piece in _inflate(packed, entry):
            size += len(piece)
            if size > entry.file_size:
                raise self.damaged(part)
            crc = isal_zlib.crc32(piece, crc)
            yield piece
        if size != entry.file_size or crc != entry.CRC:
            raise self.damaged(part)

    def read(self, part: str, limit: int | None = None) -> bytes:
        """Return the inflated bytes of a part; errors as for `chunks`."""
        with self.reading(part):
            return b"".join(self.chunks(part, limit))

    def structure(self, part: str) -> bytes:
        """Return a part that is not cells, within the narrower limit for such parts."""
        return self.read(part, self.limits.structure_bytes)

    def parsed(self, part: str, parse: Callable[[bytes, int], _Parsed]) -> _Parsed:
        """Return what a part that is not cells says.

        The workbooks of a round share most of their small parts byte by byte; the same bytes
        are parsed once.

        Args:
            part: Part name.
            parse: Makes of the bytes something that nobody changes; also told how many
                entries a list may have, beyond which it raises `TooManyError`.

        Raises:
            TheodoiError: `not_a_workbook` or `too_large`.
        """
        with self.reading(part):
            data = self.structure(part)
            try:
                if len(data) > _LARGEST_KEPT:
                    return parse(data, self.limits.items)
                return cast("_Parsed", _known_part(parse, data, self.limits.items))
            except TooManyError as error:
                raise self.too_large("items", part) from error

    def relationships(self, part: str = "") -> list[Relationship]:
        """Return the relationships of a part, or of the package itself where none is named."""
        if part not in self._relationships:
            self._relationships[part] = self._read_relationships(part)
        return self._relationships[part]

    def _read_relationships(self, part: str) -> list[Relationship]:
        folder, _, name = part.rpartition("/")
        rels = f"{folder}/_rels/{name}.rels" if folder else f"_rels/{name}.rels"
        if not self.has(rels):
            return []
        return [
            Relationship(
                identifier, kind, target if external else _resolve(folder, target), external
            )
            for identifier, kind, target, external in self.parsed(rels, _parse_relationships)
        ]

    def check_items(self, count: int, part: str) -> None:
        """Refuse a part whose list of entries has grown beyond the limit."""
        if count > self.limits.items:
            raise self.too_large("items", part)

    def damaged(self, part: str, kind: str = "damaged") -> TheodoiError:
        """Return the error for a part that cannot be read."""
        return TheodoiError("not_a_workbook", file=self.file, kind=kind, part=part)

    def too_large(self, limit: str, part: str = "") -> TheodoiError:
        """Return the error for a limit that is exceeded, named as in `Limits`."""
        return TheodoiError("too_large", file=self.file, limit=limit, part=part)

    @contextmanager
    def reading(self, part: str) -> Iterator[None]:
        """Turn whatever goes wrong while a part is parsed into `not_a_workbook`.

        Hostile bytes find errors that nobody thought of, and none of them may stop the
        intake of the other files; the cause stays chained for whoever debugs.
        """
        try:
            yield
        except TheodoiError:
            raise
        except MemoryError as error:
            raise self.too_large("memory", part) from error
        except Exception as error:
            raise self.damaged(part) from error


class TooManyError(ValueError):
    """A part has more entries of a list than the limits allow."""


def check_count(count: int, most: int) -> None:
    """Refuse a list of entries that has grown beyond a limit; for parsers of parts."""
    if count > most:
        raise TooManyError


@lru_cache(maxsize=256)
def _known_part(parse: Callable[[bytes, int], object], data: bytes, most: int) -> object:
    return parse(data, most)


def open_package(source: Path | str | bytes, limits: Limits, *, file_name: str = "") -> Package:
    """Return the package in a file, judged by its directory before anything is inflated.

    Args:
        source: Path of the file, or its bytes.
        limits: `MASTER_LIMITS` or `RETURN_LIMITS`.
        file_name: Name for messages; the path's last part if not given.

    Raises:
        TheodoiError: `not_a_workbook` (value `kind` tells what it is instead: `empty`,
            `xls`, `xlsb`, `ods`, `html`, `text`, `other_office`, `damaged`, `unknown`),
            `encrypted`, `too_large` (value `limit`), `unsafe_content` (a part name that
            leaves the package), `file_not_found`, `file_unreadable`.
    """
    if isinstance(source, bytes):
        data = source
    else:
        path = Path(source)
        file_name = file_name or path.name
        data = _file_bytes(path, limits, file_name)
    if len(data) > limits.file_bytes:
        raise TheodoiError("too_large", file=file_name, limit="file_bytes", part="")
    _judge_beginning(data, file_name)
    package = Package(data, file_name, limits, {})
    with package.reading(""):
        _read_directory(package)
        _read_content_types(package)
        _find_workbook(package)
    return package


def _file_bytes(path: Path, limits: Limits, file_name: str) -> bytes:
    """Return the bytes of a file, unless it is larger than the limit."""
    try:
        with path.open("rb") as stream:
            return stream.read(limits.file_bytes + 1)
    except FileNotFoundError as error:
        raise TheodoiError("file_not_found", file=file_name) from error
    except OSError as error:
        raise TheodoiError("file_unreadable", file=file_name) from error


def _judge_beginning(data: bytes, file_name: str) -> None:
    """Raise the fitting error for a file that does not even begin like a zip file."""
    if data[:4] == b"PK\x03\x04":
        return
    kind = "unknown"
    if not data.strip(b"\0 \r\n\t"):
        kind = "empty"
    elif data[:8] == _OLE_MAGIC:
        if "EncryptedPackage".encode("utf-16-le") in data:
            raise TheodoiError("encrypted", file=file_name)
        books = ("Workbook".encode("utf-16-le"), "Book".encode("utf-16-le"))
        kind = "xls" if any(book in data for book in books) else "other_office"
    elif data[:2] in (b"\x09\x08", b"\x09\x04", b"\x09\x02", b"\x09\x00"):
        kind = "xls"
    elif data.lstrip(b"\xef\xbb\xbf \r\n\t")[:1] == b"<":
        kind = "html"
    elif b"\0" not in data[:4096] or data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        kind = "text"
    raise TheodoiError("not_a_workbook", file=file_name, kind=kind, part="")


def _clean_name(entry: zipfile.ZipInfo) -> str:
    """Return a part name with forward slashes; some writers use backslashes."""
    return entry.orig_filename.replace("\\", "/")


def _read_directory(package: Package) -> None:
    """Fill the package's entries from the zip directory and judge them."""
    limits = package.limits
    # Counted before parsing: a directory of a million entries takes seconds to build.
    if package.data.count(_DIRECTORY_MARK) > limits.parts:
        raise package.too_large("parts")
    with zipfile.ZipFile(io.BytesIO(package.data)) as archive:
        entries = archive.infolist()
    if any(entry.flag_bits & 0x1 for entry in entries):
        raise TheodoiError("encrypted", file=package.file)
    for entry in entries:
        name = _clean_name(entry)
        steps = name.split("/")
        if name.startswith("/") or ".." in steps or ":" in name or "\0" in name:
            shown = name.replace("\0", "?")
            raise TheodoiError("unsafe_content", file=package.file, parts=[shown], part=shown)
        if name.lower() in package.entries:
            raise package.damaged(name)
        if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise package.damaged(name)
        package.entries[name.lower()] = entry
    _judge_sizes(package, entries)


def _judge_sizes(package: Package, entries: list[zipfile.ZipInfo]) -> None:
    """Refuse declared sizes beyond the limits and entries that share the same bytes."""
    limits = package.limits
    end = 0
    for entry in sorted(entries, key=lambda entry: entry.header_offset):
        if entry.file_size > limits.part_bytes:
            raise package.too_large("part_bytes", entry.filename)
        suspicious = entry.file_size > limits.ratio * max(entry.compress_size, 1)
        if suspicious and entry.file_size > limits.ratio_floor:
            raise package.too_large("ratio", entry.filename)
        if entry.header_offset < end:
            raise package.damaged(entry.filename)
        end = entry.header_offset + _LOCAL_HEADER.size + entry.compress_size
    if sum(entry.file_size for entry in entries) > limits.total_bytes:
        raise package.too_large("total_bytes")


def _inflate(packed: memoryview, entry: zipfile.ZipInfo) -> Iterator[bytes]:
    """Yield the bytes of an entry in bounded pieces, whatever its directory entry says."""
    if entry.compress_type == zipfile.ZIP_STORED:
        for start in range(0, len(packed), _CHUNK):
            yield bytes(packed[start : start + _CHUNK])
        return
    inflater = isal_zlib.decompressobj(-15)
    rest: bytes | memoryview = packed
    while not inflater.eof:
        piece = inflater.decompress(rest, _CHUNK)
        rest = inflater.unconsumed_tail
        if not piece and not inflater.eof:
            return  # cut off: the size check of the caller sees it
        yield piece


def _read_content_types(package: Package) -> None:
    """Fill the package's content types, by part and by extension."""
    part = "[Content_Types].xml"
    if not package.has(part):
        kind = "ods" if package.has("mimetype") and package.has("content.xml") else "unknown"
        raise package.damaged(part, kind)

    package.content_types, package._default_types = package.parsed(part, _parse_types)  # noqa: SLF001


def _parse_types(data: bytes, most: int) -> tuple[dict[str, str], dict[str, str]]:
    """Return the content types by part and by extension, all in lower case."""
    by_part: dict[str, str] = {}
    by_extension: dict[str, str] = {}

    def start(name: str, attributes: dict[str, str]) -> None:
        kind = attributes.get("ContentType", "").lower()
        if name == "Override":
            by_part[attributes.get("PartName", "").lstrip("/").lower()] = kind
        elif name == "Default":
            by_extension[attributes.get("Extension", "").lower()] = kind
        check_count(len(by_part), most)

    parse_small(data, start)
    return by_part, by_extension


def _parse_relationships(data: bytes, most: int) -> tuple[tuple[str, str, str, bool], ...]:
    """Return id, kind, target as written, and whether it is external, of every relationship."""
    found: list[tuple[str, str, str, bool]] = []

    def start(name: str, attributes: dict[str, str]) -> None:
        if name != "Relationship":
            return
        kind = attributes.get("Type", "").rpartition("/")[2]
        external = attributes.get("TargetMode", "").lower() == "external"
        found.append((attributes.get("Id", ""), kind, attributes.get("Target", ""), external))
        check_count(len(found), most)

    parse_small(data, start)
    return tuple(found)


def _find_workbook(package: Package) -> None:
    """Find the workbook part by relationship and content type, and tell Strict from not."""
    targets = [
        relationship.target
        for relationship in package.relationships()
        if relationship.kind == "officeDocument" and not relationship.external
    ]
    part = targets[0] if targets else "xl/workbook.xml"
    kind = package.content_type(part)
    if "sheet.binary" in kind:
        raise package.damaged(part, "xlsb")
    if not kind.endswith(_WORKBOOK_TYPES) or not package.has(part):
        raise package.damaged(part, "other_office" if package.has(part) else "unknown")
    package.workbook_part = part
    namespace = package.parsed(part, _parse_root)
    if namespace not in MAIN_NAMESPACES:
        raise package.damaged(part, "other_office")
    package.is_strict = namespace.startswith(_STRICT_PREFIX)


def _parse_root(data: bytes, _most: int) -> str:
    """Return the namespace of a part's root element."""
    roots: list[str] = []

    def start(_name: str, _attributes: dict[str, str], namespace: str) -> None:
        if not roots:
            roots.append(namespace)

    parse_small(data, start_qualified=start)
    return roots[0]


def _resolve(folder: str, target: str) -> str:
    """Return the part name of a relationship's target, seen from the folder of its source."""
    steps = [] if target.startswith("/") else folder.split("/") if folder else []
    for step in target.replace("\\", "/").split("/"):
        if step == "..":
            del steps[-1:]
        elif step not in ("", "."):
            steps.append(step)
    return "/".join(steps)

"""What was written is checked against what was meant, before it replaces anything."""

from __future__ import annotations

from xl_theodoi.domain.errors import TheodoiError
from xl_theodoi.workbook.editing.package import Package
from xl_theodoi.workbook.editing.xml import check_well_formed
from xl_theodoi.workbook.editing.zip import holds


def verify(package: Package, result: bytes) -> None:
    """Check a written package against what was meant, before it replaces anything.

    Every untouched part has the same compressed bytes, every written part inflates to what
    was written (untouched rows are views into the old bytes, so they are equal too) and is
    well-formed where it is XML; sheets were checked when their pieces were made.

    Raises:
        TheodoiError: `edit_verification_failed` with the part.
    """
    again = Package(result, package.file)
    if again.names() != package.names():
        raise TheodoiError("edit_verification_failed", file=package.file, part="zip")
    copies = {name: (raw, crc) for name, raw, crc in again.untouched()}
    for name, raw, crc in package.untouched():
        found = copies.get(name)
        # Bytes are compared many times faster than views are.
        if found is None or found[1] != crc or bytes(found[0]) != bytes(raw):
            raise TheodoiError("edit_verification_failed", file=package.file, part=name)
    for name, pieces in package.written():
        raw, crc = copies[name]
        if not holds(raw, pieces, crc):
            raise TheodoiError("edit_verification_failed", file=package.file, part=name)
        if len(pieces) == 1:
            check_well_formed(pieces, name)

"""Which parts of two states of a workbook differ."""

from __future__ import annotations

import io
import zipfile


def differing_parts(before: bytes, after: bytes) -> tuple[str, ...]:
    """Return the names of the parts that differ, that came and that went.

    Sizes and check sums tell; nothing is inflated.

    Args:
        before: A workbook's bytes.
        after: Its bytes at another time.

    Returns:
        Names in the order of the file as it is afterwards, those that went last; none where
        one of the two is no zip file.
    """
    try:
        old, new = _sums(before), _sums(after)
    except zipfile.BadZipFile:
        return ()
    changed = [name for name, found in new.items() if old.get(name) != found]
    return (*changed, *(name for name in old if name not in new))


def _sums(data: bytes) -> dict[str, tuple[int, int]]:
    with zipfile.ZipFile(io.BytesIO(data)) as package:
        return {entry.filename: (entry.CRC, entry.file_size) for entry in package.infolist()}

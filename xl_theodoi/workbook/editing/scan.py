"""Where the rows of a sheet begin and end, found in its bytes."""

from __future__ import annotations

import re
from array import array
from operator import lt

from xl_theodoi.domain.errors import TheodoiError
from xl_theodoi.workbook.editing.refs import MAX_ROW

Rows = tuple["array[int]", "array[int]", "array[int]"]
"""Numbers, places of the first byte and places after the last byte, in ascending order."""


def find_rows(data: bytes, body: tuple[int, int], prefix: bytes, part: str) -> Rows:
    """Return the rows of a sheet.

    Args:
        data: The sheet's bytes, with blanks in place of comments and the like.
        body: Where the rows begin and end.
        prefix: Prefix of the element names.
        part: Part name, for messages.

    Raises:
        TheodoiError: `edit_unreadable_part` when the rows cannot be told apart safely.
    """
    found = usual_rows(data, body, prefix) or any_rows(data, body, prefix, part)
    return array("l", found[0]), array("q", found[1]), array("q", found[2])


def usual_rows(
    data: bytes, body: tuple[int, int], prefix: bytes
) -> tuple[list[int], list[int], list[int]] | None:
    """Find rows each of which begins with its number and follows right on the one before.

    All programs write so, and it takes a third of the time. Return `None` for other rows.
    """
    start, stop = body
    pattern = re.compile(rb'<%srow(?: r="([0-9]+)"(?=[\s/>]))?' % prefix)
    found = [(match.start(), match[1]) for match in pattern.finditer(data, start, stop)]
    starts = [at for at, _ in found]
    if not found or starts[0] != start or any(digits is None for _, digits in found):
        return None
    numbers = [int(digits) for _, digits in found]
    ends = [*starts[1:], stop]
    closing = b"</%srow>" % prefix
    length = len(closing)
    rising = all(map(lt, numbers, numbers[1:])) and 0 < numbers[0] <= numbers[-1] <= MAX_ROW
    # One call tells of sheets without a blank row that every row but the last one is closed.
    inner = data.count(b'%s<%srow r="' % (closing, prefix), start, stop)
    low = len(starts) - 1 if inner == len(starts) - 1 else 0
    if not rising or not all(
        data[end - length : end] == closing
        or (data[end - 2 : end] == b"/>" and data.find(b">", at, end) == end - 1)
        for at, end in zip(starts[low:], ends[low:], strict=True)
    ):
        return None
    return numbers, starts, ends


def any_rows(
    data: bytes, body: tuple[int, int], prefix: bytes, part: str
) -> tuple[list[int], list[int], list[int]]:
    """Find rows one by one, whatever XML allows.

    Raises:
        TheodoiError: `edit_unreadable_part`.
    """
    opening = re.compile(rb"<%srow(?=[\s/>])([^>]*?)(/?)>" % prefix)
    reference = re.compile(rb"""(?<!\S)r\s*=\s*["']\s*([0-9]+)\s*["']""")
    closing = b"</%srow" % prefix
    at, stop = body
    number = 0
    numbers: list[int] = []
    starts: list[int] = []
    ends: list[int] = []
    while (match := opening.search(data, at, stop)) is not None:
        named = reference.search(match[1])
        previous, number = number, int(named[1]) if named else number + 1
        if match[2]:
            end = match.end()
        else:
            end = data.find(closing, match.end(), stop)
            end = data.find(b">", end, stop) + 1 if end >= 0 else 0
        if number <= previous or number > MAX_ROW or end <= 0:
            raise TheodoiError("edit_unreadable_part", part=part, reason=f"row {number}")
        numbers.append(number)
        starts.append(match.start())
        ends.append(end)
        at = end
    return numbers, starts, ends

"""Feeding a large part to the parser in pieces that never cut a text in two."""

from __future__ import annotations

from typing import TYPE_CHECKING

from xl_theodoi.workbook.reading.guarded_xml import DEEPEST, MalformedXmlError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from xml.parsers.expat import XMLParserType


def feed(
    parser: XMLParserType,
    chunks: Iterable[bytes],
    progress: Callable[[], tuple[int, int]],
) -> None:
    """Parse a part piece by piece, cutting before the last `<` of each piece.

    A piece that opens and closes nothing is a single long token, which the parser would read
    again from its beginning with every further piece; the pieces then grow, so that
    the time stays proportional to the size of the part.

    Args:
        parser: Parser with its handlers set.
        chunks: The part's bytes.
        progress: Returns how many elements have begun and ended since it was last asked.

    Raises:
        MalformedXmlError: If elements nest without end.
        ExpatError: If the XML is not well-formed.
    """
    waiting: list[bytes] = []
    size = enough = depth = 0
    for chunk in chunks:
        cut = chunk.rfind(b"<")
        size += len(chunk)
        if cut <= 0 or size < enough:
            waiting.append(chunk)
            continue
        waiting.append(chunk[:cut])
        parser.Parse(b"".join(waiting), False)
        waiting = [chunk[cut:]]
        begun, ended = progress()
        depth += begun - ended
        if depth > DEEPEST:
            raise MalformedXmlError("nesting")
        enough = 2 * size if begun == ended == 0 else 0
        size = len(waiting[0])
    parser.Parse(b"".join(waiting), True)

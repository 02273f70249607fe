"""VBA read by oletools, which its own parser's library warns of as out of date."""

from __future__ import annotations

import warnings

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from oletools.olevba import VBA_Parser, decompress_stream


def decompressed(data: bytes) -> bytes:
    """Return what a compressed container holds."""
    return bytes(decompress_stream(bytearray(data)))


def sources_of(name: str, data: bytes) -> dict[str, bytes]:
    """Return the source of every module of a workbook or of a project."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = VBA_Parser(name, data=data).extract_all_macros()
    return {stream.removeprefix("VBA/"): code.encode("ascii") for _, stream, _, code in found}

"""The compression of a VBA project's streams, after [MS-OVBA] 2.4.1.

Only writing is needed: nothing here reads a project. Chunks of 4,096 bytes are compressed each
on its own, a match being looked for in the same chunk.
"""

from __future__ import annotations

from typing import Final

CHUNK: Final = 4096
_SIGNATURE: Final = 0x01
_COMPRESSED: Final = 0xB000
_RAW: Final = 0x3FFF
_SHORTEST: Final = 3


def compress(data: bytes) -> bytes:
    """Return a compressed container of bytes.

    The format cannot say how long a last chunk is that does not get shorter: such a one is
    filled up with zero bytes (section 2.4.1.3.10). Text never comes to that.

    Example:
        >>> compress(b"aaaaaaaaaaaa").hex()
        '0103b002610800'
    """
    chunks = [data[at : at + CHUNK] for at in range(0, len(data), CHUNK)]
    return bytes([_SIGNATURE]) + b"".join(map(_compressed, chunks))


def _compressed(chunk: bytes) -> bytes:
    tokens = _tokens(chunk)
    if len(tokens) > CHUNK:
        return _RAW.to_bytes(2, "little") + chunk.ljust(CHUNK, b"\0")
    # The size in a header is that of the whole chunk, header included, less three.
    return (_COMPRESSED | (len(tokens) - 1)).to_bytes(2, "little") + tokens


def _tokens(chunk: bytes) -> bytes:
    """Return the chunk as groups of eight tokens, each group behind a byte of flags."""
    out = bytearray()
    at = 0
    while at < len(chunk):
        flags = 0
        group = bytearray()
        for bit in range(8):
            if at >= len(chunk):
                break
            # Bits for the offset: enough for the distance to the chunk's start (2.4.1.3.19.1).
            bits = max((at - 1).bit_length(), 4) if at else 4
            offset, length = _longest_match(chunk, at, (0xFFFF >> bits) + _SHORTEST)
            if length:
                flags |= 1 << bit
                group += ((offset - 1) << (16 - bits) | (length - _SHORTEST)).to_bytes(2, "little")
                at += length
            else:
                group.append(chunk[at])
                at += 1
        out.append(flags)
        out += group
    return bytes(out)


def _longest_match(chunk: bytes, at: int, longest: int) -> tuple[int, int]:
    """Return how far back the longest earlier occurrence begins, and its length; else zeros.

    An occurrence may reach into what is being encoded: so a run of one letter is one token.
    """
    offset = length = 0
    most = min(longest, len(chunk) - at)
    wanted = _SHORTEST
    while wanted <= most:
        found = chunk.rfind(chunk[at : at + wanted], 0, at + wanted - 1)
        if found < 0:
            break
        offset, length = at - found, wanted
        # The match often goes on: as far as it does, there is nothing to search again.
        while length < most and chunk[found + length] == chunk[at + length]:
            length += 1
        wanted = length + 1
    return offset, length

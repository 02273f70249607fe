"""Which files a consolidation looks at."""

from __future__ import annotations

from typing import TYPE_CHECKING

from xl_theodoi.operations.companion import SUFFIX

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

_JUNK = {"thumbs.db", "desktop.ini", "__macosx"}


def files_of(paths: Sequence[Path], master: Path) -> Iterator[tuple[Path, bool]]:
    """Yield the files to look at, and whether each was named itself, in a steady order.

    Folders are looked through with their subfolders. Lock files, hidden files, the master
    and companion folders are left out, and a file that is met twice counts once.

    Args:
        paths: Files and folders.
        master: The master, which may lie in one of the folders.
    """
    seen = {master.resolve()}
    for path in paths:
        is_named = path.is_file()
        for candidate in [path] if is_named else sorted(path.rglob("*")):
            if not candidate.is_file():
                continue
            parts = (path.name,) if is_named else candidate.relative_to(path).parts
            if any(map(_is_left_out, parts)):
                continue
            resolved = candidate.resolve()
            if resolved not in seen:
                seen.add(resolved)
                yield candidate, is_named


def _is_left_out(name: str) -> bool:
    return name.startswith((".", "~$")) or name.casefold() in _JUNK or name.endswith(SUFFIX)

"""The second location: snapshots, journal and records kept a second time, elsewhere.

The copy can be put back as a companion folder as it is. What is missing there is told by
comparing the two folders, so a location that was away catches up by itself. Only what the
program keeps itself is copied, all of it from a master without marks of secrecy.
"""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Final

from xl_theodoi.domain.errors import TheodoiError
from xl_theodoi.domain.findings import Finding, Location, warning
from xl_theodoi.files import Staged, flush_folder, read_file, remove_abandoned, replace_file
from xl_theodoi.messages import error_sentences, system_reason
from xl_theodoi.operations.snapshots import Snapshots

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from xl_theodoi.operations.companion import Companion

KEPT: Final = ("sent", "received")
"""Folders of which every file is copied once; their files never change."""

SOURCE: Final = "source.json"
"""Says whose copies stand in a folder of the second location."""


def keep_in_step(companion: Companion, folder: str) -> list[Finding]:
    """Copy what the second location lacks, and take away the snapshots that have gone.

    Args:
        companion: The master's companion folder.
        folder: The second location, relative to the master or absolute; blank for none.

    Returns:
        A warning where it cannot be reached or written; the command's work is done all the
        same, and the next command tries again.
    """
    if not folder or not companion.folder.is_dir():
        return []
    place = companion.master.absolute().parent / folder
    try:
        if not place.is_dir():
            raise FileNotFoundError(2, os.strerror(2))
        _copy(companion, _own_folder(companion, place))
    except OSError as problem:
        reason = system_reason(problem)
    except TheodoiError as problem:
        cause = problem.__cause__
        known = isinstance(cause, OSError)
        reason = system_reason(cause) if known else error_sentences(problem)[0]  # type: ignore[arg-type]
    else:
        return []
    where = Location(companion.master.name)
    return [warning("second_location_behind", where, path=str(place), reason=reason)]


def _own_folder(companion: Companion, place: Path) -> Path:
    """Return this master's folder in the second location, which others may share.

    A folder of the same name belongs to another master where that still stands elsewhere.
    """
    master = companion.master.resolve()
    number = 1
    while True:
        name = companion.folder.name
        if number > 1:
            name = f"{companion.master.name}-{number}{companion.folder.suffix}"
        folder = place / name
        source = folder / SOURCE
        try:
            other = json.loads(source.read_bytes())["path"]
        except (FileNotFoundError, NotADirectoryError):
            other = None
        except (ValueError, KeyError, TypeError):
            other = None
        if other is None or other == str(master) or not _is_another(other, master):
            if other != str(master):
                replace_file(source, json.dumps({"path": str(master)}).encode())
            return folder
        number += 1


def _is_another(path: str, master: Path) -> bool:
    """Whether a path leads to a master that is not this one by another name."""
    try:
        return not master.samefile(path)
    except (OSError, ValueError):
        # Nothing there any more: the master was moved here.
        return False


def _copy(companion: Companion, folder: Path) -> None:
    own, copy = companion.snapshots, Snapshots(folder / "snapshots", companion.master.suffix)
    entries = own.entries()
    remove_abandoned(folder)
    remove_abandoned(copy.folder)
    copied = {entry["number"]: entry["before"] for entry in copy.entries()}
    present = set(_names(copy.folder))
    for entry in entries:
        number = entry["number"]
        target = copy.path(number)
        if copied.get(number) == entry["before"] and target.name in present:
            continue
        if own.after_path(number).exists():
            replace_file(copy.after_path(number), read_file(own.after_path(number)))
        if own.path(number).exists():
            replace_file(target, read_file(own.path(number)))
    for name in KEPT:
        _copy_missing(companion.folder / name, folder / name)
    # Now that all that is to stay is there. The journal follows: it still names what has to go,
    # should this be stopped.
    for number in copied.keys() - {entry["number"] for entry in entries}:
        copy.after_path(number).unlink(missing_ok=True)
        copy.path(number).unlink(missing_ok=True)
    if copy.entries() != entries:
        copy.write_entries(entries)


def _copy_missing(source: Path, target: Path) -> None:
    """Copy the files that a folder lacks, with its subfolders."""
    for folder, names in _folders(source):
        there = target / folder.relative_to(source)
        present = set(_names(there))
        if any(name.startswith(".") for name in present):
            remove_abandoned(there)
        missing = [name for name in names if name not in present]
        if not missing:
            continue
        there.mkdir(parents=True, exist_ok=True)
        staged: list[Staged] = []
        try:
            staged += (Staged(there / name, read_file(folder / name)) for name in missing)
            for file in staged:
                file.flush()
            for file in staged:
                file.create()
        finally:
            for file in staged:
                file.discard()
        flush_folder(there)


def _folders(source: Path) -> Iterator[tuple[Path, list[str]]]:
    """Yield a folder and those in it with the names of their files; no links, none hidden."""
    try:
        items = sorted(os.scandir(source), key=lambda item: item.name)
    except (FileNotFoundError, NotADirectoryError):
        return
    yield (
        source,
        [
            item.name
            for item in items
            if item.is_file(follow_symlinks=False) and not item.name.startswith(".")
        ],
    )
    for item in items:
        if item.is_dir(follow_symlinks=False):
            yield from _folders(source / item.name)


def _names(folder: Path) -> list[str]:
    try:
        return [path.name for path in folder.iterdir()]
    except FileNotFoundError:
        return []

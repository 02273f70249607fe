"""`addin install` and `addin uninstall`: the add-in in a user's Excel, without administrator.

What is made is noted before it is made, so that a removal finds all of it, even where an
installation was interrupted, and nothing else.
"""

from __future__ import annotations

import codecs
import contextlib
import json
import os
import re
from dataclasses import dataclass, field
from pathlib import Path, PurePath, PureWindowsPath
from typing import TYPE_CHECKING, Any, Final

from xl_theodoi import __version__
from xl_theodoi.addin.build import ADDIN_NAME, build_addin_file, is_addin
from xl_theodoi.addin.places import interpreters
from xl_theodoi.addin.ribbon import read_ribbon
from xl_theodoi.addin.shortcuts import shortcut
from xl_theodoi.domain.errors import TheodoiError
from xl_theodoi.domain.findings import Finding, Location, warning
from xl_theodoi.files import missing_folders, refusals, replace_file
from xl_theodoi.messages import catalogue, text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from xl_theodoi.addin.places import Places

INTERPRETER: Final = "INTERPRETER_WIN"
"""Key of the add-in's configuration; see `macros/TheoDoiPython.bas`."""
OWN_KINDS: Final = (".xlam", ".conf", ".lnk")
"""What an installation makes."""
_LINE = re.compile(r'"([^"]+)","([^"]*)"')
_FORBIDDEN = re.compile(r'[<>:"/\\|?*\x00-\x1f]')


@dataclass(slots=True)
class AddinResult:
    """What was done.

    Attributes:
        written: Files written; those that were right already are not among them.
        unchanged: How many files were right already.
        removed: Files and folders taken away.
        findings: What is doubtful.
        needed: What the computer's administrators must allow, in sentences.
    """

    written: list[Path] = field(default_factory=list)
    unchanged: int = 0
    removed: list[Path] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    needed: Sequence[str] = ()

    @property
    def counts(self) -> dict[str, int]:
        """Numbers for the answer."""
        return {
            "written": len(self.written),
            "unchanged": self.unchanged,
            "removed": len(self.removed),
        }


def build(folder: Path) -> AddinResult:
    """Write the add-in into a folder, for whoever installs it by hand.

    Raises:
        TheodoiError: `would_overwrite` where a file of that name is somebody else's,
            `cannot_write`.
    """
    result = AddinResult()
    _count(result, folder / ADDIN_NAME, _put_addin(folder))
    return result


def install(where: Places, executable: PurePath | None = None) -> AddinResult:
    """Put the add-in, its configuration and the shortcuts in their places.

    Doing it again changes only what differs, so that Excel may be open where the add-in
    itself is the same.

    Args:
        where: The user's places.
        executable: Python of the program; the one that runs this, where none is given.

    Raises:
        TheodoiError: `addin_in_use` where Excel holds an older add-in open, `would_overwrite`
            where a file of that name is somebody else's, `cannot_write`.
    """
    console, quiet = interpreters(executable)
    result = AddinResult(needed=catalogue()["installing"]["needed"])
    links = _shortcuts(where, quiet)
    if not links:
        place = Location(str(where.menu))
        result.findings.append(warning("shortcuts_left_out", place, python=str(console)))
    files = [where.startup / ADDIN_NAME, where.configuration, *links]
    old = read_record(where.record)
    _note(where.record, files, old)
    # The add-in first: it is what Excel may refuse, and then nothing else has changed.
    _count(result, where.startup / ADDIN_NAME, _put_addin(where.startup))
    contents = {where.configuration: _configuration(where.configuration, console), **links}
    for path, data in contents.items():
        _count(result, path, _put(path, data))
    for name in set(old["files"]) - {str(path) for path in files}:
        if name.endswith(OWN_KINDS):
            _remove(Path(name))  # the shortcut of a button that is no more
    return result


def uninstall(where: Places) -> AddinResult:
    """Take away all that `install` has made, and nothing else; a second time does nothing.

    Raises:
        TheodoiError: `addin_in_use` where Excel holds the add-in open: nothing is removed then.
    """
    result = AddinResult()
    record = read_record(where.record)
    addin = where.startup / ADDIN_NAME
    # Whatever a record may have come to say, nothing of another kind is taken away.
    files = [path for path in map(Path, record["files"]) if path.suffix in OWN_KINDS]
    if not files:
        # Installed by hand, or the record is lost: the names are the program's own.
        files = [where.configuration]
        if addin.is_file() and not is_addin(addin.read_bytes()):
            place = Location(str(addin))
            result.findings.append(warning("addin_not_ours", place, path=str(addin)))
        else:
            files.insert(0, addin)
    # The add-in first: it is what Excel may refuse; the record last: it leads to the others.
    in_order = sorted(files, key=lambda path: path.name != ADDIN_NAME)
    result.removed = [path for path in (*in_order, where.record) if _remove(path)]
    own = [where.configuration.parent, where.menu, where.home]
    folders = {*own, *(Path(name) for name in record["folders"])}
    for path in sorted(folders, key=lambda path: len(path.parts), reverse=True):
        # Empty ones only.
        with contextlib.suppress(OSError):
            path.rmdir()
            result.removed.append(path)
    return result


def read_record(path: Path) -> dict[str, list[str]]:
    """Return what an installation has made: `files` and `folders`, both empty without one."""
    try:
        found: Any = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        found = {}
    record = found if isinstance(found, dict) else {}
    lists = {key: record.get(key) for key in ("files", "folders")}
    return {
        key: [item for item in found if isinstance(item, str)] if isinstance(found, list) else []
        for key, found in lists.items()
    }


def read_configuration(path: Path) -> dict[str, str]:
    """Return the add-in's settings, from whatever a version of this program or a hand wrote.

    Raises:
        OSError: Where the file cannot be read.
    """
    data = path.read_bytes()
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        content = data.decode("utf-16", "replace")
    else:
        content = data.decode("utf-8-sig", "replace")
    found = map(_LINE.fullmatch, map(str.strip, content.splitlines()))
    return {match[1]: match[2] for match in found if match}


def _configuration(path: Path, python: PurePath) -> bytes:
    """Return the configuration with this Python; other settings that stand there stay."""
    try:
        settings = read_configuration(path)
    except OSError:
        settings = {}
    settings[INTERPRETER] = str(python)
    content = "".join(f'"{key}","{value}"\r\n' for key, value in settings.items())
    # The add-in opens it as Unicode, so that a user may be called Nguyen with his accents.
    return codecs.BOM_UTF16_LE + content.encode("utf-16-le")


def _shortcuts(where: Places, python: PurePath) -> dict[Path, bytes]:
    """Return the shortcuts: each button on the workbook open in Excel, without macros."""
    windows = PureWindowsPath(python)
    if len(windows.drive) != 2 or not windows.is_absolute():
        return {}
    links = {}
    for number, button in enumerate(read_ribbon(), 1):
        name = text("installing", "shortcut_name", number=f"{number:02}", label=button.label)
        links[where.menu / f"{_FORBIDDEN.sub(' ', name)}.lnk"] = shortcut(
            windows,
            f"-E -P -m xl_theodoi.buttons {button.action}",
            folder=windows.parent,
            description=button.tip,
        )
    # The program is on no search path; in this window it is, `theodoi.cmd` first.
    found = f"{PureWindowsPath(where.home)};{windows.parent}"
    links[where.menu / f"{text('installing', 'console')}.lnk"] = shortcut(
        PureWindowsPath(os.environ.get("SYSTEMROOT", "C:\\Windows"), "System32", "cmd.exe"),
        f'/K "set "PATH={found};%PATH%""',
        folder=PureWindowsPath(where.user),
        description=text("installing", "console_tip"),
    )
    return links


def _note(path: Path, files: Sequence[Path], old: Mapping[str, Sequence[str]]) -> None:
    """Write down what will be there, and which folders are made for it."""
    made = [str(folder) for file in (*files, path) for folder in missing_folders(file.parent)]
    record = {
        "version": __version__,
        "files": list(dict.fromkeys([*map(str, files), *old["files"]])),
        "folders": list(dict.fromkeys([*old["folders"], *made])),
    }
    replace_file(path, (json.dumps(record, ensure_ascii=False, indent=1) + "\n").encode("utf-8"))


def _put_addin(startup: Path) -> bool:
    """Write the add-in into Excel's folder; return whether it was not there as it is."""
    path = startup / ADDIN_NAME
    try:
        before = path.read_bytes()
    except OSError:
        before = None
    try:
        build_addin_file(startup)
    except TheodoiError as problem:
        if isinstance(problem.__cause__, PermissionError) and before is not None:
            raise TheodoiError("addin_in_use", path=str(path)) from problem
        raise
    return before != path.read_bytes()


def _put(path: Path, data: bytes) -> bool:
    """Write a file where it differs; return whether it did."""
    with contextlib.suppress(OSError):
        if path.read_bytes() == data:
            return False
    replace_file(path, data)
    return True


def _count(result: AddinResult, path: Path, is_new: bool) -> None:
    if is_new:
        result.written.append(path)
    else:
        result.unchanged += 1


def _remove(path: Path) -> bool:
    """Remove a file; return whether it was there.

    Raises:
        TheodoiError: `addin_in_use` where Excel holds it, `cannot_write`.
    """
    with refusals(path):
        try:
            path.unlink()
        except FileNotFoundError:
            return False
        except NotADirectoryError:
            return False
        except PermissionError as problem:
            if path.name == ADDIN_NAME:
                raise TheodoiError("addin_in_use", path=str(path)) from problem
            raise
    return True

"""`doctor`: examines an installation, one line a check, and says what to do next.

Each check gives its state, the cause and what to do. Nothing is changed but a file without a
name, made and taken away again to see whether a folder can be written in.
"""

from __future__ import annotations

import importlib
import importlib.metadata
import importlib.util
import os
import re
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

from packaging.requirements import InvalidRequirement, Requirement

from xl_theodoi import __version__
from xl_theodoi.addin.build import ADDIN_NAME, build_addin, is_addin
from xl_theodoi.addin.install import INTERPRETER, read_configuration
from xl_theodoi.addin.places import interpreters, places
from xl_theodoi.addin.system import CHILD_PROCESSES, DEFENDER_RULES, System
from xl_theodoi.addin.wheels import DISTRIBUTION
from xl_theodoi.domain.workdays import WorkCalendar
from xl_theodoi.messages import catalogue, fill, text
from xl_theodoi.resources_time import shipped_days

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import date

    from xl_theodoi.addin.places import Places

OK: Final = "ok"
NOTE: Final = "note"
BROKEN: Final = "broken"

OLDEST_PYTHON: Final = (3, 11)
VIET_NAM_OFFSET: Final = 7 * 3600
STORE: Final = "WindowsApps"
"""In the path of a Python from Microsoft's shop; Windows shows what such a one writes below
`AppData` to no other program, so not to Excel either."""
LONG_PATH: Final = 180
"""Characters of a folder's path from which names below it may pass Windows' 260."""
COMPILED: Final = ("lxml.etree", "isal.isal_zlib", "pydantic_core", "markupsafe")
"""Modules in machine code: what a wrong Python or a missing library breaks first."""
COMPILED_ON_WINDOWS: Final = ("pythoncom", "win32api")


@dataclass(frozen=True, slots=True)
class Line:
    """What one check found.

    Attributes:
        check: Its English name.
        state: `ok`, `note` or `broken`.
        what: What was found, in Vietnamese.
        fix: What to do; blank where nothing is.
        next_command: The command that does it, if one does.
    """

    check: str
    state: str
    what: str
    fix: str = ""
    next_command: str = ""


@dataclass(slots=True)
class DoctorResult:
    """The lines of an examination.

    Attributes:
        lines: In the order in which they are read.
    """

    lines: list[Line] = field(default_factory=list)

    @property
    def counts(self) -> dict[str, int]:
        """How many lines have each state."""
        return {
            state: sum(line.state == state for line in self.lines)
            for state in (OK, NOTE, BROKEN)
        }  # fmt: skip

    @property
    def needs_person(self) -> bool:
        """Whether something must be done before the program works."""
        return self.counts[BROKEN] > 0

    @property
    def next_command(self) -> str:
        """The command to run next."""
        for state in (BROKEN, NOTE):
            for line in self.lines:
                if line.state == state and line.next_command:
                    return line.next_command
        return text("doctor", "next_repeat" if self.needs_person else "next")

    @property
    def verdict(self) -> str:
        """One sentence: whether it works, and the command to run next."""
        counts = self.counts
        state = BROKEN if counts[BROKEN] else NOTE if counts[NOTE] else OK
        return text("doctor", f"verdict_{state}", next=self.next_command, **counts)


def doctor(
    today: date,
    folder: Path | None = None,
    where: Places | None = None,
    system: System | None = None,
) -> DoctorResult:
    """Examine the installation.

    Args:
        today: The day it is.
        folder: Where the user keeps workbooks; the current one where none is given.
        where: The places of Excel and the add-in; the user's own where none are given and the
            system has them.
        system: The computer.
    """
    system = system or System()
    if where is None and system.is_windows:
        where = places()
    result = DoctorResult()
    checks: list[Callable[[], Iterator[Line]]] = [
        lambda: _python(system),
        _program,
        lambda: _packages(system),
        lambda: _excel(system),
        lambda: _addin(system, where),
        lambda: _policies(system),
        lambda: _folder(system, folder or Path.cwd()),
        lambda: _libre_office(system),
        lambda: _time(system, today),
        lambda: _calendar(today),
    ]
    for check in checks:
        result.lines += check()
    return result


def _line(check: str, state: str, reading: str = "", /, **values: object) -> Line:
    """Return a line in the words of `[doctor_lines]`.

    Args:
        check: The check.
        state: What it found.
        reading: Which of several causes, where a state has several.
        values: What the sentences quote.
    """
    entry = catalogue()["doctor_lines"]["_".join(filter(None, (check, reading or state)))]
    said = [fill(entry.get(key, ""), values) for key in ("what", "fix", "next")]
    return Line(check, state, *said)


def _python(system: System) -> Iterator[Line]:
    values = {"version": ".".join(map(str, system.python)), "bits": system.bits}
    if system.python < OLDEST_PYTHON:
        yield _line("python", BROKEN, **values)
    elif STORE in system.prefix:
        yield _line("python", BROKEN, "store", **values)
    elif system.bits < 64 and system.is_windows:
        yield _line("python", NOTE, **values)
    else:
        yield _line("python", OK, **values)


def _program() -> Iterator[Line]:
    place = Path(__file__).parents[1]
    yield _line("program", OK, version=__version__, place=place)


def _packages(system: System) -> Iterator[Line]:
    """Whether what the program asks for is there, in the versions it asks for, and loads."""
    bad, count = [], 0
    for requirement in _requirements(system):
        count += 1
        try:
            version = importlib.metadata.version(requirement.name)
        except importlib.metadata.PackageNotFoundError:
            bad.append(text("doctor", "package_missing", name=requirement.name))
            continue
        if not requirement.specifier.contains(version, prereleases=True):
            found = {"name": requirement.name, "version": version}
            bad.append(text("doctor", "package_version", **found, wanted=requirement.specifier))
    for name in COMPILED + (COMPILED_ON_WINDOWS if system.is_windows else ()):
        try:
            importlib.import_module(name)
        except Exception as problem:  # noqa: BLE001 - a library may raise anything on loading
            bad.append(text("doctor", "package_broken", name=name, reason=type(problem).__name__))
    if bad:
        yield _line("packages", BROKEN, packages="; ".join(bad))
    else:
        yield _line("packages", OK, count=count)
    if importlib.util.find_spec("xlwings") is not None:
        yield _line("xlwings", OK, version=importlib.metadata.version("xlwings"))
    else:
        yield _line("xlwings", BROKEN if system.is_windows else NOTE)


def _requirements(system: System) -> Iterator[Requirement]:
    """Return what the program asks for here; on Windows what Excel needs as well."""
    extra = "excel" if system.is_windows else ""
    try:
        lines = importlib.metadata.requires(DISTRIBUTION) or []
    except importlib.metadata.PackageNotFoundError:
        lines = []
    for line in lines:
        try:
            requirement = Requirement(line)
        except InvalidRequirement:
            continue
        if requirement.marker is None or requirement.marker.evaluate({"extra": extra}):
            yield requirement


def _excel(system: System) -> Iterator[Line]:
    if not system.is_windows:
        yield _line("excel", NOTE, "elsewhere")
    elif found := system.excel():
        yield _line("excel", OK, path=found)
    else:
        yield _line("excel", NOTE)


def _addin(system: System, where: Places | None) -> Iterator[Line]:
    if where is None:
        return
    path = where.startup / ADDIN_NAME
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        yield _line("addin", BROKEN if system.excel() else NOTE, "missing", path=path)
        return
    except OSError:
        yield _line("addin", BROKEN, "unreadable", path=path)
        return
    if data == build_addin():
        yield _line("addin", OK, path=path)
    else:
        yield _line("addin", BROKEN, "older" if is_addin(data) else "foreign", path=path)
    if system.is_windows and _came_from_the_web(path):
        yield _line("addin", BROKEN, "blocked", path=path)
    yield from _configuration(system, where)


def _came_from_the_web(path: Path) -> bool:
    """Whether Windows has marked a file as coming from the network: Excel then runs no macro."""
    try:
        mark = Path(f"{path}:Zone.Identifier").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return False
    return re.search(r"ZoneId=[34]", mark) is not None


def _configuration(system: System, where: Places) -> Iterator[Line]:
    try:
        value = read_configuration(where.configuration).get(INTERPRETER, "")
    except OSError:
        yield _line("configuration", BROKEN, "missing", path=where.configuration)
        return
    python = Path(_expanded(value, system))
    if not value or not python.is_file():
        yield _line("configuration", BROKEN, "no_python", path=where.configuration, python=value)
    elif python not in map(Path, interpreters()):
        yield _line("configuration", NOTE, "other_python", python=python)
    else:
        yield _line("configuration", OK, python=python)


def _expanded(value: str, system: System) -> str:
    known = {name.upper(): content for name, content in system.environment.items()}
    return re.sub(r"%([^%]+)%", lambda match: known.get(match[1].upper(), match[0]), value)


def _policies(system: System) -> Iterator[Line]:
    """What the computer's administrators forbid."""
    if not system.is_windows:
        return
    forbidden = []
    below = r"\Trusted Locations"
    if system.excel_setting("AllLocationsDisabled", below=below) == 1:
        forbidden.append("locations")
    if system.excel_setting("DisableAllAddins") == 1:
        forbidden.append("addins")
    if system.office_policy("VBAOff") == 1:
        forbidden.append("vba")
    if forbidden:
        for name in forbidden:
            yield _line("policy", NOTE, name)
    else:
        yield _line("policy", OK)
    rule = system.registry("machine", DEFENDER_RULES, CHILD_PROCESSES)
    yield _line("defender", NOTE if str(rule) in {"1", "6"} else OK)


def _folder(system: System, folder: Path) -> Iterator[Line]:
    try:
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError:
        yield _line("folder", BROKEN, folder=folder)
    else:
        yield _line("folder", OK, folder=folder)
    clouds = [
        system.environment.get(name)
        for name in ("OneDrive", "OneDriveCommercial", "OneDriveConsumer")
    ]
    if any(cloud and _is_below(folder, cloud) for cloud in clouds):
        yield _line("cloud", NOTE, folder=folder)
    if system.is_windows and len(str(folder)) > LONG_PATH:
        allowed = system.registry(
            "machine", r"SYSTEM\CurrentControlSet\Control\FileSystem", "LongPathsEnabled"
        )
        if allowed != 1:
            yield _line("long_path", NOTE, folder=folder, length=len(str(folder)))


def _is_below(folder: Path, parent: str) -> bool:
    inner, outer = (os.path.normcase(Path(path).absolute()) for path in (folder, parent))
    return Path(inner).is_relative_to(outer)


def _libre_office(system: System) -> Iterator[Line]:
    found = system.libre_office()
    yield _line("libre_office", OK if found else NOTE, path=found or "")


def _time(system: System, today: date) -> Iterator[Line]:
    if system.utc_offset != VIET_NAM_OFFSET:
        yield _line("time_zone", NOTE, hours=f"{system.utc_offset / 3600:+g}")
    else:
        yield _line("time_zone", OK)
    earliest = catalogue()["doctor"]["earliest"]
    if today < earliest:
        yield _line("clock", BROKEN, today=today, earliest=earliest)
    else:
        yield _line("clock", OK, today=today)


def _calendar(today: date) -> Iterator[Line]:
    years = WorkCalendar(shipped_days()).years
    values = {"first": min(years), "last": max(years), "year": today.year, "next": today.year + 1}
    if today.year not in years:
        yield _line("calendar", BROKEN, **values)
    elif today.year + 1 not in years:
        yield _line("calendar", NOTE, **values)
    else:
        yield _line("calendar", OK, **values)

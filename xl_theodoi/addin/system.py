"""What a computer says of itself: registry, programs, time zone; all of it can be stood in for."""

from __future__ import annotations

import os
import shutil
import struct
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

OFFICE_VERSIONS: Final = ("16.0", "15.0")
"""Of the keys under which Office keeps its settings; 16.0 since 2016."""
DEFENDER_RULES: Final = (
    r"SOFTWARE\Policies\Microsoft\Windows Defender\Windows Defender Exploit Guard\ASR\Rules"
)
CHILD_PROCESSES: Final = "d4f940ab-401b-4efc-aadc-ad5f3c50688a"
"""The rule "Block all Office applications from creating child processes"."""


def registry_value(hive: str, key: str, name: str) -> object:
    """Return a value of Windows' registry, None where there is none.

    Args:
        hive: `user` or `machine`.
        key: Path of the key.
        name: Name of the value; blank for the key's own.
    """
    if sys.platform != "win32":
        return None
    import winreg  # noqa: PLC0415 - Windows only

    root = winreg.HKEY_CURRENT_USER if hive == "user" else winreg.HKEY_LOCAL_MACHINE
    try:
        with winreg.OpenKey(root, key, 0, winreg.KEY_READ | winreg.KEY_WOW64_64KEY) as opened:
            value: object = winreg.QueryValueEx(opened, name)[0]
    except OSError:
        return None
    return value


@dataclass(frozen=True, slots=True)
class System:
    """One computer, as far as an examination asks.

    Attributes:
        platform: As `sys.platform`.
        python: Version of Python.
        bits: 32 or 64.
        prefix: Where Python itself is.
        utc_offset: Seconds by which its time is ahead of UTC, in winter.
        environment: Its variables.
        registry: Reads the registry, as `registry_value`.
        which: Finds a program by its name, as `shutil.which`.
    """

    platform: str = sys.platform
    python: tuple[int, ...] = tuple(sys.version_info[:3])
    bits: int = struct.calcsize("P") * 8
    prefix: str = sys.base_prefix
    utc_offset: int = -time.timezone
    environment: Mapping[str, str] = field(default_factory=lambda: os.environ)
    registry: Callable[[str, str, str], object] = registry_value
    which: Callable[[str], str | None] = shutil.which

    @property
    def is_windows(self) -> bool:
        """Whether Excel's add-in can be there."""
        return self.platform == "win32"

    def excel(self) -> str | None:
        """Return where Excel is."""
        key = r"SOFTWARE\Microsoft\Windows\CurrentVersion\App Paths\excel.exe"
        found = self.registry("machine", key, "") or self.registry("user", key, "")
        return found if isinstance(found, str) and found else None

    def excel_setting(self, name: str, *, below: str = "", only_policy: bool = False) -> object:
        """Return a setting of Excel's security, a policy before the user's own choice."""
        places = [r"SOFTWARE\Policies\Microsoft\Office"]
        if not only_policy:
            places.append(r"SOFTWARE\Microsoft\Office")
        for place in places:
            for version in OFFICE_VERSIONS:
                key = rf"{place}\{version}\Excel\Security{below}"
                for hive in ("user", "machine"):
                    value = self.registry(hive, key, name)
                    if value is not None:
                        return value
        return None

    def office_policy(self, name: str) -> object:
        """Return a policy for all of Office."""
        for version in ("common", *(rf"{version}\common" for version in OFFICE_VERSIONS)):
            key = rf"SOFTWARE\Policies\Microsoft\Office\{version}"
            for hive in ("user", "machine"):
                value = self.registry(hive, key, name)
                if value is not None:
                    return value
        return None

    def libre_office(self) -> str | None:
        """Return where LibreOffice is."""
        found = self.which("soffice") or self.which("libreoffice")
        if found or not self.is_windows:
            return found
        for name in ("ProgramFiles", "ProgramFiles(x86)"):
            folder = self.environment.get(name)
            path = Path(folder, "LibreOffice", "program", "soffice.exe") if folder else None
            if path is not None and path.exists():
                return str(path)
        return None

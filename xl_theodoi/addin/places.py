"""Where a user's Excel, Start menu and this program keep their files on Windows."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Final, Self

from xl_theodoi.domain.errors import TheodoiError
from xl_theodoi.messages import text

if TYPE_CHECKING:
    from collections.abc import Mapping

PROGRAM: Final = "TheoDoi"
RECORD: Final = "addin.json"
MAC_STARTUP: Final = (
    "~/Library/Group Containers/UBF8T346G9.Office/User Content.localized/"
    "Startup.localized/Excel"
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Places:
    """Folders and files of one user.

    Attributes:
        startup: Excel opens every file in this folder when it starts.
        configuration: What the add-in reads to find Python.
        record: What an installation of the add-in has made, for its removal.
        menu: Folder of the shortcuts in the Start menu.
        user: The user's own folder.
        home: Where `macros/windows` installs the program; holds the record.
        is_own: Whether these are the places of the user who runs this.
    """

    startup: Path
    configuration: Path
    record: Path
    menu: Path
    user: Path
    home: Path
    is_own: bool

    @classmethod
    def below(cls, user: Path, home: Path | None = None) -> Self:
        """Return the places in a user's folder, on any system.

        Args:
            user: The user's folder, which holds `AppData`.
            home: The program's folder, where it is not the usual one.
        """
        data = user / "AppData"
        return cls._of(user, data / "Roaming", data / "Local", home, is_own=False)

    @classmethod
    def of_this_user(
        cls,
        home: Path | None = None,
        environment: Mapping[str, str] = os.environ,
        platform: str = sys.platform,
    ) -> Self:
        """Return the places of the user who runs this.

        Raises:
            TheodoiError: `addin_needs_windows`, `addin_not_on_mac`; `no_user_folder` where
                Windows does not say where they are.
        """
        if platform == "darwin":
            raise TheodoiError("addin_not_on_mac", path=MAC_STARTUP)
        if platform != "win32":
            raise TheodoiError("addin_needs_windows")
        names = ("USERPROFILE", "APPDATA", "LOCALAPPDATA")
        missing = [name for name in names if not environment.get(name)]
        if missing:
            raise TheodoiError("no_user_folder", names=", ".join(missing))
        user, roaming, local = (Path(environment[name]) for name in names)
        return cls._of(user, roaming, local, home, is_own=True)

    @classmethod
    def _of(
        cls, user: Path, roaming: Path, local: Path, home: Path | None, *, is_own: bool
    ) -> Self:
        home = home or local / PROGRAM
        programs = roaming / "Microsoft" / "Windows" / "Start Menu" / "Programs"
        return cls(
            startup=roaming / "Microsoft" / "Excel" / "XLSTART",
            configuration=user / f".{PROGRAM}" / f"{PROGRAM}.conf",
            record=home / RECORD,
            menu=programs / text("installing", "menu_folder"),
            user=user,
            home=home,
            is_own=is_own,
        )


def places(user: Path | None = None, home: Path | None = None) -> Places:
    """Return the places in a user's folder, or those of the user who runs this."""
    return Places.of_this_user(home) if user is None else Places.below(user.absolute(), home)


def interpreters(executable: PurePath | None = None) -> tuple[PurePath, PurePath]:
    """Return the Python that runs this, with a console and without one."""
    python = executable or Path(sys.executable)
    suffix = python.suffix
    names = f"python{suffix}", f"pythonw{suffix}"
    if not isinstance(python, Path):
        return python.with_name(names[0]), python.with_name(names[1])
    console, quiet = python.with_name(names[0]), python.with_name(names[1])
    return (console if console.exists() else python, quiet if quiet.exists() else python)

"""Building `TheoDoi.xlam` from the sources in `macros/`.

The add-in holds no setting of a computer: which Python it starts stands in a file of the user's
(see `macros/TheoDoiPython.bas`), so that an update need not touch a file that Excel holds open.
"""

from __future__ import annotations

import io
import tomllib
import xml.etree.ElementTree as ET
import zipfile
import zlib
from typing import TYPE_CHECKING, Any, Final

from xl_theodoi import resources
from xl_theodoi.addin.package import SETTINGS, WORKBOOK, Names, write_package
from xl_theodoi.addin.ribbon import FILE_NAME, buttons_of
from xl_theodoi.addin.vba_project import (
    WORKBOOK_CLASS,
    WORKSHEET_CLASS,
    Module,
    document_module,
    write_vba_project,
)
from xl_theodoi.domain.errors import TheodoiError
from xl_theodoi.files import read_file, replace_file

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

ADDIN_NAME: Final = "TheoDoi.xlam"
IDENTIFIER: Final = "xl-theodoi-addin"
MODULES: Final = ("TheoDoi", "TheoDoiExcel", "TheoDoiPython", "TheoDoiRibbon")
"""The sources in the order in which Excel's editor shows them."""
LARGEST: Final = 10_000_000
"""Bytes of a file that is looked into; the add-in has some ten thousand."""


def build_addin() -> bytes:
    """Return the add-in's bytes: the same ones on any system, each time.

    Raises:
        ValueError: Where the sources or the ribbon contradict each other.
    """
    folder = resources.folder("macros")
    modules = addin_modules(folder)
    ribbon = (folder / FILE_NAME).read_bytes().replace(b"\r\n", b"\n")
    buttons_of(ribbon, [m.source.decode("ascii").replace("\r\n", "\n") for m in modules])
    words = addin_words(folder)
    names = Names(words["package"]["title"], words["package"]["description"], IDENTIFIER)
    return write_package(write_vba_project(modules), words["texts"], names, ribbon)


def build_addin_file(folder: Path) -> Path:
    """Write the add-in into a folder, in the place of an older one.

    Returns:
        The file.

    Raises:
        TheodoiError: `would_overwrite` where a file of that name is not our add-in,
            `cannot_read`, `cannot_write`.
    """
    path = folder / ADDIN_NAME
    data = build_addin()
    if path.exists():
        old = read_file(path)
        if old == data:
            return path
        if not is_addin(old):
            raise TheodoiError("would_overwrite", path=str(path))
    replace_file(path, data)
    return path


def is_addin(data: bytes) -> bool:
    """Tell whether a file is an add-in that some version of this program has built."""
    if len(data) > LARGEST:
        return False
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as package:
            entry = package.getinfo("docProps/core.xml")
            if entry.file_size > LARGEST:
                return False
            root = ET.fromstring(package.read(entry))
    except (zipfile.BadZipFile, KeyError, ET.ParseError, zlib.error, RuntimeError, EOFError):
        # `RuntimeError` is what the library says of an entry that is encrypted or packed
        # in an unknown way.
        return False
    found = root.find("{http://purl.org/dc/elements/1.1/}identifier")
    return found is not None and found.text == IDENTIFIER


def addin_modules(folder: Path, names: Sequence[str] = MODULES) -> list[Module]:
    """Return the modules of the add-in, those of the workbook and its sheet first.

    Args:
        folder: Where the sources are.
        names: Which of them.
    """
    return [
        document_module(WORKBOOK, WORKBOOK_CLASS),
        document_module(SETTINGS, WORKSHEET_CLASS),
        *(Module(name, _source(folder / f"{name}.bas")) for name in names),
    ]


def addin_words(folder: Path) -> dict[str, Any]:
    """Return what the add-in says, from `texts.toml`."""
    return tomllib.loads((folder / "texts.toml").read_text(encoding="utf-8"))


def _source(path: Path) -> bytes:
    """Return a source with the line ends of VBA, whatever a tool has made of them."""
    return path.read_bytes().replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")

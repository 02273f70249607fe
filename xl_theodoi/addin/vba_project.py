"""Making a VBA project from source text, after [MS-OVBA].

The project holds source only: the stream `_VBA_PROJECT` is the seven bytes that tell Excel to
compile it (section 2.3.4.1), as in the add-in that xlwings ships. Nothing is drawn by lot and
no time is written, so that the same sources give the same bytes.
"""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from xl_theodoi.addin.compound_file import write_compound_file
from xl_theodoi.addin.vba_compression import compress

if TYPE_CHECKING:
    from collections.abc import Sequence

PROJECT_NAME: Final = "TheoDoiAddin"
"""Not the name of a module: Excel takes no project that has one of that name."""

PROJECT_ID: Final = "{6B7A1D20-4C1E-4E55-9C38-7D0A54484549}"
CODE_PAGE: Final = 1252
LOCALE: Final = 0x409

WORKBOOK_CLASS: Final = "{00020819-0000-0000-C000-000000000046}"
WORKSHEET_CLASS: Final = "{00020820-0000-0000-C000-000000000046}"

REFERENCES: Final = (
    (
        "stdole",
        (
            r"*\G{00020430-0000-0000-C000-000000000046}#2.0#0"
            r"#C:\Windows\System32\stdole2.tlb#OLE Automation"
        ),
    ),
    (
        "Office",
        (
            r"*\G{2DF8D04C-5BFA-101B-BDE5-00AA0044DE52}#2.0#0"
            r"#C:\Program Files\Common Files\Microsoft Shared\OFFICE16\MSO.DLL"
            r"#Microsoft Office 16.0 Object Library"
        ),
    ),
)
"""Libraries beside VBA's and Excel's own. Excel finds them by their identifiers; the paths and
versions are those of one computer. `Office` has the type `IRibbonControl`."""

_SOURCE_ONLY: Final = struct.pack("<HHBH", 0x61CC, 0xFFFF, 0, 1)
_VERSION: Final = (0x61EEF783, 3)
_SEED: Final = 0x5D
"""Any byte will do (section 2.4.3.2); Excel draws one by lot."""
_IDENTIFIER: Final = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,30}")


@dataclass(frozen=True, slots=True)
class Module:
    """One module of a project.

    Attributes:
        name: Its name.
        source: Its text in ASCII with CR LF, its `Attribute` lines included.
        is_document: Whether it belongs to the workbook or a sheet.
    """

    name: str
    source: bytes
    is_document: bool = False


def document_module(name: str, class_id: str) -> Module:
    """Return the empty module that the workbook and every sheet must have.

    Args:
        name: Code name of the workbook or sheet.
        class_id: `WORKBOOK_CLASS` or `WORKSHEET_CLASS`.
    """
    lines = (
        f'Attribute VB_Name = "{name}"',
        f'Attribute VB_Base = "0{class_id}"',
        "Attribute VB_GlobalNameSpace = False",
        "Attribute VB_Creatable = False",
        "Attribute VB_PredeclaredId = True",
        "Attribute VB_Exposed = True",
        "Attribute VB_TemplateDerived = False",
        "Attribute VB_Customizable = True",
        "Option Explicit",
        "",
    )
    return Module(name, "\r\n".join(lines).encode("ascii"), is_document=True)


def write_vba_project(modules: Sequence[Module], name: str = PROJECT_NAME) -> bytes:
    """Return `vbaProject.bin` with modules.

    Args:
        modules: The modules, those of documents first, in the order Excel shows them.
        name: Name of the project.

    Raises:
        ValueError: For a name or a source that would make a broken project.
    """
    names = [module.name for module in modules]
    if len({n.upper() for n in [name, *names]}) != len(names) + 1:
        raise ValueError(f"two of the same name: {[name, *names]}")
    for module in modules:
        _check(module)
    streams = {
        "VBA/dir": compress(_directory(modules, name)),
        "VBA/_VBA_PROJECT": _SOURCE_ONLY,
        "PROJECT": _project_text(modules, name),
        "PROJECTwm": b"".join(_both_names(n) for n in names) + b"\0\0",
    }
    streams.update({f"VBA/{m.name}": compress(m.source) for m in modules})
    return write_compound_file(streams)


def _check(module: Module) -> None:
    if not _IDENTIFIER.fullmatch(module.name):
        raise ValueError(f"not a name of a module: {module.name!r}")
    if not module.source.isascii():
        raise ValueError(f"{module.name}: VBA holds the code page of one machine, write ASCII")
    if b"\n" in module.source.replace(b"\r\n", b"") or not module.source.endswith(b"\r\n"):
        raise ValueError(f"{module.name}: lines of VBA end with CR LF")
    if not module.source.startswith(f'Attribute VB_Name = "{module.name}"\r\n'.encode()):
        raise ValueError(f"{module.name}: the first line must say the name")


def _both_names(name: str) -> bytes:
    """Return a name in the code page and in UTF-16, as PROJECTwm has it (section 2.3.3)."""
    return name.encode("ascii") + b"\0" + name.encode("utf-16-le") + b"\0\0"


# The dir stream (section 2.3.4.2): records of an id, a size and the data.


def _record(number: int, data: bytes = b"") -> bytes:
    return struct.pack("<HL", number, len(data)) + data


def _number(number: int, value: int) -> bytes:
    return _record(number, struct.pack("<L", value))


def _short(number: int, value: int) -> bytes:
    return _record(number, struct.pack("<H", value))


def _text(number: int, wide: int, value: str) -> bytes:
    """Return a text in the code page, then in UTF-16 under a second id."""
    return _record(number, value.encode("ascii")) + _record(wide, value.encode("utf-16-le"))


def _directory(modules: Sequence[Module], name: str) -> bytes:
    return b"".join(
        (
            _number(0x01, 1),  # 32-bit Windows: what Excel of either width writes
            _number(0x02, LOCALE),
            _number(0x14, LOCALE),
            _short(0x03, CODE_PAGE),
            _record(0x04, name.encode("ascii")),
            _text(0x05, 0x40, ""),  # description
            _record(0x06) + _record(0x3D),  # help files
            _number(0x07, 0),
            _number(0x08, 0),
            struct.pack("<HLLH", 0x09, 4, *_VERSION),
            _text(0x0C, 0x3C, ""),  # constants of conditional compilation
            *(_reference(*reference) for reference in REFERENCES),
            _short(0x0F, len(modules)),
            _short(0x13, 0xFFFF),
            *map(_module_record, modules),
            _record(0x10),
        )
    )


def _reference(name: str, library: str) -> bytes:
    """Return a registered reference (section 2.3.4.2.2.5)."""
    path = library.encode("ascii")
    data = struct.pack("<L", len(path)) + path + bytes(6)
    return _text(0x16, 0x3E, name) + _record(0x0D, data)


def _module_record(module: Module) -> bytes:
    return b"".join(
        (
            _text(0x19, 0x47, module.name),
            _text(0x1A, 0x32, module.name),  # the stream
            _text(0x1C, 0x48, ""),
            _number(0x31, 0),  # where the source begins: no compiled code stands before it
            _number(0x1E, 0),
            _short(0x2C, 0xFFFF),
            _record(0x22 if module.is_document else 0x21),
            _record(0x2B),
        )
    )


# The PROJECT stream (section 2.3.1), which the editor reads.


def _project_text(modules: Sequence[Module], name: str) -> bytes:
    lines = [
        f'ID="{PROJECT_ID}"',
        *(
            f"Document={m.name}/&H00000000" if m.is_document else f"Module={m.name}"
            for m in modules
        ),
        f'Name="{name}"',
        'HelpContextID="0"',
        'VersionCompatible32="393222000"',
        f'CMG="{_encrypted(bytes(4))}"',  # not protected
        f'DPB="{_encrypted(bytes(1))}"',  # no password
        f'GC="{_encrypted(bytes([0xFF]))}"',  # visible
        "",
        "[Host Extender Info]",
        "&H00000001={3832D640-CF90-11CF-8E43-00A0C911005A};VBE;&H00000000",
        "",
        "[Workspace]",
        *(f"{m.name}=0, 0, 0, 0, C" for m in modules),
        "",
    ]
    return "\r\n".join(lines).encode("ascii")


def _encrypted(data: bytes, project_id: str = PROJECT_ID, seed: int = _SEED) -> str:
    """Return data as section 2.4.3.2 hides it, in hexadecimal digits."""
    key = sum(project_id.encode("ascii")) & 0xFF
    out = [seed, seed ^ 2, seed ^ key]
    plain = key
    filling = bytes((seed & 6) // 2)
    for byte in filling + struct.pack("<L", len(data)) + data:
        out.append(byte ^ ((out[-2] + plain) & 0xFF))
        plain = byte
    return bytes(out).hex().upper()

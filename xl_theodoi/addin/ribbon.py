"""The ribbon of the add-in: its buttons in the order of the month's work.

The ribbon is data: `macros/customUI14.xml`. Each button says in its `tag` which command of the
command line does the same, and in `onAction` which procedure of the sources Excel calls.
"""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Final

from xl_theodoi import resources

if TYPE_CHECKING:
    from collections.abc import Iterable

FILE_NAME: Final = "customUI14.xml"
NAMESPACE: Final = "http://schemas.microsoft.com/office/2009/07/customui"
"""The schema that Excel 2010 and later read, [MS-CUSTOMUI2]."""

_PROCEDURE = re.compile(r"^Public Sub (\w+)\(([^)\n]*)\)$(.*?)^End Sub$", re.MULTILINE | re.DOTALL)
_CALL = re.compile(r'\bRunPython "import xl_theodoi\.buttons; xl_theodoi\.buttons\.(\w+)\(')


@dataclass(frozen=True, slots=True)
class Button:
    """One button.

    Attributes:
        action: The command of the command line that does the same.
        label: What stands under the button.
        group: The label of its group, a step of the month's work.
        tip: What the button does, in a few sentences.
        callback: The procedure that Excel calls.
        macro: The procedure without an argument that people can run by its name.
        entry: The function of `xl_theodoi.buttons` that the macro calls.
        icon: Name of Excel's own picture.
    """

    action: str
    label: str
    group: str
    tip: str
    callback: str
    macro: str
    entry: str
    icon: str


@cache
def read_ribbon() -> tuple[Button, ...]:
    """Return the buttons in the order of the ribbon.

    Raises:
        ValueError: Where the ribbon names a procedure that the sources do not have.
    """
    folder = resources.folder("macros")
    sources = [path.read_text(encoding="ascii") for path in folder.glob("*.bas")]
    return buttons_of((folder / FILE_NAME).read_bytes(), sources)


def buttons_of(ribbon: bytes, sources: Iterable[str]) -> tuple[Button, ...]:
    """Return the buttons of a ribbon, with what its procedures do.

    Args:
        ribbon: The XML.
        sources: The modules, with plain line ends.

    Raises:
        ValueError: As `read_ribbon`.
    """
    bodies: dict[str, tuple[str, str]] = {}
    for source in sources:
        bodies |= {name: (given, body) for name, given, body in _PROCEDURE.findall(source)}
    found = []
    for group in ET.fromstring(ribbon).iter(f"{{{NAMESPACE}}}group"):
        for button in group.iter(f"{{{NAMESPACE}}}button"):
            said = button.attrib
            callback = said["onAction"]
            given, body = bodies.get(callback, ("", ""))
            macro = body.strip()
            _, forwarding = bodies.get(macro, ("", ""))
            entry = _CALL.search(forwarding)
            if given != "control As IRibbonControl" or entry is None:
                raise ValueError(f"{callback} of the ribbon leads to no function of Python")
            found.append(
                Button(
                    said["tag"],
                    said["label"],
                    group.attrib["label"],
                    said["supertip"],
                    callback,
                    macro,
                    entry[1],
                    said["imageMso"],
                )
            )
    return tuple(found)

"""LibreOffice as a second program that calculates: not Excel, but not ours either."""

from __future__ import annotations

import shutil
import subprocess
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

OFFICE = shutil.which("soffice")

ALWAYS = """<?xml version="1.0" encoding="UTF-8"?>
<oor:items xmlns:oor="http://openoffice.org/2001/registry"><item
 oor:path="/org.openoffice.Office.Calc/Formula/Load"><prop oor:name="OOXMLRecalcMode"
 oor:op="fuse"><value>0</value></prop></item></oor:items>"""


def recalculated(files: Mapping[str, bytes], folder: Path) -> dict[str, bytes]:
    """Return workbooks as LibreOffice saves them after calculating every formula anew.

    Args:
        files: Bytes of workbooks by name, without suffix.
        folder: An empty folder to work in.
    """
    home, source, out = (folder / name for name in ("home", "in", "out"))
    for place in (home / "user", source, out):
        place.mkdir(parents=True)
    (home / "user" / "registrymodifications.xcu").write_text(ALWAYS, encoding="utf-8")
    for name, data in files.items():
        (source / f"{name}.xlsx").write_bytes(data)
    command = [str(OFFICE), f"-env:UserInstallation={home.as_uri()}", "--headless",
               "--convert-to", "xlsx", "--outdir", str(out)]  # fmt: skip
    command += [str(source / f"{name}.xlsx") for name in files]
    subprocess.run(command, check=True, capture_output=True, timeout=900)
    return {name: (out / f"{name}.xlsx").read_bytes() for name in files}

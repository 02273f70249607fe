"""The process that a button starts, started here: without Excel it must end in a sentence.

The line is the launcher's; only the package's folder is added, because this checkout need not
be installed. This is not Excel.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from xl_theodoi import resources
from xl_theodoi.addin.ribbon import read_ribbon

MACROS = resources.folder("macros")
SOURCE = (MACROS / "TheoDoiPython.bas").read_text(encoding="ascii")
FLAGS = re.search(r'Quoted\(interpreter\) & " (.*) -c "', SOURCE)[1].split()
HERE = f"import sys; sys.path.insert(0, {str(Path(resources.PACKAGE).parent)!r}); "
MARK = "import pathlib; pathlib.Path(__file__).with_name('ran.txt').touch()\n"


def press(button, folder, *, book: str | None, **environment):
    """Start Python as the button would, in a folder, and wait for its end."""
    path = str(folder / "chọn" / "tệp.xlsx").encode("utf-16-be").hex().upper()
    text = "\n".join(source.read_text(encoding="ascii") for source in MACROS.glob("*.bas"))
    argument = f"'{path}'" if f"{button.entry}('\" & Coded(path)" in text else ""
    code = f"import xl_theodoi.buttons; xl_theodoi.buttons.{button.entry}({argument})"
    return subprocess.run(
        [
            *(sys.executable, *FLAGS, "-c", HERE + code, "--from_xl=1", "--hwnd=4711"),
            *([f"--wb={book}"] if book else []),
        ],
        cwd=folder,
        env={**os.environ, "BROWSER": "true", "TMPDIR": str(folder), **environment},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        check=False,
        timeout=120,
    )


@pytest.mark.skipif(sys.platform != "linux", reason="would look for the Excel of this computer")
@pytest.mark.parametrize("button", read_ribbon(), ids=lambda button: button.action)
def test_without_excel_every_button_ends_well_and_shows_no_traceback(button, tmp_path):
    done = press(button, tmp_path, book="Sổ; 100% = a & b.xlsm")

    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stdout + done.stderr


def test_files_in_the_folder_excel_stands_in_are_not_run(tmp_path):
    """Returned workbooks may lie there, and whatever came with them."""
    (doctor,) = [button for button in read_ribbon() if button.action == "doctor"]
    for name in ("xl_theodoi", "json", "tomllib", "sitecustomize", "usercustomize"):
        (tmp_path / f"{name}.py").write_text(MARK, encoding="ascii")

    done = press(doctor, tmp_path, book=None, PYTHONPATH=str(tmp_path), PYTHONHOME=str(tmp_path))

    assert done.returncode == 0, done.stderr
    assert not (tmp_path / "ran.txt").exists()
    assert FLAGS == ["-E", "-P"]

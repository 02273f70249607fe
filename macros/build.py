"""Builds `TheoDoi.xlam` from the sources beside this file; the same sources give the same bytes.

Usage: python macros/build.py [FOLDER]
"""

# ruff: noqa: INP001 - a folder of sources, not a package

from __future__ import annotations

import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
if (HERE.parent / "pyproject.toml").is_file():
    # In the repository; inside an installed package the package finds itself.
    sys.path.insert(0, str(HERE.parent))

from xl_theodoi.addin.build import build_addin_file  # noqa: E402 - found by the line above


def main(arguments: list[str]) -> int:
    """Build into a folder, the current one unless told otherwise."""
    folder = Path(arguments[0]) if arguments else Path.cwd()
    sys.stdout.write(f"{build_addin_file(folder)}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

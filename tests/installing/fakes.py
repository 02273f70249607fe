"""Wheels, bundles and a program small enough to install in a test."""

from __future__ import annotations

import base64
import hashlib
import importlib.util
import sys
import zipfile
from typing import TYPE_CHECKING

from xl_theodoi import resources

if TYPE_CHECKING:
    from pathlib import Path

SCRIPTS = resources.folder("macros") / "windows"


def write_wheel(
    folder: Path,
    name: str,
    version: str = "1.0",
    *,
    tag: str = "py3-none-any",
    requires: tuple[str, ...] = (),
    licence: str = "MIT",
    files: dict[str, str] | None = None,
    with_licence_text: bool = True,
) -> Path:
    """Write a wheel that pip takes for a real one."""
    info = f"{name}-{version}.dist-info"
    said = [f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\nLicense: {licence}"]
    said += [f"Requires-Dist: {line}" for line in requires]
    entries = {
        **(files or {f"{name}.py": ""}),
        f"{info}/METADATA": "\n".join(said) + "\n",
        f"{info}/WHEEL": f"Wheel-Version: 1.0\nGenerator: t\nRoot-Is-Purelib: true\nTag: {tag}\n",
    }
    if with_licence_text:
        entries[f"{info}/licenses/LICENSE.txt"] = f"The licence of {name}."
    record = ""
    for path, text in entries.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=")
        record += f"{path},sha256={digest.decode()},{len(text.encode())}\n"
    entries[f"{info}/RECORD"] = record + f"{info}/RECORD,,\n"
    path = folder / f"{name}-{version}-{tag}.whl"
    with zipfile.ZipFile(path, "w") as package:
        for inside, text in entries.items():
            package.writestr(zipfile.ZipInfo(inside), text)
    return path


PROGRAM = """
import json, pathlib, sys
VERSION = "{version}"
words = sys.argv[1:]
def value(option):
    return pathlib.Path(words[words.index(option) + 1])
if words == ["--version"]:
    print(VERSION)
elif words[0] == "doctor":
    print("doctor of", VERSION)
elif words[:2] == ["addin", "install"]:
    addin = value("--user") / "XLSTART" / "TheoDoi.xlam"
    if (addin.parent / "excel-is-open").exists():
        print("Excel is open")
        sys.exit(2)
    addin.parent.mkdir(parents=True, exist_ok=True)
    record = {{"files": [str(addin)], "folders": [str(addin.parent)]}}
    (value("--home") / "addin.json").write_text(json.dumps(record), encoding="utf-8")
    addin.write_text(VERSION)
elif words[:2] == ["addin", "uninstall"]:
    addin = value("--user") / "XLSTART" / "TheoDoi.xlam"
    if (addin.parent / "excel-is-open").exists():
        sys.exit(2)
    addin.unlink(missing_ok=True)
    (value("--home") / "addin.json").unlink(missing_ok=True)
    if addin.parent.is_dir():
        addin.parent.rmdir()
"""
"""Does what the scripts ask of the program, and nothing else."""


def write_bundle(folder: Path, version: str) -> Path:
    """Write a bundle of a made-up program for the Python that runs the test."""
    bundle = folder / f"TheoDoi-{version}"
    wheels = bundle / "wheels"
    wheels.mkdir(parents=True)
    for path in SCRIPTS.iterdir():
        if path.is_file() and not path.name.startswith("."):
            (bundle / path.name).write_bytes(path.read_bytes())
    program = {
        "xl_theodoi/__init__.py": "",
        "xl_theodoi/__main__.py": PROGRAM.format(version=version),
    }
    made = write_wheel(wheels, "xl_theodoi", version, files=program)
    sha256 = hashlib.sha256(made.read_bytes()).hexdigest()
    requirements = bundle / "requirements-cp{}{}.txt".format(*sys.version_info)
    requirements.write_text(f"xl-theodoi=={version} --hash=sha256:{sha256}\n")
    write_sums(bundle)
    return bundle


def write_sums(bundle: Path) -> None:
    """Write a bundle's list of hashes anew."""
    names = sorted(
        path.relative_to(bundle).as_posix()
        for path in bundle.rglob("*")
        if path.is_file() and path.name != "SHA256SUMS.txt"
    )
    lines = [f"{hashlib.sha256((bundle / n).read_bytes()).hexdigest()}  {n}\n" for n in names]
    (bundle / "SHA256SUMS.txt").write_text("".join(lines))


def load_script(bundle: Path):
    """Return a bundle's `theodoi_setup.py` as a module."""
    path = bundle / "theodoi_setup.py"
    spec = importlib.util.spec_from_file_location("theodoi_setup", path)
    module = importlib.util.module_from_spec(spec)
    # Run as a script, it leaves no compiled copy beside it either.
    exec(compile(path.read_text(encoding="utf-8"), str(path), "exec"), module.__dict__)
    return module

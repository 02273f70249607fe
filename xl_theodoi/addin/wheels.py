"""Wheels: what they say of themselves, and the program's own, made from what is installed.

The program's wheel is written here rather than by a build tool, so that an office can make a
bundle from an installed program as well as from its sources, always with the same bytes.
"""

from __future__ import annotations

import base64
import hashlib
import importlib.metadata
import io
import re
import tomllib
import zipfile
from dataclasses import dataclass
from email.parser import HeaderParser
from typing import TYPE_CHECKING, Final

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name, parse_wheel_filename

from xl_theodoi import __version__
from xl_theodoi.domain.errors import TheodoiError
from xl_theodoi.resources import PACKAGE, folder

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from email.message import Message
    from pathlib import Path

    from packaging.tags import Tag
    from packaging.version import Version

DISTRIBUTION: Final = "xl-theodoi"
OUTSIDE: Final = ("report_templates", "macros")
"""Folders at the top of the repository that stand inside the package in a wheel."""
_EPOCH: Final = (1980, 1, 1, 0, 0, 0)
"""The only time that a zip knows and that says nothing."""
_LICENCE = re.compile(r"(licen[cs]e|copying|notice)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Wheel:
    """One wheel, as its own metadata describe it.

    Attributes:
        path: The file.
        name: Name of the package, as an index writes it.
        version: Its version.
        tags: The Pythons and systems that it is for.
        requires: What it asks for, markers included.
        licence: Its licence in its own words, shortened.
        licence_texts: Texts of licences in the wheel, by path inside a folder of their own.
        sha256: Hash of the file.
        size: Bytes of the file.
    """

    path: Path
    name: str
    version: Version
    tags: frozenset[Tag]
    requires: Sequence[Requirement]
    licence: str
    licence_texts: Mapping[str, bytes]
    sha256: str
    size: int


def read_wheel(path: Path) -> Wheel:
    """Return what a wheel says of itself.

    Raises:
        TheodoiError: `wheel_damaged` where the file is no wheel.
    """
    try:
        data = path.read_bytes()
        name, version, _, tags = parse_wheel_filename(path.name)
        with zipfile.ZipFile(io.BytesIO(data)) as package:
            info = next(
                entry.split("/")[0]
                for entry in package.namelist()
                if re.fullmatch(r"[^/]+\.dist-info/METADATA", entry)
            )
            text = package.read(f"{info}/METADATA").decode("utf-8", "replace")
            texts = dict(_licence_texts(package, info))
        metadata = HeaderParser().parsestr(text)
        requires = [Requirement(line) for line in metadata.get_all("Requires-Dist", [])]
    except (OSError, ValueError, StopIteration, KeyError, zipfile.BadZipFile) as problem:
        raise TheodoiError("wheel_damaged", path=path.name) from problem
    sha256 = hashlib.sha256(data).hexdigest()
    return Wheel(
        path, name, version, tags, requires, _licence(metadata), texts, sha256, len(data)
    )  # fmt: skip


def _licence_texts(package: zipfile.ZipFile, info: str) -> Iterator[tuple[str, bytes]]:
    for entry in sorted(package.namelist()):
        inside = entry.removeprefix(f"{info}/")
        if inside == entry or inside.endswith("/"):
            continue
        inside = inside.removeprefix("licenses/")
        if ".." not in inside and _LICENCE.search(inside.rsplit("/", 1)[-1]):
            yield inside, package.read(entry)


def _licence(metadata: Message) -> str:
    """Return the shortest thing that a package says about its licence."""
    said = metadata.get("License-Expression") or metadata.get("License") or ""
    classes = [
        line.rpartition("::")[2].strip()
        for line in metadata.get_all("Classifier", [])
        if line.startswith("License ::")
    ]
    first = str(said).strip().splitlines()
    # Some packages put the licence's whole text there.
    return first[0][:80] if first and len(first) == 1 else "; ".join(classes) or "".join(first[:1])


def own_wheel() -> tuple[str, bytes]:
    """Return the name and the bytes of the program's own wheel.

    Raises:
        TheodoiError: `not_installed` where the program runs without being installed, or was
            installed from sources that have changed since what they ask for.
    """
    try:
        distribution = importlib.metadata.distribution(DISTRIBUTION)
    except importlib.metadata.PackageNotFoundError as problem:
        raise TheodoiError("not_installed") from problem
    if distribution.version != __version__ or not _asks_for_what_sources_do(distribution):
        raise TheodoiError("not_installed")
    base = f"{DISTRIBUTION.replace('-', '_')}-{__version__}"
    info = f"{base}.dist-info"
    entries = dict(_package_files())
    for kept in ("METADATA", "entry_points.txt"):
        entries[f"{info}/{kept}"] = (distribution.read_text(kept) or "").encode("utf-8")
    for file in distribution.files or ():
        if "licenses" in file.parts[:2] and file.parts[0].endswith(".dist-info"):
            entries[f"{info}/{'/'.join(file.parts[1:])}"] = file.read_binary()
    entries[f"{info}/WHEEL"] = (
        b"Wheel-Version: 1.0\nGenerator: xl-theodoi\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    )
    entries[f"{info}/RECORD"] = _record(entries, info).encode("utf-8")
    return f"{base}-py3-none-any.whl", _zip(entries)


def _asks_for_what_sources_do(distribution: importlib.metadata.Distribution) -> bool:
    """Whether the installed metadata are those of the sources, where these are beside."""
    project = PACKAGE.parent / "pyproject.toml"
    if not project.is_file():
        return True
    declared = tomllib.loads(project.read_text(encoding="utf-8")).get("project", {})
    if canonicalize_name(declared.get("name", "")) != DISTRIBUTION:
        return True
    installed = [line for line in distribution.requires or () if "extra ==" not in line]
    return set(map(_spelt_alike, declared["dependencies"])) == set(map(_spelt_alike, installed))


def _spelt_alike(line: str) -> tuple[str, str, str]:
    """Return a requirement in a form in which the spelling of its name does not matter."""
    requirement = Requirement(line)
    return canonicalize_name(requirement.name), str(requirement.specifier), str(requirement.marker)


def _package_files() -> Iterator[tuple[str, bytes]]:
    roots = [(PACKAGE, PACKAGE.name)]
    roots += [
        (folder(name), f"{PACKAGE.name}/{name}")
        for name in OUTSIDE
        if not (PACKAGE / name).is_dir()
    ]
    for root, inside in roots:
        for path in sorted(root.rglob("*")):
            parts = path.relative_to(root).parts
            if path.is_file() and "__pycache__" not in parts and path.suffix != ".pyc":
                yield "/".join((inside, *parts)), path.read_bytes()


def _record(entries: Mapping[str, bytes], info: str) -> str:
    lines = []
    for name, data in sorted(entries.items()):
        digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
        lines.append(f"{name},sha256={digest},{len(data)}")
    return "\n".join([*lines, f"{info}/RECORD,,", ""])


def _zip(entries: Mapping[str, bytes]) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as package:
        # The metadata come last, as readers of wheels expect.
        for name in sorted(entries, key=lambda name: (".dist-info/" in name, name)):
            entry = zipfile.ZipInfo(name, _EPOCH)
            entry.external_attr = 0o644 << 16
            entry.create_system = 3
            entry.compress_type = zipfile.ZIP_DEFLATED
            package.writestr(entry, entries[name])
    return made.getvalue()

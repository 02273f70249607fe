"""`bundle`: a folder that installs the program on Windows without a network.

It holds the wheels of the program and of all it needs for several Pythons, lists that pin each
of them by its hash, the licences, the scripts that install, and a page of instructions. The
same wheels always give the same bytes.
"""

from __future__ import annotations

import hashlib
import io
import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

from packaging.requirements import Requirement

from xl_theodoi import __version__
from xl_theodoi.addin.closure import WINDOWS, Target, closure
from xl_theodoi.addin.wheels import DISTRIBUTION, Wheel, own_wheel, read_wheel
from xl_theodoi.domain.errors import TheodoiError
from xl_theodoi.files import refusals
from xl_theodoi.messages import text
from xl_theodoi.resources import folder

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

PYTHONS: Final = ((3, 11), (3, 12), (3, 13))
"""A bundle holds wheels for each of these."""
NEWER_PYTHONS: Final = ((3, 14), (3, 15))
"""And for these, once every package that is needed has wheels for them."""
ROOT: Final = f"{DISTRIBUTION}[excel]"
WHEELS: Final = "wheels"
LICENCES: Final = "giay-phep"
LICENCE_LIST: Final = "DANH-SACH.txt"
SUMS: Final = "SHA256SUMS.txt"
MOST_ROUNDS: Final = 6
"""Downloads until nothing is missing: each brings what the last one's packages ask for."""


@dataclass(slots=True)
class BundleResult:
    """What a bundle holds.

    Attributes:
        folder: Where it is.
        written: Its files.
        pythons: The Pythons it serves, as people write their versions.
        skipped: Newer Pythons that some package has no wheel for yet.
        packages: Packages with their versions.
        size: Bytes of all files.
    """

    folder: Path
    written: list[Path] = field(default_factory=list)
    pythons: list[str] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)
    packages: list[str] = field(default_factory=list)
    size: int = 0

    @property
    def counts(self) -> dict[str, int]:
        """Numbers for the answer."""
        return {
            "files": len(self.written),
            "packages": len(self.packages),
            "pythons": len(self.pythons),
            "bytes": self.size,
        }


def bundle(
    out: Path, *, is_local: bool = False, progress: Callable[[str], object] | None = None
) -> BundleResult:
    """Make the bundle's folder in a folder.

    Args:
        out: Folder in which the bundle's own is made.
        is_local: For this machine and its Python instead of Windows: to try the scripts.
        progress: Told what is being done.

    Raises:
        TheodoiError: `would_overwrite`, `bundle_download_failed`, `bundle_incomplete`,
            `bundle_copyleft`, `not_installed`, `cannot_write`.
    """
    say = progress or (lambda _line: None)
    target = out / f"TheoDoi-{__version__}-{'local' if is_local else WINDOWS}"
    if target.exists():
        raise TheodoiError("would_overwrite", path=str(target))
    result = BundleResult(target)
    with tempfile.TemporaryDirectory(prefix="theodoi-") as temporary:
        work = Path(temporary)
        own_name, own_bytes = own_wheel()
        (work / own_name).write_bytes(own_bytes)
        own = read_wheel(work / own_name)
        chosen = _chosen(own, work, is_local, result, say)
        _refuse_copyleft(chosen)
        contents = _contents(chosen, is_local)
        result.packages = sorted(
            {f"{wheel.name} {wheel.version}" for wheels in chosen.values() for wheel in wheels}
        )
        _write(target, contents)
    result.written = [target / name for name in sorted(contents)]
    result.size = sum(map(len, contents.values()))
    return result


def _chosen(
    own: Wheel, work: Path, is_local: bool, result: BundleResult, say: Callable[[str], object]
) -> dict[str, Sequence[Wheel]]:
    """Return the wheels for each Python, by the name that wheels call it."""
    if is_local:
        targets, optional = [Target.of_this_machine()], []
    else:
        targets = [Target.of_windows(python) for python in PYTHONS]
        optional = [Target.of_windows(python) for python in NEWER_PYTHONS]
    chosen = {}
    for target in [*targets, *optional]:
        say(text("installing", "downloading", python=target.version))
        try:
            chosen[target.name] = _download(own, work / target.name, target)
        except TheodoiError:
            if target not in optional:
                raise
            result.skipped.append(target.version)
        else:
            result.pythons.append(target.version)
    return chosen


def _download(own: Wheel, place: Path, target: Target) -> Sequence[Wheel]:
    """Return the program's wheel and all that it needs, downloaded into a folder."""
    place.mkdir()
    root = [Requirement(ROOT)]
    wheels = [own]
    asked: dict[str, None] = {}
    for _ in range(MOST_ROUNDS):
        found = closure(root, wheels, target)
        if not found.missing:
            return found.wheels
        asked |= dict.fromkeys(found.missing)
        _pip_download(sorted(asked), place, target)
        wheels = [own, *(read_wheel(path) for path in sorted(place.glob("*.whl")))]
    raise TheodoiError(
        "bundle_incomplete", python=target.version, packages=", ".join(found.missing)
    )


def _pip_download(requirements: Sequence[str], place: Path, target: Target) -> None:
    """Let pip bring wheels from the index it is set up for.

    Raises:
        TheodoiError: `bundle_no_pip`, `bundle_download_failed`.
    """
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-input"]
    command += ["--disable-pip-version-check", "--only-binary", ":all:", "--dest", str(place)]
    if target.platform is not None:
        command += ["--platform", target.platform, "--python-version", target.version]
        command += ["--implementation", "cp"]
    done = subprocess.run(  # noqa: S603 - our own interpreter; requirements come from metadata
        [*command, *requirements],
        check=False,
        capture_output=True,
        encoding="utf-8",
        errors="replace",
        env={**os.environ, "PYTHONUTF8": "1"},
    )
    if done.returncode == 0:
        return
    if "No module named pip" in done.stderr:
        raise TheodoiError("bundle_no_pip")
    log = Path(tempfile.gettempdir()) / "theodoi-pip.txt"
    log.write_text(done.stdout + done.stderr, encoding="utf-8")
    raise TheodoiError("bundle_download_failed", python=target.version, log=str(log))


def _refuse_copyleft(chosen: Mapping[str, Sequence[Wheel]]) -> None:
    """Stop where a package binds whoever passes it on: its sources would have to go along."""
    bound = {
        wheel.name
        for wheels in chosen.values()
        for wheel in wheels
        if "GPL" in wheel.licence.upper() or "GENERAL PUBLIC" in wheel.licence.upper()
    }
    if bound:
        raise TheodoiError("bundle_copyleft", packages=", ".join(sorted(bound)))


def _contents(chosen: Mapping[str, Sequence[Wheel]], is_local: bool) -> dict[str, bytes]:
    """Return the bundle's files by their paths with slashes."""
    contents: dict[str, bytes] = {}
    listed: dict[str, Wheel] = {}
    for python, wheels in chosen.items():
        for wheel in wheels:
            contents[f"{WHEELS}/{wheel.path.name}"] = wheel.path.read_bytes()
            listed[f"{wheel.name} {wheel.version}"] = wheel
            for name, data in wheel.licence_texts.items():
                contents[f"{LICENCES}/{wheel.name}-{wheel.version}/{name}"] = data
        contents[f"requirements-{python}.txt"] = _requirements(wheels).encode("ascii")
    contents[f"{LICENCES}/{LICENCE_LIST}"] = _windows_text(_licence_list(listed))
    contents |= _scripts(is_local)
    contents[SUMS] = _sums(contents).encode("utf-8")
    return contents


def _requirements(wheels: Iterable[Wheel]) -> str:
    """Return a list for pip that pins each package by version and hash."""
    lines = []
    for wheel in sorted(wheels, key=lambda item: item.name):
        name = ROOT if wheel.name == DISTRIBUTION else wheel.name
        lines.append(f"{name}=={wheel.version} --hash=sha256:{wheel.sha256}\n")
    return "".join(lines)


def _licence_list(listed: Mapping[str, Wheel]) -> str:
    lines = [text("installing", "licences_title"), ""]
    for name, wheel in sorted(listed.items()):
        place = f"{wheel.name}-{wheel.version}" if wheel.licence_texts else ""
        lines.append(
            text(
                "installing",
                "licence_line" if place else "licence_line_without_text",
                name=name,
                licence=wheel.licence or text("installing", "licence_unknown"),
                place=place,
            )
        )
    return "\n".join([*lines, ""])


def _scripts(is_local: bool) -> dict[str, bytes]:
    """Return the scripts and the page of instructions, with Windows' line ends."""
    found = {}
    for path in sorted((folder("macros") / "windows").iterdir()):
        if path.name.startswith(".") or not path.is_file():
            continue
        data = path.read_bytes()
        if not is_local:
            data = data.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
        found[path.name] = data
    return found


def _windows_text(content: str) -> bytes:
    """Return a text as Windows' Notepad of any age reads it."""
    return b"\xef\xbb\xbf" + content.replace("\n", "\r\n").encode("utf-8")


def _sums(contents: Mapping[str, bytes]) -> str:
    lines = io.StringIO()
    for name, data in sorted(contents.items()):
        lines.write(f"{hashlib.sha256(data).hexdigest()}  {name}\n")
    return lines.getvalue()


def _write(target: Path, contents: Mapping[str, bytes]) -> None:
    """Write a folder under a hidden name, then give it its own: whole or not at all."""
    hidden = target.with_name(f".{target.name}.{os.getpid()}.tmp")
    with refusals(target):
        try:
            for name, data in contents.items():
                path = hidden / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(data)
            hidden.rename(target)
        finally:
            shutil.rmtree(hidden, ignore_errors=True)

"""The offline bundle, downloaded by the real pip from a folder of made-up wheels."""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
import re
import sys
import zipfile
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import xl_theodoi
from tests.commands import Answer
from tests.installing.fakes import write_wheel
from xl_theodoi.addin import bundle as module
from xl_theodoi.addin.closure import Target, closure
from xl_theodoi.addin.wheels import own_wheel, read_wheel
from xl_theodoi.domain.errors import TheodoiError

COMPILED = {"lxml", "isal", "xlwings"}


@pytest.fixture
def index(tmp_path, monkeypatch):
    """A folder that pip takes for the only index: all that the program asks for, and more."""
    folder = tmp_path / "index"
    folder.mkdir()
    for line in importlib.metadata.requires("xl-theodoi"):
        requirement = Requirement(line)
        if requirement.marker is not None and "dev" in str(requirement.marker):
            continue
        if requirement.marker is not None and "calendar" in str(requirement.marker):
            continue
        name = canonicalize_name(requirement.name).replace("-", "_")
        least = next(part for part in requirement.specifier if part.operator == ">=")
        version = f"{least.version}.9"
        needs = ()
        if name == "xlwings":
            needs = ('pywin32>=224; platform_system == "Windows"', 'black; extra == "all"')
        if name == "jinja2":
            needs = ("MarkupSafe>=2", 'importlib-resources; python_version < "3.10"')
        for python in ("cp311", "cp312", "cp313"):
            tag = f"{python}-{python}-win_amd64" if name in COMPILED else "py3-none-any"
            write_wheel(folder, name, version, tag=tag, requires=needs)
    for python in ("cp311", "cp312", "cp313"):
        write_wheel(folder, "pywin32", "306", tag=f"{python}-{python}-win_amd64", licence="PSF")
        write_wheel(folder, "markupsafe", "3.0", tag=f"{python}-{python}-win_amd64")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null" if sys.platform != "win32" else "nul")
    return folder


@pytest.fixture
def two_pythons(monkeypatch):
    """Each Python is a start of pip; two show all there is to see."""
    monkeypatch.setattr(module, "PYTHONS", ((3, 12),))
    monkeypatch.setattr(module, "NEWER_PYTHONS", ((3, 14),))


def sums(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_a_bundle_holds_what_windows_needs(index, tmp_path, two_pythons):
    result = module.bundle(tmp_path / "Bộ cài")
    assert result.pythons == ["3.12"]
    assert result.skipped == ["3.14"], "no wheels for it yet"
    wheels = {path.name.split("-")[0] for path in (result.folder / "wheels").iterdir()}
    needed = {
        canonicalize_name(Requirement(line).name).replace("-", "_")
        for line in importlib.metadata.requires("xl-theodoi")
        if "extra" not in line
    }
    # On this system pip leaves out what is asked for on Windows only.
    assert wheels == needed | {"xl_theodoi", "xlwings", "pywin32", "markupsafe"}
    assert not {"workalendar", "lunardate", "black", "importlib_resources"} & wheels
    scripts = {"cai-dat.cmd", "cap-nhat.cmd", "quay-lai.cmd", "go-bo.cmd", "chay.cmd"}
    scripts |= {"theodoi_setup.py", "messages.json", "can-python.txt", "DOC-TRUOC.txt"}
    top = {path.name for path in result.folder.iterdir()}
    assert top == scripts | {"wheels", "giay-phep", "SHA256SUMS.txt", "requirements-cp312.txt"}
    assert result.counts["bytes"] == sum(path.stat().st_size for path in result.written)


def test_every_file_is_in_the_list_of_hashes(index, tmp_path, two_pythons):
    result = module.bundle(tmp_path)
    listed = {}
    for line in (result.folder / "SHA256SUMS.txt").read_text(encoding="utf-8").splitlines():
        sha256, _, name = line.partition("  ")
        listed[name] = sha256
    found = sums(result.folder)
    del found["SHA256SUMS.txt"]
    assert listed == found


def test_each_package_is_pinned_by_the_hash_of_its_wheel(index, tmp_path, two_pythons):
    result = module.bundle(tmp_path)
    pinned = (result.folder / "requirements-cp312.txt").read_text()
    hashes = {
        hashlib.sha256(path.read_bytes()).hexdigest()
        for path in (result.folder / "wheels").iterdir()
    }
    assert set(re.findall(r"--hash=sha256:(\w+)", pinned)) == hashes
    assert f"xl-theodoi[excel]=={xl_theodoi.__version__} " in pinned


def test_the_same_wheels_give_the_same_bytes(index, tmp_path, two_pythons):
    one, two = (module.bundle(tmp_path / name).folder for name in "ab")
    assert sums(one) == sums(two)


def test_the_texts_of_licences_go_along(index, tmp_path, two_pythons):
    result = module.bundle(tmp_path)
    folder = result.folder / "giay-phep"
    assert (folder / "pywin32-306" / "LICENSE.txt").read_text() == "The licence of pywin32."
    listed = (folder / "DANH-SACH.txt").read_text(encoding="utf-8-sig")
    assert all(f"\n{name}: " in listed for name in result.packages)


def test_texts_and_commands_have_the_line_ends_of_windows(index, tmp_path, two_pythons):
    result = module.bundle(tmp_path)
    for path in result.folder.iterdir():
        if path.suffix in {".cmd", ".txt"} and not path.name.startswith(("SHA", "requirements")):
            data = path.read_bytes()
            assert data.count(b"\n") == data.count(b"\r\n") > 0, path.name


def test_a_folder_that_is_there_is_not_written_over(index, tmp_path):
    (tmp_path / f"TheoDoi-{xl_theodoi.__version__}-win_amd64").mkdir()
    answer = Answer.of("bundle", "--out", tmp_path, "--json")
    assert answer.code == 2
    assert answer.json["error"]["code"] == "would_overwrite"


def test_a_package_that_cannot_be_had_leaves_nothing(index, tmp_path, two_pythons):
    for path in index.glob("lxml-*"):
        path.unlink()
    out = tmp_path / "out"
    answer = Answer.of("bundle", "--out", out, "--json")
    assert answer.code == 2
    assert answer.json["error"]["code"] == "bundle_download_failed"
    assert not list(out.rglob("*")) if out.exists() else True


def test_a_wheel_that_is_none_is_named(index, tmp_path, two_pythons):
    for path in index.glob("isal-*"):
        path.write_bytes(path.read_bytes()[:40])
    with pytest.raises(TheodoiError) as caught:
        module.bundle(tmp_path / "out")
    assert caught.value.code in {"wheel_damaged", "bundle_download_failed"}


@pytest.mark.parametrize("licence", ["GPL-3.0-only", "LGPLv3", "GNU General Public License v2"])
def test_a_licence_that_binds_whoever_passes_it_on_stops(index, tmp_path, two_pythons, licence):
    for path in index.glob("pywin32-*"):
        path.unlink()
    write_wheel(index, "pywin32", "306", tag="cp312-cp312-win_amd64", licence=licence)
    with pytest.raises(TheodoiError) as caught:
        module.bundle(tmp_path / "out")
    assert caught.value.code == "bundle_copyleft"
    assert not (tmp_path / "out").exists()


def test_no_way_to_write_leaves_nothing(index, tmp_path, two_pythons, monkeypatch):
    def refuse(self, target):
        raise PermissionError(13, "Permission denied", str(target))

    monkeypatch.setattr(Path, "rename", refuse)
    with pytest.raises(TheodoiError) as caught:
        module.bundle(tmp_path / "out")
    assert caught.value.code == "cannot_write"
    assert not list((tmp_path / "out").iterdir())


def test_the_command_says_where_how_large_and_for_which_pythons(index, tmp_path, two_pythons):
    answer = Answer.of("bundle", "--out", tmp_path)
    assert answer.code == 0
    assert "Python 3.12" in answer.out
    assert "3.14" in answer.out
    assert "MB" in answer.out


# Which wheels a target needs.


def wheels_of(folder: Path):
    return [read_wheel(path) for path in sorted(folder.glob("*.whl"))]


def test_conditions_are_judged_for_the_target_not_for_this_machine(tmp_path):
    needs = ('b; sys_platform == "win32"', 'c; python_version >= "3.13"', 'd; extra == "more"')
    write_wheel(tmp_path, "a", requires=needs)
    for name in "bcd":
        write_wheel(tmp_path, name)
    root = [Requirement("a")]
    found = closure(root, wheels_of(tmp_path), Target.of_windows((3, 12)))
    assert [wheel.name for wheel in found.wheels] == ["a", "b"]
    found = closure(root, wheels_of(tmp_path), Target.of_windows((3, 13)))
    assert [wheel.name for wheel in found.wheels] == ["a", "b", "c"]
    found = closure([Requirement("a[more]")], wheels_of(tmp_path), Target.of_windows((3, 12)))
    assert [wheel.name for wheel in found.wheels] == ["a", "b", "d"]


def test_what_no_wheel_meets_is_missing(tmp_path):
    write_wheel(tmp_path, "a", requires=("b>=2", "c[x]>1; os_name == 'nt'"))
    write_wheel(tmp_path, "b", "1.0")
    write_wheel(tmp_path, "c", "2.0", tag="cp311-cp311-win_amd64")
    found = closure([Requirement("a")], wheels_of(tmp_path), Target.of_windows((3, 12)))
    assert sorted(found.missing) == ["b>=2", "c[x]>1"]


def test_rings_of_requirements_end(tmp_path):
    write_wheel(tmp_path, "a", requires=("b",))
    write_wheel(tmp_path, "b", requires=("a",))
    found = closure([Requirement("a")], wheels_of(tmp_path), Target.of_windows((3, 11)))
    assert [wheel.name for wheel in found.wheels] == ["a", "b"]
    assert not found.missing


@pytest.mark.parametrize("data", [b"", b"PK", b"PK\5\6" + b"\0" * 18, b"x" * 999])
def test_a_file_that_is_no_wheel_is_refused(tmp_path, data):
    path = tmp_path / "a-1.0-py3-none-any.whl"
    path.write_bytes(data)
    with pytest.raises(TheodoiError) as caught:
        read_wheel(path)
    assert caught.value.code == "wheel_damaged"


def test_a_licence_cannot_lead_out_of_its_folder(tmp_path):
    path = write_wheel(tmp_path, "a")
    with zipfile.ZipFile(path, "a") as package:
        package.writestr("a-1.0.dist-info/licenses/../../../LICENSE", "x")
    assert list(read_wheel(path).licence_texts) == ["LICENSE.txt"]


# The program's own wheel.


def test_the_own_wheel_is_what_the_build_tool_makes(tmp_path):
    """The same files with the same bytes, but for those that say who made it and when."""
    from hatchling.builders.wheel import WheelBuilder

    root = Path(xl_theodoi.__file__).parents[1]
    built = next(WheelBuilder(str(root)).build(directory=str(tmp_path), versions=["standard"]))
    name, data = own_wheel()
    (tmp_path / "own").mkdir()
    own = tmp_path / "own" / name
    own.write_bytes(data)
    assert name == Path(built).name
    with zipfile.ZipFile(own) as mine, zipfile.ZipFile(built) as theirs:
        assert sorted(mine.namelist()) == sorted(theirs.namelist())
        assert mine.testzip() is None
        for entry in mine.namelist():
            if not entry.endswith(("/RECORD", "/WHEEL", "/METADATA")):
                assert mine.read(entry) == theirs.read(entry), entry


def test_the_own_wheel_has_the_same_bytes_each_time():
    assert own_wheel() == own_wheel()


def test_metadata_older_than_the_sources_are_refused(monkeypatch):
    class Older:
        version = xl_theodoi.__version__
        requires = ("lxml>=1",)

    monkeypatch.setattr(importlib.metadata, "distribution", lambda _: Older())
    with pytest.raises(TheodoiError) as caught:
        own_wheel()
    assert caught.value.code == "not_installed"


def test_a_real_bundle_names_no_host_and_no_machine(index, tmp_path, two_pythons):
    """Whoever gets it must not learn where it was made."""
    folder = module.bundle(tmp_path).folder
    text = b"".join(path.read_bytes() for path in folder.iterdir() if path.is_file())
    assert str(tmp_path).encode() not in text
    assert json.loads((folder / "messages.json").read_text(encoding="utf-8"))

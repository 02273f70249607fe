"""The script that installs, updates, switches back and removes; with a made-up program.

Nothing here is Windows: the environments have the layout of this system, and the folders of a
user stand where the test puts them, under names with spaces and Vietnamese letters.
"""

from __future__ import annotations

import ast
import contextlib
import io
import json
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.installing.fakes import SCRIPTS, load_script, write_bundle, write_sums

if sys.platform == "win32":
    pytest.skip("environments have the layout of other systems here", allow_module_level=True)
import fcntl


def make_environment(place: Path) -> None:
    """Make what `venv` makes without pip, in no time."""
    base = Path(sys._base_executable)
    site = place / "lib" / "python{}.{}".format(*sys.version_info) / "site-packages"
    site.mkdir(parents=True)
    (place / "bin").mkdir()
    (place / "bin" / "python").symlink_to(base)
    (place / "pyvenv.cfg").write_text(f"home = {base.parent}\n")


def start(python: Path, words: list[str]) -> int:
    """Run an environment's program in this process: a hundred starts of Python take long."""
    program = next(python.parents[1].glob("lib/python*/site-packages/xl_theodoi/__main__.py"))
    before, sys.argv = sys.argv, ["xl_theodoi", *words]
    try:
        exec(program.read_text(encoding="utf-8"), {})
    except SystemExit as end:
        return end.code or 0
    finally:
        sys.argv = before
    return 0


class Office:
    """A user's folder and the bundles that he is given."""

    def __init__(self, folder: Path):
        self.user = folder / "Hồ sơ của Nguyễn Văn Ấn"
        self.home = self.user / "Local" / "TheoDoi"
        self.media = folder / "USB (1)"
        self.bundles = {version: write_bundle(self.media, version) for version in ("1.0", "2.0")}
        self.steps = 0
        self.stop_at = 0

    def run(self, task: str, version: str | None = None) -> int:
        """Do a task with a bundle's script, or with the one that an installation has kept."""
        place = self.home if version is None else self.bundles[version]
        script = load_script(place)
        self._quicken(script)
        words = [task, "--home", str(self.home), "--user", str(self.user)]
        return script.main(words)

    def _quicken(self, script) -> None:
        """Unpack wheels instead of starting pip, and count the steps."""
        office = self

        def do(setup, failure, *command, **options):
            office.step()
            words = [str(word) for word in command]
            if "venv" in words:
                make_environment(Path(words[-1]))
            elif "pip" in words:
                wheels = Path(words[words.index("--find-links") + 1])
                site = next(Path(words[0]).parents[1].glob("lib/python*/site-packages"))
                for wheel in wheels.glob("*.whl"):
                    zipfile.ZipFile(wheel).extractall(site)
            else:
                plain_do(setup, failure, *words, **options)
            office.step()

        def replace_bytes(path, data):
            office.step()
            plain_replace(path, data)
            office.step()

        def run(setup, name, *words):
            office.step()
            code = start(setup.python(name), list(words))
            office.step()
            return code

        def log(setup, python, *words, **_):
            with contextlib.redirect_stdout(None):
                return start(Path(python), [str(word) for word in words[3:]])

        plain_do, plain_replace = script.Setup.do, script.replace_bytes
        script.Setup.do, script.Setup.run, script.Setup.log = do, run, log
        script.replace_bytes = replace_bytes

    def step(self) -> None:
        """Stop here, where the test wants it."""
        self.steps += 1
        if self.steps == self.stop_at:
            raise KeyboardInterrupt

    @property
    def addin(self) -> str | None:
        """The version whose add-in is in Excel's folder."""
        path = self.user / "XLSTART" / "TheoDoi.xlam"
        return path.read_text() if path.exists() else None

    @property
    def current(self) -> str:
        """The version that the command in the user's folder starts."""
        state = json.loads((self.home / "state.json").read_text())
        assert self.launched == state["current"].split("-")[0]
        return self.launched

    @property
    def launched(self) -> str:
        """The version that `theodoi.cmd` starts."""
        launcher = (self.home / "theodoi.cmd").read_bytes().decode("ascii")
        name = re.search(r"versions\\([^\\]+)\\", launcher)[1]
        said = io.StringIO()
        with contextlib.redirect_stdout(said):
            assert start(self.home / "versions" / name / "bin" / "python", ["--version"]) == 0
        return said.getvalue().strip()

    @property
    def versions(self) -> int:
        return len(list((self.home / "versions").iterdir()))


@pytest.fixture
def office(tmp_path):
    return Office(tmp_path)


def test_the_first_installation(office):
    assert office.run("install", "1.0") == 0
    assert (office.current, office.addin) == ("1.0", "1.0")


def test_a_second_installation_of_the_same_changes_nothing(office, capsys):
    office.run("install", "1.0")
    before = (office.home / "state.json").read_bytes()
    assert office.run("install", "1.0") == 0
    assert "đã có sẵn" in capsys.readouterr().out
    assert (office.home / "state.json").read_bytes() == before
    assert office.versions == 1


def test_an_update_stands_beside_the_version_before(office):
    office.run("install", "1.0")
    assert office.run("install", "2.0") == 0
    assert (office.current, office.addin) == ("2.0", "2.0")
    assert office.versions == 2


def test_switching_back_needs_no_bundle_and_switches_forth_again(office):
    office.run("install", "1.0")
    office.run("install", "2.0")
    assert office.run("rollback") == 0
    assert (office.current, office.addin) == ("1.0", "1.0")
    assert office.run("rollback") == 0
    assert (office.current, office.addin) == ("2.0", "2.0")


def test_without_a_version_before_there_is_no_way_back(office, capsys):
    office.run("install", "1.0")
    assert office.run("rollback") == 2
    assert "không có bản trước" in capsys.readouterr().out
    assert office.current == "1.0"


def test_only_two_versions_are_kept(office):
    for version in ("1.0", "2.0"):
        office.run("install", version)
    office.bundles["3.0"] = write_bundle(office.media, "3.0")
    office.run("install", "3.0")
    assert office.versions == 2
    assert office.run("rollback") == 0
    assert office.current == "2.0"


def test_removing_leaves_what_belongs_to_people(office):
    office.run("install", "1.0")
    master = office.user / "Documents" / "sổ.xlsx"
    companion = office.user / "Documents" / "sổ.xlsx.theodoi" / "log.txt"
    companion.parent.mkdir(parents=True)
    master.write_text("register")
    companion.write_text("log")
    assert office.run("uninstall") == 0
    assert not office.home.exists()
    assert office.addin is None
    assert (master.read_text(), companion.read_text()) == ("register", "log")
    left = {path for path in office.user.rglob("*") if path.is_file()}
    assert left == {master, companion}


def test_removing_twice_says_that_nothing_is_there(office, capsys):
    office.run("install", "1.0")
    office.run("uninstall")
    capsys.readouterr()
    assert office.run("uninstall", "1.0") == 0
    assert "không có gì để gỡ" in capsys.readouterr().out
    assert not office.home.exists()


def test_removing_works_with_a_broken_environment(office):
    """The record says what the add-in has made, when its own program cannot start."""
    office.run("install", "1.0")
    for path in (office.home / "versions").glob("*/lib/python*/site-packages/xl_theodoi/*.py"):
        path.write_text("raise SystemExit(9)")
    assert office.run("uninstall") == 0
    assert office.addin is None
    assert not office.home.exists()


def test_a_file_of_somebody_else_in_the_folder_stays(office):
    office.run("install", "1.0")
    (office.home / "ghi-chu.docx").write_text("mine")
    assert office.run("uninstall") == 0
    assert [path.name for path in office.home.iterdir()] == ["ghi-chu.docx"]


def test_excel_holding_the_addin_keeps_the_version_before(office, capsys):
    office.run("install", "1.0")
    (office.user / "XLSTART" / "excel-is-open").touch()
    assert office.run("install", "2.0") == 2
    assert "đóng hết cửa sổ Excel" in capsys.readouterr().out
    assert (office.current, office.addin) == ("1.0", "1.0")
    (office.user / "XLSTART" / "excel-is-open").unlink()
    assert office.run("install", "2.0") == 0
    assert "đã có sẵn" in capsys.readouterr().out
    assert office.current == "2.0"


def steps_of_an_update(folder: Path) -> int:
    office = Office(folder)
    office.run("install", "1.0")
    office.steps = 0
    office.run("install", "2.0")
    return office.steps


def test_whatever_step_is_interrupted_a_whole_version_works(tmp_path):
    """Then the same update goes through; before it, switching back never loses anything."""
    steps = steps_of_an_update(tmp_path / "count")
    assert steps > 20
    for number in range(1, steps + 1):
        office = Office(tmp_path / str(number))
        office.run("install", "1.0")
        office.steps, office.stop_at = 0, number
        assert office.run("install", "2.0") == 2
        office.stop_at = 0
        assert office.launched in ("1.0", "2.0"), number
        assert office.addin in ("1.0", "2.0"), number
        assert office.run("install", "2.0") == 0, number
        assert (office.current, office.addin) == ("2.0", "2.0"), number
        assert office.run("rollback") == 0, number
        assert office.current == "1.0", number


def test_a_first_installation_that_was_interrupted_can_be_removed(tmp_path):
    for number in range(1, 12):
        office = Office(tmp_path / str(number))
        office.stop_at = number
        office.run("install", "1.0")
        office.stop_at = 0
        assert office.run("uninstall", "1.0") == 0
        assert not office.home.exists()
        assert office.addin is None


@pytest.mark.parametrize("fault", ["missing", "damaged", "truncated"])
def test_a_bad_file_of_a_bundle_is_named_and_nothing_is_made(office, fault, capsys):
    wheel = next((office.bundles["2.0"] / "wheels").glob("*.whl"))
    if fault == "missing":
        wheel.unlink()
    else:
        data = wheel.read_bytes()
        wheel.write_bytes(data[:-9] if fault == "truncated" else data[:99] + b"X" + data[100:])
    office.run("install", "1.0")
    capsys.readouterr()
    assert office.run("install", "2.0") == 2
    said = capsys.readouterr().out
    assert wheel.name in said
    assert "Chưa thay đổi gì" in said
    assert office.versions == 1
    assert office.current == "1.0"


def test_a_bundle_without_wheels_for_this_python_says_for_which_it_has_them(office, capsys):
    bundle = office.bundles["1.0"]
    own = next(bundle.glob("requirements-*.txt"))
    own.rename(bundle / "requirements-cp399.txt")
    write_sums(bundle)
    assert office.run("install", "1.0") == 2
    assert "3.99" in capsys.readouterr().out


def test_the_scripts_alone_are_no_bundle(tmp_path, capsys):
    lone = tmp_path / "a" / "b"
    lone.mkdir(parents=True)
    for name in ("theodoi_setup.py", "messages.json"):
        (lone / name).write_bytes((SCRIPTS / name).read_bytes())
    script = load_script(lone)
    assert script.main(["install", "--home", str(tmp_path / "home")]) == 2
    assert "không phải là bộ cài" in capsys.readouterr().out


@pytest.mark.parametrize("python", [(3, 8, 10), (3, 10, 14)])
def test_an_old_python_is_told_so(office, python, monkeypatch, capsys):
    script = load_script(office.bundles["1.0"])

    class Version(tuple):
        __slots__ = ()

    monkeypatch.setattr(script.sys, "version_info", Version(python))
    assert script.main(["install", "--home", str(office.home)]) == 2
    said = capsys.readouterr().out
    assert "3.11" in said
    assert "cũ" in said


def test_a_python_of_the_shop_is_refused(office, monkeypatch, capsys):
    """What it writes below AppData is shown to no other program: Excel would see no add-in."""
    script = load_script(office.bundles["1.0"])
    monkeypatch.setattr(script.sys, "base_prefix", "C:\\Program Files\\WindowsApps\\Python")
    assert script.main(["install", "--home", str(office.home)]) == 2
    assert "Microsoft Store" in capsys.readouterr().out


def test_an_old_python_can_read_the_script():
    ast.parse((SCRIPTS / "theodoi_setup.py").read_text(encoding="utf-8"), feature_version=(3, 8))


def test_the_script_needs_the_standard_library_only():
    tree = ast.parse((SCRIPTS / "theodoi_setup.py").read_text(encoding="utf-8"))
    tops = {
        alias.name.split(".")[0]
        for node in ast.walk(tree)
        if isinstance(node, ast.Import)
        for alias in node.names
    }
    tops |= {
        node.module.split(".")[0] for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)
    }
    assert tops <= set(sys.stdlib_module_names)


def test_a_folder_that_refuses_writing_is_said(office, capsys, monkeypatch):
    script = load_script(office.bundles["1.0"])

    def refuse(*_, **__):
        raise PermissionError(13, "Permission denied", str(office.home))

    monkeypatch.setattr(script.Path, "mkdir", refuse)
    assert script.main(["install", "--home", str(office.home)]) == 2
    said = capsys.readouterr().out
    assert "Permission denied" in said
    assert "Traceback" not in said


def test_two_installations_at_once_do_not_mix(office, capsys):
    office.home.mkdir(parents=True)
    with (office.home / "lock").open("a") as stream:
        fcntl.flock(stream, fcntl.LOCK_EX)
        assert office.run("install", "1.0") == 2
    assert "đang chạy" in capsys.readouterr().out


def test_every_sentence_is_used_and_every_one_used_exists():
    source = (SCRIPTS / "theodoi_setup.py").read_text(encoding="utf-8")
    texts = json.loads((SCRIPTS / "messages.json").read_text(encoding="utf-8"))
    used = set(re.findall(r'(?:say|sentence|do)\(\s*"(\w+)"', source))
    assert used == set(texts)


def test_pip_itself_installs_without_a_network_and_refuses_another_wheel(office, monkeypatch):
    """The real pip, once: the pinned hash is what it goes by."""
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/")
    bundle = office.bundles["1.0"]
    words = [sys.executable, str(bundle / "theodoi_setup.py"), "install"]
    words += ["--home", str(office.home), "--user", str(office.user)]
    done = subprocess.run(words, capture_output=True, check=False, encoding="utf-8")
    assert done.returncode == 0, done.stdout
    assert office.current == "1.0"

    wheel = next((office.bundles["2.0"] / "wheels").glob("*.whl"))
    with zipfile.ZipFile(wheel, "a") as package:
        package.writestr("xl_theodoi/more.py", "")
    write_sums(office.bundles["2.0"])
    words[1] = str(office.bundles["2.0"] / "theodoi_setup.py")
    done = subprocess.run(words, capture_output=True, check=False, encoding="utf-8")
    assert done.returncode == 2
    assert "không cài được các gói" in done.stdout
    assert "THESE PACKAGES DO NOT MATCH THE HASHES" in (office.home / "log.txt").read_text()
    assert office.current == "1.0"
    assert office.versions == 1


# The command files, read as text: no Windows has run them.

COMMANDS = sorted(SCRIPTS.glob("*.cmd"))


@pytest.mark.parametrize("path", COMMANDS, ids=lambda path: path.name)
def test_command_files_are_ascii_with_the_line_ends_of_windows(path):
    data = path.read_bytes()
    assert data.isascii()
    assert data.count(b"\r\n") == data.count(b"\n")
    assert data.startswith(b"@echo off\r\n")


def test_command_files_name_tasks_that_the_script_knows():
    tasks = {
        path.name: path.read_text(encoding="ascii").splitlines()[-1].split()[1]
        for path in COMMANDS
        if path.name != "chay.cmd"
    }
    assert tasks == {
        "cai-dat.cmd": "install",
        "cap-nhat.cmd": "install",
        "quay-lai.cmd": "rollback",
        "go-bo.cmd": "uninstall",
    }


def test_the_common_command_file_quotes_every_path():
    """Names of users and folders hold spaces."""
    text = (SCRIPTS / "chay.cmd").read_text(encoding="ascii")
    for line in text.splitlines():
        for mark in ("%~dp0", "%LOCALAPPDATA%", "%ProgramFiles%"):
            if mark in line:
                assert f'"{mark}' in line, line
    labels = {line[1:] for line in text.splitlines() if line.startswith(":")}
    assert set(re.findall(r"(?:call :|goto )(\w+)", text)) == labels


def test_kept_scripts_are_those_that_ship():
    script = load_script(SCRIPTS)
    assert all((SCRIPTS / name).is_file() for name in script.KEPT_SCRIPTS)

r"""Install, switch back and remove xl_theodoi for one user of Windows, without administrator.

    python theodoi_setup.py install [--from FOLDER] | rollback | uninstall

Needs nothing but Python 3.11 or newer: this file uses the standard library only, and an older
Python can read it far enough to be told so. Sentences for people stand in `messages.json`.

Each version has an environment of its own in `versions`, complete once its `ready.json` is
there. `state.json` names the current one and the one before; it is replaced in one step, after
everything else. So whatever is interrupted leaves the version that worked before.

Options for trying it elsewhere: `--home` (instead of `%LOCALAPPDATA%\TheoDoi`), `--user` (the
user's folder in which the add-in is installed), `--no-excel` (without the add-in).
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import time
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

HERE = Path(__file__).resolve().parent
WINDOWS = os.name == "nt"
OLDEST = (3, 11)
STORE = "WindowsApps"
"""In the path of a Python from Microsoft's shop."""
SUMS = "SHA256SUMS.txt"
WHEELS = "wheels"
READY = "ready.json"
STATE = "state.json"
RECORD = "addin.json"
LOCK = "lock"
LOG = "log.txt"
LAUNCHER = "theodoi.cmd"
KEPT_SCRIPTS = (
    *("theodoi_setup.py", "messages.json", "can-python.txt"),
    *("chay.cmd", "quay-lai.cmd", "go-bo.cmd"),
)
"""Stay in the user's folder, so that switching back and removing need no bundle."""
PAUSES = (0.1, 0.3, 0.9) if WINDOWS else ()
"""Seconds to wait where a scanner holds a file for a moment."""
OWN_FILES = (STATE, RECORD, LOG, LAUNCHER, LOCK, *KEPT_SCRIPTS)


class SetupError(Exception):
    """Something that a person must do first; the message says what."""


def say(key: str, **values: object) -> None:
    """Print a sentence of `messages.json`."""
    print(sentence(key, **values), flush=True)


def sentence(key: str, **values: object) -> str:
    """Return a sentence of `messages.json`, filled in."""
    texts: dict[str, str] = json.loads((HERE / "messages.json").read_text(encoding="utf-8"))
    return texts[key].format(**values)


def main(arguments: Sequence[str]) -> int:
    """Do one task and return the exit code: 0, 1 (a person must look at it) or 2 (not done)."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("task", choices=("install", "rollback", "uninstall"))
    parser.add_argument("--from", dest="source", type=Path, default=HERE)
    parser.add_argument("--home", type=Path, default=None)
    parser.add_argument("--user", type=Path, default=None)
    parser.add_argument("--no-excel", action="store_true")
    options = parser.parse_args(arguments)
    try:
        setup = Setup(
            options.home or default_home(), options.source, options.user, not options.no_excel
        )
        if options.task == "uninstall" and not setup.home.is_dir():
            say("nothing_installed")
            return 0
        with setup.alone():
            code: int = getattr(setup, options.task)()
        setup.tidy_home()
    except SetupError as problem:
        print(f"\n{problem}", flush=True)
        return 2
    except KeyboardInterrupt:
        say("interrupted")
        return 2
    except OSError as problem:
        say("system", path=problem.filename or "", reason=problem.strerror or problem)
        return 2
    return code


def default_home() -> Path:
    """Return the user's folder for programs that he installs himself."""
    if os.environ.get("LOCALAPPDATA"):
        return Path(os.environ["LOCALAPPDATA"]) / "TheoDoi"
    return Path.home() / ".local" / "share" / "TheoDoi"


def check_python() -> None:
    """Stop where this Python cannot run the program."""
    if sys.version_info < OLDEST:
        raise SetupError(sentence("old_python", version=sys.version.split()[0]))
    if WINDOWS and sysconfig.get_platform() != "win-amd64":
        raise SetupError(sentence("not_64_bit", platform=sysconfig.get_platform()))
    if STORE in sys.base_prefix:
        # Windows shows what such a Python writes below AppData to no other program.
        raise SetupError(sentence("store_python"))


class Setup:
    """One user's installation.

    Args:
        home: Folder of the versions.
        source: A bundle, or the scripts' folder in the sources.
        user: Folder of the user in which the add-in goes; None for whoever runs this.
        with_excel: Whether the add-in is installed as well.
    """

    def __init__(self, home: Path, source: Path, user: Path | None, with_excel: bool) -> None:
        self.home = home.absolute()
        self.source = source.resolve()
        self.user = user
        self.with_excel = with_excel
        self.versions = self.home / "versions"
        self.is_removed = False

    # What the tasks do.

    def install(self) -> int:
        """Install the version of the source beside the current one, then switch to it."""
        check_python()
        name, requirements = self.wanted()
        self.versions.mkdir(parents=True, exist_ok=True)
        if self.is_ready(name):
            say("already_there", name=name)
        else:
            self.make(name, requirements)
        self.switch(name)
        return self.examine()

    def rollback(self) -> int:
        """Switch to the version before; a second time switches forth again."""
        previous = self.state().get("previous")
        if not previous or not self.is_ready(previous):
            raise SetupError(sentence("no_previous"))
        self.switch(previous)
        say("rolled_back", name=previous)
        return self.examine()

    def uninstall(self) -> int:
        """Remove everything but what belongs to people: their workbooks and what is beside."""
        # Any version that works can take the add-in away; the record serves where none does.
        for name in self.all_ready():
            if not self.with_excel or self.run(name, *self.addin("uninstall")) == 0:
                break
        left = self.remove_recorded()
        if not left:
            with suppress(OSError):
                shutil.rmtree(self.versions)
        if left or self.versions.exists():
            raise SetupError(sentence("still_open", paths="\n   ".join(left) or self.versions))
        self.is_removed = True
        say("removed", home=self.home)
        return 0

    # What is to be installed.

    def wanted(self) -> tuple[str, Path | None]:
        """Return the name of the version to install and its list of pinned packages, if any.

        A bundle is checked whole before anything is made: a damaged file is named.
        """
        if not (self.source / SUMS).is_file():
            if not (self.source.parents[1] / "pyproject.toml").is_file():
                raise SetupError(sentence("no_bundle", folder=self.source))
            return self.name_from_sources(), None
        damaged = self.damaged()
        if damaged:
            raise SetupError(sentence("damaged", files="\n   ".join(damaged)))
        tag = "cp{}{}".format(*sys.version_info)
        requirements = self.source / f"requirements-{tag}.txt"
        if not requirements.is_file():
            known = sorted(
                re.sub(r"\D*(\d)(\d+)\D*", r"\1.\2", path.name)
                for path in self.source.glob("requirements-*.txt")
            )
            version = "{}.{}".format(*sys.version_info)
            raise SetupError(sentence("other_python", version=version, known=", ".join(known)))
        data = requirements.read_bytes()
        found = re.search(r"^xl-theodoi\S*==(\S+)", data.decode("ascii"), re.MULTILINE)
        version = found.group(1) if found else ""
        return f"{version}-{tag}-{hashlib.sha256(data).hexdigest()[:8]}", requirements

    def damaged(self) -> list[str]:
        """Return the bundle's files that are missing or not as they were packed."""
        bad = []
        for line in (self.source / SUMS).read_text(encoding="utf-8").splitlines():
            sha256, _, name = line.partition("  ")
            try:
                data = (self.source / name).read_bytes()
            except OSError:
                bad.append(name)
                continue
            if hashlib.sha256(data).hexdigest() != sha256:
                bad.append(name)
        return bad

    def name_from_sources(self) -> str:
        """Return a name for what is installed from the sources, over the network."""
        taken = [int(path.name.split("-")[1]) for path in self.versions.glob("sources-*")]
        return f"sources-{max(taken, default=0) + 1}"

    # A version's environment.

    def make(self, name: str, requirements: Path | None) -> None:
        """Make the environment of a version; it counts once its mark is there."""
        place = self.versions / name
        self.remove_tree(place)
        say("making", name=name)
        try:
            self.do("venv_failed", sys.executable, "-m", "venv", place)
            say("installing")
            pip: list[str | Path] = [
                self.python(name),
                "-I",
                "-m",
                "pip",
                "--disable-pip-version-check",
                "install",
            ]
            if requirements is None:
                self.do("install_failed", *pip, ".[excel]", folder=self.source.parents[1])
            else:
                offline: list[str | Path] = [
                    "--no-index",
                    "--find-links",
                    self.source / WHEELS,
                    "--require-hashes",
                ]
                offline += ["--only-binary", ":all:", "--no-input", "-r", requirements]
                self.do("install_failed", *pip, *offline, alone=True)
            self.do("install_failed", self.python(name), "-I", "-m", "xl_theodoi", "--version")
        except BaseException:
            self.remove_tree(place)
            raise
        replace_text(place / READY, json.dumps({"name": name}))

    def do(self, failure: str, *command: str | Path, **options: Any) -> None:
        """Run a command with its output in the log; stop where it fails."""
        if self.log(*command, **options):
            raise SetupError(sentence(failure, log=self.home / LOG))

    def is_ready(self, name: str) -> bool:
        """Whether a version is complete and its Python still starts."""
        place = self.versions / name
        if not (place / READY).is_file() or not self.python(name).exists():
            return False
        return self.log(self.python(name), "-I", "-m", "xl_theodoi", "--version") == 0

    def all_ready(self) -> list[str]:
        """Return the versions that work, the current one first."""
        state = self.state()
        names = [state.get("current"), state.get("previous")]
        if self.versions.is_dir():
            names += sorted(path.name for path in self.versions.iterdir())
        return [name for name in dict.fromkeys(filter(None, names)) if self.is_ready(name)]

    def python(self, name: str) -> Path:
        """Return the interpreter of a version."""
        inside = ("Scripts", "python.exe") if WINDOWS else ("bin", "python")
        return self.versions.joinpath(name, *inside)

    # Switching.

    def switch(self, name: str) -> None:
        """Let the add-in, the shortcuts and the command use a version.

        The mark of the current version changes last. Until then the version before is what
        switching back returns to; both are whole.
        """
        before = self.state()
        if self.with_excel and self.run(name, *self.addin("install")) == 2:
            raise SetupError(sentence("addin_failed"))
        previous = before.get("current")
        if previous == name:
            previous = before.get("previous")
        self.keep_scripts()
        inside = "Scripts\\python.exe" if WINDOWS else "bin/python"
        # Relative, so that the file stays ASCII whatever the user is called.
        line = f'@"%~dp0versions\\{name}\\{inside}" -m xl_theodoi %*\r\n'
        replace_text(self.home / LAUNCHER, line)
        replace_text(self.home / STATE, json.dumps({"current": name, "previous": previous}))
        self.remove_others({name, previous})

    def state(self) -> dict[str, str]:
        """Return what `state.json` says; nothing where it is missing or was damaged."""
        try:
            found = json.loads((self.home / STATE).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        return found if isinstance(found, dict) else {}

    def addin(self, task: str) -> list[str]:
        """Return the words of the program's command for the add-in."""
        words = ["addin", task, "--home", str(self.home)]
        return words if self.user is None else [*words, "--user", str(self.user)]

    def keep_scripts(self) -> None:
        """Copy the scripts that switch back and remove, unless they run from there."""
        for name in KEPT_SCRIPTS:
            data = (HERE / name).read_bytes()
            if self.home != HERE:
                replace_bytes(self.home / name, data)

    def examine(self) -> int:
        """Let the current version examine itself and return the exit code."""
        say("examining")
        words = ["doctor", str(Path.home()), "--home", str(self.home)]
        if self.user is not None:
            words += ["--user", str(self.user)]
        code = self.run(self.state()["current"], *words)
        say("installed", home=self.home)
        return min(code, 1)

    # Removing.

    def remove_others(self, kept: set[str | None]) -> None:
        """Remove versions that neither are current nor the one before; what is in use stays."""
        for path in self.versions.iterdir():
            if path.name not in kept:
                with suppress(OSError, SetupError):
                    self.remove_tree(path)

    def remove_tree(self, place: Path) -> None:
        """Remove a version, its mark first: half a version must not look like a whole one."""
        if place.is_dir():
            with suppress(FileNotFoundError):
                (place / READY).unlink()
            shutil.rmtree(place)

    def remove_recorded(self) -> list[str]:
        """Remove the files that the add-in's record names; return those that stay.

        Nothing is left to do where the program's own command has done it.
        """
        try:
            record = json.loads((self.home / RECORD).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return []
        left = []
        for name in record.get("files", []):
            if not name.endswith((".xlam", ".conf", ".lnk")):
                continue
            try:
                Path(name).unlink()
            except FileNotFoundError:
                pass
            except OSError:
                left.append(name)
        for name in reversed(record.get("folders", [])):
            with suppress(OSError):
                Path(name).rmdir()
        return left

    def tidy_home(self) -> None:
        """After a removal: take away what this script put into its folder, last of all."""
        if not self.is_removed:
            return
        for name in OWN_FILES:
            with suppress(FileNotFoundError):
                (self.home / name).unlink()
        with suppress(OSError):
            self.home.rmdir()

    # Processes and the lock.

    def run(self, name: str, *words: str) -> int:
        """Run the program in a version, its answers on screen, and return its exit code."""
        command = [str(self.python(name)), "-I", "-m", "xl_theodoi", *words]
        return subprocess.run(command, env=clean_environment(), check=False).returncode

    def log(self, *command: str | Path, folder: Path | None = None, alone: bool = False) -> int:
        """Run a command with its output in the log and return its exit code."""
        self.home.mkdir(parents=True, exist_ok=True)
        with (self.home / LOG).open("ab") as stream:
            stream.write(("\n> " + " ".join(map(str, command)) + "\n").encode("utf-8"))
            stream.flush()
            return subprocess.run(
                [str(word) for word in command],
                cwd=folder,
                env=clean_environment(alone=alone),
                stdout=stream,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
                check=False,
            ).returncode

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Keep a second installation of the same user out."""
        self.home.mkdir(parents=True, exist_ok=True)
        with (self.home / LOCK).open("a+b") as stream:
            try:
                if sys.platform == "win32":
                    stream.seek(0)
                    msvcrt.locking(stream.fileno(), msvcrt.LK_NBLCK, 1)
                else:
                    fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                raise SetupError(sentence("running")) from None
            yield


def clean_environment(*, alone: bool = False) -> dict[str, str]:
    """Return the environment for a child: UTF-8, and nothing of another Python's.

    Args:
        alone: Also without the settings of pip, which could send it to a network.
    """
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.upper().startswith("PYTHON")
        and not (alone and name.upper().startswith("PIP_"))
        and name.upper() != "VIRTUAL_ENV"
    }
    if alone:
        kept["PIP_CONFIG_FILE"] = os.devnull
    return {**kept, "PYTHONUTF8": "1"}


def replace_text(path: Path, text: str) -> None:
    """Write a text in the place of whatever is there, in one step."""
    replace_bytes(path, text.encode("utf-8"))


def replace_bytes(path: Path, data: bytes) -> None:
    """Write a file in the place of whatever is there, in one step."""
    hidden = path.with_name(path.name + ".new")
    with hidden.open("wb") as stream:
        stream.write(data)
        stream.flush()
        os.fsync(stream.fileno())
    for pause in PAUSES:
        try:
            hidden.replace(path)
        except PermissionError:
            time.sleep(pause)
        else:
            return
    hidden.replace(path)


if __name__ == "__main__":
    code = main(sys.argv[1:])
    if sys.stdin is not None and sys.stdin.isatty() and not os.environ.get("THEODOI_NO_PAUSE"):
        # Started by a double click, the window would close before anybody has read it.
        with suppress(EOFError, KeyboardInterrupt):
            input(sentence("press_enter"))
    sys.exit(code)

"""Set the project up and run it: `demo` shows the whole round, `test` runs every check.

    python3 .ci/setup.py demo [FOLDER]
    python3 .ci/setup.py test [options of pytest]

Needs nothing but Python 3.11 or newer: this file uses the standard library only. It makes the
environment `.venv` beside this repository's pyproject.toml, installs the project into it and,
on Debian and Ubuntu, adds missing system packages with apt-get (as root or through sudo). A
second run finds everything in place and starts at once.
"""

from __future__ import annotations

import hashlib
import importlib
import importlib.util
import io
import itertools
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
STAMP = VENV / "installed.txt"
WINDOWS = os.name == "nt"
MOST_WORKERS = 8
"""LibreOffice starts in several tests; more workers than this only wait for memory."""

OFFICE_PACKAGES = {
    "soffice": "libreoffice-calc",
    "pdftoppm": "poppler-utils",
    "fc-list": "fontconfig",
}


def main(arguments: list[str]) -> int:
    """Run `demo` or `test` and return the exit code."""
    if sys.version_info < (3, 11):  # noqa: UP036 - the one file that an older Python may meet
        print(f"Python 3.11 or newer is needed; this is {sys.version.split()[0]}.")
        return 2
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(encoding="utf-8", errors="backslashreplace", line_buffering=True)
    task = arguments[0] if arguments else ""
    if task not in ("demo", "test"):
        print(__doc__)
        return 2
    os.chdir(ROOT)
    try:
        make_environment()
        if task == "demo":
            install("")
            return demo(arguments[1:])
        with_office = add_office()
        install("dev")
        return check(arguments[1:], with_office=with_office)
    except SetupError as problem:
        print(f"\nCannot continue: {problem}")
        return 2


class SetupError(Exception):
    """Something that a person must do first; the text says what."""


def section(title: str) -> None:
    """Print a heading."""
    print(f"\n== {title}", flush=True)


def run(*command: object) -> int:
    """Run a command in the repository and return its exit code."""
    return subprocess.run([str(word) for word in command], cwd=ROOT, check=False).returncode


def answers(*command: object) -> str | None:
    """Return what a command prints, or nothing where it fails."""
    try:
        done = subprocess.run(
            [str(word) for word in command], cwd=ROOT, check=False, capture_output=True, text=True
        )
    except OSError:
        return None
    return done.stdout.strip() if done.returncode == 0 else None


def python() -> Path:
    """Return the interpreter of the environment."""
    return VENV / ("Scripts/python.exe" if WINDOWS else "bin/python")


def version_of_environment() -> str | None:
    """Return the environment's Python version where it works and has pip."""
    return answers(python(), "-c", "import pip, sys; print(*sys.version_info[:2])")


def make_environment() -> None:
    """Create `.venv`, unless a working one of this Python version is there."""
    if version_of_environment() == "{} {}".format(*sys.version_info):
        return
    section(f"Environment {VENV.name} for Python {sys.version.split()[0]}")
    if importlib.util.find_spec("ensurepip") is None:
        # Debian keeps this part of the standard library in a package of its own.
        package = f"python{sys.version_info[0]}.{sys.version_info[1]}-venv"
        if not apt_install([package]):
            line = f"apt-get update && apt-get install -y {package}"
            raise SetupError(f"as root, run:  {line}\nthen run the same line again.")
        importlib.invalidate_caches()
    if run(sys.executable, "-m", "venv", "--clear", VENV) or version_of_environment() is None:
        raise SetupError(f"no virtual environment could be made in {VENV}.")


def fingerprint(extra: str) -> str:
    """Return a text that changes when the installation has to be renewed."""
    declared = hashlib.sha256((ROOT / "pyproject.toml").read_bytes()).hexdigest()
    return f"{declared} {ROOT} {extra}"


def install(extra: str) -> None:
    """Install the project, editable, with the packages of `extra`, unless that is done."""
    done = STAMP.read_text(encoding="utf-8").splitlines() if STAMP.is_file() else []
    if fingerprint(extra) in done:
        return
    section("Packages of the project" + (f" ({extra})" if extra else ""))
    # Relative: the folder's own path may hold brackets, which pip would take for extras.
    target = f".[{extra}]" if extra else "."
    if run(python(), "-m", "pip", "install", "--quiet", "--editable", target):
        raise SetupError("the packages could not be installed; is the network reachable?")
    # What the extra brings includes what the plain installation brings.
    STAMP.write_text("\n".join({fingerprint(""), fingerprint(extra)}) + "\n", encoding="utf-8")


def apt_install(packages: list[str]) -> bool:
    """Install system packages where apt-get is there and may be used."""
    if WINDOWS or shutil.which("apt-get") is None:
        return False
    if os.geteuid() == 0:
        rights = []
    elif shutil.which("sudo"):
        # Without a terminal nobody could type a password.
        rights = ["sudo"] if sys.stdin.isatty() else ["sudo", "-n"]
    else:
        return False
    section(f"System packages: {', '.join(packages)}")
    apt = [*rights, "env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-qq"]
    install_all = [*apt, "install", "-y", "--no-install-recommends", *packages]
    # The lists of a fresh machine may be empty or old.
    return run(*apt, "update") == 0 and run(*install_all) == 0


def missing_office() -> list[str]:
    """Return the system packages that the tests with LibreOffice still need."""
    packages = [package for tool, package in OFFICE_PACKAGES.items() if not shutil.which(tool)]
    if not answers("fc-list", "Liberation Serif"):
        packages.append("fonts-liberation")
    return packages


def add_office() -> bool:
    """Install LibreOffice, Poppler and fonts where missing; return whether they are there."""
    packages = missing_office()
    if not packages:
        return True
    if WINDOWS or shutil.which("apt-get") is None:
        print("LibreOffice, Poppler or fonts are missing: tests that need them are left out.")
        return False
    if not apt_install(packages) or missing_office():
        line = "apt-get update && apt-get install -y " + " ".join(packages)
        raise SetupError(f"as root, run:  {line}\nthen run the same line again.")
    return True


def demo(arguments: list[str]) -> int:
    """Run the demo from the environment, in a folder that is not there yet."""
    section("theodoi demo")
    if not arguments:
        others = (f"demo-{number}" for number in itertools.count(2))
        names = itertools.chain(("demo",), others)
        arguments = [next(name for name in names if not (ROOT / name).exists())]
    return run(python(), "-m", "xl_theodoi", "demo", *arguments)


def workers() -> int:
    """Return how many tests may run at once."""
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return max(1, min(usable or 1, MOST_WORKERS))


def check(arguments: list[str], *, with_office: bool) -> int:
    """Run every check, the tests last, and return 0 where all of them pass."""
    pytest = ["pytest", "-n", str(workers()), "--dist", "worksteal", *arguments]
    if not with_office:
        pytest += ["-m", "not slow and not libreoffice"]
    checks = {
        "ruff check": ["ruff", "check", "."],
        "ruff format": ["ruff", "format", "--check", "."],
        "mypy": ["mypy"],
        "pytest": pytest,
    }
    failed = []
    for name, command in checks.items():
        section(name)
        start = time.monotonic()
        if run(python(), "-m", *command):
            failed.append(name)
        print(f"({name}: {time.monotonic() - start:.0f} s)")
    print("\nAll checks passed." if not failed else f"\nFailed: {', '.join(failed)}.")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

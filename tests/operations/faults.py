"""Stops a command at any step that reaches the disk: killed, or refused by the system.

The functions of `os` through which everything is written are wrapped in a forked child. The
child counts the steps; at the chosen one it ends at once, as if the power had gone, or the
system refuses, once or from then on.
"""

from __future__ import annotations

import errno
import io
import json
import os
import re
import shutil
import sys
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from xl_theodoi.cli import main

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

KILLED = 77
"""Exit code of a child that was stopped."""

STEPS = (
    "open", "write", "fsync", "ftruncate", "replace", "rename", "link", "unlink", "mkdir",
    "rmdir", "chmod", "chown", "setxattr",
)  # fmt: skip
WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT


@dataclass(frozen=True)
class Fault:
    """What happens at one step.

    Attributes:
        step: Number of the step, from 0; -1 never.
        kind: `kill`, or the name of the system's refusal.
        is_half: Whether a write is half done first.
        is_lasting: Whether the system goes on refusing.
        copies: With `copy`, where the folder is copied to before each step and in the middle of
            each writing: just what a kill would leave there.
        root: The folder that is copied.
    """

    step: int = -1
    kind: str = "kill"
    is_half: bool = False
    is_lasting: bool = False
    copies: Path | None = None
    root: Path | None = None


UNDISTURBED = Fault()


@dataclass(frozen=True)
class Run:
    """What a child did: exit code, what it printed, and its steps by name and file."""

    code: int
    out: str
    err: str
    steps: list[tuple[str, str]]

    @property
    def json(self) -> Any:
        return json.loads(self.out)


class Disk:
    """The functions of `os` that write, wrapped."""

    def __init__(self, fault: Fault, report: Callable[[list[tuple[str, str]]], None]) -> None:
        self.fault = fault
        self.report = report
        self.steps: list[tuple[str, str]] = []
        self.copied = 0
        self.is_copying = False
        self.real = {name: getattr(os, name) for name in STEPS if hasattr(os, name)}
        for name, function in self.real.items():
            setattr(os, name, self._wrapped(name, function))

    def _wrapped(self, name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **options: Any) -> Any:
            if self.is_copying or (name == "open" and not args[1] & WRITING):
                return function(*args, **options)
            number = len(self.steps)
            self.steps.append((name, str(args[0])))
            fault = self.fault
            if fault.copies is not None:
                return self._copied(name, function, args, options)
            if fault.step < 0 or number < fault.step:
                return function(*args, **options)
            if number > fault.step and not fault.is_lasting:
                return function(*args, **options)
            if number == fault.step and name == "write" and fault.is_half:
                function(args[0], bytes(args[1])[: len(args[1]) // 2])
            if fault.kind == "kill":
                self.report(self.steps)
                os._exit(KILLED)
            if not self._refuses(name):
                return function(*args, **options)
            code = getattr(errno, fault.kind)
            raise OSError(code, os.strerror(code))

        return call

    def _copied(self, name: str, function: Callable[..., Any], args: Any, options: Any) -> Any:
        self._copy()
        if name != "write":
            return function(*args, **options)
        data = bytes(args[1])
        half = function(args[0], data[: len(data) // 2])
        self._copy()
        return half + function(args[0], data[half:])

    def _copy(self) -> None:
        assert self.fault.copies is not None
        assert self.fault.root is not None
        self.is_copying = True
        shutil.copytree(self.fault.root, self.fault.copies / f"{self.copied:04}", symlinks=True)
        self.copied += 1
        self.is_copying = False

    def _refuses(self, name: str) -> bool:
        """Whether a refusal of this kind can meet this step: a full disk still unlinks."""
        if self.fault.kind == "ENOSPC":
            return name in ("open", "write", "fsync", "link", "rename", "replace", "mkdir")
        return True


def run(
    work: list[object] | Callable[[], int],
    fault: Fault = UNDISTURBED,
    folder: Path | None = None,
) -> Run:
    """Run a command in a child and stop it as told.

    Args:
        work: The command line, or what to do, which returns the exit code.
        fault: Where and how it is stopped.
        folder: Where the child leaves what it says; beside nothing that is looked at.
    """
    assert folder is not None
    said = folder / "said.json"
    said.unlink(missing_ok=True)
    child = os.fork()
    if not child:
        out, err = io.StringIO(), io.StringIO()
        real_exit = os._exit
        real = {name: getattr(os, name) for name in ("write", "open")}

        def report(steps: list[tuple[str, str]], code: int = KILLED) -> None:
            handle = real["open"](said, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            text = json.dumps([code, out.getvalue(), err.getvalue(), steps]).encode()
            while text:
                text = text[real["write"](handle, text) :]

        code = 99
        try:
            disk = Disk(fault, report)
            with redirect_stdout(out), redirect_stderr(err):
                code = work() if callable(work) else main([str(word) for word in work])
            report(disk.steps, code)
        except BaseException as problem:  # noqa: BLE001
            sys.__stderr__.write(f"{type(problem).__name__}: {problem}\n")
        finally:
            real_exit(code)
    _, status = os.waitpid(child, 0)
    code = os.waitstatus_to_exitcode(status)
    _, out_text, err_text, steps = json.loads(said.read_bytes())
    return Run(code, out_text, err_text, [tuple(step) for step in steps])


def restore(folder: Path, kept: Path) -> None:
    """Put a folder back to a copy of it."""
    if folder.exists():
        shutil.rmtree(folder)
    shutil.copytree(kept, folder, symlinks=True)


def tree(folder: Path) -> dict[str, bytes]:
    """Every file's bytes and every folder, the journal without its moments."""
    found = {}
    for path in sorted(folder.rglob("*")):
        name = str(path.relative_to(folder))
        found[name] = path.read_bytes() if path.is_file() else b"folder"
        if path.name == "journal.jsonl":
            found[name] = re.sub(rb'"at": "[^"]*"', b'"at": ""', found[name])
    return found

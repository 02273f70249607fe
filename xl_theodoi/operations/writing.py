"""One way for every command to write a master.

The order is what makes it safe to stop at any moment:

1. the lock is taken, and what a killed run left is settled;
2. the new master and every other file of the command are written under hidden names and
   flushed to the disk;
3. the snapshot of the old master and the journal's line about the command follow;
4. the other files take their places;
5. the new master takes the place of the old one: now the command has taken place;
6. the journal is completed, old snapshots go, the second location is brought into step.

What stops the work before step 5 takes everything back, here or in the next run; what stops
it later takes nothing back, and the next run does the rest.
"""

from __future__ import annotations

import contextlib
import functools
from typing import TYPE_CHECKING, Concatenate, ParamSpec, TypeVar

from xl_theodoi.domain.errors import TheodoiError
from xl_theodoi.domain.findings import Location, warning
from xl_theodoi.interrupts import uninterrupted
from xl_theodoi.messages import error_sentences
from xl_theodoi.operations.companion import Companion
from xl_theodoi.operations.locking import RunLock, held_lock, holding
from xl_theodoi.operations.outputs import Outputs
from xl_theodoi.operations.recovery import settle
from xl_theodoi.operations.second import keep_in_step
from xl_theodoi.operations.snapshots import Intent

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from xl_theodoi.domain.changes import FileChange
    from xl_theodoi.domain.findings import Finding
    from xl_theodoi.hosts import Edit, Host
    from xl_theodoi.operations.master import Master

Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")
AnyHost = TypeVar("AnyHost", bound="Host")


@contextlib.contextmanager
def writing(path: Path, command: str, findings: list[Finding]) -> Iterator[None]:
    """Hold the right to write a master, after settling what a killed run left.

    Args:
        path: The master.
        command: Name of the command, for the journal and for whom it keeps out.
        findings: Takes what was settled.

    Raises:
        TheodoiError: `run_in_progress` where another run writes the master, `cannot_write`.
    """
    lock = RunLock(path, command)
    left = lock.acquire()
    try:
        companion = Companion(path)
        findings += settle(companion, left)
        lock.begin(companion.snapshots.last_entry())
    except BaseException:
        lock.leave()
        raise
    try:
        with holding(lock):
            yield
    finally:
        lock.release()


def writes(
    command: str,
) -> Callable[
    [Callable[Concatenate[AnyHost, Parameters], Result]],
    Callable[Concatenate[AnyHost, Parameters], Result],
]:
    """Let an operation on a host run with the lock held from reading to writing.

    With the argument `dry_run` it takes none, because it writes nothing, anywhere.

    Args:
        command: Name of the command.
    """

    def decorate(
        operation: Callable[Concatenate[AnyHost, Parameters], Result],
    ) -> Callable[Concatenate[AnyHost, Parameters], Result]:
        @functools.wraps(operation)
        def run(host: AnyHost, /, *words: Parameters.args, **options: Parameters.kwargs) -> Result:
            if options.get("dry_run"):
                return operation(host, *words, **options)
            if not host.path.is_file():
                raise TheodoiError("master_missing", path=str(host.path))
            with writing(host.path, command, host.findings):
                return operation(host, *words, **options)

        return run

    return decorate


def commit(
    master: Master, command: str, changes: Sequence[FileChange], made: Outputs | None = None
) -> bool:
    """Write changes to a master, and the files that belong to them.

    Args:
        master: The workbook as read.
        command: Name of the command, for the journal.
        changes: What to change; where nothing does, no snapshot is kept.
        made: Other files of the command.

    Returns:
        Whether the master was written.

    Raises:
        TheodoiError: Where the workbook is open elsewhere, has changed since it was read or
            cannot be written; nothing has been written then.
    """
    host = master.host
    with contextlib.ExitStack() as stack:
        if held_lock() is None:
            stack.enter_context(writing(host.path, command, host.findings))
        files = made if made is not None else Outputs()
        stack.enter_context(files)
        edit = None
        if changes:
            host.ensure_writable()
            edit = host.prepare(changes)
        if edit is not None:
            with uninterrupted():
                _write(master, command, edit, files)
        else:
            files.put()
        second = master.settings.text("snapshot_folder")
        host.findings += keep_in_step(master.companion, second)
    return edit is not None


def _write(master: Master, command: str, edit: Edit, files: Outputs) -> None:
    """Take steps 2 to 6."""
    snapshots, settings = master.companion.snapshots, master.settings
    number = None
    after = None
    try:
        files.flush()
        number = snapshots.intend(
            Intent(
                command,
                edit.before,
                edit.before_sha256,
                edit.after_sha256,
                edit.temporary,
                files.files,
                settings.text("snapshot_folder"),
                settings.number("snapshot_count"),
                settings.number("snapshot_days"),
                edit.saved_sha256,
            )
        )
        files.place()
        after = edit.put()
    except BaseException:
        if not edit.is_put:
            # What cannot be taken back now, for want of rights, is by the next run.
            with contextlib.suppress(TheodoiError):
                files.take_back()
                edit.discard()
                if number is not None:
                    snapshots.drop([number])
            raise
        files.keep()
        raise
    files.keep()
    try:
        snapshots.finish(number, after, edit.after)
    except TheodoiError as problem:
        master.host.findings.append(unfinished(master.companion, problem))


def unfinished(companion: Companion, problem: TheodoiError) -> Finding:
    """Return the finding that a command took place and its journal could not say so."""
    where = Location(companion.master.name)
    return warning("journal_unfinished", where, reason=error_sentences(problem)[0])

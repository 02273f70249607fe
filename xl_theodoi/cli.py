"""The command line: reads options, calls one operation, prints what it returns."""

from __future__ import annotations

import argparse
import gc
import os
import sys
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from xl_theodoi import __version__
from xl_theodoi.domain.errors import TheodoiError
from xl_theodoi.messages import catalogue, error_sentences, text

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from xl_theodoi.domain.periods import Period

DONE, NEEDS_PERSON, FAILED = 0, 1, 2
"""Exit codes of the contract."""
OBJECTS_BETWEEN_COLLECTIONS = 100_000
"""Python's own is 700."""


def today() -> date:
    """Return today's date in Vietnam; the only reading of the clock for a judgement."""
    from xl_theodoi.domain.dates import VIET_NAM  # noqa: PLC0415

    return datetime.now(VIET_NAM).date()


class _Parser(argparse.ArgumentParser):
    """A parser whose own words are Vietnamese and whose errors are ours."""

    def error(self, message: str) -> NoReturn:
        raise TheodoiError("usage", message=message, help=f"{self.prog} --help")

    def _check_value(self, action: argparse.Action, value: object) -> None:
        # argparse would print the choices as Python writes a list.
        if action.choices is not None and value not in action.choices:
            choices = ", ".join(map(str, action.choices))
            message = text("cli", "unknown_choice", value=value, choices=choices)
            raise argparse.ArgumentError(None, message)


class _CommandParser(_Parser):
    """A parser of one command: what it works on may stand before or after its options.

    argparse itself takes `MASTER --period P PATH` for a PATH too many.
    """

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        """Parse, then give words that were left over to the argument that takes many."""
        found, left = super().parse_known_args(args, namespace)
        many = next((a for a in self._actions if not a.option_strings and a.nargs == "*"), None)
        if many is not None and left and not any(word.startswith("-") for word in left):
            values = [self._get_value(many, word) for word in left]
            setattr(found, many.dest, [*getattr(found, many.dest), *values])
            left = []
        return found, left


def _translate() -> None:
    """Give argparse the words of the message catalogue; it asks its module's `_` for them."""
    words = catalogue()["cli"]["parser"]

    def translated(message: str | None) -> str | None:
        known: str | None = words.get(message, message)
        return known

    argparse._ = translated  # type: ignore[attr-defined]


def _day(value: str) -> date:
    try:
        return date.fromisoformat(value)
    except ValueError:
        raise TheodoiError("bad_option_date", value=value) from None


def _period(value: str) -> Period:
    from xl_theodoi.domain.periods import parse_period  # noqa: PLC0415

    return parse_period(value)


def _parser() -> argparse.ArgumentParser:
    from xl_theodoi.resources import profile_ids  # noqa: PLC0415

    _translate()
    words = catalogue()["cli"]
    arguments = words["arguments"]

    # Whole option names only: a new option must not change what a shortened one means.
    common = _CommandParser(add_help=False)
    common.add_argument("--json", action="store_true", help=words["json"])
    common.add_argument("--quiet", action="store_true", help=words["quiet"])
    dated = _CommandParser(add_help=False)
    dated.add_argument("--as-of", type=_day, metavar="D", help=words["as_of"])

    parser = _Parser(
        prog="theodoi",
        description=words["description"],
        epilog=words["epilog"],
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--version", action="version", version=f"theodoi {__version__}", help=words["version"]
    )
    commands = parser.add_subparsers(
        dest="command", required=True, metavar=words["command_word"], title=words["commands"],
        parser_class=_CommandParser,
    )  # fmt: skip

    def command(name: str, *, judges_by_date: bool = True) -> argparse.ArgumentParser:
        entry = words["commands_text"][name]
        return commands.add_parser(
            name,
            help=entry["help"],
            description=entry["help"][:1].upper() + entry["help"][1:] + ".",
            epilog=words["example"].format(line=entry["example"]),
            parents=[common, dated] if judges_by_date else [common],
            formatter_class=argparse.RawDescriptionHelpFormatter,
            allow_abbrev=False,
        )

    def command_on_master(name: str, *, judges_by_date: bool = True) -> argparse.ArgumentParser:
        found = command(name, judges_by_date=judges_by_date)
        found.add_argument("master", **master)
        found.add_argument("--excel", action="store_true", help=words["excel"])
        return found

    master: dict[str, Any] = {"type": Path, "metavar": "MASTER", "help": arguments["master"]}
    profiles = arguments["profile"].format(profiles=", ".join(profile_ids()))

    demo = command("demo")
    demo.add_argument(
        "directory", nargs="?", type=Path, default=Path("demo"), metavar="DIR",
        help=arguments["directory"],
    )  # fmt: skip
    demo.add_argument("--profile", default="hue", metavar="P", help=profiles)

    new = command("new")
    new.add_argument("master", type=Path, metavar="MASTER", help=arguments["master_new"])
    new.add_argument("--profile", required=True, metavar="P", help=profiles)
    new.add_argument("--units", type=Path, metavar="FILE", help=arguments["units"])
    new.add_argument("--tasks", type=Path, metavar="FILE", help=arguments["tasks"])

    add = command_on_master("add")
    add.add_argument("file", type=Path, metavar="FILE", help=arguments["file"])
    add.add_argument("--documents", action="store_true", help=arguments["documents"])
    add.add_argument("--split", action="store_true", help=arguments["split"])

    for name in ("check", "refresh"):
        command_on_master(name)

    send = command_on_master("send")
    send.add_argument(
        "--period", required=True, type=_period, metavar="P", help=arguments["period"]
    )
    send.add_argument("--out", required=True, type=Path, metavar="DIR", help=arguments["out"])
    send.add_argument("--new", action="store_true", help=arguments["new"])

    consolidate = command_on_master("consolidate")
    consolidate.add_argument("paths", nargs="*", type=Path, metavar="PATH", help=arguments["paths"])
    consolidate.add_argument("--period", type=_period, metavar="P", help=arguments["period"])
    consolidate.add_argument("--out", type=Path, metavar="DIR", help=arguments["out"])
    consolidate.add_argument("--dry-run", action="store_true", help=arguments["dry_run"])

    report = command_on_master("report")
    report.add_argument(
        "kinds", nargs="*", metavar="KIND",
        help=arguments["kinds"].format(kinds=", ".join(REPORT_KINDS)),
    )  # fmt: skip
    report.add_argument(
        "--period", required=True, type=_period, metavar="P", help=arguments["period"]
    )
    report.add_argument("--out", required=True, type=Path, metavar="DIR", help=arguments["out"])
    report.add_argument("--format", choices=("xlsx",), default="xlsx", help=arguments["format"])

    command_on_master("show")
    command_on_master("undo", judges_by_date=False)
    command_on_master("upgrade")

    fields = command("fields", judges_by_date=False)
    fields.add_argument("--profile", required=True, metavar="P", help=profiles)

    deadline = command("deadline", judges_by_date=False)
    deadline.add_argument("text", metavar="TEXT", help=arguments["text"])
    deadline.add_argument(
        "--issued", required=True, type=_day, metavar="D", help=arguments["issued"]
    )
    deadline.add_argument("--received", type=_day, metavar="D", help=arguments["received"])
    deadline.add_argument("--master", type=Path, metavar="M", help=arguments["calendar_master"])

    calendar = command("calendar")
    calendar.add_argument("year", metavar="YEAR", help=arguments["year"])
    calendar.add_argument("--master", type=Path, metavar="M", help=arguments["calendar_master"])

    workdays = command("workdays", judges_by_date=False)
    workdays.add_argument("start", type=_day, metavar="D", help=arguments["start"])
    workdays.add_argument("count", metavar="N", help=arguments["count"])
    workdays.add_argument("--master", type=Path, metavar="M", help=arguments["calendar_master"])

    doctor = command("doctor", judges_by_date=False)
    doctor.add_argument("folder", nargs="?", type=Path, metavar="DIR", help=arguments["folder"])
    addin = command("addin", judges_by_date=False)
    addin.add_argument("task", choices=ADDIN_TASKS, metavar="TASK", help=arguments["addin_task"])
    addin.add_argument(
        "--out", type=Path, default=Path(), metavar="DIR", help=arguments["addin_out"]
    )
    for placed in (doctor, addin):
        placed.add_argument("--user", type=Path, metavar="DIR", help=arguments["user"])
        placed.add_argument("--home", type=Path, metavar="DIR", help=arguments["home"])
    bundle = command("bundle", judges_by_date=False)
    bundle.add_argument("--out", type=Path, default=Path(), metavar="DIR", help=arguments["out"])
    bundle.add_argument("--local", action="store_true", help=arguments["local"])

    topics = command("help", judges_by_date=False)
    topics.add_argument("topic", nargs="?", metavar=words["topic_word"], help=arguments["topic"])
    return parser


REPORT_KINDS = ("office-summary", "unit-report")
ADDIN_TASKS = ("build", "install", "uninstall")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code.

    Args:
        arguments: Words of the command line without the program's name.
    """
    given = list(sys.argv[1:] if arguments is None else arguments)
    as_json = "--json" in given
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")
    if arguments is None:
        # A register is millions of objects that all stay until the end: looking through them
        # for rings again and again took a fifth of the time. Who calls this function from a
        # process of his own keeps his setting.
        gc.set_threshold(OBJECTS_BETWEEN_COLLECTIONS, 50, 100)
    try:
        options = _parser().parse_args(given)
        return _run(options)
    except TheodoiError as problem:
        return _fail(problem, as_json)
    except KeyboardInterrupt:
        code = _interrupted(as_json)
        if arguments is None:
            # Where the interruption met the import of a module, Python would end the process
            # with a signal of its own in the end, whatever code is returned.
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(code)
        return code
    except BrokenPipeError:
        # Whoever read the answer (`| head`) has gone; the work itself was done before.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return DONE
    except SystemExit as stop:
        return int(stop.code or 0)
    except Exception as problem:  # noqa: BLE001 - the edge: people never see a traceback
        return _fail(
            TheodoiError("internal", kind=type(problem).__name__, log=_log(problem)), as_json
        )


def _interrupted(as_json: bool) -> int:
    """Say in one line that the user stopped the work; writing itself is never stopped."""
    from xl_theodoi.printing import print_json  # noqa: PLC0415

    problem = TheodoiError("cancelled")
    what, fix = error_sentences(problem)
    if as_json:
        print_json({"error": {"code": problem.code, "message": f"{what} {fix}".strip()}})
    else:
        sys.stderr.write(text("answers", "interrupted", what=what) + "\n")
    return FAILED


def _log(problem: Exception) -> str:
    """Write a traceback to a log file in the temporary folder and return its path."""
    import tempfile  # noqa: PLC0415
    import traceback  # noqa: PLC0415

    path = Path(tempfile.gettempdir()) / "theodoi-log.txt"
    lines = traceback.format_exception(problem)
    try:
        with path.open("a", encoding="utf-8") as stream:
            stream.writelines([f"theodoi {__version__} {datetime.now().astimezone()}\n", *lines])
    except OSError:
        return "stderr"
    return str(path)


def _fail(problem: TheodoiError, as_json: bool) -> int:
    from xl_theodoi.printing import print_json  # noqa: PLC0415

    what, fix = error_sentences(problem)
    if as_json:
        print_json({"error": {"code": problem.code, "message": f"{what} {fix}".strip()}})
    else:
        sys.stderr.write(text("answers", "error", what=what) + "\n")
        if fix:
            sys.stderr.write(text("answers", "error_fix", fix=fix) + "\n")
    return FAILED


def _run(options: argparse.Namespace) -> int:
    from xl_theodoi import commands  # noqa: PLC0415

    if getattr(options, "as_of", None) is None:
        options.as_of = today()
    run: Callable[[argparse.Namespace], int] = getattr(commands, f"run_{options.command}")
    return run(options)


if __name__ == "__main__":
    sys.exit(main())

"""The user's guide: chapters, commands, codes, settings and words, each by its name.

Chapters are Markdown files in `help/`; commands, codes and settings are explained from the
catalogues that the program itself uses, so that the guide cannot fall behind them.
"""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, Any

from xl_theodoi.domain.errors import TheodoiError
from xl_theodoi.messages import catalogue, fill, printed, text
from xl_theodoi.resources import PACKAGE, field_catalogue, setting_catalogue, table_catalogue

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

CODES = "codes"
SETTINGS = "settings"
GLOSSARY = "glossary"
_BESIDE = re.compile(r"\]\([^)\s]+\.(?:png|svg|docx)\)")
"""A picture, or a file to pass on; a terminal shows neither."""


def manual(topic: str | None) -> dict[str, str]:
    """Return one piece of the guide.

    Where a name means several things, all of them are given: `calendar_missing` is a finding
    and an error. A chapter goes before a command of the same name (`status`, `undo`).

    Args:
        topic: Name of a chapter, command, code, setting or field; nothing for the list.

    Returns:
        `topic`, the name it was found by, and `text`, Vietnamese, for a terminal.

    Raises:
        TheodoiError: `unknown_topic`.
    """
    if topic is None:
        return {"topic": "", "text": _index()}
    asked = topic.strip()
    name = catalogue()["help"]["aliases"].get(asked.lower(), asked)
    if name == CODES:
        return {"topic": CODES, "text": _codes()}
    parts = list(_explanations(name))
    if not parts:
        raise TheodoiError("unknown_topic", value=topic)
    return {"topic": name, "text": "\n\n".join(parts)}


def _explanations(name: str) -> Iterable[str]:
    chapters, commands = chapter_texts(), catalogue()["cli"]["commands_text"]
    if name in chapters:
        yield chapters[name]
        if _BESIDE.search(chapters[name]):
            yield text("help", "beside", folder=PACKAGE / "help")
    if name == SETTINGS:
        yield "\n\n".join(_setting(code, entry) for code, entry in setting_catalogue().items())
    if name in commands:
        yield text("help", "command", name=name, **commands[name])
    for kind in ("findings", "errors"):
        if name in catalogue()[kind]:
            yield _code(name, kind)
    if name in setting_catalogue():
        yield _setting(name, setting_catalogue()[name])
    if name in _field_labels():
        yield _field(name)


@cache
def chapter_texts() -> Mapping[str, str]:
    """Return the chapters by name, in the order of the list, others after."""
    order = catalogue()["help"]["order"]
    found = {
        path.stem: path.read_text(encoding="utf-8").strip()
        for path in sorted((PACKAGE / "help").glob("*.md"))
    }
    names = [name for name in order if name in found]
    return {name: found[name] for name in [*names, *(set(found) - set(names))]}


def _index() -> str:
    words = catalogue()["help"]
    chapters = {
        name: content.splitlines()[0].lstrip("# ") for name, content in chapter_texts().items()
    }
    commands = {name: entry["help"] for name, entry in catalogue()["cli"]["commands_text"].items()}
    return "\n".join(
        [
            words["index_title"],
            words["index_intro"],
            "",
            words["index_topics"],
            *_lines(chapters),
            "",
            words["index_commands"],
            *_lines(commands),
            "",
            words["index_codes"],
        ]
    )


def _lines(entries: Mapping[str, str]) -> list[str]:
    """Return one line for each entry, the names padded to one width."""
    width = max(map(len, entries))
    return [text("help", "line", name=f"{name:{width}}", title=entries[name]) for name in entries]


def _codes() -> str:
    words = catalogue()["help"]
    parts = [words["codes_title"], words["codes_intro"]]
    for kind in ("findings", "errors"):
        entries = catalogue()[kind]
        lines = _lines({code: fill(entries[code]["what"], {}) for code in sorted(entries)})
        parts += ["", words[f"codes_{kind}"], *lines]
    return "\n".join(parts)


def _code(code: str, kind: str) -> str:
    """Return what a code means, how to mend it and an example."""
    words, entry = catalogue()["help"], catalogue()[kind][code]

    def said(key: str, line: str) -> list[str]:
        return [text("help", line, text=fill(entry[key], {}))] if entry.get(key) else []

    parts = [text("help", "code", code=code)]
    parts.append(words["finding_kind" if kind == "findings" else "error_kind"])
    parts += said("what", "what") + said("fix", "fix")
    if "what_warning" in entry:
        parts += [words["warning_heading"]]
        parts += said("what_warning", "what") + said("fix_warning", "fix")
    if entry.get("example"):
        # An example is no template: its braces, if any, are meant.
        parts.append(text("help", "example", text=entry["example"]))
    if "…" in "".join(parts[2:]):
        parts.append(words["gap"])
    return "\n".join(parts)


def _setting(code: str, entry: Mapping[str, Any]) -> str:
    words = catalogue()["help"]
    default = entry.get("default")
    if default is None:
        shown = words["setting_profile"]
    elif isinstance(default, bool):
        shown = table_catalogue()["words"]["boolean"]["true" if default else "false"]
    else:
        shown = printed(default) or words["setting_blank"]
    allowed = ""
    if "choices" in entry:
        allowed = text("help", "setting_choices", choices=", ".join(entry["choices"]))
    elif entry["type"] == "bool":
        both = table_catalogue()["words"]["boolean"]
        allowed = text("help", "setting_choices", choices=", ".join((both["true"], both["false"])))
    elif "minimum" in entry:
        allowed = text("help", "setting_choices", choices=text("help", "setting_range", **entry))
    return text(
        "help",
        "setting",
        code=code,
        default=shown,
        choices=allowed,
        explanation=entry["explanation"],
    )


@cache
def _field_labels() -> Mapping[str, str]:
    catalogues = field_catalogue()
    return {
        name: entry["label"]
        for group in ("register", "computed", "unit")
        for name, entry in catalogues[group].items()
    }


def _field(name: str) -> str:
    """Return a field's label and its line of the glossary."""
    first = text("help", "field", name=name, label=_field_labels()[name])
    rows = [row for row in chapter_texts()[GLOSSARY].splitlines() if f"`{name}`" in row]
    meanings = [row.strip("|").split("|")[-1].strip() for row in rows if row.startswith("|")]
    return "\n".join([first, *meanings])

"""Findings and errors turned into Vietnamese sentences; the wording is data."""

from __future__ import annotations

import tomllib
from datetime import date, datetime
from functools import cache
from typing import TYPE_CHECKING, Any

from xl_theodoi.resources import PACKAGE

if TYPE_CHECKING:
    from collections.abc import Mapping

    from xl_theodoi.domain.errors import TheodoiError
    from xl_theodoi.domain.findings import Finding


@cache
def catalogue() -> Mapping[str, Mapping[str, Any]]:
    """Return every message by section and code, from `data/messages/*.toml`."""
    merged: dict[str, dict[str, Any]] = {}
    for path in sorted((PACKAGE / "data" / "messages").glob("*.toml")):
        for section, entries in tomllib.loads(path.read_text(encoding="utf-8")).items():
            merged.setdefault(section, {}).update(entries)
    return merged


class _Values(dict[str, Any]):
    """Placeholders for one sentence; a value that is not known reads as an ellipsis."""

    def __missing__(self, key: str) -> str:
        return "…"


def printed(value: object) -> str:
    """Return a value as people read it: dates day first, lists with semicolons."""
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.strftime("%d/%m/%Y %H:%M")
    if isinstance(value, date):
        return value.strftime("%d/%m/%Y")
    if isinstance(value, (tuple, list, set, frozenset)):
        return "; ".join(printed(item) for item in value)
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


def fill(template: str, values: Mapping[str, object]) -> str:
    """Return a template with its placeholders filled."""
    return template.format_map(_Values({name: printed(value) for name, value in values.items()}))


def finding_sentences(finding: Finding, labels: Mapping[str, str] | None = None) -> tuple[str, str]:
    """Return what is wrong and what to do, as two sentences.

    Args:
        finding: The finding.
        labels: Column label by field name, so that people read the heading they know.
    """
    entry = catalogue()["findings"][finding.code]
    place = finding.location
    values: dict[str, object] = {
        "file": place.file,
        "sheet": place.sheet,
        "cell": place.cell,
        "task_id": finding.task_id,
        "column": (labels or {}).get(finding.field or "", finding.field or ""),
        **finding.values,
    }
    # A code that both blocks and warns may say it in two ways.
    kind = "" if finding.is_error else "_warning"
    what = entry.get(f"what{kind}", entry["what"])
    fix = entry.get(f"fix{kind}", entry["fix"])
    return fill(what, values), fill(fix, values)


def error_sentences(problem: TheodoiError) -> tuple[str, str]:
    """Return what stopped the work and what to do, as two sentences."""
    entry = catalogue()["errors"][problem.code]
    values = dict(problem.values)
    if isinstance(problem.__cause__, OSError):
        values["reason"] = system_reason(problem.__cause__)
    elif "reason" in values:
        reason = str(values["reason"])
        values["reason"] = catalogue()["reasons"].get(reason, reason)
    return fill(entry["what"], values), fill(entry.get("fix", ""), values)


def system_reason(problem: OSError) -> str:
    """Return why the operating system refused, which says it in English."""
    known: Mapping[str, str] = catalogue()["system_reasons"]
    return known.get(problem.strerror or "", known["other"])


def text(section: str, key: str, **values: object) -> str:
    """Return a sentence or word of the command line or of a report, filled in."""
    return fill(catalogue()[section][key], values)

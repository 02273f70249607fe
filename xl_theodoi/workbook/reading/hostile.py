"""What a workbook that was mailed in must not contain.

Nothing found here is ever run by this program. But the file goes on to people: an officer
opens the original to see what a unit wrote, and then it could act.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING

from xl_theodoi.domain.errors import TheodoiError
from xl_theodoi.domain.findings import Location

if TYPE_CHECKING:
    from collections.abc import Iterator

    from xl_theodoi.workbook.reading.package import Package
    from xl_theodoi.workbook.reading.read import WorkbookContent

_KINDS = frozenset(
    kind.lower()
    for kind in (
        "vbaProject",
        "xlMacrosheet",
        "xlIntlMacrosheet",
        "dialogsheet",
        "externalLink",
        "externalLinkPath",
        "oleObject",
        "package",
        "control",
        "activeXControlBinary",
        "connections",
        "queryTable",
        "extensibility",
        "ui",
        "attachedToolbars",
        "attachedTemplate",
        "aFChunk",
    )
)
"""Relationship kinds that bring code, foreign files or other sources of data."""

_TYPES = re.compile(
    r"vbaproject|macrosheet|dialogsheet|externallink|oleobject|activex|connections\+xml"
    r"|querytable|macroenabled"
)
_NAMES = re.compile(
    r"(?:^|/)(?:vbaproject|vbadata|connections\.xml)"
    r"|(?:^|/)(?:macrosheets|dialogsheets|externallinks|embeddings|activex|querytables|customui)/",
)
_QUOTED_TEXT = re.compile(r'"(?:[^"]|"")*"')
_DYNAMIC_DATA_EXCHANGE = re.compile(r"[\w.']\s*\|\s*(?:'(?:[^']|'')*'|[\w.]+)\s*!")
"""`program|topic!item`; the bar alone may also stand in the name of a sheet or column."""
_REACHING_NAMES = ("CALL", "REGISTER", "EXEC", "RTD", "WEBSERVICE", "DDE", "IMAGE")
_REACHING_FUNCTIONS = re.compile(
    rf"(?<![\w.])(?:_XLFN\.)?(?:{'|'.join(_REACHING_NAMES)}|REGISTER\.ID)\s*\(",
    re.IGNORECASE,
)


def unsafe_parts(package: Package) -> list[str]:
    """Return what in a package could act when somebody opens it.

    That is: macros and macro sheets, links to other files, embedded objects, ActiveX
    controls, data connections, ribbon extensions, and every relationship to the outside but
    plain hyperlinks. A master may have such parts; a returned workbook may not.

    Returns:
        Part names as the file writes them; for a relationship to the outside the part that
        has it, an arrow, and the kind. Empty for a harmless package.
    """
    found: dict[str, None] = {}
    for part in package.part_names:
        if _TYPES.search(package.content_type(part)) or _NAMES.search(part.lower()):
            found[part] = None
    for source in ("", *package.part_names):
        for relationship in package.relationships(source):
            kind = relationship.kind.lower()
            if relationship.external:
                if kind != "hyperlink":
                    found[f"{source or '_rels/.rels'} → {relationship.kind}"] = None
            elif kind in _KINDS:
                found[relationship.target] = None
    return list(found)


def is_unsafe_formula(formula: str) -> bool:
    """Return whether a formula starts a program, loads a library or fetches from a server.

    Example:
        >>> is_unsafe_formula("cmd|'/c calc'!A0"), is_unsafe_formula('A1&"cmd|x"')
        (True, False)
    """
    # Thousands of formulas in a workbook have neither sign nor name of what is looked for.
    if "|" not in formula:
        upper = formula.upper()
        if not any(name in upper for name in _REACHING_NAMES):
            return False
    plain = _QUOTED_TEXT.sub('""', formula)
    return bool(_DYNAMIC_DATA_EXCHANGE.search(plain) or _REACHING_FUNCTIONS.search(plain))


def unsafe_formulas(content: WorkbookContent) -> list[Location]:
    """Return the cells and names with formulas that reach outside the workbook.

    All sheets are looked at, also those that nobody asked for yet.

    Raises:
        TheodoiError: `not_a_workbook` or `too_large` if a sheet cannot be read.
    """
    return list(_unsafe_formulas(content))


def _unsafe_formulas(content: WorkbookContent) -> Iterator[Location]:
    for name, formula in content.info.formulas:
        if is_unsafe_formula(formula):
            yield Location(content.file, None, name)
    for sheet in content.sheets:
        survey = content.survey(sheet.name)
        forms = survey.formulas if survey else content.grid(sheet.name).formula_forms
        if forms is not None and not any(map(_may_be_unsafe, forms)):
            continue
        for cell, formula in content.grid(sheet.name).formulas():
            if is_unsafe_formula(formula):
                yield Location(content.file, sheet.name, cell)


@lru_cache(maxsize=4096)
def _may_be_unsafe(form: str) -> bool:
    """Return whether a formula may be unsafe that has this form, digits taken out or replaced.

    No name that is looked for has a digit in it, so none is lost with them; a topic of dynamic
    data exchange may be a number, but its bar stays.
    """
    return "|" in form or is_unsafe_formula(form)


def refuse_unsafe(content: WorkbookContent) -> None:
    """Refuse a returned workbook that could act when somebody opens it.

    Raises:
        TheodoiError: `unsafe_content`; values `parts` (all that was found) and `part` (the
            first of them). `not_a_workbook` or `too_large` if a sheet cannot be read.
    """
    found = unsafe_parts(content.package)
    if not found:
        found = [
            f"{place.sheet}!{place.cell}" if place.sheet else str(place.cell)
            for place in unsafe_formulas(content)
        ]
    if found:
        raise TheodoiError("unsafe_content", file=content.file, parts=found, part=found[0])

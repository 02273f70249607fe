"""The settings of an office: catalogue, profile and the master's table CauHinh put together.

Where the regulations leave something open (items A1 to A25 of the ambiguities), the catalogue
`settings.toml` proposes a reading, a profile may propose another, and the office decides in
the table CauHinh. What the office wrote wrongly is reported and the proposal holds.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from xl_theodoi.domain.errors import TheodoiError
from xl_theodoi.domain.findings import Finding, Location, error, warning
from xl_theodoi.domain.text import clean, fold

if TYPE_CHECKING:
    from collections.abc import Iterable

    from xl_theodoi.domain.cells import Value
    from xl_theodoi.domain.profile import Profile

SettingValue = bool | int | str | tuple[str, ...]
"""A setting's value: truth value, whole number, text or code, set of codes."""

Entry = Mapping[str, Any]
"""One setting of the catalogue: type, default, explanation; choices or range."""

Catalogue = Mapping[str, Entry]
"""Settings by code, in the order in which a new master lists them."""

LETTERHEAD = "letterhead."
"""Prefix of the settings whose default is the profile's letterhead."""


@dataclass(frozen=True, slots=True)
class Settings:
    """The settings in force, by code; every code of the catalogue has a value.

    The typed readers refuse a code that does not exist or is of another type: that is a
    mistake in the program, since people's mistakes were judged by `read_settings`.
    """

    values: Mapping[str, SettingValue]

    def _typed(self, code: str, kind: type) -> Any:
        value = self.values.get(code)
        if type(value) is not kind:
            message = f"setting {code!r} is not a {kind.__name__}: {value!r}"
            raise ValueError(message)
        return value

    def flag(self, code: str) -> bool:
        """Return a truth value."""
        return bool(self._typed(code, bool))

    def number(self, code: str) -> int:
        """Return a whole number."""
        return int(self._typed(code, int))

    def text(self, code: str) -> str:
        """Return a text, blank where the office left it blank."""
        return str(self._typed(code, str))

    def choice(self, code: str) -> str:
        """Return the code chosen from the setting's choices."""
        return self.text(code)

    def names(self, code: str) -> tuple[str, ...]:
        """Return the codes chosen from the setting's choices, in the catalogue's order."""
        value: tuple[str, ...] = self._typed(code, tuple)
        return value

    def enabled(self) -> frozenset[str]:
        """Return the codes of the truth values that are on."""
        return frozenset(code for code, value in self.values.items() if value is True)

    def with_values(self, changes: Mapping[str, SettingValue]) -> Settings:
        """Return these settings with some values replaced."""
        unknown = set(changes) - set(self.values)
        if unknown:
            message = f"no such setting: {sorted(unknown)}"
            raise ValueError(message)
        return Settings({**self.values, **changes})


class _NotAcceptedError(Exception):
    """The value is none that the setting takes."""


def read_settings(
    catalogue: Catalogue, profile: Profile, rows: Iterable[tuple[Value, Value, Location]]
) -> tuple[Settings, list[Finding]]:
    """Return the settings in force and what is wrong in the office's table.

    A setting without a row, or with a blank value, takes the profile's value, else the
    catalogue's. For texts a blank value is a value: an office may want a line to stay empty.

    Args:
        catalogue: The settings that exist.
        profile: The regulation; gives defaults, letterhead and the words for truth values.
        rows: Code, value and address of the value for each row of CauHinh, as read.

    Returns:
        The settings, and the findings `bad_setting` (error; the default holds),
        `unknown_setting` and `repeated_setting` (warnings).

    Raises:
        TheodoiError: `bad_profile` where the profile itself sets what no setting takes.
    """
    defaults = _defaults(catalogue, profile)
    values = dict(defaults)
    findings: list[Finding] = []
    seen: set[str] = set()
    for raw_code, raw, location in rows:
        code = fold(_plain(raw_code))
        if not code:
            continue
        entry = catalogue.get(code)
        if entry is None:
            findings.append(warning("unknown_setting", location, setting=_plain(raw_code)))
            continue
        if raw is None or (_plain(raw) == "" and entry["type"] != "text"):
            continue
        try:
            value = _parsed(raw, entry, profile)
        except _NotAcceptedError:
            findings.append(
                error(
                    "bad_setting",
                    location,
                    setting=code,
                    value=_plain(raw),
                    allowed=allowed_values(entry, profile),
                    default=printed_value(defaults[code], profile),
                )
            )
            continue
        if code in seen:
            if value != values[code]:
                findings.append(
                    warning("repeated_setting", location, setting=code, value=_plain(raw))
                )
            continue
        seen.add(code)
        values[code] = value
    return Settings(values), findings


def default_settings(catalogue: Catalogue, profile: Profile) -> Settings:
    """Return the settings of an office that changed nothing."""
    return Settings(_defaults(catalogue, profile))


def setting_rows(catalogue: Catalogue, profile: Profile) -> list[tuple[str, str, str]]:
    """Return code, printed default and explanation of every setting, for a new master."""
    defaults = _defaults(catalogue, profile)
    return [
        (code, printed_value(defaults[code], profile), str(entry["explanation"]))
        for code, entry in catalogue.items()
    ]


def printed_value(value: SettingValue, profile: Profile) -> str:
    """Return a setting's value as the table CauHinh shows it."""
    if isinstance(value, bool):
        return profile.words["boolean"]["true" if value else "false"]
    if isinstance(value, tuple):
        return "; ".join(value)
    return str(value)


def setting_words(profile: Profile) -> dict[bool, list[str]]:
    """Return what people may write for true and for false, the printed word first."""
    accepted = profile.words["boolean_input"]
    found: dict[bool, list[str]] = {}
    for truth, name in ((True, "true"), (False, "false")):
        words = [profile.words["boolean"][name]]
        found[truth] = words + [w for w, m in accepted.items() if m == name and w not in words]
    return found


def allowed_values(entry: Entry, profile: Profile) -> str:
    """Return what a setting takes, for people: the words, the codes or the range."""
    kind = entry["type"]
    if kind == "bool":
        return "; ".join(profile.words["boolean"].values())
    if kind == "int":
        return f"{entry['minimum']}–{entry['maximum']}"
    return "; ".join(entry.get("choices", ()))


def _defaults(catalogue: Catalogue, profile: Profile) -> dict[str, SettingValue]:
    values: dict[str, SettingValue] = {}
    for code, entry in catalogue.items():
        if code.startswith(LETTERHEAD):
            values[code] = str(getattr(profile.letterhead, code.removeprefix(LETTERHEAD)))
        else:
            default = entry["default"]
            values[code] = tuple(default) if isinstance(default, list) else default
    for code, raw in profile.settings.items():
        known = catalogue.get(code)
        if known is None:
            raise TheodoiError("bad_profile", place=f"settings.{code}", reason="unknown setting")
        try:
            values[code] = _parsed(
                "; ".join(raw) if isinstance(raw, tuple) else raw, known, profile
            )
        except _NotAcceptedError as problem:
            raise TheodoiError(
                "bad_profile", place=f"settings.{code}", reason=f"not accepted: {raw!r}"
            ) from problem
    return values


def _plain(raw: Value) -> str:
    """Return a raw value as clean text, without the `.0` that Excel's numbers carry."""
    if isinstance(raw, float) and raw.is_integer():
        raw = int(raw)
    return "" if raw is None else clean(str(raw))


def _parsed(raw: Value, entry: Entry, profile: Profile) -> SettingValue:
    kind = entry["type"]
    if kind == "text":
        return _plain(raw)
    if kind == "bool":
        return _parsed_flag(raw, profile)
    if kind == "int":
        return _parsed_number(raw, entry)
    if kind == "choice":
        return _chosen(_plain(raw), entry)
    if kind == "set":
        chosen = {_chosen(part, entry) for part in re.split(r"\s*[;,]\s*", _plain(raw)) if part}
        return tuple(choice for choice in entry["choices"] if choice in chosen)
    message = f"setting type {kind!r} does not exist"
    raise ValueError(message)


def _parsed_flag(raw: Value, profile: Profile) -> bool:
    if isinstance(raw, bool):
        return raw
    meaning = profile.words["boolean_input"].get(fold(_plain(raw)))
    if meaning is None:
        raise _NotAcceptedError
    return meaning == "true"


def _parsed_number(raw: Value, entry: Entry) -> int:
    text = _plain(raw)
    if isinstance(raw, bool) or not re.fullmatch(r"[+-]?[0-9]{1,9}", text):
        raise _NotAcceptedError
    number = int(text)
    if not entry["minimum"] <= number <= entry["maximum"]:
        raise _NotAcceptedError
    return number


def _chosen(text: str, entry: Entry) -> str:
    for choice in entry["choices"]:
        if fold(text) == fold(choice):
            return str(choice)
    raise _NotAcceptedError

"""The data that ship with the program: profiles, field and table catalogues, messages."""

from __future__ import annotations

import tomllib
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

from xl_theodoi.domain.errors import TheodoiError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from xl_theodoi.domain.profile import Profile

PACKAGE = Path(str(files("xl_theodoi")))


def _toml(*parts: str) -> dict[str, Any]:
    return tomllib.loads(PACKAGE.joinpath("data", *parts).read_text(encoding="utf-8"))


@cache
def field_catalogue() -> Mapping[str, Any]:
    """Return `fields.toml`: every field with its default label, kind and width."""
    return _toml("fields.toml")


@cache
def table_catalogue() -> Mapping[str, Any]:
    """Return `tables.toml`: the tables of the master beside the register."""
    return _toml("tables.toml")


@cache
def setting_catalogue() -> Mapping[str, Any]:
    """Return `settings.toml`: every setting of an office with type, default, explanation."""
    flat: dict[str, Any] = {}
    for name, entry in _toml("settings.toml").items():
        if "type" in entry:
            flat[name] = entry
        else:
            flat.update({f"{name}.{key}": value for key, value in entry.items()})
    return flat


@cache
def profile_ids() -> tuple[str, ...]:
    """Return the names of the regulations that ship with the program."""
    folder = PACKAGE / "data" / "profiles"
    return tuple(sorted(path.stem for path in folder.glob("*.toml")))


def profile_text(name: str) -> str:
    """Return the TOML of a shipped profile, or of a profile file given by its path.

    Raises:
        TheodoiError: `unknown_profile` where there is none of that name.
    """
    if name in profile_ids():
        return (PACKAGE / "data" / "profiles" / f"{name}.toml").read_text(encoding="utf-8")
    path = Path(name)
    if path.suffix == ".toml" and path.is_file():
        return path.read_text(encoding="utf-8")
    raise TheodoiError("unknown_profile", value=name, known=", ".join(profile_ids()))


@cache
def load_profile(name: str) -> Profile:
    """Return a profile by the name of a shipped one or by the path of a TOML file."""
    return profile_from_text(profile_text(name))


@cache
def profile_from_text(text: str) -> Profile:
    """Return the profile that a TOML text describes.

    Raises:
        TheodoiError: `bad_profile` where the text is not TOML or contradicts itself.
    """
    from xl_theodoi.domain.profile import parse_profile  # noqa: PLC0415 - pydantic is slow

    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as problem:
        raise TheodoiError("bad_profile", place="TOML", reason=str(problem)) from problem
    return parse_profile(data, field_catalogue(), table_catalogue())


def folder(name: str) -> Path:
    """Return a folder that stands at the top of the repository and inside the wheel."""
    inside = PACKAGE / name
    return inside if inside.is_dir() else PACKAGE.parent / name


@cache
def secrecy_words() -> Mapping[str, Any]:
    """Return the words that mark a state secret."""
    return _toml("secrecy_words_vi.toml")


@cache
def input_words() -> Mapping[str, Any]:
    """Return the words of input lists that need no field."""
    return _toml("input_words_vi.toml")


@cache
def report_texts() -> Mapping[str, Any]:
    """Return the words of reports and of the overview."""
    return _toml("report_texts.toml")

"""Placeholders in cells: jinja2 expressions, Vietnamese dates and numbers, unknown names.

A template comes from the office, so it is evaluated in jinja2's sandbox; a name that the
report does not know is an error that says which cell and which name was nearest, never a
blank in a letter that somebody signs.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from datetime import date
from difflib import get_close_matches
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final, NoReturn

from jinja2 import StrictUndefined, TemplateSyntaxError, Undefined, meta
from jinja2.exceptions import SecurityError, TemplateRuntimeError
from jinja2.sandbox import SandboxedEnvironment

from xl_theodoi.domain.errors import TheodoiError
from xl_theodoi.resources import report_texts

if TYPE_CHECKING:
    from collections.abc import Callable

    from jinja2 import Template
    from jinja2.environment import TemplateExpression

    from xl_theodoi.domain.findings import Location

_TOKEN = re.compile(r"\{\{.*?\}\}|\{%.*?%\}", re.DOTALL)
_WHOLE = re.compile(r"\s*\{\{(?P<source>(?:(?!\{\{|\}\}).)*)\}\}\s*", re.DOTALL)
_TYPED = str.maketrans({"“": '"', "”": '"', "„": '"', "‘": "'", "’": "'", "\u00a0": " "})
"""What spreadsheet programs make of quotes and spaces while somebody types them."""


class UnknownNameError(Exception):
    """A placeholder asks for a name that the report does not have.

    Attributes:
        name: The name asked for.
        known: The names that stand at that place.
    """

    def __init__(self, name: str, known: Sequence[str]) -> None:
        super().__init__(name)
        self.name = name
        self.known = tuple(known)


class _Unknown(StrictUndefined):
    """An undefined value that remembers what could have been meant."""

    __slots__ = ()

    @property
    def details(self) -> UnknownNameError:
        """The error to raise: the name and its neighbours."""
        owner = self._undefined_obj
        known = [str(key) for key in owner] if isinstance(owner, Mapping) else []
        return UnknownNameError(str(self._undefined_name), known)

    def _fail(self, *_args: object, **_kwargs: object) -> NoReturn:
        raise self.details

    __iter__ = __str__ = __len__ = __eq__ = __ne__ = __bool__ = __hash__ = _fail
    __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = __truediv__ = _fail
    __rtruediv__ = __floordiv__ = __mod__ = __lt__ = __le__ = __gt__ = __ge__ = _fail
    __call__ = __getitem__ = __int__ = __float__ = __neg__ = __contains__ = __format__ = _fail

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        raise self.details


class _Environment(SandboxedEnvironment):
    """The sandbox; names of a mapping are its keys only, never the methods of a dict."""

    def getattr(self, obj: Any, attribute: str) -> Any:
        """Return a key of a mapping, or a safe attribute of anything else."""
        if isinstance(obj, Mapping):
            return obj[attribute] if attribute in obj else self._missing(obj, attribute)
        return super().getattr(obj, attribute)

    def getitem(self, obj: Any, argument: Any) -> Any:
        """Return an item; an unknown key is an unknown name."""
        if isinstance(obj, Mapping):
            return obj[argument] if argument in obj else self._missing(obj, argument)
        return super().getitem(obj, argument)

    def _missing(self, obj: Any, name: Any) -> Undefined:
        return self.undefined(obj=obj, name=name)


def long_date(value: date | None) -> str:
    """Return a date as letters write it: day below 10 and months 1 and 2 get a zero.

    Source: NĐ 30/2020/NĐ-CP, Phụ lục I.

    Example:
        >>> long_date(date(2026, 2, 5)), long_date(date(2026, 3, 15))
        ('05 tháng 02 năm 2026', '15 tháng 3 năm 2026')
    """
    if value is None:
        return ""
    template: str = report_texts()["dates"]["long"]
    return template.format(day=f"{value.day:02}", month=month_text(value), year=value.year)


def month_text(value: date | int | None) -> str:
    """Return a month as letters write it: 01, 02, then 3 to 12 without a zero."""
    if value is None:
        return ""
    number = value if isinstance(value, int) else value.month
    return f"{number:02}" if number <= 2 else str(number)


def short_date(value: date | None) -> str:
    """Return a date as `dd/mm/yyyy`."""
    return "" if value is None else f"{value.day:02}/{value.month:02}/{value.year:04}"


def number_text(value: float | None, digits: int | None = None) -> str:
    """Return a number with Vietnamese signs: dots between thousands, a comma before decimals.

    Args:
        value: The number, None for a blank.
        digits: Decimal places; by default as many as it takes, at most two.

    Example:
        >>> number_text(1234567), number_text(1234.5), number_text(0.5, 2)
        ('1.234.567', '1.234,5', '0,50')
    """
    if value is None:
        return ""
    text = f"{value:,.{2 if digits is None else digits}f}"
    if digits is None and "." in text:
        text = text.rstrip("0").rstrip(".")
    return text.translate(str.maketrans(",.", ".,"))


def percent_text(value: float | None, digits: int = 1) -> str:
    """Return a share (0 to 1) as per cent: 0.918 gives `91,8%`, None a blank."""
    return "" if value is None else f"{number_text(value * 100, digits)}%"


def plain_text(value: object) -> str:
    """Return a value as it stands inside a sentence."""
    if value is None:
        return ""
    if isinstance(value, date):
        return short_date(value)
    if isinstance(value, float):
        return number_text(value)
    return str(value)


def upper(value: object) -> str:
    """Return a text in capitals."""
    return plain_text(value).upper()


def first_capital(value: object) -> str:
    """Return a text with its first letter in capitals and the rest as it was."""
    text = plain_text(value)
    return text[:1].upper() + text[1:]


def without_stop(value: object) -> str:
    """Return a text without the full stop at its end, for use inside a longer sentence."""
    return plain_text(value).rstrip().rstrip(".").rstrip()


def _environment() -> _Environment:
    environment = _Environment(
        undefined=_Unknown,
        finalize=lambda value: value if isinstance(value, Undefined) else plain_text(value),
        keep_trailing_newline=True,
        autoescape=False,
    )
    environment.globals.clear()
    environment.filters.update(
        ngay=long_date,
        ngay_so=short_date,
        thang=month_text,
        so=number_text,
        phan_tram=percent_text,
        hoa=upper,
        hoa_dau=first_capital,
        khong_cham=without_stop,
    )
    return environment


ENVIRONMENT = _environment()


@lru_cache(maxsize=4096)
def _expression(source: str) -> TemplateExpression:
    return ENVIRONMENT.compile_expression(source, undefined_to_none=False)


@lru_cache(maxsize=4096)
def _template(source: str) -> Template:
    return ENVIRONMENT.from_string(source)


@lru_cache(maxsize=4096)
def _roots(source: str) -> frozenset[str]:
    return frozenset(meta.find_undeclared_variables(ENVIRONMENT.parse(source)))


def has_placeholder(text: str) -> bool:
    """Whether a text holds anything to fill in."""
    return "{{" in text or "{%" in text


def typed(text: str) -> str:
    """Return a cell's text with its placeholders as they were meant, the rest untouched."""
    return _TOKEN.sub(lambda match: unicodedata.normalize("NFC", match[0]).translate(_TYPED), text)


def gather_tokens(runs: Sequence[str]) -> list[str]:
    """Return the texts of a cell's runs with every placeholder whole in the run it begins in.

    Spreadsheet programs split a text where its format changes, in the middle of a
    placeholder too.
    """
    joined = typed("".join(runs))
    if len(joined) != sum(map(len, runs)):
        # Composing letters shortened a placeholder: the places of the runs are lost.
        return [joined, *("" for _ in runs[1:])]
    ends: list[int] = []
    at = 0
    for run in runs:
        at += len(run)
        ends.append(at)
    for match in _TOKEN.finditer(joined):
        ends = [match.end() if match.start() < end < match.end() else end for end in ends]
    starts = [0, *ends[:-1]]
    return [joined[start:end] for start, end in zip(starts, ends, strict=True)]


_NOT_SIMPLE: Final = object()
_PATH: Final = re.compile(r"[a-z_]+(?:\.[a-z_]+)+")
_OF_DICTS: Final = frozenset(dir(dict))


@lru_cache(maxsize=4096)
def _steps(source: str) -> tuple[str, ...]:
    """Return the names of an expression such as `task.content`, nothing for any other."""
    source = source.strip()
    steps = tuple(source.split(".")) if _PATH.fullmatch(source) else ()
    return () if _OF_DICTS & set(steps) else steps


def _looked_up(source: str, names: Mapping[str, Any]) -> Any:
    """Return what a plain path through tables means; most cells of a form hold no more.

    An evaluation sets up the template engine's surroundings each time. What is not found, or
    is no table, is left to the engine, which says what is wrong.
    """
    steps = _steps(source)
    if not steps:
        return _NOT_SIMPLE
    *tables, last = steps
    table: Any = names
    for step in tables:
        if step not in table:
            return _NOT_SIMPLE
        table = table[step]
        if type(table) is not dict:
            return _NOT_SIMPLE
    return table.get(last, _NOT_SIMPLE)


class Words:
    """Evaluates the placeholders of one template file; `check` comes first.

    Args:
        file_name: The template's name, for messages.
    """

    def __init__(self, file_name: str) -> None:
        self._file = file_name

    def value(self, source: str, names: Mapping[str, Any], place: Location) -> Any:
        """Return the value of an expression.

        Raises:
            TheodoiError: `template_unknown_name`, `template_syntax` or `template_failed`.
        """
        found = _looked_up(source, names)
        if found is not _NOT_SIMPLE:
            return found

        def evaluate() -> Any:
            value = _expression(source.strip())(**names)
            if isinstance(value, _Unknown):
                raise value.details
            return value

        return self._run(evaluate, source, place)

    def truth(self, source: str, names: Mapping[str, Any], place: Location) -> bool:
        """Return whether a condition holds."""
        return bool(self._run(lambda: bool(_expression(source.strip())(**names)), source, place))

    def whole(self, text: str) -> str | None:
        """Return the expression of a cell that holds one placeholder and nothing else."""
        match = _WHOLE.fullmatch(text)
        return match["source"] if match else None

    def text(self, text: str, names: Mapping[str, Any], place: Location) -> str:
        """Return a text with its placeholders filled in."""
        return str(self._run(lambda: _template(text).render(names), text, place))

    def stands_alone(self, text: str) -> bool:
        """Whether a piece of a cell's text can be filled in without the pieces around it."""
        try:
            _template(text)
        except TemplateSyntaxError:
            return False
        return True

    def check(self, source: str, names: Mapping[str, Any], place: Location) -> None:
        """Look for unknown first names and wrong syntax without evaluating anything.

        To be called once for every text before it is evaluated, however often that is.
        """
        try:
            roots = _roots(source)
        except TemplateSyntaxError as problem:
            raise self._error("template_syntax", place, text=source) from problem
        for name in sorted(roots):
            if name not in names:
                raise self._unknown(UnknownNameError(name, list(names)), place)

    def _run(self, action: Callable[[], Any], source: str, place: Location) -> Any:
        try:
            return action()
        except UnknownNameError as problem:
            raise self._unknown(problem, place) from problem
        except TemplateSyntaxError as problem:
            raise self._error("template_syntax", place, text=source) from problem
        except (
            ArithmeticError,
            AttributeError,
            LookupError,
            SecurityError,
            TemplateRuntimeError,
            TypeError,
            ValueError,
        ) as problem:
            raise self._error("template_failed", place, text=source) from problem

    def _unknown(self, problem: UnknownNameError, place: Location) -> TheodoiError:
        near = get_close_matches(problem.name, problem.known, n=1, cutoff=0.4)
        known = ", ".join(problem.known)
        return self._error(
            "template_unknown_name",
            place,
            name=problem.name,
            nearest=near[0] if near else (problem.known[0] if problem.known else "?"),
            known=known,
        )

    def _error(self, code: str, place: Location, **values: object) -> TheodoiError:
        return TheodoiError(
            code, file=self._file, sheet=place.sheet or "", cell=place.cell or "", **values
        )

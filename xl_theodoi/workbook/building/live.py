"""The register's live formulas, and the very hidden sheet on which they calculate.

The formulas tell a status as `domain.status` does, at the day in `NgayTinh`, with functions
that Excel 2010 knows. A row's formulas look at the row, at its history (`domain.live`) and at
a few cells of the sheet `CALCULATION_SHEET`, where settings and days off have been worked out
once for all rows.
"""

from __future__ import annotations

from datetime import date, timedelta
from functools import cache
from typing import TYPE_CHECKING, Any, Final

from xl_theodoi.domain import live
from xl_theodoi.domain.names import AS_OF_CELL, CALCULATION_SHEET, REGISTER
from xl_theodoi.domain.settings import default_settings, setting_words
from xl_theodoi.domain.workdays import DayKind
from xl_theodoi.resources import setting_catalogue
from xl_theodoi.workbook.building.list import column_reference, quoted

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from xl_theodoi.domain.cells import Value
    from xl_theodoi.domain.profile import Profile
    from xl_theodoi.domain.settings import Settings

LONGEST_WARNING: Final = 365
"""Most days that the setting `due_soon_days` takes."""
GRID_ROWS: Final = 2 * LONGEST_WARNING + 30
"""Days ahead of which the sheet knows whether people work; `StatusJudge` looks no further."""
UNKNOWN: Final = 10**6
"""Working days up to a day beyond the years whose days off are known."""


def _at(row: int, column: str = "B") -> str:
    return f"{CALCULATION_SHEET}!${column}${row}"


TODAY: Final = _at(1)
SOON: Final = _at(2)
SOON_DAYS: Final = _at(3)
BY_WORKING_DAYS: Final = _at(4)
LATE_BY_APPROVAL: Final = _at(5)
FIRST_COUNTS: Final = _at(6)
LATE_BY_ORIGINAL: Final = _at(7)
CLOSING_FINISHES: Final = _at(8)
RETURNED_LABEL: Final = _at(9)
CANCELLED_LABEL: Final = _at(10)
FIRST_SWITCH_ROW: Final = 11
"""Row of the first setting that turns status rules on, 1-based."""

KNOWN_ROW: Final = 30
"""Row of the last day up to which days off are known; the years ahead stand below it."""
YEARS: Final = 4
"""Calendar years that the days ahead can touch."""

CHOICES: Final[Mapping[int, tuple[str, str]]] = {
    4: ("due_soon_unit", "working"),
    5: ("late_basis", "approved"),
    6: ("completion_basis", "first"),
    7: ("late_vs", "original"),
}
"""Rows that ask whether a setting has a certain value."""


def _words(column: str) -> str:
    return f"{CALCULATION_SHEET}!${column}$1:${column}${len(live.SITUATIONS)}"


def row_formulas() -> dict[str, str]:
    """Return the formula of each live column by field; `{field}` is the own row's cell."""
    past, finished, code, due = "{status_past}", "{status_finished}", "{status_code}", _DUE
    blank = '{task_id}&{content}&{lead_unit}=""'
    decided = f'IF({past}="",{_by_then("approved_on")},{_piece(3)})'
    original = (
        f'IF({past}="",IF(N({{due_date}})>0,INT({{due_date}}),{due}),'
        f'IF({_piece(4)}=0,"",{_piece(4)}))'
    )
    against = f"IF({LATE_BY_ORIGINAL},{original},{due})"
    finish = f"IF({LATE_BY_APPROVAL},IF({decided}=0,{TODAY},{decided}),{finished})"
    begun = "IF(N({first_progress_on})>0,N({first_progress_on}),N({progress_date}))"
    started = (
        f'IF({past}="",IF({begun}>0,{begun}<{TODAY}+1,FALSE),'
        f"OR(MOD({_flags()},2)=1,IF({_piece(5)}>0,{_piece(5)}<={TODAY},FALSE)))"
    )
    aside = (
        f'IF({past}="",IF({_by_then("cancelled_on")}>0,{live.CANCELLED_CODE},'
        f"IF({_by_then('returned_on')}>0,{live.RETURNED_CODE},0)),"
        f"CHOOSE({_flags()}+1,0,0,16,16,32,32,32,32))"
    )
    done_code = f'9+IF({against}="",2,IF({finish}>{against},1,0))+IF({decided}>0,3,0)'
    open_code = f'IF({started},5,1)+IF({due}="",3,IF({TODAY}>{due},2,IF({due}<={SOON},1,0)))'

    def word(column: str) -> str:
        return f'IF({code}=0,"",INDEX({_words(column)},MOD({code},16)))'

    return {
        live.PAST: _past(),
        live.FINISHED: (
            f'IF({past}="",{_by_then("completed_on")},'
            + _number(f"MID({past},IF({FIRST_COUNTS},{1 + live.MARK_LENGTH},1),{live.MARK_LENGTH})")
            + ")"
        ),
        live.CODE: f"IF({blank},0,{aside}+IF({finished}>0,{done_code},{open_code}))",
        "progress": word("F"),
        "timeliness": word("E"),
        "status_label": (
            f'IF({code}=0,"",IF({code}>={live.CANCELLED_CODE},{CANCELLED_LABEL},'
            f"IF({code}>={live.RETURNED_CODE},{RETURNED_LABEL},INDEX({_words('D')},{code}))))"
        ),
        "effective_due_date": (
            f'IF({past}="",IF(AND({_by_then("extension_approved_on")}>0,'
            "N({extended_due_date})>0),INT({extended_due_date}),"
            'IF(N({due_date})>0,INT({due_date}),"")),'
            f'IF({_piece(2)}=0,"",{_piece(2)}))'
        ),
        "days_left": f'IF({code}=0,"",IF({due}="","",{due}-IF({finished}>0,{finished},{TODAY})))',
    }


_DUE = "{effective_due_date}"


def _by_then(name: str) -> str:
    """Return the formula of a column's day where it has come, else 0."""
    cell = "{" + name + "}"
    return f"IF(N({cell})>0,IF(N({cell})<{TODAY}+1,INT({cell}),0),0)"


def _piece(number: int) -> str:
    """Return the formula of one of the days in a past."""
    start = 1 + number * live.MARK_LENGTH
    return _number(f"MID({{status_past}},{start},{live.MARK_LENGTH})")


def _number(text: str) -> str:
    """Return the formula of the number that a text's digits are.

    TEXT changes nothing here. It keeps LibreOffice 7.4 from calculating the column in several
    threads: with a thousand rows that made it stop altogether.
    """
    return f'VALUE(TEXT({text},"@"))'


def _flags() -> str:
    return _number("RIGHT({status_past},1)")


def _past() -> str:
    history = "{status_history}"
    stamp = "+".join(f"{weight}*INT(N({{{name}}}))" for name, weight in live.WEIGHTS.items())
    first = live.STAMP_LENGTH + 1
    half = f"IF({CLOSING_FINISHES},0,{live.SEGMENTS * live.SEGMENT_LENGTH})"
    places = ",".join(str(nth) for nth in range(live.SEGMENTS))
    begin = f"{first}+{live.SEGMENT_LENGTH}*[{places}]+{half}"
    nth = f"SUMPRODUCT(--(VALUE(MID({history},{begin},{live.MARK_LENGTH}))<={TODAY}))-1"
    start = f"{first + live.MARK_LENGTH}+{live.SEGMENT_LENGTH}*({nth})+{half}"
    stamped = _number(f"LEFT({history},{live.STAMP_LENGTH})")
    holds = f'IF(LEFT({history},1)="*",TRUE,{stamped}={stamp})'
    text = f'IF({history}="","",IF({holds},MID({history},{start},{live.PAST_LENGTH}),""))'
    # An array's own braces must not be taken for a field's.
    return text.replace("[", "{{").replace("]", "}}")


def structured_formulas(labels: Mapping[str, str]) -> dict[str, str]:
    """Return the live formulas by column label, cells of the own row as Excel Tables say them.

    Args:
        labels: The register's column labels by field.
    """
    cells = {name: own_row(label) for name, label in labels.items()}
    return {labels[name]: text.format_map(cells) for name, text in row_formulas().items()}


def own_row(label: str) -> str:
    """Return the structured reference to a column's cell in the same row of the register."""
    return f"{REGISTER}[[#This Row],{column_reference('', label)}]"


class Calculation:
    """The cells of the calculation sheet: formula and stored result by address.

    Args:
        profile: The regulation, for labels and words.
        settings: The settings in force, for the stored results.
        days: Rows of NgayNghi by field.
        as_of: The day of the stored results.
    """

    def __init__(
        self,
        profile: Profile,
        settings: Settings | None,
        days: Sequence[Mapping[str, Value]],
        as_of: date,
    ) -> None:
        self.profile = profile
        self.settings = settings or default_settings(setting_catalogue(), profile)
        self.days, self.as_of = days, as_of
        self.catalogue = setting_catalogue()
        self.switches = sorted(
            {rule.setting for rule in profile.statuses if rule.setting is not None}
        )

    def cells(self) -> Iterator[tuple[int, int, str, Value]]:
        """Yield 0-based row and column, formula or "" for a constant, and the value."""
        today = live.serial(self.as_of)
        named = f"IF(ISNUMBER({AS_OF_CELL}),INT({AS_OF_CELL}),TODAY())"
        yield from self._line(1, "as_of", named, today)
        yield from self._line(2, "due_soon_until", self._soon_formula(), self._soon())
        yield 2, 0, "", "due_soon_days"
        yield 2, 2, self._raw("due_soon_days"), self._raw_value("due_soon_days")
        days = self.settings.number("due_soon_days")
        default = default_settings(self.catalogue, self.profile).number("due_soon_days")
        yield 2, 1, f'IF(C3="",{default},IFERROR(VALUE(C3),{default}))', days
        for row, (code, wanted) in CHOICES.items():
            default_holds = self._default(code) == wanted
            formula = f'IF(C{row}="",{_truth(default_holds)},C{row}={quoted(wanted)})'
            yield from self._setting(row, code, formula, self.settings.choice(code) == wanted)
        yield from self._flag(8, "closed_counts_as_done")
        yield from self._line(9, "returned", "", self.profile.returned_label)
        yield from self._line(10, "cancelled", "", self.profile.cancelled_label)
        for row, code in enumerate(self.switches, start=FIRST_SWITCH_ROW):
            yield from self._flag(row, code)
        yield from self._labels()
        yield from self._known_years()
        yield from self._grid()

    def _line(
        self, row: int, name: str, formula: str, value: Value
    ) -> Iterator[tuple[int, int, str, Value]]:
        yield row - 1, 0, "", name
        yield row - 1, 1, formula, value

    def _setting(
        self, row: int, code: str, formula: str, value: Value
    ) -> Iterator[tuple[int, int, str, Value]]:
        yield from self._line(row, code, formula, value)
        yield row - 1, 2, self._raw(code), self._raw_value(code)

    def _flag(self, row: int, code: str) -> Iterator[tuple[int, int, str, Value]]:
        words = setting_words(self.profile)
        yes, no = (";".join(quoted(word) for word in words[truth]) for truth in (True, False))
        cell = f"C{row}"
        default = _truth(bool(self._default(code)))
        formula = (
            f"IF(ISNUMBER(MATCH({cell},{{{yes}}},0)),TRUE,"
            f"IF(ISNUMBER(MATCH({cell},{{{no}}},0)),FALSE,{default}))"
        )
        yield from self._setting(row, code, formula, self.settings.flag(code))

    def _default(self, code: str) -> Any:
        return default_settings(self.catalogue, self.profile).values[code]

    def _raw(self, code: str) -> str:
        """Return the formula of what CauHinh says, as text; blank where it says nothing."""
        columns = self.profile.tables["CauHinh"].columns
        found = (
            f"INDEX({column_reference('CauHinh', columns['value'].label)},"
            f"MATCH({quoted(code)},{column_reference('CauHinh', columns['code'].label)},0))"
        )
        yes, no = (quoted(setting_words(self.profile)[truth][0]) for truth in (True, False))
        return f'IFERROR(IF(ISLOGICAL({found}),IF({found},{yes},{no}),TRIM({found}&"")),"")'

    def _raw_value(self, code: str) -> str:
        value = self.settings.values[code]
        if isinstance(value, bool):
            return setting_words(self.profile)[value][0]
        return str(value)

    # --- labels ------------------------------------------------------------------------

    def _labels(self) -> Iterator[tuple[int, int, str, Value]]:
        """Yield label, timeliness and progress of each code, in columns D to F."""
        words = self.profile.words
        for row, (progress, timeliness, approved) in enumerate(live.SITUATIONS):
            formula = self._label_formula(progress.value, timeliness.value, approved=approved)
            rule = self.profile.rule_for(
                progress.value,
                timeliness.value,
                approved=approved,
                enabled=self.settings.enabled(),
            )
            label = rule.label if rule is not None else ""
            yield row, 3, formula, label
            yield row, 4, "", words["timeliness"][timeliness.value]
            yield row, 5, "", words["progress"][progress.value]

    def _label_formula(self, progress: Any, timeliness: Any, *, approved: bool) -> str:
        """Return the formula of a situation's label, "" where no setting changes it."""
        conditions: list[tuple[str | None, str]] = []
        for rule in self.profile.statuses:
            enabled = set(self.switches)
            if rule.matches(progress, timeliness, approved=approved, enabled=enabled):
                conditions.append((rule.setting, rule.label))
                if rule.setting is None:
                    break
        if len(conditions) == 1:
            return ""
        formula = quoted(conditions[-1][1])
        for setting, label in reversed(conditions[:-1]):
            row = FIRST_SWITCH_ROW + self.switches.index(str(setting))
            formula = f"IF($B${row},{quoted(label)},{formula})"
        return formula

    # --- days ahead --------------------------------------------------------------------

    def _soon_formula(self) -> str:
        counted = f'COUNTIF($H$1:$H${GRID_ROWS},"<="&$B$3)'
        return f"$B$1+MAX($B$3,IF($B$4,MIN({counted},2*$B$3+30),0))"

    def _soon(self) -> int:
        days = self.settings.number("due_soon_days")
        ahead = days
        if self._counts_working_days:
            counted = sum(count <= days for _, count in self._ahead())
            ahead = max(days, min(counted, 2 * days + 30))
        return live.serial(self.as_of) + ahead

    @property
    def _counts_working_days(self) -> bool:
        return self.settings.choice("due_soon_unit") == "working"

    def _entry(self, day: str) -> str:
        """Return the formula of what NgayNghi says of a day; the last of several rows counts."""
        columns = self.profile.tables["NgayNghi"].columns
        days, kinds = (
            column_reference("NgayNghi", columns[name].label) for name in ("date", "kind")
        )
        return f'IF($B$4,IFERROR(LOOKUP(2,1/({days}={day}),{kinds}),""),"")'

    def _known_years(self) -> Iterator[tuple[int, int, str, Value]]:
        """Yield which years ahead have their days off, and the last day known for that."""
        off = self.profile.words["day_kind"][DayKind.OFF]
        first = (self.as_of + timedelta(days=1)).year
        kinds = self._kinds if self._counts_working_days else {}
        known = [kinds.get(date(first + nth, 1, 1)) == off for nth in range(YEARS)]
        for nth, is_known in enumerate(known):
            row = KNOWN_ROW + 1 + nth
            new_year = f"DATE(YEAR($B$1+1)+{nth},1,1)"
            formula = f"{self._entry(new_year)}={quoted(off)}"
            yield from self._line(row, f"year_{nth}", formula, is_known)
        formula = "$B$1"
        for nth in range(YEARS):
            # From the first year on, without a gap.
            gap = ",".join(f"$B${KNOWN_ROW + 1 + before}" for before in range(nth + 1))
            formula = f"IF(AND({gap}),DATE(YEAR($B$1+1)+{nth + 1},1,1)-1,{formula})"
        count = known.index(False) if False in known else YEARS
        last = live.serial(date(first + count, 1, 1)) - 1 if count else live.serial(self.as_of)
        yield from self._line(KNOWN_ROW, "known_until", formula, last)

    def _grid(self) -> Iterator[tuple[int, int, str, Value]]:
        """Yield, of each day ahead, what NgayNghi says and the working days up to it.

        Columns G and H. Nothing is looked up while days are counted by the calendar.
        """
        words = self.profile.words["day_kind"]
        off, makeup = quoted(words[DayKind.OFF]), quoted(words[DayKind.MAKEUP_WORK])
        known = list(self._ahead()) if self._counts_working_days else [("", 0)] * GRID_ROWS
        for row, (kind, count) in enumerate(known, start=1):
            day = f"$B$1+{row}"
            yield row - 1, 6, self._entry(f"({day})"), kind
            works = f"IF(G{row}={makeup},1,IF(OR(G{row}={off},WEEKDAY({day},2)>5),0,1))"
            before = f"H{row - 1}" if row > 1 else "0"
            counted = f"IF({day}>$B${KNOWN_ROW},{UNKNOWN},{before}+{works})"
            yield row - 1, 7, f"IF($B$4,{counted},0)", count

    @property
    def _kinds(self) -> dict[Value, str]:
        return {row["date"]: str(row["kind"]) for row in self.days if row.get("date")}

    def _ahead(self) -> Iterator[tuple[str, int]]:
        """Yield what the grid shows of each day ahead."""
        words, kinds = self.profile.words["day_kind"], self._kinds
        known, count = True, 0
        for nth in range(1, GRID_ROWS + 1):
            day = self.as_of + timedelta(days=nth)
            kind = kinds.get(day, "")
            known = known and kinds.get(day.replace(month=1, day=1)) == words[DayKind.OFF]
            if not known:
                count = UNKNOWN
            elif kind == words[DayKind.MAKEUP_WORK] or (not kind and day.weekday() < 5):
                count += 1
            yield kind, count


def _truth(value: bool) -> str:
    return "TRUE" if value else "FALSE"


@cache
def _sheet_class() -> type:
    """Return the class of the calculation sheet; XlsxWriter is loaded when one is made."""
    from xlsxwriter.worksheet import Worksheet  # noqa: PLC0415

    class CalculationSheet(Worksheet):  # type: ignore[misc]
        """A sheet whose formulas need nothing done to them, which would take most of the time."""

        def _prepare_formula(self, formula: str, *_: object) -> str:
            return formula.removeprefix("=")

    return CalculationSheet


def write_calculation(book: Any, calculation: Calculation) -> None:
    """Add the calculation sheet to a workbook.

    Args:
        book: XlsxWriter workbook.
        calculation: What stands on the sheet.
    """
    sheet = book.add_worksheet(CALCULATION_SHEET, worksheet_class=_sheet_class())
    sheet.very_hidden()
    for row, column, formula, value in calculation.cells():
        if formula:
            sheet.write_formula(row, column, f"={formula}", None, "" if value is None else value)
        else:
            sheet.write(row, column, value)

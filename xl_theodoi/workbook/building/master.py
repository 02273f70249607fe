"""The master workbook, made from nothing: guide, overview, register, lists, hidden identity.

Everything a person reads comes from the profile and from `workbook_texts.toml`. Equal
content gives equal bytes.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from io import BytesIO
from typing import TYPE_CHECKING, Any, Final

from xl_theodoi.domain.cells import column_letter
from xl_theodoi.domain.names import (
    AS_OF_CELL,
    FIGURES_CELL,
    IDENTITY_SHEET,
    META,
    REGISTER,
    SENDINGS,
    SENDINGS_SHEET,
)
from xl_theodoi.domain.profile import COMPUTED_FIELDS, FORMULA_HELPERS
from xl_theodoi.resources import setting_catalogue
from xl_theodoi.workbook.building import look
from xl_theodoi.workbook.building.guide import write_guide
from xl_theodoi.workbook.building.list import (
    OFFICER_LIST,
    UNIT_LIST,
    ListLayout,
    ListSheet,
    ListWriter,
    column_reference,
    quoted,
)
from xl_theodoi.workbook.building.live import (
    Calculation,
    structured_formulas,
    write_calculation,
)
from xl_theodoi.workbook.building.overview import overview_labels, write_overview

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from xl_theodoi.domain.cells import Value
    from xl_theodoi.domain.profile import Profile
    from xl_theodoi.domain.settings import Settings

__all__ = ["MasterContent", "build_master", "overview_labels"]

SENT_COLUMNS: Final = ("period", "unit", "send_id", "sent_on", "tasks")
PART_LENGTH: Final = 30_000
"""Characters of one piece of the profile's text; a cell holds 32,767."""
FROZEN_WIDTH: Final = 50.0
"""Characters of columns that may stay on screen when scrolling to the right."""
REGISTER_HEADING_ROW: Final = 4
TAB_COLOURS: Final[Mapping[str, str]] = {
    "guide": "#7F7F7F",
    "work": "#1F4E79",
    "decide": "#C55A11",
    "list": "#548235",
    "record": "#A6A6A6",
}
TABLE_GROUPS: Final[Mapping[str, str]] = {
    "DeNghi": "decide",
    "XungDot": "decide",
    "SuKien": "decide",
    "TepNhan": "record",
    "NhatKy": "record",
    "CauHinh": "guide",
}


@dataclass(frozen=True, slots=True)
class MasterContent:
    """What goes into a master workbook.

    Attributes:
        profile: The regulation.
        master_id: Identity that unit workbooks are checked against.
        layout_version: Version of the workbook's layout, for `upgrade`.
        profile_text: TOML of a profile that does not ship with the program, else None.
        as_of: Day of the computed values; also the workbook's creation date.
        tables: Rows by table name and field name: `NhiemVu` and every table of
            `tables.toml`; units by short name. A missing table stays empty.
        overview: Rows of the three overview tables by printed label.
        settings: The settings in force, the profile's own where not given.
    """

    profile: Profile
    master_id: str
    layout_version: str | int
    profile_text: str | None
    as_of: date
    tables: Mapping[str, Sequence[Mapping[str, Value]]] = field(default_factory=dict)
    overview: Mapping[str, Sequence[Mapping[str, Value]]] = field(default_factory=dict)
    settings: Settings | None = None


def build_master(content: MasterContent) -> bytes:
    """Return the bytes of a new master workbook.

    Raises:
        ValueError: For a text that does not fit into a cell.
    """
    buffer = BytesIO()
    profile, names = content.profile, look.texts()["sheets"]
    book = look.new_book(
        buffer,
        title=look.texts()["properties"]["title"],
        subject=profile.name,
        author=profile.letterhead.office,
        as_of=content.as_of,
    )
    style = look.Look(book)
    guide = look.add_sheet(book, names["guide"])
    overview = look.add_sheet(book, names["overview"])
    register = look.add_sheet(book, names["register"])
    lists = {table: look.add_sheet(book, spec.sheet) for table, spec in profile.tables.items()}
    hidden = _HiddenSheet(book.add_worksheet(IDENTITY_SHEET))
    writer = ListWriter(
        style,
        unit_sheet=profile.tables["DonVi"].sheet,
        officer_sheet=profile.tables["ChuyenVien"].sheet,
        long_lists=hidden.add_list,
    )
    write_guide(style, guide, profile)
    write_overview(style, overview, profile, content.overview, content.as_of)
    _write_register(style, writer, register, content)
    for table, sheet in lists.items():
        _write_table(style, writer, sheet, content, table)
    for name, table, column in (
        (UNIT_LIST, "DonVi", "short_name"),
        (OFFICER_LIST, "ChuyenVien", "name"),
    ):
        label = profile.tables[table].columns[column].label
        book.define_name(name, f"={column_reference(table, label)}")
    _write_identity(hidden.sheet, content)
    _write_sent(book.add_worksheet(SENDINGS_SHEET), content)
    days = content.tables.get("NgayNghi", ())
    calculation = Calculation(profile, content.settings, days, content.as_of)
    write_calculation(book, calculation)
    for sheet, group in ((guide, "guide"), (overview, "work"), (register, "work")):
        sheet.set_tab_color(TAB_COLOURS[group])
    guide.activate()
    book.close()
    return buffer.getvalue()


def _write_register(
    style: look.Look, writer: ListWriter, sheet: Any, content: MasterContent
) -> None:
    profile = content.profile
    fields = profile.register
    shown = [name for name in profile.register_columns.shown if not fields[name].hidden]
    frozen, width = 0, 0.0
    for name in shown:
        width += fields[name].width
        if width > FROZEN_WIDTH:
            break
        frozen += 1
    written = structured_formulas({name: spec.label for name, spec in fields.items()})
    layout = ListLayout(
        table=REGISTER,
        fields=fields,
        shown=frozenset(shown),
        computed=frozenset((*COMPUTED_FIELDS, *FORMULA_HELPERS)),
        formulas={
            name: written[spec.label] for name, spec in fields.items() if spec.label in written
        },
        units=frozenset(name for name, spec in fields.items() if spec.kind == "unit"),
        officers=frozenset({"officer"}),
        heading_row=REGISTER_HEADING_ROW,
        frozen_columns=max(1, frozen),
    )
    head = profile.letterhead
    widths = [fields[name].width for name in shown]
    # The first column is repeated on pages side by side; a title in it would be cut there.
    start = 1 if look.pages_wide(widths, 1) > 1 else 0
    sheet.write_string(0, start, head.superior, style.agency())
    sheet.write_string(1, start, head.office, style.agency(issuing=True))
    sheet.write_string(2, start, profile.texts.register_title, style.title())
    sheet.set_row(2, 22)
    note = look.texts()["as_of"]["register_note"]
    sheet.write_formula(
        3,
        start,
        # It names the day of the figures so that its stored result goes when they change.
        f'={quoted(note)}&TEXT({AS_OF_CELL}+0*{FIGURES_CELL},"{look.DATE_FORMAT}")',
        style.style(italic=True),
        f"{note}{content.as_of:%d/%m/%Y}",
    )
    listed = writer.write(sheet, layout, content.tables.get(REGISTER, ()))
    _colour_register(style, listed, profile)
    look.set_up_page(
        sheet,
        widths=widths,
        heading_row=REGISTER_HEADING_ROW,
        repeat_columns=1,
        note=head.office,
    )


def _colour_register(style: look.Look, written: ListSheet, profile: Profile) -> None:
    """Colour what is overdue, due soon, done, without deadline or set aside, beside its word."""
    row = written.first_row + 1
    status = f"${written.letter('status_label')}{row}"
    timing = f"${written.letter('timeliness')}{row}"
    done = f"${written.letter('progress')}{row}={quoted(profile.words['progress']['done'])}"
    timings = {code: f"{timing}={quoted(w)}" for code, w in profile.words["timeliness"].items()}
    waiting = [
        f"{status}={quoted(label)}"
        for label in dict.fromkeys(r.label for r in profile.statuses if r.tone == "waiting")
    ]
    aside = ",".join(
        f"{status}={quoted(label)}" for label in (profile.returned_label, profile.cancelled_label)
    )

    def paint(fields: Sequence[str], *rules: tuple[str, str]) -> None:
        for name in fields:
            column = written.columns[name]
            for criteria, tone in rules:
                written.sheet.conditional_format(
                    written.first_row,
                    column,
                    written.last_row,
                    column,
                    {
                        "type": "formula",
                        "criteria": f"={criteria}",
                        "format": style.tone(tone),
                        "stop_if_true": True,
                    },
                )

    written.sheet.conditional_format(
        written.first_row,
        0,
        written.last_row,
        len(written.columns) - 1,
        {
            "type": "formula",
            "criteria": f"=OR({aside})",
            "format": style.tone("set_aside"),
            "stop_if_true": True,
        },
    )
    open_rules = (
        (timings["overdue"], "overdue"),
        (timings["due_soon"], "due_soon"),
    )
    label_rules = [*open_rules]
    if waiting:
        label_rules.append((f"OR({','.join(waiting)})", "waiting"))
    label_rules.append((done, "done"))
    paint(("status_label",), *label_rules)
    paint(
        ("timeliness", "days_left", "effective_due_date"),
        *open_rules,
        (timings["late"], "overdue"),
        (timings["no_deadline"], "no_deadline"),
        (done, "done"),
    )
    column = written.columns["task_id"]
    written.sheet.conditional_format(
        written.first_row,
        column,
        written.last_row,
        column,
        {"type": "duplicate", "format": style.tone("wrong")},
    )


def _write_table(
    style: look.Look, writer: ListWriter, sheet: Any, content: MasterContent, table: str
) -> None:
    spec = content.profile.tables[table]
    shown = [name for name, column in spec.columns.items() if not column.hidden]
    layout = ListLayout(
        table=table,
        fields=spec.columns,
        shown=frozenset(shown),
        units=frozenset(name for name, column in spec.columns.items() if column.kind == "unit"),
        frozen_columns=1,
    )
    rows = content.tables.get(table, ())
    if table == "NgayNghi":
        rows = sorted(rows, key=_by_date)
    widths = [spec.columns[name].width for name in shown]
    start = 1 if look.pages_wide(widths, 1) > 1 else 0
    sheet.write_string(0, start, spec.title, style.title())
    sheet.set_row(0, 24)
    sheet.write_string(1, start, look.texts()["hints"].get(table, ""), style.style(italic=True))
    written = writer.write(sheet, layout, rows)
    if table == "CauHinh":
        _validate_settings(writer, written, rows, content.profile)
    look.set_up_page(
        sheet,
        widths=widths,
        heading_row=layout.heading_row,
        repeat_columns=1,
        note=content.profile.letterhead.office,
    )
    sheet.set_tab_color(TAB_COLOURS[TABLE_GROUPS.get(table, "list")])


def _by_date(row: Mapping[str, Value]) -> tuple[int, date]:
    day = row.get("date")
    if isinstance(day, datetime):
        return 0, day.date()
    return (0, day) if isinstance(day, date) else (1, date.max)


def _validate_settings(
    writer: ListWriter,
    written: ListSheet,
    rows: Sequence[Mapping[str, Value]],
    profile: Profile,
) -> None:
    """Offer each setting its own values; a warning only, because rows may be sorted later."""
    catalogue, texts = setting_catalogue(), look.texts()
    for number, row in enumerate(rows, start=written.first_row):
        setting = catalogue.get(str(row.get("code")), {})
        kind = setting.get("type")
        if kind == "bool":
            rule = writer.choice_rule(list(profile.words["boolean"].values()))
        elif kind == "choice":
            rule = writer.choice_rule(setting["choices"])
        elif kind == "int":
            words, low, high = texts["validation"], setting["minimum"], setting["maximum"]
            rule = {
                "validate": "integer",
                "criteria": "between",
                "minimum": low,
                "maximum": high,
                "error_title": words["number_title"],
                "error_message": words["number"].format(low=low, high=high),
            }
        else:
            continue
        column = written.columns["value"]
        written.sheet.data_validation(
            number, column, number, column, {**rule, "error_type": "warning"}
        )


class _HiddenSheet:
    """The very hidden sheet of the workbook's identity, and of drop-downs that are too long."""

    def __init__(self, sheet: Any) -> None:
        self.sheet = sheet
        self._lists: dict[tuple[str, ...], str] = {}
        sheet.very_hidden()

    def add_list(self, values: Sequence[str]) -> str:
        """Write a drop-down's values, once, and return the reference to them."""
        key = tuple(values)
        if key not in self._lists:
            column = 4 + len(self._lists)
            self.sheet.write_column(0, column, key)
            letter = column_letter(column + 1)
            self._lists[key] = f"={IDENTITY_SHEET}!${letter}$1:${letter}${len(key)}"
        return self._lists[key]


def _write_identity(sheet: Any, content: MasterContent) -> None:
    rows: list[tuple[str, str]] = [
        ("profile", content.profile.id),
        ("layout_version", str(content.layout_version)),
        ("master_id", content.master_id),
        ("created", content.as_of.isoformat()),
    ]
    text = content.profile_text
    if text is not None:
        parts = [text[at : at + PART_LENGTH] for at in range(0, len(text), PART_LENGTH)]
        if len(parts) <= 1:
            rows.append(("profile_text", text))
        else:
            rows.extend((f"profile_text_{n}", part) for n, part in enumerate(parts, start=1))
    _plain_table(sheet, META, ("key", "value"), rows)


def _write_sent(sheet: Any, content: MasterContent) -> None:
    sheet.very_hidden()
    rows = [
        tuple(row.get(column) for column in SENT_COLUMNS)
        for row in content.tables.get(SENDINGS, ())
    ]
    _plain_table(sheet, SENDINGS, SENT_COLUMNS, rows)


def _plain_table(
    sheet: Any, name: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]
) -> None:
    sheet.add_table(
        0,
        0,
        max(1, len(rows)),
        len(columns) - 1,
        {"name": name, "style": None, "columns": [{"header": column} for column in columns]},
    )
    for number, values in enumerate(rows, start=1):
        for column, value in enumerate(values):
            if value is not None and value != "":
                sheet.write_string(number, column, str(value))

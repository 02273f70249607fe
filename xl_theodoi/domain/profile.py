"""One regulation as data: columns, labels, statuses, clocks, reports, features, words.

A profile is read from TOML and judged here; nothing in the program names a province, a
level of government or an agency.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping  # noqa: TC003 - pydantic needs it at run time
from functools import cached_property
from itertools import combinations
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from xl_theodoi.domain.errors import TheodoiError

FieldKind = Literal["text", "long", "date", "choice", "unit", "units", "list", "number"]
PeriodKind = Literal["week", "month", "quarter", "half", "nine_months", "year", "adhoc"]
Progress = Literal["not_started", "in_progress", "done"]
Timeliness = Literal["in_time", "due_soon", "overdue", "no_deadline", "on_time", "late"]

REGISTER_FIELDS = (
    "task_id", "parent_task_id", "document_id", "secrecy", "document_type", "document_number",
    "document_subject", "issue_date", "signer", "drafting_unit", "issuer_level", "urgency",
    "lead_unit", "coordinating_units", "office_room", "officer", "entered_by", "entered_on",
    "sent_on", "received_on", "content", "due_text", "due_date", "due_kind", "reporting_unit",
    "first_progress_on", "progress_text", "progress_date", "completed_on", "result_document",
    "evidence", "late_reason", "proposal", "extended_due_date", "extension_approved_on",
    "extension_document", "approved_on", "approved_by", "quality", "quality_reason",
    "returned_on", "return_reason", "cancelled_on", "note",
)  # fmt: skip
"""Fields of the register, in the order of the contract."""

COMPUTED_FIELDS = ("progress", "timeliness", "status_label", "effective_due_date", "days_left")
"""Fields that the program computes; people never type them."""

FORMULA_HELPERS = ("status_history", "status_past", "status_finished", "status_code")
"""Hidden columns of the register that its formulas need, see `domain.live`; nobody else
reads them, and no list of fields names them."""

EDITABLE_FIELDS = (
    "reported_state", "progress_text", "progress_date", "completed_on", "result_document",
    "evidence", "late_reason", "proposal", "extension_requested_to", "extension_reason",
    "return_reason", "note",
)  # fmt: skip
"""What a unit fills in; the only fields that a return may change."""

LOCKED_FIELDS = (
    "task_id", "document_number", "issue_date", "document_subject", "content",
    "coordinating_units", "officer", "effective_due_date",
)  # fmt: skip
"""What a unit workbook shows locked and a return is checked against, at least."""

LIVE_FIELDS = ("days_left", "timeliness", "status_label")
"""What a unit workbook shows locked as formulas; they follow the day and what the unit types,
so a return says nothing by them."""


OPEN_TIMELINESS: tuple[Timeliness, ...] = ("in_time", "due_soon", "overdue", "no_deadline")
"""How an unfinished task can stand against its deadline."""

DONE_TIMELINESS: tuple[Timeliness, ...] = ("on_time", "late", "no_deadline")
"""How a finished task can stand against its deadline."""

SITUATIONS: tuple[tuple[Progress, Timeliness, bool], ...] = (
    *(("not_started", timeliness, False) for timeliness in OPEN_TIMELINESS),
    *(("in_progress", timeliness, False) for timeliness in OPEN_TIMELINESS),
    *(
        ("done", timeliness, approved)
        for timeliness in DONE_TIMELINESS
        for approved in (False, True)
    ),
)
"""Every combination of progress, timeliness and approval that a task can be in."""


class _Data(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class FieldSpec(_Data):
    """How a field is printed and judged.

    Attributes:
        label: Heading printed in workbooks.
        kind: What its cells hold.
        width: Column width in characters.
        max_length: Longest text allowed; None for no limit beyond the cell's own.
        choices: Values of a drop-down.
        aliases: Other headings that input files use for it.
        hidden: Whether its column is hidden wherever it is printed.
    """

    label: str
    kind: FieldKind
    width: float = 12
    max_length: int | None = None
    choices: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()
    hidden: bool = False


class StatusRule(_Data):
    """One status of the regulation: the first rule that matches a task gives its label.

    Attributes:
        label: The regulation's exact label.
        progress: Required progress.
        timeliness: Timeliness values that match; empty matches all.
        approved: Required approval; None matches both.
        setting: Name of a setting that must be on for the rule to count.
        tone: Colour family, never shown without its text.
    """

    label: str
    progress: Progress
    timeliness: tuple[Timeliness, ...] = ()
    approved: bool | None = None
    setting: str | None = None
    tone: Literal["open", "due_soon", "overdue", "waiting", "done"] = "open"

    def matches(
        self,
        progress: Progress,
        timeliness: Timeliness,
        *,
        approved: bool,
        enabled: Collection[str],
    ) -> bool:
        """Whether the rule gives its label to a task, `enabled` naming the settings that are on."""
        return (
            self.progress == progress
            and (not self.timeliness or timeliness in self.timeliness)
            and (self.approved is None or self.approved is approved)
            and (self.setting is None or self.setting in enabled)
        )


class Clock(_Data):
    """A time limit for an act of the Office or of a unit.

    Attributes:
        name: Stable English name.
        who: Who must act.
        article: Article that sets the limit.
        starts: Field or event that starts the clock; its day is not counted.
        ends: Field that shows the act is done.
        amount: Length.
        unit: Working days, calendar days, or the same day.
        urgent_same_day: Whether urgent documents must be handled on the same day.
        weekday: For weekly duties, 1 = Monday to 7 = Sunday.
        time: For weekly duties, the hour, as HH:MM.
    """

    name: str
    who: Literal["office", "unit", "officer", "head_of_office", "clerk"]
    article: str
    starts: str = ""
    ends: str = ""
    amount: int = 0
    unit: Literal["working", "calendar", "same_day", "weekly", "monthly_window"] = "working"
    urgent_same_day: bool = False
    weekday: int | None = None
    time: str | None = None
    first_day: int | None = None
    last_day: int | None = None


class ReportDue(_Data):
    """When a periodic report is due.

    Attributes:
        who: Unit or Office.
        period: Kind of period.
        day: Day of the month named by the article.
        month: Month of the date: 0 the period's last month, else 1-12.
        strict_word: Whether the article says "before" that day.
        default: Whether the text is silent and this is our proposal.
    """

    who: Literal["unit", "office"]
    period: PeriodKind
    day: int
    month: int = 0
    strict_word: bool = True
    default: bool = False
    article: str = ""


class Report(_Data):
    """One form that the Office or a unit fills in.

    Attributes:
        kind: Report kind of the contract (`office-summary`, `unit-report`, …).
        template: File in the template folder.
        periods: Periods for which the regulation asks for it.
        per_unit: One file for each unit instead of one for the Office.
        article: Article that prescribes the form.
        title: Title for messages.
    """

    kind: str
    template: str
    periods: tuple[PeriodKind, ...]
    per_unit: bool = False
    article: str = ""
    title: str


class Letterhead(_Data):
    """Words of the letterhead and of the sentences; each is a setting of the office.

    `{unit}` in `unit_symbol` stands for the code of the unit that reports.
    """

    superior: str
    office: str
    authority: str
    place: str
    office_symbol: str
    unit_symbol: str
    unit_superior: str
    addressee: str
    office_signer: str
    unit_signer: str


class Features(_Data):
    """Which procedures the regulation knows; the columns of the others are hidden."""

    returns: bool
    extension: bool
    approval: bool
    evidence: bool
    slips: bool
    one_lead_unit: bool = False


class Texts(_Data):
    """Sentences that differ by regulation and are printed in workbooks."""

    register_title: str
    unit_list_title: str
    unit_form_title: str
    guide_rows: tuple[tuple[str, str, str, str], ...] = ()
    guide_title: str = ""
    guide_source: str = ""


class RegisterColumns(_Data):
    """Columns of the register: those shown, in order; all others are there, hidden."""

    shown: tuple[str, ...]
    required: tuple[str, ...] = ()
    mandatory: tuple[str, ...] = ()
    labels: Mapping[str, str] = Field(default_factory=dict)


class UnitColumns(_Data):
    """Columns of the unit workbook's list: those shown, in order; the others hidden."""

    shown: tuple[str, ...]
    labels: Mapping[str, str] = Field(default_factory=dict)


class UnitForm(_Data):
    """The unit's own report form that its workbook prints by plain formulas.

    Attributes:
        layout: `summary_and_sections` (counts, then the list under one section row per
            status), `table` (counts, then one table of tasks), or `status_counts` (one count
            per status label, then the list).
        columns: Fields of the list, in order; `stt` is a running number, `blank` stays empty.
        labels: Headings of the form where they differ from the register's.
        article: Article that prescribes the form.
    """

    layout: Literal["summary_and_sections", "table", "status_counts"]
    columns: tuple[str, ...]
    labels: Mapping[str, str] = Field(default_factory=dict)
    article: str = ""


class Profile(_Data):
    """A regulation as data.

    Attributes:
        id: Name on the command line.
        name: The regulation's name and number, as far as it is known.
        fields: Every field with its label in this profile.
        statuses: Status rules in order of match.
        count_labels: Status labels in the order of the summary table.
        count_labels_by_setting: The same where a setting, named by the key, is on.
    """

    id: Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]*$")]
    name: str
    register_columns: RegisterColumns
    unit_columns: UnitColumns
    unit_form: UnitForm
    statuses: tuple[StatusRule, ...]
    count_labels: tuple[str, ...]
    count_labels_by_setting: Mapping[str, tuple[str, ...]] = Field(default_factory=dict)
    features: Features
    letterhead: Letterhead
    texts: Texts
    clocks: tuple[Clock, ...] = ()
    reports: tuple[Report, ...] = ()
    report_due: tuple[ReportDue, ...] = ()
    settings: Mapping[str, bool | int | str | tuple[str, ...]] = Field(default_factory=dict)
    returned_label: str
    cancelled_label: str
    fields: Mapping[str, FieldSpec]
    tables: Mapping[str, TableSpec]
    words: Mapping[str, Mapping[str, str]]

    @model_validator(mode="after")
    def _names_are_known(self) -> Self:
        known = {*REGISTER_FIELDS, *COMPUTED_FIELDS, *EDITABLE_FIELDS}
        for place, names in (
            ("register_columns.shown", self.register_columns.shown),
            ("register_columns.required", self.register_columns.required),
            ("unit_columns.shown", self.unit_columns.shown),
        ):
            unknown = [name for name in names if name not in known]
            if unknown:
                message = f"{place}: unknown field {unknown[0]}"
                raise ValueError(message)
        labels = [spec.label for name, spec in self.register.items()]
        unit_labels = [spec.label for spec in self.unit_list.values()]
        for place, items in (("register", labels), ("unit", unit_labels)):
            if len(set(items)) != len(items):
                twice = next(label for label in items if items.count(label) > 1)
                message = f"{place}: label used twice: {twice}"
                raise ValueError(message)
        rule_labels = {rule.label for rule in self.statuses}
        missing = [label for label in self.count_labels if label not in rule_labels]
        if missing:
            message = f"count_labels: no status rule gives {missing[0]}"
            raise ValueError(message)
        return self

    @model_validator(mode="after")
    def _every_task_has_a_counted_label(self) -> Self:
        switches = sorted({rule.setting for rule in self.statuses if rule.setting is not None})
        for size in range(len(switches) + 1):
            for enabled in combinations(switches, size):
                counted = self.labels_counted(enabled)
                for progress, timeliness, approved in SITUATIONS:
                    rule = self.rule_for(progress, timeliness, approved=approved, enabled=enabled)
                    place = f"{progress}, {timeliness}, approved {approved}, settings {enabled}"
                    if rule is None:
                        message = f"statuses: no rule matches {place}"
                        raise ValueError(message)
                    if rule.label not in counted:
                        message = f"count_labels: {rule.label} is missing ({place})"
                        raise ValueError(message)
        return self

    def rule_for(
        self,
        progress: Progress,
        timeliness: Timeliness,
        *,
        approved: bool,
        enabled: Collection[str] = (),
    ) -> StatusRule | None:
        """Return the first status rule that matches; loading guarantees that there is one."""
        for rule in self.statuses:
            if rule.matches(progress, timeliness, approved=approved, enabled=enabled):
                return rule
        return None

    def labels_counted(self, enabled: Collection[str] = ()) -> tuple[str, ...]:
        """Return the labels of the summary table, `enabled` naming the settings that are on."""
        for setting, labels in self.count_labels_by_setting.items():
            if setting in enabled:
                return labels
        return self.count_labels

    @cached_property
    def register(self) -> dict[str, FieldSpec]:
        """Every register column, computed and helping ones included, shown ones first."""
        shown = self.register_columns.shown
        every = (*REGISTER_FIELDS, *COMPUTED_FIELDS, *FORMULA_HELPERS)
        rest = [name for name in every if name not in shown]
        labels = self.register_columns.labels
        return {name: _relabelled(self.fields[name], labels.get(name)) for name in (*shown, *rest)}

    @cached_property
    def unit_list(self) -> dict[str, FieldSpec]:
        """Every field of the unit workbook's list, shown ones first and in order."""
        shown = self.unit_columns.shown
        rest = [f for f in (*LOCKED_FIELDS, *LIVE_FIELDS, *EDITABLE_FIELDS) if f not in shown]
        labels = {**self.register_columns.labels, **self.unit_columns.labels}
        return {name: _relabelled(self.fields[name], labels.get(name)) for name in (*shown, *rest)}

    def is_shown(self, field: str) -> bool:
        """Whether the register shows a field's column."""
        return field in self.register_columns.shown

    def report(self, kind: str) -> Report | None:
        """Return the profile's form of a kind, or None where the regulation has none."""
        return next((report for report in self.reports if report.kind == kind), None)


def _relabelled(spec: FieldSpec, label: str | None) -> FieldSpec:
    """Return a field with the profile's label; the usual label stays a known heading."""
    if label is None or label == spec.label:
        return spec
    return spec.model_copy(update={"label": label, "aliases": (spec.label, *spec.aliases)})


class TableSpec(_Data):
    """A table of the master beside the register."""

    sheet: str
    title: str
    columns: Mapping[str, FieldSpec]


def parse_profile(
    data: Mapping[str, object], fields: Mapping[str, object], tables: Mapping[str, object]
) -> Profile:
    """Return the profile that parsed TOML describes.

    Args:
        data: The profile's own file.
        fields: `fields.toml`: every field with its default label.
        tables: `tables.toml`: the other tables of the master.

    Raises:
        TheodoiError: `bad_profile`, with the place and the reason, where the data contradict
            themselves or name something that does not exist.
    """
    specs: dict[str, object] = {}
    for group in ("register", "computed", "formula_helpers", "unit"):
        specs.update(fields[group])  # type: ignore[call-overload]
    words: dict[str, object] = {**fields["words"], **tables["words"]}  # type: ignore[dict-item]
    try:
        return Profile.model_validate(
            {
                **data,
                "fields": specs,
                "tables": {name: table for name, table in tables.items() if name != "words"},
                "words": words,
            }
        )
    except ValidationError as problem:
        first = problem.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise TheodoiError("bad_profile", place=place, reason=first["msg"]) from problem


Profile.model_rebuild()

"""The first sheet: what the workbook is, in half a page, with links to its sheets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from xl_theodoi.workbook.building import look

if TYPE_CHECKING:
    from xl_theodoi.domain.profile import Profile

WIDTHS: Final = (15.0, 43.0, 15.0, 43.0)
"""Columns: link, purpose, link, purpose."""
LINK_COLOUR: Final = "#1F4E79"


def write_guide(style: look.Look, sheet: Any, profile: Profile) -> None:
    """Fill the first sheet.

    Args:
        style: Formats of the workbook.
        sheet: XlsxWriter worksheet.
        profile: The regulation, for the names of sheets, statuses and agency.
    """
    page = _Guide(style, sheet)
    words = look.texts()["guide"]
    names = look.texts()["sheets"]
    sheet.hide_gridlines(2)
    for column, width in enumerate(WIDTHS):
        sheet.set_column(column, column, width)
    page.line(words["title"], style.title(align="center"), height=30)
    page.line(
        words["regulation"].format(name=profile.name.rstrip(".")),
        style.text(italic=True, align="center"),
    )
    page.line(words["intro"], style.text(align="justify"))

    page.heading(words["sheets_title"])
    entries = [("overview", names["overview"]), ("register", names["register"])]
    entries += [(table, spec.sheet) for table, spec in profile.tables.items()]
    page.links([(sheet_name, words["purposes"].get(key, "")) for key, sheet_name in entries])

    page.heading(words["month_title"])
    places = {
        "register": names["register"],
        "overview": names["overview"],
        "receipts": profile.tables["TepNhan"].sheet,
        "conflicts": profile.tables["XungDot"].sheet,
        "requests": profile.tables["DeNghi"].sheet,
    }
    for step in words["month"]:
        page.line(step.format(**places), style.text())

    page.heading(words["keep_title"])
    for text in words["keep"]:
        page.line(f"– {text}", style.text())

    page.heading(words["colours_title"])
    page.colours(_legend(profile))
    look.set_up_page(sheet, widths=WIDTHS, portrait=True, one_page_wide=True)


def _legend(profile: Profile) -> list[tuple[str, str, str]]:
    """Return tone, sample word and meaning of each colour that the register uses."""
    words = look.texts()["guide"]["colours"]
    timing, progress = profile.words["timeliness"], profile.words["progress"]
    found = [
        ("overdue", timing["overdue"], words["overdue"]),
        ("due_soon", timing["due_soon"], words["due_soon"]),
        ("done", progress["done"], words["done"]),
        ("no_deadline", timing["no_deadline"], words["no_deadline"]),
        ("set_aside", profile.returned_label, words["set_aside"]),
        ("wrong", words["wrong_sample"], words["wrong"]),
        ("computed", words["computed_sample"], words["computed"]),
    ]
    waiting = next((rule.label for rule in profile.statuses if rule.tone == "waiting"), None)
    if waiting is not None:
        done = next((r.label for r in profile.statuses if r.tone == "done"), progress["done"])
        found[2] = ("done", done, words["done"])
        found.insert(2, ("waiting", waiting, words["waiting"]))
    return found


class _Guide:
    def __init__(self, style: look.Look, sheet: Any) -> None:
        self.look, self.sheet, self.row = style, sheet, 0
        self.width = sum(WIDTHS)

    def line(self, text: str, cell: Any, *, height: float | None = None) -> None:
        """Write a text across the page; a merged cell cannot fit itself, so it gets a height."""
        self.sheet.merge_range(self.row, 0, self.row, len(WIDTHS) - 1, text, cell)
        if height is None:
            height = look.row_height([(text, self.width)], size=look.TEXT_SIZE)
        self.sheet.set_row(self.row, height)
        self.row += 1

    def heading(self, text: str) -> None:
        """Write the heading of a part."""
        self.line(
            text,
            self.look.text(bold=True, font_color=LINK_COLOUR, valign="bottom", bottom=1),
            height=26,
        )

    def links(self, entries: list[tuple[str, str]]) -> None:
        """Write links to sheets with their purposes, in two columns read downward."""
        half = (len(entries) + 1) // 2
        link = self.look.style(font_color=LINK_COLOUR, underline=1, font_size=look.TEXT_SIZE)
        plain = self.look.text()
        for place in range(half):
            texts = []
            for side, entry in enumerate((place, place + half)):
                if entry >= len(entries):
                    continue
                name, purpose = entries[entry]
                target = name.replace("'", "''")
                self.sheet.write_url(self.row, side * 2, f"internal:'{target}'!A1", link, name)
                self.sheet.write_string(self.row, side * 2 + 1, purpose, plain)
                texts.append((purpose, WIDTHS[side * 2 + 1]))
            self.sheet.set_row(self.row, look.row_height(texts, size=look.TEXT_SIZE))
            self.row += 1

    def colours(self, legend: list[tuple[str, str, str]]) -> None:
        """Write the colours' meanings in two columns read across."""
        for place, (tone, sample, meaning) in enumerate(legend):
            side = place % 2
            properties = (
                {"bg_color": look.COMPUTED_FILL}
                if tone == "computed"
                else look.TONES[tone].properties()
            )
            self.sheet.write_string(
                self.row,
                side * 2,
                sample,
                self.look.style(
                    **properties,
                    align="center",
                    valign="vcenter",
                    border=1,
                    border_color=look.LINE,
                    text_wrap=True,
                ),
            )
            self.sheet.write_string(
                self.row, side * 2 + 1, meaning, self.look.text(valign="vcenter", indent=1)
            )
            self.sheet.set_row(self.row, 18)
            if side == 1 or place == len(legend) - 1:
                self.row += 1

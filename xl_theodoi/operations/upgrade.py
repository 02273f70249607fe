"""`upgrade`: an older or damaged layout brought up to date, nothing taken away."""

from __future__ import annotations

from typing import TYPE_CHECKING

from xl_theodoi.domain.changes import AddColumns, FileChange, SetCells
from xl_theodoi.domain.findings import Finding, Location, error
from xl_theodoi.domain.names import META, REGISTER
from xl_theodoi.operations.live import calculation_sheet, completed_formulas
from xl_theodoi.operations.master import MASTER_LAYOUT, Master
from xl_theodoi.operations.results import WriteResult
from xl_theodoi.operations.writing import commit, writes

if TYPE_CHECKING:
    from datetime import date

    from xl_theodoi.hosts import Host


@writes("upgrade")
def upgrade(host: Host, as_of: date) -> WriteResult:
    """Add the columns that a master's tables lack and note the layout's version.

    A table that is gone cannot be made here; it is a finding.

    Args:
        host: The master.
        as_of: Day at which the register is judged.
    """
    host.ensure_writable()
    master = Master(host, as_of)
    changes: list[FileChange] = []
    findings: list[Finding] = []
    added = 0
    for name in (REGISTER, *master.profile.tables):
        if not master.has(name):
            findings.append(error("missing_table", Location(master.file_name), table=name))
            continue
        reading = master.reading(name)
        missing = {
            field: spec.label
            for field, spec in master.specs(name).items()
            if field not in reading.labels
        }
        if missing:
            changes.append(AddColumns(name, list(missing.values())))
            added += len(missing)
        if name == REGISTER and missing:
            changes += completed_formulas(master, missing)
    if int(master.meta["layout_version"]) < MASTER_LAYOUT:
        changes.append(calculation_sheet(master))
        table = master.table(META)
        position = table.columns["key"].values.index("layout_version")
        changes.append(SetCells(META, {(position, "value"): str(MASTER_LAYOUT)}))
    result = WriteResult(counts={"columns": added}, findings=findings, labels=master.labels())
    if commit(master, "upgrade", changes):
        result.written = [host.path]
        result.parts_changed = host.parts_changed
    return result

"""Names by which the program finds its tables, sheets and cells in a workbook.

They are part of the layout: whoever builds a workbook and whoever reads it take them from
here.
"""

from __future__ import annotations

from typing import Final

REGISTER: Final = "NhiemVu"
"""Table of the tasks in a master."""

META: Final = "TheoDoiMeta"
"""Table that says which master it is and by which profile and layout."""

SENDINGS: Final = "TheoDoiGui"
"""Table of what was sent: one row per unit and sending."""

FINDINGS: Final = "KetQuaKiemTra"
"""Table of findings that the buttons in Excel write."""

IDENTITY_SHEET: Final = "_theodoi"
"""Very hidden sheet with the identity of a master or of a unit workbook."""

SENDINGS_SHEET: Final = "_theodoi_gui"
"""Very hidden sheet of `SENDINGS`."""

CALCULATION_SHEET: Final = "_theodoi_tinh"
"""Very hidden sheet on which a master's live formulas work out what all rows share."""

UNIT_LIST: Final = "NhiemVuDonVi"
"""Table of the tasks in a unit workbook."""

UNIT_IDENTITY: Final = "TheoDoiDinhDanh"
"""Table that says whom a unit workbook was made for."""

UNIT_SENT: Final = "TheoDoiGoc"
"""Table of the values as they were sent."""

AS_OF_CELL: Final = "NgayTinh"
"""Named cell with the day at which statuses are looked at."""

FIGURES_CELL: Final = "NgaySoLieu"
"""Named cell with the day at which the stored figures are true."""

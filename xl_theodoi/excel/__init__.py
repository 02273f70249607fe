"""A master workbook that is open in Excel, and the buttons that work on it."""

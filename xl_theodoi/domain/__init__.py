"""The rules: pure Python, no files, no clock, no Excel, no Vietnamese wording."""

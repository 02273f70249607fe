"""Edits workbooks that people own: only what must change changes."""

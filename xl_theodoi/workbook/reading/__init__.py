"""Reads packages that may be hostile: cells, tables, styles, with every address kept."""

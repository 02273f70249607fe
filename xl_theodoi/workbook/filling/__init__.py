"""Fills an office's own form: rows repeated, formulas and pictures following."""

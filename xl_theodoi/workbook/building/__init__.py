"""Builds workbooks from nothing: masters and unit workbooks."""

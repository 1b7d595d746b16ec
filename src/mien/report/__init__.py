"""A table of ``mien track`` as one page to look at and to print."""

from mien.report.page import write_report
from mien.report.table import FaceTable, read_table

__all__ = ["FaceTable", "read_table", "write_report"]

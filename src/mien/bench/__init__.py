"""How fast mien is on this machine: made crowds, measured in processes of their own."""

from mien.bench.crowd import write_crowd
from mien.bench.measure import Case, CaseResult, StartUp, measure_case, measure_start_up

__all__ = ["Case", "CaseResult", "StartUp", "measure_case", "measure_start_up", "write_crowd"]

"""A page of tables, charts and pictures from measurements and runs."""

from __future__ import annotations

from mmdualhand.apis.report.content import Comparison, ReportContent, RunLog, StepTimes
from mmdualhand.apis.report.write import write_report

__all__ = ['Comparison', 'ReportContent', 'RunLog', 'StepTimes', 'write_report']

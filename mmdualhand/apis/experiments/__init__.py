"""Experiments: many trainings and measurements, each run once, whatever interrupts them.

A suite (``suites/``, or a file of one's own) names the measurements of a table; :func:`run_measurements` runs
those that are missing, each training in a process of its own, and keeps every finished measurement as a small
JSON file, a cell.
"""

from mmdualhand.apis.experiments.cells import code_version, finished_cells
from mmdualhand.apis.experiments.chains import training_of
from mmdualhand.apis.experiments.definitions import Measurement, Training, check_names, with_options
from mmdualhand.apis.experiments.entries import Entry
from mmdualhand.apis.experiments.machine import cores, default_jobs
from mmdualhand.apis.experiments.paper_suite import PaperSuite
from mmdualhand.apis.experiments.paper_tables import PaperTable
from mmdualhand.apis.experiments.run import make_plan, run_measurements, shard
from mmdualhand.apis.experiments.scheduler import Outcome, Task, Watcher, run_tasks
from mmdualhand.apis.experiments.selection import best_on, plain_names
from mmdualhand.apis.experiments.suites import (
    SCALES,
    config_prefix,
    get_suite,
    left_out,
    list_suites,
    measured_elsewhere,
    suite_name,
)
from mmdualhand.apis.experiments.tables import Table, csv_text, latex_text, markdown_text
from mmdualhand.apis.experiments.write import tables_heading, write_tables

__all__ = [
    'SCALES', 'Entry', 'Measurement', 'Outcome', 'PaperSuite', 'PaperTable', 'Table', 'Task', 'Training',
    'Watcher', 'best_on', 'check_names', 'code_version', 'config_prefix', 'cores', 'csv_text', 'default_jobs',
    'finished_cells', 'get_suite', 'latex_text', 'left_out', 'list_suites', 'make_plan', 'markdown_text',
    'measured_elsewhere', 'plain_names', 'run_measurements', 'run_tasks', 'shard', 'suite_name',
    'tables_heading', 'training_of', 'with_options', 'write_tables',
]  # fmt: skip

"""Who does what when: the only folder, with definitions.py, that knows Dagster. Its functions read, call and report.

No module here has `from __future__ import annotations`: Dagster reads the annotations of `context` at run time.
"""

# SPDX-License-Identifier: MIT
"""Groups of rows that are measured in processes of their own, each within a limit of time: whatever a group does, the
rows that were measured are in the file, and those that were not say why.
"""

import json
import os
import signal
import subprocess
import sys
import time


class Table:
    """Rows in a JSON file, one a line (./dev gpu looks for lines that begin with two spaces and a brace). The file is
    whole after each row, and rows are added to those it has. Without a path there is no file."""

    def __init__(self, path):
        self.path = path
        self.rows = []
        if path and os.path.exists(path):
            with open(path) as file:
                self.rows = json.load(file)["rows"]

    def add(self, work, shape, contender, ms, **more):
        """ms is None for what was not measured; `more` says why: limit_seconds or error."""
        self.rows.append({"work": work, "shape": shape, "contender": contender, "milliseconds": ms, **more})
        if not self.path:
            return
        lines = ",\n".join("  " + json.dumps(row) for row in self.rows)
        with open(self.path + ".new", "w") as file:
            file.write('{"rows": [\n' + lines + "\n]}\n")
        os.replace(self.path + ".new", self.path)

    def has(self, work, contender):
        return any(row["work"] == work and row["contender"] == contender for row in self.rows)


def run_limited(command, seconds):
    """The exit status of the command; None if it took longer and was killed. It and all it starts are a process group,
    of which nothing is left afterwards: compilers have workers, and workers hold pipes open."""
    process = subprocess.Popen(command, start_new_session=True)
    try:
        return process.wait(timeout=seconds)
    except subprocess.TimeoutExpired:
        return None
    finally:
        try:
            os.killpg(process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        process.wait()


def run_groups(groups, table_path, command_of, line, total_seconds):
    """Runs every group by command_of(name), which adds its rows to the file at table_path, and adds those it did not.

    groups: name -> (limit in seconds, what the group may be busy with when it is over, [(work, shape, contender)]).
    line(work, contender, text) prints a row. All take at most total_seconds together.
    """
    # What stops this process has to stop the groups: SystemExit passes the `finally` of run_limited.
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))
    deadline = time.monotonic() + total_seconds
    for name, (limit, activity, rows) in groups.items():
        seconds = max(1, round(min(limit, deadline - time.monotonic())))
        status = run_limited(command_of(name), seconds)
        table = Table(table_path)
        for work, shape, contender in rows:
            if table.has(work, contender):
                continue
            if status is None:
                line(work, contender, f"did not finish {activity} in {seconds} s")
                table.add(work, shape, contender, None, limit_seconds=seconds)
            else:
                line(work, contender, f"was not measured: the process ended with {status}")
                table.add(work, shape, contender, None, error=f"the process ended with {status}")

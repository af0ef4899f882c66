#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""
Run all integration tests, as many files at once as there are processors; write
'PASSED FAILED SKIPPED' to the named file.

Usage: run.py TOTALS [FILE]    (FILE: this one alone)
"""

import os
import signal
import subprocess
import sys
import tempfile
import unittest
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path

HERE = Path(__file__).resolve().parent


def run_file(name):
    """Run a file's tests; returns how many passed, failed and were skipped."""
    suite = unittest.defaultTestLoader.discover(HERE, name)
    result = unittest.TextTestRunner(verbosity=2).run(suite)
    ended = [test for test, _ in result.failures + result.errors + result.skipped]
    ended += result.unexpectedSuccesses
    skipped = len(result.skipped)
    failed = len(ended) - skipped
    # A class or module that is skipped or fails as a whole has not run a test.
    passed = result.testsRun - sum(isinstance(t, unittest.TestCase) for t in ended)
    if not ended and result.testsRun == 0:
        failed = 1
    return max(passed, 0), failed, skipped


def start_file(path):
    """Run a file's tests in a process of their own; returns its output, and the same."""
    with tempfile.NamedTemporaryFile("r", encoding="ascii") as totals:
        command = [sys.executable, __file__, totals.name, path.name]
        output = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                errors="replace", check=False).stdout
        return output, [int(word) for word in (totals.read() or "0 1 0").split()]


def run_all():
    # Those that take long come first, and are long, by and large.
    files = sorted(HERE.glob("*_test.py"), key=lambda path: -path.stat().st_size)
    totals = [0, 0, 0]
    with ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
        try:
            for future in as_completed(pool.submit(start_file, path) for path in files):
                output, counts = future.result()
                print(output, flush=True)
                totals = [a + b for a, b in zip(totals, counts)]
        except KeyboardInterrupt:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    return totals


def main() -> int:
    if len(sys.argv) not in (2, 3):
        print(__doc__, file=sys.stderr)
        return 2
    # Ignored, as in a background job of a shell, it would be ignored by the
    # programs too, which tests interrupt.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    sys.path.insert(0, str(HERE))
    totals = run_file(sys.argv[2]) if len(sys.argv) == 3 else run_all()
    with open(sys.argv[1], "w", encoding="ascii") as file:
        print(*totals, file=file)
    return 1 if totals[1] else 0


if __name__ == "__main__":
    sys.exit(main())

#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Run all integration tests; write 'PASSED FAILED SKIPPED' to the named file.

Usage: run.py TOTALS [PATTERN]    (PATTERN: as of unittest discovery)
"""

import os
import signal
import sys
import unittest


def main() -> int:
    if len(sys.argv) not in (2, 3):
        print(__doc__, file=sys.stderr)
        return 2
    # Ignored, as in a background job of a shell, it would be ignored by the
    # programs too, which tests interrupt.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    here = os.path.dirname(os.path.abspath(__file__))
    sys.path.insert(0, here)
    pattern = sys.argv[2] if len(sys.argv) == 3 else "*_test.py"
    suite = unittest.defaultTestLoader.discover(here, pattern)
    result = unittest.TextTestRunner(verbosity=2).run(suite)
    ended = [test for test, _ in result.failures + result.errors + result.skipped]
    ended += result.unexpectedSuccesses
    skipped = len(result.skipped)
    failed = len(ended) - skipped
    # A class or module that is skipped or fails as a whole has not run a test.
    passed = result.testsRun - sum(isinstance(t, unittest.TestCase) for t in ended)
    if result.testsRun == 0:
        failed = 1
    with open(sys.argv[1], "w", encoding="ascii") as file:
        print(max(passed, 0), failed, skipped, file=file)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())

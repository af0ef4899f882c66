#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Test the rehearsal's own runner; write 'PASSED FAILED SKIPPED' to a file.

Usage: run_tests.py TOTALS [TEST...]    (TEST: a file of test/; default: all)
"""

import re
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "fixtures"))

import rehearsal  # noqa: E402
from npm_packages import Missing  # noqa: E402


def run(tests):
    """Passed, failed and skipped."""
    try:
        result = rehearsal.node("--test", "--test-reporter=tap", *tests)
    except Missing as reason:
        print(reason, file=sys.stderr)
        return 0, 0, 1
    except RuntimeError as reason:
        print(reason, file=sys.stderr)
        return 0, 1, 0
    numbers = dict(re.findall(r"^# (\w+) (\d+)$", result.stdout, re.MULTILINE))
    passed, skipped = int(numbers.get("pass", 0)), int(numbers.get("skipped", 0))
    failed = int(numbers.get("fail", 0)) + int(numbers.get("cancelled", 0))
    if result.returncode and not failed:
        failed = 1
    pattern = ".*" if failed else "(?:ok|not ok) .*"
    for line in re.findall(f"^{pattern}$", result.stdout, re.MULTILINE):
        print(line)
    return passed, failed, skipped


def main():
    if len(sys.argv) < 2:
        print(__doc__, file=sys.stderr)
        return 2
    totals = run(sys.argv[2:] or sorted(HERE.glob("test/*.test.mjs")))
    Path(sys.argv[1]).write_text("{} {} {}\n".format(*totals))
    return 1 if totals[1] else 0


if __name__ == "__main__":
    sys.exit(main())

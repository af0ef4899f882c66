#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Test the rehearsal's own runner; write 'PASSED FAILED SKIPPED' to a file.

Usage: run_tests.py TOTALS [TEST...]    (TEST: a file of test/; default: all)
"""

import re
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "fixtures"))

import rehearsal  # noqa: E402
from stand_in import Skipped  # noqa: E402


def totals(tap):
    """Passed, failed and skipped, from what node:test prints at its end."""
    numbers = dict(re.findall(r"^# (\w+) (\d+)$", tap, re.MULTILINE))
    failed = int(numbers["fail"]) + int(numbers["cancelled"])
    return int(numbers["pass"]), failed, int(numbers["skipped"])


def main():
    if len(sys.argv) < 2:
        print(__doc__, file=sys.stderr)
        return 2
    tests = sys.argv[2:] or sorted(HERE.glob("test/*.test.mjs"))
    try:
        environment = rehearsal.environment()
    except Skipped as reason:
        print(reason, file=sys.stderr)
        Path(sys.argv[1]).write_text("0 0 1\n")
        return 0
    except RuntimeError as reason:
        print(reason, file=sys.stderr)
        Path(sys.argv[1]).write_text("0 1 0\n")
        return 1
    result = subprocess.run(
        [
            "node",
            f"--import={HERE / 'packages.mjs'}",
            "--test",
            "--test-reporter=tap",
            *tests,
        ],
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
    )
    passed, failed, skipped = totals(result.stdout)
    if result.returncode and not failed:
        failed = 1
    if failed:
        print(result.stdout)
    else:
        for line in re.findall(r"^(?:ok|not ok) .*", result.stdout, re.MULTILINE):
            print(line)
    Path(sys.argv[1]).write_text(f"{passed} {failed} {skipped}\n")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())

#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""
The bot where there are 37 series, six architectures, three flavors, and 990
assets: how much it asks, and how much memory it takes. tests/bench/plan has
the time.
"""

import unittest

import support
from support import Measured, environment, mirror

from full_scale import FullScale

# GitHub's answers are 2 MB; a sanitizer takes several times as much.
PEAK_BYTES = (32 << 20) * (4 if support.is_sanitized() else 1)
ALL_SHOWN = 1000


class FullScaleTest(support.TestCase):
    def setUp(self):
        super().setUp()
        self.scale = FullScale(self.folder / "scale")
        self.github = self.start("github.py", "--folder", self.scale.github)
        kernel_org = self.start("kernel_org.py", "--tags", self.scale.tags)
        kernel_org.control(**self.scale.offer)
        self.environment = environment(
            GITHUB_API_URL=self.github.urls["GITHUB_API_URL"],
            GITHUB_TOKEN="write-token",
            # Memory that was freed is not to be kept.
            ASAN_OPTIONS="quarantine_size_mb=1",
            **mirror(kernel_org),
        )

    def bot(self, command, *arguments, directory="work"):
        """Its result, and how many requests GitHub got."""
        before = len(self.github.requests())
        result = Measured(
            "vmtest-bot",
            command,
            *arguments,
            f"--catalog={self.scale.catalog}",
            f"--store={self.scale.store}",
            f"--directory={self.folder / directory}",
            env=self.environment,
        )
        self.assert_status(result, 0)
        self.assertLess(result.peak_bytes, PEAK_BYTES)
        return result, len(self.github.requests()) - before

    def test_plan_asks_once_where_nothing_changed(self):
        for shown in (30, ALL_SHOWN):
            with self.subTest(shown=shown):
                self.github.control(embedded_assets=shown)
                first = f"first-{shown}"
                result, requests = self.bot("plan", directory=first)
                self.assertIn("nothing to build", result.stderr)
                self.assertLessEqual(requests, 12)
                # What a run that dies leaves undone, this one does.
                self.bot("run", directory=first)
                for _ in range(2):
                    result, requests = self.bot("plan", directory=first)
                    self.assertIn("nothing to build", result.stderr)
                    self.assertEqual(requests, 1)
                # Without a cache it depends on what the release shows.
                result, requests = self.bot("plan", directory=f"second-{shown}")
                self.assertIn("nothing to build", result.stderr)
                if shown == ALL_SHOWN:
                    self.assertEqual(requests, 1)
                self.assertLessEqual(requests, 12)
                self.assert_status(self.bot("status", directory=first)[0], 0)


if __name__ == "__main__":
    unittest.main()

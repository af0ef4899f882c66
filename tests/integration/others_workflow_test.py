#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""
vmtest-vm in the workflow of another repository, which has no kernels.
"""

import json
import re
import unittest

import support
from packages import RELEASE, package_entries, package_name, write_package

CALLER = "caller/project"
OWN = "own/vmtest"
NAMED = "named/kernels"
CATALOG = json.loads((support.TOP / "configs/vmtest.json").read_text())
CATALOGS = CATALOG["repository"]


class OthersCase(support.TestCase):
    def setUp(self):
        super().setUp()
        names = (CALLER, OWN, NAMED, CATALOGS)
        self.github = self.start("github.py", *(f"--repository={n}" for n in names))
        self.api_url = self.github.urls["GITHUB_API_URL"]
        self.mark = 0

    def publish(self, repository, package):
        """Give a repository a release with a package; the store's name."""
        store = f"github:{repository}@{CATALOG['tag']}"
        arguments = ("publish", "--no-page", f"--store={store}", package)
        token = {"GITHUB_API_URL": self.api_url, "GITHUB_TOKEN": "write-token"}
        result = support.run("vmtest-bot", *arguments, env=support.environment(**token))
        self.assert_status(result, 0)
        self.mark = len(self.github.requests())
        return store

    def asked(self):
        """What was asked of each repository's releases since, and the statuses."""
        asked = {}
        for request in self.github.requests()[self.mark :]:
            if request["endpoint"] == "downloads":
                continue
            name = re.match(r"/(?:repos/)?([^/]+/[^/]+)/releases", request["path"])[1]
            asked.setdefault(name, []).append(request["status"])
        return asked


class ProgramTest(OthersCase):
    def test_the_store_is_the_catalogs(self):
        package = self.folder / package_name()
        write_package(package, package_entries())
        self.publish(CATALOGS, package)
        environment = support.environment(
            GITHUB_ACTIONS="true",
            GITHUB_REPOSITORY=CALLER,
            GITHUB_API_URL=self.api_url,
            XDG_CACHE_HOME=self.folder,
        )
        for command in (["test", "--list"], ["list"], ["download"]):
            arguments = (*command, "-k", RELEASE)
            result = support.run("vmtest-vm", *arguments, env=environment)
            self.assert_status(result, 0)
            self.assertIn(RELEASE, result.stdout)
        self.assertEqual(list(self.asked()), [CATALOGS])

    def test_a_list_of_kernels_needs_no_command(self):
        """The action lists them first, and has the command from its input."""
        package = self.folder / package_name()
        write_package(package, package_entries())
        (self.folder / "vmtest.json").write_text('{"flavors": ["tiny"]}')
        options = (f"--store=dir:{self.folder}", "-d", self.folder / "kernels")
        arguments = ("test", "-k", "6.12", *options)
        result = support.run("vmtest-vm", *arguments, "--list", cwd=self.folder)
        self.assert_status(result, 0)
        self.assertIn(RELEASE, result.stdout)
        result = support.run("vmtest-vm", *arguments, cwd=self.folder)
        self.assert_one_line(result, 2, "say what to run")


if __name__ == "__main__":
    unittest.main()

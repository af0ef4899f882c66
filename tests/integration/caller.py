# SPDX-License-Identifier: LGPL-2.1-or-later
"""
Tests that each run as the user that runs them and, if that is root, as an
ordinary user too.
"""

import functools
import os
import pwd
import shutil

import support

ORDINARY = pwd.getpwnam("nobody")
# Keywords of subprocess.run(), for root.
AS_ORDINARY = {"user": ORDINARY.pw_uid, "group": ORDINARY.pw_gid, "extra_groups": []}
# Everybody's, whatever runs the tests.
PYTHON = shutil.which("python3", path="/usr/bin:/bin")


def callers():
    """Keywords of subprocess.run() for each user that a test runs as."""
    if os.geteuid() != 0:
        return [("ordinary", {})]
    return [("root", {}), ("ordinary", AS_ORDINARY)]


def each_caller(test):
    """Run a method of a CallerCase as each of them, in a directory of its own."""

    @functools.wraps(test)
    def run_all(self):
        for name, ids in callers():
            with self.subTest(name):
                self.become(ids)
                test(self)

    return run_all


class CallerCase(support.TestCase):
    def become(self, ids):
        """Go on in a new directory that is the caller's, and his home."""
        self.setUp()
        self.ids = ids
        self.uid = ids.get("user", os.geteuid())
        os.chown(self.folder, self.uid, -1)

    def as_caller(self, options):
        """Keywords of support.run()."""
        # ASan would set one of the limits.
        env = support.environment(HOME=self.folder, ASAN_OPTIONS="disable_coredump=0")
        return {"cwd": self.folder, "env": env, **self.ids, **options}

    def call(self, program, *arguments, **options):
        """One of the programs, or another by its path."""
        return support.run(program, *arguments, **self.as_caller(options))

    def guest(self, *command, options=(), under=None):
        return support.run_guest(*command, options=options, under=under, **self.as_caller({}))

    def run_guest(self, script, *options, under=None):
        """A script for sh; what it prints."""
        got = self.guest("sh", "-euc", script, options=["-q", *options], under=under)
        self.assert_status(got, 0)
        return got.stdout

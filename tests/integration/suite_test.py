# SPDX-License-Identifier: LGPL-2.1-or-later

"""Tests one command under several kernels: vmtest-vm test and bisect.

The kernels are one kernel under several names: each package has its own
release, and so its own folder below /lib/modules.
"""

import json
import os
import re
import shutil
import signal
import tempfile
import termios
import time
import unittest
import xml.etree.ElementTree
from pathlib import Path

import support

VERSIONS = ("6.1.10", "6.1.20", "6.6.30", "6.12.40", "6.13.1")
ARCH = ""
STORE = None
LIMIT = 300


def name(version):
    return f"{version}-vmtest1.0tiny"


def package(version, arch=None):
    return f"kernel-{name(version)}.{arch or ARCH}.tar.zst"


def write_module(folder):
    """The source of one that does nothing; an option that names it."""
    folder.mkdir()
    (folder / "Makefile").write_text("obj-m := empty.o\n")
    code = "#include <linux/module.h>\nMODULE_LICENSE(\"GPL\");\n"
    (folder / "empty.c").write_text(code)
    return f"--module-source={folder}"


def setUpModule():
    """Packages that differ by name: without debug information, they are small."""
    global ARCH, STORE
    ARCH = support.package().name.rsplit(".", 3)[1]
    folder = tempfile.TemporaryDirectory(prefix="vmtest-suite.", dir=support.CACHE)
    unittest.addModuleCleanup(folder.cleanup)
    STORE = Path(folder.name, "store")
    # All tests share what has been downloaded.
    for path in (STORE, STORE.parent / "directory"):
        path.mkdir()
    support.small_package(STORE.parent)
    copy = STORE.parent / "kernel"
    for version in VERSIONS:
        release = copy / "build/include/config/kernel.release"
        release.write_text(f"{name(version)}\n")
        support.pack_directory(copy, STORE / package(version))


def on(*versions):
    """A condition for the shell: the kernel is one of these."""
    return " || ".join(f"[ -d /lib/modules/{name(v)}/build ]" for v in versions)


def processes_about(folder):
    """Processes that have a folder in their command line."""
    found = []
    for entry in os.listdir("/proc"):
        try:
            with open(f"/proc/{entry}/cmdline", "rb") as file:
                if os.fsencode(folder) in file.read():
                    found.append(entry)
        except OSError:
            pass
    return found


class SuiteCase(support.TestCase):
    def setUp(self):
        super().setUp()
        self.addCleanup(self.assert_nothing_runs)
        self.logs = self.folder / "logs"
        self.directory = STORE.parent / "directory"

    def assert_nothing_runs(self):
        """Neither a program of ours nor QEMU: both know these folders."""
        for folder in (STORE.parent, self.folder):
            self.assertEqual(processes_about(folder), [])

    def words(self, command, *options, store=None):
        return [f"vmtest-vm {command}", f"--store=dir:{store or STORE}",
                f"--directory={self.directory}", f"--log-directory={self.logs}", *options]

    def vm(self, command, *options, store=None, **kwargs):
        kwargs.setdefault("cwd", self.folder)
        return support.run(*self.words(command, *options, store=store), **kwargs)

    def read_junit(self, path):
        """The root of a file that has what CI systems want of it."""
        elements = {
            "testsuites": {"name", "tests", "failures", "errors", "time"},
            "testsuite": {"name", "tests", "failures", "errors", "skipped", "time",
                          "timestamp"},
            "testcase": {"classname", "name", "time"},
            "properties": set(),
            "property": {"name", "value"},
            "failure": {"type", "message"},
            "error": {"type", "message"},
            "skipped": {"message"},
        }
        root = xml.etree.ElementTree.parse(path).getroot()
        self.assertEqual(root.tag, "testsuites")
        for element in root.iter():
            self.assertEqual(set(element.keys()), elements[element.tag], element.tag)
        for suite in (root, *root.findall("testsuite")):
            for tag, counted in (("testcase", "tests"), ("failure", "failures"),
                                 ("error", "errors"), ("skipped", "skipped")):
                if counted == "skipped" and suite is root:
                    continue
                self.assertEqual(len(list(suite.iter(tag))), int(suite.get(counted)))
        return root

    def results(self, *options, status=0, **kwargs):
        """By kernel, what `test --json` says."""
        result = self.vm("test", "--json", *options, **kwargs)
        self.assert_status(result, status)
        return {item["kernel"]: item for item in json.loads(result.stdout)}

    def groups(self, text):
        """Title and text of what folds in GitHub Actions; all of it does."""
        found = re.findall(
            r"(?ms)^::group::([^\n]*)\n::stop-commands::(\w+)\n(.*?)^::(\w+)::\n::endgroup::$",
            text)
        self.assertEqual(len(found), text.count("::group::"), text)
        for _, token, _, end in found:
            self.assertEqual(token, end)
        return [(title, log) for title, _, log, _ in found]

    def workflow(self):
        """A step of GitHub Actions: its summary and its environment."""
        summary = self.folder / "summary"
        values = {"GITHUB_ACTIONS": "true", "GITHUB_STEP_SUMMARY": summary}
        return summary, support.environment(**values)

    def write(self, folder, **keys):
        folder.mkdir(exist_ok=True)
        (folder / "vmtest.json").write_text(json.dumps(keys))

    def use_new_directory(self):
        self.directory = self.folder / "directory"


class TestTest(SuiteCase):
    def test_all_kernels_pass(self):
        self.use_new_directory()
        result = self.vm("test", "-K", "--", "sh", "-c", "echo out; echo err >&2")
        self.assert_status(result, 0)
        # Of each series the newest.
        for version in VERSIONS[1:]:
            self.assertRegex(result.stdout,
                             rf"(?m)^{re.escape(name(version))} +passed +\d+\.\d s")
            self.assertEqual((self.logs / f"{name(version)}.log").read_text(),
                             "out\nerr\n")
            console = (self.logs / f"{name(version)}.console.log").read_bytes()
            self.assertGreater(len(console), 0)
        self.assertNotIn(name(VERSIONS[0]), result.stdout)
        self.assertIn("\n4 passed\n", result.stdout)
        lines = result.stderr.splitlines()
        self.assertEqual(len(lines), 5, result.stderr)
        self.assertIn("passed in", lines[-1])
        self.assertIn("(4 of 4 kernels)", lines[-1])
        self.assertNotIn("\033", result.stderr)

    def test_verdicts(self):
        junit = self.folder / "junit.xml"
        fail, hang, panic, good = VERSIONS[1:]
        script = f"""
            if {on(fail)}; then echo '<broken> & "bad"'; printf '\\033[1mx\\001\\n'; exit 3; fi
            if {on(hang)}; then sleep 1000; fi
            if {on(panic)}; then echo c >/proc/sysrq-trigger; fi
        """
        result = self.vm("test", "-K", "-j", "2", "-t", "3", "--junit", junit,
                         "--", "sh", "-c", script)
        self.assert_status(result, 1)
        self.assertRegex(result.stdout, rf"(?m)^{name(fail)} +failed .* exit status 3$")
        self.assertRegex(result.stdout, rf"(?m)^{name(hang)} +timed out .* within 3 seconds$")
        self.assertRegex(result.stdout, rf"(?m)^{name(panic)} +lost .* Kernel panic")
        self.assertRegex(result.stdout, rf"(?m)^{name(good)} +passed ")
        self.assertIn('<broken> & "bad"', result.stdout)
        self.assertIn("task:sleep", result.stdout)
        self.assertIn("failed on 3 of 4 kernels:", result.stderr.splitlines()[-1])
        # The one that was lost had a second chance.
        self.assertTrue((self.logs / f"{name(panic)}.2.json").exists())
        self.assertIn("trying once more", result.stderr)

        self.assert_nothing_runs()

        root = self.read_junit(junit)
        self.assertEqual((root.get("tests"), root.get("failures"), root.get("errors")),
                         ("4", "2", "1"))
        cases = {case.get("name"): case for case in root.iter("testcase")}
        self.assertEqual(len(cases), 4)
        self.assertIsNone(cases[name(good)].find("failure"))
        failure = cases[name(fail)].find("failure")
        self.assertEqual(failure.get("message"), "exit status 3")
        self.assertEqual(failure.text, '<broken> & "bad"\nx\n')
        self.assertEqual(cases[name(hang)].find("failure").get("type"), "timed out")
        self.assertIn("panic", cases[name(panic)].find("error").get("message"))
        for case in cases.values():
            self.assertGreater(float(case.get("time")), 0)

    def test_flaky(self):
        script = """
            [ -e "$1/seen" ] && exit 0
            touch "$1/seen"
            sync
            echo c >/proc/sysrq-trigger
        """
        kept = self.folder / "kept"
        kept.mkdir()
        results = self.results("-k", VERSIONS[2], "--rw", kept, "--",
                               "sh", "-c", script, "sh", kept)
        item = results[name(VERSIONS[2])]
        self.assertEqual((item["result"], item["attempts"]), ("flaky", 2))
        self.assertIn("Kernel panic", item["reason"])

    def test_tests_of_a_command(self):
        script = f"""
            echo 'KTAP version 1'
            echo '  1..3'
            echo '  ok 1 works'
            if {on(VERSIONS[3])}; then
                echo '  ok 2 new # SKIP not here'
            else
                echo '  not ok 2 new'
            fi
            if {on(VERSIONS[4])}; then echo '  not ok 3 <newer>'; else echo '  ok 3 <newer>'; fi
            echo 'ok 1 suite'
        """
        junit = self.folder / "junit.xml"
        command = ("--", "sh", "-c", script)
        result = self.vm("test", "-k", "6.6,6.12,6.13", "--junit", junit, *command)
        self.assert_status(result, 1)
        self.assertIn(f"""

failed test     kernels
suite: <newer>   1 of 3  {name(VERSIONS[4])}
suite: new       2 of 3  {name(VERSIONS[4])}, {name(VERSIONS[2])}

""", result.stdout)
        self.assertIn("2 of 3 tests failed: suite: new, suite: <newer>", result.stdout)
        cases = {(case.get("classname"), case.get("name")): case
                 for case in self.read_junit(junit).iter("testcase")}
        self.assertEqual(len(cases), 12)
        for version, outcome in ((VERSIONS[2], "failure"), (VERSIONS[3], "skipped")):
            case = cases[f"vmtest.{ARCH}.{name(version)}", "suite: new"]
            self.assertEqual([child.tag for child in case], [outcome])
        item = self.results("-k", "6.13", *command, status=1)[name(VERSIONS[4])]
        self.assertEqual(item["tests"],
                         {"count": 3, "failed": ["suite: new", "suite: <newer>"]})

    def test_runs_are_repeated(self):
        kept = self.folder / "kept"
        kept.mkdir()
        # It fails the second time.
        script = f"""
            if {on(VERSIONS[3])}; then exit; fi
            echo >>"$1/count"
            [ "$(wc -l <"$1/count")" != 2 ] || exit 3
        """
        options = ("-k", "6.12,6.13", "--rw", kept, "--", "sh", "-c", script, "sh", kept)
        result = self.vm("test", "--repeat=3", "--shuffle=7", *options)
        self.assert_status(result, 1)
        self.assertIn("in the order of --shuffle=7\n", result.stderr)
        self.assertIn("run 3 of 3\n", result.stderr)
        self.assertRegex(result.stdout, rf"(?m)^{name(VERSIONS[3])} +passed .* 3 runs$")
        self.assertRegex(result.stdout, rf"(?m)^{name(VERSIONS[4])} +failed .* "
                         "1 of 3 runs failed: exit status 3$")
        for suffix in ("log", "2.log", "3.log"):
            self.assertTrue((self.logs / f"{name(VERSIONS[4])}.{suffix}").exists())
        # Only what has failed, until it does.
        (kept / "count").unlink()
        items = self.results("--until-failure", "--rerun-failed", *options, status=1)
        self.assertEqual(set(items), {name(VERSIONS[4])})
        item = items[name(VERSIONS[4])]
        self.assertEqual((item["runs"], item["failed_runs"]), (2, 1))
        self.assertTrue(item["log"].endswith(".2.log"))
        self.results("--rerun-failed", *options)
        result = self.vm("test", "--rerun-failed", *options)
        self.assert_status(result, 0)
        self.assertIn("nothing has failed in the last test", result.stderr)
        self.assert_one_line(self.vm("test", "--rerun-failed", "--", "true", cwd=kept),
                             1, "this project was not tested yet")

    def test_phases_are_timed(self):
        self.use_new_directory()
        item = self.results("-k", VERSIONS[0], "--", "sleep", "1")[name(VERSIONS[0])]
        phases = item["milliseconds"]
        self.assertGreater(phases["download"] + phases["unpack"], 0)
        self.assertGreater(phases["boot"], 300)
        self.assertGreaterEqual(phases["command"], 1000)

    def test_download_error_is_a_row(self):
        self.use_new_directory()
        store = self.folder / "store"
        store.mkdir()
        for version in VERSIONS[:2]:
            os.link(STORE / package(version), store / package(version))
        (store / package(VERSIONS[4])).write_bytes(b"no package")
        results = self.results("-k", f"{VERSIONS[1]},6.13", "--", "true",
                               store=store, status=1)
        self.assertEqual(results[name(VERSIONS[1])]["result"], "passed")
        self.assertEqual(results[name(VERSIONS[4])]["result"], "not run")
        self.assertIn("download", results[name(VERSIONS[4])]["reason"])

    def test_kernels_are_discarded_that_are_downloaded_for_their_test(self):
        self.use_new_directory()
        kernels = self.directory / ARCH
        download = support.run("vmtest-vm download", f"--store=dir:{STORE}",
                               f"--directory={self.directory}", "-k", "6.12")
        self.assert_status(download, 0)
        summary, workflow = self.workflow()
        summary.touch()
        module = ["--module=build", write_module(self.folder / "source")]
        for options, environment, left in (
            (["-k", "6.13", "--discard", *module], None, []),
            (["-k", "6.12,6.13"], workflow, []),
            (["-k", "6.13", "--no-discard"], workflow, [VERSIONS[4]]),
        ):
            with self.subTest(options):
                self.results(*options, "--", "true", env=environment, timeout=LIMIT)
                # The one that was there before stays.
                self.assertEqual(
                    {path.name for path in kernels.glob("kernel-*")},
                    {f"kernel-{name(version)}" for version in [VERSIONS[3], *left]})
                self.assertEqual(list(kernels.glob("module/*")), [])

    def test_splats(self):
        command = ("sh", "-c", "echo 'BUG: made up' >/dev/kmsg")
        self.results("-k", "6.13", "--", *command)
        item = self.results("-k", "6.13", "--fail-on-splat", "--", *command,
                            status=1)[name(VERSIONS[4])]
        self.assertEqual(item["reason"], "the kernel reported: BUG: made up")

    def test_one_guest_s_output_ends_only_that_guest(self):
        # Twelve splats of 100 KB would be a result of more than 1 MB.
        script = f"""
            echo 1 >/proc/sys/kernel/printk  # nothing of the kernel's comes between
            junk() {{ printf "$1"; head -c 100000 /dev/zero | tr '\\0' x; echo; }}
            if {on(VERSIONS[1])}; then yes; fi
            if {on(VERSIONS[2])}; then
                for i in 1 2 3 4 5 6 7 8 9 10 11 12; do junk '\\nBUG: '; done >/dev/console
            fi
            if {on(VERSIONS[3])}; then
                junk '\\nKernel panic - not syncing: ##[error]\\033[2J' >/dev/console
                echo o >/proc/sysrq-trigger
                sleep 60
            fi
        """
        results = self.results("-K", "-t", "200", "--output-limit=20M", "--",
                               "sh", "-c", script, status=1)
        item = results[name(VERSIONS[1])]
        self.assertEqual((item["result"], item["attempts"]), ("failed", 1))
        self.assertIn("written more than 20 MB", item["reason"])
        self.assertLess(os.stat(item["log"]).st_size, 21 << 20)
        self.assertEqual(results[name(VERSIONS[2])]["result"], "passed")
        item = results[name(VERSIONS[3])]
        self.assertEqual(item["result"], "lost")
        self.assertTrue(item["reason"].startswith(
            "Kernel panic - not syncing: ##?error]xxx"), item["reason"])
        self.assertLess(len(item["reason"]), 1000)
        self.assertEqual(results[name(VERSIONS[4])]["result"], "passed")

    def test_modules(self):
        source = self.folder / "source"
        options = ("--module=insert", write_module(source), "-k")
        item = self.results(*options, "6.13", "--", "sh", "-c",
                            'cat "$DRGN_TEST_KMOD" >/dev/null && grep empty /proc/modules'
                            )[name(VERSIONS[4])]
        self.assertGreater(item["milliseconds"]["module"], 0)
        (source / "empty.c").write_text("#error no\n")
        item = self.results(*options, "6.13", "--", "true", status=1)[name(VERSIONS[4])]
        self.assertEqual((item["result"], item["attempts"]), ("not run", 0))

    def test_interrupt(self):
        for number in (signal.SIGINT, signal.SIGTERM):
            with self.subTest(number):
                junit = self.folder / "junit.xml"
                shutil.rmtree(self.logs, ignore_errors=True)
                process = self.popen(*self.words(
                    "test", "-K", "-j3", "--junit", junit, "--", "sh", "-c",
                    f"if {on(VERSIONS[4])}; then echo done; exit 4; fi; echo up; sleep 1000"))
                ready = [self.logs / f"{name(v)}.log" for v in VERSIONS[2:]]
                self.wait_until(
                    lambda: all(p.exists() and p.stat().st_size for p in ready), LIMIT)
                result = self.logs / f"{name(VERSIONS[4])}.json"
                self.wait_until(result.exists, LIMIT)
                time.sleep(0.5)
                started = support.descendants(process.pid)
                self.assertGreaterEqual(len(started), 4)
                process.send_signal(number)
                stdout, stderr = process.communicate(timeout=30)
                self.assertEqual(process.returncode, -number, stderr)
                self.assertRegex(stdout, rf"(?m)^{name(VERSIONS[4])} +failed")
                self.assertRegex(stdout, rf"(?m)^{name(VERSIONS[2])} +interrupted")
                self.assertFalse(junit.exists())
                self.assert_all_gone(started)

    def terminal(self, *options):
        program, *words = self.words("test", *options)
        terminal = support.Terminal(support.command_line(program, words), self.folder)
        self.addCleanup(terminal.close)
        return terminal

    def test_terminal_shows_a_table(self):
        terminal = self.terminal("-k", "6.12,6.13", "--", "sh", "-c",
                                 f"sleep 2; ! {{ {on(VERSIONS[4])}; }}")
        self.assertEqual(terminal.wait(), 1, terminal.text)
        text = terminal.text
        self.assertIn("waiting", text)
        self.assertRegex(text, r"running +[1-9]\d* s")
        # The table is drawn over the one before, and gone at the end.
        self.assertIn("\033[2A\033[J", text)
        final = terminal.shown()
        self.assertRegex(final, rf"{re.escape(name(VERSIONS[3]))} +passed")
        self.assertRegex(final, rf"{re.escape(name(VERSIONS[4]))} +failed")

    def test_interrupt_on_a_terminal(self):
        kernels = [name(version) for version in VERSIONS[3:]]
        terminal = self.terminal("-k", "6.12,6.13", "-j2", "--", "sh", "-c",
                                 "echo up; sleep 1000")
        mode = termios.tcgetattr(terminal.fd)
        logs = [self.logs / f"{kernel}.log" for kernel in kernels]
        # What stands on it says so, and both commands do run.
        terminal.wait_until(lambda: terminal.shown().count(" running ") == 2)
        terminal.wait_until(lambda: all(log.read_text() == "up\n" for log in logs))
        started = support.descendants(terminal.pid)
        self.assertEqual(sum("qemu" in support.program_of(pid) for pid in started), 2)
        terminal.type("\x03")
        self.assertEqual(terminal.wait(), -signal.SIGINT, terminal.text)
        for pid in started:
            self.assertEqual(support.program_of(pid), "")

        final = terminal.shown()
        for kernel in kernels:
            self.assertEqual(len(re.findall(
                rf"(?m)^{re.escape(kernel)} +interrupted\r$", final)), 1, final)
            for suffix in ("log", "console.log"):
                self.assertGreater((self.logs / f"{kernel}.{suffix}").stat().st_size, 0)
        self.assertIn("\r\n2 interrupted\r\n", final)
        self.assertTrue(final.endswith("error: interrupted\r\n"), final)
        # It is as it was, the cursor too.
        self.assertEqual(termios.tcgetattr(terminal.fd), mode)
        self.assertLessEqual(terminal.text.rfind("\033[?25l"),
                             terminal.text.rfind("\033[?25h"))

    def test_workflow(self):
        summary, environment = self.workflow()
        summary.write_text("before\n")
        result = self.vm("test", "-k", "6.12,6.13", "--", "sh", "-c",
                         f"echo '::error::no'; ! {{ {on(VERSIONS[4])}; }}", env=environment)
        self.assert_status(result, 1)
        groups = self.groups(result.stdout)
        self.assertEqual(len(groups), 2, result.stdout)
        for title, log in groups:
            self.assertIn(" in ", title)
            self.assertIn(" of 2 kernels)", title)
            self.assertEqual(log, "?:error::no\n")
        self.assertIn(f"\n::error title={name(VERSIONS[4])}%3A failed::exit status 1\n",
                      result.stdout)
        text = summary.read_text()
        self.assertTrue(text.startswith("before\n### "))
        self.assertRegex(text, r"\| 6\.13\.1-vmtest1\.0tiny \| \*\*failed\*\* \|")
        self.assertRegex(text, r"\| 6\.12\.40-vmtest1\.0tiny \| passed \|")
        self.assertIn("```\n?:error::no\n```", text)

    def test_usage(self):
        rows = (
            (["--", "true"], "say which kernels"),
            (["-K", "-k", "6.1", "--", "true"], "choose one"),
            (["-K", "-j0", "--", "true"], "--jobs"),
            (["-K", "--kdump=some", "--", "true"], "--kdump some: use no|yes|auto"),
            (["-K", "--memory", "x", "--", "true"], "--memory"),
            (["-K", "-f", "huge", "--", "true"], "huge"),
            (["-K", "--chdir", "/no/such", "--", "true"], "/no/such"),
            (["-K", "--junit", "/usr", "--", "true"], "/usr"),
            (["-K", "--project", "/no/such", "--", "true"], "/no/such"),
        )
        for options, word in rows:
            with self.subTest(options):
                result = self.vm("test", *options)
                self.assert_one_line(result, 1 if "--project" in options else 2, word)
        result = self.vm("test", "-k", "6.12,5.4", "--", "true")
        self.assert_one_line(result, 1, "'5.4'")
        for variable, word in (("VMTEST_ARCH", "no-such"), ("VMTEST_ACCEL", "fast")):
            environment = support.environment(**{variable: word})
            result = self.vm("test", "-K", "--", "true", env=environment)
            self.assert_one_line(result, 2, word)
            # What is said there wins.
            self.assert_status(self.vm("test", "-K", "-a", "host", "--accel=tcg", "--list",
                                       env=environment), 0)
        # What test does without a command is no question of versions.
        self.assert_one_line(self.vm("bisect"), 2, "say what to run")


class ArchitecturesTest(SuiteCase):
    """Two architectures: this machine's, and its like under another name."""

    OTHER = "other"

    def setUp(self):
        super().setUp()
        ours = support.CATALOG["architectures"][ARCH]
        other = {**ours, "host_names": ["no-machine"]}
        catalog = {
            **support.CATALOG,
            "architectures": {ARCH: ours, self.OTHER: other},
            "flavors": {"tiny": support.CATALOG["flavors"]["tiny"]},
        }
        self.catalog = self.folder / "catalog.json"
        self.catalog.write_text(json.dumps(catalog))
        self.store = self.folder / "store"
        self.store.mkdir()
        for version, arch in ((VERSIONS[3], ARCH), (VERSIONS[3], self.OTHER),
                              (VERSIONS[4], self.OTHER)):
            os.link(STORE / package(version), self.store / package(version, arch))
        self.use_new_directory()

    def vm(self, command, *options, **kwargs):
        kwargs.setdefault("store", self.store)
        return super().vm(command, f"--catalog={self.catalog}", *options, **kwargs)

    def list_or_download(self, command, *words):
        return support.succeed(f"vmtest-vm {command}", f"--catalog={self.catalog}",
                               f"--store=dir:{self.store}", "-d", self.directory, *words)

    def test_kernels_of_both(self):
        junit = self.folder / "junit.xml"
        # The other is this machine's in disguise, and so can have its root.
        result = self.vm("test", "-a", "all", "-r", "/", "-k", "6.12,6.13", "-j2",
                         "--junit", junit,
                         "--", "sh", "-c", on(VERSIONS[3]))
        self.assert_status(result, 1)
        labels = [f"{name(VERSIONS[3])}.{ARCH}", f"{name(VERSIONS[4])}.{self.OTHER}",
                  f"{name(VERSIONS[3])}.{self.OTHER}"]
        table = result.stdout.split("\n\n")[0].splitlines()[1:]
        self.assertEqual([line.split()[:2] for line in table],
                         [[labels[0], "passed"], [labels[1], "failed"],
                          [labels[2], "passed"]])
        for label in labels:
            for suffix in ("log", "console.log", "json"):
                self.assertTrue((self.logs / f"{label}.{suffix}").exists(), label)
        self.assertTrue((self.directory / ARCH / f"kernel-{name(VERSIONS[3])}").exists())
        self.assertTrue((self.directory / self.OTHER / f"kernel-{name(VERSIONS[3])}").exists())
        root = self.read_junit(junit)
        self.assertEqual([(case.get("classname"), case.get("name"))
                          for case in root.iter("testcase")],
                         [(f"vmtest.{label.rsplit('.', 1)[1]}", label) for label in labels])
        # One of them needs no telling apart.
        item = self.results("-a", "foreign", "-r", "/", "-k", "6.13", "--",
                            "true")[name(VERSIONS[4])]
        self.assertEqual((item["arch"], item["result"]), (self.OTHER, "passed"))

    def test_lists_and_downloads_of_both(self):
        both = {ARCH, self.OTHER}
        for words, expected in (("", both), ("-a all", both),
                                ("-a foreign", {self.OTHER}), (f"-a {ARCH}", {ARCH})):
            said = self.list_or_download("list --json", *words.split())
            self.assertEqual({row["arch"] for row in json.loads(said)}, expected)
        said = self.list_or_download("download -q -a all -k 6.12")
        self.assertEqual(said.splitlines(),
                         [f"{self.directory}/{arch}/kernel-{name(VERSIONS[3])}"
                          for arch in (ARCH, self.OTHER)])

    def test_modules_of_both(self):
        rows = json.loads(self.list_or_download(
            "module --json -a all -k 6.12", write_module(self.folder / "source")))
        self.assertEqual([row["arch"] for row in rows], [ARCH, self.OTHER])
        self.assertEqual(len({row["path"] for row in rows}), 2)

    def test_usage(self):
        folder = self.directory / "kernel"
        for command, options, word in (
                ("test", ["-k", folder, "-a", "all"], "architecture"),
                ("bisect", ["-a", "all"], "--arch"),
                ("test", ["-K", "-a", f"{self.OTHER},vax"], "vax")):
            with self.subTest(command):
                self.assert_one_line(self.vm(command, *options, "--", "true"), 2, word)
        result = self.vm("test", "-a", "all", "-k", "6.13,6.14", "--", "true")
        self.assert_one_line(result, 1, f"'6.14' for {ARCH} or {self.OTHER}")
        result = self.vm("test", "-a", "all", "-k", "6.13", "--", "true")
        self.assert_one_line(result, 1, f"for {ARCH};")


class ProjectTest(SuiteCase):
    def test_project_says_it_all(self):
        folder = self.folder / "project"
        self.write(folder, command=["./check", "a b"], rw=["out"], cpus=1,
                   kernels=["6.6"], memory="512M", timeout=100,
                   environment={"ONE": "1 2", "TWO": None}, junit="junit.xml")
        (folder / "out").mkdir()
        check = folder / "check"
        check.write_text('#!/bin/sh\necho "$PWD,$1,$ONE,$TWO" >>out/said\n')
        check.chmod(0o755)
        expected = f"{folder},a b,1 2,3\n"
        result = self.vm("test", cwd=folder, env=support.environment(TWO="3"))
        self.assert_status(result, 0)
        self.assertIn("1 passed", result.stdout)
        self.assertEqual((folder / "out/said").read_text(), expected)
        self.assertTrue((folder / "junit.xml").exists())
        # From elsewhere, with other kernels and variables.
        result = self.vm("test", "-k", "6.12,6.13", "--project", folder / "vmtest.json",
                         "--env", "ONE=4", env=support.environment(TWO="3"))
        self.assert_status(result, 0)
        self.assertIn("2 passed", result.stdout)
        self.assertEqual((folder / "out/said").read_text(),
                         expected + 2 * expected.replace("1 2", "4"))

    def test_command_line_wins(self):
        self.write(self.folder, command=["false"], kernels=["6.6"], timeout=1,
                   fail_on_splat=True)
        self.results("--timeout=0", "--no-fail-on-splat", "--", "sh", "-c",
                     "echo 'BUG: x' >/dev/kmsg; sleep 2")
        self.assertEqual(len(self.results("-K", status=1)), 4)

    def test_what_is_known_to_be_wrong(self):
        def known(version, until, **keys):
            return {"kernels": {"min": version, "below": f"{version}.999"},
                    "reason": f"<of {version}>", "until": until, **keys}

        script = f"""
            if {on(*VERSIONS[3:])}; then echo 'BUG: made up' >/dev/kmsg; exit; fi
            ! {{ {on(*VERSIONS[1:3])}; }}
        """
        self.write(self.folder, command=["sh", "-c", script], fail_on_splat=True,
                   kernels=list(VERSIONS),
                   expect_failure=[known("6.1", "9999-12-31", flavors=["tiny"]),
                                   known("6.6", "2020-01-31")],
                   splats={"ignore": [known("6.12", "9999-12-31", pattern="BUG: *"),
                                      known("6.13", "9999-12-31", pattern="BUG: other")]})
        junit = self.folder / "junit.xml"
        result = self.vm("test", "--junit", junit)
        self.assert_status(result, 1)
        for version, words in (
                (VERSIONS[0], "passed unexpectedly .* was to fail until 9999-12-31: <of 6.1>"),
                (VERSIONS[1], "failed as expected .* exit status 1; expected until 9999"),
                (VERSIONS[2], "failed .* exit status 1; was expected until 2020-01-31: <of 6.6>"),
                (VERSIONS[3], "passed .* ignored until 9999-12-31, <of 6.12>: BUG: made up"),
                (VERSIONS[4], "failed .* the kernel reported: BUG: made up")):
            self.assertRegex(result.stdout, rf"(?m)^{re.escape(name(version))} +{words}")
        self.assertIn("\n1 passed, 1 failed as expected, 1 passed unexpectedly, 2 failed\n",
                      result.stdout)
        self.assertIn("failed on 2 of 5 kernels", result.stderr.splitlines()[-1])
        cases = {case.get("name"): case for case in self.read_junit(junit).iter("testcase")}
        self.assertIn("<of 6.1>", cases[name(VERSIONS[1])].find("skipped").get("message"))
        said = [p.get("name") for p in cases[name(VERSIONS[0])].iter("property")]
        self.assertIn("passed unexpectedly", said)
        # That is a success; but a search wants to know what fails, and not whether somebody knew.
        self.assertEqual(self.results("-k", VERSIONS[1])[name(VERSIONS[1])]["result"],
                         "failed as expected")
        result = self.vm("bisect", "-k", ",".join(VERSIONS[:2]), "--json")
        self.assert_status(result, 0)
        self.assertEqual(json.loads(result.stdout)["bad"]["kernel"], name(VERSIONS[1]))

    def test_mistakes(self):
        rows = (
            ({"expect_failure": [{"kernels": {"minimum": "6.1"}}]},
             ["expect_failure[0].kernels.minimum: unknown key; there are min, below"]),
            ({"splats": {"ignore": [{"pattern": "x", "reason": "y"}]}},
             ["splats.ignore[0].until: expected a date"]),
            ({"comand": ["true"]}, ["comand: unknown key", "command, kernels"]),
            ({"command": "true"}, ["command: expected a list of strings"]),
            ({"timeout": "1"}, ["timeout: expected a whole number"]),
        )
        for keys, words in rows:
            with self.subTest(keys):
                self.write(self.folder, **keys)
                result = self.vm("test", "-K", "--", "true")
                self.assert_one_line(result, 2, "vmtest.json", *words)


class LockTest(SuiteCase):
    def lock(self, script, *options, status=0):
        self.write(self.folder, command=["sh", "-c", script], kernels=["6.1", "6.6"])
        result = self.vm("lock", *options, store=self.store)
        self.assert_status(result, status)
        return result

    def locked(self):
        rows = json.loads((self.folder / "vmtest.lock").read_text())
        result = self.vm("test", "--locked", "--list", store=self.store)
        self.assert_status(result, 0)
        self.assertEqual(sorted(result.stdout.splitlines()),
                         sorted(f"{row['kernel']} {row['arch']}" for row in rows))
        return {row["kernel"] for row in rows}

    def test_kernels_are_locked_until_newer_ones_pass(self):
        first, second, other = VERSIONS[:3]
        self.use_new_directory()
        self.store = self.folder / "store"
        self.store.mkdir()
        for version in (first, other):
            os.link(STORE / package(version), self.store / package(version))
        self.assert_one_line(self.vm("test", "--locked", "--", "true", store=self.store),
                             1, "vmtest.lock locks no kernels; vmtest-vm lock does")
        self.lock("true")
        self.assertEqual(self.locked(), {name(first), name(other)})
        os.link(STORE / package(second), self.store / package(second))
        self.assertEqual(self.locked(), {name(first), name(other)})

        for script, words in (
                (f"! {{ {on(second)}; }}", "passed now: the kernel's change"),
                ("exit 3", "failed now, too: your change")):
            result = self.lock(script, "--update", status=1)
            self.assertIn(f"; {name(first)}, which is locked, {words}\n", result.stdout)
            self.assertNotIn(name(other), result.stdout)
            self.assertIn("failed on 1 of 1 kernels that are not locked",
                          result.stderr.splitlines()[-1])
            self.assertEqual(self.locked(), {name(first), name(other)})
        self.lock(on(second), "--update")
        self.assertEqual(self.locked(), {name(second), name(other)})

        (self.store / package(second)).unlink()
        shutil.rmtree(self.directory / ARCH)
        self.assert_one_line(self.vm("test", "--locked", store=self.store), 1,
                             "vmtest.lock: no kernel", name(second))
        (self.folder / "vmtest.lock").write_text(
            '[{"kernel": "./x", "arch": "x86_64", "sha256": ""}]')
        self.assert_one_line(self.vm("test", "--locked", store=self.store), 2,
                             "vmtest.lock: './x' is no release")
        self.assert_one_line(self.vm("lock", "-k", self.directory, store=self.store), 1,
                             str(self.directory))


class RangeTest(SuiteCase):
    def test_where_a_command_works(self):
        badge = self.folder / "badge.svg"
        result = self.vm("range", "--badge", badge, "--",
                         "sh", "-c", on(*VERSIONS[1:3]))
        self.assert_status(result, 0)
        self.assertRegex(result.stdout.splitlines()[-1],
                         rf"^{ARCH} +tiny +6\.1\.20 to 6\.6\.30 +"
                         r"up to 6\.1\.10, from 6\.12\.40 +5 of 5$")
        self.assertIn("step 5: ", result.stderr)
        svg = xml.etree.ElementTree.parse(badge).getroot()
        self.assertEqual([e.text for e in svg.iter() if e.tag.endswith("}text")],
                         ["Linux", "6.1.20 to 6.6.30"])

        # What was downloaded for it is deleted.
        self.use_new_directory()
        options = ("-k", "6.12,6.13", "--discard", "--", "sh", "-c", on(VERSIONS[4]))
        result = self.vm("range", "--json", *options)
        self.assert_status(result, 0)
        self.assertEqual(json.loads(result.stdout), [{
            "arch": ARCH, "flavor": "tiny", "kernels": 2, "tested": 2,
            "works": [{"first": name(VERSIONS[4]), "last": name(VERSIONS[4])}],
            "fails": [{"first": name(VERSIONS[3]), "last": name(VERSIONS[3])}]}])
        self.assertEqual(list(self.directory.glob(f"{ARCH}/kernel-*")), [])

    def test_markdown_and_what_cannot_be_tested(self):
        summary, environment = self.workflow()
        options = ("--markdown", "-k", "6.13", "--", "sh", "-c")
        result = self.vm("range", *options, "true", env=environment)
        self.assert_status(result, 0)
        arch = ARCH.replace("_", "\\_")
        row = f"| {arch} | tiny | all | none | 1 of 1 |"
        self.assertIn(row, result.stdout)
        self.assertIn(row, summary.read_text())
        result = self.vm("range", *options, "exit 125")
        self.assertIn(f"| {arch} | tiny | unknown | unknown | 0 of 1 |", result.stdout)
        self.assert_one_line(result, 1, "no kernel could be tested")


class BisectTest(SuiteCase):
    def test_neighbours_are_found(self):
        for place in (1, 3, 4):
            with self.subTest(place):
                good, bad = VERSIONS[place - 1], VERSIONS[place]
                result = self.vm("bisect", "--", "sh", "-c", on(*VERSIONS[:place]))
                self.assert_status(result, 0)
                self.assertEqual(
                    result.stdout,
                    f"good: {name(good)}\n      {self.logs}/{name(good)}.log\n"
                    f"bad:  {name(bad)}: exit status 1\n"
                    f"      {self.logs}/{name(bad)}.log\n")
                steps = re.findall(r"step \d+: (\S+) is (good|bad)", result.stderr)
                self.assertEqual(steps[0], (name(VERSIONS[0]), "good"))
                self.assertEqual(steps[1], (name(VERSIONS[-1]), "bad"))
                self.assertLessEqual(len(steps), 4)

    def test_kernels_that_cannot_be_tested_are_skipped(self):
        first, skipped, unbootable, bad, _ = VERSIONS
        script = f"""
            if {on(first)}; then exit 0; fi
            if {on(skipped)}; then exit 125; fi
            exit 1
        """
        folder = self.folder / "kernel"
        shutil.copytree(self.directory / ARCH / f"kernel-{name(unbootable)}", folder,
                        symlinks=True)
        for image in ("vmlinuz", "build/vmlinux"):
            (folder / image).unlink()
        result = self.vm("bisect", "--json", "-k",
                         f"{first},{skipped},{folder},{bad}", "--", "sh", "-c", script)
        self.assert_status(result, 0)
        said = json.loads(result.stdout)
        self.assertEqual(said["outcome"], "found")
        self.assertEqual((said["good"]["kernel"], said["bad"]["kernel"]),
                         (name(first), name(bad)))
        self.assertEqual([k["verdict"] for k in said["kernels"]],
                         ["good", "skipped", "skipped", "bad"])

    def test_ends_that_say_it_already(self):
        rows = (
            ("true", "never_fails", "both good"),
            ("false", "always_fails", "both bad"),
            (on(VERSIONS[-1]), "begins_to_pass", "first is bad and the last is good"),
            ("exit 125", "too_few", "fewer than two"),
        )
        for script, outcome, words in rows:
            with self.subTest(outcome):
                result = self.vm("bisect", "--json", "--", "sh", "-c", script)
                self.assert_one_line(result, 1, words)
                self.assertEqual(json.loads(result.stdout)["outcome"], outcome)

    def test_workflow(self):
        summary, environment = self.workflow()
        good, bad = VERSIONS[1], VERSIONS[2]
        options = ("--", "sh", "-c", f"echo '::error::no'; {on(*VERSIONS[:2])}")
        result = self.vm("bisect", *options, env=environment)
        self.assert_status(result, 0)
        groups = self.groups(result.stdout)
        self.assertEqual(
            [title.split(" in ")[0] for title, _ in groups],
            [f"{name(VERSIONS[0])}: passed", f"{name(VERSIONS[4])}: failed",
             f"{name(bad)}: failed", f"{name(good)}: passed"])
        for title, log in groups:
            self.assertNotIn(" of ", title)
            self.assertEqual(log, "?:error::no\n")
        # Nothing is wrong: it has been found.
        self.assertNotIn("\n::error ", result.stdout)
        self.assertIn(f"\ngood: {name(good)}\n", result.stdout)
        text = summary.read_text()
        self.assertIn(f"\n\ngood: {name(good)}; bad: {name(bad)}: exit status 1\n\n", text)
        self.assertIn("\n\n2 passed, 2 failed\n\n", text)
        self.assertIn(f"| {name(good)} | passed |", text)
        self.assertIn(f"| {name(bad)} | **failed** |", text)
        self.assertNotIn(name(VERSIONS[3]), text)

        # For another program to read.
        summary.unlink()
        result = self.vm("bisect", "--json", *options, env=environment)
        self.assert_status(result, 0)
        self.assertEqual(json.loads(result.stdout)["bad"]["kernel"], name(bad))
        self.assertIn("; bad: ", summary.read_text())

    def test_workflow_that_finds_nothing(self):
        summary, environment = self.workflow()
        result = self.vm("bisect", "--", "false", env=environment)
        self.assert_one_line(result, 1, "both bad")
        errors = re.findall(r"(?m)^::error title=vmtest-vm bisect::(.*)$", result.stdout)
        self.assertEqual(len(errors), 1, result.stdout)
        self.assertIn("both bad", errors[0])
        self.assertIn("both bad", summary.read_text())

    def test_flavors_have_no_order(self):
        store = self.folder / "store"
        store.mkdir()
        for release in (name("6.1.10"), "6.1.20-vmtest1.1default"):
            (store / f"kernel-{release}.{ARCH}.tar.zst").write_bytes(b"")
        self.use_new_directory()
        result = self.vm("bisect", "--", "true", store=store)
        self.assert_one_line(result, 2, "tiny", "default", "--flavor")

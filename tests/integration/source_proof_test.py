# SPDX-License-Identifier: LGPL-2.1-or-later
"""
What proves that a source is kernel.org's, and kernel.org as it is: what is not
signed by whom the catalog names is not built, and says nothing about a kernel; what
is not there yet is skipped; git.kernel.org fails, and its mirror does not.
"""

import json
import shutil
import time

import support
from support import environment, github_environment, mirror, run

import signer
from built_kernel import catalog_without_patches, write_source

VERSION = "6.12.117"
CANDIDATE = "7.3-rc2"
TINY = ("-a", "x86_64", "-f", "tiny")


class ProofTest(support.TestCase):
    def setUp(self):
        super().setUp()
        self.sources = {
            version: write_source(self.folder / f"linux-{version}.tar.{suffix}", version, b"a")
            for version, suffix in ((VERSION, "xz"), (CANDIDATE, "gz"))
        }
        options = [f"--source={v}={path}" for v, path in self.sources.items()]
        self.kernel_org = self.start("kernel_org.py", *options)
        self.env = environment(VMTEST_RETRY_SECONDS=0, **mirror(self.kernel_org))
        # A source that is taken fails in make.
        self.env["VMTEST_CATALOG"] = str(catalog_without_patches(self.folder / "configs"))
        self.file = self.folder / "out" / "linux.tar"

    def set_faults(self, *faults):
        self.kernel_org.control(faults=[{"count": -1, **f} for f in faults])

    def fetch(self, version=VERSION):
        return run(f"vmtest-kbuild fetch {version}", "-o", self.file, env=self.env)

    def bot(self, command, *arguments):
        options = (f"--store=dir:{self.folder / 'store'}",)
        options += tuple(support.work_options(command, self.folder / "work"))
        return run(f"vmtest-bot {command}", *arguments, *options, env=self.env)

    def paths(self):
        return [r["path"] for r in self.kernel_org.requests()]

    def assert_refused(self, word, version=VERSION):
        """By fetch, and by the bot, for which no kernel has failed."""
        self.assert_one_line(self.fetch(version), 1, version, word)
        self.assertEqual(list(self.file.parent.glob("*")), [])
        result = self.bot("run --json", "-k", version, *TINY)
        self.assert_one_line(result, 1, version, word)
        (row,) = json.loads(result.stdout)
        self.assertEqual((row["result"], row["phase"]), ("failed", "source"))
        self.assertEqual(list((self.folder / "work/sources").glob("linux-*")), [])
        # Whose page would say when it is tried again.
        self.assertNotIn("failures", self.bot("status --markdown").stdout)


class SignatureTest(ProofTest):
    def trust(self, *signers, others=()):
        """A catalog that has the keys of some, and names others."""
        configs = self.folder / f"configs-{time.monotonic_ns()}"
        path = signer.trust(catalog_without_patches(configs).parent, signers[0])
        catalog = json.loads(path.read_text())
        names = {who.fingerprint: "Somebody" for who in others or signers}
        catalog["kernel_org"]["signers"] = names
        path.write_text(json.dumps(catalog))
        self.env["VMTEST_CATALOG"] = str(path)

    def test_a_version_says_who_signed(self):
        who = f"signed by {signer.NAME}, {signer.shared().fingerprint}"
        for version in self.sources:
            with self.subTest(version):
                self.file.unlink(missing_ok=True)
                result = self.fetch(version)
                self.assert_status(result, 0)
                self.assertIn(who, result.stderr)
                # The build goes on from there, and fails by itself.
                result = self.bot("run --json", "-k", version, *TINY)
                (row,) = json.loads(result.stdout)
                self.assertEqual(row["phase"], "config", result.stderr)

    def test_another_key(self):
        stranger = signer.Signer()
        self.trust(stranger)
        for version in self.sources:
            with self.subTest(version):
                self.assert_refused("signed by a key that the catalog's keyring", version)
        # In the keyring, but not among those that count.
        self.trust(signer.shared(), others=[stranger])
        for version in self.sources:
            with self.subTest(version):
                self.assert_refused('not among the catalog\'s "signers"', version)

    def test_a_key_that_has_expired(self):
        expired = signer.Signer("20200101T000000", "2020-01-02")
        self.trust(expired)
        text = signer.sign_tarball(self.sources[VERSION], expired)
        self.set_faults({"kind": "body", "path": "tar.sign", "body": text})
        self.assert_refused("has expired")

    def test_a_byte_that_was_changed(self):
        text = signer.sign_tarball(self.sources[VERSION])
        # Its tag is made before.
        self.assert_status(self.fetch(CANDIDATE), 0)
        for path in self.file.parent.iterdir():
            path.unlink()
        for version, path in self.sources.items():
            write_source(path, version, b"b")
        self.set_faults({"kind": "body", "path": "tar.sign", "body": text})
        self.assert_refused("the signature is not that of these files")
        self.assert_refused("not those of the signed tag", CANDIDATE)

    def test_no_signature(self):
        self.set_faults({"kind": "body", "path": "tar.sign", "body": "nothing\n"})
        self.assert_refused("it is not signed")
        self.kernel_org.control(offer=[*self.sources, "7.4-rc1"])
        self.assert_refused("tag v7.4-rc1 is not signed", "7.4-rc1")

    def test_without_gpgv(self):
        self.env["PATH"] = str(self.folder)
        self.assert_one_line(self.fetch(), 1, "install the package gpgv")

    def test_a_copy_is_proven_too(self):
        self.assert_status(self.fetch(), 0)
        before = len(self.kernel_org.requests())
        words = (f"vmtest-bot build {VERSION}-vmtest1.0tiny", f"--tarball={self.file}",
                 "-o", self.folder / "package", "--result", self.folder / "result.json",
                 f"--directory={self.folder / 'work'}", "-a", "x86_64")
        self.assert_status(run(*words, env=self.env), 1)
        result = json.loads((self.folder / "result.json").read_text())
        self.assertEqual((result["outcome"], result["phase"]), ("failed", "config"))
        write_source(self.sources[VERSION], VERSION, b"b")
        self.file.write_bytes(self.sources[VERSION].read_bytes())
        self.assert_status(run(*words, env=self.env), 1)
        result = json.loads((self.folder / "result.json").read_text())
        self.assertEqual((result["outcome"], result["phase"]), ("failed", "source"))
        self.assertIn("the signature is not that of these files", result["error"])
        # What proves it lies beside it.
        self.assertEqual(len(self.kernel_org.requests()), before)

    def test_jobs_that_refuse_a_source_open_no_issue(self):
        github = self.start("github.py", "--folder", self.folder / "github")
        self.env |= github_environment(github, **mirror(self.kernel_org))
        self.trust(signer.Signer())
        release, results = f"{VERSION}-vmtest1.0tiny", self.folder / "results"
        results.mkdir()
        store, plan = "--store=github:octo/kernels@kernels", self.folder / "plan.json"
        words = ("-k", VERSION, *TINY, store, f"--output={plan}")
        self.assert_status(run("vmtest-bot plan", *words, env=self.env), 0)
        # The second time, it would be the kernel's fault.
        for _ in range(2):
            words = ("-o", self.folder / "out", f"--result={results / 'one.json'}",
                     f"--directory={self.folder / 'work'}", "-a", "x86_64")
            self.assert_status(run(f"vmtest-bot build {release}", *words, env=self.env), 1)
            words = (f"--plan={plan}", f"--results={results}", "--issues", store)
            result = run("vmtest-bot finish", *words, env=self.env)
            self.assert_one_line(result, 1, "1 of 1 kernels failed")
            self.assertIn("source failed", result.stdout)
        url = f"{github.urls['GITHUB_API_URL']}/repos/octo/kernels/issues?state=all"
        self.assertEqual(support.get_json(url), [])

    def test_a_tree_of_ones_own_is_unsigned(self):
        facts = self.folder / "work/sources"
        result = run(
            "vmtest-kbuild build", f"--tarball={self.sources[VERSION]}", "-f", "tiny",
            "-o", self.folder / "out", f"--directory={self.folder / 'work'}", env=self.env)
        self.assert_status(result, 1)
        (path,) = facts.glob("tarball-*/.vmtest-source.json")
        self.assertEqual(json.loads(path.read_text())["signature"], "unsigned")
        self.assertEqual(self.kernel_org.requests(), [])


class KernelOrgTest(ProofTest):
    """As it is."""

    def test_what_is_not_there_yet_is_skipped(self):
        for path in ("tar.xz", "tar.sign"):
            with self.subTest(path):
                self.set_faults({"kind": "status", "status": 404, "path": path})
                self.assert_one_line(self.fetch(), 75, VERSION, "does not have it yet")
                result = self.bot("run --json", "-k", VERSION, *TINY)
                self.assert_status(result, 0)
                (row,) = json.loads(result.stdout)
                self.assertEqual((row["result"], row["phase"]), ("skipped", None))
                self.assertIn("does not have it yet", row["reason"])
                self.assertNotIn("error:", result.stderr)
                self.assertNotIn("failures", self.bot("status --markdown").stdout)

    def test_a_job_whose_source_is_not_there_yet(self):
        self.set_faults({"kind": "status", "status": 404, "path": "tar.sign"})
        file = self.folder / "result.json"
        result = run(
            f"vmtest-bot build {VERSION}-vmtest1.0tiny", "-o", self.folder / "out",
            "--result", file, f"--directory={self.folder / 'work'}", "-a", "x86_64",
            env={**self.env, "GITHUB_ACTIONS": "true"})
        self.assert_status(result, 75)
        self.assertEqual(result.stdout, "")
        self.assertEqual(json.loads(file.read_text())["outcome"], "unavailable")
        self.assertIn("::notice title=", result.stderr)
        self.assertNotIn("::error", result.stderr)

    def test_tags_of_the_mirror(self):
        challenge = {"kind": "body", "body": "<html>", "type": "text/html"}
        for fault in ({"kind": "status", "status": 429}, {"kind": "close"}, challenge):
            with self.subTest(fault["kind"]):
                self.set_faults({**fault, "path": "^/pub/scm/"})
                result = run("vmtest-bot poll", env=self.env)
                self.assert_status(result, 0)
                self.assertEqual(result.stdout.split(), [CANDIDATE, VERSION])
                self.assertIn("taken from http", result.stderr)
                self.assertIn("/gregkh/linux/info/refs", self.paths())
                self.file.unlink(missing_ok=True)
                self.assert_status(self.fetch(CANDIDATE), 0)

    def test_a_snapshot_that_has_to_be_made_first(self):
        self.env["VMTEST_STALL_SECONDS"] = "5"
        self.set_faults({"kind": "late", "path": r"/t/linux-.*\.gz", "seconds": 8})
        self.assert_status(self.fetch(CANDIDATE), 0)
        self.assertEqual(len([p for p in self.paths() if p.endswith(".gz")]), 1)

    def test_a_snapshot_of_the_mirror(self):
        challenge = {"kind": "body", "body": "<html>", "type": "text/html"}
        for fault in ({"kind": "status", "status": 502}, {"kind": "truncated"},
                      {"kind": "cut_response"}, challenge):
            with self.subTest(fault["kind"]):
                self.set_faults({**fault, "path": "/torvalds/t/"})
                result = self.bot("run --json --retry", "-k", CANDIDATE, *TINY)
                (row,) = json.loads(result.stdout)
                self.assertEqual(row["phase"], "config", result.stderr)
                self.assertIn(f"/gregkh/linux/archive/refs/tags/v{CANDIDATE}.tar.gz", self.paths())
                shutil.rmtree(self.folder / "work")

    def test_a_page_is_no_damaged_tarball(self):
        page = {"kind": "body", "body": "<!doctype html>", "type": "text/html"}
        self.set_faults({**page, "path": "tar.xz"})
        result = self.fetch()
        self.assert_one_line(result, 1, VERSION, "blocked")
        self.assertNotIn("damaged", result.stderr)

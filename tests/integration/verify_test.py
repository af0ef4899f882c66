# SPDX-License-Identifier: LGPL-2.1-or-later
"""
Packages that are checked by more than the digest of their release: by an
attestation, and those that have no digest.

What stands for gh(1) takes the arguments and gives the exit statuses that GitHub
documents for `gh attestation verify`: 0 if it is verified, 1 if not, 4 without a
token. Before 2.49, it is an unknown command, before 2.51 --signer-workflow an unknown
flag, status 1.
"""

import hashlib
import json
import shutil

import support
from support import CATALOG

from packages import RELEASE, package_entries, package_name, write_package

REPOSITORY = CATALOG["repository"]
SIGNER = f"{REPOSITORY}/.github/workflows/kernel.yml"
GH = r"""
[ "$1" = attestation ] || { echo "unknown command \"$1\" for \"gh\"" >&2; exit 1; }
[ "$2" = verify ] || exit 1
case $* in *" --help") exit 0 ;; esac
[ "$#" -eq 7 ] && [ "$4" = --repo ] && [ "$6" = --signer-workflow ] || exit 1
[ -n "$GH_TOKEN$GITHUB_TOKEN" ] || { echo "gh auth login" >&2; exit 4; }
echo "$5 $7 $(sha256sum <"$3")" >>"@CALLS@"
[ "$(cat "@ATTESTED@" 2>/dev/null)" = "$7" ] && exit 0
echo "Loaded digest" >&2
echo "Error: HTTP 404: Not Found" >&2
exit 1
"""
OLD_GH = r"""
case $3 in
--signer-workflow*) echo "unknown flag: --signer-workflow" >&2; exit 1 ;;
esac
"""


class VerifyCase(support.TestCase):
    def setUp(self):
        super().setUp()
        self.github = self.start("github.py", f"--repository={REPOSITORY}")
        self.package = write_package(self.folder / package_name(), package_entries())
        self.store = f"github:{REPOSITORY}@{CATALOG['tag']}"
        self.kernels = self.folder / "kernels"
        self.environment = {
            "GITHUB_API_URL": self.github.urls["GITHUB_API_URL"],
            "GITHUB_TOKEN": "read-token",
        }

    def publish(self):
        command = f"vmtest-bot publish --no-page --store={self.store}"
        support.succeed(command, self.package, env=support.github_environment(self.github))

    def vm(self, command, *options, **variables):
        env = support.environment(**{**self.environment, **variables})
        return support.run(f"vmtest-vm {command} -k 6.12 -d", self.kernels, *options,
                           env=env)

    def left(self):
        """All but logs, which test makes."""
        found = self.kernels.glob("[!l]*/*")
        return [path.name for path in found if path.is_dir()]

    def assert_downloaded(self, result):
        self.assert_status(result, 0)
        self.assertEqual(self.left(), [f"kernel-{RELEASE}"])
        shutil.rmtree(self.kernels)


class AttestationTest(VerifyCase):
    def setUp(self):
        super().setUp()
        self.publish()
        self.calls = self.folder / "calls"
        self.attested = self.folder / "attested"
        script = GH.replace("@CALLS@", str(self.calls))
        self.use_gh(script.replace("@ATTESTED@", str(self.attested)))
        self.catalog = self.folder / "catalog.json"
        self.catalog.write_text(json.dumps({**CATALOG, "attested": True}))

    def use_gh(self, script):
        self.environment["PATH"] = self.path_with({"gh": script})

    def called(self):
        """How often it was, each time with the whole package."""
        lines = self.calls.read_text().splitlines() if self.calls.exists() else []
        digest = hashlib.sha256(self.package.read_bytes()).hexdigest()
        self.assertEqual(set(lines) - {f"{REPOSITORY} {SIGNER} {digest}  -"}, set())
        self.calls.unlink(missing_ok=True)
        return len(lines)

    def test_a_package_is_verified_once(self):
        self.attested.write_text(SIGNER)
        for _ in range(2):
            result = self.vm("download", "--verify", f"--store={self.store}")
            self.assert_status(result, 0)
        self.assertEqual(self.called(), 1)
        self.assertEqual(self.left(), [f"kernel-{RELEASE}"])

    def test_another_workflow_of_the_repository_cannot_vouch(self):
        workflow = support.TOP / SIGNER.removeprefix(f"{REPOSITORY}/")
        self.assertIn("uses: actions/attest@", workflow.read_text())
        self.attested.write_text(f"{REPOSITORY}/.github/workflows/ci.yml")
        result = self.vm("download", "--verify", f"--store={self.store}")
        self.assert_one_line(result, 1, package_name(), SIGNER, "HTTP 404: Not Found")
        self.assertEqual(self.called(), 1)
        self.assertEqual(self.left(), [])

    def test_what_is_not_attested_is_refused(self):
        for command in ("download", "module", "run"):
            with self.subTest(command):
                result = self.vm(command, "--verify", f"--store={self.store}")
                status = 125 if command == "run" else 1
                self.assert_one_line(result, status, package_name(), REPOSITORY,
                                     "HTTP 404: Not Found", "--no-verify")
                self.assertEqual(self.called(), 1)
                self.assertEqual(self.left(), [])
        result = self.vm("test", "--verify", f"--store={self.store}", "--", "true")
        self.assert_status(result, 1)
        self.assertIn("HTTP 404: Not Found", result.stderr)
        self.assertEqual(self.called(), 1)
        self.assert_downloaded(self.vm("download", f"--store={self.store}"))
        self.assertEqual(self.called(), 0)

    def test_without_a_program_for_it(self):
        (self.folder / "empty").mkdir()
        verify = ("download", f"--store={self.store}", "--verify")
        default = ("download", f"--catalog={self.catalog}")
        for path, words in ((self.folder / "empty", "there is no gh"),
                            (self.path_with({"gh": OLD_GH}), "gh is too old")):
            with self.subTest(words):
                self.assert_one_line(self.vm(*verify, PATH=path), 1, words, "2.51")
                self.assertEqual(self.left(), [])
                result = self.vm(*default, PATH=path, GITHUB_ACTIONS="true")
                self.assertIn(f"warning: {package_name()} is not verified: {words}",
                              result.stderr)
                self.assert_downloaded(result)

    def test_in_actions_the_catalog_says_whether_its_store_is_attested(self):
        self.attested.write_text(SIGNER)
        catalog = f"--catalog={self.catalog}"
        plain = self.folder / "plain.json"
        plain.write_text(json.dumps(CATALOG))
        other = self.folder / "other.json"
        other.write_text(json.dumps({**CATALOG, "attested": True, "tag": "other"}))
        for options, actions, count in (
            ([catalog], "true", 1),
            ([catalog, f"--store={self.store}"], "true", 1),
            ([catalog], "", 0),
            ([catalog, "--no-verify"], "true", 0),
            ([f"--catalog={plain}"], "true", 0),
            # Another's store may have none.
            ([f"--catalog={other}", f"--store={self.store}"], "true", 0),
        ):
            with self.subTest(options=options, actions=actions):
                result = self.vm("download", *options, GITHUB_ACTIONS=actions)
                self.assert_downloaded(result)
                self.assertEqual(self.called(), count)

    def test_no_verify_is_for_all_kernels(self):
        options = (f"--catalog={self.catalog}", "--no-verify", "--", "true")
        self.vm("test", *options, GITHUB_ACTIONS="true")
        self.assertEqual(self.called(), 0)


class DigestTest(VerifyCase):
    def test_what_has_no_digest_is_refused_unless_asked_for(self):
        self.github.control(digests_dropped=True)
        self.publish()
        options = ("download", f"--store={self.store}")
        self.assert_one_line(self.vm(*options), 1, package_name(), "no digest",
                             "--allow-unverified")
        self.assertEqual(self.left(), [])
        result = self.vm("test", f"--store={self.store}", "--", "true")
        self.assertIn("no digest", result.stderr)
        self.assert_downloaded(self.vm(*options, "--allow-unverified"))
        result = self.vm("test", f"--store={self.store}", "--allow-unverified", "--", "true")
        self.assertNotIn("no digest", result.stderr)
        self.assertIn(f"kernel-{RELEASE}", self.left())

    def test_a_directory_needs_none(self):
        store = self.folder / "store"
        store.mkdir()
        shutil.copy(self.package, store)
        result = self.vm("download", "--verify", f"--store=dir:{store}")
        self.assert_downloaded(result)

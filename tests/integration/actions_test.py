# SPDX-License-Identifier: LGPL-2.1-or-later
"""The bot as steps of a GitHub Actions workflow run it, one command each."""

import hashlib
import io
import json
import re
import signal
import subprocess
import tarfile

import support
import signer
from built_kernel import catalog_without_patches, put_package, write_source
from support import BIN, environment, mirror, run

TOKEN = "write-token"


def parse_outputs(text):
    """What the runner reads from the file of GITHUB_OUTPUT."""
    outputs = {}
    lines = iter(text.splitlines())
    for line in lines:
        name, separator, value = line.partition("=")
        if "<<" in name or not separator:
            name, _, end = line.partition("<<")
            value = "\n".join(iter(lambda: next(lines), end))
        outputs[name] = value
    return outputs


class ActionsTest(support.TestCase):
    """A repository whose release is the store, and steps in it."""

    def setUp(self):
        super().setUp()
        self.github = self.start(
            "github.py",
            *("--folder", self.folder / "github"),
            *("--exchanges", self.folder / "exchanges"),
            *("--token", f"{TOKEN}:write", "--token", "contents-token:contents"),
            *("--token", "reading-token:read"),
        )
        self.kernel_org = self.start("kernel_org.py")
        self.outputs = {}
        self.summary = ""

    def step(self, *arguments, env=None, **options):
        """Run a command of the bot, which has a token."""
        output, summary = self.folder / "output", self.folder / "summary"
        output.write_text("")
        summary.write_text("")
        variables = {
            "GITHUB_ACTIONS": "true",
            "GITHUB_REPOSITORY": "octo/kernels",
            "GITHUB_API_URL": self.github.urls["GITHUB_API_URL"],
            "GITHUB_SERVER_URL": "https://github.example",
            "GITHUB_RUN_ID": "4711",
            "GITHUB_OUTPUT": output,
            "GITHUB_STEP_SUMMARY": summary,
            "GITHUB_TOKEN": TOKEN,
            **mirror(self.kernel_org),
            **(env or {}),
        }
        command, *arguments = arguments
        env = environment(**{k: v for k, v in variables.items() if v is not None})
        words = (*arguments, *support.work_options(command, self.folder / "work"))
        result = run(f"vmtest-bot {command}", *words, env=env, **options)
        self.outputs = parse_outputs(output.read_text())
        self.summary = summary.read_text()
        self.assert_hidden(variables["GITHUB_TOKEN"], result)
        return result

    def assert_hidden(self, token, result):
        """The runner takes the line that masks it out."""
        stderr = result.stderr.replace(f"::add-mask::{token}\n", "", 1)
        for text in (result.stdout, stderr, str(self.outputs), self.summary):
            self.assertNotIn(token, text)

    def annotations(self, result, level="error"):
        """(title, message) of each."""
        return re.findall(rf"(?m)^::{level} title=(.*?)::(.*)$", result.stderr)


class PlanTest(ActionsTest):
    def offer(self, *versions):
        self.kernel_org.control(offer=versions)

    def test_outputs_and_summary(self):
        self.offer("6.12.117", "6.1.50", "7.3-rc2")
        result = self.step("plan --github-output -a x86_64 -f tiny,default")
        self.assert_status(result, 0)
        self.assertTrue(result.stderr.startswith(f"::add-mask::{TOKEN}\n"))
        items = json.loads(self.outputs["matrix"])["include"]
        names = ("release", "version", "series", "arch", "flavor")
        first = ("7.3.0-rc2-vmtest1.1default", "7.3-rc2", "7.3", "x86_64", "default")
        self.assertEqual(items[0], dict(zip(names, first)))
        said = [f"{item['release']} {item['arch']}" for item in items]
        self.assertEqual(said, result.stdout.splitlines())
        versions = [v["version"] for v in json.loads(self.outputs["versions"])["include"]]
        self.assertEqual(versions, ["7.3-rc2", "6.12.117", "6.1.50"])
        self.assertEqual(self.outputs["count"], "6")
        self.assertIn("### 6 kernels to build", self.summary)
        self.assertRegex(self.summary, r"(?m)^\| 6\.12 \| 6\.12\.117 \| \|")
        self.assertIn("github:octo/kernels@vmtest-assets", self.summary)

    def test_what_is_left_out_is_said_everywhere(self):
        self.offer("6.12.117", "6.1.50", "7.3-rc2")
        plan = self.folder / "plan.json"
        result = self.step("plan --github-output --limit=2 -a x86_64 -f tiny,default -o", plan)
        self.assert_status(result, 0)
        self.assertEqual(self.outputs["count"], "2")
        document = json.loads(plan.read_text())
        self.assertEqual(document["left_out"], 4)
        matrix = json.loads(self.outputs["matrix"])
        self.assertEqual(document["include"], matrix["include"])
        self.assertIn("4 more kernels are left", self.summary)
        self.assertIn("4 more kernels are left", result.stderr)
        ((_, message),) = self.annotations(result, "notice")
        self.assertIn("4 more kernels", message)

    def test_nothing_to_do(self):
        self.offer("4.4.302")
        result = self.step("plan --github-output")
        self.assert_status(result, 0)
        self.assertEqual(self.outputs["matrix"], '{"include":[]}')
        self.assertEqual(self.outputs["versions"], '{"include":[]}')
        self.assertEqual(self.outputs["count"], "0")
        self.assertIn("### Nothing to build", self.summary)

    def test_outside_of_a_workflow_outputs_are_wrong_usage(self):
        outside = {"GITHUB_ACTIONS": None, "GITHUB_OUTPUT": None}
        result = self.step("plan --github-output --store=dir:/tmp/x", env=outside)
        self.assert_one_line(result, 2, "GITHUB_OUTPUT")
        self.assertEqual(self.summary, "")
        self.assertNotIn("::", result.stderr.replace("dir::", ""))

    def test_a_failure_is_annotated(self):
        self.offer("6.12.117")
        result = self.step("plan", env={"GITHUB_REPOSITORY": "octo/missing"})
        self.assert_one_line(result, 1, "404")
        ((title, message),) = self.annotations(result)
        self.assertEqual(title, "vmtest-bot")
        self.assertIn("404", message)


class PrepareTest(ActionsTest):
    def prepare(self, **env):
        plan = self.folder / "plan.json"
        plan.write_text('{"include": []}')
        words = (f"--plan={plan}", "--github-output")
        return self.step("prepare", *words, env=env)

    def set_github(self, **flags):
        known = {"immutable": False, "issues": True, "private": False}
        self.github.control(repositories={"octo/kernels": {**known, **flags}})

    def releases(self):
        url = self.github.urls["GITHUB_API_URL"]
        return support.get_json(f"{url}/repos/octo/kernels/releases")

    def test_a_release_is_made_once_and_nothing_is_left_in_it(self):
        # What was made, and put, does not show for a while.
        self.github.control(unseen_seconds=2)
        for _ in range(2):
            self.assert_status(self.prepare(), 0)
            (release,) = self.releases()
            self.assertEqual(release["assets"], [])
        posts = [r["path"] for r in self.github.requests(method="POST", endpoint="api")]
        self.assertEqual(posts, ["/repos/octo/kernels/releases"])
        self.assertEqual(self.outputs, {"attest": "true"})

    def test_what_forbids_to_write_is_named(self):
        rule = {"kind": "status", "status": 422, "method": "POST", "path": "/releases$",
                "body": '{"message": "Repository rule violations found"}'}
        for env, flags, faults, word in (
            ({"GITHUB_TOKEN": "reading-token"}, {}, [], "contents: write"),
            ({"GITHUB_TOKEN": "nonsense"}, {}, [], "the token is wrong"),
            ({"VMTEST_STORE": "github:octo/missing@kernels"}, {}, [], "404"),
            ({}, {}, [rule], "rules do not let the token make this tag"),
            ({}, {"immutable": True}, [], "use another tag"),
        ):
            with self.subTest(word):
                self.set_github(**flags)
                self.github.control(faults=faults)
                self.assert_one_line(self.prepare(**env), 1, word)

    def test_a_private_repository_says_that_it_cannot_attest(self):
        self.set_github(private=True)
        result = self.prepare()
        self.assert_status(result, 0)
        self.assertEqual(self.outputs, {"attest": "false"})
        ((_, message),) = self.annotations(result, "notice")
        self.assertIn("VMTEST_ATTEST", message)
        result = self.prepare(VMTEST_ATTEST="yes")
        self.assertEqual(self.outputs, {"attest": "true"})
        self.assertEqual(self.annotations(result, "notice"), [])


class BuildTest(ActionsTest):
    """One job: a package of the test's kernel, without building it."""

    def setUp(self):
        super().setUp()
        self.catalog = catalog_without_patches(self.folder / "configs")
        self.package = support.package()
        self.release = support.release()
        self.version = self.release.partition("-")[0]
        path = self.folder / f"linux-{self.version}.tar.xz"
        self.tarball = signer.write_proof(write_source(path, self.version))
        self.out = self.folder / "out"
        self.result_file = self.out / "result.json"

    def words(self):
        return (
            *(f"--tarball={self.tarball}", f"--catalog={self.catalog}"),
            *(f"--output={self.out}", f"--result={self.result_file}"),
        )

    def build(self, *arguments, release=None):
        return self.step(f"build {release or self.release}", *self.words(), *arguments)

    def result(self):
        return json.loads(self.result_file.read_text())

    def put_package(self, **options):
        options["catalog"] = self.catalog
        return put_package(self.package, self.folder / "work", self.tarball, BIN, **options)

    def assert_failed(self, result, phase, error, log):
        """And in the result is why."""
        self.assert_status(result, 1)
        self.assertEqual(result.stdout, "")
        found = self.result()
        self.assertEqual((found["outcome"], found["phase"]), ("failed", phase))
        self.assertIsNone(found["sha256"])
        self.assertEqual(list(self.out.glob("kernel-*")), [])
        self.assertIn(str(error), found["error"])
        self.assertIn(log, found["log"])
        ((title, message),) = self.annotations(result)
        self.assertEqual(title, f"{found['release']} for x86_64%3A {phase} failed")
        self.assertEqual(message.partition("%0A")[0], found["error"])

    def test_a_package_that_boots(self):
        release, arch = self.put_package()
        result = self.build("-a", arch)
        self.assert_status(result, 0)
        package = self.out / self.package.name
        self.assertEqual(result.stdout, f"{package}\n")
        digest = hashlib.sha256(self.package.read_bytes()).hexdigest()
        self.assertEqual(hashlib.sha256(package.read_bytes()).hexdigest(), digest)
        result_file = self.result()
        self.assertGreater(result_file.pop("seconds")["boot"], 0.1)
        self.assertRegex(result_file.pop("compiler"), r"^\d+\.\d+\.\d+$")
        expected = dict.fromkeys(("phase", "error", "log"))
        expected |= {"release": release, "version": self.version, "arch": arch}
        expected |= {"series": ".".join(self.version.split(".")[:2]), "flavor": "tiny"}
        expected |= {"outcome": "built", "lost_options": []}
        expected |= {"size": package.stat().st_size, "sha256": digest}
        self.assertEqual(result_file, expected)
        self.assertTrue((self.out / "build.log").is_file())
        group = rf"(?m)^::group::{re.escape(release)} for {arch}\n::stop-commands::\w+$"
        self.assertRegex(result.stderr, group)
        self.assertRegex(result.stderr, r"(?m)^::\w+::\n::endgroup::$")
        # Nothing was asked for, and nothing is left.
        self.assertEqual(self.kernel_org.requests(), [])
        self.assertEqual(self.github.requests(), [])
        self.assertEqual(list((self.folder / "work/packages").iterdir()), [])

    def test_a_source_that_cannot_be_built(self):
        log = self.out / "build.log"
        result = self.build()
        self.assert_failed(result, "config", log, "this source cannot be built")
        found = self.result()["log"]
        self.assertIn(found, log.read_text())
        self.assertLessEqual(len(found.splitlines()), 40)
        ((_, message),) = self.annotations(result)
        self.assertTrue(message.endswith(found.replace("\n", "%0A")))

    def test_a_package_that_does_not_boot(self):
        release = self.release.replace("vmtest1.0", "vmtest1.0.7")
        self.put_package(release=release)
        self.assert_failed(self.build(release=release), "boot", self.release, "init.sh")
        self.assertEqual(list((self.folder / "work").glob(".boot.*")), [])

    def with_broken_modules(self):
        """A copy of the package in which each module ends too early."""
        packed = subprocess.check_output(["zstd", "-dcq", self.package])
        written = io.BytesIO()
        with (
            tarfile.open(fileobj=io.BytesIO(packed)) as source,
            tarfile.open(fileobj=written, mode="w") as target,
        ):
            for member in source:
                data = source.extractfile(member).read() if member.isreg() else b""
                if member.name.endswith(".ko"):
                    data = data[:100]
                    member.size = len(data)
                target.addfile(member, io.BytesIO(data))
        copy = self.folder / self.package.name
        subprocess.run(["zstd", "-1qo", copy], input=written.getvalue(), check=True)
        return copy

    def test_modules_that_the_kernel_refuses(self):
        self.package = self.with_broken_modules()
        self.put_package()
        self.assert_failed(self.build(), "boot", "insert a module", "")

    def test_no_source(self):
        self.tarball.unlink()
        self.assert_failed(self.build(), "source", self.tarball, "")
        self.assertEqual(self.result()["log"], "")

    def test_without_a_tarball_it_is_downloaded(self):
        kernel_org = self.start("kernel_org.py", f"--source={self.version}={self.tarball}")
        release, arch = self.put_package()
        words = (f"--catalog={self.catalog}", f"--output={self.out}")
        result = self.step(f"build {release}", *words, env=mirror(kernel_org))
        self.assert_status(result, 0)
        self.assertTrue((self.out / self.package.name).is_file())
        self.assertEqual(
            [r["path"] for r in kernel_org.requests() if ".tar." in r["path"]],
            [f"/pub/linux/kernel/v6.x/linux-{self.version}.tar.{s}" for s in ("sign", "xz")],
        )

    def test_an_interrupt_says_nothing_about_the_kernel(self):
        self.put_package()
        directory = f"--directory={self.folder / 'work'}"
        command = f"vmtest-bot build {self.release}"
        process = self.popen(command, *self.words(), directory)
        log = self.out / "build.log"
        self.wait_until(lambda: log.exists() and log.stat().st_size)
        process.send_signal(signal.SIGTERM)
        self.assertEqual(process.wait(timeout=300), -signal.SIGTERM)
        self.assertFalse(self.result_file.exists())

    def test_wrong_usage(self):
        release, output = "6.12.117-vmtest1.0", ("-o", self.out)
        for arguments, word in (
            ([], "name one release to build"),
            ([f"{release}tiny"], "--output"),
            (["6.12.117", *output], "6.12.117"),
            ([f"{release}default", *output], "1.1default"),
            ([f"{release}huge", *output], "tiny"),
            ([f"{release}tiny", *output, "-a", "vax"], "vax"),
            ([f"{release}bpf", *output, "-a", "arm"], "only for x86_64, aarch64 from 5.10"),
            ([f"{release}tiny", *output, "-a", "x86_64,arm"], "--arch"),
        ):
            with self.subTest(arguments=arguments):
                self.assert_one_line(self.step("build", *arguments), 2, word)
        self.assertFalse(self.out.exists())


class RunTest(ActionsTest):
    """All of it in one step."""

    def test_each_kernel_folds_and_failures_are_annotated(self):
        kernel_org = self.start_kernel_org("6.11.11", "6.12.117")
        catalog = f"--catalog={catalog_without_patches(self.folder / 'configs')}"
        result = self.step("run -f tiny -a x86_64", catalog, env=mirror(kernel_org))
        self.assert_status(result, 1)
        rows = [line.split()[0:4:3] for line in result.stdout.splitlines()[1:]]
        groups = re.findall(
            r"(?ms)^::group::(.*?)\n::stop-commands::(\w+)\n(.*?)^::\2::\n::endgroup::$",
            result.stderr,
        )
        releases = ["6.12.117-vmtest1.0tiny", "6.11.11-vmtest1.0tiny"]
        titles = [title for title, _, _ in groups]
        self.assertEqual(titles, [f"{r} for x86_64" for r in releases])
        self.assertEqual(rows, [[release, "failed"] for release in releases])
        for _, _, log in groups:
            self.assertIn("this source cannot be built", log)
        titles = [title for title, _ in self.annotations(result)]
        self.assertEqual(titles, [f"{r} for x86_64%3A config failed" for r in releases])
        self.assertIn("### Kernels: 0 built, 2 failed", self.summary)
        for release in releases:
            self.assertRegex(self.summary, rf"(?m)^\| {release} .*\*\*config failed\*\*.*its log is")

    def test_what_a_server_says_need_not_be_utf8_where_it_is_cut(self):
        kernel_org = self.start_kernel_org("6.12.117")
        message = json.dumps({"message": "x" + 200 * "é"})
        fault = {"kind": "status", "status": 451, "body": message, "path": "\\.tar\\.xz"}
        kernel_org.control(faults=[{**fault, "count": -1}])
        env = {**mirror(kernel_org), "VMTEST_RETRY_SECONDS": "0"}
        result = self.step("run -f tiny -a x86_64 --json", env=env)
        self.assert_status(result, 1)
        (row,) = json.loads(result.stdout)
        self.assertEqual((row["result"], row["phase"]), ("failed", "source"))
        self.assertIn("HTTP 451: xé", row["reason"])

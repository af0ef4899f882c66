# SPDX-License-Identifier: LGPL-2.1-or-later
"""
What the programs and makefiles of a package can do on the host, when a module is
built with them.
"""

import shutil
import socket
import subprocess

import support
from caller import CallerCase, each_caller
from module_test import write_source

# How long the daemon sleeps says which one it is.
DAEMON = "98765.4321"

# Says `did` of what it can do, and `tried` of what it cannot.
ATTACK = r"""
try() {
    name=$1
    shift
    if "$@" >/dev/null 2>&1; then echo "did: $name"; else echo "tried: $name"; fi >&2
}
try "read a secret" cat "@HOME@/.ssh/id"
try "read it by a link" sh -c 'ln -sf "@HOME@/.ssh/id" "$TMPDIR/l" && cat "$TMPDIR/l"'
try "list a home" ls "@HOME@"
try "write to a home" touch "@HOME@/new"
try "change a home" sh -c 'echo >>"@HOME@/.ssh/id"'
try "delete" rm -f "@HOME@/.ssh/id"
try "write to the cache" touch "@HOME@/cache/new"
try "write to the package" touch "@KERNEL@/new"
try "write to the source" touch "@HOME@/hello/new"
try "write to /tmp" mkdir "/tmp/vmtest-@PORT@"
try "see a token" sh -c 'env | grep -q a-secret-token'
try "see another's environment" sh -c 'cat /proc/[0-9]*/environ | grep -q a-secret-token'
try "signal" kill -0 @PID@
try "connect" python3 -c '
import socket
import subprocess
socket.create_connection(("127.0.0.1", @PORT@))'
try "connect to a socket" python3 -c '
import socket
import subprocess
socket.socket(socket.AF_UNIX).connect("@HOME@/socket")'
setsid sleep @DAEMON@ >/dev/null 2>&1 </dev/null &
""".replace("@DAEMON@", DAEMON)


def daemons():
    found = []
    for pid in support.descendants(1):
        try:
            with open(f"/proc/{pid}/cmdline", encoding="utf-8") as file:
                found += [pid] if DAEMON in file.read() else []
        except OSError:
            pass
    return found


class PackageTest(CallerCase):
    def prepare(self):
        """A home with a secret, a source, and a package."""
        self.source = write_source(self.folder / "hello")
        secret = self.folder / ".ssh/id"
        secret.parent.mkdir()
        secret.write_text("secret\n")
        # Links, where the cache is on the same file system.
        self.package = self.folder / "kernel"
        command = ["cp", "-a", support.kernel(), self.package]
        if subprocess.run([*command, "-l"], stderr=subprocess.DEVNULL, check=False).returncode:
            shutil.rmtree(self.package, ignore_errors=True)
            subprocess.run(command, check=True)
        listener = socket.create_server(("127.0.0.1", 0))
        named = socket.socket(socket.AF_UNIX)
        named.bind(str(self.folder / "socket"))
        named.listen()
        for server in (listener, named):
            self.addCleanup(server.close)
        (self.folder / "socket").chmod(0o777)
        (self.folder / "cache").mkdir()
        self.attack = self.folder / "kernel/build/attack"
        text = ATTACK
        for name, value in (("HOME", self.folder), ("KERNEL", self.package),
                            ("PORT", listener.getsockname()[1]), ("PID", "1")):
            text = text.replace(f"@{name}@", str(value))
        self.attack.write_text(text)
        for path in (secret, secret.parent, self.source, self.folder / "cache", self.package):
            shutil.chown(path, self.uid)

    def wrap(self, program):
        """The program attacks first, and then does its work."""
        path = self.package / "build" / program
        path.rename(f"{path}.real")
        path.write_text(f'#!/bin/sh\n. "{self.attack}"\nexec "$0.real" "$@"\n')
        path.chmod(0o755)

    def build(self):
        options = {"env": support.environment(HOME=self.folder, SECRET="a-secret-token",
                                              GITHUB_TOKEN="a-secret-token")}
        cache = self.folder / "cache"
        return self.call("vmtest-vm module --module-source", self.source, "-k",
                         self.package, "-d", cache, **options)

    def assert_harmless(self):
        result = self.build()
        self.assert_status(result, 0)
        (log,) = (self.folder / "cache").glob("*/module/*/*/*/build.log")
        lines = log.read_text().splitlines()
        self.assertEqual([line for line in lines if line.startswith("did: ")], [])
        tried = {line for line in lines if line.startswith("tried: ")}
        self.assertEqual(len(tried), ATTACK.count("\ntry "), lines)
        self.assertEqual((self.folder / ".ssh/id").read_text(), "secret\n")
        self.assertEqual(daemons(), [])

    def attack_from(self, program):
        self.prepare()
        self.wrap(program)
        self.assert_harmless()

    @each_caller
    def test_fixdep(self):
        self.attack_from("scripts/basic/fixdep")

    @each_caller
    def test_modpost(self):
        self.attack_from("scripts/mod/modpost")

    @each_caller
    def test_makefile(self):
        self.prepare()
        makefile = self.package / "build/Makefile"
        text = makefile.read_text()
        makefile.unlink()
        makefile.write_text(f"$(shell . {self.attack} >&2)\n{text}")
        self.assert_harmless()

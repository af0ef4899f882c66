# SPDX-License-Identifier: LGPL-2.1-or-later
"""What a package is held to before it is published: it boots, and takes its modules."""

import io
import subprocess
import tarfile

import support
from built_kernel import catalog_without_patches, put_package, write_source
from support import BIN


class BootTest(support.TestCase):
    def with_broken_modules(self, package):
        """A copy of the package in which each module ends too early."""
        packed = subprocess.check_output(["zstd", "-dcq", package])
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
        copy = self.folder / package.name
        subprocess.run(["zstd", "-1qo", copy], input=written.getvalue(), check=True)
        return copy

    def test_modules_that_the_kernel_refuses(self):
        release = support.release()
        version = release.partition("-")[0]
        catalog = catalog_without_patches(self.folder / "configs")
        tarball = write_source(self.folder / f"linux-{version}.tar.xz", version)
        package = self.with_broken_modules(support.package())
        put_package(package, self.folder / "cache", tarball, BIN, catalog=catalog)
        result = support.run(
            f"vmtest-bot build {release}",
            *(f"--tarball={tarball}", f"--catalog={catalog}"),
            *(f"--output={self.folder / 'out'}", f"--directory={self.folder / 'cache'}"),
        )
        self.assert_one_line(result, 1, f"boot test of {release}: ", "insert a module")
        self.assertEqual(list((self.folder / "out").glob("*.zst")), [])

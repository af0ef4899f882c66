// SPDX-License-Identifier: LGPL-2.1-or-later

/** @file Reads versions, releases and packages' names; what is read is written back. */

#include <stdlib.h>

#include "common/base/cleanup.h"
#include "common/kernel/release.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct kernel_version version;
	struct release release, again;
	char arch[ARCH_SIZE];
	char text[RELEASE_TEXT_SIZE];
	_cleanup_free_ char *name = fuzz_text(data, size);

	kernel_version_parse(name, &version);
	package_name_parse(name, &release, arch);
	release_matches("6.12.117-vmtest1.1default", name);
	if (release_parse(name, &release)) {
		release_format(&release, text);
		if (!release_parse(text, &again) ||
		    release_compare(&release, &again) != 0)
			abort();
	}
	return 0;
}

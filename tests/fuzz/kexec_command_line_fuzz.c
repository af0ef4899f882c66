// SPDX-License-Identifier: LGPL-2.1-or-later

/** @file Makes a crash kernel's command line from any other. */

#include <stdlib.h>
#include <string.h>

#include "common/base/cleanup.h"
#include "tests/fuzz/fuzz.h"
#include "vm/crash/kexec_command_line.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_free_ char *text = fuzz_text(data, size);

	for (int i = 0; text && i < 2; i++) {
		_cleanup_free_ char *line =
			kexec_command_line(text, i, i ? text : NULL);

		if (!line || strchr(line, '\0')[-1] == ' ')
			abort();
	}
	return 0;
}

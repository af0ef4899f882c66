// SPDX-License-Identifier: LGPL-2.1-or-later

/**
 * @file
 *
 * Makes text fit to be shown: what comes out stays as it is the second time,
 * moves no terminal, and is no workflow command.
 */

#include <stdlib.h>
#include <string.h>

#include "common/base/memory.h"
#include "common/base/text.h"
#include "tests/fuzz/fuzz.h"

static void check(const char *text, size_t size)
{
	if (strlen(text) != size || strpbrk(text, "\033\r\b\a\x7f") ||
	    strstr(text, "##[") || strncmp(text, "::add-mask::", 12) == 0 ||
	    strstr(text, "\n::add-mask::"))
		abort();
}

static void make_in_place(char *text, char *(*make)(char *text))
{
	_cleanup_free_ char *once = make(text);
	_cleanup_free_ char *twice = make(string_copy(once));

	check(once, strlen(once));
	if (strcmp(once, twice) != 0)
		abort();
}

static char *make_line(char *text)
{
	return text_make_line(text, '?');
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_string_builder_ struct string_builder once = { 0 };
	_cleanup_string_builder_ struct string_builder twice = { 0 };

	text_append_plain(&once, (const char *)data, size);
	text_append_plain(&twice, once.text ? once.text : "", once.length);
	if (once.length != twice.length ||
	    (once.length && memcmp(once.text, twice.text, once.length) != 0))
		abort();
	check(once.text ? once.text : "", once.length);
	make_in_place(fuzz_text(data, size), text_make_safe);
	make_in_place(fuzz_text(data, size), make_line);
	return 0;
}

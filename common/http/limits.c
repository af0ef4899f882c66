// SPDX-License-Identifier: LGPL-2.1-or-later

#include "common/http/http.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/error.h"
#include "common/base/log.h"

enum {
	DAY_S = 86400
};

/** @p ret is left alone if the variable is not set, or empty. */
static struct error *read_seconds(const char *name, unsigned long min_s,
				  uint64_t *ms_ret)
{
	const char *text = getenv(name);
	size_t digits;
	unsigned long seconds = DAY_S + 1;

	if (!text || !*text)
		return NULL;
	digits = strspn(text, "0123456789");
	if (digits && digits < 9 && !text[digits])
		seconds = strtoul(text, NULL, 10);
	if (seconds < min_s || seconds > DAY_S)
		return error_create(ERROR_USAGE,
				    "%s: '%s' is not a number of seconds from %lu to %d",
				    name, text, min_s, DAY_S);
	*ms_ret = seconds * 1000;
	return NULL;
}

struct error *limits_read(struct limits *ret)
{
	struct error *err;
	struct limits limits = {
		.retry_ms = 300000,
		.stall_ms = 60000,
		.silence_ms = LOG_SILENCE_MS,
	};

	err = read_seconds("VMTEST_RETRY_SECONDS", 0, &limits.retry_ms);
	if (!err)
		err = read_seconds("VMTEST_STALL_SECONDS", 1, &limits.stall_ms);
	if (!err)
		err = read_seconds("VMTEST_SILENCE_SECONDS", 1,
				   &limits.silence_ms);
	if (err)
		return err;
	*ret = limits;
	return NULL;
}

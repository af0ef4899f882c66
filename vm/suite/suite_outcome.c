// SPDX-License-Identifier: LGPL-2.1-or-later

#include "vm/suite/suite_outcome.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/base/error.h"
#include "common/base/file.h"
#include "common/base/memory.h"
#include "common/base/system.h"
#include "common/process/process.h"
#include "vm/guest/run_result.h"
#include "vm/suite/log_text.h"
#include "vm/suite/suite.h"

enum {
	RESULT_LIMIT_BYTES = 1 << 20,
};

static void describe_status(const struct process_status *status, char *text,
			    size_t size)
{
	if (status->signal)
		snprintf(text, size, "vmtest-vm was killed by signal %d",
			 status->signal);
	else
		snprintf(text, size, "vmtest-vm ended with status %d",
			 status->exit_status);
}

/** The child's own words: the last line of its log. */
static struct error *explain_by_log(struct suite_item *item,
				    const struct process_status *status)
{
	struct error *err;

	static const char prefix[] = "vmtest-vm: error: ";
	_cleanup_free_ char *line = NULL;
	char fallback[64];
	const char *text;

	describe_status(status, fallback, sizeof(fallback));
	err = log_text_tail(item->log_path, 1, 4096, &line);
	if (err)
		return err;
	line[strcspn(line, "\n")] = '\0';
	text = strncmp(line, prefix, strlen(prefix)) == 0 ? line + strlen(prefix)
							  : line;
	suite_item_explain(item, "%s", *text ? text : fallback);
	return NULL;
}

/** Read what `download --json` has printed of its one kernel. */
static struct error *read_download(struct suite_item *item, int output_fd)
{
	char text[16384];
	ssize_t size = pread(output_fd, text, sizeof(text), 0);
	json_t *json, *download;
	const char *path;

	if (size < 0)
		return error_create_os(errno, "read what was downloaded");
	json = json_loadb(text, (size_t)size, 0, NULL);
	download = json_array_get(json, 0);
	path = json_string_value(json_object_get(download, "path"));
	item->path = string_copy(path);
	item->phase_ms[SUITE_DOWNLOAD] = (uint64_t)json_integer_value(
		json_object_get(download, "download_ms"));
	item->phase_ms[SUITE_UNPACK] = (uint64_t)json_integer_value(
		json_object_get(download, "unpack_ms"));
	json_decref(json);
	return NULL;
}

struct error *suite_outcome_of_download(struct suite_item *item,
					const struct process_status *status,
					int output_fd)
{
	struct error *err;

	if (!status->exit_status && !status->signal) {
		err = read_download(item, output_fd);
		if (err)
			return err;
	}
	item->state = item->path ? SUITE_WAITING : SUITE_NOT_RUN;
	return item->path ? NULL : explain_by_log(item, status);
}

struct error *suite_outcome_of_module(struct suite_item *item,
				      const struct process_status *status)
{
	item->needs_module = false;
	item->phase_ms[SUITE_MODULE] = monotonic_ms() - item->since_ms;
	item->state = SUITE_WAITING;
	if (!status->exit_status && !status->signal)
		return NULL;
	item->state = SUITE_NOT_RUN;
	return explain_by_log(item, status);
}

/** A run that left no result was killed, or did not get so far. */
static struct error *conclude_without_result(struct suite_item *item,
					     const struct process_status *status)
{
	char text[64];
	const struct run_result result = {
		.outcome = RUN_LOST,
		.reason = text,
	};

	if (!status->signal) {
		item->state = SUITE_NOT_RUN;
		return explain_by_log(item, status);
	}
	describe_status(status, text, sizeof(text));
	return suite_item_conclude(item, &result);
}

struct error *suite_outcome_of_run(struct suite_item *item,
				   const struct process_status *status,
				   const char *result_path)
{
	struct error *err;

	_cleanup_free_ char *text = NULL;
	_cleanup_run_result_ struct run_result result = { 0 };

	err = file_read(result_path, RESULT_LIMIT_BYTES, &text, NULL);
	if (error_catch(&err, ERROR_NOT_FOUND))
		return conclude_without_result(item, status);
	if (!err)
		err = run_result_parse(text, result_path, &result);
	if (err)
		return err;
	return suite_item_conclude(item, &result);
}

// SPDX-License-Identifier: LGPL-2.1-or-later

#include "vm/suite/suite_outcome.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/base/error.h"
#include "common/base/file.h"
#include "common/base/json.h"
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

static struct error *read_download_item(const struct value *value, void *ret)
{
	static const struct value_row rows[] = {
		VALUE_REQUIRED("path", value_copy, struct suite_item, path),
		VALUE_NUMBER("download_ms", 0, INT64_MAX, struct suite_item,
			     phase_ms[SUITE_DOWNLOAD]),
		VALUE_NUMBER("unpack_ms", 0, INT64_MAX, struct suite_item,
			     phase_ms[SUITE_UNPACK]),
	};

	return value_read(value, rows, array_size(rows), ret);
}

/** Read what `download --json` has printed of its one kernel. */
static struct error *read_download(struct suite_item *item, int output_fd)
{
	struct error *err;
	char text[16384];

	ssize_t size = pread(output_fd, text, sizeof(text), 0);
	if (size < 0)
		return error_create_os(errno, "read what was downloaded");
	_cleanup_value_ struct value document = { 0 };
	err = value_parse(text, (size_t)size, "what was downloaded",
			  ERROR_OTHER, &document);
	if (err)
		return err;
	const struct value download = value_item(&document, 0);
	return read_download_item(&download, item);
}

struct error *suite_outcome_of_download(struct suite_item *item,
					const struct process_status *status,
					int output_fd)
{
	item->state = SUITE_NOT_RUN;
	if (status->exit_status || status->signal)
		return explain_by_log(item, status);
	_cleanup_error_ struct error *err = read_download(item, output_fd);
	if (err)
		suite_item_explain(item, "%s", error_message(err));
	else
		item->state = SUITE_WAITING;
	return NULL;
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

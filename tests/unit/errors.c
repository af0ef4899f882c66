// SPDX-License-Identifier: LGPL-2.1-or-later

#include "tests/unit/errors.h"

#include <signal.h>
#include <string.h>
#include <unistd.h>

#include <criterion/criterion.h>

#include "common/archive/archive.h"
#include "common/base/text.h"

void expect_success(struct error *err)
{
	cr_assert_null(err, "%s", err ? error_message(err) : "");
}

void expect_failure(struct error *err, const char *words)
{
	cr_assert(err, "no error: %s", words);
	const char *message = error_message(err);
	cr_expect(strstr(message, words), "no '%s' in: %s", words, message);
	for (const char *p = message; *p; p++)
		cr_expect((unsigned char)*p >= ' ', "%s", message);
	error_destroy(err);
}

bool expect_outcome(struct error *err, const char *words)
{
	if (words)
		expect_failure(err, words);
	else
		expect_success(err);
	return !words;
}

void expect_kind(struct error *err, enum error_kind kind, const char *words)
{
	cr_expect(error_is(err, kind), "%s", words);
	expect_failure(err, words);
}

void terminate_soon(void)
{
	const pid_t pid = getpid();

	if (fork() != 0)
		return;
	usleep(200000);
	kill(pid, SIGTERM);
	_exit(0);
}

struct error *expect_stream(struct stream *stream, const char *text)
{
	struct error *err;
	_cleanup_stream_ struct stream *open = stream;
	_cleanup_string_builder_ struct string_builder sb = { 0 };
	const void *data;
	size_t size;

	do {
		err = stream_read(open, &data, &size);
		if (err)
			return err;
		string_builder_append_n(&sb, data, size);
	} while (size);
	cr_expect_str_eq(sb.text ? sb.text : "", text);
	return NULL;
}

// SPDX-License-Identifier: LGPL-2.1-or-later

// The functions themselves are defined here.
#undef VMTEST_ANALYZER
#include "common/base/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct error {
	enum error_kind kind;
	int errnum;
	char *message;
};

static struct error no_memory = {
	.kind = ERROR_OTHER,
	.message = (char *)"out of memory",
};

/** Takes the message, which may be NULL if there was no memory for it. */
static struct error *error_assemble(enum error_kind kind, int errnum,
				    char *message)
{
	struct error *err;

	if (!message)
		return &no_memory;
	err = malloc(sizeof(*err));
	if (!err) {
		free(message);
		return &no_memory;
	}
	err->kind = kind;
	err->errnum = errnum;
	err->message = message;
	return err;
}

_printf_(1, 0) static char *format_message(const char *format, va_list ap)
{
	char *message;

	if (vasprintf(&message, format, ap) < 0)
		return NULL;
	return message;
}

struct error *error_create(enum error_kind kind, const char *format, ...)
{
	va_list ap;
	char *message;

	va_start(ap, format);
	message = format_message(format, ap);
	va_end(ap);
	return error_assemble(kind, 0, message);
}

struct error *error_create_os(int errnum, const char *format, ...)
{
	_cleanup_free_ char *context = NULL;
	char *message;
	va_list ap;

	va_start(ap, format);
	context = format_message(format, ap);
	va_end(ap);
	if (!context ||
	    asprintf(&message, "%s: %s", context, strerrordesc_np(errnum)) < 0)
		message = NULL;
	return error_assemble(ERROR_OS, errnum, message);
}

struct error *error_no_memory(void)
{
	return &no_memory;
}

struct error *error_wrap(struct error *err, const char *format, ...)
{
	_cleanup_free_ char *context = NULL;
	char *message;
	va_list ap;

	if (!err || err == &no_memory)
		return err;
	va_start(ap, format);
	context = format_message(format, ap);
	va_end(ap);
	// Without memory for more context, the bare cause is worth more.
	if (!context || asprintf(&message, "%s: %s", context, err->message) < 0)
		return err;
	free(err->message);
	err->message = message;
	return err;
}

bool error_catch(struct error **err, enum error_kind kind)
{
	if (!error_is(*err, kind))
		return false;
	error_destroy(*err);
	*err = NULL;
	return true;
}

bool error_is(const struct error *err, enum error_kind kind)
{
	return err && err->kind == kind;
}

int error_errno(const struct error *err)
{
	return err->errnum;
}

const char *error_message(const struct error *err)
{
	return err->message;
}

void error_destroy(struct error *err)
{
	if (!err || err == &no_memory)
		return;
	free(err->message);
	free(err);
}

// SPDX-License-Identifier: LGPL-2.1-or-later

// The functions themselves are defined here.
#undef VMTEST_ANALYZER
#include "common/base/error.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/memory.h"
#include "common/base/text.h"

struct error {
	enum error_kind kind;
	char *message;
};

/** Takes the message, in which there may be any text from elsewhere. */
static struct error *error_assemble(enum error_kind kind, char *message)
{
	struct error *err = memory_allocate(1, sizeof(*err));

	*err = (struct error){ kind, text_hide_credentials(
					     text_make_line(message, '?')) };
	return err;
}

struct error *error_create(enum error_kind kind, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	char *message = string_vformat(format, ap);
	va_end(ap);
	return error_assemble(kind, message);
}

struct error *error_create_os(int errnum, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	_cleanup_free_ char *context = string_vformat(format, ap);
	va_end(ap);
	return error_assemble(ERROR_OS, string_format("%s: %s", context,
						      strerrordesc_np(errnum)));
}

struct error *error_wrap(struct error *err, const char *format, ...)
{
	va_list ap;

	if (!err)
		return err;
	va_start(ap, format);
	_cleanup_free_ char *context = string_vformat(format, ap);
	va_end(ap);
	char *message = string_format("%s: %s", context, err->message);
	free(err->message);
	err->message = text_hide_credentials(text_make_line(message, '?'));
	return err;
}

void error_keep_first(struct error **first, struct error *err)
{
	if (*first)
		error_destroy(err);
	else
		*first = err;
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

const char *error_message(const struct error *err)
{
	return err->message;
}

void error_destroy(struct error *err)
{
	if (!err)
		return;
	free(err->message);
	free(err);
}

// SPDX-License-Identifier: LGPL-2.1-or-later

#include "common/kernel/libgit.h"

#include <git2.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "common/base/error.h"
#include "common/base/interrupt.h"
#include "common/base/memory.h"

struct error *libgit_open(void)
{
	int code = git_libgit2_init();

	return code < 0 ? libgit_error(code, "start libgit2") : NULL;
}

void libgit_close(void)
{
	git_libgit2_shutdown();
}

struct error *libgit_error(int code, const char *format, ...)
{
	const git_error *last = git_error_last();
	_cleanup_free_ char *reason = NULL;
	enum error_kind kind = ERROR_OTHER;
	struct error *err;
	va_list ap;

	if (last && last->klass == GIT_ERROR_NOMEMORY)
		memory_exhausted();
	// A server's messages pass through libgit2;
	// ours are one line.
	reason = string_copy(last && last->message ? last->message
						   : "libgit2 gives no reason");
	reason[strcspn(reason, "\r\n")] = '\0';

	va_start(ap, format);
	_cleanup_free_ char *context = string_vformat(format, ap);
	va_end(ap);

	err = interrupt_check();
	if (err)
		return error_wrap(err, "%s", context);
	if (code == GIT_ENOTFOUND)
		kind = ERROR_NOT_FOUND;
	else if (last &&
		 (last->klass == GIT_ERROR_NET || last->klass == GIT_ERROR_HTTP))
		kind = ERROR_RETRY;
	return error_create(kind, "%s: %s", context, reason);
}

// SPDX-License-Identifier: LGPL-2.1-or-later

#include "common/kernel/compiler.h"

#include <stdlib.h>

#include "common/base/error.h"
#include "common/kernel/version.h"
#include "common/process/process.h"

enum {
	VERSION_LIMIT_BYTES = 64,
	/** For a program that answers at once, if it can. */
	PROBE_LIMIT_MS = 30000,
};

void compiler_deinit(struct compiler *compiler)
{
	free(compiler->prefix);
	free(compiler->program);
	free(compiler->version);
	free(compiler->directory);
	free(compiler->url);
	*compiler = (struct compiler){ 0 };
}

struct error *compiler_probe(struct compiler *compiler)
{
	struct error *err;
	// -dumpversion alone is the major version only, where Debian built it.
	const char *const arguments[] = {
		compiler->program,
		"-dumpfullversion",
		"-dumpversion",
		NULL,
	};
	const struct process_options options = {
		.arguments = arguments,
		.timeout_ms = PROBE_LIMIT_MS,
	};
	_cleanup_free_ char *version = NULL;
	struct kernel_version parsed;

	if (!process_program_exists(compiler->program))
		return NULL;
	err = process_capture(&options, VERSION_LIMIT_BYTES, &version);
	if (err)
		return err;
	if (!kernel_version_parse(version, &parsed))
		return error_create(ERROR_OTHER,
				    "%s says that its version is '%s'",
				    compiler->program, version);
	free(compiler->version);
	compiler->version = take_ptr(version);
	return NULL;
}

struct error *compiler_prove(const struct compiler *compiler)
{
	const char *const arguments[] = {
		compiler->program, "-x", "c",	      "-c",
		"/dev/null",	   "-o", "/dev/null", NULL,
	};
	const struct process_options options = {
		.arguments = arguments,
		.timeout_ms = PROBE_LIMIT_MS,
	};

	return process_run(&options);
}

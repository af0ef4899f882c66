// SPDX-License-Identifier: LGPL-2.1-or-later

#include "vm/kernel/attestation.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "common/base/error.h"
#include "common/base/memory.h"
#include "common/base/text.h"
#include "common/process/process.h"

enum {
	TAIL_BYTES = 4096,
	HELP_LIMIT_MS = 30000,
	/** It asks GitHub, and for the keys of those who sign. */
	VERIFY_LIMIT_MS = 300000,
};

static const char *const environment[] = {
	"GH_NO_UPDATE_NOTIFIER=1",
	"GH_PROMPT_DISABLED=1",
	"NO_COLOR=1",
	NULL,
};

struct error *attestation_find_program(void)
{
	// An option that it does not know is an error, whatever follows.
	static const char *const arguments[] = {
		"gh",	  "attestation", "verify", "--signer-workflow=-",
		"--help", NULL
	};
	_cleanup_close_ int null_fd = open("/dev/null", O_WRONLY | O_CLOEXEC);
	_cleanup_error_ struct error *err = process_run(&(struct process_options){
		.arguments = arguments,
		.environment = environment,
		.stdout_fd = &null_fd,
		.stderr_fd = &null_fd,
		.timeout_ms = HELP_LIMIT_MS,
	});

	if (!err || error_is(err, ERROR_CANCELLED))
		return take_ptr(err);
	return error_create(
		ERROR_NOT_FOUND,
		"%s; install GitHub's gh, 2.51 or later, from https://cli.github.com",
		process_program_exists("gh")
			? "gh is too old to verify which workflow has made a file"
			: "there is no gh");
}

struct error *attestation_verify(const char *path, const char *repository)
{
	struct error *err;

	_cleanup_free_ char *workflow =
		string_format("%s/" ATTESTATION_WORKFLOW, repository);
	const char *const arguments[] = {
		"gh",	    "attestation",	 "verify", path, "--repo",
		repository, "--signer-workflow", workflow, NULL,
	};
	_cleanup_free_ char *log = string_format("%s.log", path);
	_cleanup_close_ int fd =
		open(log, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0)
		return error_create_os(errno, "open %s", log);
	err = process_run(&(struct process_options){
		.arguments = arguments,
		.environment = environment,
		.keeps_tokens = true,
		.stdout_fd = &fd,
		.stderr_fd = &fd,
		.timeout_ms = VERIFY_LIMIT_MS,
	});
	if (!err || error_is(err, ERROR_CANCELLED))
		return err;
	_cleanup_free_ char *tail = output_tail(log, 1, TAIL_BYTES);
	tail[strcspn(tail, "\n")] = '\0';
	_cleanup_free_ char *reason =
		string_copy(*tail ? tail : error_message(err));
	error_destroy(err);
	return error_create(ERROR_OTHER,
			    "gh does not find that %s has made it: %s; --no-verify takes it nevertheless",
			    workflow, reason);
}

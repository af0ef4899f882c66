// SPDX-License-Identifier: LGPL-2.1-or-later

#include "vm/guest/evidence.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "common/base/error.h"
#include "common/base/file.h"
#include "common/base/log.h"
#include "common/base/memory.h"
#include "common/base/system.h"
#include "common/kernel/catalog.h"
#include "common/process/process.h"
#include "common/process/sandbox.h"
#include "vm/crash/dump.h"
#include "vm/guest/guest_internal.h"
#include "vm/kernel/kernel.h"
#include "vm/qemu/monitor.h"

enum {
	/** Of memory that is kept, and of what is only to be looked at. */
	DUMP_LIMIT_MS = 600000,
	EXAMINE_DUMP_LIMIT_MS = 60000,
	DRGN_LIMIT_MS = 60000,
	REPORT_LIMIT_BYTES = 256 << 10,
	/** Dumps of one kernel in a directory. */
	NAME_LIMIT = 1000,
};

enum {
	WHEN_LOST,
	WHEN_TIMEOUT,
	WHEN_SPLAT,
	WHEN_ALWAYS,
};

const char *const evidence_words[] = {
	[WHEN_LOST] = "lost",
	[WHEN_TIMEOUT] = "timeout",
	[WHEN_SPLAT] = "splat",
	[WHEN_ALWAYS] = "always",
	NULL,
};

void evidence_deinit(struct evidence *evidence)
{
	cleanup_directory(&evidence->directory);
	cleanup_close(&evidence->lock_fd);
}

bool evidence_is_asked(const struct string_list *words,
		       enum run_outcome outcome, bool has_splats)
{
	const bool holds[] = {
		[WHEN_LOST] = outcome == RUN_LOST,
		[WHEN_TIMEOUT] = outcome == RUN_TIMED_OUT,
		[WHEN_SPLAT] = has_splats,
		[WHEN_ALWAYS] = true,
	};

	for (size_t i = 0; i < array_size(holds); i++) {
		if (holds[i] && string_list_contains(words, evidence_words[i]))
			return true;
	}
	return false;
}

/** Of a guest that panicked, hung, or took too long; where drgn can read it. */
static bool is_worth_a_look(const struct guest_config *config,
			    const struct lifecycle *lifecycle,
			    enum run_outcome outcome,
			    const struct console *console)
{
	_cleanup_free_ char *vmlinux =
		dump_find_vmlinux(config->qemu.kernel->path);
	struct statvfs room;
	bool hangs = lifecycle->cause == CAUSE_BOOT ||
		     lifecycle->cause == CAUSE_DRAIN;

	if (outcome != RUN_TIMED_OUT &&
	    (outcome != RUN_LOST || (!hangs && !console->panic)))
		return false;
	// It is compressed, but who knows.
	return vmlinux && qemu_has_vmcoreinfo(&config->qemu) &&
	       process_program_exists("drgn") &&
	       statvfs(config->disk_directory, &room) == 0 &&
	       room.f_bavail * room.f_frsize > qemu_memory_bytes(&config->qemu);
}

static struct error *open_new(const char *directory, const char *name,
			      char **path_ret, int *fd_ret)
{
	*path_ret = path_join(directory, name);
	*fd_ret = open(*path_ret, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	return *fd_ret < 0 ? error_create_os(errno, "make %s", *path_ret) : NULL;
}

static struct error *write_core(struct evidence *evidence,
				const struct guest_config *config,
				struct monitor *monitor)
{
	struct error *err;

	uint64_t limit_ms = evidence->is_asked ? DUMP_LIMIT_MS
					       : EXAMINE_DUMP_LIMIT_MS;
	_cleanup_free_ char *stream = NULL;
	_cleanup_free_ char *core = NULL;
	_cleanup_close_ int stream_fd = -1;
	_cleanup_close_ int core_fd = -1;
	err = open_new(evidence->directory, "stream", &stream, &stream_fd);
	if (!err)
		err = open_new(evidence->directory, DUMP_CORE, &core, &core_fd);
	bool is_flat = false;
	if (!err)
		err = monitor_dump(monitor, stream_fd, evidence->is_asked,
				   monotonic_ms() + limit_ms, &is_flat);
	if (err)
		return err;
	if (!is_flat && rename(stream, core) < 0)
		return error_create_os(errno, "rename %s", stream);
	if (!is_flat)
		return NULL;
	if (lseek(stream_fd, 0, SEEK_SET) < 0)
		return error_create_os(errno, "read %s", stream);
	err = dump_unflatten(stream_fd, core_fd, config->qemu.kernel->release);
	unlink(stream);
	return err;
}

struct error *evidence_take(struct evidence *evidence,
			    const struct guest_config *config,
			    const struct lifecycle *lifecycle,
			    const struct console *console,
			    struct monitor *monitor)
{
	struct error *err;
	// Before that is decided, the guest has ended by itself.
	const enum run_outcome outcome =
		lifecycle->state >= LIFECYCLE_FLUSH  ? lifecycle->outcome
		: lifecycle->state == LIFECYCLE_DUMP ? RUN_TIMED_OUT
						     : RUN_LOST;

	if (evidence->directory || monitor->fd < 0)
		return NULL;
	evidence->is_asked =
		evidence_is_asked(&config->dump, outcome, console->splat_count);
	evidence->is_examined =
		is_worth_a_look(config, lifecycle, outcome, console);
	if (!evidence->is_asked && !evidence->is_examined)
		return NULL;
	snprintf(evidence->qemu, sizeof(evidence->qemu), "%s", monitor->version);

	const char *parent = evidence->is_asked ? config->dump_directory
						: config->disk_directory;
	_cleanup_free_ char *prefix = string_format("vmtest-dump-%u", geteuid());

	err = directory_remove_stale(parent, prefix);
	if (!err || error_is(err, ERROR_NOT_FOUND)) {
		error_destroy(err);
		err = directory_create_temporary(parent, prefix,
						 &evidence->directory,
						 &evidence->lock_fd);
	}
	if (!err)
		err = write_core(evidence, config, monitor);
	if (error_is(err, ERROR_CANCELLED))
		return err;
	evidence->is_whole = !err;
	if (err && evidence->is_asked)
		log_warning("--dump: %s", error_message(err));
	else if (err)
		log_debug("drgn is not asked: %s", error_message(err));
	error_destroy(err);
	return NULL;
}

static struct error *run_drgn(const struct evidence *evidence,
			      const struct guest_config *config, char **ret)
{
	struct error *err;

	const char *kernel = config->qemu.kernel->path;
	_cleanup_free_ char *core = path_join(evidence->directory, DUMP_CORE);
	_cleanup_free_ char *vmlinux = dump_find_vmlinux(kernel);
	_cleanup_directory_ char *scratch =
		path_join(evidence->directory, "scratch");
	_cleanup_free_ char *script = NULL;
	err = data_path("report.py", &script);
	if (!err)
		err = directory_create(scratch);
	if (err)
		return err;
	const char *const begin[] = { "drgn", "-q", "--no-default-symbols",
				      "-c",   core, "-s",
				      vmlinux };
	_cleanup_string_list_ struct string_list words = { 0 };
	_cleanup_string_list_ struct string_list readable = { 0 };
	for (size_t i = 0; i < array_size(begin); i++)
		string_list_add(&words, begin[i]);
	string_list_add(&readable, core);
	string_list_add(&readable, vmlinux);
	string_list_add(&readable, script);
	if (config->module) {
		string_list_add(&readable, config->module);
		string_list_add(&words, "-s");
		string_list_add(&words, config->module);
	}
	string_list_add(&words, script);
	return sandbox_capture(&words, &readable, scratch, DRGN_LIMIT_MS,
			       REPORT_LIMIT_BYTES, ret);
}

void evidence_examine(const struct evidence *evidence,
		      const struct guest_config *config,
		      struct run_result *result)
{
	_cleanup_free_ char *text = NULL;
	struct string_builder sb = { 0 };

	if (!evidence->is_whole || !evidence->is_examined)
		return;
	_cleanup_error_ struct error *err = run_drgn(evidence, config, &text);

	if (err) {
		log_debug("drgn cannot read the guest's memory: %s",
			  error_message(err));
		return;
	}
	text_append_plain(&sb, text, strlen(text));
	string_builder_append_char(&sb, '\n');
	result->report = string_builder_take(&sb);
}

static struct error *write_info(const struct evidence *evidence,
				const struct guest_config *config,
				const struct run_result *result)
{
	const struct kernel *kernel = config->qemu.kernel;
	const struct dump_info info = {
		.vmtest = (char *)VMTEST_VERSION,
		.qemu = (char *)evidence->qemu,
		.release = (char *)kernel->release,
		.arch = (char *)config->qemu.arch->name,
		.kernel = kernel->path,
		.module = (char *)config->module,
		.reason = result->reason,
		.splats = result->splats,
		.directory = (char *)config->invocation_directory,
		.words = *config->invocation,
	};
	_cleanup_free_ char *path = path_join(evidence->directory, DUMP_REPORT);
	struct error *err = NULL;

	if (result->report)
		err = file_write(path, result->report, strlen(result->report));
	return err ? err : dump_info_write(&info, evidence->directory);
}

/** Give it the first name that is free: `RELEASE.dump`, `RELEASE.2.dump`. */
static struct error *rename_directory(const struct evidence *evidence,
				      const struct guest_config *config,
				      char **path_ret)
{
	const char *release = config->qemu.kernel->release;

	for (unsigned int i = 1; i < NAME_LIMIT; i++) {
		_cleanup_free_ char *number = string_format(".%u", i);
		_cleanup_free_ char *path = path_joinf(config->dump_directory,
						       "%s%s.dump", release,
						       i > 1 ? number : "");

		if (renameat2(AT_FDCWD, evidence->directory, AT_FDCWD, path,
			      RENAME_NOREPLACE) == 0) {
			*path_ret = take_ptr(path);
			return NULL;
		}
		if (errno != EEXIST)
			return error_create_os(errno, "make %s", path);
	}
	return error_create(ERROR_OTHER, "%s has %d dumps of %s already",
			    config->dump_directory, NAME_LIMIT, release);
}

void evidence_keep(struct evidence *evidence, const struct guest_config *config,
		   struct run_result *result)
{
	if (!evidence->is_whole || !evidence->is_asked)
		return;
	_cleanup_error_ struct error *err = write_info(evidence, config, result);

	if (!err)
		err = rename_directory(evidence, config, &result->dump);
	if (err)
		log_warning("--dump: %s", error_message(err));
	else
		free(take_ptr(evidence->directory));
}

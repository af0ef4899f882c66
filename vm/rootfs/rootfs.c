// SPDX-License-Identifier: LGPL-2.1-or-later

#include "vm/rootfs/rootfs.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/archive/archive.h"
#include "common/base/error.h"
#include "common/base/file.h"
#include "common/base/json.h"
#include "common/base/log.h"
#include "common/base/memory.h"
#include "common/base/progress.h"
#include "common/base/system.h"
#include "common/base/text.h"
#include "common/cache/cache.h"
#include "common/kernel/catalog.h"
#include "common/process/process.h"

enum {
	/** Of mmdebstrap's log, for people to read. */
	TAIL_LINES = 15,
	TAIL_BYTES = 32 << 10,
	/** For mmdebstrap to clean up after itself: in a hurry, and at leisure. */
	STOP_LIMIT_MS = 10000,
	CLEAN_LIMIT_MS = 300000,
	STAMP_LIMIT_BYTES = 1 << 20,
};

static const char prefix[] = "rootfs";

/** In a root: what it was made from. */
static const char stamp_name[] = "etc/vmtest-rootfs.json";

/** One root that is being made. */
struct rootfs_making {
	const struct rootfs_request *request;
	/** Directory of the architecture. */
	const char *parent;
	const char *log_path;
	/** Contents of the stamp. */
	const char *stamp;
};

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/** What a root is made from, in one form. */
static char *format_stamp(const struct rootfs_request *request)
{
	const struct string_list *packages = request->packages;
	_cleanup_string_list_ struct string_list sorted = { 0 };

	for (size_t i = 0; i < packages->count; i++) {
		if (!string_list_contains(&sorted, packages->items[i]))
			string_list_add(&sorted, packages->items[i]);
	}
	if (sorted.count)
		qsort(sorted.items, sorted.count, sizeof(*sorted.items),
		      compare_names);
	return json_text(json_pack("{s:s, s:s, s:o}", "debian_arch",
				   request->arch->debian_arch, "suite",
				   request->arch->debian_suite, "packages",
				   strings_json(&sorted)),
			 JSON_INDENT(2));
}

struct error *rootfs_open(const char *directory, const struct catalog_arch *arch,
			  struct cache_entry **ret)
{
	struct error *err;

	*ret = NULL;
	if (catalog_arch_is_host(arch))
		return NULL;
	_cleanup_free_ char *path =
		path_joinf(directory, "%s/%s", arch->name, prefix);
	err = cache_hold(path, ret);
	if (err)
		return err;
	if (!*ret)
		return error_create(ERROR_NOT_FOUND,
				    "%s guests need a root of their own, and there is none in %s; make one with: vmtest-vm rootfs -a %s -d %s",
				    arch->name, path, arch->name, directory);
	cache_touch(*ret);
	return NULL;
}

/** Whether the root is as it would be made. */
static struct error *making_check(void *arg, const char *path, bool *good_ret)
{
	struct error *err;

	const struct rootfs_making *making = arg;
	_cleanup_free_ char *stamp = path_join(path, stamp_name);
	_cleanup_free_ char *text = NULL;

	err = file_read(stamp, STAMP_LIMIT_BYTES, &text, NULL);
	*good_ret = !err && strcmp(text, making->stamp) == 0;
	error_catch(&err, ERROR_NOT_FOUND);
	return err;
}

static void add_arguments(const struct rootfs_making *making, bool is_root,
			  struct string_list *ret)
{
	const struct rootfs_request *request = making->request;

	string_list_add(ret, "mmdebstrap");
	string_list_add(ret, is_root ? "--mode=root" : "--mode=unshare");
	string_list_add(ret, "--format=tar");
	string_list_add(ret, "--variant=essential");
	string_list_addf(ret, "--arch=%s", request->arch->debian_arch);
	for (size_t i = 0; i < request->packages->count; i++)
		string_list_addf(ret, "--include=%s",
				 request->packages->items[i]);
	string_list_add(ret, "--aptopt=Acquire::Retries \"3\"");
	// What a test does not read takes a tenth of the space.
	string_list_add(ret, "--dpkgopt=path-exclude=/usr/share/doc/*");
	string_list_add(ret, "--dpkgopt=path-exclude=/usr/share/locale/*");
	string_list_add(ret, "--dpkgopt=path-exclude=/usr/share/man/*");
	string_list_add(ret, request->arch->debian_suite);
	string_list_add(ret, "-");
	if (request->mirror)
		string_list_add(ret, request->mirror);
}

static struct error *spawn(const struct rootfs_making *making,
			   const char *temporary, bool is_root,
			   struct process **ret)
{
	const char *given = getenv("TMPDIR");
	// The other users of a user namespace cannot enter all of our directories.
	_cleanup_free_ char *variable =
		string_format("TMPDIR=%s", is_root	     ? temporary
					   : given && *given ? given
							     : "/var/tmp");
	_cleanup_string_list_ struct string_list arguments = { 0 };
	add_arguments(making, is_root, &arguments);
	_cleanup_close_ int log_fd =
		open(making->log_path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC,
		     0666);
	if (log_fd < 0)
		return error_create_os(errno, "open %s", making->log_path);
	const char *const environment[] = { "LC_ALL=C", variable, NULL };
	const struct process_options options = {
		.arguments = (const char *const *)arguments.items,
		.environment = environment,
		.reads_stdout = true,
		.stderr_fd = &log_fd,
	};
	return process_spawn(&options, ret);
}

/** What a process writes. */
struct process_stream {
	struct stream stream;
	struct process *process;
	char data[65536];
};

static struct error *process_stream_read(struct stream *stream_,
					 const void **data_ret, size_t *size_ret)
{
	struct process_stream *stream = (struct process_stream *)stream_;

	*data_ret = stream->data;
	return process_read(stream->process, 0, stream->data,
			    sizeof(stream->data), size_ret);
}

/** An error with the end of the log before it. */
static struct error *mmdebstrap_failed(const struct rootfs_making *making,
				       const struct error *unpack_err)
{
	const char *restricting = making->request->host->restricting;
	_cleanup_free_ char *text =
		output_tail(making->log_path, TAIL_LINES, TAIL_BYTES);
	char *rest = text;

	for (char *line; (line = strsep(&rest, "\n")) && (*line || rest);)
		log_error("| %s", line);
	return error_create(ERROR_OTHER,
			    "mmdebstrap failed%s%s; its log is %s%s%s",
			    unpack_err ? ": " : "",
			    unpack_err ? error_message(unpack_err) : "",
			    making->log_path,
			    restricting ? "; if it may not have a user namespace, as root: sysctl "
					: "",
			    restricting ? restricting : "");
}

static struct error *run_mmdebstrap(const struct rootfs_making *making,
				    const char *temporary, const char *root)
{
	struct error *err;

	_cleanup_process_ struct process *process = NULL;
	err = spawn(making, temporary, making->request->host->is_root, &process);
	if (err)
		return err;
	struct process_stream *output = memory_allocate(1, sizeof(*output));
	_cleanup_stream_ struct stream *stream = &output->stream;
	stream_init(stream, process_stream_read, NULL, "the root's tarball");
	output->process = process;
	const struct unpack_options options = { .is_system = true };
	_cleanup_error_ struct error *unpack_err = unpack(stream, root, &options);
	if (error_is(unpack_err, ERROR_CANCELLED)) {
		// Let it remove its temporary files.
		struct pollfd fd = { process_fd(process), POLLIN, 0 };

		process_kill(process, SIGTERM);
		while (poll(&fd, 1, STOP_LIMIT_MS) < 0 && errno == EINTR)
			;
		return take_ptr(unpack_err);
	}
	// It may be how it ended that explains why its tarball is no good.
	if (unpack_err)
		process_kill(process, SIGTERM);
	struct process_status status;
	err = process_wait(process, monotonic_ms() + CLEAN_LIMIT_MS, &status);
	if (err)
		return err;
	if (status.exit_status)
		return mmdebstrap_failed(making, unpack_err);
	if (status.signal && !unpack_err) {
		_cleanup_free_ char *ended =
			process_status_text(&status, "mmdebstrap");

		return error_create(ERROR_OTHER, "%s", ended);
	}
	return take_ptr(unpack_err);
}

static struct error *making_make(void *arg, const char *path)
{
	struct error *err;
	const struct rootfs_making *making = arg;
	const struct rootfs_request *request = making->request;

	err = rootfs_host_check(request->host, request->arch);
	if (err)
		return err;
	err = directory_remove_stale(making->parent, prefix);
	if (err)
		return err;
	_cleanup_directory_ char *temporary = NULL;
	_cleanup_close_ int lock_fd = -1;
	err = directory_create_temporary(making->parent, prefix, &temporary,
					 &lock_fd);
	if (err)
		return err;
	log_info("making a root of %s, which takes some minutes; the log is %s",
		 request->arch->name, making->log_path);
	_cleanup_progress_ struct progress *progress =
		progress_createf(PROGRESS_TIME, "make a root of %s",
				 request->arch->name);
	err = run_mmdebstrap(making, temporary, path);
	if (err)
		return err;
	_cleanup_free_ char *stamp = path_join(path, stamp_name);
	return file_write(stamp, making->stamp, strlen(making->stamp));
}

struct error *rootfs_make(const struct rootfs_request *request,
			  struct cache_entry **ret)
{
	struct error *err;

	_cleanup_free_ char *parent =
		path_join(request->directory, request->arch->name);
	_cleanup_free_ char *path = path_join(parent, prefix);
	_cleanup_free_ char *log_path = path_join(parent, "rootfs.log");
	_cleanup_free_ char *stamp = format_stamp(request);
	struct rootfs_making making = { request, parent, log_path, stamp };
	const struct cache_recipe recipe = {
		.check = making_check,
		.make = making_make,
		.arg = &making,
		.force = request->force,
	};

	err = directory_create(parent);
	if (!err)
		err = cache_get(path, &recipe, ret);
	return error_wrap(err, "root of %s", request->arch->name);
}

// SPDX-License-Identifier: LGPL-2.1-or-later

#include "vm/crash/trace.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/error.h"
#include "common/base/file.h"
#include "common/base/log.h"
#include "common/base/memory.h"
#include "common/base/text.h"
#include "common/process/process.h"
#include "common/process/sandbox.h"

enum {
	SYMBOLS_LIMIT_BYTES = 128 << 20,
	PLACES_LIMIT_BYTES = 1 << 20,
	MODULES_LIMIT_BYTES = 16 << 20,
	TIME_LIMIT_MS = 20000,
};

static void make_name(char *name)
{
	for (; *name; name++)
		*name = *name == '-' ? '_' : *name;
}

/** Whether a path is that of a module, whose name has no dashes. */
static bool is_module(const char *path, const char *module)
{
	_cleanup_free_ char *name = string_copy(path_name(path));
	char *dot = strrchr(name, '.');

	if (!dot || strcmp(dot, ".ko") != 0)
		return false;
	*dot = '\0';
	make_name(name);
	return strcmp(name, module) == 0;
}

/** What has the debug information of a module, or of the kernel; free(). */
static char *find_file(const struct trace_source *source, const char *module)
{
	_cleanup_free_ char *list = path_join(source->kernel, "modules.dep");
	_cleanup_free_ char *vmlinux = path_join(source->kernel, "build/vmlinux");
	_cleanup_free_ char *text = NULL;

	if (!module)
		return realpath(vmlinux, NULL);
	if (source->module && is_module(source->module, module))
		return realpath(source->module, NULL);
	error_destroy(file_read(list, MODULES_LIMIT_BYTES, &text, NULL));

	char *rest = text;

	for (char *line; (line = strsep(&rest, "\n"));) {
		line[strcspn(line, ":")] = '\0';
		if (!is_module(line, module) || !path_stays_below(line))
			continue;
		_cleanup_free_ char *path = path_join(source->kernel, line);

		return realpath(path, NULL);
	}
	return NULL;
}

/** @param[out] ret What it has printed; free(). */
static struct error *capture(const char *file, const char *scratch,
			     const struct string_list *words,
			     size_t limit_bytes, char **ret)
{
	struct error *err;

	_cleanup_sandbox_ struct sandbox sandbox = { .ruleset_fd = -1 };
	_cleanup_string_list_ struct string_list readable = { 0 };
	string_list_add(&readable, file);
	err = sandbox_init(&readable, scratch, &sandbox);
	if (err)
		return err;
	_cleanup_close_ int null_fd = open("/dev/null", O_WRONLY | O_CLOEXEC);
	struct process_options options = {
		.arguments = (const char *const *)words->items,
		.stderr_fd = &null_fd,
		.timeout_ms = TIME_LIMIT_MS,
	};
	sandbox_apply(&sandbox, &options);
	return process_capture(&options, limit_bytes, ret);
}

/** Find the places of a module's frames, or of the kernel's. */
static struct error *decode(struct trace_frames *frames, const char *module,
			    const char *file, const char *scratch)
{
	struct error *err;

	const char *const nm[] = { "eu-nm", "-n", "-f", "posix", file };
	const char *const addr2line[] = { "eu-addr2line", "-a", "-i", "-e", file };
	_cleanup_string_list_ struct string_list words = { 0 };
	_cleanup_string_list_ struct string_list queries = { 0 };
	for (size_t i = 0; i < array_size(nm); i++)
		string_list_add(&words, nm[i]);
	for (size_t i = 0; i < array_size(addr2line); i++)
		string_list_add(&queries, addr2line[i]);
	_cleanup_free_ char *symbols = NULL;
	err = capture(file, scratch, &words, SYMBOLS_LIMIT_BYTES, &symbols);
	if (err)
		return err;
	trace_frames_resolve(frames, module, symbols);
	for (size_t i = 0; i < frames->count; i++) {
		const struct trace_frame *frame = &frames->items[i];

		if (frame->query && trace_frame_is_of(frame, module))
			string_list_add(&queries, frame->query);
	}
	if (queries.count == array_size(addr2line))
		return NULL;
	_cleanup_free_ char *places = NULL;
	err = capture(file, scratch, &queries, PLACES_LIMIT_BYTES, &places);
	if (err)
		return err;
	trace_frames_locate(frames, module, places);
	return NULL;
}

/** Of the modules of all frames, each once, and of the kernel. */
static struct error *decode_all(const struct trace_source *source,
				struct trace_frames *frames)
{
	static const char prefix[] = "vmtest-trace";
	struct error *err;

	_cleanup_directory_ char *scratch = NULL;
	_cleanup_close_ int lock = -1;
	_cleanup_string_list_ struct string_list seen = { 0 };
	err = directory_remove_stale(source->temporary, prefix);
	if (!err)
		err = directory_create_temporary(source->temporary, prefix,
						 &scratch, &lock);
	for (size_t i = 0; i < frames->count && !err; i++) {
		const char *module = frames->items[i].module;

		if (string_list_contains(&seen, module ? module : ""))
			continue;
		string_list_add(&seen, module ? module : "");
		_cleanup_free_ char *file = find_file(source, module);

		if (file)
			err = decode(frames, module, file, scratch);
	}
	return err;
}

void trace_decode(const struct trace_source *source, char **const *texts,
		  size_t count)
{
	_cleanup_trace_frames_ struct trace_frames frames = { 0 };

	for (size_t i = 0; i < count; i++) {
		if (*texts[i])
			trace_frames_add(&frames, *texts[i], i);
	}
	if (!frames.count || !process_program_exists("eu-addr2line"))
		return;
	_cleanup_error_ struct error *err = decode_all(source, &frames);

	// What there is, is good.
	if (err)
		log_debug("traces are not decoded: %s", error_message(err));
	for (size_t i = 0; i < count; i++) {
		if (!*texts[i])
			continue;
		char *text = trace_frames_format(&frames, *texts[i], i);

		free(*texts[i]);
		*texts[i] = text;
	}
}

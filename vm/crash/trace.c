// SPDX-License-Identifier: LGPL-2.1-or-later

#include "vm/crash/trace.h"

#include <string.h>

#include "common/base/error.h"
#include "common/base/file.h"
#include "common/base/text.h"
#include "common/kernel/catalog.h"
#include "common/process/sandbox.h"

enum {
	TEXTS_LIMIT_BYTES = 16 << 20,
	TIME_LIMIT_MS = 60000,
};

struct error *trace_decode(const struct trace_source *source, const char *texts,
			   char **ret)
{
	static const char prefix[] = "vmtest-trace";
	// Of a directory that is no package, these may be links.
	static const char *const parts[] = { "", "build", "build/vmlinux",
					     "kernel" };
	struct error *err;

	_cleanup_directory_ char *scratch = NULL;
	_cleanup_close_ int lock = -1;
	err = directory_remove_stale(source->temporary, prefix);
	if (!err)
		err = directory_create_temporary(source->temporary, prefix,
						 &scratch, &lock);
	if (err)
		return err;
	_cleanup_free_ char *input = path_join(scratch, "texts.json");
	_cleanup_free_ char *script = NULL;
	err = file_write(input, texts, strlen(texts));
	if (!err)
		err = data_path("trace.py", &script);
	if (err)
		return err;
	_cleanup_string_list_ struct string_list words = { 0 };
	string_list_add(&words, "python3");
	string_list_add(&words, "-I");
	string_list_add(&words, script);
	string_list_add(&words, input);
	string_list_add(&words, source->kernel);
	_cleanup_string_list_ struct string_list readable = { 0 };
	string_list_add(&readable, script);
	for (size_t i = 0; i < array_size(parts); i++)
		string_list_addf(&readable, "%s/%s", source->kernel, parts[i]);
	if (source->module) {
		string_list_add(&words, source->module);
		string_list_add(&readable, source->module);
	}
	return sandbox_capture(&words, &readable, scratch, TIME_LIMIT_MS,
			       TEXTS_LIMIT_BYTES, ret);
}

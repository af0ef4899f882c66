// SPDX-License-Identifier: LGPL-2.1-or-later

#include "bot/build/build_results.h"

#include <errno.h>
#include <fts.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/directory.h"
#include "common/base/error.h"
#include "common/base/file.h"
#include "common/base/log.h"
#include "common/base/memory.h"

enum {
	/** A result has a log of some kilobytes. */
	RESULT_BYTES_MAX = 1 << 20,
};

void build_results_deinit(struct build_results *results)
{
	for (size_t i = 0; i < results->count; i++)
		build_result_deinit(&results->items[i]);
	free(results->items);
	*results = (struct build_results){ 0 };
}

static void cleanup_fts(FTS **fts)
{
	if (*fts)
		fts_close(*fts);
}

static struct error *read_result(const char *path, struct build_result *ret)
{
	struct error *err;
	_cleanup_free_ char *text = NULL;

	err = file_read(path, RESULT_BYTES_MAX, &text, NULL);
	if (!err)
		err = build_result_parse(text, path, ret);
	return err;
}

static void add_result(struct build_results *results, const char *path)
{
	_cleanup_build_result_ struct build_result result = { 0 };
	_cleanup_error_ struct error *err = read_result(path, &result);
	struct build_result *items;

	if (err) {
		log_warning("%s", error_message(err));
		return;
	}
	items = memory_resize(results->items, results->count + 1, sizeof(*items));
	results->items = items;
	items[results->count++] = result;
	result = (struct build_result){ 0 };
}

static bool is_json(const FTSENT *entry)
{
	static const char suffix[] = ".json";
	size_t length = strlen(suffix);

	return entry->fts_info == FTS_F && entry->fts_namelen > length &&
	       strcmp(entry->fts_name + entry->fts_namelen - length, suffix) == 0;
}

struct error *build_results_load(const char *directory, struct build_results *ret)
{
	_cleanup_build_results_ struct build_results results = { 0 };
	char *const roots[] = { (char *)directory, NULL };
	_cleanup_(cleanup_fts) FTS *fts = NULL;
	FTSENT *entry;

	if (!directory_exists(directory)) {
		log_warning("%s: no such folder, and so no results", directory);
		return NULL;
	}
	fts = fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR, NULL);
	if (!fts)
		return error_create_os(errno, "read %s", directory);
	while ((errno = 0, entry = fts_read(fts))) {
		if (entry->fts_info == FTS_DNR || entry->fts_info == FTS_ERR)
			return error_create_os(entry->fts_errno, "read %s",
					       entry->fts_path);
		if (!is_json(entry))
			continue;
		add_result(&results, entry->fts_path);
	}
	if (errno)
		return error_create_os(errno, "read %s", directory);
	*ret = results;
	results = (struct build_results){ 0 };
	return NULL;
}

const struct build_result *build_results_find(const struct build_results *results,
					      const struct release *release,
					      const char *arch)
{
	const struct build_result *found = NULL;

	for (size_t i = 0; i < results->count; i++) {
		const struct build_result *result = &results->items[i];

		if (release_compare(&result->release, release) != 0 ||
		    strcmp(result->arch, arch) != 0)
			continue;
		if (!found || result->outcome == BUILD_BUILT)
			found = result;
	}
	return found;
}

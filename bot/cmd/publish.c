// SPDX-License-Identifier: LGPL-2.1-or-later

#include "bot/cmd/publish.h"

#include <stdio.h>
#include <string.h>

#include "bot/build/lost_options.h"
#include "bot/cmd/session.h"
#include "bot/report/page.h"
#include "common/base/error.h"
#include "common/base/log.h"
#include "common/base/string_list.h"
#include "common/cli/progress.h"
#include "common/kernel/release.h"
#include "common/store/store.h"
#include "kbuild/package/package_info.h"

static void show_progress(void *arg, uint64_t done, uint64_t total)
{
	progress_update(arg, done, total);
}

struct error *publish_package(struct store *store, const char *path,
			      char **url_ret)
{
	struct error *err;
	_cleanup_progress_ struct progress *progress = NULL;
	_cleanup_free_ char *label = NULL;
	_cleanup_string_list_ struct string_list lost = STRING_LIST_INIT;
	const char *slash = strrchr(path, '/');
	const char *name = slash ? slash + 1 : path;
	struct release release;
	char arch[ARCH_SIZE];

	if (!package_name_parse(name, &release, arch))
		return error_create(ERROR_USAGE,
				    "%s: no package's name; it must be kernel-VERSION-vmtestREVISION.MINORFLAVOR.ARCH.tar.zst",
				    path);
	err = package_info_read_lost(path, &lost);
	if (err)
		return err;
	label = lost_options_label(name, &lost);
	progress = progress_createf(PROGRESS_BYTES, "publish %s", name);
	err = store_put(store, path, label, show_progress, progress, url_ret);
	if (err)
		return err;
	progress_finish(progress);
	return NULL;
}

static struct error *write_page(struct session *session)
{
	_cleanup_free_ char *markdown = NULL;

	markdown = page_format(session->catalog, &session->assets,
			       store_name(session->store));
	return store_describe(session->store, markdown);
}

struct error *publish_page(struct session *session)
{
	struct error *err;

	err = session_list(session);
	if (!err)
		err = write_page(session);
	return error_wrap(err, "rewrite the page of %s",
			  store_name(session->store));
}

struct error *publish_repair_page(struct session *session)
{
	struct error *err;

	err = write_page(session);
	// Whoever may not write has nothing to repair.
	if (error_catch(&err, ERROR_USAGE) || error_is(err, ERROR_CANCELLED))
		return err;
	if (err)
		log_warning("the page of %s: %s", store_name(session->store),
			    error_message(err));
	error_destroy(err);
	return NULL;
}

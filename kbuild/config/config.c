// SPDX-License-Identifier: LGPL-2.1-or-later

#include "kbuild/config/config.h"

#include <string.h>
#include <sys/stat.h>

#include "common/base/error.h"
#include "common/base/file.h"
#include "common/base/log.h"
#include "common/base/memory.h"
#include "common/base/progress.h"
#include "common/base/text.h"
#include "common/kernel/catalog.h"
#include "common/kernel/kernel_config.h"
#include "kbuild/make.h"

static const char temporary_prefix[] = "vmtest-config";

struct error *config_check(const struct option_set *set, const char *config,
			   struct string_list *lost_ret)
{
	_cleanup_string_builder_ struct string_builder sb = { 0 };
	size_t lost = 0;
	for (size_t i = 0; i < set->count; i++) {
		const struct config_option *option = &set->items[i];
		size_t size;
		const char *value =
			kernel_config_value(config, option->name, &size);

		if (!value) {
			value = "n";
			size = 1;
		}
		if (size == strlen(option->value) &&
		    strncmp(value, option->value, size) == 0)
			continue;
		if (lost_ret && !option->is_essential) {
			string_list_addf(lost_ret, "%s=%s", option->name,
					 option->value);
			continue;
		}
		string_builder_appendf(&sb, "%s%s=%s became %.*s (%s%s%s)",
				       lost++ ? ", " : "", option->name,
				       option->value, (int)size, value,
				       option->origin,
				       *option->reason ? ": " : "",
				       option->reason);
	}
	if (!lost)
		return NULL;
	return error_create(ERROR_OTHER,
			    "kconfig did not keep %zu option%s: %s; name what they depend on, or bound them",
			    lost, lost == 1 ? "" : "s", sb.text);
}

/** Let kconfig make a .config of what is asked for; free(). */
static struct error *run_kconfig(const struct option_set *set,
				 struct make *make, char **ret)
{
	struct error *err;

	_cleanup_free_ char *text = option_set_format(set);
	_cleanup_free_ char *fragment = path_join(make->build, ".vmtest-config");
	err = file_write(fragment, text, strlen(text));
	if (err)
		return err;
	_cleanup_free_ char *variable =
		string_format("KCONFIG_ALLCONFIG=%s", fragment);
	const char *const allnoconfig[] = { variable, "allnoconfig", NULL };
	err = make_run(make, NULL, allnoconfig);
	if (err)
		return error_wrap(err, "configure");
	// Settles what allnoconfig leaves open for choices whose members depend
	// on each other.
	const char *const olddefconfig[] = { "olddefconfig", NULL };
	err = make_run(make, NULL, olddefconfig);
	if (err)
		return error_wrap(err, "configure");
	_cleanup_free_ char *path = path_join(make->build, ".config");
	return file_read(path, CONFIG_LIMIT_BYTES, ret, NULL);
}

struct error *configure_build(const struct config_request *request,
			      struct make *make, struct string_list *lost_ret,
			      char **config_ret)
{
	struct error *err;

	char release[RELEASE_TEXT_SIZE];
	release_format(&request->release, release);
	_cleanup_progress_ struct progress *progress =
		progress_createf(PROGRESS_TIME, "configure %s.%s", release,
				 request->arch->name);
	_cleanup_option_set_ struct option_set set = { 0 };
	err = config_compose(request, &set);
	if (err)
		return err;
	_cleanup_free_ char *config = NULL;
	err = run_kconfig(&set, make, &config);
	if (err)
		return err;
	bool is_verified = catalog_has_verified(request->catalog,
						&request->release.version);
	err = config_check(&set, config, is_verified ? NULL : lost_ret);
	if (err)
		return err;
	if (lost_ret->count) {
		const struct string_list *lost = lost_ret;
		char series[KERNEL_VERSION_TEXT_SIZE],
			verified[KERNEL_VERSION_TEXT_SIZE];
		_cleanup_string_builder_ struct string_builder sb = { 0 };

		kernel_version_format_series(&request->release.version, series);
		kernel_version_format_series(&request->catalog->verified,
					     verified);
		for (size_t i = 0; i < lost->count; i++)
			string_builder_appendf(&sb, "%s%s", i ? ", " : "",
					       lost->items[i]);
		log_warning("kconfig did not keep %zu option%s, and the catalog is verified up to %s only: %s is built without %s",
			    lost->count, lost->count == 1 ? "" : "s", verified,
			    series, sb.text);
	}
	if (config_ret)
		*config_ret = take_ptr(config);
	return NULL;
}

bool config_is_current(const struct make *make)
{
	_cleanup_free_ char *config = path_join(make->build, ".config");
	// What make itself goes by: `\tPATH \`, a line for each file.
	_cleanup_free_ char *path =
		path_join(make->build, "include/config/auto.conf.cmd");
	_cleanup_free_ char *text = NULL;
	struct stat known, file;
	size_t count = 0;

	error_destroy(file_read(path, CONFIG_LIMIT_BYTES, &text, NULL));
	if (!text || stat(path, &known) < 0 || stat(config, &file) < 0)
		return false;
	for (char *line, *next = text; (line = strsep(&next, "\n"));) {
		if (*line++ != '\t')
			continue;
		line[strcspn(line, " ")] = '\0';
		_cleanup_free_ char *kconfig = path_join(make->source, line);

		if (stat(kconfig, &file) < 0 ||
		    file.st_mtim.tv_sec >= known.st_mtim.tv_sec)
			return false;
		count++;
	}
	return count;
}

struct error *configure_source(const struct config_request *request,
			       const struct compiler *compiler,
			       const char *source, const char *parent, char **ret)
{
	struct error *err;

	err = directory_remove_stale(parent, temporary_prefix);
	if (err)
		return err;
	_cleanup_close_ int lock_fd = -1;
	_cleanup_directory_ char *build = NULL;
	err = directory_create_temporary(parent, temporary_prefix, &build,
					 &lock_fd);
	if (err)
		return err;
	_cleanup_make_ struct make make = { 0 };
	err = make_init(&make, source, build, request->arch, compiler, 0, NULL);
	if (err)
		return err;
	_cleanup_string_list_ struct string_list lost = { 0 };
	return configure_build(request, &make, &lost, ret);
}

// SPDX-License-Identifier: LGPL-2.1-or-later

#include "kbuild/config/config.h"

#include <stdio.h>
#include <string.h>

#include "common/archive/archive.h"
#include "common/base/error.h"
#include "common/base/file.h"
#include "common/base/memory.h"
#include "common/base/text.h"
#include "common/kernel/catalog.h"

enum {
	FRAGMENT_LIMIT_BYTES = 1 << 20,
};

static struct error *read_fragment(const char *path, char **ret)
{
	struct error *err;

	_cleanup_free_ char *text = NULL;
	size_t size;
	err = file_read(path, FRAGMENT_LIMIT_BYTES, &text, &size);
	if (err)
		return err;
	if (strlen(text) != size)
		return error_create(ERROR_USAGE, "%s is not a text file", path);
	*ret = take_ptr(text);
	return NULL;
}

static struct error *apply_file(struct option_set *set, const char *name,
				bool is_optional,
				const struct bounds_target *target)
{
	struct error *err;

	_cleanup_free_ char *path = path_join(target->catalog->directory, name);
	_cleanup_free_ char *text = NULL;
	err = read_fragment(path, &text);
	if (is_optional && error_catch(&err, ERROR_NOT_FOUND))
		return NULL;
	if (err)
		return err;
	return option_set_apply(set, name, text, target);
}

void config_additions_deinit(struct config_additions *additions)
{
	string_list_deinit(&additions->names);
	string_list_deinit(&additions->texts);
	*additions = (struct config_additions){ 0 };
}

struct error *config_additions_read(const struct string_list *fragments,
				    const struct string_list *options,
				    struct config_additions *ret)
{
	struct error *err;

	_cleanup_config_additions_ struct config_additions additions = { 0 };
	for (size_t i = 0; i < fragments->count; i++) {
		_cleanup_free_ char *text = NULL;
		err = read_fragment(fragments->items[i], &text);
		if (err)
			return err;
		string_list_add(&additions.names, fragments->items[i]);
		string_list_add(&additions.texts, text);
	}
	_cleanup_string_builder_ struct string_builder lines = { 0 };
	for (size_t i = 0; i < options->count; i++)
		string_builder_appendf(&lines, "%s\n", options->items[i]);
	if (lines.length) {
		string_list_add(&additions.names, "--config-option");
		string_list_add(&additions.texts, lines.text);
	}
	_cleanup_string_builder_ struct string_builder all = { 0 };
	for (size_t i = 0; i < additions.texts.count; i++)
		string_builder_appendf(&all, "%s\n", additions.texts.items[i]);
	if (all.length) {
		char digest[DIGEST_TEXT_SIZE];
		digest_buffer(all.text, all.length, digest);
		snprintf(additions.suffix, sizeof(additions.suffix), "_%.8s",
			 digest);
	}
	*ret = take(additions);
	return NULL;
}

void config_request_deinit(struct config_request *request)
{
	config_additions_deinit(&request->additions);
}

struct error *config_request_release(struct config_request *request,
				     const struct kernel_version *version,
				     unsigned int rebuild)
{
	struct error *err;
	struct release *release = &request->release;

	err = catalog_flavor_check(request->flavor, request->arch, version);
	if (err)
		return err;
	catalog_release(request->catalog, version, request->flavor, rebuild,
			release);
	size_t length = strlen(release->flavor);
	size_t room =
		sizeof(release->flavor) - 1 - strlen(request->additions.suffix);
	if (length > room)
		return error_create(ERROR_USAGE,
				    "flavor %s: with options added, its name gets a digest and may have %zu characters at most; shorten it in the catalog",
				    release->flavor, room);
	strcpy(release->flavor + length, request->additions.suffix);
	return NULL;
}

struct error *config_compose(const struct config_request *request,
			     struct option_set *set)
{
	struct error *err;

	const struct config_additions *additions = &request->additions;
	const char *arch = request->arch->name, *flavor = request->flavor->name;
	const struct bounds_target target = {
		.catalog = request->catalog,
		.arch = request->arch,
		.version = &request->release.version,
	};
	_cleanup_string_list_ struct string_list names = { 0 };
	string_list_add(&names, "base.config");
	string_list_addf(&names, "%s.config", flavor);
	string_list_addf(&names, "%s.config", arch);
	string_list_addf(&names, "%s-%s.config", arch, flavor);
	for (size_t i = 0; i < names.count; i++) {
		bool is_last = i + 1 == names.count;

		err = apply_file(set, names.items[i], is_last, &target);
		if (err)
			return error_wrap(err, "compose the configuration");
	}
	for (size_t i = 0; i < additions->names.count; i++) {
		err = option_set_apply(set, additions->names.items[i],
				       additions->texts.items[i], &target);
		if (err)
			return err;
	}

	char local[RELEASE_TEXT_SIZE];
	release_format_local(&request->release, local);
	_cleanup_free_ char *text =
		string_format("CONFIG_LOCALVERSION=\"%s\"", local);
	return option_set_apply(set, "the release", text, &target);
}

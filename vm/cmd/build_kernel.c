// SPDX-License-Identifier: LGPL-2.1-or-later

#include "vm/cmd/vm_commands.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/archive/archive.h"
#include "common/base/error.h"
#include "common/base/file.h"
#include "common/base/memory.h"
#include "common/base/text.h"
#include "common/cache/cache.h"
#include "common/kernel/catalog.h"
#include "common/process/process.h"
#include "vm/kernel/adopted.h"
#include "vm/kernel/kernel.h"

enum {
	/** Of a path. */
	ANSWER_LIMIT_BYTES = 8192,
};

/** The program that builds, beside ours; free(). */
static struct error *find_builder(char **ret)
{
	_cleanup_free_ char *program = realpath("/proc/self/exe", NULL);
	if (!program)
		return error_create_os(errno, "/proc/self/exe");
	_cleanup_free_ char *parent = path_parent(program);
	_cleanup_free_ char *builder = path_join(parent, "vmtest-kbuild");

	if (!process_program_exists(builder))
		return error_create(ERROR_OTHER,
				    "%s: no such program, and it is what builds kernels",
				    builder);
	*ret = take_ptr(builder);
	return NULL;
}

/** Where a tree is built; free(). One folder for each kind of kernel of it. */
static struct error *find_directory(const struct command_context *context,
				    const struct kernel_source *source,
				    const struct catalog_arch *arch,
				    const char *flavor, char **ret)
{
	_cleanup_free_ char *real = realpath(source->path, NULL);
	char digest[DIGEST_TEXT_SIZE];

	if (!real && errno == ENOENT)
		return error_create(ERROR_USAGE, "%s: no such directory",
				    source->path);
	if (!real)
		return error_create_os(errno, "%s", source->path);
	const char *slot = source->slot ? source->slot : source->ref;
	_cleanup_free_ char *identity =
		string_format("%s\n%s\n%s\n%s%s", real, slot ? slot : "",
			      arch->name,
			      source->keep_config ? "its own" : flavor,
			      source->llvm ? "\nLLVM" : "");
	digest_buffer(identity, strlen(identity), digest);
	*ret = path_joinf(context->directory, "builds/%.16s", digest);
	return NULL;
}

static struct error *add_config(const struct kernel_source *source,
				struct string_list *arguments)
{
	_cleanup_free_ char *config = path_join(source->path, ".config");

	if (!source->keep_config)
		return NULL;
	if (!file_exists(config))
		return error_create(ERROR_USAGE,
				    "--keep-config: there is no %s", config);
	string_list_addf(arguments, "--config=%s", config);
	return NULL;
}

static struct error *run_builder(const struct command_context *context,
				 const struct kernel_source *source,
				 const struct catalog_arch *arch,
				 const char *flavor, const char *directory,
				 char **ret)
{
	struct error *err;

	const struct common_options common = {
		.catalog = context->common->catalog,
		.directory = context->directory,
		.verbose = context->common->verbose,
		.quiet = context->common->quiet,
		.allow_unverified = context->common->allow_unverified,
	};
	_cleanup_free_ char *program = NULL;
	err = find_builder(&program);
	if (err)
		return err;
	_cleanup_string_list_ struct string_list arguments = { 0 };
	string_list_add(&arguments, program);
	string_list_add(&arguments, "build");
	command_format_options(common_option_table, &common, &arguments);
	string_list_addf(&arguments, "--arch=%s", arch->name);
	string_list_addf(&arguments, "--flavor=%s", flavor);
	string_list_addf(&arguments, "--source=%s", source->path);
	string_list_add(&arguments, "--package-format=tree");
	string_list_addf(&arguments, "--build-dir=%s/tree", directory);
	if (source->ref)
		string_list_addf(&arguments, "--ref=%s", source->ref);
	if (source->llvm)
		string_list_add(&arguments, "--llvm");
	err = add_config(source, &arguments);
	if (err)
		return err;
	const struct process_options options = {
		.arguments = (const char *const *)arguments.items,
	};
	err = process_capture(&options, ANSWER_LIMIT_BYTES, ret);
	if (!error_is(err, ERROR_OTHER))
		return err;
	error_destroy(err);
	return error_create(ERROR_OTHER,
			    "it is not built; vmtest-kbuild has said why");
}

struct error *command_build(struct command_context *context,
			    const struct kernel_source *source,
			    const struct catalog_arch *arch, struct kernel *ret)
{
	struct error *err;

	const struct string_list *flavors = &context->common->flavors;
	if (flavors->count > 1)
		return error_create(ERROR_USAGE,
				    "one kernel has one flavor; name only one");
	const char *flavor = flavors->count ? flavors->items[0] : "default";
	err = command_open(context, COMMAND_CATALOG | COMMAND_DIRECTORY);
	if (err)
		return err;
	_cleanup_free_ char *directory = NULL;
	err = find_directory(context, source, arch, flavor, &directory);
	if (!err)
		err = directory_create(directory);
	if (err)
		return err;
	// It stays while the kernel is used, and is known to have been.
	_cleanup_cache_entry_ struct cache_entry *entry = NULL;
	err = cache_hold(directory, &entry);
	if (err)
		return err;
	if (entry)
		cache_touch(entry);
	_cleanup_free_ char *tree = NULL;
	err = run_builder(context, source, arch, flavor, directory, &tree);
	if (err)
		return error_wrap(err, "--source %s", source->path);
	err = kernel_adopt(tree, context->directory, arch, ret);
	if (!err)
		ret->build = take_ptr(entry);
	return err;
}

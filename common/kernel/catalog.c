// SPDX-License-Identifier: LGPL-2.1-or-later

#include "common/kernel/catalog.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "common/base/error.h"
#include "common/base/file.h"

enum {
	CATALOG_LIMIT_BYTES = 4 << 20
};

struct error *catalog_load(const char *path, const char *kernel_org,
			   struct catalog **ret)
{
	struct error *err;

	_cleanup_free_ char *installed = NULL;
	if (!path) {
		err = data_path("configs/vmtest.json", &installed);
		if (err)
			return err;
		path = installed;
	}
	_cleanup_free_ char *text = NULL;
	err = file_read(path, CATALOG_LIMIT_BYTES, &text, NULL);
	if (err)
		return err;
	_cleanup_catalog_ struct catalog *catalog = NULL;
	err = catalog_parse(text, path, kernel_org, &catalog);
	if (err)
		return err;
	_cleanup_free_ char *real = realpath(path, NULL);
	if (!real)
		return error_create_os(errno, "%s", path);
	catalog->directory = path_parent(real);
	*ret = take_ptr(catalog);
	return NULL;
}

void catalog_destroy(struct catalog *catalog)
{
	if (!catalog)
		return;
	for (size_t i = 0; i < catalog->arch_count; i++) {
		struct catalog_arch *arch = &catalog->archs[i];

		for (size_t j = 0; j < arch->machine_count; j++) {
			string_list_deinit(&arch->machines[j].arguments);
			string_list_deinit(&arch->machines[j].needs);
		}
		for (size_t j = 0; j < arch->off_count; j++)
			string_list_deinit(&arch->off[j].flavors);
		free(arch->off);
		string_list_deinit(&arch->host_names);
		free(arch->machines);
	}
	string_list_deinit(&catalog->rootfs.packages);
	free(catalog->archs);
	free(catalog->gcc.tried);
	free(catalog->gcc.digests);
	free(catalog->kernel_org.signers);
	for (size_t i = 0; i < catalog->flavor_count; i++)
		string_list_deinit(&catalog->flavors[i].archs);
	free(catalog->flavors);
	free(catalog->series);
	string_list_deinit(&catalog->mirror_urls);
	free(catalog->directory);
	json_decref(catalog->json);
	free(catalog);
}

/**
 * Find one of some structs whose first member is the name.
 *
 * @param[out] ret A pointer to such a struct.
 */
static struct error *find_named(const void *items, size_t count,
				size_t size_bytes, const char *what,
				const char *name, void *ret)
{
	_cleanup_string_builder_ struct string_builder known = { 0 };

	for (size_t i = 0; i < count; i++) {
		const void *item = (const char *)items + i * size_bytes;
		const char *item_name = *(const char *const *)item;

		if (strcmp(item_name, name) == 0) {
			memcpy(ret, &item, sizeof(item));
			return NULL;
		}
		string_builder_appendf(&known, " %s", item_name);
	}
	return error_create(ERROR_USAGE, "unknown %s '%s'; there are:%s", what,
			    name, known.text ? known.text : "");
}

struct error *catalog_find_arch(const struct catalog *catalog, const char *name,
				const struct catalog_arch **ret)
{
	return find_named(catalog->archs, catalog->arch_count,
			  sizeof(*catalog->archs), "architecture", name, ret);
}

struct error *catalog_find_flavor(const struct catalog *catalog, const char *name,
				  const struct catalog_flavor **ret)
{
	return find_named(catalog->flavors, catalog->flavor_count,
			  sizeof(*catalog->flavors), "flavor", name, ret);
}

bool catalog_arch_is_host(const struct catalog_arch *arch)
{
	struct utsname host;

	uname(&host);
	return string_list_contains(&arch->host_names, host.machine);
}

/** Add the architectures that a word means, or the one that has the name. */
static struct error *add_archs(const struct catalog *catalog, const char *text,
			       struct string_list *ret)
{
	const struct catalog_arch *arch;
	size_t count = ret->count;
	bool host = strcmp(text, "host") == 0, all = strcmp(text, "all") == 0;

	if (!host && !all && strcmp(text, "foreign") != 0) {
		string_list_add(ret, text);
		return catalog_find_arch(catalog, text, &arch);
	}
	for (size_t i = 0; i < catalog->arch_count; i++) {
		arch = &catalog->archs[i];
		bool is_host = catalog_arch_is_host(arch);
		if (host ? is_host : arch->enabled && (all || !is_host))
			string_list_add(ret, arch->name);
	}
	// An empty list would mean another thing.
	if (ret->count == count)
		return error_create(ERROR_USAGE,
				    "--arch %s: the catalog has no such architecture",
				    text);
	return NULL;
}

struct error *catalog_resolve_names(const struct catalog *catalog,
				    struct string_list *archs,
				    const struct string_list *flavors)
{
	struct error *err;
	const struct catalog_flavor *flavor;

	_cleanup_string_list_ struct string_list names = { 0 };
	for (size_t i = 0; i < archs->count; i++) {
		err = add_archs(catalog, archs->items[i], &names);
		if (err)
			return err;
	}
	for (size_t i = 0; i < flavors->count; i++) {
		err = catalog_find_flavor(catalog, flavors->items[i], &flavor);
		if (err)
			return err;
	}
	string_list_deinit(archs);
	*archs = take(names);
	return NULL;
}

struct error *catalog_host_arch(const struct catalog *catalog,
				const struct catalog_arch **ret)
{
	struct utsname host;

	for (size_t i = 0; i < catalog->arch_count; i++) {
		if (catalog_arch_is_host(&catalog->archs[i])) {
			*ret = &catalog->archs[i];
			return NULL;
		}
	}
	uname(&host);
	return error_create(ERROR_NOT_FOUND,
			    "the catalog has no kernels for this machine (%s); choose an architecture with --arch",
			    host.machine);
}

bool version_range_contains(const struct version_range *range,
			    const struct kernel_version *version)
{
	return kernel_version_compare(version, &range->min) >= 0 &&
	       (!range->below.major ||
		kernel_version_compare(version, &range->below) < 0);
}

void version_range_append(const struct version_range *range,
			  struct string_builder *sb)
{
	char text[KERNEL_VERSION_TEXT_SIZE];

	if (range->min.major) {
		kernel_version_format(&range->min, text);
		string_builder_appendf(sb, " from %s", text);
	}
	if (range->below.major) {
		kernel_version_format(&range->below, text);
		string_builder_appendf(sb, " below %s", text);
	}
}

bool catalog_arch_has_kdump(const struct catalog_arch *arch,
			    const struct kernel_version *version)
{
	return arch->has_kdump && version_range_contains(&arch->kdump, version);
}

/** A version's series, of which its candidates are a part. */
static struct kernel_version series_of(const struct kernel_version *version)
{
	return (struct kernel_version){
		.major = version->major,
		.minor = version->minor,
	};
}

struct error *catalog_find_gcc(const struct catalog *catalog,
			       const struct kernel_version *version,
			       const struct catalog_gcc **ret)
{
	const struct kernel_version series = series_of(version);

	for (size_t i = 0; i < catalog->gcc.tried_count; i++) {
		const struct catalog_gcc *tried = &catalog->gcc.tried[i];

		if (version_range_contains(&tried->kernels, &series)) {
			*ret = tried;
			return NULL;
		}
	}
	return error_create(ERROR_NOT_FOUND,
			    "the catalog has no compiler for Linux %u.%u",
			    version->major, version->minor);
}

bool catalog_keeps(const struct catalog *catalog,
		   const struct kernel_version *version)
{
	// A series is kept or not as a whole.
	const struct kernel_version series = series_of(version);
	bool kept = false;

	for (size_t i = 0; i < catalog->series_count; i++) {
		if (!version_range_contains(&catalog->series[i].range, &series))
			continue;
		if (!catalog->series[i].enabled)
			return false;
		kept = true;
	}
	return kept;
}

bool catalog_has_verified(const struct catalog *catalog,
			  const struct kernel_version *version)
{
	return kernel_version_compare_series(version, &catalog->verified) <= 0;
}

bool catalog_flavor_is_for(const struct catalog_flavor *flavor,
			   const struct catalog_arch *arch,
			   const struct kernel_version *version)
{
	const struct kernel_version series = series_of(version);

	return (!flavor->archs.count ||
		string_list_contains(&flavor->archs, arch->name)) &&
	       version_range_contains(&flavor->versions, &series) &&
	       version_range_contains(&arch->versions, &series) &&
	       !catalog_find_off(arch, flavor->name, version);
}

const struct catalog_off *catalog_find_off(const struct catalog_arch *arch,
					   const char *flavor,
					   const struct kernel_version *version)
{
	const struct kernel_version series = series_of(version);

	for (size_t i = 0; i < arch->off_count; i++) {
		const struct catalog_off *off = &arch->off[i];

		if (version_range_contains(&off->versions, &series) &&
		    (!off->flavors.count ||
		     string_list_contains(&off->flavors, flavor)))
			return off;
	}
	return NULL;
}

char *catalog_off_text(const struct catalog_arch *arch,
		       const struct catalog_off *off)
{
	struct string_builder sb = { 0 };

	string_builder_appendf(&sb, " for %s", arch->name);
	version_range_append(&off->versions, &sb);
	for (size_t i = 0; i < off->flavors.count; i++)
		string_builder_appendf(&sb, "%s%s", i ? ", " : " in ",
				       off->flavors.items[i]);
	string_builder_appendf(&sb, ": %s", off->reason);
	return string_builder_take(&sb);
}

void catalog_flavor_append_bounds(const struct catalog_flavor *flavor,
				  struct string_builder *sb)
{
	for (size_t i = 0; i < flavor->archs.count; i++)
		string_builder_appendf(sb, "%s%s", i ? ", " : " for ",
				       flavor->archs.items[i]);
	version_range_append(&flavor->versions, sb);
	if (flavor->reason)
		string_builder_appendf(sb, ": %s", flavor->reason);
}

void catalog_list_limits(const struct catalog *catalog, struct string_list *ret)
{
	for (size_t i = 0; i < catalog->series_count; i++) {
		const struct catalog_series *series = &catalog->series[i];
		_cleanup_string_builder_ struct string_builder sb = { 0 };

		version_range_append(&series->range, &sb);
		if (!series->enabled)
			string_list_addf(ret, "series%s are off%s%s",
					 sb.text ? sb.text : "",
					 series->reason ? ": " : "",
					 series->reason ? series->reason : "");
	}
	for (size_t i = 0; i < catalog->arch_count; i++) {
		const struct catalog_arch *arch = &catalog->archs[i];
		_cleanup_string_builder_ struct string_builder sb = { 0 };

		version_range_append(&arch->versions, &sb);
		if (sb.length)
			string_list_addf(ret, "%s is built only%s%s%s",
					 arch->name, sb.text,
					 arch->reason ? ": " : "",
					 arch->reason ? arch->reason : "");
		for (size_t j = 0; j < arch->off_count; j++) {
			_cleanup_free_ char *text =
				catalog_off_text(arch, &arch->off[j]);

			string_list_addf(ret, "none is built%s", text);
		}
	}
	for (size_t i = 0; i < catalog->flavor_count; i++) {
		const struct catalog_flavor *flavor = &catalog->flavors[i];
		_cleanup_string_builder_ struct string_builder sb = { 0 };

		catalog_flavor_append_bounds(flavor, &sb);
		if (sb.length)
			string_list_addf(ret, "%s is built only%s",
					 flavor->name, sb.text);
	}
}

struct error *catalog_flavor_check(const struct catalog_flavor *flavor,
				   const struct catalog_arch *arch,
				   const struct kernel_version *version)
{
	if (catalog_flavor_is_for(flavor, arch, version))
		return NULL;
	const struct kernel_version series = series_of(version);
	const struct catalog_off *off =
		catalog_find_off(arch, flavor->name, version);
	_cleanup_string_builder_ struct string_builder sb = { 0 };
	if (!version_range_contains(&arch->versions, &series)) {
		string_builder_append(&sb, "this architecture is only");
		version_range_append(&arch->versions, &sb);
		if (arch->reason)
			string_builder_appendf(&sb, ": %s", arch->reason);
	} else if (off) {
		_cleanup_free_ char *words = catalog_off_text(arch, off);

		string_builder_appendf(&sb, "it is off%s", words);
	} else {
		string_builder_appendf(&sb, "the flavor %s is only",
				       flavor->name);
		catalog_flavor_append_bounds(flavor, &sb);
	}
	char text[KERNEL_VERSION_TEXT_SIZE];
	kernel_version_format(version, text);
	return error_create(ERROR_USAGE,
			    "the catalog has no Linux %s for %s: %s; choose another flavor, version or architecture",
			    text, arch->name, sb.text);
}

void catalog_release(const struct catalog *catalog,
		     const struct kernel_version *version,
		     const struct catalog_flavor *flavor, unsigned int patch,
		     struct release *ret)
{
	*ret = (struct release){
		.version = *version,
		.revision = catalog->revision,
		.minor = flavor->minor,
		.patch = patch,
	};
	snprintf(ret->flavor, sizeof(ret->flavor), "%s", flavor->name);
}

struct error *data_path(const char *name, char **ret)
{
	char program[4096];
	ssize_t length = readlink("/proc/self/exe", program, sizeof(program) - 1);

	if (length < 0)
		return error_create_os(errno, "/proc/self/exe");
	program[length] = '\0';
	// From PREFIX/bin/PROGRAM to PREFIX.
	for (int i = 0; i < 2; i++) {
		char *slash = strrchr(program, '/');

		if (slash)
			*slash = '\0';
	}
	*ret = path_joinf(program, "share/vmtest/%s", name);
	return NULL;
}

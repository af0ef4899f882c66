// SPDX-License-Identifier: LGPL-2.1-or-later

#include <jansson.h>
#include <string.h>

#include "common/archive/archive.h"
#include "common/base/error.h"
#include "common/base/json.h"
#include "common/base/memory.h"
#include "common/kernel/catalog.h"

enum {
	/** What a release has room for. */
	NUMBER_MAX = 99999999,
};

/** A bound; of a version that there is, so that zeros mean none. */
static struct error *read_bound(const struct value *value, void *ret)
{
	struct error *err;

	struct kernel_version version;
	err = value_version(value, &version);
	if (err)
		return err;
	if (!version.major)
		return value_error(value, "expected 1.0 or more");
	*(struct kernel_version *)ret = version;
	return NULL;
}

/** A range of versions, in an object of its own or among other keys. */
#define RANGE_ROWS(type, member)                                               \
	VALUE_OPTIONAL("min", read_bound, type, member.min),                   \
		VALUE_OPTIONAL("below", read_bound, type, member.below)

struct error *value_version_range(const struct value *value, void *ret)
{
	static const struct value_row rows[] = {
		VALUE_OPTIONAL("min", read_bound, struct version_range, min),
		VALUE_OPTIONAL("below", read_bound, struct version_range, below),
	};

	return value_read_known(value, rows, array_size(rows), ret);
}

/** A range, or false for no version at all. */
static struct error *read_kdump(const struct value *value, void *ret)
{
	static const struct value_row rows[] = {
		RANGE_ROWS(struct catalog_arch, kdump),
	};
	struct catalog_arch *arch = ret;

	arch->has_kdump = !json_is_false(value->json);
	return arch->has_kdump ? value_read(value, rows, array_size(rows), arch)
			       : NULL;
}

// clang-format off
static const struct value_row machine_rows[] = {
	VALUE_REQUIRED("name", value_string, struct catalog_machine, name),
	VALUE_REQUIRED("machine", value_string, struct catalog_machine, machine),
	VALUE_OPTIONAL("cpu", value_string, struct catalog_machine, cpu),
	VALUE_REQUIRED("kernel", value_string, struct catalog_machine, kernel),
	VALUE_OPTIONAL("tcg_command_line", value_string, struct catalog_machine, tcg_command_line),
	VALUE_OPTIONAL("arguments", value_strings, struct catalog_machine, arguments),
	VALUE_OPTIONAL("needs", value_strings, struct catalog_machine, needs),
	VALUE_OPTIONAL("lacks_numa", value_flag, struct catalog_machine, lacks_numa),
	VALUE_OPTIONAL("lacks_second_serial", value_flag, struct catalog_machine, lacks_second_serial),
};
// clang-format on

static struct error *read_off(const struct value *value, void *ret)
{
	static const struct value_row rows[] = {
		RANGE_ROWS(struct catalog_off, versions),
		VALUE_OPTIONAL("flavors", value_strings, struct catalog_off,
			       flavors),
		VALUE_REQUIRED("reason", value_string, struct catalog_off, reason),
	};

	return value_read(value, rows, array_size(rows), ret);
}

static struct error *read_machine(const struct value *value, void *ret)
{
	return value_read(value, machine_rows, array_size(machine_rows), ret);
}

// clang-format off
static const struct value_row arch_rows[] = {
	RANGE_ROWS(struct catalog_arch, versions),
	VALUE_REQUIRED("kernel_arch", value_string, struct catalog_arch, kernel_arch),
	VALUE_REQUIRED("source_arch", value_string, struct catalog_arch, source_arch),
	VALUE_REQUIRED("cross_prefix", value_string, struct catalog_arch, cross_prefix),
	VALUE_REQUIRED("image_target", value_string, struct catalog_arch, image_target),
	VALUE_REQUIRED("image_path", value_string, struct catalog_arch, image_path),
	VALUE_OPTIONAL("reason", value_string, struct catalog_arch, reason),
	{ .key = "off", .read = read_off, .offset = offsetof(struct catalog_arch, off), .each_item = true, .optional = true, .size = sizeof(struct catalog_off) },
	VALUE_OPTIONAL("enabled", value_flag, struct catalog_arch, enabled),
	VALUE_OPTIONAL("cflags", value_string, struct catalog_arch, cflags),
	{ .key = "kdump", .read = read_kdump },
	VALUE_REQUIRED("crosstool_target", value_string, struct catalog_arch, crosstool_target),
	VALUE_OPTIONAL("crosstool_host", value_string, struct catalog_arch, crosstool_host),
	VALUE_REQUIRED("debian_arch", value_string, struct catalog_arch, debian_arch),
	VALUE_REQUIRED("debian_suite", value_string, struct catalog_arch, debian_suite),
	VALUE_REQUIRED("qemu", value_string, struct catalog_arch, qemu),
	VALUE_REQUIRED("console", value_string, struct catalog_arch, console),
	VALUE_OPTIONAL("sysrq", value_string, struct catalog_arch, sysrq),
	VALUE_OPTIONAL("terminal", value_string, struct catalog_arch, terminal),
	VALUE_OPTIONAL_NUMBER("command_line_bytes", 0, NUMBER_MAX, struct catalog_arch, command_line_bytes),
	VALUE_OPTIONAL("host_names", value_strings, struct catalog_arch, host_names),
	VALUE_ITEMS("machines", read_machine, struct catalog_arch, machines),
};
// clang-format on

/** Another would be built, and then not be found among the packages. */
static struct error *check_name(const struct value *value, size_t size)
{
	if (strlen(value->key) >= size)
		return value_error(value,
				   "the name has %zu characters, and may have %zu",
				   strlen(value->key), size - 1);
	if (!release_word_is_valid(value->key, size))
		return value_error(
			value,
			"a name has letters, digits and _, and does not begin with a digit");
	return NULL;
}

static struct error *read_arch(const struct value *value, void *ret)
{
	struct error *err;

	struct catalog_arch *arch = ret;
	arch->name = value->key;
	arch->enabled = true;
	arch->terminal = "hvc0";
	err = check_name(value, ARCH_SIZE);
	if (err)
		return err;
	err = value_read(value, arch_rows, array_size(arch_rows), arch);
	if (err)
		return err;
	if (!arch->machine_count)
		return value_error(value, "\"machines\" is empty");
	return NULL;
}

static struct error *read_flavor(const struct value *value, void *ret)
{
	// clang-format off
	static const struct value_row rows[] = {
		RANGE_ROWS(struct catalog_flavor, versions),
		VALUE_NUMBER("minor", 0, NUMBER_MAX, struct catalog_flavor, minor),
		VALUE_OPTIONAL_NUMBER("objects", 0, NUMBER_MAX, struct catalog_flavor, objects),
		VALUE_OPTIONAL("summary", value_string, struct catalog_flavor, summary),
		VALUE_OPTIONAL("architectures", value_strings, struct catalog_flavor, archs),
		VALUE_OPTIONAL("reason", value_string, struct catalog_flavor, reason),
	};
	// clang-format on
	struct error *err;

	struct catalog_flavor *flavor = ret;
	flavor->name = value->key;
	err = check_name(value, FLAVOR_SIZE);
	if (err)
		return err;
	err = value_read(value, rows, array_size(rows), flavor);
	if (err)
		return err;
	bool is_bound = flavor->archs.count || flavor->versions.min.major ||
			flavor->versions.below.major;
	if (is_bound != !!flavor->reason)
		return value_error(value,
				   "bounds and \"reason\" need each other");
	return NULL;
}

/** A misspelt flavor would silently be built. */
static struct error *check_off(const struct catalog *catalog,
			       const struct catalog_arch *arch, const char *name)
{
	struct error *err;

	for (size_t i = 0; i < arch->off_count; i++) {
		const struct string_list *flavors = &arch->off[i].flavors;

		for (size_t j = 0; j < flavors->count; j++) {
			const struct catalog_flavor *flavor;

			err = catalog_find_flavor(catalog, flavors->items[j],
						  &flavor);
			if (err)
				return error_wrap(err, "%s: architectures.%s.off",
						  name, arch->name);
		}
	}
	return NULL;
}

/** A misspelt architecture would silently have no kernels. */
static struct error *check_flavors(const struct catalog *catalog, const char *name)
{
	struct error *err;

	for (size_t i = 0; i < catalog->flavor_count; i++) {
		const struct catalog_flavor *flavor = &catalog->flavors[i];

		for (size_t j = 0; j < flavor->archs.count; j++) {
			const struct catalog_arch *arch;

			err = catalog_find_arch(catalog, flavor->archs.items[j],
						&arch);
			if (err)
				return error_wrap(err, "%s: flavors.%s", name,
						  flavor->name);
		}
	}
	for (size_t i = 0; i < catalog->arch_count; i++) {
		const struct catalog_arch *arch = &catalog->archs[i];

		err = check_off(catalog, arch, name);
		if (err)
			return err;
	}
	return NULL;
}

static struct error *read_series(const struct value *value, void *ret)
{
	static const struct value_row rows[] = {
		RANGE_ROWS(struct catalog_series, range),
		VALUE_OPTIONAL("enabled", value_flag, struct catalog_series,
			       enabled),
		VALUE_OPTIONAL("reason", value_string, struct catalog_series,
			       reason),
	};
	struct catalog_series *series = ret;

	series->enabled = true;
	return value_read(value, rows, array_size(rows), series);
}

static struct error *read_tried(const struct value *value, void *ret)
{
	static const struct value_row rows[] = {
		RANGE_ROWS(struct catalog_gcc, kernels),
		VALUE_NUMBER("newest", 1, NUMBER_MAX, struct catalog_gcc, newest),
		VALUE_REQUIRED("reason", value_string, struct catalog_gcc, reason),
	};

	return value_read(value, rows, array_size(rows), ret);
}

static struct error *read_crosstool(const struct value *value, void *ret)
{
	struct error *err;
	struct catalog_crosstool *crosstool = ret;

	crosstool->name = value->key;
	err = value_string(value, &crosstool->digest);
	if (err)
		return err;
	return digest_is_valid(crosstool->digest)
		       ? NULL
		       : value_error(value, "expected one of SHA-256");
}

static struct error *read_gcc(const struct value *value, void *ret)
{
	// clang-format off
	static const struct value_row rows[] = {
		VALUE_NUMBER("reference", 1, NUMBER_MAX, struct catalog, gcc.reference),
		VALUE_REQUIRED("crosstool", value_version, struct catalog, gcc.crosstool),
		VALUE_ROW("crosstool_sha256", struct catalog, gcc.digests, .read = read_crosstool, .each_member = true, .size = sizeof(struct catalog_crosstool), .optional = true),
		VALUE_ITEMS("tried", read_tried, struct catalog, gcc.tried),
	};
	// clang-format on

	return value_read(value, rows, array_size(rows), ret);
}

/** @return What follows the host; NULL if nothing does. */
static const char *url_path(const char *url)
{
	const char *host = strstr(url, "://");

	return host ? strchr(host + 3, '/') : NULL;
}

static struct error *read_url(const struct value *value, void *ret)
{
	struct error *err;
	const char *url;

	err = value_string(value, &url);
	if (err)
		return err;
	if (!url_path(url))
		return value_error(value, "expected a URL with a path");
	*(const char **)ret = url;
	return NULL;
}

static struct error *read_signer(const struct value *value, void *ret)
{
	struct catalog_signer *signer = ret;

	signer->fingerprint = value->key;
	if (strlen(value->key) != 40 ||
	    strspn(value->key, "0123456789ABCDEF") != 40)
		return value_error(
			value,
			"its name is not a fingerprint of 40 digits in upper case");
	return value_string(value, &signer->name);
}

static struct error *read_kernel_org(const struct value *value, void *ret)
{
	// clang-format off
	static const struct value_row rows[] = {
		VALUE_REQUIRED("releases", read_url, struct catalog, kernel_org.releases_url),
		VALUE_REQUIRED("tarballs", read_url, struct catalog, kernel_org.tarballs_url),
		VALUE_REQUIRED("tarballs", value_string, struct catalog, kernel_org.published_tarballs_url),
		VALUE_REQUIRED("git", read_url, struct catalog, kernel_org.git_url),
		VALUE_REQUIRED("rc", read_url, struct catalog, kernel_org.rc_url),
		VALUE_REQUIRED("crosstool", read_url, struct catalog, kernel_org.crosstool_url),
		VALUE_OPTIONAL("mirror", read_url, struct catalog, kernel_org.mirror_url),
		VALUE_OPTIONAL("keyring", value_string, struct catalog, kernel_org.keyring),
		VALUE_ROW("signers", struct catalog, kernel_org.signers, .read = read_signer, .each_member = true, .size = sizeof(struct catalog_signer), .optional = true),
	};
	// clang-format on

	return value_read(value, rows, array_size(rows), ret);
}

static struct error *read_rootfs(const struct value *value, void *ret)
{
	static const struct value_row rows[] = {
		VALUE_OPTIONAL("packages", value_strings, struct catalog,
			       rootfs.packages),
	};

	return value_read(value, rows, array_size(rows), ret);
}

// clang-format off
static const struct value_row catalog_rows[] = {
	VALUE_REQUIRED("repository", value_string, struct catalog, repository),
	VALUE_REQUIRED("tag", value_string, struct catalog, tag),
	VALUE_OPTIONAL("attested", value_flag, struct catalog, attested),
	VALUE_NUMBER("revision", 0, NUMBER_MAX, struct catalog, revision),
	VALUE_REQUIRED("verified", value_version, struct catalog, verified),
	{ .key = "kernel_org", .read = read_kernel_org },
	VALUE_ITEMS("series", read_series, struct catalog, series),
	{ .key = "gcc", .read = read_gcc },
	VALUE_MEMBERS("flavors", read_flavor, struct catalog, flavors),
	VALUE_MEMBERS("architectures", read_arch, struct catalog, archs),
	{ .key = "rootfs", .read = read_rootfs, .optional = true },
};
// clang-format on

/** Put a mirror in the place of every host. */
static void move_to_mirror(const char *mirror, struct catalog *catalog)
{
	const char **const urls[] = {
		&catalog->kernel_org.releases_url,
		&catalog->kernel_org.tarballs_url,
		&catalog->kernel_org.git_url,
		&catalog->kernel_org.rc_url,
		&catalog->kernel_org.crosstool_url,
		&catalog->kernel_org.mirror_url,
	};
	size_t length = strlen(mirror);

	while (length && mirror[length - 1] == '/')
		length--;
	for (size_t i = 0; i < array_size(urls); i++) {
		if (!*urls[i])
			continue;
		string_list_addf(&catalog->mirror_urls, "%.*s%s", (int)length,
				 mirror, url_path(*urls[i]));
		*urls[i] =
			catalog->mirror_urls.items[catalog->mirror_urls.count - 1];
	}
}

struct error *catalog_parse(const char *text, const char *name,
			    const char *kernel_org, struct catalog **ret)
{
	struct error *err;

	_cleanup_value_ struct value document = { 0 };
	err = value_parse(text, strlen(text), name, ERROR_USAGE, &document);
	if (err)
		return err;

	_cleanup_catalog_ struct catalog *catalog =
		memory_allocate(1, sizeof(*catalog));
	// Its strings are the document's.
	catalog->json = json_incref(document.json);
	err = value_read(&document, catalog_rows, array_size(catalog_rows),
			 catalog);
	if (err)
		return err;
	err = check_flavors(catalog, name);
	if (err)
		return err;

	if (kernel_org)
		move_to_mirror(kernel_org, catalog);
	*ret = take_ptr(catalog);
	return NULL;
}

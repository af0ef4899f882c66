// SPDX-License-Identifier: LGPL-2.1-or-later

#include "common/kernel/release.h"

#include <ctype.h>
#include <fnmatch.h>
#include <stdio.h>
#include <string.h>

#include "common/base/text.h"

#define LOCAL_PREFIX "-vmtest"
#define PACKAGE_PREFIX "kernel-"
#define PACKAGE_SUFFIX ".tar.zst"

/** Parse the decimal number, of 8 digits at most, that a string begins with. */
static bool number_parse(const char **text, unsigned int *ret)
{
	int length = 0;

	if (!isdigit((unsigned char)**text) ||
	    sscanf(*text, "%9u%n", ret, &length) != 1 || length > 8)
		return false;
	*text += length;
	return true;
}

static int number_compare(unsigned int a, unsigned int b)
{
	return (a > b) - (a < b);
}

bool kernel_version_parse_prefix(const char *text, struct kernel_version *ret,
				 const char **end_ret)
{
	struct kernel_version version = { 0 };
	const char *p = text;

	if (!number_parse(&p, &version.major) || *p++ != '.' ||
	    !number_parse(&p, &version.minor))
		return false;
	if (p[0] == '.' && isdigit((unsigned char)p[1])) {
		p++;
		if (!number_parse(&p, &version.patch))
			return false;
	}
	if (!version.patch && p[0] == '-' && p[1] == 'r' && p[2] == 'c') {
		p += 3;
		if (!number_parse(&p, &version.rc) || !version.rc)
			return false;
	}
	*ret = version;
	*end_ret = p;
	return true;
}

bool kernel_version_parse(const char *text, struct kernel_version *ret)
{
	struct kernel_version version;
	const char *end;

	if (!kernel_version_parse_prefix(text, &version, &end) || *end)
		return false;
	*ret = version;
	return true;
}

struct error *value_version(const struct value *value, void *ret)
{
	struct error *err;
	const char *text;

	err = value_string(value, &text);
	if (err)
		return err;
	if (!kernel_version_parse(text, ret))
		return value_error(value, "\"%s\" is not a kernel version", text);
	return NULL;
}

static void version_format(const struct kernel_version *version, bool full,
			   char text_ret[static KERNEL_VERSION_TEXT_SIZE])
{
	char patch[16] = "", rc[16] = "";

	if (version->patch || full)
		snprintf(patch, sizeof(patch), ".%u", version->patch);
	if (version->rc)
		snprintf(rc, sizeof(rc), "-rc%u", version->rc);
	snprintf(text_ret, KERNEL_VERSION_TEXT_SIZE, "%u.%u%s%s",
		 version->major, version->minor, patch, rc);
}

void kernel_version_format(const struct kernel_version *version,
			   char text_ret[static KERNEL_VERSION_TEXT_SIZE])
{
	version_format(version, false, text_ret);
}

void kernel_version_format_full(const struct kernel_version *version,
				char text_ret[static KERNEL_VERSION_TEXT_SIZE])
{
	version_format(version, true, text_ret);
}

void kernel_version_format_series(const struct kernel_version *version,
				  char text_ret[static KERNEL_VERSION_TEXT_SIZE])
{
	snprintf(text_ret, KERNEL_VERSION_TEXT_SIZE, "%u.%u", version->major,
		 version->minor);
}

int kernel_version_compare_series(const struct kernel_version *a,
				  const struct kernel_version *b)
{
	int order = number_compare(a->major, b->major);

	return order ? order : number_compare(a->minor, b->minor);
}

int kernel_version_compare(const struct kernel_version *a,
			   const struct kernel_version *b)
{
	int order = kernel_version_compare_series(a, b);

	if (!order)
		order = number_compare(a->patch, b->patch);
	// A final version, whose rc is 0, is above all its candidates.
	if (!order)
		order = number_compare(a->rc - 1, b->rc - 1);
	return order;
}

bool kernel_version_is_rc(const struct kernel_version *version)
{
	return version->rc != 0;
}

bool release_word_is_valid(const char *text, size_t size)
{
	size_t length = strlen(text);

	if (!length || length >= size || isdigit((unsigned char)*text))
		return false;
	for (const char *p = text; *p; p++) {
		if (!isalnum((unsigned char)*p) && *p != '_')
			return false;
	}
	return true;
}

bool release_parse(const char *text, struct release *ret)
{
	struct release release = { 0 };
	const char *p;

	if (!kernel_version_parse_prefix(text, &release.version, &p) ||
	    strncmp(p, LOCAL_PREFIX, strlen(LOCAL_PREFIX)) != 0)
		return false;
	p += strlen(LOCAL_PREFIX);
	if (!number_parse(&p, &release.revision) || *p++ != '.' ||
	    !number_parse(&p, &release.minor))
		return false;
	if (*p == '.') {
		p++;
		if (!number_parse(&p, &release.patch))
			return false;
	}
	if (!release_word_is_valid(p, sizeof(release.flavor)))
		return false;
	strcpy(release.flavor, p);
	*ret = release;
	return true;
}

struct error *value_release(const struct value *value, void *ret)
{
	struct error *err;
	const char *text;

	err = value_string(value, &text);
	if (err)
		return err;
	if (!release_parse(text, ret))
		return value_error(value, "expected the release of a kernel");
	return NULL;
}

struct error *value_arch(const struct value *value, void *ret)
{
	struct error *err;
	const char *text;

	err = value_string(value, &text);
	if (err)
		return err;
	if (!release_word_is_valid(text, ARCH_SIZE))
		return value_error(value, "expected an architecture");
	strcpy(ret, text);
	return NULL;
}

void release_format_local(const struct release *release,
			  char text_ret[static RELEASE_TEXT_SIZE])
{
	char patch[16] = "";

	if (release->patch)
		snprintf(patch, sizeof(patch), ".%u", release->patch);
	snprintf(text_ret, RELEASE_TEXT_SIZE, LOCAL_PREFIX "%u.%u%s%s",
		 release->revision, release->minor, patch, release->flavor);
}

void release_format(const struct release *release,
		    char text_ret[static RELEASE_TEXT_SIZE])
{
	char version[KERNEL_VERSION_TEXT_SIZE], local[RELEASE_TEXT_SIZE];

	kernel_version_format_full(&release->version, version);
	release_format_local(release, local);
	if (snprintf(text_ret, RELEASE_TEXT_SIZE, "%s%s", version, local) >=
	    RELEASE_TEXT_SIZE)
		text_ret[0] = '\0';
}

int release_compare(const struct release *a, const struct release *b)
{
	int order = kernel_version_compare(&a->version, &b->version);

	if (!order)
		order = number_compare(a->revision, b->revision);
	if (!order)
		order = number_compare(a->minor, b->minor);
	if (!order)
		order = number_compare(a->patch, b->patch);
	return order ? order : strcmp(a->flavor, b->flavor);
}

bool release_same_kind(const struct release *a, const struct release *b)
{
	return kernel_version_compare_series(&a->version, &b->version) == 0 &&
	       strcmp(a->flavor, b->flavor) == 0;
}

bool release_matches(const char *text, const char *pattern)
{
	struct kernel_version version;
	struct release release;
	const char *dot;

	if (fnmatch(pattern, text, 0) == 0)
		return true;
	if (!release_parse(text, &release))
		return false;
	if (strcmp(pattern, release.flavor) == 0)
		return true;
	if (!kernel_version_parse(pattern, &version))
		return false;
	// `6.12` is the series; `6.12.0` the mainline version itself.
	dot = strrchr(pattern, '.');
	if (!version.rc && strchr(pattern, '.') == dot)
		return kernel_version_compare_series(&version,
						     &release.version) == 0;
	return kernel_version_compare(&version, &release.version) == 0;
}

bool release_is_selected(const struct release *release, const char *arch,
			 const struct release_selection *selection)
{
	char text[RELEASE_TEXT_SIZE];

	release_format(release, text);
	bool matches = !selection->kernels->count;
	for (size_t i = 0; i < selection->kernels->count && !matches; i++)
		matches = release_matches(text, selection->kernels->items[i]);
	return matches &&
	       (!selection->archs->count ||
		string_list_contains(selection->archs, arch)) &&
	       (!selection->flavors->count ||
		string_list_contains(selection->flavors, release->flavor));
}

void package_name_format(const char *release, const char *arch,
			 char name_ret[static PACKAGE_NAME_SIZE])
{
	snprintf(name_ret, PACKAGE_NAME_SIZE,
		 PACKAGE_PREFIX "%s.%s" PACKAGE_SUFFIX, release, arch);
}

bool package_name_parse(const char *name, struct release *release_ret,
			char arch_ret[static ARCH_SIZE])
{
	size_t length = strlen(name), prefix = strlen(PACKAGE_PREFIX),
	       suffix = strlen(PACKAGE_SUFFIX);
	char text[PACKAGE_NAME_SIZE];
	struct release release;
	char *dot;

	if (length <= prefix + suffix || length >= sizeof(text) ||
	    strncmp(name, PACKAGE_PREFIX, prefix) != 0 ||
	    strcmp(name + length - suffix, PACKAGE_SUFFIX) != 0)
		return false;
	memcpy(text, name + prefix, length - prefix - suffix);
	text[length - prefix - suffix] = '\0';
	dot = strrchr(text, '.');
	if (!dot || !release_word_is_valid(dot + 1, ARCH_SIZE))
		return false;
	*dot = '\0';
	if (!release_parse(text, &release))
		return false;
	*release_ret = release;
	strcpy(arch_ret, dot + 1);
	return true;
}

// SPDX-License-Identifier: LGPL-2.1-or-later

#include "common/kernel/release.h"

#include <ctype.h>
#include <stdio.h>

bool number_parse(const char **text, unsigned int *ret)
{
	int length = 0;

	if (!isdigit((unsigned char)**text) ||
	    sscanf(*text, "%9u%n", ret, &length) != 1 || length > 8)
		return false;
	*text += length;
	return true;
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
		return value_error(value, "\"%s\" is no kernel version", text);
	return NULL;
}

static void format(const struct kernel_version *version, bool full,
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
	format(version, false, text_ret);
}

void kernel_version_format_full(const struct kernel_version *version,
				char text_ret[static KERNEL_VERSION_TEXT_SIZE])
{
	format(version, true, text_ret);
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

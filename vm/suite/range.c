// SPDX-License-Identifier: LGPL-2.1-or-later

#include "vm/suite/range.h"

#include <jansson.h>
#include <string.h>

#include "common/base/memory.h"
#include "common/base/text.h"

static enum bisect_verdict verdict_at(const struct suite *suite, size_t index)
{
	return bisect_verdict_of(&suite->items[index]);
}

static bool is_known(const struct suite *suite, size_t index)
{
	return verdict_at(suite, index) == BISECT_GOOD ||
	       verdict_at(suite, index) == BISECT_BAD;
}

/** The middle between the first two neighbours that differ. */
static bool find_between(const struct suite *suite, size_t *index_ret)
{
	size_t before = suite->count;

	for (size_t i = 0; i < suite->count; i++) {
		if (!is_known(suite, i))
			continue;
		if (before < i &&
		    verdict_at(suite, before) != verdict_at(suite, i)) {
			*index_ret = bisect_middle(suite, before, i);
			if (*index_ret != i)
				return true;
		}
		before = i;
	}
	return false;
}

bool range_next(const struct suite *suite, size_t *index_ret)
{
	static const size_t quarters[] = { 0, 4, 2, 1, 3 };
	size_t first = 0, end = suite->count;

	// The ends are the outermost that are not skipped.
	while (first < end && verdict_at(suite, first) == BISECT_SKIPPED)
		first++;
	while (end > first && verdict_at(suite, end - 1) == BISECT_SKIPPED)
		end--;
	for (size_t i = 0; i < array_size(quarters) && first < end; i++) {
		*index_ret = first + (end - 1 - first) * quarters[i] / 4;
		if (verdict_at(suite, *index_ret) == BISECT_UNTESTED)
			return true;
	}
	return find_between(suite, index_ret);
}

size_t range_tested(const struct suite *suite)
{
	size_t count = 0;

	for (size_t i = 0; i < suite->count; i++)
		count += is_known(suite, i);
	return count;
}

/** Kernels in a row of which all that are known have the same verdict. */
struct part {
	enum bisect_verdict verdict;
	size_t first, last;
	/** Whether it is the first one, and the last one. */
	bool is_oldest, is_newest;
};

/** @param[in,out] from Where to look; then the end of the part. */
static bool next_part(const struct suite *suite, size_t *from, struct part *ret)
{
	bool is_oldest = !*from;
	size_t i = *from;

	while (i < suite->count && !is_known(suite, i))
		i++;
	if (i == suite->count)
		return false;
	*ret = (struct part){ verdict_at(suite, i), i, i, is_oldest, true };
	for (; i < suite->count && ret->is_newest; i++) {
		if (is_known(suite, i) && verdict_at(suite, i) != ret->verdict) {
			ret->is_newest = false;
			break;
		}
		if (is_known(suite, i))
			ret->last = i;
	}
	*from = i;
	return true;
}

void range_append(struct string_builder *sb, const struct suite *suite,
		  enum bisect_verdict verdict)
{
	const char *separator = "";
	struct part part;

	for (size_t from = 0; next_part(suite, &from, &part);) {
		char first[KERNEL_VERSION_TEXT_SIZE];
		char last[KERNEL_VERSION_TEXT_SIZE];

		if (part.verdict != verdict)
			continue;
		kernel_version_format(&suite->items[part.first].release.version,
				      first);
		kernel_version_format(&suite->items[part.last].release.version,
				      last);
		string_builder_append(sb, separator);
		if (part.is_oldest && part.is_newest)
			string_builder_append(sb, "all");
		else if (part.is_oldest)
			string_builder_appendf(sb, "up to %s", last);
		else if (part.is_newest)
			string_builder_appendf(sb, "from %s", first);
		else if (part.first == part.last)
			string_builder_append(sb, first);
		else
			string_builder_appendf(sb, "%s to %s", first, last);
		separator = ", ";
	}
	if (!*separator)
		string_builder_append(sb,
				      range_tested(suite) ? "none" : "unknown");
}

json_t *range_json(const struct suite *suite, enum bisect_verdict verdict)
{
	json_t *list = json_array();
	struct part part;

	for (size_t from = 0; next_part(suite, &from, &part);) {
		if (part.verdict == verdict)
			json_array_append_new(
				list,
				json_pack("{s:s, s:s}", "first",
					  suite->items[part.first].name, "last",
					  suite->items[part.last].name));
	}
	return list;
}

char *badge_format(const char *label, const char *text)
{
	// About as wide as Verdana is, of which not all viewers have the widths.
	const size_t left = 10 + 7 * strlen(label);
	const size_t right = 10 + 7 * strlen(text);

	return string_format(
		"<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%zu\" height=\"20\" role=\"img\" aria-label=\"%s: %s\">\n"
		"  <rect width=\"%zu\" height=\"20\" fill=\"#555\"/>\n"
		"  <rect x=\"%zu\" width=\"%zu\" height=\"20\" fill=\"#07c\"/>\n"
		"  <g fill=\"#fff\" font-family=\"Verdana,DejaVu Sans,sans-serif\" font-size=\"11\" text-anchor=\"middle\">\n"
		"    <text x=\"%zu\" y=\"14\">%s</text>\n"
		"    <text x=\"%zu\" y=\"14\">%s</text>\n"
		"  </g>\n"
		"</svg>\n",
		left + right, label, text, left, left, right, left / 2, label,
		left + right / 2, text);
}

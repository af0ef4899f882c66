// SPDX-License-Identifier: LGPL-2.1-or-later

#include "kbuild/source/patch_lines.h"

#include <string.h>

#include "common/base/error.h"
#include "common/base/memory.h"

void patch_lines_deinit(struct patch_lines *lines)
{
	free(lines->items);
	*lines = (struct patch_lines){ 0 };
}

struct error *patch_lines_add(struct patch_lines *lines, const char *start,
			      size_t length)
{
	// The capacity is the power of two that is not below the count.
	if ((lines->count & (lines->count - 1)) == 0) {
		size_t capacity = lines->count ? lines->count * 2 : 1;
		struct patch_line *items =
			memory_resize(lines->items, capacity, sizeof(*items));
		lines->items = items;
	}
	lines->items[lines->count++] = (struct patch_line){ start, length };
	return NULL;
}

struct error *patch_lines_split(struct patch_lines *lines, const char *text,
				size_t size_bytes)
{
	const char *end = text + size_bytes;

	while (text < end) {
		const char *newline = memchr(text, '\n', end - text);
		size_t length = newline ? newline + 1 - text : end - text;
		struct error *err = patch_lines_add(lines, text, length);

		if (err)
			return err;
		text += length;
	}
	return NULL;
}

static bool matches_at(const struct patch_lines *file,
		       const struct patch_lines *wanted, size_t index)
{
	for (size_t i = 0; i < wanted->count; i++) {
		const struct patch_line *a = &file->items[index + i];
		const struct patch_line *b = &wanted->items[i];

		if (a->length != b->length ||
		    memcmp(a->start, b->start, a->length) != 0)
			return false;
	}
	return true;
}

bool patch_lines_find(const struct patch_lines *file,
		      const struct patch_search *search, size_t *index_ret)
{
	const struct patch_lines *wanted = search->wanted;
	size_t first = search->first, last, expected = search->expected;

	if (file->count < wanted->count)
		return false;
	last = file->count - wanted->count;
	if (search->at_start)
		last = 0;
	if (search->at_end && first < file->count - wanted->count)
		first = file->count - wanted->count;
	if (first > last)
		return false;
	if (expected < first)
		expected = first;
	if (expected > last)
		expected = last;
	for (size_t distance = 0;
	     distance <= last - expected || distance <= expected - first;
	     distance++) {
		if (distance <= expected - first &&
		    matches_at(file, wanted, expected - distance)) {
			*index_ret = expected - distance;
			return true;
		}
		if (distance <= last - expected &&
		    matches_at(file, wanted, expected + distance)) {
			*index_ret = expected + distance;
			return true;
		}
	}
	return false;
}

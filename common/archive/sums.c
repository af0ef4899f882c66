// SPDX-License-Identifier: LGPL-2.1-or-later

#include "common/archive/sums.h"

#include <stdbool.h>
#include <string.h>

#include "common/base/error.h"

static const char message_begin[] = "-----BEGIN PGP SIGNED MESSAGE-----";
static const char signature_begin[] = "-----BEGIN PGP SIGNATURE-----";
static const char signature_end[] = "-----END PGP SIGNATURE-----";
static const char separator[] = "  ";

struct line {
	const char *start;
	size_t length;
};

/** The lines that are left of a text. */
struct lines {
	const char *next;
	const char *end;
	unsigned int number;
};

/** @return Whether there was another line, ended by a newline. */
static bool lines_take(struct lines *lines, struct line *ret)
{
	const char *newline;

	if (lines->next == lines->end)
		return false;
	newline = memchr(lines->next, '\n', lines->end - lines->next);
	if (!newline)
		return false;
	*ret = (struct line){ lines->next, newline - lines->next };
	lines->next = newline + 1;
	lines->number++;
	return true;
}

static bool line_is(const struct line *line, const char *text)
{
	return line->length == strlen(text) &&
	       memcmp(line->start, text, line->length) == 0;
}

static struct error *error_line(const struct lines *lines, const char *wanted)
{
	return error_create(ERROR_OTHER, "line %u is not %s", lines->number,
			    wanted);
}

static struct error *error_cut_off(void)
{
	return error_create(ERROR_OTHER, "it is cut off");
}

/** Read `HEX  NAME`. @return Whether it is that. */
static bool line_parse(const struct line *line,
		       char digest_ret[static DIGEST_TEXT_SIZE],
		       struct line *name_ret)
{
	const size_t digits = DIGEST_TEXT_SIZE - 1;
	size_t start = digits + strlen(separator);

	if (line->length <= start)
		return false;
	memcpy(digest_ret, line->start, digits);
	digest_ret[digits] = '\0';
	if (!digest_is_valid(digest_ret) ||
	    memcmp(line->start + digits, separator, strlen(separator)) != 0)
		return false;
	*name_ret = (struct line){ line->start + start, line->length - start };
	for (size_t i = 0; i < name_ret->length; i++) {
		unsigned char c = name_ret->start[i];

		if (c <= ' ' || c >= 0x7f)
			return false;
	}
	return true;
}

/** Read up to where the list starts: the armour's headers, an empty line. */
static struct error *header_skip(struct lines *lines)
{
	struct line line;

	if (!lines_take(lines, &line))
		return error_cut_off();
	if (!line_is(&line, message_begin))
		return error_line(lines, message_begin);
	do {
		if (!lines_take(lines, &line))
			return error_cut_off();
		if (line.length && !memmem(line.start, line.length, ": ", 2))
			return error_line(lines, "a header of a PGP message");
	} while (line.length);
	return NULL;
}

static struct error *signature_skip(struct lines *lines)
{
	struct line line;

	do {
		if (!lines_take(lines, &line))
			return error_cut_off();
	} while (!line_is(&line, signature_end));
	while (lines_take(lines, &line)) {
		if (line.length)
			return error_line(lines, "the end");
	}
	if (lines->next != lines->end)
		return error_create(ERROR_OTHER, "there is more after its end");
	return NULL;
}

struct error *sums_find(const char *text, size_t size_bytes, const char *name,
			char digest_ret[static DIGEST_TEXT_SIZE])
{
	struct error *err;
	struct lines lines = { text, text + size_bytes, 0 };
	char found[DIGEST_TEXT_SIZE] = "";
	struct line line;

	err = header_skip(&lines);
	if (err)
		return err;
	for (;;) {
		char digest[DIGEST_TEXT_SIZE];
		struct line line_name;

		if (!lines_take(&lines, &line))
			return error_cut_off();
		if (line_is(&line, signature_begin))
			break;
		if (!line_parse(&line, digest, &line_name))
			return error_line(&lines, "'DIGEST  NAME'");
		if (!line_is(&line_name, name))
			continue;
		if (found[0] && strcmp(found, digest) != 0)
			return error_create(ERROR_OTHER,
					    "two digests of %s in it", name);
		memcpy(found, digest, sizeof(found));
	}
	err = signature_skip(&lines);
	if (err)
		return err;
	if (!found[0])
		return error_create(ERROR_NOT_FOUND, "no digest of %s in it",
				    name);
	memcpy(digest_ret, found, sizeof(found));
	return NULL;
}

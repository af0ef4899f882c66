// SPDX-License-Identifier: LGPL-2.1-or-later

#include "common/archive/archive.h"

#include <stdbool.h>
#include <string.h>

#include "common/base/error.h"
#include "common/base/memory.h"

static const char message_begin[] = "-----BEGIN PGP SIGNED MESSAGE-----";
static const char signature_begin[] = "-----BEGIN PGP SIGNATURE-----";
static const char signature_end[] = "-----END PGP SIGNATURE-----";

struct sums {
	/** Whose digest is looked for. */
	const char *name;
	/** What the next line belongs to. */
	enum {
		START,
		HEADERS,
		LIST,
		SIGNATURE,
		END,
	} place;
	/** "" until it is found. */
	char digest[DIGEST_TEXT_SIZE];
	bool has_another;
};

/** Take a line of the list, `HEX  NAME`, apart. @return Whether it is that. */
static bool take_digest(struct sums *sums, char *line)
{
	enum {
		DIGITS = DIGEST_TEXT_SIZE - 1
	};
	const char *name = line + DIGITS + 2;

	if (strlen(line) <= DIGITS + 2 || memcmp(line + DIGITS, "  ", 2) != 0)
		return false;
	line[DIGITS] = '\0';
	if (!digest_is_valid(line))
		return false;
	for (const char *p = name; *p; p++) {
		if (*p <= ' ' || *p > '~')
			return false;
	}
	if (strcmp(name, sums->name) != 0)
		return true;
	sums->has_another |= *sums->digest && strcmp(sums->digest, line) != 0;
	memcpy(sums->digest, line, sizeof(sums->digest));
	return true;
}

/** @return What the line should be; NULL if it is in order. */
static const char *take_line(struct sums *sums, char *line)
{
	switch (sums->place) {
	case START:
		sums->place = HEADERS;
		return strcmp(line, message_begin) == 0 ? NULL : message_begin;
	case HEADERS:
		if (*line)
			return strstr(line, ": ") ? NULL
						  : "a header of a PGP message";
		sums->place = LIST;
		return NULL;
	case LIST:
		if (strcmp(line, signature_begin) != 0)
			return take_digest(sums, line) ? NULL : "'DIGEST  NAME'";
		sums->place = SIGNATURE;
		return NULL;
	case SIGNATURE:
		if (strcmp(line, signature_end) == 0)
			sums->place = END;
		return NULL;
	case END:
		break;
	}
	return *line ? "the end" : NULL;
}

struct error *sums_find(const char *text, size_t size_bytes, const char *name,
			char digest_ret[static DIGEST_TEXT_SIZE])
{
	struct sums sums = { .name = name };

	if (memchr(text, '\0', size_bytes))
		return error_create(ERROR_OTHER, "it holds a null byte");

	_cleanup_free_ char *copy = string_copy_n(text, size_bytes);
	char *line = copy, *end;

	for (unsigned int number = 1; (end = strchr(line, '\n')); number++) {
		*end = '\0';

		const char *wanted = take_line(&sums, line);

		if (wanted)
			return error_create(ERROR_OTHER, "line %u is not %s",
					    number, wanted);
		line = end + 1;
	}
	if (*line || sums.place != END)
		return error_create(ERROR_OTHER, "it is cut off");
	if (sums.has_another)
		return error_create(ERROR_OTHER, "two digests of %s in it", name);
	if (!*sums.digest)
		return error_create(ERROR_NOT_FOUND, "no digest of %s in it",
				    name);
	memcpy(digest_ret, sums.digest, sizeof(sums.digest));
	return NULL;
}

// SPDX-License-Identifier: LGPL-2.1-or-later

#include "common/kernel/remote.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "common/base/error.h"
#include "common/base/log.h"
#include "common/base/memory.h"
#include "common/http/http.h"

enum {
	/** A pkt-line begins with so many digits. */
	LENGTH_DIGITS = 4,
};

static const char tag_prefix[] = "refs/tags/";
/** What ends the second entry of an annotated tag. */
static const char peeled_suffix[] = "^{}";
static const char hex_digits[] = "0123456789abcdef";

void ref_list_deinit(struct ref_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		free(list->items[i].name);
	free(list->items);
	*list = (struct ref_list){ 0 };
}

void ref_list_add(struct ref_list *list, const char *name, const char *commit)
{
	struct ref ref = { 0 };
	size_t length = strlen(name);
	size_t suffix = strlen(peeled_suffix);

	snprintf(ref.commit, sizeof(ref.commit), "%s", commit);
	memcpy(ref.object, ref.commit, sizeof(ref.object));
	if (length < suffix ||
	    strcmp(name + length - suffix, peeled_suffix) != 0) {
		ref.name = string_copy(name);
		vector_add(list) = ref;
		return;
	}
	if (!list->count)
		return;
	struct ref *last = &list->items[list->count - 1];
	if (strlen(last->name) == length - suffix &&
	    strncmp(last->name, name, length - suffix) == 0)
		memcpy(last->commit, ref.commit, sizeof(last->commit));
}

/** What is left of an answer. */
struct reader {
	const char *data;
	size_t left;
};

/**
 * Take a pkt-line: digits that say how long it is, they included, and a text,
 * of which what follows a null byte is left out.
 *
 * @param[out] line_ret free() it; NULL for the one that ends a section.
 * @return Whether there is one.
 */
static bool reader_take(struct reader *reader, char **line_ret)
{
	char digits[LENGTH_DIGITS + 1] = "";
	size_t length;

	if (reader->left < LENGTH_DIGITS)
		return false;
	memcpy(digits, reader->data, LENGTH_DIGITS);
	if (strspn(digits, hex_digits) != LENGTH_DIGITS)
		return false;
	length = strtoul(digits, NULL, 16);
	*line_ret = NULL;
	if (length) {
		if (length < LENGTH_DIGITS || length > reader->left)
			return false;
		*line_ret = string_copy_n(reader->data + LENGTH_DIGITS,
					  length - LENGTH_DIGITS);
		(*line_ret)[strcspn(*line_ret, "\n")] = '\0';
	} else {
		length = LENGTH_DIGITS;
	}
	reader->data += length;
	reader->left -= length;
	return true;
}

static struct error *error_damaged(const struct ref_list *list)
{
	return error_create(ERROR_OTHER,
			    "the list of refs is damaged or cut short after %zu of them; try again",
			    list->count);
}

static struct error *parse_line(struct ref_list *list, char *line)
{
	size_t digits = strspn(line, hex_digits);
	const char *name = line + digits + 1;

	if (strncmp(line, "ERR ", 4) == 0)
		return error_create(ERROR_OTHER, "the server refuses: %s",
				    line + 4);
	// Where the history of a shallow repository ends.
	if (strncmp(line, "shallow ", 8) == 0)
		return NULL;
	if ((digits != 40 && digits != 64) || line[digits] != ' ' || !*name)
		return error_damaged(list);
	// All that a repository without refs lists.
	if (strcmp(name, "capabilities^{}") == 0)
		return NULL;
	line[digits] = '\0';
	ref_list_add(list, name, line);
	return NULL;
}

struct error *ref_list_parse(const char *data, size_t size_bytes,
			     struct ref_list *ret)
{
	struct error *err;
	struct reader reader = { data, size_bytes };
	_cleanup_ref_list_ struct ref_list list = { 0 };
	_cleanup_free_ char *service = NULL;
	unsigned int sections = 0;

	if (!reader_take(&reader, &service) || !service ||
	    strcmp(service, "# service=git-upload-pack") != 0)
		return error_create(
			ERROR_OTHER,
			"the answer is not a list of git refs; it may be a proxy's page, or the server does not speak git's smart HTTP");
	// The service is a section of its own.
	while (sections < 2) {
		_cleanup_free_ char *line = NULL;

		if (!reader_take(&reader, &line))
			return error_damaged(&list);
		if (!line) {
			sections++;
		} else if (sections) {
			err = parse_line(&list, line);
			if (err)
				return err;
		}
	}
	*ret = take(list);
	return NULL;
}

struct error *ref_list_request(struct http *http, const char *url,
			       struct ref_list *ret)
{
	struct error *err;
	_cleanup_http_response_ struct http_response response = { 0 };
	_cleanup_free_ char *address = NULL;
	size_t length = strlen(url);

	while (length && url[length - 1] == '/')
		length--;
	address = string_format("%.*s/info/refs?service=git-upload-pack",
				(int)length, url);
	const struct http_request request = { .url = address };
	err = http_perform_ok(http, &request, &response);
	if (err)
		return err;
	err = ref_list_parse(response.body, response.body_size_bytes, ret);
	return error_wrap(err, "GET %s", address);
}

bool mirror_is_asked(const struct error *err, const char *mirror)
{
	return err && mirror && !error_is(err, ERROR_CANCELLED);
}

struct error *mirror_settle(struct error *first, struct error *second,
			    const char *mirror)
{
	_cleanup_error_ struct error *owned = first;

	if (second)
		return error_wrap(second, "%s; and the mirror",
				  error_message(first));
	log_warning("%s; taken from %s", error_message(first), mirror);
	return NULL;
}

char *ref_full_name(const char *ref, unsigned int choice)
{
	static const char *const prefixes[] = { tag_prefix, "refs/heads/" };

	if (strncmp(ref, "refs/", 5) == 0 || strcmp(ref, "HEAD") == 0)
		return choice == 0 ? string_copy(ref) : NULL;
	if (choice >= array_size(prefixes))
		return NULL;
	return string_format("%s%s", prefixes[choice], ref);
}

const struct ref *ref_list_find(const struct ref_list *list, const char *ref)
{
	for (unsigned int choice = 0;; choice++) {
		_cleanup_free_ char *name = ref_full_name(ref, choice);

		if (!name)
			return NULL;
		for (size_t i = 0; i < list->count; i++) {
			if (strcmp(list->items[i].name, name) == 0)
				return &list->items[i];
		}
	}
}

const char *ref_tag(const struct ref *ref)
{
	size_t length = strlen(tag_prefix);

	return strncmp(ref->name, tag_prefix, length) == 0 ? ref->name + length
							   : NULL;
}

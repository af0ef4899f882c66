// SPDX-License-Identifier: LGPL-2.1-or-later

#include "common/github/github_seal.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/error.h"
#include "common/base/memory.h"
#include "common/base/string_builder.h"
#include "common/store/store.h"

#define SEAL_BEGIN "<!-- vmtest-assets "
#define SEAL_END " -->"

enum {
	DIGEST_LENGTH = DIGEST_TEXT_SIZE - 1,
	/** Two digests, with a space between them. */
	SEAL_LENGTH = sizeof(SEAL_BEGIN) - 1 + 2 * DIGEST_LENGTH + 1 +
		      sizeof(SEAL_END) - 1,
};

static int compare_ids(const void *a, const void *b)
{
	const struct asset *const *x = a, *const *y = b;

	return ((*x)->id > (*y)->id) - ((*x)->id < (*y)->id);
}

struct error *github_seal_digest(const struct asset_list *assets,
				 char digest_ret[static DIGEST_TEXT_SIZE])
{
	_cleanup_string_builder_ struct string_builder sb = STRING_BUILDER_INIT;
	_cleanup_free_ char *text = NULL;
	_cleanup_free_ const struct asset **sorted =
		memory_allocate(assets->count + 1, sizeof(struct asset *));
	for (size_t i = 0; i < assets->count; i++)
		sorted[i] = &assets->items[i];
	qsort(sorted, assets->count, sizeof(struct asset *), compare_ids);
	for (size_t i = 0; i < assets->count; i++)
		string_builder_appendf(&sb, "%" PRIu64 " %s %" PRIu64 " %s\n",
				       sorted[i]->id, sorted[i]->name,
				       sorted[i]->size_bytes, sorted[i]->digest);
	text = string_builder_take(&sb);
	return digest_buffer(text, strlen(text), digest_ret);
}

/** Read the seal that begins here. @return Whether it is one. */
static bool parse_seal(const char *text, struct github_seal *ret)
{
	struct github_seal seal = { 0 };
	const char *p = text + strlen(SEAL_BEGIN);

	if (strlen(text) < SEAL_LENGTH ||
	    strncmp(text, SEAL_BEGIN, strlen(SEAL_BEGIN)) != 0 ||
	    p[DIGEST_LENGTH] != ' ' ||
	    strncmp(p + 2 * DIGEST_LENGTH + 1, SEAL_END, strlen(SEAL_END)) != 0)
		return false;
	memcpy(seal.assets, p, DIGEST_LENGTH);
	memcpy(seal.shown, p + DIGEST_LENGTH + 1, DIGEST_LENGTH);
	if (!digest_is_valid(seal.assets) || !digest_is_valid(seal.shown))
		return false;
	*ret = seal;
	return true;
}

/** @return Where the next seal is; NULL if there is none. */
static const char *find_seal(const char *text, struct github_seal *ret)
{
	while ((text = strstr(text, SEAL_BEGIN))) {
		if (parse_seal(text, ret))
			return text;
		text++;
	}
	return NULL;
}

bool github_seal_read(const char *body, struct github_seal *ret)
{
	return find_seal(body, ret);
}

struct error *github_seal_put_on(const char *text,
				 const struct github_seal *seal, char **ret)
{
	struct string_builder sb = STRING_BUILDER_INIT;

	string_builder_appendf(&sb, "%s\n" SEAL_BEGIN "%s %s" SEAL_END "\n",
			       text, seal->assets, seal->shown);
	*ret = string_builder_take(&sb);
	return NULL;
}

struct error *github_seal_take_off(const char *body, char **ret)
{
	struct string_builder sb = STRING_BUILDER_INIT;
	struct github_seal seal;
	const char *found;

	while ((found = find_seal(body, &seal))) {
		string_builder_append_n(&sb, body, (size_t)(found - body));
		body = found + SEAL_LENGTH;
	}
	string_builder_append(&sb, body);
	*ret = string_builder_take(&sb);
	return NULL;
}

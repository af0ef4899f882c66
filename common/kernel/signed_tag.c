// SPDX-License-Identifier: LGPL-2.1-or-later

#include "common/kernel/remote.h"

#include <git2.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "common/base/error.h"
#include "common/base/memory.h"
#include "common/base/text.h"
#include "common/http/http.h"

enum {
	/** Of an answer that holds a tag and a commit. */
	ANSWER_BYTES_MAX = 4 << 20,
	PACK_HEADER_BYTES = 12,
	/** A pkt-line begins with so many digits. */
	LENGTH_DIGITS = 4,
	/** Bands of an answer: data of the pack, and an error. */
	BAND_DATA = 1,
	BAND_ERROR = 3,
	ID_DIGITS = GIT_OID_HEXSZ,
};

static const char signature_begin[] = "-----BEGIN PGP SIGNATURE-----";

/** Of a pack, what is looked for, as git stores it. */
struct pack_objects {
	struct string_builder tag, commit;
};

static void pack_objects_deinit(struct pack_objects *objects)
{
	string_builder_deinit(&objects->tag);
	string_builder_deinit(&objects->commit);
}

static struct error *error_damaged(void)
{
	return error_create(
		ERROR_OTHER,
		"the answer is damaged, or holds more than a tag and its commit");
}

static struct error *read_object(const unsigned char *data, size_t left,
				 struct pack_objects *ret, size_t *used_ret)
{
	enum {
		TYPE_COMMIT = 1,
		TYPE_TAG = 4,
	};
	size_t used = 0, size;
	unsigned int shift = 4, type;

	if (!left)
		return error_damaged();
	type = data[0] >> 4 & 7;
	size = data[0] & 15;
	while (data[used++] & 0x80) {
		if (used == left || shift > 24)
			return error_damaged();
		size |= (size_t)(data[used] & 0x7f) << shift;
		shift += 7;
	}
	if ((type != TYPE_COMMIT && type != TYPE_TAG) ||
	    size > GIT_OBJECT_BYTES_MAX)
		return error_damaged();
	_cleanup_free_ char *text = memory_allocate(1, size + 1);
	uLong packed = left - used, plain = size;
	if (uncompress2((Bytef *)text, &plain, data + used, &packed) != Z_OK ||
	    plain != size)
		return error_damaged();
	struct string_builder *sb = type == TYPE_TAG ? &ret->tag : &ret->commit;
	string_builder_appendf(sb, "%s %zu",
			       type == TYPE_TAG ? "tag" : "commit", size);
	string_builder_append_char(sb, '\0');
	string_builder_append_n(sb, text, size);
	*used_ret = used + packed;
	return NULL;
}

static struct error *read_pack(const struct string_builder *pack,
			       struct string_builder *ret)
{
	struct error *err;
	static const char begin[] = "PACK\0\0\0\2";
	const unsigned char *data = (const unsigned char *)pack->text;
	size_t offset = PACK_HEADER_BYTES, used;
	_cleanup_(pack_objects_deinit) struct pack_objects found = { 0 };

	if (pack->length < PACK_HEADER_BYTES || memcmp(data, begin, 8) != 0)
		return error_damaged();
	for (unsigned int i = 0; i < data[11]; i++) {
		err = read_object(data + offset, pack->length - offset, &found,
				  &used);
		if (err)
			return err;
		offset += used;
	}
	string_builder_append_n(ret, found.tag.text, found.tag.length);
	string_builder_append_n(ret, found.commit.text, found.commit.length);
	return NULL;
}

/** Take the pack out of an answer of git's protocol, version 2. */
static struct error *unwrap_answer(const char *data, size_t left,
				   struct string_builder *pack_ret)
{
	bool is_pack = false;

	while (left >= LENGTH_DIGITS) {
		char digits[LENGTH_DIGITS + 1] = "";
		memcpy(digits, data, LENGTH_DIGITS);
		if (strspn(digits, "0123456789abcdef") != LENGTH_DIGITS)
			break;
		size_t length = strtoul(digits, NULL, 16);
		if (length > left)
			break;
		const char *line = data + LENGTH_DIGITS;
		size_t size = length > LENGTH_DIGITS ? length - LENGTH_DIGITS : 0;
		// 0 to 2 end something, and are all that they are.
		length = length < LENGTH_DIGITS ? LENGTH_DIGITS : length;
		data += length;
		left -= length;
		if (is_pack && size && line[0] == BAND_DATA)
			string_builder_append_n(pack_ret, line + 1, size - 1);
		size_t prefix = is_pack && size && line[0] == BAND_ERROR ? 1
				: size > 4 && !memcmp(line, "ERR ", 4)	 ? 4
									 : 0;
		if (prefix)
			return error_create(ERROR_OTHER,
					    "the server refuses: %.*s",
					    (int)(size - prefix), line + prefix);
		is_pack = is_pack || (size >= 8 && !memcmp(line, "packfile", 8));
	}
	return left ? error_damaged() : NULL;
}

struct error *signed_tag_read_answer(const char *data, size_t size_bytes,
				     struct string_builder *ret)
{
	struct error *err;

	_cleanup_string_builder_ struct string_builder pack = { 0 };
	err = unwrap_answer(data, size_bytes, &pack);
	return err ? err : read_pack(&pack, ret);
}

static struct error *request_objects(struct http *http, const char *url,
				     const struct ref *ref,
				     struct string_builder *ret)
{
	static const char *const headers[] = {
		"Git-Protocol: version=2",
		"Content-Type: application/x-git-upload-pack-request",
		"Accept: application/x-git-upload-pack-result",
		NULL,
	};
	struct error *err;

	_cleanup_free_ char *address = string_format("%s/git-upload-pack", url);
	_cleanup_free_ char *body = string_format(
		"0011command=fetch0001000cdeepen 10011filter tree:0%04zxwant %s0008done0000",
		strlen("0000want ") + strlen(ref->object), ref->object);
	const struct http_request request = {
		.url = address,
		.headers = headers,
		.body = body,
		.body_size_bytes = strlen(body),
		.limit_bytes = ANSWER_BYTES_MAX,
	};
	_cleanup_http_response_ struct http_response response = { 0 };
	err = http_perform_ok(http, &request, &response);
	if (err)
		return err;
	err = signed_tag_read_answer(response.body, response.body_size_bytes,
				     ret);
	return error_wrap(err, "POST %s", address);
}

struct error *signed_tag_request(struct http *http, const char *url,
				 const char *tag, struct string_builder *ret)
{
	struct error *err;

	_cleanup_ref_list_ struct ref_list refs = { 0 };
	err = ref_list_request(http, url, &refs);
	if (err)
		return err;
	_cleanup_free_ char *name = string_format("refs/tags/%s", tag);
	const struct ref *ref = ref_list_find(&refs, name);
	if (!ref)
		return error_create(ERROR_NOT_FOUND, "%s has no tag %s", url,
				    tag);
	return request_objects(http, url, ref, ret);
}

/** An object as git stores it. */
struct stored {
	const char *text;
	size_t size_bytes;
	char id[ID_DIGITS + 1];
};

/** Take the next object, which is to be of a type. @return Whether it is. */
static bool take_object(const char **data, size_t *left, const char *type,
			struct stored *ret)
{
	unsigned long size;
	char name[8];
	git_oid oid;

	if (!memchr(*data, '\0', *left < 32 ? *left : 32) ||
	    sscanf(*data, "%7s %lu", name, &size) != 2 || strcmp(name, type) != 0)
		return false;
	size_t head = strlen(*data) + 1;
	if (size > *left - head || git_odb_hash(&oid, *data + head, size,
						git_object_string2type(type)) < 0)
		return false;
	ret->text = *data + head;
	ret->size_bytes = size;
	git_oid_tostr(ret->id, sizeof(ret->id), &oid);
	*data += head + size;
	*left -= head + size;
	return true;
}

/** Take a line `NAME VALUE`. @return Whether that is next, and its value fits. */
static bool take_header(struct stored *object, const char *name,
			char *value_ret, size_t value_size)
{
	size_t length = strlen(name);
	const char *end = memchr(object->text, '\n', object->size_bytes);
	size_t size = end ? (size_t)(end - object->text) : 0;

	if (size <= length || memcmp(object->text, name, length) != 0 ||
	    object->text[length] != ' ' || size - length > value_size)
		return false;
	snprintf(value_ret, value_size, "%.*s", (int)(size - length - 1),
		 object->text + length + 1);
	object->text += size + 1;
	object->size_bytes -= size + 1;
	return true;
}

struct error *signed_tag_parse(const char *data, size_t size_bytes,
			       const char *tag, struct signed_tag *ret)
{
	struct stored object, commit;
	char id[ID_DIGITS + 1], type[8], name[64];
	struct signed_tag found = { 0 };

	git_libgit2_init();
	if (!take_object(&data, &size_bytes, "tag", &object) ||
	    !take_object(&data, &size_bytes, "commit", &commit) || size_bytes)
		return error_create(ERROR_OTHER,
				    "tag %s: this is not a tag and its commit",
				    tag);
	found.payload = object.text;
	found.signature = memmem(object.text, object.size_bytes,
				 signature_begin, strlen(signature_begin));
	if (!found.signature)
		return error_create(ERROR_OTHER, "tag %s is not signed by PGP",
				    tag);
	found.payload_bytes = (size_t)(found.signature - found.payload);
	found.signature_bytes = object.size_bytes - found.payload_bytes;
	if (!take_header(&object, "object", id, sizeof(id)) ||
	    !take_header(&object, "type", type, sizeof(type)) ||
	    !take_header(&object, "tag", name, sizeof(name)) ||
	    strcmp(type, "commit") != 0 || strcmp(name, tag) != 0)
		return error_create(ERROR_OTHER,
				    "tag %s: what is signed is not this tag",
				    tag);
	if (strcmp(id, commit.id) != 0 ||
	    !take_header(&commit, "tree", found.tree, sizeof(found.tree)))
		return error_create(ERROR_OTHER,
				    "tag %s: the commit is not the tag's", tag);
	*ret = found;
	return NULL;
}

// SPDX-License-Identifier: LGPL-2.1-or-later

#include "vm/crash/dump.h"

#include <endian.h>
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/param.h>
#include <unistd.h>

#include "common/base/error.h"
#include "common/base/memory.h"

enum {
	/** Before the first record. */
	HEADER_BYTES = 4096,
	BUFFER_BYTES = 1 << 16,
	/** In the file's header: the members of struct new_utsname. */
	NAMES_OFFSET = 12,
	NAME_BYTES = 65,
};

static const char signature[] = "makedumpfile";

/** Of each record, in big endian; negative at the end. */
struct record {
	int64_t offset, size_bytes;
};

static struct error *read_whole(int fd, void *data, size_t size_bytes)
{
	for (size_t done = 0; done < size_bytes;) {
		ssize_t n = read(fd, (char *)data + done, size_bytes - done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return error_create_os(errno, "read");
		if (n == 0)
			return error_create(ERROR_OTHER, "it is not whole");
		done += (size_t)n;
	}
	return NULL;
}

static struct error *write_at(int fd, const char *data, size_t size_bytes,
			      int64_t offset)
{
	for (size_t done = 0; done < size_bytes;) {
		ssize_t n = pwrite(fd, data + done, size_bytes - done,
				   offset + (off_t)done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return error_create_os(errno, "write");
		done += (size_t)n;
	}
	return NULL;
}

static struct error *copy_record(int from, int to, const struct record *record,
				 char *buffer)
{
	struct error *err = NULL;
	int64_t done = 0;

	while (done < record->size_bytes && !err) {
		size_t size =
			(size_t)MIN(record->size_bytes - done, BUFFER_BYTES);

		err = read_whole(from, buffer, size);
		if (!err)
			err = write_at(to, buffer, size, record->offset + done);
		done += (int64_t)size;
	}
	return err;
}

static struct error *write_names(int to, const char *release)
{
	const char *const names[] = { "Linux", "vmtest", release, "#1" };
	struct error *err = NULL;

	for (size_t i = 0; i < array_size(names) && !err; i++) {
		char name[NAME_BYTES] = "";

		strncpy(name, names[i], sizeof(name) - 1);
		err = write_at(to, name, sizeof(name),
			       NAMES_OFFSET + (int64_t)i * NAME_BYTES);
	}
	return err;
}

struct error *dump_unflatten(int from, int to, const char *release)
{
	struct error *err;

	_cleanup_free_ char *buffer = memory_allocate(BUFFER_BYTES, 1);
	err = read_whole(from, buffer, HEADER_BYTES);
	if (!err && memcmp(buffer, signature, sizeof(signature)) != 0)
		err = error_create(ERROR_OTHER, "it is none of makedumpfile");
	while (!err) {
		struct record record;

		err = read_whole(from, &record, sizeof(record));
		if (err)
			break;
		record.offset = (int64_t)be64toh((uint64_t)record.offset);
		record.size_bytes = (int64_t)be64toh((uint64_t)record.size_bytes);
		if (record.offset < 0)
			return write_names(to, release);
		err = copy_record(from, to, &record, buffer);
	}
	return err;
}

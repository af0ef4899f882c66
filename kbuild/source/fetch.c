// SPDX-License-Identifier: LGPL-2.1-or-later

#include "kbuild/source/fetch.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/archive/digest.h"
#include "common/base/directory.h"
#include "common/base/error.h"
#include "common/base/file.h"
#include "common/base/lock.h"
#include "common/base/log.h"
#include "common/base/memory.h"
#include "common/kernel/tarball.h"
#include "common/store/sidecar.h"
#include "kbuild/source/kernel_org.h"

/** A file that is to be there. */
struct target {
	const char *path;
	/** The two parts of the path. */
	char *directory;
	const char *name;
};

static struct error *target_init(struct target *target, const char *path)
{
	struct error *err;
	struct stat st;
	const char *slash = strrchr(path, '/');

	*target = (struct target){
		.path = path,
		.name = slash ? slash + 1 : path,
		.directory = slash ? strndup(path, (size_t)(slash + 1 - path))
				   : strdup("."),
	};
	if (!target->directory)
		memory_exhausted();
	if (!*target->name || (stat(path, &st) == 0 && !S_ISREG(st.st_mode)))
		err = error_create(ERROR_USAGE, "'%s' is no name for a file",
				   path);
	else
		err = directory_create(target->directory);
	return err;
}

static void target_deinit(struct target *target)
{
	free(target->directory);
}

/** @param[out] digest_ret Of the file; "" if there is none. */
static struct error *measure(const struct target *target,
			     char digest_ret[static DIGEST_TEXT_SIZE])
{
	digest_ret[0] = '\0';
	if (!file_exists(target->path))
		return NULL;
	return digest_file(target->path, digest_ret, NULL);
}

/** Whether the sidecar says that the file is whole. */
static bool is_whole(const struct target *target, const char *digest)
{
	char known[DIGEST_TEXT_SIZE];
	_cleanup_error_ struct error *err =
		sidecar_read(target->directory, target->name, known);

	// One that cannot be read says nothing: the network is asked.
	return !err && *digest && strcmp(digest, known) == 0;
}

/** A stream on its way into a file. */
struct sink {
	int fd;
	const char *path;
	struct digest *digest;
};

static struct error *sink_take(void *arg, const void *data, size_t size_bytes)
{
	const struct sink *sink = arg;
	int errnum = write_all(sink->fd, data, size_bytes);

	digest_update(sink->digest, data, size_bytes);
	return errnum ? error_create_os(errnum, "write %s", sink->path) : NULL;
}

/** @param[out] digest_ret Of what has come. */
static struct error *download_to(struct http *http, const char *url,
				 const char *wanted, const char *path, int fd,
				 char digest_ret[static DIGEST_TEXT_SIZE])
{
	struct error *err;
	_cleanup_digest_ struct digest *digest = digest_create();
	struct sink sink = { .fd = fd, .path = path, .digest = digest };

	err = tarball_stream(http, url, wanted, sink_take, &sink);
	if (err)
		return err;
	digest_finish(digest, digest_ret);
	if (fchmod(fd, 0644) < 0 || fsync(fd) < 0)
		return error_create_os(errno, "write %s", path);
	return NULL;
}

static struct error *download(struct http *http, const char *url,
			      const char *wanted, const struct target *target,
			      const char *partial, int fd)
{
	struct error *err;
	char digest[DIGEST_TEXT_SIZE];

	if (ftruncate(fd, 0) < 0)
		return error_create_os(errno, "truncate %s", partial);
	err = download_to(http, url, wanted, partial, fd, digest);
	// What it says of another file must not be taken for this one's.
	if (!err)
		err = sidecar_delete(target->directory, target->name);
	if (err)
		return err;
	if (rename(partial, target->path) < 0)
		return error_create_os(errno, "rename to %s", target->path);
	return sidecar_write(target->directory, target->name, digest);
}

/** Look at what is there, ask, and download what is needed. */
static struct error *fetch_into(const struct catalog *catalog, struct http *http,
				const struct kernel_version *version,
				const struct target *target,
				const char *partial, int fd)
{
	struct error *err;
	_cleanup_free_ char *url = NULL;
	char found[DIGEST_TEXT_SIZE], wanted[DIGEST_TEXT_SIZE];

	err = measure(target, found);
	if (err)
		return err;
	if (is_whole(target, found)) {
		log_info("%s is there, and whole", target->path);
		return NULL;
	}
	err = kernel_org_url(catalog, version, &url);
	if (!err)
		err = kernel_org_digest(http, url, version, wanted);
	if (err)
		return err;
	// Its sidecar was lost, as where only the file itself is kept.
	if (*wanted && strcmp(found, wanted) == 0)
		return sidecar_write(target->directory, target->name, wanted);
	return download(http, url, wanted, target, partial, fd);
}

static struct error *fetch(const struct catalog *catalog, struct http *http,
			   const struct kernel_version *version,
			   const struct target *target)
{
	struct error *err;
	_cleanup_free_ char *partial =
		path_joinf(target->directory, ".%s.partial", target->name);
	_cleanup_close_ int fd = -1;

	// What a run that died has left is used again.
	err = file_lock(partial, &fd);
	if (err)
		return err;
	err = fetch_into(catalog, http, version, target, partial, fd);
	// Still ours, unless it has got its name.
	unlink(partial);
	return err;
}

struct error *fetch_tarball(const struct catalog *catalog, struct http *http,
			    const struct kernel_version *version,
			    const char *path)
{
	struct error *err;
	_cleanup_(target_deinit) struct target target = { 0 };
	char text[KERNEL_VERSION_TEXT_SIZE];

	err = target_init(&target, path);
	if (!err)
		err = fetch(catalog, http, version, &target);
	kernel_version_format(version, text);
	return error_wrap(err, "fetch Linux %s", text);
}

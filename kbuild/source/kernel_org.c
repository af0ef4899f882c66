// SPDX-License-Identifier: LGPL-2.1-or-later

#include "kbuild/source/source.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/archive/archive.h"
#include "common/base/error.h"
#include "common/base/file.h"
#include "common/base/log.h"
#include "common/base/memory.h"
#include "common/base/progress.h"
#include "common/http/http.h"
#include "common/kernel/catalog.h"
#include "common/kernel/remote.h"

char *kernel_org_url(const struct catalog *catalog,
		     const struct kernel_version *version, bool is_published)
{
	char text[KERNEL_VERSION_TEXT_SIZE];

	kernel_version_format(version, text);
	if (kernel_version_is_rc(version))
		return string_format("%s/linux-%s.tar.gz",
				     catalog->kernel_org.rc_url, text);
	return string_format("%s/v%u.x/linux-%s.tar.xz",
			     is_published
				     ? catalog->kernel_org.published_tarballs_url
				     : catalog->kernel_org.tarballs_url,
			     version->major, text);
}

/**
 * Look at what is there, ask, and download what is needed.
 *
 * @param[in] partial Where it grows, and what is open there and locked.
 */
static struct error *fetch(const struct catalog *catalog, struct http *http,
			   const struct kernel_version *version,
			   const char *path, const char *partial, int fd)
{
	struct error *err;

	char found[DIGEST_TEXT_SIZE] = "", known[DIGEST_TEXT_SIZE];
	if (file_exists(path)) {
		err = digest_file(path, found, NULL);
		if (err)
			return err;
	}
	// A sidecar that cannot be read says nothing: the network is asked.
	_cleanup_error_ struct error *unknown = sidecar_read(path, known);
	if (!unknown && *found && strcmp(found, known) == 0) {
		log_info("%s is there, and whole", path);
		return NULL;
	}
	char wanted[DIGEST_TEXT_SIZE] = "";
	_cleanup_free_ char *url = kernel_org_url(catalog, version, false);
	if (!kernel_version_is_rc(version)) {
		err = tarball_digest(http, url, wanted);
		if (err)
			return err;
	}
	// Its sidecar was lost, as where only the file itself is kept.
	if (*wanted && strcmp(found, wanted) == 0)
		return sidecar_write(path, wanted);
	const struct http_request request = {
		.url = url,
		// Of 150 MB now.
		.limit_bytes = UINT64_C(2) << 30,
	};
	_cleanup_progress_ struct progress *progress =
		progress_createf(PROGRESS_BYTES, "download %s", path_name(url));
	_cleanup_stream_ struct stream *stream =
		http_open(http, &request, 0, wanted);
	stream->progress = progress;
	err = stream_save(stream, fd, partial, path);
	if (err)
		return err;
	progress_finish(progress);
	return NULL;
}

static struct error *fetch_to(const struct catalog *catalog, struct http *http,
			      const struct kernel_version *version,
			      const char *path)
{
	struct error *err;

	const char *name = path_name(path);
	struct stat st;
	if (!*name || (stat(path, &st) == 0 && !S_ISREG(st.st_mode)))
		return error_create(ERROR_USAGE, "'%s' does not name a file",
				    path);
	_cleanup_free_ char *directory = path_parent(path);
	err = directory_create(directory);
	if (err)
		return err;
	_cleanup_free_ char *partial = path_joinf(directory, ".%s.partial", name);
	_cleanup_close_ int fd = -1;
	// What a run that died has left is used again.
	err = file_lock(partial, &fd);
	if (err)
		return err;
	err = fetch(catalog, http, version, path, partial, fd);
	// Unless it has got its name, and another run begins anew.
	if (lock_is_of(fd, partial))
		unlink(partial);
	return err;
}

struct error *kernel_org_fetch(const struct catalog *catalog, struct http *http,
			       const struct kernel_version *version,
			       const char *path)
{
	char text[KERNEL_VERSION_TEXT_SIZE];

	kernel_version_format(version, text);
	return error_wrap(fetch_to(catalog, http, version, path),
			  "fetch Linux %s", text);
}

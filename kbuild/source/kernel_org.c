// SPDX-License-Identifier: LGPL-2.1-or-later

#include "kbuild/source/source.h"

#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/archive/archive.h"
#include "common/base/error.h"
#include "common/base/file.h"
#include "common/base/log.h"
#include "common/base/memory.h"
#include "common/base/progress.h"
#include "common/base/text.h"
#include "common/http/http.h"
#include "common/kernel/catalog.h"
#include "common/kernel/remote.h"

enum {
	/** A snapshot of git.kernel.org begins after some 50 s, or more. */
	SNAPSHOT_PATIENCE = 4,
};

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

struct error *kernel_org_missing(struct error *err)
{
	_cleanup_error_ struct error *missing = NULL;

	if (!error_is(err, ERROR_NOT_FOUND))
		return err;
	missing = err;
	return error_create(ERROR_NOT_FOUND,
			    "%s; kernel.org does not have it yet, or no more: try again later",
			    error_message(missing));
}

static struct error *download(struct http *http, const char *url,
			      unsigned int patience, kernel_org_taker *taker,
			      void *arg)
{
	struct error *err;

	const struct http_request request = {
		.url = url,
		.patience = patience,
		// Of 150 MB now.
		.limit_bytes = UINT64_C(2) << 30,
	};
	_cleanup_progress_ struct progress *progress =
		progress_createf(PROGRESS_BYTES, "download %s", path_name(url));
	_cleanup_stream_ struct stream *stream =
		http_open(http, &request, 0, NULL);
	stream->progress = progress;
	err = taker(arg, stream);
	if (!err)
		progress_finish(progress);
	return err;
}

struct error *kernel_org_download(const struct catalog *catalog,
				  struct http *http,
				  const struct kernel_version *version,
				  kernel_org_taker *taker, void *arg)
{
	struct error *err;

	const char *mirror = catalog->kernel_org.mirror_url;
	bool is_rc = kernel_version_is_rc(version);
	_cleanup_free_ char *url = kernel_org_url(catalog, version, false);
	err = download(http, url, is_rc ? SNAPSHOT_PATIENCE : 0, taker, arg);
	if (!is_rc || !mirror_is_asked(err, mirror))
		return err;
	char text[KERNEL_VERSION_TEXT_SIZE];
	kernel_version_format(version, text);
	_cleanup_free_ char *other =
		string_format("%s/archive/refs/tags/v%s.tar.gz", mirror, text);
	return mirror_settle(err, download(http, other, 0, taker, arg), other);
}

/** Of a tarball as a file. */
struct fetching {
	const struct catalog *catalog;
	struct http *http;
	const struct kernel_version *version;
	const char *path;
	/** Where it grows, and what is open there and locked. */
	const char *partial;
	int fd;
	struct string_builder proof;
};

/** Unpack it for the time that this takes. */
static struct error *prove(const struct fetching *fetching)
{
	struct error *err;

	_cleanup_free_ char *parent = path_parent(fetching->path);
	_cleanup_close_ int lock_fd = -1;
	_cleanup_directory_ char *scratch = NULL;
	_cleanup_free_ char *signature = NULL;
	err = directory_remove_stale(parent, "proof");
	if (!err)
		err = directory_create_temporary(parent, "proof", &scratch,
						 &lock_fd);
	if (err)
		return err;
	_cleanup_stream_ struct stream *stream = NULL;
	err = stream_open_file(fetching->path, &stream);
	if (!err)
		err = proof_unpack(&fetching->proof, fetching->catalog,
				   fetching->version, stream, scratch,
				   &signature);
	if (!err)
		err = sidecar_write(fetching->path, stream->actual);
	if (!err)
		err = proof_write(&fetching->proof, fetching->path);
	if (!err)
		log_info("%s is signed by %s", fetching->path, signature);
	return err;
}

/** Whether what is there was proven, and is what it was then. */
static bool is_there(const char *path)
{
	char found[DIGEST_TEXT_SIZE], known[DIGEST_TEXT_SIZE];
	_cleanup_free_ char *proof = string_format("%s.sign", path);
	// A sidecar that cannot be read says nothing: the network is asked.
	_cleanup_error_ struct error *err = sidecar_read(path, known);

	if (err || !file_exists(proof))
		return false;
	err = digest_file(path, found, NULL);
	return !err && strcmp(found, known) == 0;
}

static struct error *save(void *arg, struct stream *stream)
{
	const struct fetching *fetching = arg;

	return stream_save(stream, fetching->fd, fetching->partial,
			   fetching->path);
}

/** Look at what is there, ask, and download what is needed. */
static struct error *fetch(struct fetching *fetching)
{
	struct error *err;

	const char *path = fetching->path;
	if (is_there(path)) {
		log_info("%s is there, and whole", path);
		return NULL;
	}
	err = proof_request(fetching->catalog, fetching->http,
			    fetching->version, &fetching->proof);
	if (err)
		return err;
	// Only its sidecars were lost, as where the file alone is kept.
	if (file_exists(path)) {
		err = prove(fetching);
		if (!err || error_is(err, ERROR_CANCELLED))
			return err;
		log_debug("download %s again: %s", path, error_message(err));
		error_destroy(err);
	}
	err = kernel_org_download(fetching->catalog, fetching->http,
				  fetching->version, save, fetching);
	if (err)
		return err;
	err = prove(fetching);
	if (err) {
		_cleanup_free_ char *sidecar = string_format("%s.sha256", path);

		unlink(path);
		unlink(sidecar);
	}
	return err;
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
	struct fetching fetching = { catalog, http, version, path,
				     partial, fd,   { 0 } };
	err = fetch(&fetching);
	string_builder_deinit(&fetching.proof);
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
	return error_wrap(kernel_org_missing(
				  fetch_to(catalog, http, version, path)),
			  "fetch Linux %s", text);
}

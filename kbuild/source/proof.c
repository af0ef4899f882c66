// SPDX-License-Identifier: LGPL-2.1-or-later

#include "kbuild/source/source.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "common/archive/archive.h"
#include "common/base/error.h"
#include "common/base/file.h"
#include "common/base/memory.h"
#include "common/base/text.h"
#include "common/http/http.h"
#include "common/kernel/catalog.h"
#include "common/kernel/compiler.h"
#include "common/kernel/remote.h"
#include "common/process/process.h"

enum {
	PROOF_BYTES_MAX = 2 * GIT_OBJECT_BYTES_MAX + 64,
	/** As much as a user may have of one. */
	PIPE_BYTES = 1 << 20,
	/** Of gpgv's status. */
	STATUS_BYTES_MAX = 64 << 10,
};

/** Of a release candidate: its tag, from where there is one. */
static struct error *request_tag(const struct catalog *catalog, struct http *http,
				 const char *tag, struct string_builder *ret)
{
	struct error *err;

	const char *mirror = catalog->kernel_org.mirror_url;
	err = signed_tag_request(http, catalog->kernel_org.git_url, tag, ret);
	if (!mirror_is_asked(err, mirror))
		return err;
	string_builder_deinit(ret);
	return mirror_settle(err, signed_tag_request(http, mirror, tag, ret),
			     mirror);
}

struct error *proof_request(const struct catalog *catalog, struct http *http,
			    const struct kernel_version *version,
			    struct string_builder *ret)
{
	struct error *err;

	char text[KERNEL_VERSION_TEXT_SIZE];
	kernel_version_format(version, text);
	if (kernel_version_is_rc(version)) {
		_cleanup_free_ char *tag = string_format("v%s", text);

		err = request_tag(catalog, http, tag, ret);
		// Better known before its files are asked for.
		return err ? err
			   : signed_tag_parse(ret->text, ret->length, tag,
					      &(struct signed_tag){ 0 });
	}
	_cleanup_free_ char *url = string_format("%s/v%u.x/linux-%s.tar.sign",
						 catalog->kernel_org.tarballs_url,
						 version->major, text);
	const struct http_request request = {
		.url = url,
		.limit_bytes = PROOF_BYTES_MAX,
	};
	_cleanup_http_response_ struct http_response response = { 0 };
	err = http_perform_ok(http, &request, &response);
	if (err)
		return err;
	string_builder_append_n(ret, response.body, response.body_size_bytes);
	return NULL;
}

struct error *proof_read(const char *path, struct string_builder *ret)
{
	struct error *err;

	_cleanup_free_ char *name = string_format("%s.sign", path);
	_cleanup_free_ char *text = NULL;
	size_t size;
	err = file_read(name, PROOF_BYTES_MAX, &text, &size);
	if (!err)
		string_builder_append_n(ret, text, size);
	return err;
}

struct error *proof_write(const struct string_builder *proof, const char *path)
{
	_cleanup_free_ char *name = string_format("%s.sign", path);

	return file_write(name, proof->text, proof->length);
}

/** gpgv(1), which reads what is signed, and then says what it finds. */
struct verifier {
	struct process *process;
	/** Where it reads. */
	int fd;
};

static void verifier_deinit(struct verifier *verifier)
{
	cleanup_close(&verifier->fd);
	process_destroy(verifier->process);
}

#define _cleanup_verifier_ _cleanup_(verifier_deinit)

static struct error *verifier_start(const struct catalog *catalog,
				    const char *signature, size_t size_bytes,
				    struct verifier *ret)
{
	struct error *err;

	if (!catalog->kernel_org.keyring)
		return error_create(
			ERROR_USAGE,
			"the catalog names no \"keyring\" of who signs kernel.org's sources");
	_cleanup_free_ char *keyring =
		path_join(catalog->directory, catalog->kernel_org.keyring);
	if (!file_exists(keyring))
		return error_create(ERROR_USAGE, "%s: no such keyring", keyring);
	_cleanup_close_ int signature_fd = memfd_create("signature", MFD_CLOEXEC);
	_cleanup_close_ int null_fd = open("/dev/null", O_WRONLY | O_CLOEXEC);
	int fds[2];
	if (signature_fd < 0 || null_fd < 0 || pipe2(fds, O_CLOEXEC) < 0)
		return error_create_os(errno, "start gpgv");
	_cleanup_close_ int read_fd = fds[0];
	ret->fd = fds[1];
	// A hint: on a busy machine the two wait less often for each other.
	fcntl(ret->fd, F_SETPIPE_SZ, PIPE_BYTES);
	int errnum = write_all(signature_fd, signature, size_bytes);
	if (errnum)
		return error_create_os(errnum, "start gpgv");
	_cleanup_free_ char *name =
		string_format("/proc/self/fd/%d", signature_fd);
	const char *const arguments[] = {
		"gpgv",		 "--homedir", "/dev/null", "--keyring", keyring,
		"--status-fd=1", name,	      "-",	   NULL,
	};
	const struct process_options options = {
		.arguments = arguments,
		.inherited = kernel_make_inherited,
		.stdin_fd = &read_fd,
		.reads_stdout = true,
		// The same, for people.
		.stderr_fd = &null_fd,
		.keep_fds = &signature_fd,
		.keep_fd_count = 1,
	};
	err = process_spawn(&options, &ret->process);
	if (error_catch(&err, ERROR_NOT_FOUND))
		return error_create(
			ERROR_OTHER,
			"there is no gpgv(1) to check signatures with; install the package gpgv");
	return err;
}

/** What gpgv says of a signature that is not good; the first that it says counts. */
static const struct {
	const char *word, *meaning;
} refusals[] = {
	{ "BADSIG",
	  "the signature is not that of these files: they were changed, or damaged" },
	{ "NO_PUBKEY",
	  "it is signed by a key that the catalog's keyring does not have" },
	{ "EXPKEYSIG", "it is signed by a key that has expired" },
	{ "REVKEYSIG", "it is signed by a key that was revoked" },
	{ "EXPSIG", "the signature has expired" },
	{ "NODATA", "it is not signed: what should be the signature is none" },
};

/** @param[in] line What follows `[GNUPG:] `. */
static struct error *find_refusal(const char *line)
{
	for (size_t i = 0; i < array_size(refusals); i++) {
		const char *word = refusals[i].word;
		size_t length = strlen(word);

		if (strncmp(line, word, length) != 0 ||
		    (line[length] && line[length] != ' '))
			continue;
		return error_create(ERROR_OTHER, "%s (%s)", refusals[i].meaning,
				    line);
	}
	return NULL;
}

/** `NAME, FINGERPRINT` of a signer; free(). */
static struct error *find_signer(const struct catalog *catalog,
				 const char *fingerprint, char **ret)
{
	for (size_t i = 0; i < catalog->kernel_org.signer_count; i++) {
		const struct catalog_signer *signer =
			&catalog->kernel_org.signers[i];

		if (strcmp(signer->fingerprint, fingerprint) != 0)
			continue;
		*ret = string_format("%s, %s", signer->name, fingerprint);
		return NULL;
	}
	return error_create(ERROR_OTHER,
			    "it is signed by %s, which is not among the catalog's \"signers\"",
			    fingerprint);
}

/** @param[in] status What gpgv has written; changed. */
static struct error *judge(const struct catalog *catalog, char *status,
			   char **signature_ret)
{
	static const char prefix[] = "[GNUPG:] ";
	struct error *err;

	const char *fingerprint = NULL;
	bool is_good = false;
	for (char *line; (line = strsep(&status, "\n"));) {
		if (strncmp(line, prefix, strlen(prefix)) != 0)
			continue;
		line += strlen(prefix);
		err = find_refusal(line);
		if (err)
			return err;
		if (strncmp(line, "GOODSIG ", 8) == 0)
			is_good = true;
		// It ends in the fingerprint of the primary key.
		if (strncmp(line, "VALIDSIG ", 9) == 0)
			fingerprint = strrchr(line, ' ') + 1;
	}
	if (!is_good || !fingerprint)
		return error_create(ERROR_OTHER,
				    "gpgv does not call the signature good");
	return find_signer(catalog, fingerprint, signature_ret);
}

/** After all that is signed was written. */
static struct error *verifier_finish(struct verifier *verifier,
				     const struct catalog *catalog,
				     char **signature_ret)
{
	struct error *err;

	cleanup_close(&verifier->fd);
	verifier->fd = -1;
	_cleanup_string_builder_ struct string_builder sb = { 0 };
	char data[4096];
	size_t size;
	do {
		err = process_read(verifier->process, 0, data, sizeof(data),
				   &size);
		if (err)
			return err;
		string_builder_append_n(&sb, data, size);
	} while (size && sb.length < STATUS_BYTES_MAX);
	struct process_status status;
	err = process_wait(verifier->process, 0, &status);
	if (err)
		return err;
	_cleanup_free_ char *text = string_builder_take(&sb);
	err = judge(catalog, text, signature_ret);
	if (err || (!status.exit_status && !status.signal))
		return err;
	free(take_ptr(*signature_ret));
	_cleanup_free_ char *ended = process_status_text(&status, "gpgv");
	return error_create(ERROR_OTHER, "%s", ended);
}

/** kernel.org signs the plain tarball, which gpgv gets while it is unpacked. */
static struct error *unpack_signed(const struct string_builder *proof,
				   const struct catalog *catalog,
				   struct stream *stream, const char *directory,
				   char **signature_ret)
{
	struct error *err;

	_cleanup_verifier_ struct verifier verifier = { .fd = -1 };
	err = verifier_start(catalog, proof->text, proof->length, &verifier);
	if (err)
		return err;
	const struct unpack_options options = {
		.strip_components = 1,
		.plain_fd = &verifier.fd,
	};
	err = unpack(stream, directory, &options);
	return err ? err : verifier_finish(&verifier, catalog, signature_ret);
}

/** A release candidate has a signed tag, which its files must be those of. */
static struct error *unpack_tagged(const struct string_builder *proof,
				   const struct catalog *catalog,
				   const char *tag, struct stream *stream,
				   const char *directory, char **signature_ret)
{
	struct error *err;

	struct signed_tag signed_tag;
	err = signed_tag_parse(proof->text, proof->length, tag, &signed_tag);
	if (err)
		return err;
	_cleanup_verifier_ struct verifier verifier = { .fd = -1 };
	err = verifier_start(catalog, signed_tag.signature,
			     signed_tag.signature_bytes, &verifier);
	if (err)
		return err;
	// A tag is at most as large as a pipe, or gpgv reads it.
	write_all(verifier.fd, signed_tag.payload, signed_tag.payload_bytes);
	_cleanup_free_ char *signature = NULL;
	err = verifier_finish(&verifier, catalog, &signature);
	if (err)
		return err;
	const struct unpack_options options = { .strip_components = 1 };
	err = unpack(stream, directory, &options);
	if (err)
		return err;
	char tree[REF_COMMIT_SIZE];
	err = tree_digest(directory, tree);
	if (err)
		return err;
	if (strcmp(tree, signed_tag.tree) != 0)
		return error_create(ERROR_OTHER,
				    "its files are not those of the signed tag: they were changed, or damaged (tree %s instead of %s)",
				    tree, signed_tag.tree);
	*signature_ret = take_ptr(signature);
	return NULL;
}

struct error *proof_unpack(const struct string_builder *proof,
			   const struct catalog *catalog,
			   const struct kernel_version *version,
			   struct stream *stream, const char *directory,
			   char **signature_ret)
{
	char tag[KERNEL_VERSION_TEXT_SIZE + 1] = "v";

	kernel_version_format(version, tag + 1);
	if (!stream->digest)
		stream->digest = digest_create();
	return kernel_version_is_rc(version)
		       ? unpack_tagged(proof, catalog, tag, stream, directory,
				       signature_ret)
		       : unpack_signed(proof, catalog, stream, directory,
				       signature_ret);
}

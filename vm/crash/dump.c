// SPDX-License-Identifier: LGPL-2.1-or-later

#include "vm/crash/dump.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/error.h"
#include "common/base/file.h"
#include "common/base/json.h"
#include "common/base/memory.h"

enum {
	INFO_LIMIT_BYTES = 4 << 20,
};

static const char info_file[] = "dump.json";

// clang-format off
static const struct value_row rows[] = {
	VALUE_REQUIRED("vmtest", value_copy, struct dump_info, vmtest),
	VALUE_REQUIRED("qemu", value_copy, struct dump_info, qemu),
	VALUE_REQUIRED("release", value_copy, struct dump_info, release),
	VALUE_REQUIRED("arch", value_copy, struct dump_info, arch),
	VALUE_REQUIRED("kernel", value_copy, struct dump_info, kernel),
	VALUE_REQUIRED("kernel_sha256", value_copy, struct dump_info, kernel_digest),
	VALUE_OPTIONAL("module", value_copy, struct dump_info, module),
	VALUE_OPTIONAL("reason", value_copy, struct dump_info, reason),
	VALUE_REQUIRED("splats", value_strings, struct dump_info, splats),
	VALUE_REQUIRED("directory", value_copy, struct dump_info, directory),
	VALUE_REQUIRED("words", value_strings, struct dump_info, words),
};
// clang-format on

void dump_info_deinit(struct dump_info *info)
{
	free(info->vmtest);
	free(info->qemu);
	free(info->release);
	free(info->arch);
	free(info->kernel);
	free(info->kernel_digest);
	free(info->module);
	free(info->reason);
	free(info->directory);
	string_list_deinit(&info->splats);
	string_list_deinit(&info->words);
}

char *dump_find_vmlinux(const char *kernel)
{
	_cleanup_free_ char *path = path_join(kernel, "build/vmlinux");

	return realpath(path, NULL);
}

/** Of what there is of the kernel in any case. */
static struct error *digest_kernel(const char *kernel,
				   char digest_ret[static DIGEST_TEXT_SIZE])
{
	_cleanup_free_ char *vmlinux = dump_find_vmlinux(kernel);
	_cleanup_free_ char *image = path_join(kernel, "vmlinuz");

	return digest_file(vmlinux ? vmlinux : image, digest_ret, NULL);
}

struct error *dump_info_write(const struct dump_info *info, const char *directory)
{
	struct error *err;

	char digest[DIGEST_TEXT_SIZE];
	err = digest_kernel(info->kernel, digest);
	if (err)
		return err;
	_cleanup_free_ char *path = path_join(directory, info_file);
	_cleanup_free_ char *text = json_text(
		json_pack("{s:o, s:o, s:o, s:o, s:o, s:s, s:o, s:o, s:o, s:o, s:o}",
			  "vmtest", text_json(info->vmtest), "qemu",
			  text_json(info->qemu), "release",
			  text_json(info->release), "arch", text_json(info->arch),
			  "kernel", text_json(info->kernel), "kernel_sha256",
			  digest, "module", text_json(info->module), "reason",
			  text_json(info->reason), "splats",
			  strings_json(&info->splats), "directory",
			  text_json(info->directory), "words",
			  strings_json(&info->words)),
		JSON_INDENT(2));
	return file_write(path, text, strlen(text));
}

/** Open what only we have a say in: what a dump says is run. */
static struct error *open_owned(int directory, const char *name,
				const char *path, int *fd_ret)
{
	struct stat st;
	_cleanup_close_ int fd =
		openat(directory, name, O_RDONLY | O_NONBLOCK | O_CLOEXEC);

	if (fd < 0 && errno == ENOENT)
		return error_create(ERROR_USAGE,
				    "%s: no such file; name a directory that --dump has made",
				    path);
	if (fd < 0 || fstat(fd, &st) < 0)
		return error_create_os(errno, "%s", path);
	_cleanup_free_ char *exposure =
		path_exposure(path, &st, geteuid(), geteuid());
	if (!exposure) {
		*fd_ret = take_fd(&fd);
		return NULL;
	}
	return error_create(ERROR_USAGE,
			    "%s %s, who could have it run anything; copy the directory",
			    path, exposure);
}

struct error *dump_info_read(const char *directory, struct dump_info *ret)
{
	struct error *err;

	_cleanup_free_ char *path = path_join(directory, info_file);
	_cleanup_close_ int directory_fd = -1;
	_cleanup_close_ int fd = -1;
	err = open_owned(AT_FDCWD, directory, directory, &directory_fd);
	if (!err)
		err = open_owned(directory_fd, info_file, path, &fd);
	if (err)
		return err;
	_cleanup_free_ char *text = NULL;
	size_t size;
	err = file_read_open(fd, path, INFO_LIMIT_BYTES, &text, &size);
	if (err)
		return err;
	_cleanup_value_ struct value document = { 0 };
	_cleanup_dump_info_ struct dump_info info = { 0 };
	err = value_parse(text, size, path, ERROR_OTHER, &document);
	if (!err)
		err = value_read(&document, rows, array_size(rows), &info);
	if (err)
		return err;
	*ret = take(info);
	return NULL;
}

struct error *dump_info_check_kernel(const struct dump_info *info)
{
	struct error *err;

	char digest[DIGEST_TEXT_SIZE];
	err = digest_kernel(info->kernel, digest);
	if (err)
		return error_wrap(err, "the kernel %s is gone", info->release);
	if (strcmp(digest, info->kernel_digest) == 0)
		return NULL;
	return error_create(ERROR_OTHER,
			    "%s holds another build of %s than the one that was dumped",
			    info->kernel, info->release);
}

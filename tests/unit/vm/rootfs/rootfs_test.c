// SPDX-License-Identifier: LGPL-2.1-or-later

#include "vm/rootfs/rootfs.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/directory.h"
#include "common/base/error.h"
#include "common/base/file.h"
#include "common/base/interrupt.h"
#include "common/base/log.h"
#include "common/base/string_list.h"
#include "common/cache/cache.h"
#include "common/kernel/catalog.h"
#include "vm/rootfs/rootfs_host.h"

static const struct catalog_arch arch = {
	.name = "aarch64",
	.debian_arch = "arm64",
	.debian_suite = "bookworm",
};

static const struct rootfs_host able = {
	.is_root = true,
	.has_mmdebstrap = true,
	.has_keyring = true,
};

/** A folder that is a cache, and a PATH with what stands for mmdebstrap. */
struct stage {
	char *folder;
	char *cache;
	struct string_list packages;
};

// Counts its calls in the root that it makes, which holds its arguments.
static const char mmdebstrap[] =
	"#!/bin/sh\n"
	"here=${0%/*}\n"
	"mkdir -p $here/root/etc\n"
	"printf '%s\\n' \"$@\" >$here/root/etc/arguments\n"
	"tar -C $here/root -cf - .\n"
	"case $* in *broken*) echo 'E: some reason' >&2; exit 25;; esac\n";

static struct stage create_stage(void)
{
	char folder[] = "/tmp/rootfs_test.XXXXXX";
	_cleanup_free_ char *program = NULL;
	_cleanup_free_ char *path = NULL;
	struct stage stage = { 0 };

	interrupt_catch();
	log_init("test", LOG_ERROR, LOG_SILENCE_MS);
	cr_assert(mkdtemp(folder));
	stage.folder = strdup(folder);
	stage.cache = path_join(folder, "cache");
	program = path_join(folder, "mmdebstrap");
	cr_assert_null(file_write(program, mmdebstrap, strlen(mmdebstrap)));
	cr_assert_eq(chmod(program, 0755), 0);
	cr_assert_gt(asprintf(&path, "%s:/usr/bin:/bin", folder), 0);
	setenv("PATH", path, true);
	string_list_add(&stage.packages, "kmod");
	string_list_add(&stage.packages, "busybox-static");
	return stage;
}

static void destroy_stage(struct stage *stage)
{
	cleanup_directory(&stage->folder);
	free(stage->cache);
	string_list_deinit(&stage->packages);
}

#define _cleanup_stage_ _cleanup_(destroy_stage)

static struct rootfs_request request_of(const struct stage *stage)
{
	return (struct rootfs_request){
		.arch = &arch,
		.host = &able,
		.packages = &stage->packages,
		.mirror = "http://mirror/debian",
		.directory = stage->cache,
	};
}

/** The root's inode tells whether it is another one. */
static ino_t make(const struct rootfs_request *request, bool cached)
{
	_cleanup_rootfs_ struct rootfs rootfs = ROOTFS_INIT;
	struct error *err = rootfs_make(request, &rootfs);
	struct stat st;

	cr_assert_null(err, "%s", err ? error_message(err) : "");
	cr_expect_eq(rootfs.cached, cached);
	cr_assert_eq(fstat(rootfs.entry->fd, &st), 0);
	return st.st_ino;
}

static size_t count_names(const char *folder)
{
	_cleanup_free_ char *command = NULL;
	_cleanup_free_ char *line = NULL;
	size_t size = 0;
	FILE *pipe;

	cr_assert_gt(asprintf(&command, "ls -A %s/aarch64 | wc -l", folder), 0);
	pipe = popen(command, "r");
	cr_assert_gt(getline(&line, &size, pipe), 0);
	pclose(pipe);
	return strtoul(line, NULL, 10);
}

Test(rootfs, is_made_once_until_its_packages_change)
{
	_cleanup_stage_ struct stage stage = create_stage();
	struct rootfs_request request = request_of(&stage);
	struct string_list sorted = STRING_LIST_INIT;
	ino_t first = make(&request, false);

	cr_expect_eq(make(&request, true), first);
	// Their order says nothing.
	string_list_add(&sorted, "busybox-static");
	string_list_add(&sorted, "kmod");
	request.packages = &sorted;
	cr_expect_eq(make(&request, true), first);
	string_list_add(&sorted, "gcc");
	cr_expect_neq(make(&request, false), first);
	string_list_deinit(&sorted);
}

/** What mmdebstrap was told, a line each; free(). */
static char *read_arguments(const struct stage *stage)
{
	_cleanup_free_ char *path =
		path_join(stage->cache, "aarch64/rootfs/etc/arguments");
	char *text = NULL;

	cr_assert_null(file_read(path, 4096, &text, NULL));
	return text;
}

Test(rootfs, mmdebstrap_is_told_what_to_make)
{
	_cleanup_stage_ struct stage stage = create_stage();
	struct rootfs_request request = request_of(&stage);
	static const char *const wanted[] = {
		"\n--arch=arm64\n",
		"\n--include=kmod,busybox-static\n",
		"\nbookworm\n-\nhttp://mirror/debian\n",
		"--mode=root\n",
	};
	_cleanup_free_ char *text = NULL;

	make(&request, false);
	text = read_arguments(&stage);
	for (size_t i = 0; i < array_size(wanted); i++)
		cr_expect(strstr(text, wanted[i]), "%s in %s", wanted[i], text);
}

Test(rootfs, without_a_mirror_mmdebstrap_chooses)
{
	_cleanup_stage_ struct stage stage = create_stage();
	struct rootfs_request request = request_of(&stage);
	static const char wanted[] = "\nbookworm\n-\n";
	_cleanup_free_ char *text = NULL;

	request.mirror = NULL;
	make(&request, false);
	text = read_arguments(&stage);
	cr_expect_str_eq(text + strlen(text) - strlen(wanted), wanted);
}

Test(rootfs, force_makes_it_again_and_leaves_nothing_of_the_old)
{
	_cleanup_stage_ struct stage stage = create_stage();
	struct rootfs_request request = request_of(&stage);
	size_t count;

	make(&request, false);
	count = count_names(stage.cache);
	request.force = true;
	make(&request, false);
	cr_expect_eq(count_names(stage.cache), count);
}

Test(rootfs, who_uses_the_old_one_keeps_it)
{
	_cleanup_stage_ struct stage stage = create_stage();
	struct rootfs_request request = request_of(&stage);
	_cleanup_rootfs_ struct rootfs used = ROOTFS_INIT;
	size_t count;

	make(&request, false);
	count = count_names(stage.cache);
	cr_assert_null(rootfs_open(stage.cache, &arch, &used));
	request.force = true;
	make(&request, false);
	cr_expect_eq(faccessat(used.entry->fd, "etc/arguments", F_OK, 0), 0);
	cr_expect_eq(count_names(stage.cache), count + 1);
	rootfs_deinit(&used);
	make(&request, false);
	cr_expect_eq(count_names(stage.cache), count);
}

Test(rootfs, one_that_fails_leaves_what_was_there)
{
	_cleanup_stage_ struct stage stage = create_stage();
	struct rootfs_request request = request_of(&stage);
	_cleanup_rootfs_ struct rootfs rootfs = ROOTFS_INIT;
	ino_t first = make(&request, false);
	struct error *err;

	request.mirror = "http://broken/debian";
	request.force = true;
	err = rootfs_make(&request, &rootfs);
	cr_assert(err);
	cr_expect(strstr(error_message(err), "its log is"), "%s",
		  error_message(err));
	error_destroy(err);
	request.force = false;
	cr_expect_eq(make(&request, true), first);
}

Test(rootfs, a_first_one_that_fails_is_not_there)
{
	_cleanup_stage_ struct stage stage = create_stage();
	struct rootfs_request request = request_of(&stage);
	_cleanup_rootfs_ struct rootfs rootfs = ROOTFS_INIT;
	struct error *err;

	request.mirror = "http://broken/debian";
	err = rootfs_make(&request, &rootfs);
	cr_assert(err);
	error_destroy(err);
	err = rootfs_open(stage.cache, &arch, &rootfs);
	cr_assert(err);
	cr_expect(strstr(error_message(err),
			 "make one with: vmtest-vm rootfs -a aarch64"),
		  "%s", error_message(err));
	cr_expect(error_catch(&err, ERROR_NOT_FOUND));
}

Test(rootfs, what_the_machine_lacks_is_said_before_anything_is_done)
{
	_cleanup_stage_ struct stage stage = create_stage();
	struct rootfs_request request = request_of(&stage);
	struct rootfs_host host = able;
	_cleanup_rootfs_ struct rootfs rootfs = ROOTFS_INIT;
	struct error *err;

	host.has_mmdebstrap = false;
	request.host = &host;
	err = rootfs_make(&request, &rootfs);
	cr_assert(err);
	cr_expect_str_eq(
		error_message(err),
		"root of aarch64: mmdebstrap is not installed; install the package mmdebstrap");
	error_destroy(err);
}

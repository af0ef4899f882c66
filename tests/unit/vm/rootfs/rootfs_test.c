// SPDX-License-Identifier: LGPL-2.1-or-later

#include "vm/rootfs/rootfs.h"

#include <criterion/criterion.h>
#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/error.h"
#include "common/base/file.h"
#include "common/base/interrupt.h"
#include "common/base/log.h"
#include "common/base/text.h"
#include "common/cache/cache.h"
#include "common/kernel/catalog.h"

static const struct catalog_arch arch = {
	.name = "aarch64",
	.debian_arch = "arm64",
	.debian_suite = "bookworm",
};

/** Whose architectures are all others than this machine's. */
static const struct catalog catalog = { 0 };

static const struct rootfs_host able = {
	.is_root = true,
	.has_mmdebstrap = true,
	.has_keyring = true,
};

/** A directory that has a cache, and a PATH with what stands for mmdebstrap. */
struct stage {
	char *directory;
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
	char directory[] = "/tmp/rootfs_test.XXXXXX";
	_cleanup_free_ char *program = NULL;
	_cleanup_free_ char *path = NULL;
	struct stage stage = { 0 };

	interrupt_catch();
	log_init("test", LOG_ERROR, LOG_SILENCE_MS);
	cr_assert(mkdtemp(directory));
	stage.directory = strdup(directory);
	stage.cache = path_join(directory, "cache");
	program = path_join(directory, "mmdebstrap");
	cr_assert_null(file_write(program, mmdebstrap, strlen(mmdebstrap)));
	cr_assert_eq(chmod(program, 0755), 0);
	cr_assert_gt(asprintf(&path, "%s:/usr/bin:/bin", directory), 0);
	setenv("PATH", path, true);
	string_list_add(&stage.packages, "kmod");
	string_list_add(&stage.packages, "busybox-static");
	return stage;
}

static void destroy_stage(struct stage *stage)
{
	cleanup_directory(&stage->directory);
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
	_cleanup_cache_entry_ struct cache_entry *rootfs = NULL;
	struct error *err = rootfs_make(request, &rootfs);
	struct stat st;

	cr_assert_null(err, "%s", err ? error_message(err) : "");
	cr_expect_eq(rootfs->made, !cached);
	cr_assert_eq(fstat(rootfs->fd, &st), 0);
	return st.st_ino;
}

/** How many names there are beside the root. */
static size_t count_names(const char *cache)
{
	_cleanup_free_ char *path = path_join(cache, "aarch64");
	DIR *directory = opendir(path);
	size_t count = 0;

	cr_assert(directory);
	while (readdir(directory))
		count++;
	closedir(directory);
	return count;
}

static void expect_failure(const struct rootfs_request *request, const char *words)
{
	struct cache_entry *rootfs;
	_cleanup_error_ struct error *err = rootfs_make(request, &rootfs);

	cr_assert(err);
	cr_expect(strstr(error_message(err), words), "%s", error_message(err));
}

Test(rootfs, is_made_once_until_its_packages_change)
{
	_cleanup_stage_ struct stage stage = create_stage();
	struct rootfs_request request = request_of(&stage);
	struct string_list sorted = { 0 };
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

Test(rootfs, mmdebstrap_is_told_what_to_make)
{
	static const char *const always[] = {
		"\n--arch=arm64\n",
		"\n--include=kmod\n--include=busybox-static\n",
		"--mode=root\n",
	};
	// Without one, mmdebstrap chooses.
	static const char *const mirrors[] = { "http://mirror/debian", NULL };
	static const char *const ends[] = {
		"\nbookworm\n-\nhttp://mirror/debian\n", "\nbookworm\n-\n"
	};
	_cleanup_stage_ struct stage stage = create_stage();
	struct rootfs_request request = request_of(&stage);
	_cleanup_free_ char *path =
		path_join(stage.cache, "aarch64/rootfs/etc/arguments");

	request.force = true;
	for (size_t i = 0; i < array_size(mirrors); i++) {
		_cleanup_free_ char *text = NULL;

		request.mirror = mirrors[i];
		make(&request, false);
		cr_assert_null(file_read(path, 4096, &text, NULL));
		for (size_t j = 0; j < array_size(always); j++)
			cr_expect(strstr(text, always[j]), "%s in %s",
				  always[j], text);
		cr_expect_str_eq(text + strlen(text) - strlen(ends[i]), ends[i]);
	}
}

Test(rootfs, who_uses_the_old_one_keeps_it)
{
	_cleanup_stage_ struct stage stage = create_stage();
	struct rootfs_request request = request_of(&stage);
	struct cache_entry *used;
	size_t count;

	make(&request, false);
	count = count_names(stage.cache);
	// Of one that nobody uses, nothing is left.
	request.force = true;
	make(&request, false);
	cr_expect_eq(count_names(stage.cache), count);
	cr_assert_null(rootfs_open(&catalog, stage.cache, &arch, &used));
	make(&request, false);
	cr_expect_eq(faccessat(used->fd, "etc/arguments", F_OK, 0), 0);
	cr_expect_eq(count_names(stage.cache), count + 1);
	cache_release(used);
	make(&request, false);
	cr_expect_eq(count_names(stage.cache), count);
}

Test(rootfs, one_that_fails_leaves_what_was_there)
{
	_cleanup_stage_ struct stage stage = create_stage();
	struct rootfs_request request = request_of(&stage);
	ino_t first = make(&request, false);

	request.mirror = "http://broken/debian";
	request.force = true;
	expect_failure(&request, "its log is");
	request.force = false;
	cr_expect_eq(make(&request, true), first);
}

Test(rootfs, a_first_one_that_fails_is_not_there)
{
	_cleanup_stage_ struct stage stage = create_stage();
	struct rootfs_request request = request_of(&stage);
	struct rootfs_host host = able;
	struct cache_entry *rootfs;

	// What the machine lacks is said before anything is done.
	host.has_mmdebstrap = false;
	request.host = &host;
	expect_failure(&request,
		       "root of aarch64: mmdebstrap is not installed; install the package mmdebstrap");
	host.has_mmdebstrap = true;
	request.mirror = "http://broken/debian";
	expect_failure(&request, "its log is");

	_cleanup_error_ struct error *err =
		rootfs_open(&catalog, stage.cache, &arch, &rootfs);

	cr_assert(error_is(err, ERROR_NOT_FOUND));
	cr_expect(strstr(error_message(err),
			 "make one with: vmtest-vm rootfs -a aarch64"),
		  "%s", error_message(err));
}

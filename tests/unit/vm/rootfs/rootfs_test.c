// SPDX-License-Identifier: LGPL-2.1-or-later

#include "vm/rootfs/rootfs.h"

#include <criterion/criterion.h>
#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/file.h"
#include "common/base/interrupt.h"
#include "common/base/log.h"
#include "common/base/text.h"
#include "common/cache/cache.h"
#include "common/kernel/catalog.h"
#include "tests/unit/errors.h"
#include "tests/unit/files.h"

static const struct catalog_arch arch = {
	.name = "aarch64",
	.debian_arch = "arm64",
	.debian_suite = "bookworm",
};

static struct rootfs_host host;
static struct string_list packages;
static struct rootfs_request request;
static char *cache;

// Counts its calls in the root that it makes, which holds its arguments.
static const char mmdebstrap[] =
	"#!/bin/sh\n"
	"here=${0%/*}\n"
	"mkdir -p $here/root/etc\n"
	"printf '%s\\n' \"$@\" >$here/root/etc/arguments\n"
	"tar -C $here/root -cf - .\n"
	"case $* in *broken*) echo 'E: some reason' >&2; exit 25;; esac\n";

static void setup(void)
{
	_cleanup_free_ char *path = NULL;

	interrupt_catch();
	log_init("test", LOG_ERROR, LOG_SILENCE_MS);
	setup_tmp();
	cache = in_tmp("cache");
	put_program(tmp, "mmdebstrap", mmdebstrap);
	cr_assert_gt(asprintf(&path, "%s:/usr/bin:/bin", tmp), 0);
	setenv("PATH", path, true);
	string_list_add(&packages, "kmod");
	string_list_add(&packages, "busybox-static");
	host = (struct rootfs_host){ .is_root = true,
				     .has_mmdebstrap = true,
				     .has_keyring = true };
	request = (struct rootfs_request){
		.arch = &arch,
		.host = &host,
		.packages = &packages,
		.mirror = "http://mirror/debian",
		.directory = cache,
	};
}

static void teardown(void)
{
	teardown_tmp();
	free(cache);
	string_list_deinit(&packages);
}

TestSuite(rootfs, .init = setup, .fini = teardown);

/** The root's inode tells whether it is another one. */
static ino_t make(bool cached)
{
	_cleanup_cache_entry_ struct cache_entry *rootfs = NULL;
	struct stat st;

	expect_success(rootfs_make(&request, &rootfs));
	cr_expect_eq(rootfs->made, !cached);
	cr_assert_eq(fstat(rootfs->fd, &st), 0);
	return st.st_ino;
}

/** How many names there are beside the root. */
static size_t count_names(void)
{
	_cleanup_free_ char *path = in_tmp("cache/aarch64");
	DIR *dir = opendir(path);
	size_t count = 0;

	cr_assert(dir);
	while (readdir(dir))
		count++;
	closedir(dir);
	return count;
}

static void expect_no_root(const char *words)
{
	struct cache_entry *rootfs;

	expect_failure(rootfs_make(&request, &rootfs), words);
}

Test(rootfs, is_made_once_until_its_packages_change)
{
	_cleanup_string_list_ struct string_list sorted = { 0 };
	ino_t first = make(false);

	cr_expect_eq(make(true), first);
	// Their order says nothing.
	string_list_add(&sorted, "busybox-static");
	string_list_add(&sorted, "kmod");
	request.packages = &sorted;
	cr_expect_eq(make(true), first);
	string_list_add(&sorted, "gcc");
	cr_expect_neq(make(false), first);
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

	request.force = true;
	for (size_t i = 0; i < array_size(mirrors); i++) {
		request.mirror = mirrors[i];
		make(false);
		_cleanup_free_ char *text =
			get_file(cache, "aarch64/rootfs/etc/arguments");
		for (size_t j = 0; j < array_size(always); j++)
			cr_expect(strstr(text, always[j]), "%s in %s",
				  always[j], text);
		cr_expect_str_eq(text + strlen(text) - strlen(ends[i]), ends[i]);
	}
}

Test(rootfs, who_uses_the_old_one_keeps_it)
{
	struct cache_entry *used;

	make(false);
	size_t count = count_names();
	// Of one that nobody uses, nothing is left.
	request.force = true;
	make(false);
	cr_expect_eq(count_names(), count);
	cr_assert_null(rootfs_open(cache, &arch, &used));
	make(false);
	cr_expect_eq(faccessat(used->fd, "etc/arguments", F_OK, 0), 0);
	cr_expect_eq(count_names(), count + 1);
	cache_release(used);
	make(false);
	cr_expect_eq(count_names(), count);
}

Test(rootfs, one_that_fails_leaves_what_was_there)
{
	ino_t first = make(false);

	request.mirror = "http://broken/debian";
	request.force = true;
	expect_no_root("its log is");
	request.force = false;
	cr_expect_eq(make(true), first);
}

Test(rootfs, a_first_one_that_fails_is_not_there)
{
	struct cache_entry *rootfs;

	// What the machine lacks is said before anything is done.
	host.has_mmdebstrap = false;
	expect_no_root(
		"root of aarch64: mmdebstrap is not installed; install the package mmdebstrap");
	host.has_mmdebstrap = true;
	request.mirror = "http://broken/debian";
	expect_no_root("its log is");
	expect_kind(rootfs_open(cache, &arch, &rootfs), ERROR_NOT_FOUND,
		    "make one with: vmtest-vm rootfs -a aarch64");
}

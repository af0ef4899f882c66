// SPDX-License-Identifier: LGPL-2.1-or-later

#include "vm/rootfs/rootfs_unpack.h"

#include <archive.h>
#include <archive_entry.h>
#include <criterion/criterion.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/directory.h"
#include "common/base/error.h"
#include "common/base/file.h"
#include "common/base/memory.h"
#include "common/process/process.h"

struct item {
	const char *name;
	mode_t type;
	mode_t mode;
	/** Of a file its contents, of a link where it leads. */
	const char *text;
	bool is_hardlink;
};

/** A tarball in memory, from its beginning. */
static int write_tarball(const struct item *items, size_t count)
{
	struct archive *archive = archive_write_new();
	int fd = memfd_create("tarball", MFD_CLOEXEC);

	cr_assert_geq(fd, 0);
	archive_write_set_format_pax_restricted(archive);
	archive_write_open_fd(archive, fd);
	for (size_t i = 0; i < count; i++) {
		const struct item *item = &items[i];
		struct archive_entry *entry = archive_entry_new();

		archive_entry_set_pathname(entry, item->name);
		archive_entry_set_filetype(entry, item->type);
		archive_entry_set_perm(entry, item->mode);
		archive_entry_set_size(entry, 0);
		if (item->is_hardlink)
			archive_entry_set_hardlink(entry, item->text);
		else if (item->type == AE_IFLNK)
			archive_entry_set_symlink(entry, item->text);
		else if (item->type == AE_IFREG)
			archive_entry_set_size(entry,
					       (la_int64_t)strlen(item->text));
		// A warning is about a name that has no form in the locale.
		cr_assert_geq(archive_write_header(archive, entry), ARCHIVE_WARN);
		if (item->type == AE_IFREG && !item->is_hardlink)
			archive_write_data(archive, item->text,
					   strlen(item->text));
		archive_entry_free(entry);
	}
	cr_assert_eq(archive_write_free(archive), ARCHIVE_OK);
	lseek(fd, 0, SEEK_SET);
	return fd;
}

/** What writes all that is in a file. */
static struct process *send(int fd)
{
	struct process *process;

	cr_assert_null(process_spawn(
		&(struct process_options){
			.arguments = (const char *[]){ "cat", NULL },
			.stdin_fd = &fd,
			.reads_stdout = true,
		},
		&process));
	return process;
}

static struct error *unpack(const struct item *items, size_t count,
			    const char *directory)
{
	_cleanup_close_ int fd = write_tarball(items, count);
	_cleanup_process_ struct process *process = send(fd);

	return rootfs_unpack(process, directory);
}

static char *make_folder(void)
{
	char path[] = "/tmp/rootfs_unpack test.XXXXXX";

	cr_assert(mkdtemp(path));
	return string_copy(path);
}

static struct stat look(const char *directory, const char *name)
{
	_cleanup_free_ char *path = NULL;
	struct stat st = { 0 };

	path = path_join(directory, name);
	lstat(path, &st);
	return st;
}

Test(rootfs_unpack, a_system_keeps_what_makes_it_one)
{
	static const struct item items[] = {
		{ "./", AE_IFDIR, 0755, NULL, false },
		{ "./bin", AE_IFLNK, 0777, "usr/bin", false },
		{ "./usr/bin/su", AE_IFREG, 04755, "su", false },
		{ "./usr/bin/pager", AE_IFLNK, 0777, "/etc/alternatives/pager",
		  false },
		{ "./usr/bin/perl", AE_IFREG, 0755, "perl", false },
		{ "./usr/bin/perl5", AE_IFREG, 0755, "./usr/bin/perl", true },
		{ "./usr/share/Főtanúsítvány.crt", AE_IFREG, 0644, "x", false },
		{ "./dev/null", AE_IFCHR, 0666, NULL, false },
		{ "./etc/shadow", AE_IFREG, 0, "root", false },
	};
	_cleanup_directory_ char *directory = make_folder();

	cr_assert_null(unpack(items, array_size(items), directory));
	cr_expect(S_ISLNK(look(directory, "bin").st_mode));
	cr_expect_eq(look(directory, "usr/bin/su").st_mode, S_IFREG | 04755);
	cr_expect(S_ISLNK(look(directory, "usr/bin/pager").st_mode));
	cr_expect_eq(look(directory, "usr/bin/perl").st_ino,
		     look(directory, "usr/bin/perl5").st_ino);
	cr_expect_eq(look(directory, "usr/share/Főtanúsítvány.crt").st_size, 1);
	cr_expect_eq(look(directory, "dev/null").st_mode, 0);
	// Who is not root must be able to read it.
	cr_expect_eq(look(directory, "etc/shadow").st_mode & 0777,
		     geteuid() == 0 ? 0U : 0600U);
}

Test(rootfs_unpack, nothing_is_written_outside)
{
	static const struct item cases[][2] = {
		{ { "./a/../../x", AE_IFREG, 0644, "x", false } },
		{ { "./out", AE_IFLNK, 0777, "/tmp", false },
		  { "./out/vmtest-outside", AE_IFREG, 0644, "x", false } },
	};
	static const size_t counts[] = { 1, 2 };

	for (size_t i = 0; i < array_size(cases); i++) {
		_cleanup_directory_ char *directory = make_folder();
		struct error *err = unpack(cases[i], counts[i], directory);

		cr_expect(err, "%zu", i);
		error_destroy(err);
		cr_expect_not(file_exists("/tmp/vmtest-outside"));
	}
}

Test(rootfs_unpack, what_is_no_tarball_is_an_error)
{
	_cleanup_directory_ char *directory = make_folder();
	_cleanup_close_ int fd = memfd_create("text", MFD_CLOEXEC);
	struct error *err;

	cr_assert_eq(write(fd, "E: some failure\n", 16), 16);
	lseek(fd, 0, SEEK_SET);

	_cleanup_process_ struct process *process = send(fd);

	err = rootfs_unpack(process, directory);
	cr_assert(err);
	cr_expect(strstr(error_message(err), "tarball"), "%s",
		  error_message(err));
	error_destroy(err);
}

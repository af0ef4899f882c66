// SPDX-License-Identifier: LGPL-2.1-or-later

#include "common/archive/archive.h"

#include <archive.h>
#include <archive_entry.h>
#include <criterion/criterion.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zstd.h>

#include "common/base/file.h"
#include "tests/unit/errors.h"
#include "tests/unit/files.h"

TestSuite(unpack, .init = enter_tmp, .fini = teardown_tmp);

static const struct unpack_options plain = { 0 };
static const struct unpack_options of_system = { .is_system = true };

enum {
	TARBALL_BYTES = 4 << 20
};

struct tarball {
	char *data;
	size_t size;
};

static void tarball_deinit(struct tarball *tarball)
{
	free(tarball->data);
}

#define _cleanup_tarball_ _cleanup_(tarball_deinit)

enum {
	REG = S_IFREG | 0644,
	LNK = S_IFLNK | 0777,
	DIRECTORY = S_IFDIR | 0755,
};

struct item {
	unsigned int mode;
	const char *name;
	/** Contents, or where a symbolic link leads. */
	const char *text;
	/** Of a hard link. */
	const char *hardlink;
	/** Size to claim, with no contents but holes. */
	int64_t hole;
};

/** Compress with a checksum, which libarchive does not write. */
static void compress_zstd(struct tarball *tarball)
{
	ZSTD_CCtx *zstd = ZSTD_createCCtx();
	char *data = malloc(TARBALL_BYTES);

	ZSTD_CCtx_setParameter(zstd, ZSTD_c_checksumFlag, 1);
	tarball->size = ZSTD_compress2(zstd, data, TARBALL_BYTES, tarball->data,
				       tarball->size);
	cr_assert_not(ZSTD_isError(tarball->size));
	ZSTD_freeCCtx(zstd);
	free(tarball->data);
	tarball->data = data;
}

/** @param[in] filter One of libarchive's ARCHIVE_FILTER_ numbers. */
static struct tarball make_tarball(const struct item *items, size_t count,
				   int filter)
{
	struct tarball tarball = { .data = malloc(TARBALL_BYTES) };
	struct archive *archive = archive_write_new();

	if (filter != ARCHIVE_FILTER_ZSTD)
		cr_assert_eq(archive_write_add_filter(archive, filter),
			     ARCHIVE_OK);
	archive_write_set_format_pax(archive);
	archive_write_set_bytes_in_last_block(archive, 1);
	cr_assert_eq(archive_write_open_memory(archive, tarball.data,
					       TARBALL_BYTES, &tarball.size),
		     ARCHIVE_OK);
	for (size_t i = 0; i < count; i++) {
		const struct item *item = &items[i];
		struct archive_entry *entry = archive_entry_new();
		bool has_text = S_ISREG(item->mode) && item->text;

		archive_entry_set_pathname(entry, item->name);
		archive_entry_set_mode(entry, item->mode);
		archive_entry_set_mtime(entry, 1600000000, 0);
		archive_entry_set_size(entry,
				       has_text ? (int64_t)strlen(item->text)
						: item->hole);
		if (item->hole)
			archive_entry_sparse_add_entry(entry, 0, 0);
		if (S_ISLNK(item->mode))
			archive_entry_set_symlink(entry, item->text);
		if (item->hardlink)
			archive_entry_set_hardlink(entry, item->hardlink);
		// A warning is about a name that has no form in the locale.
		cr_assert_geq(archive_write_header(archive, entry),
			      ARCHIVE_WARN, "%s: %s", item->name,
			      archive_error_string(archive));
		if (has_text)
			archive_write_data(archive, item->text,
					   strlen(item->text));
		// Only then does it write the map of the holes.
		if (item->hole)
			archive_write_data(archive, "", 1);
		archive_entry_free(entry);
	}
	cr_assert_eq(archive_write_close(archive), ARCHIVE_OK);
	archive_write_free(archive);
	if (filter == ARCHIVE_FILTER_ZSTD)
		compress_zstd(&tarball);
	return tarball;
}

/** A tarball that comes in pieces. */
struct pieces {
	struct stream stream;
	const struct tarball *tarball;
	size_t piece;
};

static struct error *read_piece(struct stream *stream, const void **data_ret,
				size_t *size_ret)
{
	const struct pieces *pieces = (const struct pieces *)stream;
	size_t left = pieces->tarball->size - stream->done_bytes;

	*data_ret = pieces->tarball->data + stream->done_bytes;
	*size_ret = left < pieces->piece ? left : pieces->piece;
	return NULL;
}

static struct stream *open_pieces(const struct tarball *tarball, size_t piece)
{
	struct pieces *pieces = calloc(1, sizeof(*pieces));

	stream_init(&pieces->stream, read_piece, NULL, "pieces");
	pieces->tarball = tarball;
	pieces->piece = piece;
	return &pieces->stream;
}

/** Unpack into the directory out, which is new, in pieces of a size. */
static struct error *unpack_pieces(const struct tarball *tarball, size_t piece,
				   const struct unpack_options *options)
{
	_cleanup_stream_ struct stream *stream = open_pieces(tarball, piece);

	cr_assert_null(directory_remove("out"));
	cr_assert_null(directory_create("out"));
	return unpack(stream, "out", options);
}

static struct error *unpack_items(const struct item *items, size_t count,
				  const struct unpack_options *options)
{
	_cleanup_tarball_ struct tarball tarball =
		make_tarball(items, count, ARCHIVE_FILTER_ZSTD);

	return unpack_pieces(&tarball, SIZE_MAX, options);
}

/** What there is of a name; all 0 for nothing. */
static struct stat look(const char *name)
{
	struct stat st = { 0 };

	lstat(name, &st);
	return st;
}

static void expect_file(const char *name, const char *text, unsigned int mode)
{
	cr_expect_eq(look(name).st_mode, S_IFREG | mode, "%s", name);
	cr_expect_eq(look(name).st_mtime, 1600000000, "%s", name);
	expect_contents(".", name, text);
}

static const struct item good[] = {
	{ .mode = S_IFDIR | 0775, "./" },
	{ .mode = REG, "./vmlinuz", "image" },
	{ .mode = S_IFDIR | 0500, "./kernel" },
	{ .mode = S_IFREG | 0444, "./kernel/a.ko", "module a" },
	{ .mode = S_IFREG | 06777, "./kernel/tool", "tool" },
	{ .mode = LNK, "./kernel/up", "../build//./include" },
	{ .mode = LNK, "./here", "." },
	{ .mode = REG, "build/include/deep/x.h", "header" },
	{ .mode = REG, "./again", NULL, "./kernel/a.ko" },
	{ .mode = REG, "./empty", "" },
	{ .mode = REG, "./sparse", NULL, NULL, 5000 },
	{ .mode = DIRECTORY, "./build/include" },
};

static const int filters[] = {
	ARCHIVE_FILTER_NONE,  ARCHIVE_FILTER_GZIP, ARCHIVE_FILTER_XZ,
	ARCHIVE_FILTER_BZIP2, ARCHIVE_FILTER_ZSTD,
};

Test(unpack, writes_what_is_in_the_tarball)
{
	static const size_t pieces[] = { 1, 511, 1 << 20 };

	umask(022);
	for (size_t i = 0; i < array_size(filters); i++) {
		_cleanup_tarball_ struct tarball tarball =
			make_tarball(good, array_size(good), filters[i]);

		expect_success(unpack_pieces(&tarball, pieces[i % 3], &plain));
		expect_file("out/vmlinuz", "image", 0644);
		cr_expect_eq(look("out/kernel").st_mode, S_IFDIR | 0700);
		expect_file("out/kernel/a.ko", "module a", 0644);
		// No setuid, and nobody else may write.
		expect_file("out/kernel/tool", "tool", 0755);
		expect_file("out/build/include/deep/x.h", "header", 0644);
		expect_file("out/again", "module a", 0644);
		expect_file("out/empty", "", 0644);
		cr_expect_eq(look("out/sparse").st_size, 5000);
	}
}

Test(unpack, drops_leading_parts_of_names)
{
	static const struct item items[] = {
		{ .mode = DIRECTORY, "linux-6.12/" },
		{ .mode = REG, "linux-6.12/Makefile", "all:" },
		{ .mode = LNK, "linux-6.12/dts/arm", "../Makefile" },
		{ .mode = REG, "linux-6.12/copy", NULL, "linux-6.12/Makefile" },
		{ .mode = REG, "pax_global_header", "x" },
	};
	const struct unpack_options options = { .strip_components = 1 };

	expect_success(unpack_items(items, array_size(items), &options));
	expect_file("out/Makefile", "all:", 0644);
	cr_expect(S_ISLNK(look("out/dts/arm").st_mode));
	expect_file("out/copy", "all:", 0644);
}

// clang-format off
/** What must be refused, alone or after an entry that prepares it. */
static const struct {
	const char *claim;
	const char *words;
	struct item items[3];
	struct unpack_options options;
} hostile[] = {
	{ .claim = "absolute name", "absolute", { { .mode = REG, "/etc/x", "x" } } },
	{ .claim = "parent", "'..'", { { .mode = REG, "../x", "x" } } },
	{ .claim = "parent within", "'..'", { { .mode = REG, "a/../../x", "x" } } },
	{ .claim = "parent directory", "'..'", { { .mode = DIRECTORY, "a/.." } } },
	{ .claim = "absolute link", "absolute", { { .mode = LNK, "a", "/etc/passwd" } } },
	{ .claim = "link to the parent", "outside", { { .mode = LNK, "a", ".." } } },
	{ .claim = "link above", "outside", { { .mode = LNK, "a/b", "../../etc" } } },
	{ .claim = "link over a link", "outside",
	  { { .mode = LNK, "a", "." }, { .mode = LNK, "b", "a/.." } } },
	{ .claim = "link above what was stripped", "outside",
	  { { .mode = LNK, "linux/a", "../linux/x" } },
	  { .strip_components = 1 } },
	{ .claim = "file through a link", "'a' is a link",
	  { { .mode = DIRECTORY, "d" }, { .mode = LNK, "a", "d" }, { .mode = REG, "a/x", "x" } } },
	{ .claim = "file over a link", "twice",
	  { { .mode = LNK, "a", "b" }, { .mode = REG, "a", "x" } } },
	{ .claim = "directory over a link", "'a' is a link",
	  { { .mode = DIRECTORY, "d" }, { .mode = LNK, "a", "d" }, { .mode = DIRECTORY, "a" } } },
	{ .claim = "file below a file", "'a' is a link",
	  { { .mode = REG, "a", "x" }, { .mode = REG, "a/b", "x" } } },
	{ .claim = "the same twice", "twice",
	  { { .mode = REG, "a", "x" }, { .mode = REG, "a", "y" } } },
	{ .claim = "hard link outside", "'..'",
	  { { .mode = REG, "a", NULL, "../../etc/passwd" } } },
	{ .claim = "hard link to an absolute name", "absolute",
	  { { .mode = REG, "a", NULL, "/etc/passwd" } } },
	{ .claim = "hard link to nothing", "No such file", { { .mode = REG, "a", NULL, "b" } } },
	{ .claim = "hard link to a link", "not a file",
	  { { .mode = LNK, "l", "x" }, { .mode = REG, "a", NULL, "l" } } },
	{ .claim = "hard link through a link", "'l' is a link",
	  { { .mode = REG, "d/x", "x" }, { .mode = LNK, "l", "d" },
	    { .mode = REG, "a", NULL, "l/x" } } },
	{ .claim = "hard link to the directory itself", "not a file",
	  { { .mode = REG, "a", NULL, "." } } },
	{ .claim = "device", "device", { { .mode = S_IFBLK | 0644, "a" } } },
	{ .claim = "character device", "device", { { .mode = S_IFCHR | 0644, "a" } } },
	{ .claim = "fifo", "FIFO", { { .mode = S_IFIFO | 0644, "a" } } },
	{ .claim = "terminal escapes", "entry '?[31mx?y'",
	  { { .mode = S_IFIFO | 0644, "\033[31mx\ny" } } },
	{ .claim = "too many bytes", "more than 8 bytes",
	  { { .mode = REG, "a", "12345" }, { .mode = REG, "b", "1234" } },
	  { .limit_bytes = 8 } },
	{ .claim = "sparse bomb", "more than 17179869184 bytes",
	  { { .mode = REG, "a", NULL, NULL, INT64_C(1) << 50 } } },
	{ .claim = "too many entries", "more than 2 entries",
	  { { .mode = REG, "a", "1" }, { .mode = REG, "b", "1" }, { .mode = REG, "c", "1" } },
	  { .limit_entries = 2 } },
};
// clang-format on

Test(unpack, refuses_what_leads_outside)
{
	for (size_t i = 0; i < array_size(hostile); i++) {
		size_t count = 0;

		while (count < 3 && hostile[i].items[count].name)
			count++;
		struct error *err = unpack_items(hostile[i].items, count,
						 &hostile[i].options);

		cr_assert(err, "%s", hostile[i].claim);
		expect_failure(err, hostile[i].words);
	}
}

Test(unpack, refuses_names_that_nest_without_end)
{
	char name[3 * 100 + 2] = "";
	struct item item = { .mode = REG, name, "x" };

	for (int i = 0; i < 100; i++)
		strcat(name, "ab/");
	strcat(name, "x");
	expect_failure(unpack_items(&item, 1, &plain), "deeper");
}

/** Incompressible, so that a cut somewhere is a cut in the data. */
static struct tarball make_random_tarball(int filter)
{
	enum {
		TEXT_BYTES = 200000
	};
	char *text = malloc(TEXT_BYTES + 1);
	uint32_t random = 12345;
	struct item items[] = {
		{ .mode = REG, "a", text },
		{ .mode = REG, "b", "the end" },
	};
	struct tarball tarball;

	for (size_t i = 0; i < TEXT_BYTES; i++) {
		random = random * 1664525 + 1013904223;
		text[i] = (char)(1 + (random >> 24) % 255);
	}
	text[TEXT_BYTES] = '\0';
	tarball = make_tarball(items, array_size(items), filter);
	free(text);
	return tarball;
}

Test(unpack, never_takes_a_truncated_stream_for_a_whole_one)
{
	for (size_t i = 0; i < array_size(filters); i++) {
		_cleanup_tarball_ struct tarball whole =
			make_random_tarball(filters[i]);
		// Into the middle, between entries, into the end mark, and into
		// the compressor's checksum.
		// clang-format off
		const size_t cuts[] = {
			0, 1, 100, 512, 1024, whole.size / 2, 201216, 201728, 202240,
			whole.size - 1025, whole.size - 4, whole.size - 1,
		};
		// clang-format on

		for (size_t k = 0; k < array_size(cuts); k++) {
			struct tarball cut = { whole.data, cuts[k] };

			if (cuts[k] >= whole.size)
				continue;
			struct error *err = unpack_pieces(&cut, 65536, &plain);

			// Half of a tarball's end mark is enough to know.
			if (!err && filters[i] == ARCHIVE_FILTER_NONE &&
			    cuts[k] >= whole.size - 512)
				continue;
			cr_assert(err, "filter %d cut to %zu of %zu",
				  filters[i], cuts[k], whole.size);
			expect_failure(err, "truncated");
		}
	}
}

Test(unpack, sees_damage_by_the_checksum)
{
	static const int checked[] = { ARCHIVE_FILTER_XZ, ARCHIVE_FILTER_BZIP2,
				       ARCHIVE_FILTER_ZSTD };

	for (size_t i = 0; i < array_size(checked); i++) {
		_cleanup_tarball_ struct tarball tarball =
			make_random_tarball(checked[i]);

		for (size_t k = 1; k < 8; k++) {
			size_t at = tarball.size * k / 8;

			tarball.data[at] ^= 0x10;
			_cleanup_error_ struct error *err =
				unpack_pieces(&tarball, 65536, &plain);
			cr_expect(err, "filter %d, byte %zu", checked[i], at);
			tarball.data[at] ^= 0x10;
		}
	}
}

Test(unpack, refuses_what_is_no_tarball)
{
	char text[] = "<!DOCTYPE html><title>Unicorn!</title>";
	struct tarball tarball = { text, strlen(text) };
	expect_failure(unpack_pieces(&tarball, 10, &plain),
		       "nrecognized archive format");
}

Test(unpack, bounds_a_stream_that_never_ends)
{
	enum {
		ZEROES = 64 << 20
	};
	// The end mark of a tarball, and then zeroes for ever.
	_cleanup_tarball_ struct tarball tarball = { calloc(1, ZEROES), ZEROES };
	const struct unpack_options options = { .limit_bytes = 1 << 20,
						.limit_entries = 1000 };

	compress_zstd(&tarball);
	expect_failure(unpack_pieces(&tarball, SIZE_MAX, &options),
		       "larger than");
}

Test(unpack, ends_with_what_the_stream_says)
{
	_cleanup_tarball_ struct tarball tarball =
		make_random_tarball(ARCHIVE_FILTER_ZSTD);
	_cleanup_stream_ struct stream *stream = open_pieces(&tarball, 65536);

	stream_expect(stream, tarball.size - 1, NULL, "");
	expect_failure(unpack(stream, ".", &plain), "there are more");
}

Test(unpack, a_system_keeps_what_makes_it_one)
{
	static const struct item items[] = {
		{ .mode = S_IFDIR | 0711, "./" },
		{ .mode = LNK, "./bin", "usr/bin" },
		{ .mode = S_IFREG | 04755, "./usr/bin/su", "su" },
		{ .mode = LNK, "./usr/bin/pager", "/etc/pager" },
		{ .mode = S_IFREG | 0755, "./usr/bin/perl", "perl" },
		{ .mode = S_IFREG | 0755, "./usr/bin/perl5", NULL, "./usr/bin/perl" },
		{ .mode = REG, "./usr/share/Főtanúsítvány.crt", "x" },
		{ .mode = S_IFCHR | 0666, "./dev/null" },
		{ .mode = S_IFREG | 0, "./etc/shadow", "root" },
		{ .mode = S_IFDIR | 0700, "./var/lib/private" },
	};

	expect_success(unpack_items(items, array_size(items), &of_system));
	cr_expect_eq(look("out").st_mode & 0777,
		     geteuid() == 0 ? 0711U : 0711U | 0700U);
	cr_expect(S_ISLNK(look("out/bin").st_mode));
	// Nobody is to become who has unpacked it.
	cr_expect_eq(look("out/usr/bin/su").st_mode & 07777,
		     geteuid() == 0 ? 04755U : 0755U);
	cr_expect(S_ISLNK(look("out/usr/bin/pager").st_mode));
	cr_expect_eq(look("out/usr/bin/perl").st_ino,
		     look("out/usr/bin/perl5").st_ino);
	cr_expect_eq(look("out/usr/bin/perl5").st_size, 4);
	cr_expect_eq(look("out/usr/share/Főtanúsítvány.crt").st_size, 1);
	cr_expect_eq(look("out/dev/null").st_mode, 0);
	// Who is not root must be able to read it.
	cr_expect_eq(look("out/etc/shadow").st_mode & 0777,
		     geteuid() == 0 ? 0U : 0600U);
	// What is not in it is for all, whatever lies below.
	cr_expect_eq(look("out/var/lib").st_mode & 0777, 0755);
	cr_expect_eq(look("out/var/lib/private").st_mode & 0777, 0700);
}

Test(unpack, a_system_is_written_nowhere_else)
{
	static const struct item cases[][2] = {
		{ { .mode = REG, "./a/../../x", "x" } },
		{ { .mode = LNK, "./l", "/tmp" },
		  { .mode = REG, "./l/vmtest-outside", "x" } },
	};

	for (size_t i = 0; i < array_size(cases); i++) {
		_cleanup_error_ struct error *err =
			unpack_items(cases[i], i + 1, &of_system);

		cr_expect(err, "%zu", i);
		cr_expect_not(file_exists("/tmp/vmtest-outside"));
	}
}

Test(unpack, names_the_file_that_it_reads)
{
	expect_failure(unpack_file("/nowhere/x.tar.zst", ".", &plain),
		       "/nowhere/x.tar.zst");
}

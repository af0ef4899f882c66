// SPDX-License-Identifier: LGPL-2.1-or-later

#include "kbuild/package/package.h"

#include <errno.h>
#include <fnmatch.h>
#include <fts.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/archive/pack.h"
#include "common/base/directory.h"
#include "common/base/error.h"
#include "common/base/file.h"
#include "common/base/interrupt.h"
#include "common/base/memory.h"
#include "common/base/string_builder.h"
#include "common/base/string_list.h"
#include "common/kernel/catalog.h"
#include "common/kernel/compiler.h"
#include "common/kernel/release.h"
#include "common/process/process.h"
#include "kbuild/make.h"
#include "kbuild/package/package_info.h"

/** Which of the two trees a piece is from. */
enum {
	/** For a program of binutils; a kernel's modules take it a minute. */
	TOOL_LIMIT_MS = 1800000,
};

enum piece_root {
	FROM_SOURCE,
	FROM_BUILD,
};

enum piece_kind {
	PIECE_FILE,
	/** A program of the builder's machine; is stripped. */
	PIECE_PROGRAM,
	/** The files of a folder, without folders in it. */
	PIECE_FILES,
	/** A folder with all it holds. */
	PIECE_TREE,
};

/** A part of a package's build folder. */
struct piece {
	enum piece_root root;
	enum piece_kind kind;
	/** `@` stands for the architecture's folder under arch/. */
	const char *path;
	/** Glob that names of files must match, NULL for all. */
	const char *keep;
	/** Not every version or configuration has it. */
	bool is_optional;
};

/**
 * What building an external module needs. Of scripts/, all that is not in a
 * folder: names of what kbuild calls change between series (6.1 has a
 * check-local-export that 6.12 has not), and it is 0.3 MB compressed. The empty
 * files in include/config, one an option, are only for rebuilding what is built.
 */
// clang-format off
static const struct piece pieces[] = {
	{ FROM_SOURCE, PIECE_FILE, "Makefile", NULL, false },
	{ FROM_SOURCE, PIECE_FILES, "arch/@", "Makefile*", false },
	{ FROM_SOURCE, PIECE_TREE, "arch/@/include", NULL, false },
	{ FROM_SOURCE, PIECE_TREE, "include", NULL, false },
	{ FROM_SOURCE, PIECE_FILES, "scripts", NULL, false },
	{ FROM_BUILD, PIECE_FILE, ".config", NULL, false },
	{ FROM_BUILD, PIECE_FILE, "Module.symvers", NULL, false },
	{ FROM_BUILD, PIECE_TREE, "arch/@/include", NULL, false },
	{ FROM_BUILD, PIECE_FILE, "arch/@/kernel/module.lds", NULL, true },
	{ FROM_BUILD, PIECE_FILE, "arch/@/lib/crtsavres.o", NULL, true },
	{ FROM_BUILD, PIECE_FILE, "include/config/auto.conf", NULL, false },
	{ FROM_BUILD, PIECE_FILE, "include/config/kernel.release", NULL, false },
	{ FROM_BUILD, PIECE_TREE, "include/generated", NULL, false },
	{ FROM_BUILD, PIECE_FILE, "scripts/module.lds", NULL, true },
	{ FROM_BUILD, PIECE_PROGRAM, "scripts/basic/fixdep", NULL, false },
	{ FROM_BUILD, PIECE_PROGRAM, "scripts/genksyms/genksyms", NULL, true },
	{ FROM_BUILD, PIECE_PROGRAM, "scripts/mod/modpost", NULL, false },
	{ FROM_BUILD, PIECE_PROGRAM, "scripts/recordmcount", NULL, true },
	{ FROM_BUILD, PIECE_PROGRAM, "tools/bpf/resolve_btfids/resolve_btfids", NULL, true },
	{ FROM_BUILD, PIECE_PROGRAM, "tools/objtool/objtool", NULL, true },
};
// clang-format on

/** Files that no package wants: commands with the builder's paths. */
static const char skipped[] = "*.cmd";

/** What a boot needs comes first, and what few readers need last. */
static const char *const packed_first[] = {
	"vmtest.json", "vmlinuz",	"modules.dep",
	"kernel",      "build/.config", NULL,
};
static const char *const packed_last[] = { "build/vmlinux", NULL };

static const char trial_source[] = "#include <linux/module.h>\n"
				   "\n"
				   "static int __init vmtest_trial_init(void)\n"
				   "{\n"
				   "	pr_info(\"loaded\\n\");\n"
				   "	return 0;\n"
				   "}\n"
				   "module_init(vmtest_trial_init);\n"
				   "\n"
				   "static void __exit vmtest_trial_exit(void)\n"
				   "{\n"
				   "}\n"
				   "module_exit(vmtest_trial_exit);\n"
				   "\n"
				   "MODULE_LICENSE(\"GPL\");\n";
static const char trial_makefile[] = "obj-m := vmtest_trial.o\n";

static void cleanup_fts(FTS **fts)
{
	if (*fts)
		fts_close(*fts);
}

static void expand_path(const char *path, const char *source_arch, char **ret)
{
	_cleanup_string_builder_ struct string_builder sb = STRING_BUILDER_INIT;
	for (const char *p = path; *p; p++) {
		if (*p == '@')
			string_builder_append(&sb, source_arch);
		else
			string_builder_append_char(&sb, *p);
	}
	*ret = string_builder_take(&sb);
}

static struct error *create_parent(const char *path)
{
	_cleanup_free_ char *parent =
		string_copy_n(path, (size_t)(strrchr(path, '/') - path));
	return directory_create(parent);
}

/**
 * Copy a program without what differs between builders: debugging information
 * and the build ID that is computed over it.
 */
static struct error *copy_program(const char *from, const char *to)
{
	const char *const arguments[] = {
		"strip", "-s", "-R", ".note.gnu.build-id", "-o", to, from, NULL,
	};
	struct process_options options = {
		.arguments = arguments,
		.timeout_ms = TOOL_LIMIT_MS,
	};

	return process_run(&options);
}

static struct error *copy_folder(const char *from, const char *to,
				 const struct piece *piece)
{
	struct error *err;

	char *roots[] = { (char *)from, NULL };
	_cleanup_(cleanup_fts)
		FTS *fts = fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR, NULL);
	if (!fts)
		return error_create_os(errno, "open %s", from);
	for (;;) {
		errno = 0;
		FTSENT *entry = fts_read(fts);
		if (!entry && errno)
			return error_create_os(errno, "read %s", from);
		if (!entry)
			return NULL;
		if (entry->fts_errno)
			return error_create_os(entry->fts_errno, "read %s",
					       entry->fts_path);
		if (entry->fts_info == FTS_D && entry->fts_level > 0 &&
		    piece->kind == PIECE_FILES)
			fts_set(fts, entry, FTS_SKIP);
		if (entry->fts_info != FTS_F && entry->fts_info != FTS_SL)
			continue;
		if (fnmatch(skipped, entry->fts_name, 0) == 0)
			continue;
		if (piece->keep && fnmatch(piece->keep, entry->fts_name, 0) != 0)
			continue;
		_cleanup_free_ char *target =
			path_join(to, entry->fts_path + strlen(from) + 1);
		err = create_parent(target);
		if (err)
			return err;
		err = file_copy(entry->fts_path, target);
		if (err)
			return err;
	}
}

static struct error *copy_piece(const struct piece *piece,
				const struct package_input *input,
				const char *directory)
{
	struct error *err;

	_cleanup_free_ char *name = NULL;
	expand_path(piece->path, input->arch->source_arch, &name);
	_cleanup_free_ char *from = path_join(piece->root == FROM_SOURCE
						      ? input->source
						      : input->build,
					      name);
	if (piece->is_optional && access(from, F_OK) < 0)
		return NULL;
	_cleanup_free_ char *to = path_joinf(directory, "build/%s", name);
	if (piece->kind == PIECE_FILES || piece->kind == PIECE_TREE)
		return copy_folder(from, to, piece);
	err = create_parent(to);
	if (err)
		return err;
	if (piece->kind == PIECE_PROGRAM)
		return copy_program(from, to);
	return file_copy(from, to);
}

/** eu-strip's arguments: every module of a package. */
static struct error *list_modules(const char *directory, struct string_list *list)
{
	_cleanup_free_ char *kernel = path_join(directory, "kernel");
	char *roots[] = { kernel, NULL };
	_cleanup_(cleanup_fts)
		FTS *fts = fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR, NULL);
	if (!fts)
		return error_create_os(errno, "open %s", kernel);
	for (;;) {
		errno = 0;
		FTSENT *entry = fts_read(fts);
		if (!entry && errno)
			return error_create_os(errno, "read %s", kernel);
		if (!entry)
			break;
		if (entry->fts_info == FTS_F &&
		    fnmatch("*.ko", entry->fts_name, 0) == 0)
			string_list_add(list, entry->fts_path);
	}
	return NULL;
}

/**
 * Resolve relocations between debug sections: a module then is 30 % smaller,
 * and its debugging information needs no relocating before it is read.
 */
static struct error *strip_modules(const char *directory)
{
	struct error *err;

	_cleanup_string_list_ struct string_list arguments = STRING_LIST_INIT;
	string_list_add(&arguments, "eu-strip");
	string_list_add(&arguments, "--reloc-debug-sections-only");
	err = list_modules(directory, &arguments);
	if (err)
		return err;
	struct process_options options = {
		.arguments = (const char *const *)arguments.items,
		.timeout_ms = TOOL_LIMIT_MS,
	};
	return process_run(&options);
}

static struct error *remove_link(const char *directory, const char *name)
{
	_cleanup_free_ char *path = path_join(directory, name);
	if (unlink(path) < 0 && errno != ENOENT)
		return error_create_os(errno, "unlink %s", path);
	return NULL;
}

/** Install modules as the package's folder. */
static struct error *stage_modules(const struct package_input *input,
				   struct make *make, const char *directory)
{
	struct error *err;

	_cleanup_string_builder_ struct string_builder sb = STRING_BUILDER_INIT;
	string_builder_appendf(&sb, "%s.modules", directory);
	_cleanup_directory_ char *root = string_builder_take(&sb);
	err = directory_remove(root);
	if (err)
		return err;
	string_builder_appendf(&sb, "INSTALL_MOD_PATH=%s", root);
	_cleanup_free_ char *variable = string_builder_take(&sb);
	// make only warns if there is none, as in the PATH of most users.
	const char *depmod = process_program_exists("depmod")
				     ? "DEPMOD=depmod"
				     : "DEPMOD=/sbin/depmod";
	const char *const arguments[] = { variable, depmod, "modules_install",
					  NULL };
	err = make_run(make, NULL, arguments);
	if (err)
		return error_wrap(err, "install modules");

	char release[RELEASE_TEXT_SIZE];
	release_format(input->release, release);
	_cleanup_free_ char *installed =
		path_joinf(root, "lib/modules/%s", release);
	if (rename(installed, directory) < 0)
		return error_create_os(errno, "rename %s to %s", installed,
				       directory);
	err = remove_link(directory, "build");
	if (err)
		return err;
	err = remove_link(directory, "source");
	if (err)
		return err;
	_cleanup_free_ char *dependencies = path_join(directory, "modules.dep");
	if (!file_exists(dependencies))
		return error_create(ERROR_OTHER,
				    "depmod did not run; install the package kmod");
	return strip_modules(directory);
}

static struct error *stage_image(const struct package_input *input,
				 const char *directory)
{
	struct error *err;

	_cleanup_free_ char *from =
		path_join(input->build, input->arch->image_path);
	_cleanup_free_ char *to = path_join(directory, "vmlinuz");
	err = file_copy(from, to);
	if (err)
		return err;
	if (chmod(to, 0644) < 0)
		return error_create_os(errno, "chmod %s", to);
	return NULL;
}

/**
 * Copy vmlinux without the relocations of debug sections, which a linker that
 * was told to emit relocations leaves behind: they are applied already.
 */
static struct error *stage_vmlinux(const struct package_input *input,
				   struct make *make, const char *directory)
{
	_cleanup_free_ char *from = path_join(input->build, "vmlinux");
	_cleanup_free_ char *to = path_join(directory, "build/vmlinux");
	_cleanup_string_builder_ struct string_builder sb = STRING_BUILDER_INIT;
	string_builder_appendf(&sb, "%sobjcopy", make_compiler(make)->prefix);
	_cleanup_free_ char *objcopy = string_builder_take(&sb);
	const char *const arguments[] = {
		objcopy,
		"--remove-section=.rel.debug_*",
		"--remove-section=.rela.debug_*",
		from,
		to,
		NULL,
	};
	struct process_options options = {
		.arguments = arguments,
		.timeout_ms = TOOL_LIMIT_MS,
	};
	return process_run(&options);
}

struct error *package_stage(const struct package_input *input,
			    struct make *make, const char *directory)
{
	struct error *err;

	err = stage_modules(input, make, directory);
	if (err)
		return err;
	err = stage_image(input, directory);
	if (err)
		return err;
	for (size_t i = 0; i < array_size(pieces); i++) {
		err = interrupt_check();
		if (err)
			return err;
		err = copy_piece(&pieces[i], input, directory);
		if (err)
			return error_wrap(err, "stage %s", pieces[i].path);
	}
	err = stage_vmlinux(input, make, directory);
	if (err)
		return err;
	return package_info_write(input, directory);
}

struct error *package_prove(struct make *make, const char *directory,
			    const char *scratch)
{
	struct error *err;

	err = directory_create(scratch);
	if (err)
		return err;
	_cleanup_free_ char *source = path_join(scratch, "vmtest_trial.c");
	err = file_write(source, trial_source, sizeof(trial_source) - 1);
	if (err)
		return err;
	_cleanup_free_ char *makefile = path_join(scratch, "Makefile");
	err = file_write(makefile, trial_makefile, sizeof(trial_makefile) - 1);
	if (err)
		return err;
	_cleanup_free_ char *kernel = path_join(directory, "build");
	err = make_module(make, kernel, scratch);
	if (err)
		return error_wrap(err, "build a module with the package");
	_cleanup_free_ char *module = path_join(scratch, "vmtest_trial.ko");
	if (!file_exists(module))
		return error_create(ERROR_OTHER,
				    "build a module with the package: make made none");
	return NULL;
}

struct error *package_pack(const char *directory, const char *path,
			   uint64_t *size_ret)
{
	struct pack_options options = {
		.first = packed_first,
		.last = packed_last,
		.mtime = KBUILD_TIME,
	};

	return pack_directory(directory, path, &options, size_ret);
}

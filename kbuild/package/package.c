// SPDX-License-Identifier: LGPL-2.1-or-later

#include "kbuild/package/package.h"

#include <errno.h>
#include <fnmatch.h>
#include <glob.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/archive/archive.h"
#include "common/base/error.h"
#include "common/base/file.h"
#include "common/base/interrupt.h"
#include "common/base/memory.h"
#include "common/base/text.h"
#include "common/kernel/catalog.h"
#include "common/kernel/compiler.h"
#include "common/process/process.h"
#include "common/process/sandbox.h"
#include "kbuild/make.h"

enum {
	/** For a program of binutils; a kernel's modules take it a minute. */
	TOOL_LIMIT_MS = 1800000,
	MAKEFILE_LIMIT_BYTES = 1 << 20,
};

/** A part of a package's build directory. */
struct piece {
	/** In the build directory, not in the source. */
	bool is_built;
	/** Not every version or configuration has it. */
	bool is_optional;
	/**
	 * A glob of files, or a directory with all it holds. `@` stands for the
	 * architecture's directory under arch/.
	 */
	const char *pattern;
};

/**
 * What building an external module needs. Of scripts/, all that is not in a
 * directory: names of what kbuild calls change between series (6.1 has a
 * check-local-export that 6.12 has not), and it is 0.3 MB compressed. The empty
 * files in include/config, one an option, are only for rebuilding what is built.
 */
static const struct piece pieces[] = {
	{ false, false, "Makefile" },
	{ false, false, "arch/@/Makefile*" },
	{ false, false, "arch/@/include/" },
	{ false, false, "include/" },
	{ false, false, "scripts/*" },
	{ true, false, ".config" },
	{ true, false, "Module.symvers" },
	{ true, false, "arch/@/include/" },
	{ true, true, "arch/@/kernel/module.lds" },
	{ true, true, "arch/@/lib/crtsavres.o" },
	{ true, false, "include/config/auto.conf" },
	{ true, false, "include/config/kernel.release" },
	{ true, false, "include/generated/" },
	{ true, true, "scripts/module.lds" },
	{ true, false, "scripts/basic/fixdep" },
	{ true, true, "scripts/genksyms/genksyms" },
	{ true, false, "scripts/mod/modpost" },
	{ true, true, "scripts/recordmcount" },
	{ true, true, "tools/bpf/resolve_btfids/resolve_btfids" },
	{ true, true, "tools/objtool/objtool" },
};

/** Files that no package wants: commands with the builder's paths. */
static const char *const skipped[] = { "*.cmd", NULL };

static const char trial_source[] = "#include <linux/module.h>\n"
				   "\n"
				   "static int __init vmtest_trial_init(void)\n"
				   "{\n"
				   "	pr_info(\"loaded\\n\");\n"
				   "	return 0;\n"
				   "}\n"
				   "module_init(vmtest_trial_init);\n"
				   "\n"
				   "MODULE_LICENSE(\"GPL\");\n";
static const char trial_makefile[] = "obj-m := vmtest_trial.o\n";

static struct error *run_tool(const char *const *arguments)
{
	const struct process_options options = {
		.arguments = arguments,
		.inherited = kernel_make_inherited,
		.timeout_ms = TOOL_LIMIT_MS,
	};

	return process_run(&options);
}

static struct error *copy_file(const struct piece *piece, const char *from,
			       const char *to)
{
	struct error *err;

	_cleanup_free_ char *parent = path_parent(to);
	err = directory_create(parent);
	if (err)
		return err;
	if (!piece->is_built || access(from, X_OK) < 0)
		return file_copy(from, to);
	// A program of the builder's machine, without what differs between
	// builders: debugging information and the build ID computed over it.
	const char *const arguments[] = {
		"strip", "-s", "-R", ".note.gnu.build-id", "-o", to, from, NULL,
	};
	return run_tool(arguments);
}

static struct error *copy_piece(const struct piece *piece,
				const struct make *make, const char *directory)
{
	struct error *err;

	const char *root = piece->is_built ? make->build : make->source;
	size_t before = strcspn(piece->pattern, "@");
	const char *after = piece->pattern + before;
	// make has refused paths with what is special in a glob.
	_cleanup_free_ char *pattern =
		string_format("%s/%.*s%s%s", root, (int)before, piece->pattern,
			      *after ? make->arch->source_arch : "",
			      *after ? after + 1 : "");
	char *last = pattern + strlen(pattern) - 1;
	bool is_tree = *last == '/';
	if (is_tree)
		*last = '\0';
	_cleanup_(globfree) glob_t matches = { 0 };
	int result = glob(pattern, GLOB_PERIOD, NULL, &matches);
	if (result == GLOB_NOMATCH && piece->is_optional)
		return NULL;
	if (result != 0)
		return error_create(ERROR_OTHER, "%s: no such file", pattern);
	for (size_t i = 0; i < matches.gl_pathc; i++) {
		const char *from = matches.gl_pathv[i];
		_cleanup_free_ char *to = path_joinf(directory, "build/%s",
						     from + strlen(root) + 1);

		if (!is_tree && (directory_exists(from) ||
				 fnmatch(skipped[0], from, 0) == 0))
			continue;
		err = is_tree ? tree_copy(from, skipped, to)
			      : copy_file(piece, from, to);
		if (err)
			return err;
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

	_cleanup_free_ char *kernel = path_join(directory, "kernel");
	_cleanup_string_list_ struct string_list files = { 0 };
	err = tree_list(kernel, NULL, &files);
	if (err)
		return err;
	_cleanup_string_list_ struct string_list arguments = { 0 };
	string_list_add(&arguments, "eu-strip");
	string_list_add(&arguments, "--reloc-debug-sections-only");
	for (size_t i = 0; i < files.count; i++) {
		if (fnmatch("*.ko", files.items[i], 0) == 0)
			string_list_addf(&arguments, "%s/%s", kernel,
					 files.items[i]);
	}
	return run_tool((const char *const *)arguments.items);
}

/** Install modules as the package's directory. */
static struct error *stage_modules(const struct package_input *input,
				   const struct make *make, const char *directory)
{
	struct error *err;

	_cleanup_directory_ char *root = string_format("%s.modules", directory);
	err = directory_remove(root);
	if (err)
		return err;
	_cleanup_free_ char *variable =
		string_format("INSTALL_MOD_PATH=%s", root);
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
	static const char *const links[] = { "build", "source" };
	for (size_t i = 0; i < array_size(links); i++) {
		_cleanup_free_ char *path = path_join(directory, links[i]);

		if (unlink(path) < 0 && errno != ENOENT)
			return error_create_os(errno, "unlink %s", path);
	}
	_cleanup_free_ char *dependencies = path_join(directory, "modules.dep");
	if (!file_exists(dependencies))
		return error_create(ERROR_OTHER,
				    "depmod did not run; install the package kmod");
	return strip_modules(directory);
}

/** What writes BTF of external modules. */
static struct error *stage_pahole(const struct make *make, const char *directory)
{
	static const char makefile_end[] = "\nPAHOLE = $(srctree)/" MAKE_PAHOLE
					   "\n";
	struct error *err;

	_cleanup_free_ char *from = path_join(make->build, MAKE_PAHOLE);
	_cleanup_free_ char *to = path_join(directory, "build/" MAKE_PAHOLE);
	err = file_copy(from, to);
	if (err)
		return err;
	_cleanup_free_ char *path = path_join(directory, "build/Makefile");
	_cleanup_free_ char *text = NULL;
	err = file_read(path, MAKEFILE_LIMIT_BYTES, &text, NULL);
	if (err)
		return err;
	_cleanup_free_ char *whole = string_format("%s%s", text, makefile_end);
	return file_write(path, whole, strlen(whole));
}

/** The kernel as it is booted, and as debuggers read it. */
static struct error *stage_images(const struct make *make, const char *directory)
{
	struct error *err;

	_cleanup_free_ char *image =
		path_join(make->build, make->arch->image_path);
	_cleanup_free_ char *vmlinuz = path_join(directory, "vmlinuz");
	err = file_copy(image, vmlinuz);
	if (err)
		return err;
	if (chmod(vmlinuz, 0644) < 0)
		return error_create_os(errno, "chmod %s", vmlinuz);
	_cleanup_free_ char *from = path_join(make->build, "vmlinux");
	_cleanup_free_ char *to = path_join(directory, "build/vmlinux");
	_cleanup_free_ char *objcopy =
		string_format("%sobjcopy", make->compiler->prefix);
	// A linker that was told to emit relocations leaves those of debug
	// sections behind, which are applied already.
	const char *const arguments[] = {
		objcopy,
		"--remove-section=.rel.debug_*",
		"--remove-section=.rela.debug_*",
		from,
		to,
		NULL,
	};
	return run_tool(arguments);
}

struct error *package_stage(const struct package_input *input,
			    const struct make *make, const char *directory)
{
	struct error *err;

	err = stage_modules(input, make, directory);
	if (err)
		return err;
	for (size_t i = 0; i < array_size(pieces); i++) {
		err = interrupt_check();
		if (err)
			return err;
		err = copy_piece(&pieces[i], make, directory);
		if (err)
			return error_wrap(err, "stage %s", pieces[i].pattern);
	}
	err = stage_pahole(make, directory);
	if (err)
		return err;
	err = stage_images(make, directory);
	if (err)
		return err;
	return package_info_write(input, make, directory);
}

struct error *package_prove(const struct make *make, const char *directory,
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
	// As modules are built for who uses it.
	_cleanup_string_list_ struct string_list readable = { 0 };
	string_list_add(&readable, directory);
	compiler_add_directories(make->compiler, &readable);
	_cleanup_sandbox_ struct sandbox sandbox = { .ruleset_fd = -1 };
	err = sandbox_init(&readable, scratch, &sandbox);
	if (err)
		return err;
	const struct kernel_make_module options = {
		.arch = make->arch,
		.compiler = make->compiler,
		.kernel = kernel,
		.module = scratch,
		.log_path = make->log_path,
		.sandbox = &sandbox,
	};
	err = kernel_make_module(&options);
	if (err)
		return error_wrap(err, "build a module with the package");
	_cleanup_free_ char *module = path_join(scratch, "vmtest_trial.ko");
	if (!file_exists(module))
		return error_create(ERROR_OTHER,
				    "build a module with the package: make made none");
	return NULL;
}

struct error *package_pack(const char *directory, const char *path)
{
	// How it was made; what a boot needs; and last what few readers need.
	static const char *const first[] = {
		"vmtest.json", "build/.config", "vmlinuz",
		"modules.dep", "kernel",	NULL,
	};
	static const char *const last[] = { "build/vmlinux", NULL };
	const struct pack_options options = {
		.first = first,
		.last = last,
		.mtime = KBUILD_TIME,
	};

	return pack_directory(directory, path, &options);
}

// SPDX-License-Identifier: LGPL-2.1-or-later

#include "kbuild/make.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <criterion/criterion.h>

#include "common/base/directory.h"
#include "common/base/error.h"
#include "common/base/file.h"
#include "common/base/interrupt.h"
#include "common/cli/progress.h"
#include "common/kernel/catalog.h"
#include "common/kernel/compiler.h"

static const struct catalog_arch arch = {
	.name = "x86_64",
	.kernel_arch = "x86_64",
	.source_arch = "x86",
};

static char no_prefix[] = "", gcc[] = "gcc";

static const struct compiler compiler = {
	.prefix = no_prefix,
	.program = gcc,
};

/** A folder that stands for a kernel's tree, and one to build in. */
struct trees {
	char *root;
	char *source;
	char *build;
	char *log;
};

static struct trees create_trees(const char *makefile)
{
	struct trees trees;
	char root[] = "/tmp/make_test.XXXXXX";
	_cleanup_free_ char *path = NULL;

	interrupt_catch();
	cr_assert(mkdtemp(root));
	trees.root = strdup(root);
	trees.source = path_join(root, "source");
	trees.build = path_join(root, "build");
	trees.log = path_join(root, "log");
	cr_assert_null(directory_create(trees.source));
	cr_assert_null(directory_create(trees.build));
	path = path_join(trees.source, "Makefile");
	cr_assert_null(file_write(path, makefile, strlen(makefile)));
	return trees;
}

static void destroy_trees(struct trees *trees)
{
	cleanup_directory(&trees->root);
	free(trees->source);
	free(trees->build);
	free(trees->log);
}

static struct make *create(const struct trees *trees)
{
	struct make *make = NULL;
	_cleanup_error_ struct error *err =
		make_create(trees->source, trees->build, &arch, &compiler, 1,
			    trees->log, &make);

	cr_assert_null(err, "%s", err ? error_message(err) : "");
	return make;
}

static const char *const all[] = { "all", NULL };

Test(make, takes_nothing_from_the_environment)
{
	struct trees trees = create_trees(
		"all:\n"
		"\t@echo '$(ARCH) $(LLVM) $(KBUILD_BUILD_USER) $(LOCALVERSION)'\n"
		"\t@echo \"$$KCONFIG_CONFIG $$LC_ALL\"\n");
	setenv("LLVM", "1", 1);
	setenv("LOCALVERSION", "-mine", 1);
	setenv("KCONFIG_CONFIG", "/elsewhere", 1);
	_cleanup_make_ struct make *make = create(&trees);
	_cleanup_error_ struct error *err = make_run(make, NULL, all);
	cr_assert_null(err, "%s", err ? error_message(err) : "");

	_cleanup_free_ char *log = NULL;
	cr_assert_null(file_read(trees.log, 1 << 16, &log, NULL));
	cr_expect(strstr(log, "x86_64  vmtest \n"), "%s", log);
	cr_expect(strstr(log, " C\n"), "%s", log);
	destroy_trees(&trees);
}

Test(make, failure_names_the_log)
{
	struct trees trees = create_trees("all:\n\t@echo some text; false\n");
	_cleanup_make_ struct make *make = create(&trees);
	_cleanup_error_ struct error *err = make_run(make, NULL, all);
	cr_assert(err);
	cr_expect(strstr(error_message(err), trees.log), "%s",
		  error_message(err));

	_cleanup_free_ char *log = NULL;
	cr_assert_null(file_read(trees.log, 1 << 16, &log, NULL));
	cr_expect(strstr(log, "some text\n"));
	destroy_trees(&trees);
}

Test(make, missing_file_fails_a_module_build_that_succeeds)
{
	struct trees trees =
		create_trees("modules:\n\t@cat scripts/needed.sh || true\n");
	_cleanup_make_ struct make *make = create(&trees);
	_cleanup_error_ struct error *err =
		make_module(make, trees.source, trees.build);
	cr_assert(err);
	cr_expect(strstr(error_message(err), "scripts/needed.sh"), "%s",
		  error_message(err));
	destroy_trees(&trees);
}

Test(make, refuses_paths_that_break_its_variables)
{
	static const char *const paths[] = { "relative", "/with space",
					     "/with:colon", "/with$dollar" };

	for (size_t i = 0; i < array_size(paths); i++) {
		struct make *make = NULL;
		_cleanup_error_ struct error *err =
			make_create(paths[i], "/tmp", &arch, &compiler, 1,
				    "/dev/null", &make);

		cr_expect(error_is(err, ERROR_USAGE), "%s", paths[i]);
	}
}

Test(make, counts_what_is_compiled_for_the_kernel)
{
	struct trees trees =
		create_trees("all:\n"
			     "\t@echo '  HOSTCC  scripts/host.o'\n"
			     "\t@echo '  CC      /build/tools/objtool/check.o'\n"
			     "\t@echo '  CC      init/main.o'\n"
			     "\t@echo '  AS      arch/x86/entry.o'\n"
			     "\t@echo '  CC [M]  fs/module.o'\n"
			     "\t@echo '  CC [M]  /home/user/external.o'\n"
			     "\t@echo '  AR      built-in.a'\n"
			     "\t@echo 'make: nothing of the kind: CC a.o'\n"
			     "\t@echo '  LD      vmlinux'\n");
	_cleanup_close_ int stderr_fd = memfd_create("stderr", MFD_CLOEXEC);

	cr_assert_eq(dup2(stderr_fd, STDERR_FILENO), STDERR_FILENO);

	_cleanup_make_ struct make *make = create(&trees);
	_cleanup_progress_ struct progress *progress =
		progress_create("build", PROGRESS_COMPILED);
	_cleanup_error_ struct error *err = make_run(make, progress, all);
	char text[256] = "";

	cr_assert_null(err, "%s", err ? error_message(err) : "");
	progress_finish(progress);
	cr_assert_gt(pread(stderr_fd, text, sizeof(text) - 1, 0), 0);
	cr_expect(strstr(text, ": build: 4 files compiled, "), "%s", text);
	destroy_trees(&trees);
}

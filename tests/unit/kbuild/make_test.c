// SPDX-License-Identifier: LGPL-2.1-or-later

#include "kbuild/make.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <criterion/criterion.h>

#include "common/base/error.h"
#include "common/base/file.h"
#include "common/base/interrupt.h"
#include "common/base/progress.h"
#include "common/kernel/catalog.h"
#include "common/kernel/compiler.h"
#include "tests/unit/files.h"

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

/** Holds what stands for a kernel's tree, and a directory to build in. */
static char root[] = "/tmp/make_test.XXXXXX";
static char *source, *build, *log_path;
static struct make make = MAKE_INIT;

static void setup(void)
{
	interrupt_catch();
	cr_assert(mkdtemp(root));
	source = path_join(root, "source");
	build = path_join(root, "build");
	log_path = path_join(root, "log");
	cr_assert_null(directory_create(build));
}

static void teardown(void)
{
	make_deinit(&make);
	free(source);
	free(build);
	free(log_path);
	error_destroy(directory_remove(root));
}

TestSuite(make, .init = setup, .fini = teardown);

static void prepare(const char *makefile)
{
	put_file(source, "Makefile", makefile);
	_cleanup_error_ struct error *err =
		make_init(&make, source, build, &arch, &compiler, 1, log_path);
	cr_assert_null(err, "%s", err ? error_message(err) : "");
}

static void expect_logged(const char *text)
{
	_cleanup_free_ char *log = NULL;

	cr_assert_null(file_read(log_path, 1 << 16, &log, NULL));
	cr_expect(strstr(log, text), "no '%s' in %s", text, log);
}

static const char *const all[] = { "all", NULL };

Test(make, takes_nothing_from_the_environment)
{
	prepare("all:\n"
		"\t@echo '$(ARCH) $(LLVM) $(KBUILD_BUILD_USER) $(LOCALVERSION)'\n"
		"\t@echo \"$$KCONFIG_CONFIG $$LC_ALL\"\n");
	setenv("LLVM", "1", 1);
	setenv("LOCALVERSION", "-mine", 1);
	setenv("KCONFIG_CONFIG", "/elsewhere", 1);
	_cleanup_error_ struct error *err = make_run(&make, NULL, all);
	cr_assert_null(err, "%s", err ? error_message(err) : "");
	expect_logged("x86_64  vmtest \n");
	expect_logged(" C\n");
}

Test(make, failure_names_the_log)
{
	prepare("all:\n\t@echo some text; false\n");
	_cleanup_error_ struct error *err = make_run(&make, NULL, all);
	cr_assert(err);
	cr_expect(strstr(error_message(err), log_path), "%s", error_message(err));
	expect_logged("some text\n");
}

Test(make, missing_file_fails_a_module_build_that_succeeds)
{
	const struct kernel_make_module module = {
		.arch = &arch,
		.compiler = &compiler,
		.kernel = source,
		.module = build,
	};

	prepare("modules:\n\t@cat scripts/needed.sh || true\n");
	_cleanup_error_ struct error *err =
		kernel_make_module(&module, &make.log);
	cr_assert(err);
	cr_expect(strstr(error_message(err), "scripts/needed.sh"), "%s",
		  error_message(err));
}

Test(make, refuses_paths_that_break_its_variables)
{
	static const char *const paths[] = { "relative", "/with space",
					     "/with:colon", "/with$dollar" };

	for (size_t i = 0; i < array_size(paths); i++) {
		_cleanup_error_ struct error *err =
			make_init(&make, paths[i], "/tmp", &arch, &compiler, 1,
				  "/dev/null");

		cr_expect(error_is(err, ERROR_USAGE), "%s", paths[i]);
	}
}

Test(make, counts_what_is_compiled_for_the_kernel)
{
	_cleanup_close_ int stderr_fd = memfd_create("stderr", MFD_CLOEXEC);

	prepare("all:\n"
		"\t@echo '  HOSTCC  scripts/host.o'\n"
		"\t@echo '  CC      /build/tools/objtool/check.o'\n"
		"\t@echo '  CC      init/main.o'\n"
		"\t@echo '  AS      arch/x86/entry.o'\n"
		"\t@echo '  CC [M]  fs/module.o'\n"
		"\t@echo '  CC [M]  /home/user/external.o'\n"
		"\t@echo '  AR      built-in.a'\n"
		"\t@echo 'make: nothing of the kind: CC a.o'\n"
		"\t@echo '  LD      vmlinux'\n");
	cr_assert_eq(dup2(stderr_fd, STDERR_FILENO), STDERR_FILENO);
	_cleanup_progress_ struct progress *progress =
		progress_createf(PROGRESS_COMPILED, "build");
	_cleanup_error_ struct error *err = make_run(&make, progress, all);
	char text[256] = "";

	cr_assert_null(err, "%s", err ? error_message(err) : "");
	progress_finish(progress);
	cr_assert_gt(pread(stderr_fd, text, sizeof(text) - 1, 0), 0);
	cr_expect(strstr(text, ": build: 4 files compiled, "), "%s", text);
}

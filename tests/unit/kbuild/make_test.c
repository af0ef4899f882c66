// SPDX-License-Identifier: LGPL-2.1-or-later

#include "kbuild/make.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <criterion/criterion.h>

#include "common/base/file.h"
#include "common/base/interrupt.h"
#include "common/base/memory.h"
#include "common/base/progress.h"
#include "common/kernel/catalog.h"
#include "common/kernel/compiler.h"
#include "tests/unit/errors.h"
#include "tests/unit/files.h"

static const struct catalog_arch arch = { .name = "x86_64",
					  .kernel_arch = "x86_64",
					  .source_arch = "x86",
					  .cflags = "-fno-unwind-tables" };

static const struct compiler compiler = { .prefix = (char *)"",
					  .program = (char *)"gcc" };

/** What stands for a kernel's tree, and a directory to build in. */
static char *source, *build, *log_path;
static struct make make = { 0 };

static void setup(void)
{
	interrupt_catch();
	setup_tmp();
	source = in_tmp("source");
	build = in_tmp("build");
	log_path = in_tmp("log");
	cr_assert_null(directory_create(build));
}

static void teardown(void)
{
	make_deinit(&make);
	free(source);
	free(build);
	free(log_path);
	teardown_tmp();
}

TestSuite(make, .init = setup, .fini = teardown);

static void prepare(const char *makefile)
{
	put_file(source, "Makefile", makefile);
	expect_success(
		make_init(&make, source, build, &arch, &compiler, 1, log_path));
}

static void expect_logged(const char *text)
{
	_cleanup_free_ char *log = get_file(tmp, "log");

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
	expect_success(make_run(&make, NULL, all));
	expect_logged("x86_64  vmtest \n");
	expect_logged(" C\n");
}

Test(make, has_the_flags_of_the_architecture)
{
	prepare("all:\n\t@echo '$(wordlist 1,2,$(KCFLAGS))'\n"
		"\t@echo '$(filter -fno-unwind-tables,$(KAFLAGS))'\n");
	expect_success(make_run(&make, NULL, all));
	expect_logged("-fvar-tracking-assignments -fno-unwind-tables\n"
		      "-fno-unwind-tables\n");
}

Test(make, gives_clang_no_flags_of_gcc)
{
	static const struct compiler clang = { .prefix = (char *)"",
					       .program = (char *)"clang",
					       .is_llvm = true };
	put_file(source, "Makefile",
		 "all:\n\t@echo '$(LLVM) $(origin CROSS_COMPILE) $(KCFLAGS)'\n");
	expect_success(
		make_init(&make, source, build, &arch, &clang, 1, log_path));
	expect_success(make_run(&make, NULL, all));
	expect_logged("1 undefined -ffile-prefix-map");
}

Test(make, links_what_a_static_libelf_needs)
{
	prepare("all:\n\t@echo '$(HOSTLDFLAGS)'\n");
	expect_success(make_run(&make, NULL, all));
	expect_logged("-static -lelf ");
}

Test(make, and_all_below_it_sees_only_the_variables_that_a_build_needs)
{
	static const char *const secrets[] = {
		"ACTIONS_ID_TOKEN_REQUEST_URL",
		"ACTIONS_ID_TOKEN_REQUEST_TOKEN",
		"ACTIONS_RUNTIME_TOKEN",
		"GITHUB_ENV",
		"GITHUB_PATH",
		"GITHUB_TOKEN",
		"AWS_SECRET_ACCESS_KEY",
		"SSH_AUTH_SOCK",
		"PATHS",
		"LC",
		"CCACHE_REMOTE_STORAGE",
		"BASH_ENV",
	};
	static const char *const kept[] = { "HOME", "TMPDIR", "LC_TIME",
					    "CCACHE_DIR", "XDG_CACHE_HOME" };

	prepare("all:\n\t@env\n\t@tr '\\0' '\\n' </proc/$$PPID/environ\n");
	for (size_t i = 0; i < array_size(secrets); i++)
		setenv(secrets[i], "s3cret", 1);
	for (size_t i = 0; i < array_size(kept); i++)
		setenv(kept[i], "/kept", 1);
	expect_success(make_run(&make, NULL, all));
	_cleanup_free_ char *log = get_file(tmp, "log");
	cr_expect_null(strstr(log, "s3cret"), "%s", log);
	for (size_t i = 0; i < array_size(kept); i++) {
		_cleanup_free_ char *line = string_format("%s=/kept\n", kept[i]);

		cr_expect(strstr(log, line), "no %s in %s", line, log);
	}
	cr_expect(strstr(log, "PATH=/"));
	cr_expect(strstr(log, "LC_ALL=C\n"));
}

Test(make, takes_its_daemons_along)
{
	prepare("all:\n"
		"\t@setsid sh -c 'echo $$$$ >$(O)/daemon; exec sleep 600' </dev/null >/dev/null 2>&1 &\n"
		"\t@while ! [ -s $(O)/daemon ]; do sleep 0.01; done\n");
	expect_success(make_run(&make, NULL, all));
	_cleanup_free_ char *text = get_file(build, "daemon");
	int pid = atoi(text);
	cr_assert_gt(pid, 1);
	cr_expect_eq(kill(pid, 0), -1);
}

Test(make, whose_output_has_no_end_is_ended)
{
	prepare("all:\n\t@yes `seq 1000`\n");
	expect_failure(make_run(&make, NULL, all), "more than 64 MB");
}

Test(make, failure_names_the_log)
{
	prepare("all:\n\t@echo some text; false\n");
	expect_failure(make_run(&make, NULL, all), log_path);
	expect_logged("some text\n");
}

/** Lines of a build in which nothing is wrong. */
#define FOUR_LINES                                                             \
	"  CC      lib/error.o\n  CC [M]  fs/a.o\n  AR      lib/lib.a\n  LD [M]  fs/a.ko\n"
#define TWENTY_LINES FOUR_LINES FOUR_LINES FOUR_LINES FOUR_LINES FOUR_LINES

Test(make, an_excerpt_has_the_error_and_the_tail)
{
	static const struct {
		const char *output, *excerpt;
	} cases[] = {
		{ "", "" },
		{ FOUR_LINES, FOUR_LINES },
		{ FOUR_LINES TWENTY_LINES, "...\n" TWENTY_LINES },
		{ TWENTY_LINES
		  "  LD      vmlinux\n"
		  "ld: fs/a.o: in function `b':\n"
		  "fs/a.c:1: undefined reference to `c'\n" TWENTY_LINES TWENTY_LINES,
		  "...\n"
		  "ld: fs/a.o: in function `b':\n"
		  "fs/a.c:1: undefined reference to `c'\n" FOUR_LINES
		  "...\n" TWENTY_LINES },
		{ TWENTY_LINES
		  "FAILED: load BTF from vmlinux: Invalid argument\n" TWENTY_LINES
			  TWENTY_LINES,
		  "...\n  LD [M]  fs/a.ko\n"
		  "FAILED: load BTF from vmlinux: Invalid argument\n" FOUR_LINES
		  "...\n" TWENTY_LINES },
		{ TWENTY_LINES
		  "init/Kconfig:7: syntax error\n" TWENTY_LINES TWENTY_LINES,
		  "...\n  LD [M]  fs/a.ko\n"
		  "init/Kconfig:7: syntax error\n" FOUR_LINES
		  "...\n" TWENTY_LINES },
		{ TWENTY_LINES
		  "/bin/sh: 1: bison: not found\n" TWENTY_LINES TWENTY_LINES,
		  "...\n  LD [M]  fs/a.ko\n"
		  "/bin/sh: 1: bison: not found\n" FOUR_LINES
		  "...\n" TWENTY_LINES },
		// 5.11, by GCC 12, while others still compile.
		{ TWENTY_LINES
		  "In file included from help.c:12:\n"
		  "In function 'xrealloc',\n"
		  "    inlined from 'add_cmdname' at help.c:24:2:\n"
		  "subcmd-util.h:56:23: error: pointer may be used after 'realloc' [-Werror=use-after-free]\n"
		  "   56 |                 ret = realloc(ptr, size);\n"
		  "      |                       ^~~~~~~~~~~~~~~~~~\n"
		  "cc1: all warnings being treated as errors\n" FOUR_LINES
		  "make[4]: *** [tools/build/Makefile.build:97: help.o] Error 1\n" TWENTY_LINES
			  TWENTY_LINES
		  "make: *** [Makefile:185: __sub-make] Error 2",
		  "...\n"
		  "    inlined from 'add_cmdname' at help.c:24:2:\n"
		  "subcmd-util.h:56:23: error: pointer may be used after 'realloc' [-Werror=use-after-free]\n"
		  "   56 |                 ret = realloc(ptr, size);\n"
		  "      |                       ^~~~~~~~~~~~~~~~~~\n"
		  "cc1: all warnings being treated as errors\n"
		  "  CC      lib/error.o\n"
		  "...\n"
		  "  LD [M]  fs/a.ko\n"
		  "make[4]: *** [tools/build/Makefile.build:97: help.o] Error 1\n" FOUR_LINES
		  "...\n"
		  "  CC [M]  fs/a.o\n  AR      lib/lib.a\n  LD [M]  fs/a.ko\n" FOUR_LINES
			  FOUR_LINES FOUR_LINES FOUR_LINES
		  "make: *** [Makefile:185: __sub-make] Error 2\n" },
		// 5.18: the last link, and no compiler's message.
		{ TWENTY_LINES
		  "  BTFIDS  vmlinux\n"
		  "FAILED: load BTF from vmlinux: Invalid argument\n"
		  "make[1]: *** [Makefile:1164: vmlinux] Error 255\n"
		  "make[1]: *** Deleting file 'vmlinux'\n" TWENTY_LINES,
		  "...\n"
		  "  BTFIDS  vmlinux\n"
		  "FAILED: load BTF from vmlinux: Invalid argument\n"
		  "make[1]: *** [Makefile:1164: vmlinux] Error 255\n"
		  "make[1]: *** Deleting file 'vmlinux'\n" TWENTY_LINES },
		{ FOUR_LINES
		  "/usr/bin/ld: b.o: in function `main':\n"
		  "b.c:(.text+0x5): undefined reference to `g'\n" FOUR_LINES FOUR_LINES
		  "c.s:1: Error: no such instruction: `bogus %rax'\n" FOUR_LINES
		  "cat: \033[1mscripts/x.sh\033[m: No such file or directory\n" TWENTY_LINES,
		  "...\n"
		  "/usr/bin/ld: b.o: in function `main':\n"
		  "b.c:(.text+0x5): undefined reference to `g'\n" FOUR_LINES "...\n"
		  "  LD [M]  fs/a.ko\n"
		  "c.s:1: Error: no such instruction: `bogus %rax'\n" FOUR_LINES
		  "cat: scripts/x.sh: No such file or directory\n" TWENTY_LINES },
	};

	for (size_t i = 0; i < array_size(cases); i++) {
		_cleanup_free_ char *excerpt =
			kernel_make_excerpt(cases[i].output,
					    strlen(cases[i].output));

		cr_expect_str_eq(excerpt, cases[i].excerpt, "%zu", i);
	}
}

Test(make, an_excerpt_of_nothing_but_errors_is_short)
{
	_cleanup_string_builder_ struct string_builder sb = { 0 };

	for (int i = 0; i < 1000; i++)
		string_builder_appendf(&sb, "a.c:%d: error: no\n", i);
	_cleanup_free_ char *excerpt = kernel_make_excerpt(sb.text, sb.length);
	cr_expect_eq(strncmp(excerpt, sb.text, 1000), 0);
	size_t lines = 0;
	for (const char *c = excerpt; *c; c++)
		lines += *c == '\n';
	cr_expect_lt(lines, 90);
	cr_expect(strstr(excerpt, "\n...\na.c:980: "));
	cr_expect(strstr(excerpt, "a.c:999: error: no\n"));
}

Test(make, an_excerpt_has_the_beginning_of_a_line_without_end)
{
	_cleanup_string_builder_ struct string_builder sb = { 0 };

	string_builder_append(&sb, "one\nerror: ");
	for (int i = 0; i < 1000000; i++)
		string_builder_append(&sb, "\xe2\x80\x98");
	string_builder_append(&sb, "\ntwo\n");
	_cleanup_free_ char *excerpt = kernel_make_excerpt(sb.text, sb.length);
	size_t length = strlen(excerpt);
	cr_expect_lt(length, 1000);
	cr_expect_eq(strncmp(excerpt, sb.text, strlen("one\nerror: \xe2")), 0);
	cr_assert_gt(length, strlen("\x98...\ntwo\n"));
	cr_expect_str_eq(excerpt + length - strlen("\x98...\ntwo\n"),
			 "\x98...\ntwo\n");
}

Test(make, refuses_paths_that_break_its_variables)
{
	static const char *const paths[] = { "relative", "/with space",
					     "/with:colon", "/with$dollar" };

	for (size_t i = 0; i < array_size(paths); i++)
		expect_kind(make_init(&make, paths[i], "/tmp", &arch, &compiler,
				      1, "/dev/null"),
			    ERROR_USAGE, paths[i]);
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
	char text[256] = "";
	expect_success(make_run(&make, progress, all));
	progress_finish(progress);
	cr_assert_gt(pread(stderr_fd, text, sizeof(text) - 1, 0), 0);
	cr_expect(strstr(text, ": build: 4 files compiled, "), "%s", text);
}

// SPDX-License-Identifier: LGPL-2.1-or-later

#include "kbuild/package/package.h"

#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>

#include "common/base/file.h"
#include "common/base/interrupt.h"
#include "common/base/text.h"
#include "common/kernel/catalog.h"
#include "common/kernel/compiler.h"
#include "common/kernel/release.h"
#include "common/process/landlock.h"
#include "common/process/process.h"
#include "kbuild/make.h"
#include "kbuild/source/source.h"
#include "tests/unit/errors.h"
#include "tests/unit/files.h"

// The least that passes for a kernel's tree and its build directory.
static const char source_makefile[] =
	"INSTALLED := "
	"$(INSTALL_MOD_PATH)/lib/modules/6.12.117-vmtest1.0tiny\n"
	"srctree := .\n"
	"modules_install:\n"
	"\tmkdir -p $(INSTALLED)/kernel/fs\n"
	"\tcp $(O)/a.ko $(INSTALLED)/kernel/fs\n"
	"\t: >$(INSTALLED)/modules.dep\n"
	"\tln -s $(O) $(INSTALLED)/build\n"
	"\tln -s $(CURDIR) $(INSTALLED)/source\n"
	"modules:\n"
	"\ttest -x $(PAHOLE)\n"
	"\t-touch new $(M)/../new\n"
	"\tcp $(M)/vmtest_trial.c $(M)/vmtest_trial.ko\n";

static const struct {
	const char *path, *text;
} files[] = {
	{ "source/Makefile", source_makefile },
	{ "source/arch/x86/Makefile", "" },
	{ "source/arch/x86/Kconfig", "" },
	{ "source/arch/x86/include/asm/a.h", "source" },
	{ "source/arch/x86/kernel/a.c", "" },
	{ "source/include/linux/a.h", "" },
	{ "source/scripts/Kbuild.include", "" },
	{ "source/scripts/Makefile.build", "" },
	{ "source/scripts/a.sh", "" },
	{ "source/scripts/.hidden", "" },
	{ "source/scripts/module-common.c", "" },
	{ "source/scripts/check-local-export", "" },
	{ "source/scripts/kconfig/conf.c", "" },
	{ "source/scripts/.a.o.cmd", "" },
	{ "build/.config", "CONFIG_CC_VERSION_TEXT=\"gcc 12\"\n" },
	{ "build/Module.symvers", "" },
	{ "build/arch/x86/boot/bzImage", "image" },
	{ "build/arch/x86/include/generated/b.h", "" },
	{ "build/include/config/auto.conf", "" },
	{ "build/include/config/kernel.release", "" },
	{ "build/include/config/SMP", "" },
	{ "build/include/generated/c.h", "" },
	{ "build/include/generated/.c.h.cmd", "" },
};

static const char *const kept[] = {
	"vmlinuz",
	"vmtest.json",
	"modules.dep",
	"kernel/fs/a.ko",
	"build/.config",
	"build/.vmtest-pahole",
	"build/Makefile",
	"build/Module.symvers",
	"build/arch/x86/Makefile",
	"build/arch/x86/include/asm/a.h",
	"build/arch/x86/include/generated/b.h",
	"build/include/config/auto.conf",
	"build/include/config/kernel.release",
	"build/include/generated/c.h",
	"build/include/linux/a.h",
	"build/scripts/Kbuild.include",
	"build/scripts/Makefile.build",
	"build/scripts/.hidden",
	"build/scripts/a.sh",
	"build/scripts/basic/fixdep",
	"build/scripts/check-local-export",
	"build/scripts/mod/modpost",
	"build/scripts/module-common.c",
	"build/vmlinux",
};

static const char *const left_out[] = {
	"source",
	"build/arch/x86/Kconfig",
	"build/arch/x86/kernel",
	"build/include/config/SMP",
	"build/include/generated/.c.h.cmd",
	"build/scripts/kconfig",
	"build/scripts/.a.o.cmd",
};

static void compile(const char *name, const char *option)
{
	_cleanup_free_ char *source = in_tmp("main.c");
	_cleanup_free_ char *path = in_tmp(name);
	_cleanup_free_ char *parent =
		strndup(path, (size_t)(strrchr(path, '/') - path));
	const char *const arguments[] = { "gcc", "-g",	 option, "-o",
					  path,	 source, NULL };
	struct process_options options = { .arguments = arguments };

	cr_assert_null(directory_create(parent));
	expect_success(process_run(&options));
}

static void setup(void)
{
	interrupt_catch();
	setup_tmp();
	for (size_t i = 0; i < array_size(files); i++)
		put_file(tmp, files[i].path, files[i].text);
	put_file(tmp, "main.c", "int main(void) { return 0; }\n");
	compile("build/a.ko", "-c");
	compile("build/vmlinux", "-static");
	compile("build/scripts/basic/fixdep", "-static");
	compile("build/scripts/mod/modpost", "-static");
}

TestSuite(package, .init = setup, .fini = teardown_tmp);

Test(package, has_what_module_builds_need_and_no_more)
{
	_cleanup_free_ char *source = in_tmp("source");
	_cleanup_free_ char *build = in_tmp("build");
	_cleanup_free_ char *log = in_tmp("log");
	_cleanup_free_ char *package = in_tmp("package");
	_cleanup_free_ char *scratch = in_tmp("scratch");
	static const struct string_list none = { 0 };
	struct source from = { .path = source,
			       .signature = (char *)SOURCE_UNSIGNED };
	const struct catalog_arch arch = {
		.name = "x86_64",
		.kernel_arch = "x86_64",
		.source_arch = "x86",
		.image_path = "arch/x86/boot/bzImage",
	};
	const struct compiler compiler = { .prefix = (char *)"",
					   .program = (char *)"gcc" };
	struct release release;
	cr_assert(release_parse("6.12.117-vmtest1.0tiny", &release));
	const struct package_input input = { &release, &from, &none };

	_cleanup_make_ struct make make = { 0 };
	cr_assert_null(make_init(&make, source, build, &arch, &compiler, 1, log));
	expect_success(package_stage(&input, &make, package));
	for (size_t i = 0; i < array_size(kept); i++)
		cr_expect(is_there(package, kept[i]), "%s", kept[i]);
	for (size_t i = 0; i < array_size(left_out); i++)
		cr_expect_not(is_there(package, left_out[i]), "%s", left_out[i]);
	expect_success(package_prove(&make, package, scratch));
	if (landlock_abi() < 1)
		cr_skip_test("the kernel has no Landlock");
	cr_expect_not(is_there(package, "build/new"));
	cr_expect_not(is_there(tmp, "new"));
}

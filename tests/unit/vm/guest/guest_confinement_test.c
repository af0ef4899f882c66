// SPDX-License-Identifier: LGPL-2.1-or-later

#include "vm/guest/guest_internal.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/base/memory.h"
#include "common/kernel/catalog.h"
#include "tests/unit/errors.h"
#include "tests/unit/files.h"
#include "vm/guest/guest.h"
#include "vm/kernel/kernel.h"

TestSuite(guest_confinement, .init = setup_tmp, .fini = teardown_tmp);

static char *at(const char *name)
{
	_cleanup_free_ char *path = in_tmp(name);

	put_file(path, "file", "");
	return realpath(path, NULL);
}

/** Plan for a root, a kernel, and a --rw directory in the test's. */
static struct error *plan(const char *root, const char *hide, const char *qemu,
			  const char *option, struct confinement *ret)
{
	struct error *err;

	_cleanup_free_ char *package = at("kernel");
	_cleanup_free_ char *writable = at("writable");
	_cleanup_free_ char *directory = at("work");
	const struct catalog_arch arch = { .qemu = "false" };
	const struct kernel kernel = { .path = package };
	struct guest_config config = {
		.qemu = { .kernel = &kernel, .arch = &arch, .program = qemu },
		.directory = directory,
	};
	const struct string_list extra = { 0 };
	struct share shares[] = {
		{ .path = (char *)root },
		{ .path = writable, .writable = true },
	};
	struct guest_plan guest = {
		.shares = { .items = shares, .count = array_size(shares) },
	};

	if (hide)
		string_list_add(&config.hidden, hide);
	if (option)
		string_list_add(&config.qemu.arguments, option);
	err = guest_confinement_plan(&guest, &config, &extra);
	*ret = guest.confinement;
	string_list_deinit(&config.hidden);
	string_list_deinit(&config.qemu.arguments);
	return err;
}

Test(guest_confinement, a_root_s_own_system_directories_are_hidden)
{
	static const char *const hidden[] = { "/proc",	"/run",	   "/sys",
					      "/dev",	"/r/proc", "/r/run",
					      "/r/sys", "/r/dev" };
	_cleanup_confinement_ struct confinement confinement = { 0 };

	expect_success(plan("/r", NULL, NULL, NULL, &confinement));
	cr_expect_eq(confinement.hidden.count, array_size(hidden));
	for (size_t i = 0; i < array_size(hidden); i++)
		cr_expect(string_list_contains(&confinement.hidden, hidden[i]),
			  "%s", hidden[i]);
	cr_expect_eq(confinement.writable.count, 1);
	cr_expect_not(confinement.is_open);
	cr_expect_not(confinement.is_required);
	cr_expect_not(string_list_contains(&confinement.shown, "/dev"));
}

Test(guest_confinement, what_the_guest_needs_cannot_be_hidden)
{
	static const struct {
		const char *name, *message;
	} rows[] = {
		{ "secret", NULL },
		{ ".", NULL },
		{ "no", "No such file or directory" },
		{ "kernel", "the guest needs " },
		{ "kernel/x", "the guest needs " },
		{ "writable", "the guest needs " },
		{ "writable/x", "the guest needs " },
		{ "work", "the guest needs " },
		{ "work/x", NULL },
		{ "/", "the guest needs /" },
	};
	static const char *const made[] = { "secret", "kernel/x", "writable/x",
					    "work/x" };

	for (size_t i = 0; i < array_size(made); i++)
		free(at(made[i]));
	for (size_t i = 0; i < array_size(rows); i++) {
		_cleanup_confinement_ struct confinement confinement = { 0 };
		_cleanup_free_ char *path = in_tmp(rows[i].name);
		const char *hide = *rows[i].name == '/' ? "/" : path;

		if (expect_outcome(plan("/", hide, NULL, NULL, &confinement),
				   rows[i].message))
			cr_expect(confinement.is_required);
	}
}

Test(guest_confinement, options_and_scripts_of_the_caller_s_are_trusted)
{
	_cleanup_free_ char *image = at("images");
	_cleanup_free_ char *option =
		string_format("file=%s,if=none,other=/no/such", image);
	_cleanup_confinement_ struct confinement given = { 0 };
	_cleanup_confinement_ struct confinement wrapped = { 0 };
	_cleanup_free_ char *script = in_tmp("script");

	put_program(tmp, "script", "#!/bin/sh\n");
	expect_success(plan("/", NULL, NULL, option, &given));
	cr_expect(given.is_open);
	cr_expect(string_list_contains(&given.shown, image));
	cr_expect(string_list_contains(&given.shown, "/dev"));
	expect_success(plan("/", NULL, script, NULL, &wrapped));
	cr_expect(wrapped.is_open);
	cr_expect_not(string_list_contains(&wrapped.shown, "/dev"));
}

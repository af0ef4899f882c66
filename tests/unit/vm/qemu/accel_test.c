// SPDX-License-Identifier: LGPL-2.1-or-later

#include "vm/qemu/qemu.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "common/kernel/catalog.h"
#include "tests/unit/errors.h"

Test(accel, what_keeps_kvm_from_working_has_a_remedy_that_helps)
{
	static const char group[] = "join its group",
			  firmware[] = "enable it in the firmware";
	// clang-format off
	static const struct {
		int open_error;
		const char *cpuinfo;
		/** NULL where KVM works. */
		const char *words;
	} rows[] = {
		{ 0, "x\nflags\t\t: fpu vmx sse\nbugs\t: x\n", NULL },
		{ 0, "x\nflags\t\t: fpu svm\n", NULL },
		{ 0, "x\nflags\t\t: svm fpu", NULL },
		{ 0, NULL, NULL },
		// That the device opens is not enough.
		{ 0, "x\nflags\t\t: fpu nosvmx vmxon sse\nbugs\t: vmx \n", firmware },
		{ 0, "", firmware },
		{ EACCES, "", firmware },
		{ ENOENT, "", firmware },
		{ EACCES, "x\nflags\t\t: svm\n", group },
		{ EPERM, NULL, group },
		{ ENOENT, NULL, "there is no /dev/kvm" },
		{ ENODEV, "x\nflags\t\t: svm\n", "there is no /dev/kvm" },
	};
	// clang-format on

	for (size_t i = 0; i < array_size(rows); i++) {
		const char *obstacle =
			accel_obstacle(rows[i].open_error, rows[i].cpuinfo);

		cr_assert_eq(!obstacle, !rows[i].words, "row %zu", i);
		cr_expect(!obstacle || strstr(obstacle, rows[i].words), "%s",
			  obstacle);
	}
}

Test(accel, kvm_is_for_guests_of_this_machine_s_kind)
{
	const struct catalog_arch foreign = { .name = "vax",
					      .source_arch = "vax" };
	enum accel accel = ACCEL_KVM;
	const char *denied;

	cr_assert_null(accel_choose(ACCEL_AUTO, &foreign, &accel, &denied));
	cr_expect_eq(accel, ACCEL_TCG);
	cr_expect_null(denied);
	expect_kind(accel_choose(ACCEL_KVM, &foreign, &accel, &denied),
		    ERROR_USAGE, "can only emulate guests of vax");
}

Test(accel, two_measurements_of_the_clock_agree)
{
	uint64_t one = tsc_khz();
	uint64_t two = tsc_khz();
	uint64_t difference = one > two ? one - two : two - one;

	if (!one)
		return;
	cr_expect_gt(one, 100000);
	cr_expect_lt(difference, one / 500);
}

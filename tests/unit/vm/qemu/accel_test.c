// SPDX-License-Identifier: LGPL-2.1-or-later

#include "vm/qemu/qemu.h"

#include <criterion/criterion.h>
#include <string.h>

#include "common/base/error.h"
#include "common/kernel/catalog.h"

Test(accel, a_device_that_opens_is_not_enough)
{
	static const char with[] = "x\nflags\t\t: fpu vmx sse\nbugs\t: x\n";
	static const char last[] = "x\nflags\t\t: fpu svm\n";
	static const char without[] =
		"x\nflags\t\t: fpu nosvmx sse\nbugs\t: vmx \n";
	static const struct {
		const char *cpuinfo;
		bool offered;
	} rows[] = {
		{ with, true },
		{ last, true },
		{ without, false },
		{ "", false },
	};

	for (size_t i = 0; i < array_size(rows); i++)
		cr_expect_eq(accel_is_offered(rows[i].cpuinfo), rows[i].offered,
			     "%s", rows[i].cpuinfo);
}

Test(accel, kvm_is_for_guests_of_this_machine_s_kind)
{
	const struct catalog_arch foreign = {
		.name = "vax",
		.source_arch = "vax",
	};
	enum accel accel = ACCEL_KVM;
	struct error *err;

	cr_assert_null(accel_choose(ACCEL_AUTO, &foreign, &accel));
	cr_expect_eq(accel, ACCEL_TCG);
	err = accel_choose(ACCEL_KVM, &foreign, &accel);
	cr_assert(err);
	cr_expect(strstr(error_message(err), "can only emulate guests of vax"),
		  "%s", error_message(err));
	cr_expect(error_catch(&err, ERROR_USAGE));
}

Test(accel, two_measurements_of_the_clock_agree)
{
	struct tsc_sample start = tsc_read();

	if (!start.ticks)
		return;

	uint64_t one = tsc_khz_since(&start);

	start = tsc_read();

	uint64_t two = tsc_khz_since(&start);
	uint64_t difference = one > two ? one - two : two - one;

	cr_expect_gt(one, 100000);
	cr_expect_lt(difference, one / 500);
}

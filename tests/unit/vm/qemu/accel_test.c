// SPDX-License-Identifier: LGPL-2.1-or-later

#include "vm/qemu/qemu.h"

#include <criterion/criterion.h>

#include "common/kernel/catalog.h"
#include "tests/unit/errors.h"

Test(accel, a_device_that_opens_is_not_enough)
{
	static const struct {
		const char *cpuinfo;
		bool offered;
	} rows[] = {
		{ "x\nflags\t\t: fpu vmx sse\nbugs\t: x\n", true },
		{ "x\nflags\t\t: fpu svm\n", true },
		{ "x\nflags\t\t: fpu nosvmx sse\nbugs\t: vmx \n", false },
		{ "", false },
	};

	for (size_t i = 0; i < array_size(rows); i++)
		cr_expect_eq(accel_is_offered(rows[i].cpuinfo), rows[i].offered,
			     "%s", rows[i].cpuinfo);
}

Test(accel, kvm_is_for_guests_of_this_machine_s_kind)
{
	const struct catalog_arch foreign = { .name = "vax",
					      .source_arch = "vax" };
	enum accel accel = ACCEL_KVM;

	cr_assert_null(accel_choose(ACCEL_AUTO, &foreign, &accel));
	cr_expect_eq(accel, ACCEL_TCG);
	expect_kind(accel_choose(ACCEL_KVM, &foreign, &accel), ERROR_USAGE,
		    "can only emulate guests of vax");
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

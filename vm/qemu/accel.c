// SPDX-License-Identifier: LGPL-2.1-or-later

#include "vm/qemu/qemu.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#if defined(__x86_64__) || defined(__i386__)
#include <x86intrin.h>
#endif

#include "common/base/error.h"
#include "common/base/file.h"
#include "common/base/log.h"
#include "common/base/memory.h"
#include "common/kernel/catalog.h"

/** Whether a line of /proc/cpuinfo has the flag. */
static bool has_flag(const char *line, const char *flag)
{
	size_t length = strlen(flag);
	const char *end = strchrnul(line, '\n');

	for (const char *p = line; (p = strstr(p, flag)) && p < end; p++) {
		if (p[-1] == ' ' && (p[length] == ' ' || p + length == end))
			return true;
	}
	return false;
}

const char *accel_obstacle(int open_error, const char *cpuinfo)
{
	const char *flags = cpuinfo ? strstr(cpuinfo, "\nflags") : NULL;

	if (cpuinfo && !(flags && (has_flag(flags + 1, "vmx") ||
				   has_flag(flags + 1, "svm"))))
		return "the processor offers no virtualization; enable it in the firmware or, where this machine is a virtual one, nested virtualization in its hypervisor";
	if (open_error == EACCES || open_error == EPERM)
		return "you have no access to /dev/kvm; join its group with 'sudo usermod -aG kvm USER', or add the udev rule KERNEL==\"kvm\", MODE=\"0666\"";
	if (open_error)
		return "there is no /dev/kvm that opens; load the host's module, such as kvm_intel or kvm_amd, and give a container the device";
	return NULL;
}

struct error *accel_choose(enum accel request, const struct catalog_arch *arch,
			   enum accel *ret, const char **denied_ret)
{
	bool same_arch = catalog_arch_is_host(arch);

	if (request == ACCEL_KVM && !same_arch)
		return error_create(ERROR_USAGE,
				    "--accel kvm: this machine can only emulate guests of %s",
				    arch->name);
	*denied_ret = NULL;
	*ret = request;
	if (request != ACCEL_AUTO)
		return NULL;
	*ret = ACCEL_TCG;
	if (!same_arch)
		return NULL;
	_cleanup_close_ int fd = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	int open_error = fd < 0 ? errno : 0;
	_cleanup_free_ char *cpuinfo = NULL;
	if (strcmp(arch->source_arch, "x86") == 0) {
		// Of a processor that says nothing, nothing is expected.
		error_destroy(
			file_read("/proc/cpuinfo", 16 << 20, &cpuinfo, NULL));
		if (!cpuinfo)
			cpuinfo = string_copy("");
	}
	const char *obstacle = accel_obstacle(open_error, cpuinfo);
	if (!obstacle)
		*ret = ACCEL_KVM;
	else if (open_error == EACCES || open_error == EPERM)
		*denied_ret = obstacle;
	else
		log_debug("emulated: %s", obstacle);
	return NULL;
}

/** A reading of the time stamp counter with the clock beside it. */
struct tsc_sample {
	uint64_t ticks;
	uint64_t ns;
};

/** Zeros on a machine without the counter. */
static struct tsc_sample tsc_read(void)
{
	struct tsc_sample sample = { 0 };

#if defined(__x86_64__) || defined(__i386__)
	uint64_t best = UINT64_MAX;

	// Of a few tries, the one that was interrupted least.
	for (int i = 0; i < 5; i++) {
		struct timespec now;
		uint64_t before = __rdtsc();

		clock_gettime(CLOCK_MONOTONIC_RAW, &now);

		uint64_t took = __rdtsc() - before;

		if (took >= best)
			continue;
		best = took;
		sample.ticks = before + took / 2;
		sample.ns = (uint64_t)now.tv_sec * 1000000000 +
			    (uint64_t)now.tv_nsec;
	}
#endif
	return sample;
}

uint64_t tsc_khz(void)
{
	const struct timespec span = { .tv_nsec = 5000000 };
	struct tsc_sample start = tsc_read();

	if (!start.ticks)
		return 0;
	nanosleep(&span, NULL);
	struct tsc_sample now = tsc_read();
	uint64_t ns = now.ns - start.ns;
	uint64_t ticks = now.ticks - start.ticks;
	// A counter that stood still or was reset tells nothing.
	if (!ns || ticks < ns / 100 || ticks > ns * 100)
		return 0;
	return (uint64_t)((double)ticks * 1e6 / (double)ns);
}

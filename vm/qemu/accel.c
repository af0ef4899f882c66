// SPDX-License-Identifier: LGPL-2.1-or-later

#include "vm/qemu/accel.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>
#if defined(__x86_64__) || defined(__i386__)
#include <x86intrin.h>
#endif

#include "common/base/error.h"
#include "common/base/file.h"
#include "common/base/log.h"
#include "common/base/memory.h"
#include "common/base/string_list.h"
#include "common/kernel/catalog.h"

static const char *const accel_names[ACCEL_COUNT] = {
	[ACCEL_AUTO] = "auto",
	[ACCEL_KVM] = "kvm",
	[ACCEL_TCG] = "tcg",
};

const char *accel_name(enum accel accel)
{
	return accel_names[accel];
}

bool accel_is_offered(const char *cpuinfo)
{
	const char *flags = strstr(cpuinfo, "\nflags");

	if (!flags)
		return false;
	flags++;

	_cleanup_free_ char *line = string_copy_n(flags, strcspn(flags, "\n"));
	char *rest = line;

	for (char *word; (word = strsep(&rest, " "));) {
		if (strcmp(word, "vmx") == 0 || strcmp(word, "svm") == 0)
			return true;
	}
	return false;
}

/** Whether KVM can be expected to work for guests of this machine's kind. */
static struct error *find_kvm(const struct catalog_arch *arch, bool *works_ret)
{
	struct error *err;

	_cleanup_free_ char *cpuinfo = NULL;
	_cleanup_close_ int fd = open("/dev/kvm", O_RDWR | O_CLOEXEC);

	*works_ret = fd >= 0;
	if (fd < 0 || strcmp(arch->source_arch, "x86") != 0)
		return NULL;
	err = file_read("/proc/cpuinfo", 16 << 20, &cpuinfo, NULL);
	if (err)
		return err;
	*works_ret = accel_is_offered(cpuinfo);
	if (!*works_ret)
		log_debug("/dev/kvm opens, but the processor offers no virtualization");
	return NULL;
}

struct error *accel_choose(enum accel request, const struct catalog_arch *arch,
			   enum accel *ret)
{
	struct error *err;
	struct utsname uts;
	bool kvm_works = false;

	if (uname(&uts) < 0)
		return error_create_os(errno, "uname");

	bool same_arch = string_list_contains(&arch->host_names, uts.machine);

	if (request == ACCEL_KVM && !same_arch)
		return error_create(ERROR_USAGE,
				    "--accel kvm: this machine (%s) can only emulate guests of %s",
				    uts.machine, arch->name);
	if (request == ACCEL_AUTO && same_arch) {
		err = find_kvm(arch, &kvm_works);
		if (err)
			return err;
	}
	if (request == ACCEL_AUTO)
		request = kvm_works ? ACCEL_KVM : ACCEL_TCG;
	*ret = request;
	return NULL;
}

struct tsc_sample tsc_read(void)
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

uint64_t tsc_khz_since(const struct tsc_sample *start)
{
	enum {
		SPAN_NS = 5000000
	};
	struct tsc_sample now = tsc_read();

	if (now.ticks && now.ns - start->ns < SPAN_NS) {
		struct timespec wait = {
			.tv_nsec = (long)(SPAN_NS - (now.ns - start->ns)),
		};

		while (nanosleep(&wait, &wait) < 0 && errno == EINTR)
			;
		now = tsc_read();
	}

	uint64_t ns = now.ns - start->ns;
	uint64_t ticks = now.ticks - start->ticks;

	// A counter that stood still or was reset tells nothing.
	if (!ns || ticks < ns / 100 || ticks > ns * 100)
		return 0;
	return (uint64_t)((double)ticks * 1e6 / (double)ns);
}

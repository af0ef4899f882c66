// SPDX-License-Identifier: LGPL-2.1-or-later

#include "vm/qemu/qemu.h"

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
#include "common/base/text.h"
#include "common/kernel/catalog.h"

bool accel_is_offered(const char *cpuinfo)
{
	const char *word = strstr(cpuinfo, "\nflags");

	if (!word)
		return false;
	for (word++; *word && *word != '\n'; word += strspn(word, " ")) {
		size_t length = strcspn(word, " \n");

		if (length == 3 && (strncmp(word, "vmx", length) == 0 ||
				    strncmp(word, "svm", length) == 0))
			return true;
		word += length;
	}
	return false;
}

/** Whether KVM can be expected to work for guests of this machine's kind. */
static bool kvm_works(const struct catalog_arch *arch)
{
	_cleanup_free_ char *cpuinfo = NULL;
	_cleanup_close_ int fd = open("/dev/kvm", O_RDWR | O_CLOEXEC);

	if (fd < 0 || strcmp(arch->source_arch, "x86") != 0)
		return fd >= 0;
	// Of a processor that says nothing, nothing is expected.
	error_destroy(file_read("/proc/cpuinfo", 16 << 20, &cpuinfo, NULL));
	if (cpuinfo && accel_is_offered(cpuinfo))
		return true;
	log_debug("/dev/kvm opens, but the processor offers no virtualization");
	return false;
}

void accel_explain(enum accel *request, const struct catalog_arch *arch)
{
	struct utsname uts;
	_cleanup_free_ char *cpuinfo = NULL;

	if (*request != ACCEL_AUTO || uname(&uts) < 0 ||
	    !string_list_contains(&arch->host_names, uts.machine))
		return;

	_cleanup_close_ int fd = open("/dev/kvm", O_RDWR | O_CLOEXEC);

	if (fd >= 0 || (errno != EACCES && errno != EPERM))
		return;
	*request = ACCEL_TCG;
	error_destroy(file_read("/proc/cpuinfo", 16 << 20, &cpuinfo, NULL));
	log_info("emulated, and slow: you have no access to /dev/kvm%s; join its group with 'sudo usermod -aG kvm USER', or add the udev rule KERNEL==\"kvm\", MODE=\"0666\"",
		 strcmp(arch->source_arch, "x86") == 0 && cpuinfo &&
				 !accel_is_offered(cpuinfo)
			 ? " (nor does the processor offer virtualization)"
			 : "");
}

struct error *accel_choose(enum accel request, const struct catalog_arch *arch,
			   enum accel *ret)
{
	struct utsname uts;

	if (uname(&uts) < 0)
		return error_create_os(errno, "uname");

	bool same_arch = string_list_contains(&arch->host_names, uts.machine);

	if (request == ACCEL_KVM && !same_arch)
		return error_create(ERROR_USAGE,
				    "--accel kvm: this machine (%s) can only emulate guests of %s",
				    uts.machine, arch->name);
	if (request == ACCEL_AUTO)
		request = same_arch && kvm_works(arch) ? ACCEL_KVM : ACCEL_TCG;
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

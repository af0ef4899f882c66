// SPDX-License-Identifier: LGPL-2.1-or-later

#include "vm/guest/accel.h"

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

struct error *accel_parse(const char *text, enum accel *ret)
{
	for (enum accel i = 0; i < ACCEL_COUNT; i++) {
		if (strcmp(text, accel_names[i]) == 0) {
			*ret = i;
			return NULL;
		}
	}
	return error_create(ERROR_USAGE, "--accel %s: use auto, kvm or tcg",
			    text);
}

/** Whether /proc/cpuinfo's first line of flags has the word. */
static bool cpuinfo_has_flag(const char *cpuinfo, const char *flag)
{
	const char *line = strstr(cpuinfo, "\nflags");
	size_t length = strlen(flag);

	if (!line)
		return false;
	line++;

	const char *end = strchrnul(line, '\n');

	for (const char *p = strstr(line, flag); p && p < end;
	     p = strstr(p + 1, flag)) {
		if (p[-1] == ' ' && (p[length] == ' ' || p + length == end))
			return true;
	}
	return false;
}

bool accel_kvm_works(const struct accel_host *host)
{
	if (!host->same_arch || !host->kvm_opens)
		return false;
	return !host->is_x86 || cpuinfo_has_flag(host->cpuinfo, "vmx") ||
	       cpuinfo_has_flag(host->cpuinfo, "svm");
}

struct error *accel_choose(enum accel request, const struct catalog_arch *arch,
			   enum accel *ret)
{
	struct error *err;

	struct utsname uts;

	if (uname(&uts) < 0)
		return error_create_os(errno, "uname");
	if (request == ACCEL_KVM &&
	    !string_list_contains(&arch->host_names, uts.machine))
		return error_create(ERROR_USAGE,
				    "--accel kvm: this machine (%s) can only emulate guests of %s",
				    uts.machine, arch->name);
	if (request != ACCEL_AUTO) {
		*ret = request;
		return NULL;
	}

	struct accel_host host = {
		.same_arch = string_list_contains(&arch->host_names, uts.machine),
		.is_x86 = strcmp(arch->source_arch, "x86") == 0,
	};
	_cleanup_close_ int fd = open("/dev/kvm", O_RDWR | O_CLOEXEC);

	host.kvm_opens = fd >= 0;
	_cleanup_free_ char *cpuinfo = NULL;

	if (host.kvm_opens && host.is_x86) {
		err = file_read("/proc/cpuinfo", 16 << 20, &cpuinfo, NULL);
		if (err)
			return err;
		host.cpuinfo = cpuinfo;
	}
	*ret = accel_kvm_works(&host) ? ACCEL_KVM : ACCEL_TCG;
	log_debug("%s: /dev/kvm %s%s", accel_name(*ret),
		  host.kvm_opens ? "opens" : "does not open",
		  host.kvm_opens && *ret == ACCEL_TCG && host.same_arch
			  ? ", but the processor offers no virtualization"
			  : "");
	return NULL;
}

#if defined(__x86_64__) || defined(__i386__)
static uint64_t clock_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC_RAW, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

bool tsc_read(struct tsc_sample *ret)
{
	uint64_t best = UINT64_MAX;

	// Of a few tries, the one that was interrupted least.
	for (int i = 0; i < 5; i++) {
		uint64_t before = __rdtsc();
		uint64_t ns = clock_ns();
		uint64_t after = __rdtsc();

		if (after - before < best) {
			best = after - before;
			ret->ticks = before + (after - before) / 2;
			ret->ns = ns;
		}
	}
	return true;
}
#else
bool tsc_read(struct tsc_sample *ret)
{
	*ret = (struct tsc_sample){ 0 };
	return false;
}
#endif

uint64_t tsc_khz_since(const struct tsc_sample *start)
{
	enum {
		SPAN_NS = 5000000
	};
	struct tsc_sample now;

	if (!tsc_read(&now))
		return 0;
	if (now.ns - start->ns < SPAN_NS) {
		struct timespec wait = {
			.tv_nsec = (long)(SPAN_NS - (now.ns - start->ns)),
		};

		while (nanosleep(&wait, &wait) < 0 && errno == EINTR)
			;
		tsc_read(&now);
	}

	uint64_t ns = now.ns - start->ns;
	uint64_t ticks = now.ticks - start->ticks;

	// A counter that stood still or was reset tells nothing.
	if (!ns || ticks < ns / 100 || ticks > ns * 100)
		return 0;
	return (uint64_t)((double)ticks * 1e6 / (double)ns);
}

// SPDX-License-Identifier: LGPL-2.1-or-later

#include "common/base/system.h"

#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "common/base/cleanup.h"

uint64_t monotonic_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

unsigned int processors_usable(void)
{
	cpu_set_t set;

	if (sched_getaffinity(0, sizeof(set), &set) == 0)
		return (unsigned int)CPU_COUNT(&set);

	// The set has no room for those of a large machine.
	long online = sysconf(_SC_NPROCESSORS_ONLN);

	return online > 0 ? (unsigned int)online : 1;
}

uint64_t memory_available(void)
{
	_cleanup_fclose_ FILE *file = fopen("/proc/meminfo", "re");
	unsigned long long kilobytes;
	char line[256];

	while (file && fgets(line, sizeof(line), file)) {
		if (sscanf(line, "MemAvailable: %llu", &kilobytes) == 1)
			return kilobytes << 10;
	}
	return UINT64_MAX;
}

int thread_create(pthread_t *thread, void *(*run)(void *arg), void *arg)
{
	sigset_t all, before;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	int errnum = pthread_create(thread, NULL, run, arg);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return errnum;
}

bool foreground_has_terminal(int fd)
{
	if (!isatty(fd))
		return false;

	// It is -1 of a terminal that does not control us, which stops nobody,
	// and 0 of one whose foreground is outside of our PID namespace.
	pid_t group = tcgetpgrp(fd);

	return group < 0 || group == getpgrp();
}

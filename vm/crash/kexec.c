// SPDX-License-Identifier: LGPL-2.1-or-later

/**
 * @file
 *
 * vmtest-kexec: runs in the guest. Loads the kernel that takes over if the
 * running one crashes, which then boots as this one has. Linked statically: the
 * guest's root may have no libraries.
 *
 * CRASH_KERNEL is the image that it loads, in the package: "crash_kernel" of
 * the catalog. Where it is not vmlinuz, the kernel that is to load it takes
 * none but an ELF file.
 */

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <linux/kexec.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/sysinfo.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "vm/crash/kexec_command_line.h"

enum {
	EXIT_USAGE = 2,
};

static const char usage[] =
	"Usage: vmtest-kexec [--append PARAMS]\n"
	"\n"
	"Load the kernel that takes over if this one crashes: the same kernel, with the\n"
	"same command line but one processor, and PARAMS added. It needs memory that is\n"
	"set aside for it (crashkernel=), as in a guest of vmtest-vm run --kdump, where\n"
	"it runs the same command again, with the crashed kernel's memory in /proc/vmcore.\n";

static int fail(const char *what, const char *path)
{
	fprintf(stderr, "vmtest-kexec: %s%s%s: %s\n", what, path ? " " : "",
		path ? path : "", strerror(errno));
	return EXIT_FAILURE;
}

static int load(const char *append)
{
	char current[65536], path[512];
	struct utsname names;
	FILE *file = fopen("/proc/cmdline", "re");
	size_t size;

	if (!file)
		return fail("open", "/proc/cmdline");
	size = fread(current, 1, sizeof(current) - 1, file);
	current[size] = '\0';
	fclose(file);
	if (uname(&names) < 0)
		return fail("uname", NULL);
	snprintf(path, sizeof(path), "/lib/modules/%s/" CRASH_KERNEL,
		 names.release);

	char *line = kexec_command_line(current, get_nprocs_conf() > 1, append);
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (!line)
		return fail("out of memory", NULL);
	if (fd < 0)
		return fail("open", path);
	if (syscall(SYS_kexec_file_load, fd, -1, strlen(line) + 1, line,
		    KEXEC_FILE_ON_CRASH | KEXEC_FILE_NO_INITRAMFS) < 0) {
		if (errno == EADDRNOTAVAIL)
			errno = ENOMEM;
		return fail("load", path);
	}
	close(fd);
	free(line);
	return EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "append", required_argument, NULL, 'a' },
		{ "help", no_argument, NULL, 'h' },
		{ 0 },
	};
	const char *append = NULL;
	bool wrong = false;

	for (int c; (c = getopt_long(argc, argv, "h", options, NULL)) >= 0;) {
		if (c == 'h') {
			fputs(usage, stdout);
			return EXIT_SUCCESS;
		}
		wrong |= c != 'a';
		append = optarg;
	}
	if (wrong || optind != argc) {
		fputs(usage, stderr);
		return EXIT_USAGE;
	}
	return load(append);
}

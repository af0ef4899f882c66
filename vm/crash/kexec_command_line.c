// SPDX-License-Identifier: LGPL-2.1-or-later

#include "vm/crash/kexec_command_line.h"

#include <stdlib.h>
#include <string.h>

static const char added[] = "reset_devices";

/**
 * One is enough, and starting the others from one that is not the first could
 * reset the machine. A kernel that can have but one does not know the
 * parameter, and would give it to init.
 */
static const char one_cpu[] = "nr_cpus=1";

static const char dropped[] = "crashkernel=";

/** Where a parameter ends, as the kernel sees it: quotes hide spaces. */
static const char *parameter_end(const char *p)
{
	bool quoted = false;

	for (; *p && *p != '\n' && (quoted || *p != ' '); p++)
		quoted ^= *p == '"';
	return p;
}

static char *put(char *to, const char *text, size_t length)
{
	memcpy(to, text, length);
	to[length] = ' ';
	return to + length + 1;
}

char *kexec_command_line(const char *current, bool has_many_cpus,
			 const char *append)
{
	char *line = malloc(strlen(current) + sizeof(added) + sizeof(one_cpu) +
			    (append ? strlen(append) : 0) + 4);
	char *to = line;
	const char *p = current;

	if (!line)
		return NULL;
	// What follows `--` is init's.
	for (;;) {
		p += strspn(p, " ");

		const char *end = parameter_end(p);
		size_t length = (size_t)(end - p);

		if (!length || (length == 2 && memcmp(p, "--", 2) == 0))
			break;
		if (strncmp(p, dropped, sizeof(dropped) - 1) != 0)
			to = put(to, p, length);
		p = end;
	}
	to = put(to, added, sizeof(added) - 1);
	if (has_many_cpus)
		to = put(to, one_cpu, sizeof(one_cpu) - 1);
	if (append && *append)
		to = put(to, append, strlen(append));
	to = put(to, p, strcspn(p, "\n"));
	while (to > line && to[-1] == ' ')
		to--;
	*to = '\0';
	return line;
}

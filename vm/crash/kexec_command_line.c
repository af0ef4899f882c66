// SPDX-License-Identifier: LGPL-2.1-or-later

#include "vm/crash/kexec_command_line.h"

#include <stdio.h>
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

char *kexec_command_line(const char *current, bool has_many_cpus,
			 const char *append)
{
	char *line = NULL;
	size_t size;
	FILE *file = open_memstream(&line, &size);
	const char *p = current;

	if (!file)
		return NULL;
	// What follows `--` is init's.
	for (;;) {
		p += strspn(p, " ");

		const char *end = parameter_end(p);
		size_t length = (size_t)(end - p);

		if (!length || (length == 2 && memcmp(p, "--", 2) == 0))
			break;
		if (strncmp(p, dropped, sizeof(dropped) - 1) != 0)
			fprintf(file, "%.*s ", (int)length, p);
		p = end;
	}
	fputs(added, file);
	if (has_many_cpus)
		fprintf(file, " %s", one_cpu);
	if (append && *append)
		fprintf(file, " %s", append);
	if (*p && *p != '\n')
		fprintf(file, " %.*s", (int)strcspn(p, "\n"), p);
	if (fclose(file) != 0) {
		free(line);
		return NULL;
	}
	// What was given may end in blanks.
	while (line[size - 1] == ' ')
		line[--size] = '\0';
	return line;
}

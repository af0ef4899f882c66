// SPDX-License-Identifier: LGPL-2.1-or-later

#include "vm/guest/protocol.h"

#include <stdio.h>
#include <string.h>

#include "common/base/text.h"

static const struct {
	/** With a blank at its end, something follows. */
	const char *word;
	enum machine_event event;
} words[] = {
	{ "hello", EVENT_HELLO }, { "ready", EVENT_READY },
	{ "exit ", EVENT_EXIT },  { "done", EVENT_DONE },
	{ "fail ", EVENT_FAIL },
};

void protocol_deinit(struct protocol *protocol)
{
	string_builder_deinit(&protocol->text);
}

/** A status as shells have them: 0 to 255. */
static bool parse_status(const char *digits, size_t length, int *ret)
{
	int status = 0;

	if (length > 3)
		return false;
	for (size_t i = 0; i < length; i++) {
		if (digits[i] < '0' || digits[i] > '9')
			return false;
		status = status * 10 + digits[i] - '0';
	}
	if (status > 255)
		return false;
	*ret = status;
	return true;
}

static enum machine_event parse(const char *line, size_t length, int *status_ret)
{
	for (size_t i = 0; i < array_size(words); i++) {
		enum machine_event event = words[i].event;
		size_t n = strlen(words[i].word);
		bool has_rest = words[i].word[n - 1] == ' ';

		if (length < n || memcmp(line, words[i].word, n) != 0 ||
		    has_rest != (length > n))
			continue;
		if (event != EVENT_EXIT ||
		    parse_status(line + n, length - n, status_ret))
			return event;
	}
	return EVENT_NONSENSE;
}

bool protocol_read(struct protocol *protocol, const char **data,
		   const char *end, enum machine_event *ret)
{
	for (; *data < end && **data != '\n'; (*data)++) {
		if (protocol->length < PROTOCOL_LINE_LIMIT)
			protocol->line[protocol->length++] = **data;
	}
	if (*data == end)
		return false;
	(*data)++;
	string_builder_deinit(&protocol->text);
	text_append_plain(&protocol->text, protocol->line, protocol->length);
	*ret = protocol->length < PROTOCOL_LINE_LIMIT
		       ? parse(protocol->line, protocol->length, &protocol->status)
		       : EVENT_NONSENSE;
	protocol->length = 0;
	return true;
}

const char *protocol_text(const struct protocol *protocol)
{
	return protocol->text.text ? protocol->text.text : "";
}

const char *protocol_what(const struct protocol *protocol)
{
	const char *text = protocol_text(protocol);
	const char *blank = strchr(text, ' ');

	return blank ? blank + 1 : text;
}

void protocol_format_size(char line[static 32], unsigned int rows,
			  unsigned int columns)
{
	snprintf(line, 32, "%u %u\n", rows, columns);
}

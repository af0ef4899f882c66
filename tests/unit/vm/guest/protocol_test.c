// SPDX-License-Identifier: LGPL-2.1-or-later

#include "vm/guest/guest_internal.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/error.h"
#include "common/base/memory.h"
#include "common/process/process.h"
#include "vm/guest/guest.h"
#include "vm/guest/guest_sessions.h"

/** Read one event, in pieces of so many bytes. */
static bool read_one(struct protocol *protocol, const char *data, size_t size,
		     size_t step, enum lifecycle_event *ret)
{
	const char *p = data;

	while (p < data + size) {
		size_t left = (size_t)(data + size - p);

		if (protocol_read(protocol, &p, p + (left < step ? left : step),
				  ret))
			return true;
	}
	return false;
}

Test(protocol, words_are_events_and_all_else_is_nonsense)
{
	static const struct {
		const char *line;
		enum lifecycle_event event;
		int status;
	} rows[] = {
		{ "hello", EVENT_HELLO, 0 },
		{ "ready", EVENT_READY, 0 },
		{ "full", EVENT_FULL, 0 },
		{ "done", EVENT_DONE, 0 },
		{ "exit 0", EVENT_EXIT, 0 },
		{ "exit 42", EVENT_EXIT, 42 },
		{ "exit 255", EVENT_EXIT, 255 },
		{ "fail mount a share", EVENT_FAIL, 0 },
		{ "", EVENT_NONSENSE, 0 },
		{ " ", EVENT_NONSENSE, 0 },
		{ "hell", EVENT_NONSENSE, 0 },
		{ "hello ", EVENT_NONSENSE, 0 },
		{ "hello\r", EVENT_NONSENSE, 0 },
		{ "Ready", EVENT_NONSENSE, 0 },
		{ "\033[0mready", EVENT_NONSENSE, 0 },
		{ "exit 7 29", EVENT_SESSION_EXIT, 7 },
		{ "done 29", EVENT_SESSION_DONE, 0 },
		{ "ready 29", EVENT_SESSION_READY, 0 },
		{ "gone 29", EVENT_SESSION_GONE, 0 },
		{ "gone", EVENT_NONSENSE, 0 },
		{ "done done", EVENT_NONSENSE, 0 },
		{ "done ", EVENT_NONSENSE, 0 },
		{ "done 1 2", EVENT_NONSENSE, 0 },
		{ "done 256", EVENT_NONSENSE, 0 },
		{ "exit", EVENT_NONSENSE, 0 },
		{ "exit ", EVENT_NONSENSE, 0 },
		{ "exit -1", EVENT_NONSENSE, 0 },
		{ "exit +1", EVENT_NONSENSE, 0 },
		{ "exit  1", EVENT_NONSENSE, 0 },
		{ "exit1", EVENT_NONSENSE, 0 },
		{ "exit 256", EVENT_NONSENSE, 0 },
		{ "exit 0x1", EVENT_NONSENSE, 0 },
		{ "exit 1 2 3", EVENT_NONSENSE, 0 },
		{ "exit 1 256", EVENT_NONSENSE, 0 },
		{ "exit 1 ", EVENT_NONSENSE, 0 },
		{ "exit 1  2", EVENT_NONSENSE, 0 },
		{ "exit 4294967296", EVENT_NONSENSE, 0 },
		{ "fail", EVENT_NONSENSE, 0 },
		{ "fail ", EVENT_NONSENSE, 0 },
	};

	for (size_t step = 1; step < 9; step += 7) {
		struct protocol protocol = { 0 };

		for (size_t i = 0; i < array_size(rows); i++) {
			enum lifecycle_event event = EVENT_TIME;
			char line[64];
			int length = snprintf(line, sizeof(line), "%s\n",
					      rows[i].line);

			protocol.status = 0;
			cr_assert(read_one(&protocol, line, (size_t)length,
					   step, &event));
			cr_expect_eq(event, rows[i].event, "'%s': %d",
				     rows[i].line, event);
			cr_expect_eq(protocol.status, rows[i].status, "'%s'",
				     rows[i].line);
		}
		protocol_deinit(&protocol);
	}
}

Test(protocol, lines_are_told_apart_and_kept_until_they_are_whole)
{
	static const char data[] = "hello\nready\nhello\0\nexit 3";
	static const enum lifecycle_event events[] = { EVENT_HELLO, EVENT_READY,
						       EVENT_NONSENSE };
	struct protocol protocol = { 0 };
	const char *p = data;
	const char *end = data + sizeof(data) - 1;
	enum lifecycle_event event;

	for (size_t i = 0; i < array_size(events); i++) {
		cr_assert(protocol_read(&protocol, &p, end, &event));
		cr_expect_eq(event, events[i]);
	}
	cr_expect_not(protocol_read(&protocol, &p, end, &event));
	cr_expect_eq(p, end);
	cr_assert(read_one(&protocol, "1\n", 2, 2, &event));
	cr_expect_eq(event, EVENT_EXIT);
	cr_expect_eq(protocol.status, 31);
	protocol_deinit(&protocol);
}

Test(protocol, a_line_without_end_is_one_nonsense)
{
	static char data[4 * PROTOCOL_LINE_LIMIT];
	struct protocol protocol = { 0 };
	enum lifecycle_event event;

	memset(data, 'x', sizeof(data));
	memcpy(data, "fail ", 5);
	cr_expect_not(read_one(&protocol, data, sizeof(data), 4096, &event));
	cr_assert(read_one(&protocol, "\n", 1, 1, &event));
	cr_expect_eq(event, EVENT_NONSENSE);
	cr_expect_leq(strlen(protocol.text), (size_t)PROTOCOL_TEXT_BYTES);
	cr_assert(read_one(&protocol, "ready\n", 6, 6, &event));
	cr_expect_eq(event, EVENT_READY);
	protocol_deinit(&protocol);
}

Test(protocol, what_failed_can_be_shown)
{
	static const struct {
		const char *line, *what;
	} rows[] = {
		{ "fail enter a share's directory\n",
		  "enter a share's directory" },
		{ "fail \033[31mmount\a\xff\n", "mount\xef\xbf\xbd" },
		{ "fail \033[0m\n", "" },
		{ "fail \rword\n", "word" },
	};

	for (size_t i = 0; i < array_size(rows); i++) {
		struct protocol protocol = { 0 };
		enum lifecycle_event event;

		cr_assert(read_one(&protocol, rows[i].line,
				   strlen(rows[i].line), 3, &event));
		cr_expect_eq(event, EVENT_FAIL);
		cr_expect_str_eq(protocol.what, rows[i].what);
		protocol_deinit(&protocol);
	}
}

/** What a shell makes of the two lines. */
static char *evaluate(const struct guest_config *config,
		      const struct guest_plan *plan, const int *port_fds,
		      const char *shell, const char *print)
{
	_cleanup_free_ char *text = protocol_format_setup(config, plan, port_fds);
	_cleanup_free_ char *program =
		string_format("n='\n'\neval \"$1\"\neval \"$2\"\n%s", print);
	char *output = NULL;

	// Exactly two lines, whatever the words.
	char *first_end = strchr(text, '\n');

	cr_assert_not_null(first_end);
	cr_assert_eq(strchr(first_end + 1, '\n')[1], '\0');
	*first_end = '\0';
	// What init.sh looks for.
	cr_expect_eq(strncmp(text, "mounts=", strlen("mounts=")), 0);

	const char *arguments[] = { shell, "-c",	  program, "sh",
				    text,  first_end + 1, NULL };
	const struct process_options options = { .arguments = arguments };

	cr_assert_null(process_capture(&options, 1 << 20, &output));
	return output;
}

Test(protocol, a_shell_reads_back_all_words)
{
	static const char *const command[] = {
		"printf",	    "a b",   "",     "it's",
		"x\ny\n\nz",	    "$HOME", "`id`", "\\n\\",
		"\xc3\xa9\x81\xff", "-n",    "*",    NULL
	};
	static const int port_fds[PORT_COUNT] = { -1, 3, -1, 4, -1 };
	static const struct {
		const char *print, *output;
	} rows[] = {
		{ "printf '<%s>' \"$@\"",
		  "<printf><a b><><it's><x\ny\n\nz><$HOME><`id`><\\n\\><\xc3\xa9\x81\xff><-n><*>" },
		{ "printf '<%s>' \"$A\" \"$B\" \"$mounts\" \"$package\" \"$directory\" \"$stdin\" \"$stdout\" \"$rows $columns\"",
		  "<x y'\nz><><a b 'c'\nd\n></k #,\xff></with space/and 'quote'\nand line><><1><0 0>" },
		{ "eval \"set -- $directories\"; printf '<%s>' \"$@\"",
		  "</a b/c'd></e>" },
		{ "eval \"set -- $late_mounts\"; printf '<%s>' \"$@\"",
		  "</a\nb'\"\\ #%,:\xe9><9p>" },
	};
	static const char *const shells[] = { "/bin/sh", "/bin/bash" };
	const struct guest_config config = {
		.directory = "/with space/and 'quote'\nand line",
		.command = (char *const *)command,
	};
	struct guest_plan plan = {
		.shares.mounts.text = string_copy("a b 'c'\nd\n"),
		.shares.package = string_copy("/k #,\xff"),
	};

	string_list_add(&plan.environment, "A=x y'\nz");
	string_list_add(&plan.environment, "B=");
	string_list_add(&plan.shares.directories, "/a b/c'd");
	string_list_add(&plan.shares.directories, "/e");
	string_list_add(&plan.shares.late_mounts, "/a\nb'\"\\ #%,:\xe9");
	string_list_add(&plan.shares.late_mounts, "9p");
	for (size_t i = 0; i < array_size(rows) * array_size(shells); i++) {
		const char *shell = shells[i % array_size(shells)];
		size_t row = i / array_size(shells);
		_cleanup_free_ char *output = evaluate(&config, &plan, port_fds,
						       shell, rows[row].print);

		cr_expect_str_eq(output, rows[row].output, "%s", shell);
	}
	guest_plan_deinit(&plan);
}

Test(protocol, stderr_has_a_port_or_joins_stdout)
{
	static const struct {
		int port_fd, stderr_fd;
		const char *value;
	} rows[] = {
		{ -1, -1, "" },
		{ 5, 2, "1" },
		{ -1, 1, "stdout" },
	};
	static const char *const command[] = { "true", NULL };
	const struct guest_plan plan = {
		.shares = { .mounts.text = (char *)"", .package = (char *)"/k" },
	};

	for (size_t i = 0; i < array_size(rows); i++) {
		const int port_fds[PORT_COUNT] = { -1, 3, -1, 4, rows[i].port_fd };
		const struct guest_config config = {
			.command = (char *const *)command,
			.stdout_fd = 1,
			.stderr_fd = rows[i].stderr_fd,
		};
		_cleanup_free_ char *value = evaluate(&config, &plan, port_fds,
						      "/bin/sh",
						      "printf %s \"$stderr\"");

		cr_expect_str_eq(value, rows[i].value);
	}
}

Test(protocol, names_of_variables_are_checked)
{
	static const struct {
		const char *name;
		bool valid;
	} rows[] = {
		{ "A", true },	 { "_a1", true },  { "", false },
		{ "1a", false }, { "a;b", false }, { "a b", false },
	};

	for (size_t i = 0; i < array_size(rows); i++)
		cr_expect_eq(guest_takes_variable(rows[i].name), rows[i].valid,
			     "%s", rows[i].name);
}

Test(protocol, a_shell_starts_another_command_with_all_its_words)
{
	static const struct {
		struct session_request request;
		const char *root, *output;
	} rows[] = {
		{ { .here = "/", .has_stdout = "1" },
		  "/",
		  "8||1|||/|A=x y'\nz B=b|<a b><it's\n\xff>" },
		{ { .here = "/", .has_stdout = "1" },
		  "/no/such/root",
		  "8||1|||/tmp|A=x y'\nz B=b|<a b><it's\n\xff>" },
		{ { .here = "/nowhere",
		    .directory = "/usr",
		    .has_stdin = "1",
		    .has_stderr = "stdout" },
		  "/",
		  "8|1||stdout||/usr|A=x y'\nz B=b|<a b><it's\n\xff>" },
	};
	static const char print[] =
		"enter() { printf '%s|' $first \"$stdin\" \"$stdout\" \"$stderr\" \"$rows${rows:+ $columns}\"; eval \"$command\"; printf '%s|A=%s B=%s|' \"$PWD\" \"$A\" \"$B\"; printf '<%s>' \"$@\"; }\nn='\n'\neval \"$1\"";
	struct guest_plan plan = { 0 };

	string_list_add(&plan.environment, "A=x y'\nz");
	string_list_add(&plan.environment, "B=a");
	for (size_t i = 0; i < array_size(rows); i++) {
		const struct guest_config config = { .root = rows[i].root,
						     .directory = "/tmp" };
		struct session_request request = rows[i].request;
		_cleanup_free_ char *line = NULL;
		_cleanup_free_ char *output = NULL;

		string_list_add(&request.environment, "B=b");
		string_list_add(&request.command, "a b");
		string_list_add(&request.command, "it's\n\xff");
		cr_assert_null(protocol_format_session(&config, &plan, &request,
						       8, &line));
		// One line.
		cr_assert_eq(strchr(line, '\n')[1], '\0');

		const char *arguments[] = { "/bin/sh", "-c", print,
					    "sh",      line, NULL };
		const struct process_options options = { .arguments = arguments };

		cr_assert_null(process_capture(&options, 1 << 20, &output));
		cr_expect_str_eq(output, rows[i].output);
		session_request_deinit(&request);
	}
	guest_plan_deinit(&plan);
}

Test(protocol, a_root_without_their_programs_has_no_terminals_nor_users)
{
	static const struct session_request rows[] = {
		{ .rows = "24", .columns = "80" },
		{ .user = "nobody" },
	};
	const struct guest_config config = { .root = "/no/such/root" };
	struct guest_plan plan = { 0 };

	for (size_t i = 0; i < array_size(rows); i++) {
		char *line = NULL;
		_cleanup_error_ struct error *err =
			protocol_format_session(&config, &plan, &rows[i], 8,
						&line);

		cr_assert_not_null(err);
		cr_expect_not_null(strstr(error_message(err), "util-linux"));
	}
}

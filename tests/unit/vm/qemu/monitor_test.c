// SPDX-License-Identifier: LGPL-2.1-or-later

#include "vm/qemu/monitor.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/base/error.h"
#include "common/base/system.h"
#include "tests/unit/errors.h"

#define GREETING                                                               \
	"{\"QMP\": {\"version\": {\"qemu\": {\"micro\": 22, \"minor\": 2, \"major\": 7}, \"package\": \"\"}, \"capabilities\": []}}\r\n"

/** A monitor, and what QEMU says, line by line. @return QEMU's end. */
static int begin(struct monitor *monitor, const char *text)
{
	int fds[2];

	cr_assert_eq(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds),
		     0);
	fcntl(fds[0], F_SETFL, O_NONBLOCK);
	monitor_start(monitor, fds[0]);
	while (*text) {
		size_t size = strcspn(text, "\n") + 1;

		cr_assert_eq(write(fds[1], text, size), (ssize_t)size);
		text += size;
	}
	return fds[1];
}

Test(monitor, a_guest_that_ends_by_itself_is_noticed)
{
	static const struct {
		const char *text;
		bool is_halted;
	} rows[] = {
		{ GREETING, false },
		{ GREETING
		  "{\"event\": \"SHUTDOWN\", \"data\": {\"guest\": true, \"reason\": \"guest-reset\"}}\r\n",
		  true },
		{ GREETING
		  "{\"event\": \"SHUTDOWN\", \"data\": {\"guest\": false, \"reason\": \"host-qmp-quit\"}}\r\n",
		  false },
		{ "nonsense\n{}\n[1]\n{\"event\": 7}\n{\"event\": \"SHUTDOWN\"}\n",
		  false },
	};

	for (size_t i = 0; i < array_size(rows); i++) {
		_cleanup_monitor_ struct monitor monitor = { 0 };
		_cleanup_close_ int qemu = begin(&monitor, rows[i].text);
		_cleanup_close_ int ours = monitor.fd;

		cr_expect(monitor_read(&monitor));
		while (monitor_read(&monitor))
			;
		cr_expect_eq(monitor.is_halted, rows[i].is_halted, "%zu", i);
		cr_expect_str_eq(monitor.version,
				 rows[i].text[0] == '{' ? "7.2.22" : "");
	}
}

/** To what it is told first, of which an old QEMU knows but one. */
#define BEGIN                                                                  \
	GREETING                                                               \
	"{\"id\": 1, \"return\": {}}\n{\"id\": 2, \"error\": {\"desc\": \"unknown\"}}\n"

Test(monitor, memory_is_written_as_qemu_can)
{
	static const char refused[] = BEGIN
		"{\"id\": 3, \"return\": {}}\n{\"id\": 4, \"return\": {}}\n"
		"{\"id\": 5, \"error\": {\"class\": \"GenericError\", \"desc\": \"no zlib\"}}\n"
		"{\"id\": 6, \"return\": {}}\n{\"event\": \"STOP\"}\n{\"id\": 7, \"return\": {}}\n";
	static const struct {
		const char *text;
		bool takes_elf, is_flat;
		const char *message;
	} rows[] = {
		{ BEGIN
		  "{\"id\": 3, \"return\": {}}\n{\"id\": 4, \"return\": {}}\n{\"id\": 5, \"return\": {}}\n",
		  true, true, NULL },
		{ refused, true, false, NULL },
		{ refused, false, true, "no zlib" },
		{ BEGIN
		  "{\"id\": 3, \"return\": {}}\n{\"id\": 4, \"error\": {}}\n",
		  true, true, "QEMU: error" },
		{ BEGIN "{\"id\": 3, \"return\": {}}\n", true, true, "too long" },
	};

	for (size_t i = 0; i < array_size(rows); i++) {
		_cleanup_monitor_ struct monitor monitor = { 0 };
		_cleanup_close_ int qemu = begin(&monitor, rows[i].text);
		_cleanup_close_ int ours = monitor.fd;
		_cleanup_close_ int file = memfd_create("file", MFD_CLOEXEC);
		bool is_flat = !rows[i].is_flat;
		struct error *err =
			monitor_dump(&monitor, file, rows[i].takes_elf,
				     monotonic_ms() + 200, &is_flat);

		// What is there is read first.
		if (rows[i].message)
			expect_failure(err, rows[i].message);
		else
			cr_expect_null(err);
		cr_expect_eq(is_flat, rows[i].is_flat, "%zu", i);
	}
}

Test(monitor, a_qemu_that_has_ended_is_an_error)
{
	_cleanup_monitor_ struct monitor monitor = { 0 };
	int qemu = begin(&monitor, GREETING);
	_cleanup_close_ int ours = monitor.fd;
	bool is_flat;

	close(qemu);
	expect_failure(monitor_dump(&monitor, -1, true, 0, &is_flat),
		       "QEMU has ended");
	cr_expect_eq(monitor.fd, -1);
}

/** What was answered: a letter each, and what was refused. */
struct notes {
	char letters[8];
	char refusal[64];
};

static void note(struct notes *notes, const char *letter, struct error *err)
{
	strcat(notes->letters, letter);
	if (err)
		snprintf(notes->refusal, sizeof(notes->refusal), "%s",
			 error_message(err));
	error_destroy(err);
}

static void note_a(void *arg, struct error *err)
{
	note(arg, "a", err);
}

static void note_b(void *arg, struct error *err)
{
	note(arg, "b", err);
}

/** The next message that QEMU gets. */
static void expect_message(int qemu, const char *expected)
{
	char data[256] = "";

	cr_expect_gt(read(qemu, data, sizeof(data) - 1), 0);
	cr_expect_str_eq(data, expected);
}

static void say_line(struct monitor *monitor, int qemu, const char *line)
{
	cr_assert_eq(write(qemu, line, strlen(line)), (ssize_t)strlen(line));
	while (monitor_read(monitor))
		;
}

static void finish_begin(struct monitor *monitor, int qemu)
{
	expect_message(qemu,
		       "{\"execute\": \"qmp_capabilities\", \"arguments\": {}, \"id\": 1}\n");
	say_line(monitor, qemu, "{\"id\": 1, \"return\": {}}\n");
	expect_message(qemu,
		       "{\"execute\": \"set-action\", \"arguments\": {\"shutdown\": \"pause\"}, \"id\": 2}\n");
	say_line(monitor, qemu, "{\"id\": 2, \"return\": {}}\n");
}

Test(monitor, what_is_asked_for_waits_for_the_answer_before_it)
{
	struct notes notes = { 0 };
	int pair[2];
	_cleanup_monitor_ struct monitor monitor = { 0 };
	_cleanup_close_ int qemu = begin(&monitor, GREETING);
	_cleanup_close_ int ours = monitor.fd;

	cr_assert_eq(pipe2(pair, O_NONBLOCK), 0);
	_cleanup_close_ int out = pair[0];
	finish_begin(&monitor, qemu);
	monitor_ask(&monitor, "getfd", "\"fdname\": \"x\"", pair[1], note_a,
		    &notes);
	monitor_ask(&monitor, "device_add", "", -1, note_b, &notes);
	monitor_ask(&monitor, "never", "", -1, note_b, &notes);
	expect_message(qemu,
		       "{\"execute\": \"getfd\", \"arguments\": {\"fdname\": \"x\"}, \"id\": 3}\n");
	say_line(&monitor, qemu,
		 "{\"event\": \"X\"}\n{\"id\": 2, \"return\": {}}\n");
	cr_expect_str_eq(notes.letters, "");
	say_line(&monitor, qemu, "{\"id\": 3, \"return\": {}}\n");
	cr_expect_str_eq(notes.letters, "a");
	// The descriptor was the monitor's to close.
	cr_expect_lt(write(pair[1], "x", 1), 0);
	expect_message(qemu,
		       "{\"execute\": \"device_add\", \"arguments\": {}, \"id\": 4}\n");
	say_line(&monitor, qemu,
		 "{\"id\": 4, \"error\": {\"desc\": \"no\\u001b[m\"}}\n");
	cr_expect_str_eq(notes.letters, "ab");
	cr_expect_str_eq(notes.refusal, "QEMU: no?[m");
}

// Two descriptors at once, and QEMU would take one for the other.
Test(monitor, a_dump_waits_for_the_answer_before_it)
{
	struct notes notes = { 0 };
	char data[256];
	bool is_flat;
	_cleanup_monitor_ struct monitor monitor = { 0 };
	_cleanup_close_ int qemu = begin(&monitor, GREETING);
	_cleanup_close_ int ours = monitor.fd;
	_cleanup_close_ int file = memfd_create("file", MFD_CLOEXEC);

	finish_begin(&monitor, qemu);
	monitor_ask(&monitor, "getfd", "\"fdname\": \"x\"", dup(file), note_a,
		    &notes);
	expect_failure(monitor_dump(&monitor, file, true, monotonic_ms() + 50,
				    &is_flat),
		       "too long");
	expect_message(qemu,
		       "{\"execute\": \"getfd\", \"arguments\": {\"fdname\": \"x\"}, \"id\": 3}\n");
	cr_assert_lt(recv(qemu, data, sizeof(data), MSG_DONTWAIT), 0);
	// Nobody waits for the answer any more.
	say_line(&monitor, qemu, "{\"id\": 3, \"return\": {}}\n");
	cr_expect_str_eq(notes.letters, "a");
	expect_message(qemu,
		       "{\"execute\": \"stop\", \"arguments\": {}, \"id\": 4}\n");
	say_line(&monitor, qemu, "{\"id\": 4, \"error\": {}}\n");
}

Test(monitor, what_qemu_cannot_be_told_is_an_error)
{
	struct notes notes = { 0 };
	_cleanup_monitor_ struct monitor monitor = { 0 };
	int qemu = begin(&monitor, GREETING);
	_cleanup_close_ int ours = monitor.fd;

	finish_begin(&monitor, qemu);
	close(qemu);
	monitor_ask(&monitor, "device_add", "", -1, note_a, &notes);
	monitor_ask(&monitor, "device_del", "", -1, note_b, &notes);
	cr_expect_str_eq(notes.letters, "ab");
	cr_expect_str_eq(notes.refusal, "QEMU does not take 'device_del'");
}

// SPDX-License-Identifier: LGPL-2.1-or-later

#ifndef VM_GUEST_GUEST_H
#define VM_GUEST_GUEST_H

/**
 * @file
 *
 * Run one command under a kernel, in the userspace of a root that it shares
 * with the host but cannot change.
 *
 * Nothing of a guest is on the host's disk, and QEMU is killed by the kernel
 * when we die, so there is nothing to clean up after a run, however it ends.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "common/base/cleanup.h"
#include "common/base/text.h"
#include "vm/qemu/qemu.h"

struct console;
struct error;
struct lifecycle;
struct process_status;
struct run_result;
struct trace_source;

/** Where programs are in any root; the end of a command's PATH. */
#define GUEST_PATH                                                             \
	"/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

struct guest_config {
	/**
	 * With kdump, the command also gets the program that loads a crash
	 * kernel: VMTEST_KEXEC in its environment, and in its PATH. If the
	 * guest crashes then, the same command runs again in the crash kernel,
	 * and its status counts.
	 */
	struct qemu_config qemu;
	/** A directory; `/` for the host's own root. */
	const char *root;
	/** Where the command runs; NULL for the root. */
	const char *directory;
	/** Who runs it: NAME or UID, and :GROUP; NULL for root. */
	const char *user;
	/** The guest's name, with or without a domain. */
	const char *hostname;
	/** By which other processes find it; NULL for our pid. */
	const char *name;
	/**
	 * Called with the result of a command that has failed or timed out, and
	 * with the guest's name; from then on, the guest is kept until it is
	 * stopped. NULL to end it.
	 */
	void (*keep)(void *arg, const char *name, struct run_result *result);
	void *keep_arg;
	/** Directories whose files the guest cannot read. */
	struct string_list hidden;
	/** Directories that the guest may change. */
	struct string_list writable;
	/** What serves these, see qemu.h; NULL to look for it. */
	const char *virtiofsd;
	/**
	 * A module that the guest is to see, absolute and without symbolic
	 * links: DRGN_TEST_KMOD in the command's environment. NULL for none.
	 */
	const char *module;
	/** Insert it before the command starts. */
	bool insert_module;
	/**
	 * The size of an empty disk, of which the last counts: DRGN_TEST_DISK
	 * in the command's environment; and files that are disks, see qemu.h:
	 * VMTEST_DISKS.
	 */
	struct string_list disks;
	/** How much the guest may write elsewhere; 0 for half of its memory. */
	uint64_t overlay_bytes;
	/**
	 * Directory in whose file system the empty disks are made, and what
	 * looks at a guest's end has its files.
	 */
	const char *disk_directory;
	/**
	 * `NAME=VALUE`; the command gets nothing else but the variables of a
	 * login and those that name what is asked for here.
	 */
	struct string_list environment;
	/** Ended by NULL. */
	char *const *command;
	/** The command's own streams; -1 for none. */
	int stdin_fd;
	int stdout_fd;
	/** The same as stdout_fd for one stream, in which all is in order. */
	int stderr_fd;
	/** The three are a terminal, which the command gets as its own. */
	bool interactive;
	/** Counted from the command's first start; 0 for no limit. */
	uint64_t timeout_ms;
	/**
	 * Whether a splat fails the command: a kernel with kmemleak then looks
	 * for lost memory when the command has ended, which takes seconds.
	 */
	bool fail_on_splat;
	/**
	 * When the guest's memory is kept (evidence.h), and in which directory
	 * it gets one of its own.
	 */
	struct string_list dump;
	const char *dump_directory;
	/** Where vmtest-vm runs, and the words by which it does the same again. */
	const char *invocation_directory;
	const struct string_list *invocation;
	/**
	 * The console's output is written to it as it arrives; -1 for none.
	 * If set, the kernel prints all messages, not only warnings.
	 */
	int console_log_fd;
	/**
	 * How much the command may write to each of its streams, and the
	 * kernel to its console. With more, the guest is ended, as if SIGXFSZ
	 * had ended the command. 0 for no limit.
	 */
	uint64_t output_limit_bytes;
	uint64_t console_limit_bytes;
	/** What the user can do then; may be NULL. */
	const char *flood_remedy;
	/** Only write QEMU's command, for a shell, to this; NULL to run it. */
	FILE *show;
};

/** Such a limit where what is written goes to files of ours. */
#define GUEST_LOG_LIMIT_BYTES (UINT64_C(1) << 30)

/** Whether a guest can have this name. */
bool guest_takes_hostname(const char *name);

/** Whether a guest can have an environment variable of this name. */
bool guest_takes_variable(const char *name);

/** @return ERROR_OTHER, if crash kernels do not work there: why. */
_must_check_ struct error *guest_check_kdump(const struct qemu_config *config);

/**
 * Boot, run, and end the guest. Blocks, also while the guest is kept.
 *
 * @param[out] ret All but its release and status.
 * @return Why the command was not run: QEMU does not start, or the guest
 * reports that it cannot run it; ERROR_CANCELLED if interrupted. A guest that
 * is lost or times out, even while it boots, is a result, not an error.
 */
_must_check_ struct error *guest_run(const struct guest_config *config,
				     struct run_result *ret);

/*
 * How one run ended, as `run --result FILE` writes it for other programs:
 *
 *     {
 *       "release": "6.12.117-vmtest1.1default",   null if there is no kernel
 *       "outcome": "exited",                      or timed_out, lost, not_run
 *       "status": 3,                              exit status of vmtest-vm
 *       "exit_status": 3,                         the command's, if it exited
 *       "reason": null,                           one line, unless it exited
 *       "boot_ms": 1234,                          null if it did not boot
 *       "command_ms": 56,                         null if it did not boot
 *       "splats": ["WARNING: …"],                 what the kernel reported
 *       "file": "/home/me/module/x.c",            where, if in a module
 *       "line": 41,
 *       "dump": null,                             directory with its memory
 *       "splat_count": 1                          those not listed too
 *     }
 */

enum run_outcome {
	RUN_EXITED,
	RUN_TIMED_OUT,
	/** The guest ended, or hung as it booted, without a status. */
	RUN_LOST,
	/** vmtest failed before the command ran. */
	RUN_NOT_RUN,
};

/** As in JSON. */
const char *run_outcome_name(enum run_outcome outcome);

/** Exit statuses of vmtest-vm that are not the command's. */
enum run_status {
	/** The kernel complained, and --fail-on-splat is given. */
	RUN_STATUS_SPLAT = 1,
	RUN_STATUS_USAGE = 2,
	RUN_STATUS_TIMED_OUT = 124,
	RUN_STATUS_NOT_RUN = 125,
	RUN_STATUS_LOST = 128,
};

struct run_result {
	/** NULL if there was no kernel. */
	char *release;
	enum run_outcome outcome;
	/** What vmtest-vm exits with. */
	int status;
	/** What the shell calls it: 128 + N for a signal. Only if it exited. */
	int exit_status;
	/** One line; NULL if it has exited by itself. */
	char *reason;
	/**
	 * With a reason, the last of the kernel's log; on timeout, what tasks
	 * did. Not in the JSON; NULL for nothing.
	 */
	char *log;
	/** What drgn says of the guest. Not in the JSON; NULL for nothing. */
	char *report;
	/** Where the guest's memory is (dump.h); NULL if it is not kept. */
	char *dump;
	/**
	 * From our start to the command's, and from there to its end or, if it
	 * had none, to the guest's; 0 if it did not start.
	 */
	uint64_t boot_ms;
	uint64_t command_ms;
	/** First lines of what the kernel complained about. */
	struct string_list splats;
	/**
	 * The stack traces of the first of these, in their order. Not in the
	 * JSON.
	 */
	struct string_list traces;
	/** Where in a module the first of all these was; NULL if not known. */
	char *file;
	/** Of the file; 0 if not known. */
	unsigned int line;
	/** All of them, the list's included. */
	size_t splat_count;
	/**
	 * Whether there was no space left for what the guest wrote. Not in the
	 * JSON.
	 */
	bool full;
};

void run_result_deinit(struct run_result *result);

#define _cleanup_run_result_ _cleanup_(run_result_deinit)

/**
 * Make the result of a guest that has ended.
 *
 * @param[in] lifecycle Has ended, and was not cancelled.
 * @param[in] console Its splats go to the result.
 * @param[in] output What QEMU itself has printed.
 * @param[in] status How QEMU ended, if it did so by itself.
 * @param[in] what What the guest has said last: of CAUSE_GUEST what it could
 * not do, of CAUSE_PROTOCOL the whole line.
 * @param[out] ret All but its release and status.
 * @return Why the command was not run: ERROR_NOT_FOUND if QEMU lacks the
 * machine.
 */
_must_check_ struct error *
run_result_compute(const struct lifecycle *lifecycle, struct console *console,
		   const struct console *output,
		   const struct process_status *status, const char *what,
		   struct run_result *ret);

/**
 * Say of its log, splats and traces where in the source they are (trace.h), and
 * find the file. Blocks, if there is something to decode.
 */
void run_result_decode(struct run_result *result,
		       const struct trace_source *source);

/**
 * What vmtest-vm exits with after a run.
 *
 * @param[in] lost_status If the guest was lost.
 * @param[in] fail_on_splat Whether a command that succeeded has failed if the
 * kernel complained.
 */
int run_result_status(const struct run_result *result, unsigned int lost_status,
		      bool fail_on_splat);

/** As JSON; free(). */
char *run_result_format(const struct run_result *result);

/**
 * Read what run_result_format() has written.
 *
 * @param[in] name For messages.
 */
_must_check_ struct error *run_result_parse(const char *text, const char *name,
					    struct run_result *ret);

#endif /* VM_GUEST_GUEST_H */

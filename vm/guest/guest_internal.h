// SPDX-License-Identifier: LGPL-2.1-or-later

#ifndef VM_GUEST_GUEST_INTERNAL_H
#define VM_GUEST_GUEST_INTERNAL_H

/** @file What the files of guest.h share. */

#include <sys/ioctl.h>
#include <termios.h>

#include "vm/guest/guest.h"
#include "vm/qemu/confine.h"

struct guest_plan;
struct session_request;

/*
 * The states of a guest: an event and its time give the next state and an
 * action. No effects, and no clock: times are the caller's, monotonic, in
 * milliseconds.
 */

enum {
	/** For a boot, which takes seconds where the machine is busy. */
	LIFECYCLE_KVM_BOOT_MS = 120000,
	LIFECYCLE_TCG_BOOT_MS = 300000,
	/** How many times as long where the kernel checks each access to memory. */
	LIFECYCLE_KASAN_FACTOR = 4,
	/** After the command's end, without any progress of its output. */
	LIFECYCLE_DRAIN_MS = 30000,
	/** For the list of tasks: in all, and after the kernel's last byte. */
	LIFECYCLE_DUMP_MS = 5000,
	LIFECYCLE_QUIET_MS = 400,
	/** For QEMU to end in an orderly way. */
	LIFECYCLE_QUIT_MS = 5000,
	/** How many kernels a guest may run: the first, and a crash kernel. */
	LIFECYCLE_KERNEL_LIMIT = 2,
};

enum lifecycle_state {
	/** Until init.sh starts the command. */
	LIFECYCLE_BOOT,
	LIFECYCLE_COMMAND,
	/** The kernel has panicked; a crash kernel is to take over. */
	LIFECYCLE_CRASH,
	/** The command has ended; its output may not have arrived yet. */
	LIFECYCLE_DRAIN,
	/** The command had its time, and the kernel is listing its tasks. */
	LIFECYCLE_DUMP,
	/** The result is known; output that has arrived is passed on. */
	LIFECYCLE_FLUSH,
	/** The guest remains, for others to look at. */
	LIFECYCLE_KEPT,
	/** QEMU is asked to end. */
	LIFECYCLE_QUIT,
	/** QEMU is killed, if it runs. */
	LIFECYCLE_ENDED,
};

enum lifecycle_event {
	/** What init.sh says. */
	EVENT_HELLO,
	EVENT_READY,
	EVENT_EXIT,
	EVENT_DONE,
	EVENT_FAIL,
	/** There is no space left for what the guest writes. */
	EVENT_FULL,
	/** The same of another command, see guest_sessions.h; its ports are gone. */
	EVENT_SESSION_READY,
	EVENT_SESSION_EXIT,
	EVENT_SESSION_DONE,
	EVENT_SESSION_GONE,
	/** None of these. */
	EVENT_NONSENSE,
	/** The console has printed something; the kernel has panicked. */
	EVENT_CONSOLE,
	EVENT_PANIC,
	/** The command's output makes progress, or waits for its reader. */
	EVENT_OUTPUT,
	/** It has no reader any more. */
	EVENT_UNREAD,
	/** There is more of it, or of the console, than there may be. */
	EVENT_FLOOD,
	/** In LIFECYCLE_FLUSH: all output has been passed on. */
	EVENT_FLUSHED,
	/** QEMU has ended; with an error, and nothing on the console. */
	EVENT_QEMU_ENDED,
	EVENT_QEMU_FAILED,
	/** What serves a writable share has ended. */
	EVENT_SERVER_ENDED,
	/** The user, a signal to us, or an error of ours ends it. */
	EVENT_CANCELLED,
	/** Time passes. Needed at the deadline, harmless before. */
	EVENT_TIME,
};

enum lifecycle_action {
	ACTION_NONE,
	/** A crash kernel has booted: send it the same setup as the first. */
	ACTION_TAKE_OVER,
	/**
	 * Press sysrq-7, for all messages, or sysrq-t, for the list of tasks.
	 */
	ACTION_SHOW_MESSAGES,
	ACTION_LIST_TASKS,
	/** Take the output that has arrived, and none that is to come. */
	ACTION_COLLECT,
	/** Report the result, and go on. */
	ACTION_KEEP,
	/** Ask QEMU to end. */
	ACTION_TERMINATE,
};

enum lifecycle_cause {
	CAUSE_NONE,
	/** Of RUN_LOST: QEMU ended by itself. */
	CAUSE_END,
	CAUSE_END_IN_BOOT,
	/** The boot, of a crash kernel too, took too long. */
	CAUSE_BOOT,
	/** The command has ended, but the guest does not finish. */
	CAUSE_DRAIN,
	/** The guest has said something that has no place in the protocol. */
	CAUSE_PROTOCOL,
	/** What serves a writable share has ended. */
	CAUSE_SERVER,
	/** Of RUN_LOST in a boot, else of RUN_EXITED: it has written too much. */
	CAUSE_FLOOD,
	/** Of RUN_NOT_RUN: the guest says so. */
	CAUSE_GUEST,
	/** QEMU did not start. */
	CAUSE_QEMU,
	CAUSE_CANCELLED,
};

/** All but the first nine are lifecycle_step()'s to change. */
struct lifecycle {
	uint64_t boot_limit_ms;
	/** As in guest.h. */
	uint64_t timeout_ms;
	/** For people to read: EVENT_FLOOD is the caller's to see. */
	uint64_t flood_bytes;
	const char *flood_remedy;
	bool kdump;
	/** QEMU may have something to write when it ends. */
	bool may_write;
	/** A guest whose command has failed or had its time is to remain. */
	bool keeps;
	/** A command that succeeds has failed: the caller's to see, too. */
	bool has_splats;
	/** It may be made to stand still, so only its command has a time. */
	bool is_debugged;
	enum lifecycle_state state;
	/** When EVENT_TIME is due; 0 for never. */
	uint64_t deadline_ms;
	uint64_t start_ms;
	/** When the command has had its time; 0 for never. */
	uint64_t command_deadline_ms;
	/** When output after the command has had its time; 0 for never. */
	uint64_t drain_deadline_ms;
	/** When the list of tasks has had its time. */
	uint64_t dump_deadline_ms;
	bool lists_tasks;
	bool qemu_ended;
	unsigned int kernels;
	/** The result, from LIFECYCLE_FLUSH on; as in guest.h. */
	enum run_outcome outcome;
	enum lifecycle_cause cause;
	int exit_status;
	bool full;
	uint64_t boot_ms;
	uint64_t command_ms;
	/** The caller's to add to: how long the guest was stopped. */
	uint64_t still_ms;
};

/**
 * How long a boot may take.
 *
 * @param[in] is_emulated Without KVM.
 * @param[in] config Of the kernel.
 */
uint64_t lifecycle_boot_limit_ms(bool is_emulated, const char *config);

/** Whether it is of another command than the guest's own. */
bool is_session_event(enum lifecycle_event event);

/** Whether what the guest says matters now. */
bool lifecycle_listens(const struct lifecycle *lifecycle);

/** For how long nothing happens by itself, as poll(2) takes it; -1 is for ever. */
int lifecycle_wait_ms(const struct lifecycle *lifecycle, uint64_t now_ms);

/** QEMU starts. The first nine members are set or zero, the others are zero. */
void lifecycle_start(struct lifecycle *lifecycle, uint64_t now_ms);

/**
 * @param[in] status Of EVENT_EXIT.
 * @return What is to be done now.
 */
enum lifecycle_action lifecycle_step(struct lifecycle *lifecycle,
				     enum lifecycle_event event, int status,
				     uint64_t now_ms);

/*
 * The protocol of the control port, which init.sh describes. What the guest
 * sends is not trusted: any program that runs as root there can send it.
 */

/**
 * What the guest is told first: two lines for its shell, whose words are quoted
 * here, and nowhere else; free().
 *
 * @param[in] port_fds By enum qemu_port; -1 for none.
 */
char *protocol_format_setup(const struct guest_config *config,
			    const struct guest_plan *plan, const int *port_fds);

/**
 * What starts another command: a line.
 *
 * @param[in] first Its first port.
 * @param[out] ret free()
 * @return ERROR_USAGE if there is no such user; an error if the guest's root
 * lacks what a terminal or another user needs.
 */
_must_check_ struct error *protocol_format_session(
	const struct guest_config *config, const struct guest_plan *plan,
	const struct session_request *request, unsigned int first, char **ret);

enum {
	/** A longer line is EVENT_NONSENSE. */
	PROTOCOL_LINE_LIMIT = 8192,
	/** What is shown of one: what failed, with a path in it. */
	PROTOCOL_TEXT_BYTES = 1024,
};

/** Reads what the guest says. Starts as zeros. */
struct protocol {
	/** What has arrived of a line. */
	char line[PROTOCOL_LINE_LIMIT + 1];
	size_t length;
	/** The begin of the last event's line, as plain text (text.h). */
	char *text;
	/** All but its first word: WHAT of `fail WHAT`. */
	const char *what;
	/** Of the last `exit STATUS`. */
	int status;
	/** Of the last event of another command: its first port. */
	unsigned int session;
};

void protocol_deinit(struct protocol *protocol);

/**
 * Take bytes, up to the end of a line.
 *
 * @param[in,out] data Moved behind what was taken.
 * @return Whether there is an event; if not, all has been taken.
 */
bool protocol_read(struct protocol *protocol, const char **data,
		   const char *end, enum lifecycle_event *ret);

/*
 * The output of the guest's kernel: its newest part is kept in memory, and it
 * is searched for panics and splats as it arrives. A guest can write anything
 * to its console, so all that is returned is plain text (text.h).
 */

enum {
	/** The log is cut down to this many bytes when it is twice as long. */
	CONSOLE_KEEP_BYTES = 1 << 20,
	/** Splats beyond these are only counted. */
	CONSOLE_SPLAT_LIMIT = 32,
	/** Of what follows a splat, up to the next one. */
	CONSOLE_TRACE_LINES = 150,
	CONSOLE_TRACE_BYTES = 16 << 10,
	/** Splats whose traces are shown. */
	CONSOLE_TRACE_LIMIT = 10,
	/** What is kept of the line of a splat or panic. */
	CONSOLE_LINE_BYTES = 512,
	/** How much of a log people are shown: lines, but not more than bytes. */
	CONSOLE_TAIL_LINES = 30,
	CONSOLE_TAIL_BYTES = 64 << 10,
};

struct console {
	struct string_builder log;
	/** All that has arrived. */
	uint64_t size_bytes;
	/** Where in it the line that is still arriving begins. */
	size_t line;
	/** Where the kernel that runs now begins. */
	size_t boot;
	/** Where console_append_new() goes on. */
	size_t shown;
	/** Where a list of tasks begins. */
	size_t tasks;
	/** "Kernel panic - not syncing: …", NULL if it has not. */
	char *panic;
	/** First lines of warnings, bugs, stalls and hangs. */
	struct string_list splats;
	/** Where the first of these are. */
	size_t traces[CONSOLE_TRACE_LIMIT];
	/** At most INT_MAX. */
	size_t splat_count;
};

void console_deinit(struct console *console);

#define _cleanup_console_ _cleanup_(console_deinit)

/** Add what arrived. Carriage returns and NULs are dropped. */
void console_feed(struct console *console, const char *data, size_t size_bytes);

/**
 * A crash kernel has taken over: forget the first one's panic, and keep its
 * splats.
 */
void console_restart(struct console *console);

/** Append the lines that have been completed since the last call. */
void console_append_new(struct console *console, struct string_builder *sb);

/**
 * Append the last lines, from the line of the panic if there was one: at most
 * CONSOLE_TAIL_BYTES.
 */
void console_append_tail(const struct console *console, unsigned int lines,
			 struct string_builder *sb);

/**
 * Append the stack traces of a splat: its frames, and what they are headed by.
 *
 * @param[in] number Of CONSOLE_TRACE_LIMIT.
 */
void console_append_trace(const struct console *console, size_t number,
			  struct string_builder *sb);

/** The kernel will be asked for a list of its tasks (sysrq-t). */
void console_expect_tasks(struct console *console);

/**
 * Append what tasks do, from that list: those of user space, and kernel threads
 * that run or are blocked.
 *
 * @return Whether there was any task.
 */
bool console_append_tasks(const struct console *console,
			  struct string_builder *sb);

/* The host's terminal, while the guest has it. */

struct terminal {
	/** -1 while it is the host's. */
	int fd;
	struct termios saved;
	/** Polls readable when the size may have changed, or to give up. */
	int signal_fd;
};

#define TERMINAL_INIT                                                          \
	{                                                                      \
		.fd = -1, .signal_fd = -1                                      \
	}

/**
 * Make it raw. Signals that would end us are blocked, and read by
 * terminal_signal(), so that terminal_restore() is called in any case; call it
 * after an error, too.
 */
_must_check_ struct error *terminal_take(struct terminal *terminal, int fd);

/** Restore its modes, if it was taken and we are in its foreground. */
void terminal_restore(struct terminal *terminal);

/** Size in characters; 24 by 80 if the terminal does not know. */
struct winsize terminal_size(int fd);

/**
 * Read a signal of signal_fd.
 *
 * @param[out] resized_ret Whether the size may have changed.
 * @return ERROR_CANCELLED if it was one that ends us.
 */
_must_check_ struct error *terminal_signal(struct terminal *terminal,
					   bool *resized_ret);

/* Who runs the command, by the passwd(5) and group(5) of the guest's root. */

struct guest_user {
	unsigned int uid;
	unsigned int gid;
	/** All of its groups, with commas; NULL for root by default. */
	char *groups;
	char *name;
	char *home;
	char *shell;
};

/**
 * @param[in] root The guest's root on the host.
 * @param[in] request As in struct guest_config.
 * @return ERROR_USAGE if there is no such user.
 */
_must_check_ struct error *guest_user_find(const char *root, const char *request,
					   struct guest_user *ret);
void guest_user_deinit(struct guest_user *user);

/** Add what login(1) and PAM say of the user. */
void guest_user_add_environment(const struct guest_user *user,
				struct string_list *environment);

#define _cleanup_guest_user_ _cleanup_(guest_user_deinit)

/** The ports that the command needs, as 1 << enum qemu_port. */
unsigned int guest_ports(const struct guest_config *config);

/**
 * Boot a guest and wait for its end, however it comes.
 *
 * @param[in] plan With its machine and image.
 * @return As guest_run(); ERROR_NOT_FOUND if QEMU is not there or does not have
 * the machine.
 */
_must_check_ struct error *guest_loop_run(const struct guest_config *config,
					  struct guest_plan *plan,
					  struct run_result *ret);

/* What a guest is made of: all that is decided before QEMU starts. */

struct guest_plan {
	/**
	 * All but the machine and the sockets; borrows from the others here.
	 */
	struct qemu_options qemu;
	/** Serve the writable shares, if they are not 9p. */
	struct virtiofs servers;
	struct share_plan shares;
	/** Of QEMU. */
	struct confinement confinement;
	/** init.sh on the host, without symbolic links. */
	char *init;
	/** The module that the guest inserts, where it sees it; or NULL. */
	char *module;
	struct guest_user user;
	/** Modules of the package that are inserted where they are there. */
	struct string_list drivers;
	/** Files of /etc that we cannot read; the guest gets its own. */
	struct string_list closed;
	/** Nodes in /dev, five words each: mode, name, type, and numbers. */
	struct string_list nodes;
	/** A script for a shell that sets limits. */
	char *limits;
	/** All of the command's environment; what the caller sets wins. */
	struct string_list environment;
};

/** Letters and digits, whatever the locale. */
#define GUEST_LETTERS                                                          \
	"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"

/** Whether the guest's root has a file, at a path like `usr/bin/prlimit`. */
bool guest_root_has(const struct guest_config *config, const char *path);

/** @return An error if it has not a program of util-linux, which is needed. */
_must_check_ struct error *guest_root_check(const struct guest_config *config,
					    const char *what,
					    const char *program);

/** @param[in,out] plan Zeros; is not to be moved from here on. */
_must_check_ struct error *guest_plan_make(struct guest_plan *plan,
					   const struct guest_config *config);
void guest_plan_deinit(struct guest_plan *plan);

#define _cleanup_guest_plan_ _cleanup_(guest_plan_deinit)

/**
 * Plan what QEMU can do to the host. The shares are known.
 *
 * @param[in] extra Directories that the guest must see; without links.
 * @return ERROR_USAGE if what is to be hidden is needed.
 */
_must_check_ struct error *
guest_confinement_plan(struct guest_plan *plan, const struct guest_config *config,
		       const struct string_list *extra);

/** Plan what a booted system has besides its root. The user is known. */
_must_check_ struct error *guest_system_plan(struct guest_plan *plan,
					     const struct guest_config *config);

#endif /* VM_GUEST_GUEST_INTERNAL_H */

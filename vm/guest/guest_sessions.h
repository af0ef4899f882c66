// SPDX-License-Identifier: LGPL-2.1-or-later

#ifndef VM_GUEST_GUEST_SESSIONS_H
#define VM_GUEST_GUEST_SESSIONS_H

/**
 * @file
 *
 * Commands that are run in a guest beside its own, from other processes of the
 * same user, which connect to the guest's socket (guest_names.h) and bring
 * QEMU's ends of their streams. QEMU gets these as new ports of virtio-serial,
 * and init.sh runs the command on them: what it reads and writes never comes
 * here.
 *
 * A request is a word, and for `run` strings `KEY=VALUE`, each ended by a null
 * byte:
 *
 *     info
 *     stop
 *     run user=USER directory=DIR here=DIR env=NAME=VALUE… arg=WORD… stdin=1
 * stdout=1 stderr=1|stdout; or, on a terminal, rows=N columns=N
 *
 * Descriptors come with `run` in this order. The answers are `error TEXT`, or a
 * JSON object, or `ready`, before which nothing may be sent or closed (the
 * guest would not see that it was open), `exit STATUS` and `done`. On a
 * terminal, `resize ROWS COLUMNS` may follow. Whose connection ends is ended in
 * the guest.
 */

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>

#include "common/base/cleanup.h"
#include "vm/guest/guest_internal.h"
#include "vm/guest/guest_names.h"
#include "vm/qemu/monitor.h"
#include "vm/qemu/qemu.h"

struct error;
struct guest_config;
struct guest_plan;
struct guest_streams;

enum {
	/** Commands at once: ports up to virtio-serial's 30, three for each. */
	SESSION_LIMIT = 8,
	/** Connections at once; who asks something, too. */
	SESSION_CONNECTION_LIMIT = SESSION_LIMIT + 4,
	/** Those of the guest's own command come before. */
	SESSION_FIRST_PORT = PORT_COUNT,
	/** The socket, and all connections. */
	SESSION_POLL_COUNT = 1 + SESSION_CONNECTION_LIMIT,
};

enum session_state {
	/** Nothing is asked for yet; or it is free, if nobody is connected. */
	SESSION_IDLE,
	/** For the guest to run its own command. */
	SESSION_WAITS,
	/** For QEMU, and then for the guest, to have its ports. */
	SESSION_PLUGS,
	SESSION_RUNS,
	/** All of its output has been sent. */
	SESSION_DONE,
	/** For the guest to see that its ports are gone. */
	SESSION_LEAVES,
};

struct session {
	struct sessions *sessions;
	/** -1 when nobody is connected any more. */
	int fd;
	enum session_state state;
	/** Its first port in the guest; 0 for none. */
	unsigned int first;
	/** QEMU's ends of its ports, until QEMU has them; -1 for none. */
	int port_fds[GUEST_MESSAGE_FDS];
	/** Whether QEMU was asked for the port; what it calls them is unique. */
	bool plugged[GUEST_MESSAGE_FDS];
	unsigned int serial;
	/** How many answers of QEMU's are to come, and what it has refused. */
	unsigned int pending;
	struct error *error;
	/** What init.sh is told. */
	char *script;
};

struct sessions {
	const struct guest_config *config;
	const struct guest_plan *plan;
	const struct lifecycle *lifecycle;
	/** What init.sh is told goes there. */
	struct guest_streams *streams;
	struct monitor *monitor;
	/** -1 if nobody can come in. */
	int listen_fd;
	char *name;
	unsigned int serial;
	/**
	 * Whose ports come or go; NULL for nobody's. What QEMU says of more
	 * than the guest has seen yet gets lost.
	 */
	struct session *busy;
	/** Somebody wants the guest to end. */
	bool is_stopped;
	struct session items[SESSION_CONNECTION_LIMIT];
};

/**
 * Begin to listen. A guest that has no name is found by our pid.
 *
 * @param[in] streams, lifecycle Of the guest; borrowed, as the others.
 * @param[out] ret Is not to be moved.
 * @return ERROR_USAGE if another guest has the name.
 */
_must_check_ struct error *sessions_open(struct sessions *ret,
					 const struct guest_config *config,
					 const struct guest_plan *plan,
					 const struct lifecycle *lifecycle,
					 struct guest_streams *streams);
void sessions_deinit(struct sessions *sessions);

/** What to poll for. */
void sessions_prepare(const struct sessions *sessions,
		      struct pollfd poll_ret[static SESSION_POLL_COUNT]);

/** Do what poll(2) said can be done. */
void sessions_move(struct sessions *sessions,
		   const struct pollfd polled[static SESSION_POLL_COUNT]);

/** The guest says an is_session_event() of a first port. */
void sessions_tell(struct sessions *sessions, enum lifecycle_event event,
		   int status, unsigned int first);

/** The guest's kernel has crashed: its commands are gone. */
void sessions_drop(struct sessions *sessions);

/** A request, as it is sent. */
struct session_request {
	struct string_list environment;
	/** Ended by NULL. */
	struct string_list command;
	/** NULL for that of the guest's own command. */
	const char *user;
	/** NULL for @p here, which is the caller's, where the root is the host's. */
	const char *directory;
	const char *here;
	const char *has_stdin;
	const char *has_stdout;
	/** "stdout" to go where that goes. */
	const char *has_stderr;
	/** Size of its terminal; NULL without one. */
	const char *rows;
	const char *columns;
};

void session_request_deinit(struct session_request *request);

#define _cleanup_session_request_ _cleanup_(session_request_deinit)

/**
 * Read what follows the word `run`.
 *
 * @param[in] text Ended by a null byte more; borrowed.
 * @return An error if it is none.
 */
_must_check_ struct error *session_request_parse(const char *text, size_t size,
						 struct session_request *ret);

/** Write one, the word included. */
void session_request_format(const struct session_request *request,
			    struct string_builder *sb);

#endif /* VM_GUEST_GUEST_SESSIONS_H */

// SPDX-License-Identifier: LGPL-2.1-or-later

#ifndef TESTS_UNIT_COMMON_HTTP_SCRIPTED_SERVER_H
#define TESTS_UNIT_COMMON_HTTP_SCRIPTED_SERVER_H

/**
 * @file
 *
 * An HTTP server on 127.0.0.1 that gives prepared answers, one after the other,
 * whatever it is asked, and remembers what that was: for what a client does on
 * the wire. One connection at a time.
 */

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>

struct scripted_answer {
	/** `HTTP/1.1 200 OK` and headers, separated by \r\n, without the last. */
	const char *head;
	/** Sent with a Content-Length; NULL for "". */
	const char *body;
	/** End the connection after so many bytes of the body; 0 for all. */
	size_t cut;
	/** Instead of that, say nothing more. */
	bool stall;
};

struct scripted_server {
	/** `http://127.0.0.1:PORT` */
	char url[64];
	/** How many there have been, and each request's line and headers. */
	_Atomic size_t connections;
	_Atomic size_t requests;
	char *log[64];

	// The server's own.
	const struct scripted_answer *answers;
	size_t count;
	int listen_fd;
	pthread_t thread;
	_Atomic bool stopped;
	_Atomic int connection_fd;
};

/** @param[in] answers Borrowed, as are their strings; the last is repeated. */
struct scripted_server *
scripted_server_start(const struct scripted_answer *answers, size_t count);
void scripted_server_stop(struct scripted_server *server);

#endif /* TESTS_UNIT_COMMON_HTTP_SCRIPTED_SERVER_H */

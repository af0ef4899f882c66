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

struct scripted_server;

/** @param[in] answers Borrowed, as are their strings; the last is repeated. */
struct scripted_server *
scripted_server_start(const struct scripted_answer *answers, size_t count);
void scripted_server_stop(struct scripted_server *server);

/** `http://127.0.0.1:PORT` */
const char *scripted_server_url(const struct scripted_server *server);

/** How many requests and connections there have been. */
size_t scripted_server_requests(const struct scripted_server *server);
size_t scripted_server_connections(const struct scripted_server *server);

/** A request's line and headers, "" if there has been none; borrowed. */
const char *scripted_server_request(const struct scripted_server *server,
				    size_t i);

#endif /* TESTS_UNIT_COMMON_HTTP_SCRIPTED_SERVER_H */

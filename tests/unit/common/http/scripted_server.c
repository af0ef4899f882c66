// SPDX-License-Identifier: LGPL-2.1-or-later

#include "scripted_server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
	REQUEST_BYTES = 1 << 16
};

static bool send_all(int fd, const char *data, size_t size)
{
	while (size) {
		ssize_t count = send(fd, data, size, MSG_NOSIGNAL);

		if (count <= 0)
			return false;
		data += count;
		size -= (size_t)count;
	}
	return true;
}

/** Read one request with its body. @return Whether there was one. */
static bool receive(struct scripted_server *server, int fd)
{
	char *text = calloc(1, REQUEST_BYTES);
	size_t size = 0, body = 0;
	char *end = NULL;
	const char *length;

	while (!end || size < (size_t)(end + 4 - text) + body) {
		ssize_t count =
			recv(fd, text + size, REQUEST_BYTES - 1 - size, 0);

		if (count <= 0) {
			free(text);
			return false;
		}
		size += (size_t)count;
		end = strstr(text, "\r\n\r\n");
		length = strcasestr(text, "\r\nContent-Length: ");
		if (end && length && length < end)
			body = strtoul(length + 18, NULL, 10);
	}
	// Whoever sees the number sees the text.
	server->log[server->requests] = text;
	server->requests++;
	return true;
}

/** @return Whether the connection goes on. */
static bool answer(struct scripted_server *server, int fd)
{
	size_t i = server->requests - 1;
	// A copy: once the client has its answer, the test may be over.
	const struct scripted_answer answer =
		server->answers[i < server->count ? i : server->count - 1];
	const char *body = answer.body ? answer.body : "";
	size_t size = strlen(body);
	bool closes = answer.cut || strcasestr(answer.head, "Connection: close");
	char head[4096];

	if (strcasestr(answer.head, "Transfer-Encoding"))
		snprintf(head, sizeof(head), "%s\r\n\r\n", answer.head);
	else
		snprintf(head, sizeof(head),
			 "%s\r\nContent-Length: %zu\r\n\r\n", answer.head, size);
	if (answer.cut)
		size = answer.cut;
	if (!send_all(fd, head, strlen(head)) || !send_all(fd, body, size))
		return false;
	if (answer.stall) {
		char byte;

		// Until the client has had enough.
		recv(fd, &byte, 1, 0);
		return false;
	}
	return !closes;
}

static void *serve(void *arg)
{
	struct scripted_server *server = arg;

	for (;;) {
		int fd = accept(server->listen_fd, NULL, NULL);

		// Before the look at stopped, which is set before this is read.
		server->connection_fd = fd;
		server->connections++;
		while (fd >= 0 && !server->stopped && receive(server, fd) &&
		       answer(server, fd))
			;
		server->connection_fd = -1;
		if (fd >= 0)
			close(fd);
		if (fd < 0 || server->stopped)
			return NULL;
	}
}

struct scripted_server *
scripted_server_start(const struct scripted_answer *answers, size_t count)
{
	struct scripted_server *server = calloc(1, sizeof(*server));
	struct sockaddr_in address = {
		.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	socklen_t length = sizeof(address);

	server->answers = answers;
	server->count = count;
	server->connection_fd = -1;
	server->listen_fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (bind(server->listen_fd, (struct sockaddr *)&address, length) < 0 ||
	    listen(server->listen_fd, 16) < 0 ||
	    getsockname(server->listen_fd, (struct sockaddr *)&address,
			&length) < 0 ||
	    pthread_create(&server->thread, NULL, serve, server) != 0)
		abort();
	snprintf(server->url, sizeof(server->url), "http://127.0.0.1:%d",
		 ntohs(address.sin_port));
	return server;
}

void scripted_server_stop(struct scripted_server *server)
{
	server->stopped = true;
	shutdown(server->listen_fd, SHUT_RDWR);
	// -1 is refused.
	shutdown(server->connection_fd, SHUT_RDWR);
	pthread_join(server->thread, NULL);
	close(server->listen_fd);
	for (size_t i = 0; i < server->requests; i++)
		free(server->log[i]);
	free(server);
}

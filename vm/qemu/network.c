// SPDX-License-Identifier: LGPL-2.1-or-later

#include "vm/qemu/qemu.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "common/base/error.h"
#include "common/kernel/catalog.h"
#include "vm/kernel/kernel.h"

/** Of text that has only digits up to its length. */
static bool is_port(const char *text, size_t length)
{
	unsigned long port = length && length <= 5 ? strtoul(text, NULL, 10) : 0;

	return port && port <= UINT16_MAX;
}

bool network_takes_ports(const char *text)
{
	static const char digits[] = "0123456789";
	size_t length = strspn(text, digits);
	const char *guest = text + length + 1;

	return text[length] == ':' && is_port(text, length) &&
	       !guest[strspn(guest, digits)] && is_port(guest, strlen(guest));
}

/** Whether the host's port can be had, as QEMU does a moment later. */
static struct error *try_port(const char *ports)
{
	uint16_t port = (uint16_t)strtoul(ports, NULL, 10);
	const int on = 1;
	_cleanup_close_ int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	const struct sockaddr_in address = {
		.sin_family = AF_INET,
		.sin_port = htons(port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};

	if (fd < 0)
		return error_create_os(errno, "--publish %s: socket", ports);
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(fd, (const struct sockaddr *)&address, sizeof(address)) < 0 ||
	    listen(fd, 1) < 0)
		return error_create_os(errno,
				       "--publish %s: port %u of 127.0.0.1",
				       ports, port);
	return NULL;
}

struct error *network_check(const struct qemu_config *config)
{
	static const char *const needs[] = { "CONFIG_INET", "CONFIG_VIRTIO_NET",
					     NULL };
	struct error *err;

	if (!config->network)
		return NULL;
	err = kernel_check_options(config->kernel->config, "--network", needs,
				   true);
	if (err)
		return err;
	for (size_t i = 0; i < config->published.count; i++) {
		err = try_port(config->published.items[i]);
		if (err)
			return err;
	}
	return NULL;
}

void network_add(const struct qemu_config *config, struct string_list *arguments)
{
	_cleanup_string_builder_ struct string_builder sb = { 0 };
	// Nothing boots from it. Where devices are no PCI ones, none has a ROM.
	const char *rom = strcmp(config->arch->source_arch, "s390") == 0
				  ? ""
				  : ",romfile=";

	if (!config->network)
		return;
	string_builder_append(&sb, "user,id=network");
	for (size_t i = 0; i < config->published.count; i++) {
		char *end;
		unsigned long host =
			strtoul(config->published.items[i], &end, 10);

		string_builder_appendf(&sb, ",hostfwd=tcp:127.0.0.1:%lu-:%lu",
				       host, strtoul(end + 1, NULL, 10));
	}
	qemu_add(arguments, "-netdev", "%s", sb.text);
	qemu_add(arguments, "-device", "virtio-net,netdev=network%s", rom);
}

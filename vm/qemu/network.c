// SPDX-License-Identifier: LGPL-2.1-or-later

#include "vm/qemu/qemu.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/base/error.h"
#include "common/kernel/catalog.h"
#include "common/kernel/kernel_config.h"
#include "vm/kernel/kernel.h"

/** @return The end of a port's digits; NULL if it is no port. */
static const char *parse_port(const char *text, uint16_t *ret)
{
	size_t digits = strspn(text, "0123456789");
	unsigned long port = digits && digits <= 5 ? strtoul(text, NULL, 10) : 0;

	if (!port || port > UINT16_MAX)
		return NULL;
	*ret = (uint16_t)port;
	return text + digits;
}

static bool parse_ports(const char *text, uint16_t *host_ret, uint16_t *guest_ret)
{
	const char *end = parse_port(text, host_ret);

	if (!end || *end != ':')
		return false;
	end = parse_port(end + 1, guest_ret);
	return end && !*end;
}

bool network_takes_ports(const char *text)
{
	uint16_t host, guest;

	return parse_ports(text, &host, &guest);
}

/** Whether it can be had, as QEMU does a moment later. */
static struct error *try_port(const char *ports)
{
	uint16_t host, guest;
	const int on = 1;
	_cleanup_close_ int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct sockaddr_in address = { .sin_family = AF_INET };

	if (!parse_ports(ports, &host, &guest))
		return NULL;
	address.sin_port = htons(host);
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (fd < 0)
		return error_create_os(errno, "--publish %s: socket", ports);
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0 ||
	    listen(fd, 1) < 0)
		return error_create_os(errno,
				       "--publish %s: port %u of 127.0.0.1",
				       ports, host);
	return NULL;
}

struct error *network_check(const struct qemu_config *config)
{
	static const char *const needs[] = { "CONFIG_INET", "CONFIG_VIRTIO_NET" };
	const char *text = config->kernel->config;
	struct error *err;

	if (!config->network)
		return NULL;
	for (size_t i = 0; i < array_size(needs); i++) {
		size_t size;
		const char *value = kernel_config_value(text, needs[i], &size);

		if (*text && (!value || !strchr("ym", *value)))
			return error_create(ERROR_OTHER,
					    "--network: the kernel lacks %s",
					    needs[i]);
	}
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
		uint16_t host, guest;

		if (parse_ports(config->published.items[i], &host, &guest))
			string_builder_appendf(&sb,
					       ",hostfwd=tcp:127.0.0.1:%u-:%u",
					       host, guest);
	}
	string_list_add(arguments, "-netdev");
	string_list_add(arguments, sb.text);
	string_list_add(arguments, "-device");
	string_list_addf(arguments, "virtio-net,netdev=network%s", rom);
}

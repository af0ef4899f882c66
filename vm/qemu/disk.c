// SPDX-License-Identifier: LGPL-2.1-or-later

#include "vm/qemu/qemu.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/error.h"
#include "common/base/memory.h"
#include "common/kernel/kernel_config.h"

static const struct disk_interface {
	const char *name;
	/** Device of QEMU, and what it is attached to. */
	const char *device;
	const char *controller;
	/** What a kernel needs, and the modules that may have it. */
	const char *options[2];
	const char *modules[2];
	/** What the guest calls the first: the rest are counted. */
	const char *node;
} interfaces[] = {
	{ "virtio",
	  "virtio-blk",
	  NULL,
	  { "CONFIG_VIRTIO_BLK" },
	  { "kernel/drivers/block/virtio_blk.ko" },
	  "/dev/vda" },
	{ "scsi",
	  "scsi-hd",
	  "virtio-scsi",
	  { "CONFIG_SCSI_VIRTIO", "CONFIG_BLK_DEV_SD" },
	  { "kernel/drivers/scsi/virtio_scsi.ko", "kernel/drivers/scsi/sd_mod.ko" },
	  "/dev/sda" },
	{ "nvme",
	  "nvme",
	  NULL,
	  { "CONFIG_BLK_DEV_NVME" },
	  { "kernel/drivers/nvme/host/nvme.ko" },
	  "/dev/nvme0n1" },
};

bool disk_parse_size(const char *text, uint64_t *ret)
{
	static const char units[] = "MGT";
	size_t digits = strspn(text, "0123456789");
	uint64_t number = digits && digits <= 7 ? strtoull(text, NULL, 10) : 0;
	const char *unit = text[digits] ? strchr(units, text[digits]) : NULL;

	if (!unit || text[digits + 1] || !number || number > 1000000)
		return false;
	*ret = number << (20 + 10 * (unit - units));
	return true;
}

/** @return Whether there is such a suffix. */
static bool parse_suffix(const char *text, size_t length, struct disk *disk)
{
	static const char interface[] = "interface=";
	size_t skip = strlen(interface);
	_cleanup_free_ char *word = string_copy_n(text, length);

	if (strcmp(word, "readonly") == 0)
		return disk->readonly = true;
	if (strcmp(word, "format=qcow2") == 0)
		return disk->qcow2 = true;
	for (size_t i = 0; i < array_size(interfaces); i++) {
		if (strncmp(word, interface, skip) != 0 ||
		    strcmp(word + skip, interfaces[i].name) != 0)
			continue;
		disk->interface = &interfaces[i];
		return true;
	}
	return false;
}

/** The suffixes that are known are taken off: a path may have commas. */
static char *parse(const char *text, struct disk *disk)
{
	size_t length = strlen(text);

	disk->interface = interfaces;
	for (;;) {
		const char *comma = memrchr(text, ',', length);

		if (!comma ||
		    !parse_suffix(comma + 1,
				  (size_t)(text + length - comma) - 1, disk))
			return string_copy_n(text, length);
		length = (size_t)(comma - text);
	}
}

struct error *disk_check(const char *text)
{
	struct disk disk = { 0 };
	uint64_t size;
	_cleanup_free_ char *path = parse(text, &disk);
	struct stat st;

	if (disk_parse_size(text, &size))
		return NULL;
	if (stat(path, &st) < 0)
		return error_create(ERROR_USAGE,
				    "--disk %s: use a number with M, G or T, or a file: FILE[,readonly][,format=qcow2][,interface=virtio|scsi|nvme]",
				    text);
	if (!S_ISREG(st.st_mode) && !S_ISBLK(st.st_mode))
		return error_create(ERROR_USAGE,
				    "--disk %s: neither a file nor a block device",
				    text);
	return NULL;
}

struct error *disk_open(const char *text, const char *config,
			struct disk_list *list)
{
	struct disk disk = { 0 };
	_cleanup_free_ char *path = parse(text, &disk);

	for (size_t i = 0; i < array_size(disk.interface->options); i++) {
		const char *option = disk.interface->options[i];
		size_t size;
		const char *value =
			option ? kernel_config_value(config, option, &size) : "y";

		if (*config && (!value || !strchr("ym", *value)))
			return error_create(ERROR_OTHER,
					    "--disk %s: the kernel lacks %s",
					    text, option);
	}
	if (list->count == DISK_LIMIT)
		return error_create(ERROR_USAGE, "--disk: at most %d",
				    DISK_LIMIT);

	_cleanup_close_ int fd =
		open(path, (disk.readonly ? O_RDONLY : O_RDWR) | O_CLOEXEC);

	if (fd < 0 && !disk.readonly && (errno == EACCES || errno == EROFS))
		return error_create_os(errno,
				       "--disk %s (with ',readonly', it is only read)",
				       text);
	if (fd < 0)
		return error_create_os(errno, "--disk %s", text);
	disk.fd = take_fd(&fd);
	list->items[list->count++] = disk;
	return NULL;
}

void disk_list_deinit(struct disk_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		cleanup_close(&list->items[i].fd);
	list->count = 0;
}

/** How many come before one on the same interface. */
static unsigned int rank(const struct disk_list *list, size_t index)
{
	unsigned int count = 0;

	for (size_t i = 0; i < index; i++)
		count += list->items[i].interface == list->items[index].interface;
	return count;
}

char *disk_list_nodes(const struct disk_list *list, unsigned int before)
{
	struct string_builder sb = { 0 };

	for (size_t i = 0; i < list->count; i++) {
		const struct disk_interface *interface = list->items[i].interface;
		unsigned int number =
			rank(list, i) + (interface == interfaces ? before : 0);
		// The digit or letter that counts.
		size_t place = strcspn(interface->node, "0");
		_cleanup_free_ char *node = string_copy(interface->node);

		if (!node[place])
			place--;
		node[place] = (char)(node[place] + (char)number);
		string_builder_appendf(&sb, "%s%s", i ? " " : "", node);
	}
	return string_builder_take(&sb);
}

void disk_list_add_modules(const struct disk_list *list,
			   struct string_list *modules)
{
	for (size_t i = 0; i < list->count; i++) {
		const struct disk_interface *interface = list->items[i].interface;

		for (size_t j = 0; j < array_size(interface->modules); j++) {
			if (interface->modules[j] && rank(list, i) == 0)
				string_list_add(modules, interface->modules[j]);
		}
	}
}

void disk_list_add(const struct disk_list *list, struct string_list *arguments)
{
	// Other sets are those of disks that are gone afterwards.
	enum {
		FIRST_SET = 100
	};

	for (size_t i = 0; i < list->count; i++) {
		const struct disk *disk = &list->items[i];
		const char *controller = disk->interface->controller;

		if (controller && rank(list, i) == 0) {
			string_list_add(arguments, "-device");
			string_list_add(arguments, controller);
		}
		string_list_add(arguments, "-add-fd");
		string_list_addf(arguments, "fd=%d,set=%zu", disk->fd,
				 FIRST_SET + i);
		string_list_add(arguments, "-drive");
		string_list_addf(arguments,
				 "file=/dev/fdset/%zu,format=%s,if=none,id=file%zu,auto-read-only=off,discard=unmap,readonly=%s",
				 FIRST_SET + i, disk->qcow2 ? "qcow2" : "raw",
				 i, disk->readonly ? "on" : "off");
		string_list_add(arguments, "-device");
		string_list_addf(arguments, "%s,drive=file%zu,serial=disk%zu",
				 disk->interface->device, i, i);
	}
}

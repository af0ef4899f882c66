// SPDX-License-Identifier: LGPL-2.1-or-later

#include "vm/qemu/qemu.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/error.h"
#include "common/base/file.h"
#include "common/base/memory.h"
#include "vm/kernel/kernel.h"

static const struct disk_interface {
	const char *name;
	/** Device of QEMU, and what it is attached to. */
	const char *device;
	const char *controller;
	/** What a kernel needs, and the modules that may have it. */
	const char *options[3];
	const char *modules[2];
	/** What the guest calls them, around a letter or, before a suffix, a number. */
	const char *node;
	const char *suffix;
} interfaces[] = {
	{ "virtio",
	  "virtio-blk",
	  NULL,
	  { "CONFIG_VIRTIO_BLK" },
	  { "kernel/drivers/block/virtio_blk.ko" },
	  "/dev/vd",
	  NULL },
	{ "scsi",
	  "scsi-hd",
	  "virtio-scsi",
	  { "CONFIG_SCSI_VIRTIO", "CONFIG_BLK_DEV_SD" },
	  { "kernel/drivers/scsi/virtio_scsi.ko", "kernel/drivers/scsi/sd_mod.ko" },
	  "/dev/sd",
	  NULL },
	{ "nvme",
	  "nvme",
	  NULL,
	  { "CONFIG_BLK_DEV_NVME" },
	  { "kernel/drivers/nvme/host/nvme.ko" },
	  "/dev/nvme",
	  "n1" },
};

/** @return Whether there is such a suffix. */
static bool parse_suffix(const char *word, struct disk *disk)
{
	static const char interface[] = "interface=";
	size_t skip = strlen(interface);

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
	char *path = string_copy(text);

	for (char *comma;
	     (comma = strrchr(path, ',')) && parse_suffix(comma + 1, disk);)
		*comma = '\0';
	return path;
}

char *disk_path(const char *text)
{
	struct disk disk = { 0 };
	uint64_t size;

	return amount_parse(text, size_units, 0, &size) ? NULL
							: parse(text, &disk);
}

struct error *disk_check(const char *text)
{
	struct disk disk = { 0 };
	uint64_t size;
	_cleanup_free_ char *path = parse(text, &disk);
	struct stat st;

	if (amount_parse(text, size_units, 0, &size) && size)
		return NULL;
	if (stat(path, &st) < 0)
		return error_create(ERROR_USAGE,
				    "--disk %s: %s: %s; use a number with M, G or T, or a file: FILE[,readonly][,format=qcow2][,interface=virtio|scsi|nvme]",
				    text, path, strerror(errno));
	if (!S_ISREG(st.st_mode) && !S_ISBLK(st.st_mode))
		return error_create(ERROR_USAGE,
				    "--disk %s: neither a file nor a block device",
				    text);
	return NULL;
}

static struct error *add(struct disk_list *list, const struct disk *disk,
			 const char *config, const char *option)
{
	struct error *err;

	err = kernel_check_options(config, option, disk->interface->options,
				   true);
	if (err)
		return err;
	if (list->count == DISK_LIMIT)
		return error_create(ERROR_USAGE, "--disk: at most %d",
				    DISK_LIMIT);
	list->items[list->count++] = *disk;
	return NULL;
}

struct error *disk_list_open(struct disk_list *list, const char *text,
			     const char *config)
{
	struct error *err;
	struct disk disk = { .use = DISK_FILE, .interface = interfaces };
	_cleanup_free_ char *path = parse(text, &disk);
	_cleanup_free_ char *option = string_format("--disk %s", text);
	_cleanup_close_ int fd =
		open(path, (disk.readonly ? O_RDONLY : O_RDWR) | O_CLOEXEC);

	if (fd < 0)
		return error_create_os(errno, "%s%s", option,
				       !disk.readonly && (errno == EACCES ||
							  errno == EROFS)
					       ? " (with ',readonly', it is only read)"
					       : "");
	disk.fd = fd;
	err = add(list, &disk, config, option);
	if (!err)
		take_fd(&fd);
	return err;
}

struct error *disk_list_create(struct disk_list *list, enum disk_use use,
			       const char *directory, uint64_t size_bytes,
			       const char *config)
{
	struct error *err;
	_cleanup_free_ char *path = path_join(directory, ".vmtest-disk.XXXXXX");
	_cleanup_close_ int fd = mkostemp(path, O_CLOEXEC);

	if (fd >= 0)
		unlink(path);
	if (fd < 0 || ftruncate(fd, (off_t)size_bytes) < 0)
		return error_create_os(errno, "make a disk in %s", directory);
	const struct disk disk = { use, fd, .interface = interfaces };
	err = add(list, &disk, config,
		  use == DISK_OVERLAY ? "--overlay-size" : "--disk");
	if (!err)
		take_fd(&fd);
	return err;
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

static void append_node(struct string_builder *sb, const struct disk_list *list,
			size_t index)
{
	const struct disk_interface *interface = list->items[index].interface;
	unsigned int number = rank(list, index);

	string_builder_appendf(sb, "%s%s", sb->length ? " " : "",
			       interface->node);
	if (interface->suffix)
		string_builder_appendf(sb, "%u%s", number, interface->suffix);
	else
		string_builder_append_char(sb, (char)('a' + number));
}

char *disk_list_nodes(const struct disk_list *list, enum disk_use use)
{
	struct string_builder sb = { 0 };

	for (size_t i = 0; i < list->count; i++) {
		if (list->items[i].use == use)
			append_node(&sb, list, i);
	}
	return string_builder_take(&sb);
}

char *disk_list_readonly(const struct disk_list *list)
{
	struct string_builder sb = { 0 };

	for (size_t i = 0; i < list->count; i++) {
		if (list->items[i].readonly)
			append_node(&sb, list, i);
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

void disk_list_add_arguments(const struct disk_list *list,
			     struct string_list *arguments)
{
	unsigned int files = 0;

	for (size_t i = 0; i < list->count; i++) {
		const struct disk *disk = &list->items[i];
		const char *controller = disk->interface->controller;

		if (controller && rank(list, i) == 0) {
			qemu_add(arguments, "-device", "%s", controller);
		}
		qemu_add(arguments, "-add-fd", "fd=%d,set=%zu", disk->fd, i + 1);
		// Opened automatically, QEMU would ask for a second descriptor,
		// read-only. What is gone with QEMU need not be flushed.
		qemu_add(arguments, "-drive",
			 "file=/dev/fdset/%zu,format=%s,if=none,id=disk%zu,auto-read-only=off,discard=unmap,%s",
			 i + 1, disk->qcow2 ? "qcow2" : "raw", i,
			 disk->use != DISK_FILE ? "cache=unsafe"
			 : disk->readonly	? "readonly=on"
						: "readonly=off");
		if (disk->use == DISK_FILE)
			qemu_add(arguments, "-device",
				 "%s,drive=disk%zu,serial=disk%u",
				 disk->interface->device, i, files++);
		else
			qemu_add(arguments, "-device", "%s,drive=disk%zu",
				 disk->interface->device, i);
	}
}

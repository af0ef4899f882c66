// SPDX-License-Identifier: LGPL-2.1-or-later

#include "vm/kernel/initramfs.h"

#include <archive.h>
#include <archive_entry.h>
#include <elf.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "common/base/error.h"
#include "common/base/file.h"
#include "common/base/memory.h"
#include "common/base/text.h"
#include "common/kernel/catalog.h"
#include "common/kernel/kernel_config.h"

enum {
	/** With debug information, some have tens of megabytes. */
	MODULE_LIMIT_BYTES = 256 << 20,
};

DEFINE_CLEANUP(reader, struct archive *, archive_read_free)
DEFINE_CLEANUP(writer, struct archive *, archive_write_free)
DEFINE_CLEANUP(entry, struct archive_entry *, archive_entry_free)

/** What must be there before init.sh runs. */
static const struct {
	const char *option;
	/** NULL for what is never one. */
	const char *module;
} needs[] = {
	{ "CONFIG_BINFMT_ELF", NULL },
	{ "CONFIG_BINFMT_SCRIPT", NULL },
	{ "CONFIG_TTY", NULL },
	{ "CONFIG_PROC_FS", NULL },
	{ "CONFIG_SYSFS", NULL },
	{ "CONFIG_DEVTMPFS", NULL },
	{ "CONFIG_TMPFS", NULL },
	{ "CONFIG_TMPFS_XATTR", NULL },
	{ "CONFIG_MAGIC_SYSRQ", NULL },
	{ "CONFIG_VIRTIO_PCI", "virtio_pci" },
	{ "CONFIG_VIRTIO_CONSOLE", "virtio_console" },
	// One of two ways to the host's files.
	{ "CONFIG_NET_9P_VIRTIO", "9pnet_virtio" },
	{ "CONFIG_9P_FS", "9p" },
	{ "CONFIG_VIRTIO_FS", "virtiofs" },
	{ "CONFIG_OVERLAY_FS", "overlay" },
};

/** The same name, in which `-` and `_` are one, up to `.ko`. */
static bool is_module(const char *path, const char *name)
{
	const char *p = path_name(path);

	for (; *p && *name; p++, name++) {
		if (*p != *name && !(*p == '-' && *name == '_'))
			return false;
	}
	return !*name && strncmp(p, ".ko", 3) == 0;
}

/** Add a module and, before it, what it needs, each once. */
static bool add_module(const char *modules_dep, const char *name,
		       struct string_list *ret)
{
	for (const char *line = modules_dep; *line;) {
		const char *end = strchrnul(line, '\n');
		_cleanup_free_ char *words =
			string_format("%.*s", (int)(end - line), line);
		char *needed = strchr(words, ':');

		line = end + (*end == '\n');
		if (!needed)
			continue;
		*needed++ = '\0';
		if (!is_module(words, name))
			continue;
		// The last of them is needed by those before.
		for (char *p; (p = strrchr(needed, ' '));) {
			*p++ = '\0';
			if (*p && !string_list_contains(ret, p))
				string_list_add(ret, p);
		}
		if (!string_list_contains(ret, words))
			string_list_add(ret, words);
		return true;
	}
	return false;
}

static bool has(const char *config, const char *option)
{
	return !*config || kernel_config_has(config, option);
}

/** Whether it is built in, or a module, which is added with what it needs. */
static bool find(const char *modules_dep, const char *config,
		 const char *option, const char *module, struct string_list *ret)
{
	return (*config && kernel_config_has(config, option)) ||
	       (module && add_module(modules_dep, module, ret));
}

/** Whether a need is of the way to the host's files that is not taken. */
static bool is_other_way(const char *option, bool by_virtiofs)
{
	return by_virtiofs ? strstr(option, "9P") != NULL
			   : strcmp(option, "CONFIG_VIRTIO_FS") == 0;
}

/**
 * @param[out] ret Paths below the kernel, in the order of their insertion.
 * @param[out] needed_ret Whether there must be an initramfs.
 */
static struct error *find_modules(const char *modules_dep, const char *config,
				  struct string_list *ret, bool *needed_ret)
{
	_cleanup_string_builder_ struct string_builder lacks = { 0 };
	_cleanup_string_list_ struct string_list ignored = { 0 };
	// The bus of others is not PCI.
	bool has_pci = has(config, "CONFIG_PCI");
	bool by_virtiofs =
		!find(modules_dep, config, "CONFIG_9P_FS", "9p", &ignored) &&
		find(modules_dep, config, "CONFIG_VIRTIO_FS", "virtiofs",
		     &ignored);

	for (size_t i = 0; i < array_size(needs); i++) {
		const char *option = needs[i].option;

		if ((strcmp(option, "CONFIG_VIRTIO_PCI") == 0 && !has_pci) ||
		    is_other_way(option, by_virtiofs) ||
		    find(modules_dep, config, option, needs[i].module, ret) ||
		    !*config)
			continue;
		string_builder_appendf(&lacks, "%s%s", lacks.length ? ", " : "",
				       option);
	}
	// Without this one, it mounts /dev, too.
	*needed_ret = ret->count || !has(config, "CONFIG_DEVTMPFS_MOUNT");
	if (*needed_ret && !has(config, "CONFIG_BLK_DEV_INITRD"))
		string_builder_appendf(&lacks, "%sCONFIG_BLK_DEV_INITRD",
				       lacks.length ? ", " : "");
	if (!lacks.length)
		return NULL;
	return error_create(ERROR_OTHER,
			    "it cannot run commands: it lacks %s, built in or as modules that are installed%s",
			    lacks.text,
			    strstr(lacks.text, "CONFIG_9P_FS")
				    ? "; instead of 9P, CONFIG_VIRTIO_FS will do"
				    : "");
}

/** Whether a program runs without the libraries of a root. */
static bool is_static(const char *data, size_t size)
{
	const Elf64_Ehdr *header = (const void *)data;
	const Elf64_Phdr *segments;

	if (size < sizeof(*header) || memcmp(data, ELFMAG, SELFMAG) != 0)
		return false;
	// There are none of 32 bits that have other kernels installed.
	if (data[EI_CLASS] != ELFCLASS64 || header->e_phoff > size ||
	    header->e_phnum > (size - header->e_phoff) / sizeof(*segments))
		return false;
	segments = (const void *)(data + header->e_phoff);
	for (size_t i = 0; i < header->e_phnum; i++) {
		if (segments[i].p_type == PT_INTERP)
			return false;
	}
	return true;
}

static struct error *find_busybox(char **data_ret, size_t *size_ret)
{
	static const char *const paths[] = { "/usr/bin/busybox", "/bin/busybox" };
	struct error *err;

	for (size_t i = 0; i < array_size(paths); i++) {
		_cleanup_free_ char *data = NULL;

		err = file_read(paths[i], 16 << 20, &data, size_ret);
		if (error_catch(&err, ERROR_NOT_FOUND))
			continue;
		if (err)
			return err;
		if (!is_static(data, *size_ret))
			continue;
		*data_ret = take_ptr(data);
		return NULL;
	}
	return error_create(
		ERROR_OTHER,
		"its drivers are modules, which a static busybox has to load before anything else; install busybox-static");
}

static struct error *archive_error(struct archive *archive, const char *what)
{
	const char *text = archive_error_string(archive);

	return error_create(ERROR_OTHER, "%s: %s", what,
			    text ? text : "libarchive failed");
}

/** @param[in] data NULL for a directory. */
static struct error *add_entry(struct archive *archive, const char *name,
			       const void *data, size_t size)
{
	_cleanup_(cleanup_entry) struct archive_entry *entry =
		archive_entry_new();

	archive_entry_set_pathname(entry, name);
	archive_entry_set_mode(entry, (data ? S_IFREG : S_IFDIR) | 0755);
	archive_entry_set_size(entry, data ? (la_int64_t)size : 0);
	if (archive_write_header(archive, entry) != ARCHIVE_OK ||
	    (size && archive_write_data(archive, data, size) != (la_ssize_t)size))
		return archive_error(archive, name);
	return NULL;
}

/**
 * Add a module as it is inserted: not compressed. Who has made the kernel has
 * the guest read it: nothing else of the host is put there by a link.
 */
static struct error *add_file(struct archive *archive, const char *name,
			      const char *path)
{
	_cleanup_(cleanup_reader) struct archive *reader = archive_read_new();
	_cleanup_string_builder_ struct string_builder sb = { 0 };
	struct archive_entry *entry;
	const void *data;
	la_int64_t offset;
	size_t size;
	int result;

	if (!file_exists(path))
		return error_create(ERROR_OTHER, "%s: no such file", path);
	// Those that modules have. For others, libarchive runs programs.
	archive_read_support_filter_gzip(reader);
	archive_read_support_filter_xz(reader);
	archive_read_support_filter_zstd(reader);
	archive_read_support_format_raw(reader);
	if (archive_read_open_filename(reader, path, 65536) != ARCHIVE_OK ||
	    archive_read_next_header(reader, &entry) != ARCHIVE_OK)
		return archive_error(reader, path);
	while ((result = archive_read_data_block(reader, &data, &size, &offset)) ==
		       ARCHIVE_OK &&
	       sb.length <= MODULE_LIMIT_BYTES)
		string_builder_append_n(&sb, data, size);
	if (result != ARCHIVE_EOF && result != ARCHIVE_OK)
		return archive_error(reader, path);
	if (sb.length < SELFMAG || sb.length > MODULE_LIMIT_BYTES ||
	    memcmp(sb.text, ELFMAG, SELFMAG) != 0)
		return error_create(ERROR_OTHER, "%s is no module", path);
	return add_entry(archive, name, sb.text, sb.length);
}

static struct error *add_modules(struct archive *archive, const char *kernel,
				 const struct string_list *modules)
{
	struct error *err = NULL;

	for (size_t i = 0; i < modules->count && !err; i++) {
		_cleanup_free_ char *path = path_join(kernel, modules->items[i]);
		_cleanup_free_ char *name =
			string_format("modules/%02zu-%s", i,
				      path_name(modules->items[i]));

		err = path_stays_below(modules->items[i])
			      ? add_file(archive, name, path)
			      : error_create(ERROR_OTHER,
					     "modules.dep names '%s', which is not below it",
					     modules->items[i]);
	}
	return err;
}

static struct error *write_all_of(struct archive *archive, const char *kernel,
				  const struct string_list *modules)
{
	static const char *const directories[] = { "bin", "modules", "proc" };
	struct error *err;

	_cleanup_free_ char *init = NULL;
	err = data_path("initramfs.sh", &init);
	if (err)
		return err;
	_cleanup_free_ char *script = NULL;
	size_t script_size;
	err = file_read(init, 1 << 16, &script, &script_size);
	if (err)
		return err;
	_cleanup_free_ char *busybox = NULL;
	size_t busybox_size = 0;
	err = find_busybox(&busybox, &busybox_size);
	if (err)
		return err;
	for (size_t i = 0; i < array_size(directories) && !err; i++)
		err = add_entry(archive, directories[i], NULL, 0);
	if (!err)
		err = add_entry(archive, "init", script, script_size);
	if (!err)
		err = add_entry(archive, "bin/busybox", busybox, busybox_size);
	if (!err)
		err = add_modules(archive, kernel, modules);
	return err;
}

struct error *initramfs_make(const char *kernel, const char *config)
{
	struct error *err;

	_cleanup_free_ char *dep = path_join(kernel, "modules.dep");
	_cleanup_free_ char *modules_dep = NULL;
	err = file_read(dep, 16 << 20, &modules_dep, NULL);
	if (error_catch(&err, ERROR_NOT_FOUND))
		modules_dep = string_copy("");
	if (err)
		return err;
	_cleanup_string_list_ struct string_list modules = { 0 };
	bool is_needed;
	err = find_modules(modules_dep, config, &modules, &is_needed);
	if (err || !is_needed)
		return err;
	_cleanup_free_ char *path = path_join(kernel, INITRAMFS_FILE);
	_cleanup_close_ int fd = -1;
	// A link of this name, as of what the directory is made from, is replaced.
	err = file_create(path, &fd);
	if (err)
		return err;
	_cleanup_(cleanup_writer) struct archive *archive = archive_write_new();
	if (archive_write_set_format_cpio_newc(archive) != ARCHIVE_OK ||
	    archive_write_open_fd(archive, fd) != ARCHIVE_OK)
		return archive_error(archive, path);
	err = write_all_of(archive, kernel, &modules);
	if (err)
		return err;
	if (archive_write_close(archive) != ARCHIVE_OK)
		return archive_error(archive, path);
	return NULL;
}

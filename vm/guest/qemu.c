// SPDX-License-Identifier: LGPL-2.1-or-later

#include "vm/guest/qemu.h"

#include <string.h>

#include "common/base/error.h"
#include "common/base/string_builder.h"
#include "common/kernel/catalog.h"
#include "vm/guest/share.h"
#include "vm/kernel/kernel_config.h"

/** Enough for a crash kernel, init.sh and a debugger. */
#define CRASH_MEMORY "256M"

const char *const qemu_variables[] = {
	// For a wrapper around it.
	"PATH",
	"HOME",
	// For one that is not where it was meant to be installed.
	"LD_LIBRARY_PATH",
	"QEMU_MODULE_DIR",
	// For the file behind a disk with snapshot=on.
	"TMPDIR",
	NULL,
};

static const char *const port_names[PORT_COUNT] = {
	[PORT_TERMINAL] = "terminal", [PORT_CONTROL] = "control",
	[PORT_STDIN] = "stdin",	      [PORT_STDOUT] = "stdout",
	[PORT_STDERR] = "stderr",
};

struct error *qemu_choose_machine(const struct catalog_arch *arch,
				  const char *config, const char *name,
				  const struct catalog_machine *after,
				  const struct catalog_machine **ret)
{
	_cleanup_string_builder_ struct string_builder names =
		STRING_BUILDER_INIT;
	size_t first = after ? (size_t)(after - arch->machines) + 1 : 0;

	for (size_t i = 0; i < arch->machine_count; i++) {
		const struct catalog_machine *machine = &arch->machines[i];
		const char *lacks = kernel_config_lacks(config, &machine->needs);

		string_builder_appendf(&names, "%s%s", i ? ", " : "",
				       machine->name);
		if (i < first ||
		    (name ? strcmp(machine->name, name) != 0 : lacks != NULL))
			continue;
		if (lacks)
			return error_create(ERROR_NOT_FOUND,
					    "--machine %s: this kernel lacks %s, without which it does not boot there",
					    name, lacks);
		*ret = machine;
		return NULL;
	}
	if (after || !name)
		return error_create(ERROR_NOT_FOUND,
				    "no %smachine of %s can boot this kernel",
				    after ? "other " : "", arch->name);

	_cleanup_free_ char *text = NULL;

	text = string_builder_take(&names);
	return error_create(ERROR_USAGE, "--machine %s: %s has %s", name,
			    arch->name, text);
}

bool qemu_lacks_machine(const char *output)
{
	const char *property = strstr(output, "Property '");

	return strstr(output, "unsupported machine") ||
	       (property && strstr(property, "machine.") &&
		strstr(property, "' not found"));
}

/** A value in a list that commas separate. */
static void append_value(struct string_builder *sb, const char *text)
{
	for (const char *p = text; *p; p++) {
		if (*p == ',')
			string_builder_append_char(sb, ',');
		string_builder_append_char(sb, *p);
	}
}

static void append_init(const struct qemu_options *options,
			struct string_builder *sb)
{
	if (!options->shares->init_shared) {
		string_builder_appendf(sb, " init=%s", options->init);
		return;
	}
	// The kernel takes quotes off an argument of init as off its own. Not
	// on /run: busybox would take it for what `mount -a` is to mount there.
	string_builder_append(sb, " init=/bin/sh -- -c \"mount -t 9p -o ro," SHARE_OPTIONS
				  ",cache=loose " SHARE_INIT_TAG
				  " /sys && exec /bin/sh /sys/init.sh\"");
}

struct error *qemu_kernel_command_line(const struct qemu_options *options,
				       char **ret)
{
	_cleanup_string_builder_ struct string_builder sb = STRING_BUILDER_INIT;

	string_builder_appendf(&sb, "console=%s", options->arch->console);
	// Warnings are level 4: a splat must get through, a boot's talk must
	// not, which over the serial port costs a tenth of a second.
	string_builder_append(&sb,
			      options->verbose ? " loglevel=7" : " loglevel=5");
	string_builder_append(&sb, " panic=-1 root=" SHARE_ROOT_TAG
				   " rootfstype=9p ro rootflags=" SHARE_OPTIONS
				   ",cache=loose");
	if (options->machine->tcg_command_line && options->accel == ACCEL_TCG)
		string_builder_appendf(&sb, " %s",
				       options->machine->tcg_command_line);
	// Emulated, the calibration of the time stamp counter fails now and
	// then, and a kernel without a clock hangs. Nor is it to be checked
	// against a timer that an interrupt of a busy host drives.
	if (options->tsc_khz) {
		string_builder_appendf(&sb, " tsc=reliable tsc_early_khz=%llu",
				       (unsigned long long)options->tsc_khz);
		if (options->hz)
			string_builder_appendf(&sb, " lpj=%llu",
					       (unsigned long long)options->tsc_khz *
						       1000 / options->hz);
	}
	if (options->kdump)
		string_builder_append(&sb, " crashkernel=" CRASH_MEMORY);
	for (size_t i = 0; i < options->append->count; i++)
		string_builder_appendf(&sb, " %s", options->append->items[i]);
	append_init(options, &sb);
	if (options->arch->command_line_bytes &&
	    sb.length >= options->arch->command_line_bytes)
		return error_create(ERROR_USAGE,
				    "the kernel's command line is %zu bytes long, and %s takes at most %u; shorten --append",
				    sb.length, options->arch->name,
				    options->arch->command_line_bytes - 1);
	*ret = string_builder_take(&sb);
	return NULL;
}

static void add_shares(const struct share_plan *shares, struct string_list *list)
{
	for (size_t i = 0; i < shares->count; i++) {
		const struct share *share = &shares->items[i];
		_cleanup_string_builder_ struct string_builder sb =
			STRING_BUILDER_INIT;
		_cleanup_free_ char *text = NULL;

		string_builder_appendf(&sb, "local,id=share%zu,path=", i);
		append_value(&sb, share->path);
		string_builder_appendf(&sb,
				       ",security_model=none,multidevs=remap,readonly=%s",
				       share->writable ? "off" : "on");
		text = string_builder_take(&sb);
		string_list_add(list, "-fsdev");
		string_list_add(list, text);
		string_list_add(list, "-device");
		string_list_addf(list, "virtio-9p,fsdev=share%zu,mount_tag=%s",
				 i, share->tag);
	}
}

static void add_ports(const struct qemu_options *options, struct string_list *list)
{
	// Multiplexed, a BREAK can be sent: it announces a sysrq key.
	string_list_add(list, "-chardev");
	string_list_addf(list, "socket,id=console,mux=on,fd=%d",
			 options->console_fd);
	string_list_add(list, "-serial");
	string_list_add(list, "chardev:console");
	string_list_add(list, "-device");
	string_list_add(list, "virtio-serial");
	for (int i = 0; i < PORT_COUNT; i++) {
		if (options->port_fds[i] < 0)
			continue;
		string_list_add(list, "-chardev");
		string_list_addf(list, "socket,id=%s,fd=%d", port_names[i],
				 options->port_fds[i]);
		string_list_add(list, "-device");
		string_list_addf(list, "%s,chardev=%s,nr=%d",
				 i == PORT_TERMINAL ? "virtconsole"
						    : "virtserialport",
				 port_names[i], i);
	}
}

static void add_disk(const struct qemu_options *options, struct string_list *list)
{
	if (options->disk_fd < 0)
		return;
	string_list_add(list, "-add-fd");
	string_list_addf(list, "fd=%d,set=1", options->disk_fd);
	string_list_add(list, "-drive");
	// It does not outlive QEMU: there is nothing to flush it for. Opened
	// automatically, QEMU would ask for a second descriptor, read-only.
	string_list_add(list,
			"file=/dev/fdset/1,format=raw,if=none,id=disk,auto-read-only=off,cache=unsafe,discard=unmap");
	string_list_add(list, "-device");
	string_list_add(list, "virtio-blk,drive=disk");
}

struct error *qemu_arguments(const struct qemu_options *options,
			     struct string_list *ret)
{
	struct error *err;

	const struct catalog_machine *machine = options->machine;
	_cleanup_string_list_ struct string_list list = STRING_LIST_INIT;
	_cleanup_free_ char *command_line = NULL;

	err = qemu_kernel_command_line(options, &command_line);
	if (err)
		return err;
	string_list_add(&list, options->arch->qemu);
	string_list_add(&list, "-M");
	string_list_add(&list, machine->machine);
	string_list_add(&list, "-accel");
	string_list_add(&list, accel_name(options->accel));

	const char *cpu = options->accel == ACCEL_KVM ? "host" : machine->cpu;

	if (cpu) {
		string_list_add(&list, "-cpu");
		string_list_add(&list, cpu);
	}
	string_list_add(&list, "-m");
	string_list_add(&list, options->memory);
	string_list_add(&list, "-smp");
	string_list_addf(&list, "%u", options->cpus);
	string_list_add(&list, "-nodefaults");
	string_list_add(&list, "-no-user-config");
	string_list_add(&list, "-no-reboot");
	string_list_add(&list, "-display");
	string_list_add(&list, "none");
	string_list_add(&list, "-kernel");
	string_list_add(&list, options->image);
	string_list_add(&list, "-append");
	string_list_add(&list, command_line);
	for (size_t i = 0; i < machine->arguments.count; i++)
		string_list_add(&list, machine->arguments.items[i]);
	add_shares(options->shares, &list);
	add_ports(options, &list);
	add_disk(options, &list);
	for (size_t i = 0; i < options->arguments->count; i++)
		string_list_add(&list, options->arguments->items[i]);
	*ret = list;
	list = (struct string_list)STRING_LIST_INIT;
	return NULL;
}

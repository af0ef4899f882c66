// SPDX-License-Identifier: LGPL-2.1-or-later

#include "vm/qemu/qemu.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/error.h"
#include "common/base/memory.h"
#include "common/base/system.h"
#include "common/base/text.h"
#include "common/kernel/catalog.h"
#include "common/kernel/kernel_config.h"
#include "common/process/process.h"
#include "vm/kernel/kernel.h"

enum {
	MAX_DEFAULT_CPUS = 4
};

/** Enough for a crash kernel, init.sh and a debugger. */
#define CRASH_MEMORY "256M"

static const char *const port_names[PORT_COUNT] = {
	[PORT_TERMINAL] = "terminal", [PORT_CONTROL] = "control",
	[PORT_STDIN] = "stdin",	      [PORT_STDOUT] = "stdout",
	[PORT_STDERR] = "stderr",
};

static unsigned int choose_cpus(const struct qemu_config *config)
{
	unsigned int usable = processors_usable();

	if (config->cpus)
		return config->cpus;
	if (!kernel_config_has(config->kernel->config, "CONFIG_SMP"))
		return 1;
	usable = usable > MAX_DEFAULT_CPUS ? MAX_DEFAULT_CPUS : usable;
	return usable < config->numa ? config->numa : usable;
}

uint64_t qemu_memory_bytes(const struct qemu_config *config)
{
	return config->memory_bytes ? config->memory_bytes : 2ULL << 30;
}

/** Of all nodes, in MiB. */
static unsigned long long memory_mb(const struct qemu_config *config)
{
	return qemu_memory_bytes(config) >> 20;
}

/** @return An error if no machine can have these nodes. */
static struct error *check_numa(const struct qemu_config *config)
{
	// On x86, ACPI tells the nodes.
	const char *const needs[] = { "CONFIG_NUMA",
				      strcmp(config->arch->source_arch, "x86") == 0
					      ? "CONFIG_X86_64_ACPI_NUMA"
					      : NULL,
				      NULL };
	struct error *err;

	if (!config->numa)
		return NULL;
	err = kernel_check_options(config->kernel->config, "--numa", needs,
				   false);
	if (err)
		return err;
	if (choose_cpus(config) < config->numa)
		return error_create(ERROR_USAGE,
				    "--numa %u: each node needs a processor of --cpus",
				    config->numa);
	if (memory_mb(config) % config->numa)
		return error_create(ERROR_USAGE,
				    "--numa %u: --memory %lluM cannot be divided by it",
				    config->numa, memory_mb(config));
	return NULL;
}

struct error *qemu_choose_machine(const struct qemu_config *config,
				  const struct catalog_machine *after,
				  const struct catalog_machine **ret)
{
	struct error *err;

	err = check_numa(config);
	if (err)
		return err;
	const struct catalog_arch *arch = config->arch;
	const char *name = config->machine;
	_cleanup_string_builder_ struct string_builder names = { 0 };
	size_t first = after ? (size_t)(after - arch->machines) + 1 : 0;
	for (size_t i = 0; i < arch->machine_count; i++) {
		const struct catalog_machine *machine = &arch->machines[i];
		const char *lacks = kernel_config_lacks(config->kernel->config,
							&machine->needs);

		string_builder_appendf(&names, "%s%s", i ? ", " : "",
				       machine->name);
		bool is_flat = config->numa && machine->lacks_numa;
		bool has_one_line = config->stub == STUB_KGDB &&
				    machine->lacks_second_serial;
		if (i < first || ((is_flat || has_one_line) && !name) ||
		    (name ? strcmp(machine->name, name) != 0 : lacks != NULL))
			continue;
		if (is_flat)
			return error_create(ERROR_NOT_FOUND,
					    "--numa: machine %s has no nodes",
					    name);
		if (has_one_line)
			return error_create(ERROR_NOT_FOUND,
					    "--kgdb: machine %s has one serial line",
					    name);
		if (lacks)
			return error_create(ERROR_NOT_FOUND,
					    "--machine %s: this kernel lacks %s, without which it does not boot there",
					    name, lacks);
		*ret = machine;
		return NULL;
	}
	if (after || !name)
		return error_create(ERROR_NOT_FOUND,
				    "no %smachine of %s can boot this kernel%s",
				    after ? "other " : "", arch->name,
				    config->numa ? " with --numa" : "");
	return error_create(ERROR_USAGE, "--machine %s: %s has %s", name,
			    arch->name, names.text ? names.text : "none");
}

bool qemu_lacks_machine(const char *output)
{
	const char *property = strstr(output, "Property '");

	return strstr(output, "unsupported machine") ||
	       (property && strstr(property, "machine.") &&
		strstr(property, "' not found"));
}

bool qemu_lacks_sandbox(const char *output)
{
	return strstr(output, " -sandbox ") || strstr(output, "seccomp");
}

bool qemu_lacks_9p(const char *output)
{
	const char *fsdev = strstr(output, "fsdev");
	const char *device = strstr(output, "'virtio-9p");

	return (fsdev && (strstr(fsdev, "support is disabled") ||
			  strstr(fsdev, "invalid option"))) ||
	       strstr(output, "no option group 'fsdev'") ||
	       (device && strstr(device, "not a valid device model name"));
}

const char *qemu_program(const struct qemu_config *config)
{
	// As the Red Hat family names the one for its own architecture.
	static const char elsewhere[] = "/usr/libexec/qemu-kvm";
	const struct catalog_arch *arch = config->arch;

	if (config->program)
		return config->program;
	if (!process_program_exists(arch->qemu) &&
	    process_program_exists(elsewhere) && catalog_arch_is_host(arch))
		return elsewhere;
	return arch->qemu;
}

bool qemu_has_vmcoreinfo(const struct qemu_config *config)
{
	static const char *const archs[] = { "x86", "arm64", "arm", "riscv" };

	for (size_t i = 0; i < array_size(archs); i++) {
		if (strcmp(config->arch->source_arch, archs[i]) == 0)
			return true;
	}
	return false;
}

static struct error *make_command_line(const struct qemu_options *options,
				       char **ret)
{
	const struct qemu_config *config = options->config;
	const struct catalog_arch *arch = config->arch;
	const char *type = share_read_type(options->shares->virtiofs);
	const char *flags = share_read_options(options->shares->virtiofs);
	// The kernel has a word of its own for the first of them.
	const char *more = flags + strlen("ro");
	unsigned long long khz = options->tsc_khz;
	unsigned int hz =
		kernel_config_number(config->kernel->config, "CONFIG_HZ");
	_cleanup_string_builder_ struct string_builder sb = { 0 };

	string_builder_appendf(&sb, "console=%s", arch->console);
	// Warnings are level 4: a splat must get through, a boot's talk must
	// not, which over the serial port costs a tenth of a second.
	string_builder_append(&sb,
			      options->verbose ? " loglevel=7" : " loglevel=5");
	string_builder_appendf(&sb,
			       " panic=-1 root=" SHARE_ROOT_TAG
			       " rootfstype=%s ro%s%s",
			       type, *more ? " rootflags=" : "",
			       *more ? more + 1 : "");
	if (options->machine->tcg_command_line && options->accel == ACCEL_TCG)
		string_builder_appendf(&sb, " %s",
				       options->machine->tcg_command_line);
	// Emulated, the calibration of the time stamp counter fails now and
	// then, and a kernel without a clock hangs. Nor is it to be checked
	// against a timer that an interrupt of a busy host drives, nor that
	// timer by waiting for ticks: too few of them in the time is a panic,
	// and they are 3 % of a boot. Under KVM, the kernel does so by itself.
	if (khz)
		string_builder_appendf(&sb,
				       " no_timer_check tsc=reliable tsc_early_khz=%llu",
				       khz);
	if (khz && hz)
		string_builder_appendf(&sb, " lpj=%llu", khz * 1000 / hz);
	if (config->kdump)
		string_builder_append(&sb, " crashkernel=" CRASH_MEMORY);
	if (config->stub != STUB_NONE)
		string_builder_append(&sb, " nokaslr");
	if (config->stub == STUB_KGDB)
		string_builder_append(&sb, " kgdboc=ttyS1,115200 kgdbwait");
	for (size_t i = 0; i < config->append.count; i++)
		string_builder_appendf(&sb, " %s", config->append.items[i]);
	// The kernel takes quotes off an argument of init as off its own. Not
	// on /run: busybox would take it for what `mount -a` is to mount there.
	if (options->shares->init_shared)
		string_builder_appendf(&sb,
				       " init=/bin/sh -- -c \"mount -t %s -o %s " SHARE_INIT_TAG
				       " /sys && exec /bin/sh /sys/init.sh\"",
				       type, flags);
	else
		string_builder_appendf(&sb, " init=%s", options->init);
	if (arch->command_line_bytes && sb.length >= arch->command_line_bytes)
		return error_create(
			ERROR_USAGE,
			"the kernel's command line is %zu bytes long, and %s takes at most %u; shorten --append",
			sb.length, arch->name, arch->command_line_bytes - 1);
	*ret = string_builder_take(&sb);
	return NULL;
}

void qemu_add(struct string_list *arguments, const char *option,
	      const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	_cleanup_free_ char *value = string_vformat(format, ap);
	va_end(ap);
	string_list_add(arguments, option);
	string_list_add(arguments, value);
}

static void add_shares(const struct share_plan *shares, struct string_list *list)
{
	for (size_t i = 0; i < shares->count; i++) {
		const struct share *share = &shares->items[i];
		_cleanup_string_builder_ struct string_builder sb = { 0 };

		if (share->is_virtiofs) {
			qemu_add(list, "-chardev", "socket,id=share%zu,fd=%d",
				 i, share->server_fd);
			qemu_add(list, "-device",
				 "vhost-user-fs-pci,chardev=share%zu,tag=%s", i,
				 share->tag);
			continue;
		}
		string_builder_appendf(&sb, "local,id=share%zu,path=", i);
		// Commas separate values: one in a value is doubled.
		for (const char *p = share->path; *p; p++)
			string_builder_append_n(&sb, *p == ',' ? ",," : p,
						*p == ',' ? 2 : 1);
		string_builder_appendf(&sb,
				       ",security_model=none,multidevs=remap,readonly=%s",
				       share->writable ? "off" : "on");
		qemu_add(list, "-fsdev", "%s", sb.text);
		qemu_add(list, "-device",
			 "virtio-9p,fsdev=share%zu,mount_tag=%s", i, share->tag);
	}
}

static void add_stub(const struct qemu_config *config, struct string_list *list)
{
	if (config->stub == STUB_NONE)
		return;
	qemu_add(list, "-chardev", "socket,id=stub,server=on,wait=off,fd=%d",
		 config->stub_fd);
	if (config->stub == STUB_KGDB) {
		qemu_add(list, "-serial", "chardev:stub");
	} else {
		qemu_add(list, "-gdb", "chardev:stub");
		string_list_add(list, "-S");
	}
}

static void add_ports(const struct qemu_options *options, struct string_list *list)
{
	// Multiplexed, a BREAK can be sent: it announces a sysrq key.
	qemu_add(list, "-chardev", "socket,id=console,mux=on,fd=%d",
		 options->sockets->console_fd);
	qemu_add(list, "-serial", "chardev:console");
	add_stub(options->config, list);
	qemu_add(list, "-chardev", "socket,id=monitor,fd=%d",
		 options->sockets->monitor_fd);
	qemu_add(list, "-mon", "chardev=monitor,mode=control");
	if (qemu_has_vmcoreinfo(options->config))
		qemu_add(list, "-device", "vmcoreinfo");
	qemu_add(list, "-device", "virtio-serial");
	for (int i = 0; i < PORT_COUNT; i++) {
		int fd = options->sockets->port_fds[i];

		if (fd < 0)
			continue;
		qemu_add(list, "-chardev", "socket,id=%s,fd=%d", port_names[i],
			 fd);
		qemu_add(list, "-device", "%s,chardev=%s,nr=%d",
			 i == PORT_TERMINAL ? "virtconsole" : "virtserialport",
			 port_names[i], i);
	}
}

/** A server of a share reads and writes the guest's memory itself. */
static bool has_servers(const struct share_plan *shares)
{
	bool any = false;

	for (size_t i = 0; i < shares->count; i++)
		any |= shares->items[i].is_virtiofs;
	return any;
}

static void add_machine(const struct qemu_options *options,
			struct string_list *list)
{
	const struct qemu_config *config = options->config;
	const char *machine = options->machine->machine;
	const unsigned int cpus = choose_cpus(config);
	const bool is_shared = has_servers(options->shares);
	const char *backend = is_shared ? "memory-backend-memfd,share=on"
					: "memory-backend-ram";
	const bool has_backend = is_shared && !config->numa;

	qemu_add(list, "-M", "%s%s", machine,
		 has_backend ? ",memory-backend=memory" : "");
	qemu_add(list, "-m", "%lluM", memory_mb(config));
	// Processors of a socket share a cache, and Linux warns if a node ends there.
	if (config->numa)
		qemu_add(list, "-smp", "%u,sockets=%u", cpus, cpus);
	else
		qemu_add(list, "-smp", "%u", cpus);
	if (has_backend)
		qemu_add(list, "-object", "%s,id=memory,size=%lluM", backend,
			 memory_mb(config));
	for (unsigned int i = 0; i < config->numa; i++) {
		qemu_add(list, "-object", "%s,id=node%u,size=%lluM", backend, i,
			 memory_mb(config) / config->numa);
		qemu_add(list, "-numa", "node,nodeid=%u,memdev=node%u,cpus=%u-%u",
			 i, i, cpus * i / config->numa,
			 cpus * (i + 1) / config->numa - 1);
	}
}

struct error *qemu_arguments(const struct qemu_options *options,
			     struct string_list *ret)
{
	struct error *err;

	const struct qemu_config *config = options->config;
	const struct catalog_machine *machine = options->machine;
	bool is_kvm = options->accel == ACCEL_KVM;
	const char *cpu = is_kvm ? "host" : machine->cpu;
	_cleanup_free_ char *command_line = NULL;

	err = make_command_line(options, &command_line);
	if (err)
		return err;
	string_list_add(ret, qemu_program(config));
	add_machine(options, ret);
	qemu_add(ret, "-accel", "%s", is_kvm ? "kvm" : "tcg");
	if (cpu)
		qemu_add(ret, "-cpu", "%s", cpu);
	string_list_add(ret, "-nodefaults");
	string_list_add(ret, "-no-user-config");
	string_list_add(ret, "-no-reboot");
	qemu_add(ret, "-display", "none");
	// What other options need is not known.
	if (!options->lacks_sandbox &&
	    !string_list_contains(&config->arguments, "-sandbox"))
		qemu_add(ret, "-sandbox", "on%s",
			 config->arguments.count
				 ? ""
				 : ",obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny");
	qemu_add(ret, "-kernel", "%s", options->image);
	if (options->initramfs)
		qemu_add(ret, "-initrd", "%s", options->initramfs);
	qemu_add(ret, "-append", "%s", command_line);
	string_list_add_all(ret, &machine->arguments);
	add_shares(options->shares, ret);
	add_ports(options, ret);
	network_add(config, ret);
	disk_list_add_arguments(&options->disks, ret);
	string_list_add_all(ret, &config->arguments);
	return NULL;
}

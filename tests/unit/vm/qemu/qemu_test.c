// SPDX-License-Identifier: LGPL-2.1-or-later

#include "vm/qemu/qemu.h"

#include <criterion/criterion.h>
#include <string.h>

#include "common/kernel/catalog.h"
#include "tests/unit/errors.h"
#include "tests/unit/files.h"
#include "vm/kernel/kernel.h"

static char *first_needs[] = { (char *)"CONFIG_PVH", (char *)"CONFIG_PCI", NULL };
static struct catalog_machine machines[] = {
	{
		.name = "fast",
		.machine = "microvm,pcie=on",
		.lacks_numa = true,
		.lacks_second_serial = true,
		.cpu = "max",
		.kernel = "build/vmlinux",
		.needs = { .items = first_needs, .count = 2 },
	},
	{ .name = "plain", .machine = "pc", .kernel = "vmlinuz" },
};
static const struct catalog_arch arch = {
	.name = "x86_64",
	.source_arch = "x86",
	.qemu = "qemu-system-x86_64",
	.console = "ttyS0",
	.machines = machines,
	.machine_count = 2,
};
static struct kernel kernel = { .config = (char *)"CONFIG_HZ=100\n" };
static struct share share = { .tag = (char *)SHARE_ROOT_TAG,
			      .path = (char *)"/a,b" };
static struct share_plan plan = { .items = &share, .count = 1 };

static const struct qemu_link sockets = {
	.console_fd = 10,
	.port_fds = { -1, 11, -1, 12, -1 },
};

static struct qemu_config config;
static struct qemu_options options;
/** QEMU's, once they are computed. */
static struct string_list arguments;

/** As each test begins. */
static void setup(void)
{
	config = (struct qemu_config){
		.kernel = &kernel,
		.arch = &arch,
		.memory_bytes = 1 << 30,
		.cpus = 2,
	};
	options = (struct qemu_options){
		.config = &config,
		.machine = machines,
		.accel = ACCEL_TCG,
		.image = "/k/build/vmlinux",
		.shares = &plan,
		.init = "/usr/share/vmtest/init.sh",
		.sockets = &sockets,
	};
}

static void teardown(void)
{
	string_list_deinit(&config.append);
	string_list_deinit(&arguments);
}

TestSuite(qemu, .init = setup, .fini = teardown);

static void compute(void)
{
	string_list_deinit(&arguments);
	expect_success(qemu_arguments(&options, &arguments));
}

/** What follows an option; NULL if it is not there. */
static const char *value_of(const char *option)
{
	for (size_t i = 0; i + 1 < arguments.count; i++) {
		if (strcmp(arguments.items[i], option) == 0)
			return arguments.items[i + 1];
	}
	return NULL;
}

/** Whether the kernel is told something. */
static bool is_told(const char *words)
{
	compute();
	cr_expect_lt(strlen(value_of("-append")), 512);
	return strstr(value_of("-append"), words);
}

Test(qemu, the_machine_is_the_first_that_fits_or_the_named_one)
{
	// clang-format off
	static const struct {
		const char *config, *name;
		const struct catalog_machine *after;
		const char *chosen;
		enum error_kind kind;
		const char *message;
	} rows[] = {
		{ "CONFIG_PVH=y\nCONFIG_PCI=y\n", NULL, NULL, "fast", 0, NULL },
		{ "CONFIG_PVH=y\n", NULL, NULL, "plain", 0, NULL },
		{ "", NULL, &machines[0], "plain", 0, NULL },
		{ "", NULL, &machines[1], NULL, ERROR_NOT_FOUND, "no other machine of x86_64 can boot this kernel" },
		{ "CONFIG_PVH=y\nCONFIG_PCI=y\n", "fast", NULL, "fast", 0, NULL },
		{ "CONFIG_PVH=y\nCONFIG_PCI=y\n", "plain", NULL, "plain", 0, NULL },
		{ "CONFIG_PVH=y\n", "fast", NULL, NULL, ERROR_NOT_FOUND, "--machine fast: this kernel lacks CONFIG_PCI, without which it does not boot there" },
		{ "", "slow", NULL, NULL, ERROR_USAGE, "--machine slow: x86_64 has fast, plain" },
	};
	// clang-format on

	for (size_t i = 0; i < array_size(rows); i++) {
		struct kernel one = { .config = (char *)rows[i].config };
		const struct catalog_machine *machine = NULL;

		config.kernel = &one;
		config.machine = rows[i].name;

		struct error *err =
			qemu_choose_machine(&config, rows[i].after, &machine);
		if (rows[i].message) {
			expect_kind(err, rows[i].kind, rows[i].message);
			continue;
		}
		expect_success(err);
		cr_expect_str_eq(machine->name, rows[i].chosen);
	}
}

// What a kernel needs for nodes on x86.
#define NODES "CONFIG_NUMA=y\nCONFIG_X86_64_ACPI_NUMA=y\n"

Test(qemu, nodes_share_memory_and_processors)
{
	// clang-format off
	static const struct {
		const char *config, *name;
		uint64_t memory_mb;
		unsigned int nodes, cpus;
		const char *message;
	} rows[] = {
		{ NODES "CONFIG_SMP=y\nCONFIG_PVH=y\nCONFIG_PCI=y\n", NULL, 1024, 2, 3, NULL },
		{ NODES "CONFIG_SMP=y\n", NULL, 512, 2, 2, NULL },
		{ "CONFIG_SMP=y\n", NULL, 1024, 2, 2, "--numa: the kernel lacks CONFIG_NUMA" },
		{ "CONFIG_SMP=y\nCONFIG_NUMA=y\n", NULL, 1024, 2, 2, "--numa: the kernel lacks CONFIG_X86_64_ACPI_NUMA" },
		{ NODES "", NULL, 1024, 3, 2, "--numa 3: each node needs a processor of --cpus" },
		{ NODES "", NULL, 1024, 3, 3, "--numa 3: --memory 1024M cannot be divided by it" },
		{ NODES "CONFIG_PVH=y\nCONFIG_PCI=y\n", "fast", 1024, 2, 2, "--numa: machine fast has no nodes" },
	};
	// clang-format on

	for (size_t i = 0; i < array_size(rows); i++) {
		struct kernel one = { .config = (char *)rows[i].config };
		const struct catalog_machine *machine = NULL;

		config.kernel = &one;
		config.machine = rows[i].name;
		config.memory_bytes = rows[i].memory_mb << 20;
		config.numa = rows[i].nodes;
		config.cpus = rows[i].cpus;

		if (!expect_outcome(qemu_choose_machine(&config, NULL, &machine),
				    rows[i].message))
			continue;
		cr_expect_str_eq(machine->name, "plain");
		options.machine = machine;
		compute();
		cr_expect(string_list_contains(
			&arguments, i ? "memory-backend-ram,id=node1,size=256M"
				      : "memory-backend-ram,id=node1,size=512M"));
		cr_expect(string_list_contains(
			&arguments, i ? "node,nodeid=1,memdev=node1,cpus=1-1"
				      : "node,nodeid=1,memdev=node1,cpus=1-2"));
		cr_expect(string_list_contains(&arguments, i ? "2,sockets=2"
							     : "3,sockets=3"));
	}
}

Test(qemu, a_debugger_meets_qemu_or_the_kernel)
{
	const struct catalog_machine *machine = NULL;
	struct kernel one = { .config = (char *)"CONFIG_PVH=y\nCONFIG_PCI=y\n" };

	compute();
	cr_expect_null(value_of("-gdb"));
	cr_expect_not(is_told("nokaslr"));
	config.stub_fd = 17;
	config.stub = STUB_GDB;
	// What the user says is last, and so wins.
	string_list_add(&config.append, "kaslr");
	cr_expect(is_told(" nokaslr kaslr "));
	cr_expect_str_eq(value_of("-gdb"), "chardev:stub");
	cr_expect(string_list_contains(&arguments, "-S"));
	cr_expect(string_list_contains(&arguments,
				       "socket,id=stub,server=on,wait=off,fd=17"));

	config.stub = STUB_KGDB;
	cr_expect(is_told(" nokaslr kgdboc=ttyS1,115200 kgdbwait "));
	cr_expect_null(value_of("-gdb"));
	cr_expect_not(string_list_contains(&arguments, "-S"));
	config.kernel = &one;
	expect_success(qemu_choose_machine(&config, NULL, &machine));
	cr_expect_str_eq(machine->name, "plain");
	config.machine = "fast";
	expect_kind(qemu_choose_machine(&config, NULL, &machine),
		    ERROR_NOT_FOUND, "--kgdb: machine fast has one serial line");
}

Test(qemu, what_it_lacks_is_told_from_other_failures)
{
	// clang-format off
	static const struct {
		const char *output;
		bool machine, p9;
	} rows[] = {
		{ "qemu-system-x86_64: -M microvm: unsupported machine type", true, false },
		{ "qemu-system-ppc64: Property 'pseries-7.2-machine.x-vof' not found", true, false },
		{ "qemu-system-ppc64: Property 'virtio-blk.x' not found", false, false },
		{ "qemu-system-ppc64: could not load kernel 'x'", false, false },
		{ "qemu-kvm: fsdev support is disabled", false, true },
		{ "qemu-kvm: There is no option group 'fsdev'", false, true },
		{ "qemu: -device virtio-9p,fsdev=share0: 'virtio-9p-pci' is not a valid device model name", false, true },
		{ "qemu: -device virtio-net: 'virtio-net-pci' is not a valid device model name", false, false },
		{ "qemu: -fsdev local,id=a,path=/x: cannot initialize fsdev 'a': failed to open '/x': Permission denied", false, false },
	};
	// clang-format on

	for (size_t i = 0; i < array_size(rows); i++) {
		const char *output = rows[i].output;

		cr_expect_eq(qemu_lacks_machine(output), rows[i].machine, "%s",
			     output);
		cr_expect_eq(qemu_lacks_9p(output), rows[i].p9, "%s", output);
	}
}

Test(qemu, confines_itself_as_far_as_its_options_let_it)
{
	static const char all[] =
		"on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny";

	compute();
	cr_expect_str_eq(value_of("-sandbox"), all);
	string_list_add(&config.arguments, "-s");
	compute();
	cr_expect_str_eq(value_of("-sandbox"), "on");
	string_list_add(&config.arguments, "-sandbox");
	string_list_add(&config.arguments, "off");
	compute();
	cr_expect_str_eq(value_of("-sandbox"), "off");
	string_list_deinit(&config.arguments);
	options.lacks_sandbox = true;
	compute();
	cr_expect_null(value_of("-sandbox"));
	cr_expect(qemu_lacks_sandbox(
		"qemu: -sandbox support is not enabled in this QEMU binary"));
	cr_expect(qemu_lacks_sandbox(
		"qemu: failed to install seccomp syscall filter in the kernel"));
	cr_expect(qemu_lacks_sandbox(
		"qemu: -sandbox on: There is no option group 'sandbox'"));
	cr_expect_not(qemu_lacks_sandbox("qemu: fsdev support is disabled"));
	cr_expect_not(qemu_lacks_sandbox(
		"qemu: -drive file=/home/me/sandbox/a: Could not open it"));
}

Test(qemu, a_network_is_only_there_when_it_is_asked_for)
{
	static const struct {
		const char *config;
		bool network;
		/** NULL for none. */
		const char *netdev, *message;
	} rows[] = {
		{ "CONFIG_INET=y\nCONFIG_VIRTIO_NET=m\n", false, NULL, NULL },
		{ "CONFIG_INET=y\nCONFIG_VIRTIO_NET=m\n", true,
		  "user,id=network,hostfwd=tcp:127.0.0.1:65535-:80", NULL },
		{ "", true, "user,id=network,hostfwd=tcp:127.0.0.1:65535-:80",
		  NULL },
		{ "CONFIG_VIRTIO_NET=y\n", true, NULL,
		  "--network: the kernel lacks CONFIG_INET" },
		{ "CONFIG_INET=y\n", true, NULL,
		  "--network: the kernel lacks CONFIG_VIRTIO_NET" },
		{ "CONFIG_INET=y\n", false, NULL, NULL },
	};

	for (size_t i = 0; i < array_size(rows); i++) {
		struct kernel one = { .config = (char *)rows[i].config };
		char *ports[] = { (char *)"65535:80" };

		config.kernel = &one;
		config.network = rows[i].network;
		config.published = (struct string_list){ ports, 1 };
		if (!expect_outcome(network_check(&config), rows[i].message))
			continue;
		string_list_deinit(&arguments);
		network_add(&config, &arguments);
		cr_expect_eq(arguments.count, rows[i].netdev ? 4 : 0);
		if (!rows[i].netdev)
			continue;
		cr_expect_str_eq(arguments.items[1], rows[i].netdev);
		cr_expect_str_eq(arguments.items[3],
				 "virtio-net,netdev=network,romfile=");
	}
}

Test(qemu, published_ports_are_two_numbers)
{
	static const struct {
		const char *text;
		bool taken;
	} rows[] = {
		{ "1:65535", true }, { "8080:80", true }, { "80", false },
		{ "0:1", false },    { "1:0", false },	  { "1:65536", false },
		{ "1:2:3", false },  { "1:2,x", false },  { " 1:2", false },
		{ "-1:2", false },   { "", false },	  { "1:", false },
	};

	for (size_t i = 0; i < array_size(rows); i++)
		cr_expect_eq(network_takes_ports(rows[i].text), rows[i].taken,
			     "%s", rows[i].text);
}

Test(qemu, is_told_of_shares_ports_and_the_disk)
{
	static const char *const always[] = {
		"local,id=share0,path=/a,,b,security_model=none,multidevs=remap,readonly=on",
		// QEMU itself knows on which bus a machine has them.
		"virtio-9p,fsdev=share0,mount_tag=/dev/root",
		"virtio-serial",
		"socket,id=control,fd=11",
		"socket,id=stdout,fd=12",
	};

	compute();
	for (size_t i = 0; i < array_size(always); i++)
		cr_expect(string_list_contains(&arguments, always[i]), "%s",
			  always[i]);
	cr_expect_not(string_list_contains(&arguments,
					   "virtconsole,chardev=terminal,nr=0"));
	cr_expect_not(string_list_contains(&arguments, "virtio-blk,drive=disk0"));
	expect_success(
		disk_list_create(&options.disks, DISK_EMPTY, "/tmp", 1, ""));
	compute();
	cr_expect(string_list_contains(&arguments, "virtio-blk,drive=disk0"));
	disk_list_deinit(&options.disks);
}

Test(qemu, every_architecture_has_its_machine)
{
	// clang-format off
	static const struct {
		const char *arch, *program, *machine, *cpu, *console;
	} rows[] = {
		{ "x86_64", "qemu-system-x86_64", "microvm,x-option-roms=off,rtc=on,acpi=on,pcie=on", "max,-erms,-fsrm", "console=ttyS0 " },
		{ "aarch64", "qemu-system-aarch64", "virt", "cortex-a76", "console=ttyAMA0 " },
		{ "arm", "qemu-system-arm", "virt,highmem=off", "cortex-a15", "console=ttyAMA0 " },
		{ "ppc64", "qemu-system-ppc64", "pseries,x-vof=on", NULL, "console=hvc0 " },
		{ "riscv64", "qemu-system-riscv64", "virt", NULL, "console=ttyS0 " },
		{ "s390x", "qemu-system-s390x", "s390-ccw-virtio", NULL, "console=ttysclp0 " },
	};
	// clang-format on
	_cleanup_catalog_ struct catalog *catalog = load_catalog();

	cr_assert_eq(catalog->arch_count, array_size(rows));
	for (size_t i = 0; i < array_size(rows); i++) {
		setup();
		cr_assert_null(
			catalog_find_arch(catalog, rows[i].arch, &config.arch));
		options.machine = config.arch->machines;
		compute();
		cr_expect_str_eq(arguments.items[0], rows[i].program);
		cr_expect_str_eq(value_of("-M"), rows[i].machine);
		const char *cpu = value_of("-cpu");
		cr_expect(rows[i].cpu ? cpu && strcmp(cpu, rows[i].cpu) == 0
				      : !cpu,
			  "%s: %s", rows[i].arch, cpu);
		cr_expect(strstr(value_of("-append"), rows[i].console), "%s",
			  rows[i].arch);
		// Our command line leaves room for more.
		config.kdump = true;
		options.verbose = true;
		options.accel = ACCEL_KVM;
		plan.init_shared = true;
		compute();
		cr_expect_str_eq(value_of("-cpu"), "host");
		cr_expect_lt(strlen(value_of("-append")) + 400,
			     config.arch->command_line_bytes, "%s", rows[i].arch);
		plan.init_shared = false;
	}
}

Test(qemu, a_command_line_that_would_be_cut_is_refused)
{
	struct catalog_arch limited = arch;

	config.arch = &limited;
	compute();
	// With its NUL.
	limited.command_line_bytes =
		(unsigned int)strlen(value_of("-append")) + 1;
	cr_expect(is_told("init="));
	string_list_add(&config.append, "x");
	expect_kind(qemu_arguments(&options, &arguments), ERROR_USAGE,
		    "shorten --append");
}

Test(qemu, the_kernel_is_told_what_the_machine_is)
{
	struct catalog_machine machine = machines[0];

	machine.tcg_command_line = "nolapic_timer";
	options.machine = &machine;
	cr_expect(is_told(" nolapic_timer "));
	cr_expect(is_told(" init=/usr/share/vmtest/init.sh"));
	cr_expect_not(is_told("tsc"));
	cr_expect_not(is_told("crashkernel"));
	options.tsc_khz = 2600000;
	cr_expect(is_told(
		" no_timer_check tsc=reliable tsc_early_khz=2600000 lpj=26000000 "));
	options.accel = ACCEL_KVM;
	cr_expect_not(is_told("nolapic_timer"));
	config.kdump = true;
	string_list_add(&config.append, "crashkernel=1G");
	// The last is what the kernel takes.
	cr_expect(is_told(" crashkernel=256M crashkernel=1G "));
	plan.init_shared = true;
	cr_expect(is_told(" init=/bin/sh -- -c \"mount "));
	plan.init_shared = false;
}

// SPDX-License-Identifier: LGPL-2.1-or-later

#include "vm/guest/qemu.h"

#include <criterion/criterion.h>
#include <string.h>

#include "common/base/error.h"
#include "common/kernel/catalog.h"
#include "vm/guest/share.h"

static char *first_needs[] = { (char *)"CONFIG_PVH", (char *)"CONFIG_PCI", NULL };
static struct catalog_machine machines[] = {
	{
		.name = "fast",
		.machine = "microvm,pcie=on",
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
static const struct string_list none = STRING_LIST_INIT;
static struct share share = { .tag = SHARE_ROOT_TAG, .path = (char *)"/a,b" };
static struct share_plan plan = { .items = &share, .count = 1 };

static struct qemu_options some_options(void)
{
	return (struct qemu_options){
		.arch = &arch,
		.machine = &machines[0],
		.accel = ACCEL_TCG,
		.memory = "1G",
		.cpus = 2,
		.image = "/k/build/vmlinux",
		.shares = &plan,
		.init = "/usr/share/vmtest/init.sh",
		.console_fd = 10,
		.port_fds = { -1, 11, -1, 12, -1 },
		.disk_fd = -1,
		.append = &none,
		.arguments = &none,
	};
}

Test(qemu, the_first_machine_that_fits_is_taken)
{
	const struct catalog_machine *machine = NULL;
	struct error *err;

	cr_assert_null(qemu_choose_machine(&arch, "CONFIG_PVH=y\nCONFIG_PCI=y\n",
					   NULL, NULL, &machine));
	cr_expect_str_eq(machine->name, "fast");
	cr_assert_null(qemu_choose_machine(&arch, "CONFIG_PVH=y\n", NULL, NULL,
					   &machine));
	cr_expect_str_eq(machine->name, "plain");
	cr_assert_null(
		qemu_choose_machine(&arch, "", NULL, &machines[0], &machine));
	cr_expect_str_eq(machine->name, "plain");
	err = qemu_choose_machine(&arch, "", NULL, machine, &machine);
	cr_expect(error_catch(&err, ERROR_NOT_FOUND));
}

Test(qemu, a_named_machine_must_fit_the_kernel)
{
	static const char config[] = "CONFIG_PVH=y\nCONFIG_PCI=y\n";
	const struct catalog_machine *machine = NULL;
	struct error *err;

	cr_assert_null(qemu_choose_machine(&arch, config, "fast", NULL, &machine));
	cr_expect_str_eq(machine->name, "fast");
	cr_assert_null(
		qemu_choose_machine(&arch, config, "plain", NULL, &machine));
	cr_expect_str_eq(machine->name, "plain");
	err = qemu_choose_machine(&arch, "CONFIG_PVH=y\n", "fast", NULL,
				  &machine);
	cr_expect_str_eq(
		error_message(err),
		"--machine fast: this kernel lacks CONFIG_PCI, without which it does not boot there");
	cr_expect(error_catch(&err, ERROR_NOT_FOUND));
	err = qemu_choose_machine(&arch, config, "slow", NULL, &machine);
	cr_expect_str_eq(error_message(err),
			 "--machine slow: x86_64 has fast, plain");
	cr_expect(error_catch(&err, ERROR_USAGE));
}

Test(qemu, a_machine_that_qemu_lacks_is_told_from_other_failures)
{
	static const struct {
		const char *output;
		bool lacks;
	} rows[] = {
		{ "qemu-system-x86_64: -M microvm: unsupported machine type",
		  true },
		{ "qemu-system-ppc64: Property 'pseries-7.2-machine.x-vof' not found",
		  true },
		{ "qemu-system-ppc64: Property 'virtio-blk.x' not found", false },
		{ "qemu-system-ppc64: could not load kernel 'x'", false },
	};

	for (size_t i = 0; i < array_size(rows); i++)
		cr_expect_eq(qemu_lacks_machine(rows[i].output), rows[i].lacks,
			     "%s", rows[i].output);
}

Test(qemu, a_share_is_read_only_at_the_server)
{
	struct qemu_options options = some_options();
	_cleanup_string_list_ struct string_list list = STRING_LIST_INIT;

	cr_assert_null(qemu_arguments(&options, &list));
	cr_expect_str_eq(list.items[0], "qemu-system-x86_64");
	cr_expect(string_list_contains(
		&list,
		"local,id=share0,path=/a,,b,security_model=none,multidevs=remap,readonly=on"));
	cr_expect(string_list_contains(&list, "socket,id=control,fd=11"));
	cr_expect(string_list_contains(&list, "socket,id=stdout,fd=12"));
	cr_expect_not(string_list_contains(&list,
					   "virtconsole,chardev=terminal,nr=0"));
}

Test(qemu, a_disk_is_passed_as_a_descriptor)
{
	struct qemu_options options = some_options();
	_cleanup_string_list_ struct string_list without = STRING_LIST_INIT;
	_cleanup_string_list_ struct string_list with = STRING_LIST_INIT;

	cr_assert_null(qemu_arguments(&options, &without));
	cr_expect_not(string_list_contains(&without, "virtio-blk,drive=disk"));
	options.disk_fd = 13;
	cr_assert_null(qemu_arguments(&options, &with));
	cr_expect(string_list_contains(&with, "virtio-blk,drive=disk"));
	cr_expect(string_list_contains(&with, "fd=13,set=1"));
}

Test(qemu, kvm_has_the_host_s_processor)
{
	struct qemu_options options = some_options();
	_cleanup_string_list_ struct string_list list = STRING_LIST_INIT;

	options.accel = ACCEL_KVM;
	cr_assert_null(qemu_arguments(&options, &list));
	cr_expect(string_list_contains(&list, "host"));
	cr_expect_not(string_list_contains(&list, "max"));
}

static size_t find(const struct string_list *list, const char *item)
{
	for (size_t i = 0; i < list->count; i++) {
		if (strcmp(list->items[i], item) == 0)
			return i;
	}
	return list->count;
}

/** What follows an option; NULL if it is not there. */
static const char *value_of(const struct string_list *list, const char *option)
{
	size_t i = find(list, option);

	return i < list->count ? list->items[i + 1] : NULL;
}

Test(qemu, every_architecture_has_its_machine)
{
	// clang-format off
	static const struct {
		const char *arch, *program, *machine, *cpu, *console;
	} rows[] = {
		{ "x86_64", "qemu-system-x86_64", "microvm,x-option-roms=off,rtc=on,acpi=on,pcie=on", "max", "console=ttyS0 " },
		{ "aarch64", "qemu-system-aarch64", "virt", "cortex-a76", "console=ttyAMA0 " },
		{ "arm", "qemu-system-arm", "virt,highmem=off", "cortex-a15", "console=ttyAMA0 " },
		{ "ppc64", "qemu-system-ppc64", "pseries,x-vof=on", NULL, "console=hvc0 " },
		{ "riscv64", "qemu-system-riscv64", "virt", NULL, "console=ttyS0 " },
		{ "s390x", "qemu-system-s390x", "s390-ccw-virtio", NULL, "console=ttysclp0 " },
	};
	// clang-format on
	_cleanup_catalog_ struct catalog *catalog = NULL;

	cr_assert_null(catalog_load(VMTEST_SOURCE_DIR "/configs/vmtest.json",
				    NULL, &catalog));
	cr_assert_eq(catalog->arch_count, array_size(rows));
	for (size_t i = 0; i < array_size(rows); i++) {
		struct qemu_options options = some_options();
		_cleanup_string_list_ struct string_list list = STRING_LIST_INIT;
		_cleanup_string_list_ struct string_list kvm = STRING_LIST_INIT;
		const char *cpu;

		cr_assert_null(catalog_find_arch(catalog, rows[i].arch,
						 &options.arch));
		options.machine = &options.arch->machines[0];
		options.disk_fd = 13;
		cr_assert_null(qemu_arguments(&options, &list));
		cr_expect_str_eq(list.items[0], rows[i].program);
		cr_expect_str_eq(value_of(&list, "-M"), rows[i].machine);
		cpu = value_of(&list, "-cpu");
		cr_expect(rows[i].cpu ? cpu && strcmp(cpu, rows[i].cpu) == 0
				      : !cpu,
			  "%s: %s", rows[i].arch, cpu);
		cr_expect(strstr(value_of(&list, "-append"), rows[i].console),
			  "%s", rows[i].arch);
		// QEMU itself knows on which bus the machine has them.
		cr_expect(string_list_contains(
			&list, "virtio-9p,fsdev=share0,mount_tag=/dev/root"));
		cr_expect(string_list_contains(&list, "virtio-serial"));
		cr_expect(string_list_contains(&list, "virtio-blk,drive=disk"));

		options.accel = ACCEL_KVM;
		cr_assert_null(qemu_arguments(&options, &kvm));
		cr_expect_str_eq(value_of(&kvm, "-cpu"), "host");
	}
}

Test(qemu, a_command_line_that_would_be_cut_is_refused)
{
	struct catalog_arch limited = arch;
	struct qemu_options options = some_options();
	struct string_list append = STRING_LIST_INIT;
	_cleanup_free_ char *line = NULL;
	_cleanup_free_ char *fits = NULL;
	struct error *err;

	options.arch = &limited;
	cr_assert_null(qemu_kernel_command_line(&options, &line));
	// With its NUL.
	limited.command_line_bytes = (unsigned int)strlen(line) + 1;
	cr_assert_null(qemu_kernel_command_line(&options, &fits));
	string_list_add(&append, "x");
	options.append = &append;
	err = qemu_kernel_command_line(&options, &line);
	cr_assert(err);
	cr_expect(strstr(error_message(err), "shorten --append"), "%s",
		  error_message(err));
	cr_expect(error_catch(&err, ERROR_USAGE));
	string_list_deinit(&append);
}

Test(qemu, our_command_line_leaves_room_everywhere)
{
	_cleanup_catalog_ struct catalog *catalog = NULL;

	cr_assert_null(catalog_load(VMTEST_SOURCE_DIR "/configs/vmtest.json",
				    NULL, &catalog));
	plan.init_shared = true;
	for (size_t i = 0; i < catalog->arch_count; i++) {
		struct qemu_options options = some_options();
		_cleanup_free_ char *line = NULL;

		options.arch = &catalog->archs[i];
		options.machine = &options.arch->machines[0];
		options.kdump = true;
		options.verbose = true;
		cr_assert_null(qemu_kernel_command_line(&options, &line));
		cr_expect_lt(strlen(line) + 400, options.arch->command_line_bytes,
			     "%s: %s", options.arch->name, line);
	}
	plan.init_shared = false;
}

Test(qemu, the_clock_is_told_when_it_is_known)
{
	struct qemu_options options = some_options();
	_cleanup_free_ char *line = NULL;
	_cleanup_free_ char *other = NULL;

	cr_assert_null(qemu_kernel_command_line(&options, &line));
	cr_expect_null(strstr(line, "tsc"));
	options.tsc_khz = 2600000;
	options.hz = 100;
	cr_assert_null(qemu_kernel_command_line(&options, &other));
	cr_expect_not_null(strstr(other, " tsc_early_khz=2600000 lpj=26000000 "));
	cr_expect_lt(strlen(other), 512);
}

Test(qemu, what_emulation_wants_is_not_told_under_kvm)
{
	struct qemu_options options = some_options();
	struct catalog_machine machine = machines[0];
	_cleanup_free_ char *emulated = NULL;
	_cleanup_free_ char *native = NULL;

	machine.tcg_command_line = "nolapic_timer";
	options.machine = &machine;
	cr_assert_null(qemu_kernel_command_line(&options, &emulated));
	cr_expect_not_null(strstr(emulated, " nolapic_timer "));
	options.accel = ACCEL_KVM;
	cr_assert_null(qemu_kernel_command_line(&options, &native));
	cr_expect_null(strstr(native, "nolapic_timer"));
}

Test(qemu, memory_is_set_aside_for_a_crash_kernel_that_is_wanted)
{
	struct qemu_options options = some_options();
	struct string_list append = STRING_LIST_INIT;
	_cleanup_free_ char *without = NULL;
	_cleanup_free_ char *with = NULL;

	cr_assert_null(qemu_kernel_command_line(&options, &without));
	cr_expect_null(strstr(without, "crashkernel"));
	options.kdump = true;
	options.append = &append;
	string_list_add(&append, "crashkernel=1G");
	cr_assert_null(qemu_kernel_command_line(&options, &with));
	// The last is what the kernel takes.
	cr_expect_not_null(strstr(with, " crashkernel=256M crashkernel=1G "));
	string_list_deinit(&append);
}

Test(qemu, init_is_started_from_its_share_if_its_path_cannot_be)
{
	struct qemu_options options = some_options();
	_cleanup_free_ char *direct = NULL;
	_cleanup_free_ char *shared = NULL;

	cr_assert_null(qemu_kernel_command_line(&options, &direct));
	cr_expect_not_null(strstr(direct, " init=/usr/share/vmtest/init.sh"));
	plan.init_shared = true;
	cr_assert_null(qemu_kernel_command_line(&options, &shared));
	plan.init_shared = false;
	cr_expect_not_null(strstr(shared, " init=/bin/sh -- -c \"mount "));
}

// SPDX-License-Identifier: LGPL-2.1-or-later

#include "vm/qemu/qemu.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "common/kernel/catalog.h"
#include "tests/unit/errors.h"
#include "tests/unit/files.h"
#include "vm/kernel/kernel.h"
#include "vm/qemu/confine.h"

TestSuite(virtiofs, .init = setup_tmp, .fini = teardown_tmp);

Test(virtiofs, needs_the_kernel_s_driver)
{
	static const struct {
		const char *config, *arch;
		bool module, kdump, possible;
	} rows[] = {
		{ "CONFIG_VIRTIO_FS=y\n", "x86_64", false, false, true },
		{ "CONFIG_VIRTIO_FS=m\n", "x86_64", false, false, false },
		{ "CONFIG_VIRTIO_FS=y\n", "s390x", false, false, false },
		{ "CONFIG_VIRTIO_FS=y\n", "x86_64", false, true, false },
		{ "CONFIG_VIRTIO_FS=m\n", "aarch64", true, false, true },
		{ "", "aarch64", true, false, true },
	};

	for (size_t i = 0; i < array_size(rows); i++) {
		const struct catalog_arch arch = { .name = rows[i].arch };
		const struct kernel kernel = { .path = tmp,
					       .config = (char *)rows[i].config };
		const struct qemu_config config = { .kernel = &kernel,
						    .arch = &arch,
						    .kdump = rows[i].kdump };

		if (rows[i].module)
			put_file(tmp, VIRTIOFS_MODULE, "");
		cr_expect_eq(virtiofs_is_possible(&config), rows[i].possible,
			     "row %zu", i);
	}
}

Test(virtiofs, a_server_that_does_not_work_is_an_error)
{
	const struct confinement confinement = { 0 };
	struct share share = { .path = (char *)tmp,
			       .writable = true,
			       .is_virtiofs = true };
	struct share_plan shares = { .items = &share, .count = 1 };
	struct virtiofs servers = { 0 };

	expect_failure(virtiofs_start("/no/such", &confinement, &shares, &servers),
		       "/no/such: no such program");
	expect_failure(virtiofs_start("/bin/false", &confinement, &shares,
				      &servers),
		       "/bin/false: it does not answer");
	cr_expect_eq(servers.count, 0);
}

Test(virtiofs, without_landlock_only_who_changes_its_root_is_confined)
{
	static struct sock_filter instructions[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
			 offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_landlock_create_ruleset,
			 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	const struct sock_fprog filter = { array_size(instructions),
					   instructions };
	const struct confinement confinement = { 0 };
	struct share share = { .path = (char *)tmp,
			       .writable = true,
			       .is_virtiofs = true };
	struct share_plan shares = { .items = &share, .count = 1 };
	struct virtiofs servers = { 0 };

	const uid_t uid = geteuid();

	cr_assert_eq(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
	cr_assert_eq(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter), 0);
	if (uid == 0) {
		expect_failure(virtiofs_start("/bin/false", &confinement,
					      &shares, &servers),
			       "it does not answer");
		cr_assert_eq(seteuid(65534), 0);
	}
	expect_failure(virtiofs_start("/bin/false", &confinement, &shares,
				      &servers),
		       "nothing would keep it in");
	share.writable = false;
	expect_failure(virtiofs_start("/no/qemu/virtiofsd", &confinement,
				      &shares, &servers),
		       "nothing would keep it from changing");
	share.writable = true;
	expect_failure(virtiofs_start("/no/qemu/virtiofsd", &confinement,
				      &shares, &servers),
		       "it does not answer");
	cr_assert_eq(seteuid(uid), 0);
	// Or the sanitizer could not look at us.
	prctl(PR_SET_DUMPABLE, 1);
}

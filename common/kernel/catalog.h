// SPDX-License-Identifier: LGPL-2.1-or-later

#ifndef COMMON_KERNEL_CATALOG_H
#define COMMON_KERNEL_CATALOG_H

/**
 * @file
 *
 * The catalog, `configs/vmtest.json`: what is built and for what, as data.
 * Adding a series, an architecture or a flavor is a change of that file and of
 * the fragments beside it.
 */

#include <stdbool.h>
#include <stddef.h>

#include "common/base/cleanup.h"
#include "common/base/text.h"
#include "common/kernel/release.h"

struct error;
struct string_builder;

/**
 * A range of versions: from @p min, up to and not including @p below, which are
 * all zero where there is no bound.
 */
struct version_range {
	struct kernel_version min;
	struct kernel_version below;
};

/** Reads a `struct version_range`: `{ "min": "5.10", "below": "6.12" }`. */
_must_check_ value_reader value_version_range;

bool version_range_contains(const struct version_range *range,
			    const struct kernel_version *version);

/** Append it in words: ` from 5.10 below 6.12`; nothing for every version. */
void version_range_append(const struct version_range *range,
			  struct string_builder *sb);

/** A way to start QEMU; the first that the kernel and QEMU can do is taken. */
struct catalog_machine {
	/** QEMU's name, which --machine selects: `microvm`, `q35`. */
	const char *name;
	/** Argument of -M. */
	const char *machine;
	/**
	 * -cpu under TCG; NULL for QEMU's default. Under KVM it is `host`. On
	 * x86_64, without fast string operations: TCG copies a byte at a time
	 * with these, and eight without.
	 */
	const char *cpu;
	/** The file to boot, relative to a package: `vmlinuz`. */
	const char *kernel;
	/** Kernel parameters under TCG; NULL for none. */
	const char *tcg_command_line;
	/** Other QEMU arguments. */
	struct string_list arguments;
	/** Options that must be `=y` in the kernel's config: `CONFIG_PVH`. */
	struct string_list needs;
	/** Whether it cannot tell a guest of NUMA nodes. */
	bool lacks_numa;
	/** Whether it has but one serial line, which is the console's. */
	bool lacks_second_serial;
};

/** What cannot be built, of an architecture; none of it is planned. */
struct catalog_off {
	struct version_range versions;
	/** None means all. */
	struct string_list flavors;
	const char *reason;
};

struct catalog_arch {
	const char *name;
	/** The kernel's ARCH, and its directory under arch/. */
	const char *kernel_arch;
	const char *source_arch;
	/** Prefix of a cross compiler: `x86_64-linux-gnu-`. */
	const char *cross_prefix;
	/** make's target and its file, relative to the build directory. */
	const char *image_target;
	const char *image_path;
	/** False: switched off, and not part of "all". */
	bool enabled;
	/** Kernels outside of the range are not built. */
	struct version_range versions;
	/** Why not; NULL if the catalog does not say. */
	const char *reason;
	/** Nor are these. */
	struct catalog_off *off;
	size_t off_count;
	/** More flags of its compiler, for kernels and modules; NULL for none. */
	const char *cflags;
	/** Whether crash dumps work at all, and from which version on. */
	bool has_kdump;
	struct version_range kdump;
	/** kernel.org's names of compilers for it, and of those run on it. */
	const char *crosstool_target;
	/** NULL if there are none. */
	const char *crosstool_host;
	/** Debian's name of it, and the suite that a root is made from. */
	const char *debian_arch;
	const char *debian_suite;
	/** Program: `qemu-system-x86_64`. */
	const char *qemu;
	/** The kernel's console: `ttyS0`. */
	const char *console;
	/**
	 * What to send before a sysrq key on the console; NULL for a BREAK, as
	 * serial ports take it.
	 */
	const char *sysrq;
	/** The first virtio console in the guest: `hvc0`. */
	const char *terminal;
	/** Most bytes of a kernel command line, with its NUL; 0: unknown. */
	unsigned int command_line_bytes;
	/** Names that uname -m gives on a host of this architecture. */
	struct string_list host_names;
	struct catalog_machine *machines;
	size_t machine_count;
};

struct catalog_series {
	struct version_range range;
	/** False: what is in the range is switched off. */
	bool enabled;
	/** Why; NULL if the catalog does not say. */
	const char *reason;
};

struct catalog_flavor {
	const char *name;
	const char *summary;
	/** MINOR of its releases. */
	unsigned int minor;
	/**
	 * About how many files are compiled for a kernel, to show how far a
	 * build has come; 0 if not known.
	 */
	unsigned int objects;
	/** What has it: no architectures, and no bounds, mean all. */
	struct string_list archs;
	struct version_range versions;
	/** Why no others do; NULL where all have it. */
	const char *reason;
};

/** The newest GCC that was tried with a range of kernels. */
struct catalog_gcc {
	struct version_range kernels;
	/** A major version: from the reference to this one, any will do. */
	unsigned int newest;
	const char *reason;
};

/** One of kernel.org's compilers. */
struct catalog_crosstool {
	/** Of its tarball, without the suffix. */
	const char *name;
	/** SHA-256 */
	const char *digest;
};

/** Who signs kernel.org's sources. */
struct catalog_signer {
	/** Of the primary key: 40 hexadecimal digits in upper case. */
	const char *fingerprint;
	const char *name;
};

/** All that --catalog names. Strings live as long as the catalog. */
struct catalog {
	/** Where the file is: the fragments and patches/ lie beside it. */
	char *directory;
	/** `OWNER/REPO` and tag of the GitHub release that the bot fills. */
	const char *repository;
	const char *tag;
	/** Whether each of its packages has an attestation. */
	bool attested;
	unsigned int revision;
	/** kernel.org's addresses, without a final slash. */
	struct {
		/** releases.json */
		const char *releases_url;
		/** Directory that holds `vM.x/linux-V.tar.xz`. */
		const char *tarballs_url;
		/** The same without a mirror: what a package records. */
		const char *published_tarballs_url;
		/** The stable git repository. */
		const char *git_url;
		/** Directory of the tarballs of release candidates. */
		const char *rc_url;
		/** Directory that holds `HOST/VERSION/HOST-gcc-VERSION-*`. */
		const char *crosstool_url;
		/**
		 * The repository on GitHub that has the same tags, for when
		 * git.kernel.org fails; NULL for none.
		 */
		const char *mirror_url;
		/** A file beside the catalog, of gpgv's; NULL for none. */
		const char *keyring;
		/** Those of its keys that count. */
		struct catalog_signer *signers;
		size_t signer_count;
	} kernel_org;
	/** A series is kept if it is in some range, and in none that is off. */
	struct catalog_series *series;
	size_t series_count;
	/** The newest series that the configurations were made for. */
	struct kernel_version verified;
	struct {
		/** Major version of the GCC that builds all kernels. */
		unsigned int reference;
		/** kernel.org's, for where there is none: `12.5.0`. */
		struct kernel_version crosstool;
		/** Whoever has others, trusts the list on the server. */
		struct catalog_crosstool *digests;
		size_t digest_count;
		/** Whether that is asked for: not part of the file. */
		bool trusts_list;
		struct catalog_gcc *tried;
		size_t tried_count;
	} gcc;
	struct catalog_arch *archs;
	size_t arch_count;
	struct catalog_flavor *flavors;
	size_t flavor_count;
	/** Roots for guests of other architectures than the host's. */
	struct {
		/** Debian packages, besides the essential ones. */
		struct string_list packages;
	} rootfs;
	/** The document that has the strings, all but URLs of a mirror. */
	void *json;
	struct string_list mirror_urls;
};

/**
 * Load and check the catalog.
 *
 * @param[in] path NULL for the one that is installed with the program.
 * @param[in] kernel_org Base URL that stands for kernel.org, git.kernel.org and
 * cdn.kernel.org: a mirror or a test. NULL for what the file says.
 */
_must_check_ struct error *catalog_load(const char *path, const char *kernel_org,
					struct catalog **ret);

/** The same from text; @p name is for messages. */
_must_check_ struct error *catalog_parse(const char *text, const char *name,
					 const char *kernel_org,
					 struct catalog **ret);
void catalog_destroy(struct catalog *catalog);

DEFINE_CLEANUP(catalog, struct catalog *, catalog_destroy)
#define _cleanup_catalog_ _cleanup_(cleanup_catalog)

/** @return ERROR_USAGE, naming those that exist. */
_must_check_ struct error *catalog_find_arch(const struct catalog *catalog,
					     const char *name,
					     const struct catalog_arch **ret);
_must_check_ struct error *catalog_find_flavor(const struct catalog *catalog,
					       const char *name,
					       const struct catalog_flavor **ret);

/**
 * Check names that a user gave, and put architectures in the place of words:
 * `host` means this machine's, `all` the catalog's, and `foreign` all but this
 * machine's; `all` and `foreign` leave out those that are switched off.
 *
 * @return ERROR_USAGE, naming those that exist; also for a word that means
 * none.
 */
_must_check_ struct error *
catalog_resolve_names(const struct catalog *catalog, struct string_list *archs,
		      const struct string_list *flavors);

/**
 * Find the first range that holds the version's series.
 *
 * @return ERROR_NOT_FOUND if there is none.
 */
_must_check_ struct error *catalog_find_gcc(const struct catalog *catalog,
					    const struct kernel_version *version,
					    const struct catalog_gcc **ret);

/** Whether it is this machine's. */
bool catalog_arch_is_host(const struct catalog_arch *arch);

/** The architecture of this machine. */
_must_check_ struct error *catalog_host_arch(const struct catalog *catalog,
					     const struct catalog_arch **ret);

/** Whether crash dumps of the version work on the architecture. */
bool catalog_arch_has_kdump(const struct catalog_arch *arch,
			    const struct kernel_version *version);

/** Whether the version's series is one that is kept. */
bool catalog_keeps(const struct catalog *catalog,
		   const struct kernel_version *version);

/** Whether the configurations were made for the version's series, too. */
bool catalog_has_verified(const struct catalog *catalog,
			  const struct kernel_version *version);

/** Whether an architecture's kernel of this version is built in this flavor. */
bool catalog_flavor_is_for(const struct catalog_flavor *flavor,
			   const struct catalog_arch *arch,
			   const struct kernel_version *version);

/**
 * Append which kernels a flavor with bounds is built for, and why no others:
 * ` for x86_64, aarch64 from 5.10: REASON`; nothing for all kernels.
 */
void catalog_flavor_append_bounds(const struct catalog_flavor *flavor,
				  struct string_builder *sb);

/** What excludes a kernel from its architecture; NULL if nothing does. */
const struct catalog_off *catalog_find_off(const struct catalog_arch *arch,
					   const char *flavor,
					   const struct kernel_version *version);

/** ` for arm below 5.10 in tiny: REASON`; free(). */
char *catalog_off_text(const struct catalog_arch *arch,
		       const struct catalog_off *off);

/**
 * Append a line for all that a catalog has, but that is not built: ranges of
 * series, architectures and flavors with bounds, and what is off, each with the
 * reason. What cannot be built is not promised.
 */
void catalog_list_limits(const struct catalog *catalog, struct string_list *ret);

/** @return ERROR_USAGE, with the bounds that exclude it, if it is not. */
_must_check_ struct error *
catalog_flavor_check(const struct catalog_flavor *flavor,
		     const struct catalog_arch *arch,
		     const struct kernel_version *version);

/** The release that building this version in this flavor makes. */
void catalog_release(const struct catalog *catalog,
		     const struct kernel_version *version,
		     const struct catalog_flavor *flavor, unsigned int patch,
		     struct release *ret);

/**
 * A file that is installed with the programs, such as `configs/vmtest.json` or
 * `init.sh`: `../share/vmtest/NAME` beside the directory of the running
 * program. The build tree is laid out the same way.
 */
_must_check_ struct error *data_path(const char *name, char **ret);

#endif /* COMMON_KERNEL_CATALOG_H */

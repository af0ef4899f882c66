// SPDX-License-Identifier: LGPL-2.1-or-later

#ifndef KBUILD_PACKAGE_PACKAGE_H
#define KBUILD_PACKAGE_PACKAGE_H

/**
 * @file
 *
 * A built kernel as a package: laid out as `/lib/modules/RELEASE` is, proven to
 * be enough for building modules, and packed.
 */

#include "common/base/cleanup.h"
#include "common/base/json.h"
#include "common/base/text.h"

struct catalog_arch;
struct error;
struct make;
struct package_input;
struct release;
struct source;
struct string_list;

/*
 * `vmtest.json`: how a package was made. Nothing in it differs between two
 * builds of the same source with the same tools. `host` is the architecture of
 * the machine that built it, on which the programs in its build directory run.
 */

/**
 * Write vmtest.json into a staged package, whose build/.config names the tools;
 * before 5.8 it does not name the compiler.
 */
_must_check_ struct error *package_info_write(const struct package_input *input,
					      const struct make *make,
					      const char *directory);

/**
 * Reads a `struct string_list` of options and their values, each of which comes
 * from elsewhere and must be printable.
 */
_must_check_ value_reader value_lost_options;

/** A `struct archive_member`. */
#define PACKAGE_INFO                                                           \
	{                                                                      \
		"./vmtest.json", 1 << 20, NULL                                 \
	}

/** How a package was made; one that does not say it has none of it. */
struct package_notes {
	/** What kconfig did not keep, `CONFIG_NAME=value`. */
	struct string_list lost_options;
	/** Who signed its source, `NAME, FINGERPRINT`; NULL if nobody has. */
	char *signature;
	/** As the compiler says it, which ends in its version; or NULL. */
	char *compiler;
	/** Names of files. */
	struct string_list patches;
};

void package_notes_deinit(struct package_notes *notes);

#define _cleanup_package_notes_ _cleanup_(package_notes_deinit)

/**
 * Read them from the vmtest.json of a package.
 *
 * @param[in] text NULL if the package has none.
 * @param[in] name For messages.
 */
_must_check_ struct error *package_notes_parse(const char *text, const char *name,
					       struct package_notes *ret);

/** The same for a package: a tarball, of which no more is read. */
_must_check_ struct error *package_notes_load(const char *path,
					      struct package_notes *ret);

/**
 * Check that a package's vmtest.json tells of this kernel, and of no other.
 *
 * @return ERROR_OTHER, naming what is another, or missing.
 */
_must_check_ struct error *package_info_check(const char *path,
					      const struct release *release,
					      const char *arch);

/** What a package is made from. */
struct package_input {
	const struct release *release;
	const struct source *source;
	/** What kconfig did not keep: `CONFIG_NAME=value`. */
	const struct string_list *lost_options;
};

/**
 * Lay out a package as a directory that refers to nothing outside of it.
 *
 * @param[in] make What built the kernel.
 * @param[in] directory Must not exist; its parent must, on a file system that
 * can hold everything twice for a moment.
 */
_must_check_ struct error *package_stage(const struct package_input *input,
					 const struct make *make,
					 const char *directory);

/**
 * Prove that modules can be built with a staged package, by building one.
 *
 * @param[in] scratch A directory for the module, outside of the package; made.
 */
_must_check_ struct error *package_prove(const struct make *make,
					 const char *directory,
					 const char *scratch);

/** Pack a staged package. Equal contents give equal bytes. */
_must_check_ struct error *package_pack(const char *directory, const char *path);

#endif /* KBUILD_PACKAGE_PACKAGE_H */

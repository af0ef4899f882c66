// SPDX-License-Identifier: LGPL-2.1-or-later

#ifndef VM_SUITE_SUITE_H
#define VM_SUITE_SUITE_H

/**
 * @file
 *
 * One command, many kernels: the state of each, which they are, running it on
 * all, searching between two, and what a project's file says of it. Only
 * running a suite and loading a project have effects.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "common/archive/archive.h"
#include "common/base/cleanup.h"
#include "common/base/text.h"
#include "common/kernel/release.h"
#include "vm/suite/expectation.h"
#include "vm/suite/ktap.h"

struct catalog;
struct error;
struct kernel_list;
struct run_result;

/* The state of each kernel, as data. */

/** Before the end, then good ends, then the others. */
enum suite_state {
	SUITE_WAITING,
	SUITE_DOWNLOADING,
	/** Its module is being built. */
	SUITE_BUILDING,
	SUITE_RUNNING,
	SUITE_PASSED,
	/** Passed after its guest had been lost once. */
	SUITE_FLAKY,
	/** The project expects it to fail there (expectation.h). */
	SUITE_EXPECTED_FAILURE,
	SUITE_UNEXPECTED_PASS,
	SUITE_FAILED,
	SUITE_TIMED_OUT,
	/** Its guest was lost twice. */
	SUITE_LOST,
	/** Download or module failed, or the command could not be started. */
	SUITE_NOT_RUN,
	SUITE_INTERRUPTED,
	SUITE_STATE_COUNT,
};

/** In words: `timed out`. */
extern const char *const suite_state_names[SUITE_STATE_COUNT];

/** Whether nothing more happens to such a kernel. */
static inline bool suite_state_is_end(enum suite_state state)
{
	return state >= SUITE_PASSED;
}

/** Whether it is an end, and not a good one. */
static inline bool suite_state_is_failure(enum suite_state state)
{
	return state >= SUITE_FAILED;
}

enum suite_phase {
	SUITE_DOWNLOAD,
	SUITE_UNPACK,
	SUITE_MODULE,
	SUITE_BOOT,
	SUITE_COMMAND,
	SUITE_PHASE_COUNT,
};

/** `download`, `unpack`, … */
extern const char *const suite_phase_names[SUITE_PHASE_COUNT];

/** One kernel. */
struct suite_item {
	/**
	 * The release; in a suite of several architectures `RELEASE.ARCH`, and
	 * where two have the same `RELEASE-NUMBER`.
	 */
	char name[RELEASE_TEXT_SIZE + ARCH_SIZE];
	/** Borrowed. */
	const char *arch;
	/** Zeros for a directory whose kernel has a release of another kind. */
	struct release release;
	/** What means it on a command line: its release or directory. */
	char *kernel;
	/** Its directory; NULL until it is downloaded. */
	char *path;
	/** Of its package: 0 and "" if the store was not asked, or has none. */
	uint64_t size_bytes;
	char digest[DIGEST_TEXT_SIZE];
	bool is_downloaded;
	enum suite_state state;
	/** Monotonic: when it came into its state. */
	uint64_t since_ms;
	/** Whether there is a module to be built before its first run. */
	bool needs_module;
	/** How often its guest was started; and in earlier runs, too. */
	unsigned int attempts, guests;
	/** Where it is run several times: how often it was, and has failed. */
	unsigned int runs, failed_runs;
	/** Of the last attempt; 0 for what did not take place. */
	uint64_t phase_ms[SUITE_PHASE_COUNT];
	/** The command's, if it has exited. */
	int exit_status;
	/** Why it is no success, or why it is flaky; else NULL. */
	char *reason;
	/** Of a failure: where in a module's source it was; NULL if unknown. */
	char *file;
	unsigned int line;
	/** Of the last attempt; NULL if there are none. */
	char *log_path;
	char *console_path;
	/** Tests that the command has told of; NULL for none. */
	struct ktap *tests;
	/** Of a failure: where its log ends; NULL if that is empty. */
	char *log_end;
};

struct suite {
	struct suite_item *items;
	size_t count;
};

void suite_deinit(struct suite *suite);

#define _cleanup_suite_ _cleanup_(suite_deinit)

/**
 * Decide what has become of a kernel whose run has ended. One whose guest was
 * lost for the first time is waiting again.
 */
void suite_item_conclude(struct suite_item *item, const struct run_result *result,
			 const struct expectations *expected);

/**
 * Have an item be the worst of its runs.
 *
 * @param[in,out] next Its next run; what is left belongs to the caller.
 */
void suite_item_merge(struct suite_item *item, struct suite_item *next);

/** Read the tests of the last attempt's log, at most of 64 MB. */
void suite_item_read_tests(struct suite_item *item);

size_t suite_item_count_tests(const struct suite_item *item,
			      enum ktap_result result);

/** Have what has tests that failed be a failure that names them. */
void suite_item_judge_tests(struct suite_item *item);

/** Set a reason, a line, in place of an earlier one. */
_printf_(2, 3) void suite_item_explain(struct suite_item *item,
				       const char *format, ...);

uint64_t suite_item_total_ms(const struct suite_item *item);

/* Which kernels a suite is for. */

enum suite_choice {
	/** Of each series and flavor the newest; newest first. */
	SUITE_NEWEST_OF_SERIES,
	/** Of each version and flavor the newest build; oldest first. */
	SUITE_EVERY_VERSION,
	/** None: they are yet to be built. */
	SUITE_NO_KERNELS,
};

struct suite_request {
	enum suite_choice choice;
	/** In order. */
	const struct string_list *archs;
	/** What there is of these. */
	const struct kernel_list *kernels;
	/** Each must mean a kernel of some architecture. */
	const struct string_list *patterns;
	/** Without patterns, chooses the series; NULL for any. */
	const struct catalog *catalog;
	/** Empty for all. */
	const struct string_list *flavors;
};

/**
 * Choose kernels: the first architecture's, in order, then the next one's.
 *
 * @return ERROR_NOT_FOUND if a pattern means none, or if there is none at all
 * of an architecture.
 */
_must_check_ struct error *suite_plan(const struct suite_request *request,
				      struct suite *ret);

/** Bring the kernels into another order, which follows from the seed. */
void suite_shuffle(struct suite *suite, unsigned int seed);

/**
 * What the kernels that are not on disk take there at least, once unpacked.
 *
 * @param[in] at_once That many, and the largest.
 */
uint64_t suite_room_bytes(const struct suite *suite, size_t at_once);

/** Append a kernel that was named by its directory. */
void suite_add_directory(struct suite *suite, const char *release,
			 const char *arch, const char *path);

/*
 * Run a suite: each guest is a `vmtest-vm run`, each download a `vmtest-vm
 * download`, each module a `vmtest-vm module`, started, watched and ended from
 * here. Kernels are downloaded one at a time, in order, while those that are
 * there are tested.
 */

struct suite_observer {
	/** A kernel has come into another state. */
	void (*changed)(struct suite_observer *observer,
			const struct suite_item *item);
};

/** All is the caller's. */
struct suite_run_options {
	/** Path of vmtest-vm. */
	char *program;
	/** Of `download`, `module` and `run`, and more of the last two. */
	struct string_list options, module_options, run_options;
	/** Ended by NULL. */
	char *const *command;
	/**
	 * For each kernel NAME.log, what the command has printed; and
	 * NAME.console.log and NAME.json, of `run`. A second guest's are
	 * called NAME.2.log and so on. Must exist.
	 */
	char *log_directory;
	struct expectations expected;
	/** Guests at once. */
	unsigned int jobs;
	/**
	 * The cache's directory, if kernels that were downloaded for their
	 * test are to be deleted after it, with their modules; else NULL.
	 */
	const char *discard_from;
};

/**
 * How many guests to run at once where nobody says: one a processor, as far as
 * there is memory for them, and one at least.
 */
unsigned int suite_jobs(unsigned int processors, uint64_t available_bytes,
			uint64_t guest_bytes);

/** Make a directory of logs named by the time; the newest @p keep stay. */
_must_check_ struct error *suite_log_directory_create(const char *parent,
						      int keep, char **path_ret);

/**
 * Run all items to their end. Blocks. A failure is noted in its item, and the
 * others are still tested.
 *
 * @return An error that ends the whole run, after its children have ended;
 * ERROR_CANCELLED if a signal arrived. Unfinished items are SUITE_INTERRUPTED.
 */
_must_check_ struct error *suite_run(const struct suite_run_options *options,
				     const struct suite *suite,
				     struct suite_observer *observer);

/* Between which two kernels, in order of version, does a command begin to fail? */

enum bisect_verdict {
	BISECT_UNTESTED,
	BISECT_GOOD,
	BISECT_BAD,
	/** It does not boot, or the command has exited with 125. */
	BISECT_SKIPPED,
};

extern const char *const bisect_verdict_names[];

enum bisect_action {
	/** Test one more. */
	BISECT_TEST,
	BISECT_FOUND,
	/** Both ends are good; bad; the wrong way round. */
	BISECT_NEVER_FAILS,
	BISECT_ALWAYS_FAILS,
	BISECT_BEGINS_TO_PASS,
	/** Fewer than two could be tested. */
	BISECT_TOO_FEW,
};

struct bisect_step {
	enum bisect_action action;
	/** To be tested. */
	size_t index;
	/** The ends, as far as they are known; those between are skipped. */
	size_t good;
	size_t bad;
};

/**
 * Bring kernels into the order of versions, for each architecture and flavor.
 *
 * @return ERROR_USAGE for one whose release says neither.
 */
_must_check_ struct error *bisect_order(struct suite *suite);

/** The untested one nearest to the middle of two; the second if none is. */
size_t bisect_middle(const struct suite *suite, size_t first, size_t second);

enum bisect_verdict bisect_verdict_of(const struct suite_item *item);

/**
 * What comes next. First the ends are tested: from either side the outermost
 * that is not skipped. Then the middle of what is between.
 *
 * @param[in] suite Oldest first.
 */
void bisect_next(const struct suite *suite, struct bisect_step *ret);

/*
 * `vmtest.json` in a user's project: what to run and how, so that the command
 * line need not say it.
 *
 *     {
 *       "command": ["make", "check"],
 *       "kernels": ["6.12", "6.1"],
 *       "memory": "4G",
 *       "timeout": 600,
 *       "environment": { "LANG": "C", "CI": null },
 *       "rw": ["build"],
 *       "fail_on_splat": true
 *     }
 *
 * Every key but `command`, `expect_failure` and `splats` (expectation.h) stands
 * for an option. Paths are relative to the
 * directory that the file lies in, which is also where its command runs. What a
 * key does on the host, or outside of that directory, is an objection to it.
 */

/** A key, as an option of the command line. */
struct project_setting {
	/** Long name of the option. */
	const char *option;
	/** None for a flag. */
	struct string_list values;
	/**
	 * Why it is only for a project that the user trusts: what it does on
	 * the host, or outside of the project's directory. Else NULL.
	 */
	struct error *objection;
};

struct project {
	/** The file, without links; NULL if it was not loaded. */
	char *path;
	/** Of its path and contents. */
	char digest[DIGEST_TEXT_SIZE];
	/** The directory of the file; NULL if there is none. */
	char *directory;
	/** Empty if it names none. */
	struct string_list command;
	struct project_setting *settings;
	size_t count;
	struct expectation_list failures, splats;
};

void project_deinit(struct project *project);

#define _cleanup_project_ _cleanup_(project_deinit)

/**
 * @param[in] name For messages.
 * @param[in] directory Where it lies: absolute.
 * @return ERROR_USAGE if it is not JSON, or has an unknown key or a wrong
 * value: the message says which, and what is allowed.
 */
_must_check_ struct error *project_parse(const char *text, const char *name,
					 const char *directory,
					 struct project *ret);

/** Users whose files are taken for the caller's, besides root's. */
struct project_owners {
	uid_t caller;
	/** Who has called sudo(8); else the caller. */
	uid_t sudo;
};

/** @param[in] sudo SUDO_UID, which counts for root; may be NULL. */
struct project_owners project_owners_of(uid_t caller, const char *sudo);

/**
 * @param[in] path NULL for vmtest.json, without which the project is empty.
 * @param[in] owners NULL for a file of ours.
 * @return ERROR_USAGE if others than these can change the file, or put another
 * in its place.
 */
_must_check_ struct error *project_load(const char *path,
					const struct project_owners *owners,
					struct project *ret);

/**
 * Whether the user trusts a project's file, with the contents that it has.
 *
 * @param[in] state Our directory of state; NULL if there is none.
 * @return ERROR_USAGE if others can change what is kept there.
 */
_must_check_ struct error *project_is_trusted(const struct project *project,
					      const char *state, bool *ret);

/** Keep that he does. @param[in] state As project_is_trusted(). */
_must_check_ struct error *project_trust(const struct project *project,
					 const char *state);

/**
 * Forget what is trusted and no longer there: files that are gone, or have
 * other contents.
 *
 * @param[in] state As project_is_trusted().
 * @param[in] dry_run Only say what would be deleted.
 * @param[out] deleted Their paths are added.
 */
_must_check_ struct error *project_trust_prune(const char *state, bool dry_run,
					       struct string_list *deleted);

#endif /* VM_SUITE_SUITE_H */

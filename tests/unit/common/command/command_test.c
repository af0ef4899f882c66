// SPDX-License-Identifier: LGPL-2.1-or-later

#include "common/command/command.h"

#include <criterion/criterion.h>
#include <criterion/redirect.h>
#include <jansson.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/error.h"

struct say_options {
	unsigned int times;
	const char *to;
	bool loud;
	unsigned int at_once;
	unsigned int tone;
	unsigned int echo;
	uint64_t size_bytes;
	uint64_t room_bytes;
	uint64_t age_s;
	struct string_list words;
};

#define INTO(type, field) OPTION_INTO(type, struct say_options, field)

// clang-format off
static const struct command_option say_options[] = {
	{ 'n', "times", "N", "how often", INTO(OPTION_NUMBER, times), .max = 9, .otherwise = 1 },
	{ 't', "to", "WHOM", "to whom", INTO(OPTION_STRING, to), .variable = "TALK_TO" },
	{ 'l', "loud", NULL, "loudly", INTO(OPTION_FLAG, loud) },
	{ 0 },
};

static const struct command_option shared_options[] = {
	{ 'j', "at-once", "[N]", "how many at once", INTO(OPTION_OPTIONAL_NUMBER, at_once), .min = 1 },
	{ 0, "tone", "low|high", "how high", INTO(OPTION_CHOICE, tone) },
	{ 'e', "echo", "no|yes|late", "whether it comes back", INTO(OPTION_SWITCH, echo) },
	{ 'w', "word", "WORD", "a word", INTO(OPTION_ITEM, words) },
	{ 0, "size", "SIZE", "how big", INTO(OPTION_SIZE, size_bytes), .min = 1 },
	{ 0, "room", "SIZE", "how big a room", INTO(OPTION_SIZE, room_bytes), .unit = 'M' },
	{ 0, "age", "AGE", "how old", INTO(OPTION_AGE, age_s) },
	{ 0 },
};
// clang-format on

/** What the program's file of defaults would say. */
static struct error *set_defaults(const struct command_context *context)
{
	static const char *const names[] = { "to", "word", "unknown", "loud" };
	static char *items[] = { (char *)"all", (char *)"x", (char *)"y" };
	const struct string_list to = { items, 1 }, words = { items + 1, 2 };
	struct error *err = NULL;

	for (size_t i = 0; !err && i < array_size(names); i++)
		err = command_line_set_default(&context->line, names[i],
					       i == 0 ? &to : &words);
	return err;
}

/** Say how it was called. */
static struct error *run_repeat(struct command_context *context)
{
	struct error *err;
	_cleanup_string_list_ struct string_list list = { 0 };

	err = set_defaults(context);
	if (err)
		return err;
	command_format_options(say_options, context->options, &list);
	command_format_options(shared_options, context->options, &list);
	for (int i = 0; i < context->line.argument_count; i++)
		printf("%s ", context->line.arguments[i]);
	for (size_t i = 0; i < list.count; i++)
		printf("[%s]", list.items[i]);
	putchar('\n');
	return NULL;
}

static struct error *run_say(struct command_context *context)
{
	const struct say_options *options = context->options;

	if (options->times > 5) {
		command_row(context, json_pack("{s:i}", "times", 5), "5");
		return error_create(ERROR_OTHER, "too often");
	}
	printf("times=%u%s to=%s loud=%d kernels=%zu:", options->times,
	       command_line_has(&context->line, "times") ? "" : "?",
	       options->to ? options->to : "", options->loud,
	       context->common->kernels.count);
	for (int i = 0; i < context->line.argument_count; i++)
		printf(" [%s]", context->line.arguments[i]);
	putchar('\n');
	return NULL;
}

static const struct command repeat = {
	.name = "repeat",
	.arguments = "[WORD...]",
	.summary = "say how it was called",
	.options = { say_options, shared_options },
	.options_size = sizeof(struct say_options),
	.takes_program = true,
	.run = run_repeat,
};

static const struct command say = {
	.name = "say",
	.arguments = "[WORD...]",
	.summary = "say words",
	.options = { say_options },
	.options_size = sizeof(struct say_options),
	.common = COMMON_KERNEL | COMMON_JSON,
	.failure_status = 125,
	.run = run_say,
};

static const struct command *const commands[] = { &repeat, &say, NULL };

static const struct program program = {
	.name = "talk",
	.summary = "Talks.",
	.commands = commands,
};

static int run(const char *const *argv)
{
	int argc = 0;

	while (argv[argc])
		argc++;
	return command_main(&program, argc, (char **)argv);
}

#define RUN(...) run((const char *[]){ "talk", __VA_ARGS__, NULL })

TestSuite(command, .init = cr_redirect_stdout);

/** Run a command, and read the one line that it writes to a stream. */
static const char *line_from(FILE *output, const char *const *argv, int status)
{
	static char text[512];
	const char *words[16] = { "talk" };

	for (size_t i = 0; argv[i]; i++)
		words[i + 1] = argv[i];
	cr_expect_eq(run(words), status);
	fflush(stdout);
	fflush(stderr);
	cr_assert(fgets(text, sizeof(text), output));
	return text;
}

Test(command, options_and_arguments_reach_the_command)
{
	static const struct {
		const char *argv[12];
		const char *output;
	} rows[] = {
		{ { "say", "-k", "6.1,6.12", "-ln2", "--to=you", "-k6.6", "a" },
		  "times=2 to=you loud=1 kernels=3: [a]\n" },
		// Before arguments and after them, but not after two dashes.
		{ { "say", "a", "-n", "3", "-", "--", "-l", "--" },
		  "times=3 to= loud=0 kernels=0: [a] [-] [-l] [--]\n" },
		// A path is not a list.
		{ { "say", "-k", "6.1,6.12", "-k", "/a,b", "-k./c,d" },
		  "times=1? to= loud=0 kernels=4:\n" },
		{ { "say", "-n0" }, "times=0 to= loud=0 kernels=0:\n" },
		// A program has options of its own.
		{ { "repeat", "a", "-n", "--", "b" },
		  "a -n -- b [--to=all][--loud][--word=x][--word=y]\n" },
		{ { "repeat", "--to=me", "-w", "z", "--no-loud", "--tone",
		    "high", "-n0" },
		  "[--times=0][--to=me][--tone=high][--word=x][--word=y][--word=z]\n" },
		{ { "repeat", "--size", "2048M", "--age=3d", "--room=1025" },
		  "[--to=all][--loud][--word=x][--word=y][--size=2G][--room=1025M][--age=3d]\n" },
		{ { "repeat", "--to", "", "--loud", "--no-loud", "-n1" },
		  "[--to=][--word=x][--word=y]\n" },
	};

	for (size_t i = 0; i < array_size(rows); i++)
		cr_expect_str_eq(line_from(cr_get_redirected_stdout(),
					   rows[i].argv, 0),
				 rows[i].output);
}

Test(command, a_choice_may_stand_alone)
{
	static const struct {
		const char *argv[6];
		const char *output;
	} rows[] = {
		{ { "repeat", "--to=me", "--echo", "yes" },
		  "yes [--to=me][--loud][--echo=yes][--word=x][--word=y]\n" },
		{ { "repeat", "--to=me", "--echo=late" },
		  "[--to=me][--loud][--echo=late][--word=x][--word=y]\n" },
		{ { "repeat", "--to=me", "--echo=late", "--no-echo" },
		  "[--to=me][--loud][--word=x][--word=y]\n" },
		{ { "repeat", "--to=me", "-e", "-elate" },
		  "[--to=me][--loud][--echo=late][--word=x][--word=y]\n" },
	};

	for (size_t i = 0; i < array_size(rows); i++)
		cr_expect_str_eq(line_from(cr_get_redirected_stdout(),
					   rows[i].argv, 0),
				 rows[i].output);
}

Test(command, a_variable_is_a_default)
{
	static const struct {
		const char *variable;
		const char *argv[4];
		const char *output;
	} rows[] = {
		// The first call copies what there is in the environment.
		{ "TALK=all", { "say" }, "times=1? to= loud=0 kernels=0:\n" },
		{ "TALK_TO=all", { "say" }, "times=1? to=all loud=0 kernels=0:\n" },
		{ "TALK_TO=all",
		  { "say", "-tme" },
		  "times=1? to=me loud=0 kernels=0:\n" },
		{ "TALK_TO=", { "say" }, "times=1? to= loud=0 kernels=0:\n" },
		// The file of defaults wins over it.
		{ "TALK_TO=you",
		  { "repeat" },
		  "[--to=all][--loud][--word=x][--word=y]\n" },
	};

	for (size_t i = 0; i < array_size(rows); i++) {
		static char variable[32];

		snprintf(variable, sizeof(variable), "%s", rows[i].variable);
		putenv(variable);
		cr_expect_str_eq(line_from(cr_get_redirected_stdout(),
					   rows[i].argv, 0),
				 rows[i].output);
	}
}

Test(command, directories_of_variables_are_absolute)
{
	static const struct {
		const char *value, *temporary, *home;
	} rows[] = {
		{ "", "/var/tmp", NULL },
		{ "relative", "/var/tmp", NULL },
		{ "/no/such", "/var/tmp", "/no/such/.cache/vmtest" },
		{ "/dev/null", "/var/tmp", "/dev/null/.cache/vmtest" },
		{ "/usr", "/usr", "/usr/.cache/vmtest" },
	};

	unsetenv("XDG_CACHE_HOME");
	for (size_t i = 0; i < array_size(rows); i++) {
		setenv("TMPDIR", rows[i].value, 1);
		setenv("HOME", rows[i].value, 1);
		_cleanup_free_ char *home =
			command_home("XDG_CACHE_HOME", ".cache");
		cr_expect_str_eq(command_temporary("/var/tmp"),
				 rows[i].temporary);
		cr_expect_eq(!home, !rows[i].home);
		if (home && rows[i].home)
			cr_expect_str_eq(home, rows[i].home);
	}
}

Test(command, a_number_may_be_left_out)
{
	static const struct {
		const char *argv[6];
		const char *words;
		const char *option;
	} rows[] = {
		{ { "repeat", "-j4", "a" }, "a [", "[--at-once=4]" },
		{ { "repeat", "-j", "4", "a" }, "a [", "[--at-once=4]" },
		{ { "repeat", "-j", "a" }, "a [", "[--at-once]" },
		{ { "repeat", "-j", "--", "4" }, "4 [", "[--at-once]" },
		{ { "repeat", "-j", "4x" }, "4x [", "[--at-once]" },
		{ { "repeat", "-jn2" }, "[", "[--times=2]" },
		{ { "repeat", "-jtme" }, "[", "[--to=me]" },
		{ { "repeat", "--at-once" }, "[", "[--at-once]" },
		{ { "repeat", "--at-once", "5", "6" }, "6 [", "[--at-once=5]" },
		{ { "repeat", "--at-once=7" }, "[", "[--at-once=7]" },
		{ { "repeat", "-j", "-n", "1" }, "[", "[--at-once]" },
	};

	for (size_t i = 0; i < array_size(rows); i++) {
		const char *const *argv = rows[i].argv;
		const char *text = line_from(cr_get_redirected_stdout(), argv, 0);

		cr_expect_eq(strncmp(text, rows[i].words, strlen(rows[i].words)),
			     0, "%s: %s", argv[0], text);
		cr_expect(strstr(text, rows[i].option), "%s: %s", argv[0], text);
	}
}

Test(command, what_is_wrong_is_said_and_has_a_status)
{
	static const struct {
		const char *argv[4];
		const char *message;
	} rows[] = {
		{ { "shout" }, "unknown command 'shout'; see talk --help" },
		{ { "say", "--volume" }, "unknown option '--volume'; see --help" },
		{ { "say", "--tim=1" }, "unknown option '--tim=1'; see --help" },
		{ { "say", "-x" }, "unknown option '-x'; see --help" },
		// Others have these.
		{ { "say", "-a", "host" }, "unknown option '-a'; see --help" },
		{ { "say", "--store=x" },
		  "unknown option '--store=x'; see --help" },
		{ { "repeat", "--json" }, "unknown option '--json'; see --help" },
		{ { "say", "-lx" }, "unknown option '-x'; see --help" },
		{ { "say", "-n" }, "-n needs an argument; see --help" },
		{ { "say", "--to" }, "--to needs an argument; see --help" },
		{ { "say", "-n", "1x" }, "--times: '1x' is not a whole number" },
		{ { "say", "-n", "-1" }, "--times: '-1' is not a whole number" },
		{ { "say", "-n", "" }, "--times: '' is not a whole number" },
		{ { "say", "-n10" }, "--times 10: at most 9" },
		{ { "say", "--loud=yes" }, "--loud takes no argument" },
		{ { "say", "-k", "" },
		  "--kernel: '' names nothing; leave it out to mean all" },
		{ { "say", "--kernel=," },
		  "--kernel: ',' names nothing; leave it out to mean all" },
		{ { "say", "--no-to" }, "unknown option '--no-to'; see --help" },
		{ { "repeat", "--at-once=x" },
		  "--at-once: 'x' is not a whole number" },
		{ { "repeat", "-j0" }, "--at-once 0: at least 1" },
		{ { "repeat", "--tone=flat" }, "--tone flat: use low|high" },
		{ { "repeat", "--size=1" },
		  "--size 1: use a number with M, G or T" },
		{ { "repeat", "--size=0G" },
		  "--size 0G: use a number with M, G or T" },
		{ { "repeat", "--room=1K" },
		  "--room 1K: use a number with M, G or T" },
		{ { "repeat", "--age", "3y" },
		  "--age 3y: use a number with h, d or w" },
		{ { "repeat", "--age=99999999999999999999w" },
		  "--age 99999999999999999999w: use a number with h, d or w" },
	};

	cr_redirect_stderr();
	for (size_t i = 0; i < array_size(rows); i++) {
		char wanted[256];

		snprintf(wanted, sizeof(wanted), "talk: error: %s\n",
			 rows[i].message);
		cr_expect_str_eq(line_from(cr_get_redirected_stderr(),
					   rows[i].argv, 2),
				 wanted);
	}
	cr_expect_str_eq(line_from(cr_get_redirected_stderr(),
				   (const char *[]){ "say", "-n6", NULL }, 125),
			 "talk: error: too often\n");
}

Test(command, what_was_done_before_an_error_is_printed)
{
	FILE *output = cr_get_redirected_stdout();
	char text[128] = "";

	cr_redirect_stderr();
	cr_expect_eq(RUN("say", "-n6", "--json"), 125);
	fclose(stdout);
	cr_assert_gt(fread(text, 1, sizeof(text) - 1, output), 0);
	cr_expect_str_eq(text, "[\n  {\n    \"times\": 5\n  }\n]\n");
}

Test(command, help_and_completion_know_every_command_and_option)
{
	static const char *const parts[] = {
		"say words",
		"say how it was called",
		"-n, --times N",
		"-j, --at-once [N]",
		"--store STORE",
		// Of completion.
		"repeat\tsay how",
		"--times\thow often",
		"--no-loud\t",
		"--tone=high\ttone",
		"low\ttone",
	};
	FILE *output = cr_get_redirected_stdout();
	char text[8192] = "";

	cr_expect_eq(RUN("--help"), 0);
	cr_expect_eq(RUN("repeat", "--help"), 0);
	cr_expect_eq(RUN("__complete", "re"), 0);
	cr_expect_eq(RUN("__complete", "say", "a", "--t"), 0);
	cr_expect_eq(RUN("__complete", "say", "--no"), 0);
	cr_expect_eq(RUN("__complete", "repeat", "--tone=h"), 0);
	cr_expect_eq(RUN("__complete", "repeat", "-ln", "3", "--tone", ""), 0);
	// Words of the program, and of a command that there is not.
	cr_expect_eq(RUN("__complete", "repeat", "a", "--lo"), 0);
	cr_expect_eq(RUN("__complete", "shout", "--lo"), 0);
	fflush(stdout);
	fclose(stdout);
	cr_assert_gt(fread(text, 1, sizeof(text) - 1, output), 0);
	for (size_t i = 0; i < array_size(parts); i++)
		cr_expect(strstr(text, parts[i]), "%s", parts[i]);
	cr_expect_null(strstr(text, "--loud\t"));
}

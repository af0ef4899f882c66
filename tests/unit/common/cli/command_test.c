// SPDX-License-Identifier: LGPL-2.1-or-later

#include "common/cli/command.h"

#include <criterion/criterion.h>
#include <criterion/redirect.h>
#include <string.h>

#include "common/base/error.h"

struct say_options {
	unsigned int times;
	const char *to;
	bool loud;
	unsigned int at_once;
	struct string_list words;
};

/** What the program's file of defaults would say. */
static const char *const default_words[] = { "x", "y" };

static struct error *set_defaults(const struct command_context *context)
{
	struct error *err;
	struct string_list to = { (char *[]){ (char *)"all", NULL }, 1 };
	struct string_list words = { (char **)default_words, 2 };

	err = command_set_default(context, "to", &to);
	if (!err)
		err = command_set_default(context, "word", &words);
	if (!err)
		err = command_set_default(context, "unknown", &words);
	if (!err)
		err = command_set_default(context, "loud", &words);
	return err;
}

static struct error *run_repeat(const struct command_context *context,
				int *status_ret);

static struct error *run_say(const struct command_context *context,
			     int *status_ret)
{
	const struct say_options *options = context->options;

	if (options->times > 5)
		return error_create(ERROR_OTHER, "too often");
	printf("times=%u to=%s loud=%d kernels=%zu:", options->times,
	       options->to ? options->to : "", options->loud,
	       context->common->kernels.count);
	for (int i = 0; i < context->argument_count; i++)
		printf(" [%s]", context->arguments[i]);
	*status_ret = 0;
	return NULL;
}

#define OFFSET(field) offsetof(struct say_options, field)

static const struct command_option say_options[] = {
	{ 'n', "times", "N", "how often", OPTION_NUMBER, OFFSET(times) },
	{ 't', "to", "WHOM", "to whom", OPTION_STRING, OFFSET(to) },
	{ 'l', "loud", NULL, "loudly", OPTION_FLAG, OFFSET(loud) },
	{ 0 },
};

static const struct command_option shared_options[] = {
	{ 'j', "at-once", "[N]", "how many at once", OPTION_OPTIONAL_NUMBER,
	  OFFSET(at_once) },
	{ 'w', "word", "WORD", "a word", OPTION_ITEM, OFFSET(words) },
	{ 0 },
};

static struct error *run_repeat(const struct command_context *context,
				int *status_ret)
{
	struct error *err;
	struct string_list list = STRING_LIST_INIT;

	(void)status_ret;
	err = set_defaults(context);
	if (err)
		return err;
	command_format_options(say_options, context->options, &list);
	command_format_options(shared_options, context->options, &list);
	for (int i = 0; i < context->argument_count; i++)
		printf("%s ", context->arguments[i]);
	for (size_t i = 0; i < list.count; i++)
		printf("[%s]", list.items[i]);
	putchar('\n');
	string_list_deinit(&list);
	return NULL;
}

static const struct command commands[] = {
	{
		.name = "repeat",
		.arguments = "[WORD...]",
		.summary = "say how it was called",
		.options = say_options,
		.shared_options = shared_options,
		.options_size = sizeof(struct say_options),
		.takes_program = true,
		.run = run_repeat,
	},
	{
		.name = "say",
		.arguments = "[WORD...]",
		.summary = "say words",
		.options = say_options,
		.options_size = sizeof(struct say_options),
		.takes_program = true,
		.failure_status = 125,
		.run = run_say,
	},
	{ 0 },
};

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

Test(command, options_and_arguments_reach_the_command)
{
	cr_expect_eq(RUN("say", "-k", "6.1,6.12", "-ln2", "--to=you", "-k6.6",
			 "a", "-n", "b"),
		     0);
	fflush(stdout);
	cr_expect_stdout_eq_str("times=2 to=you loud=1 kernels=3: [a] [-n] [b]");
}

Test(command, a_path_is_no_list)
{
	cr_expect_eq(RUN("say", "-k", "6.1,6.12", "-k", "/a,b", "-k./c,d"), 0);
	fflush(stdout);
	cr_expect_stdout_eq_str("times=0 to= loud=0 kernels=4:");
}

Test(command, a_number_may_be_left_out)
{
	static const struct {
		const char *argv[6];
		const char *words;
		const char *option;
	} rows[] = {
		{ { "-j4", "a" }, "a [", "[--at-once=4]" },
		{ { "-j", "4", "a" }, "a [", "[--at-once=4]" },
		{ { "-j", "a" }, "a [", "[--at-once]" },
		{ { "-j", "--", "4" }, "4 [", "[--at-once]" },
		{ { "-j", "4x" }, "4x [", "[--at-once]" },
		{ { "-jn2" }, "[", "[--times=2]" },
		{ { "--at-once" }, "[", "[--at-once]" },
		{ { "--at-once", "5", "6" }, "6 [", "[--at-once=5]" },
		{ { "--at-once=7" }, "[", "[--at-once=7]" },
		{ { "-j", "-n", "1" }, "[", "[--at-once]" },
	};

	for (size_t i = 0; i < array_size(rows); i++) {
		FILE *output = cr_get_redirected_stdout();
		char text[512] = "";
		const char *const *argv = rows[i].argv;

		cr_expect_eq(RUN("repeat", argv[0], argv[1], argv[2]), 0);
		fflush(stdout);
		cr_assert(fgets(text, sizeof(text), output));
		cr_expect_eq(strncmp(text, rows[i].words, strlen(rows[i].words)),
			     0, "%s: %s", argv[0], text);
		cr_expect(strstr(text, rows[i].option), "%s: %s", argv[0], text);
	}
}

Test(command, the_command_line_wins_over_defaults)
{
	cr_expect_eq(RUN("repeat"), 0);
	cr_expect_eq(RUN("repeat", "--to=me", "-w", "z", "--no-loud"), 0);
	cr_expect_eq(RUN("repeat", "--to", "", "--loud", "--no-loud"), 0);
	fflush(stdout);
	cr_expect_stdout_eq_str("[--to=all][--loud][--word=x][--word=y]\n"
				"[--to=me][--word=x][--word=y][--word=z]\n"
				"[--to=][--word=x][--word=y]\n");
}

Test(command, two_dashes_end_options)
{
	cr_expect_eq(RUN("say", "--", "-n"), 0);
	fflush(stdout);
	cr_expect_stdout_eq_str("times=0 to= loud=0 kernels=0: [-n]");
}

Test(command, wrong_usage_is_status_2)
{
	cr_redirect_stderr();
	cr_expect_eq(RUN("shout"), 2);
	cr_expect_eq(RUN("say", "--volume"), 2);
	cr_expect_eq(RUN("say", "-x"), 2);
	cr_expect_eq(RUN("say", "-n"), 2);
	cr_expect_eq(RUN("say", "-n", "1x"), 2);
	cr_expect_eq(RUN("say", "-n", "-1"), 2);
	cr_expect_eq(RUN("say", "--loud=yes"), 2);
	cr_expect_eq(RUN("say", "-k", ""), 2);
	cr_expect_eq(RUN("say", "--kernel=,"), 2);
	cr_expect_eq(RUN("say", "--no-to"), 2);
	cr_expect_eq(RUN("repeat", "--at-once=x"), 2);
}

Test(command, failure_has_the_commands_own_status)
{
	cr_redirect_stderr();
	cr_expect_eq(RUN("say", "-n", "6"), 125);
	fflush(stderr);
	cr_expect_stderr_eq_str("talk: error: too often\n");
}

Test(command, help_names_every_command_and_option)
{
	FILE *output = cr_get_redirected_stdout();
	char text[4096] = "";

	cr_expect_eq(RUN("--help"), 0);
	cr_expect_eq(RUN("repeat", "--help"), 0);
	fflush(stdout);
	fclose(stdout);
	cr_assert_gt(fread(text, 1, sizeof(text) - 1, output), 0);
	cr_expect(strstr(text, "say words"));
	cr_expect(strstr(text, "say how it was called"));
	cr_expect(strstr(text, "-n, --times N"));
	cr_expect(strstr(text, "-j, --at-once [N]"));
	cr_expect(strstr(text, "--store STORE"));
}

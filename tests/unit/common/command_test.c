// SPDX-License-Identifier: LGPL-2.1-or-later

#include "common/command.h"

#include <criterion/criterion.h>
#include <criterion/redirect.h>
#include <string.h>

#include "common/error.h"

struct say_options {
	unsigned int times;
	const char *to;
	bool loud;
};

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

static const struct command commands[] = {
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
	cr_expect_eq(RUN("say", "--help"), 0);
	fflush(stdout);
	fclose(stdout);
	cr_assert_gt(fread(text, 1, sizeof(text) - 1, output), 0);
	cr_expect(strstr(text, "say words"));
	cr_expect(strstr(text, "-n, --times N"));
	cr_expect(strstr(text, "--store STORE"));
}

// SPDX-License-Identifier: LGPL-2.1-or-later

#include "vm/crash/trace.h"

#include <criterion/criterion.h>
#include <string.h>

#include "common/base/text.h"

// As x86, arm64, s390x, ppc64, riscv64 and arm write them.
Test(trace, frames_of_each_architecture_are_found)
{
	static const struct {
		const char *line, *symbol, *module;
		uint64_t offset, size_bytes;
	} rows[] = {
		{ " vfs_read+0x31/0x1f0\n", "vfs_read", NULL, 0x30, 0x1f0 },
		{ "RIP: 0010:f.isra.0+0x31/0x40 [m_1]\n", "f.isra.0", "m_1",
		  0x31, 0x40 },
		{ "BUG: KASAN: x in f+0x5/0x8 [m]", "f", "m", 4, 8 },
		{ " f+0x5/0x8 [m 0123abcd]\n", "f", "m", 4, 8 },
		{ " f+0x5/0x8 [m (O)]\n", "f", NULL, 4, 8 },
		{ "pc : f+0x0/0x8", "f", NULL, 0, 8 },
		{ "lr : f+0x4/0x8", "f", NULL, 3, 8 },
		{ " [<0000000000123456>] f+0x4/0x8 \n", "f", NULL, 3, 8 },
		{ "[c00000000123] [c000000] f+0x4/0x8 (unreliable)", "f", NULL,
		  3, 8 },
		{ "NIP [c0000000001] f+0x4/0x8", "f", NULL, 4, 8 },
		{ "[<ffffffff80005>] f+0x4/0x8", "f", NULL, 3, 8 },
		{ " a from f+0x4/0x8", "f", NULL, 3, 8 },
		{ "0x12+0x4/0x8", NULL, NULL, 0, 0 },
		{ "+0x4/0x8", NULL, NULL, 0, 0 },
		{ "f+0x/0x8 f+0x4 f+0x4/8", NULL, NULL, 0, 0 },
		{ "f+0x", NULL, NULL, 0, 0 },
	};

	for (size_t i = 0; i < array_size(rows); i++) {
		_cleanup_trace_frames_ struct trace_frames frames = { 0 };

		trace_frames_add(&frames, rows[i].line, 7);
		cr_assert_eq(frames.count, !!rows[i].symbol, "%s", rows[i].line);
		if (!rows[i].symbol)
			continue;

		const struct trace_frame *frame = &frames.items[0];

		cr_expect_str_eq(frame->symbol, rows[i].symbol);
		cr_expect_eq(!frame->module, !rows[i].module, "%s", rows[i].line);
		if (frame->module && rows[i].module)
			cr_expect_str_eq(frame->module, rows[i].module);
		cr_expect_eq(frame->offset, rows[i].offset, "%s", rows[i].line);
		cr_expect_eq(frame->size_bytes, rows[i].size_bytes);
		cr_expect_eq(frame->text, 7);
	}
}

static const char text[] = "in one+0x11/0x20 [m]\n"
			   " two+0x11/0x20\n"
			   " two+0x11/0x40\n"
			   " two+0x11/0x50\n"
			   " gone+0x11/0x20\n"
			   " one+0x91/0xa0 [m]\n"
			   " one+0x11/0x20\n";

Test(trace, texts_get_the_places_that_are_known)
{
	_cleanup_trace_frames_ struct trace_frames frames = { 0 };
	_cleanup_free_ char *again = NULL;

	trace_frames_add(&frames, "x", 0);
	trace_frames_add(&frames, text, 1);
	cr_assert_eq(frames.count, 7);
	// Of the two, the size says which.
	trace_frames_resolve(&frames, NULL,
			     "two t ffffffff81000000 20\n"
			     "end t ffffffff81000020 1\n"
			     "two t ffffffff81000100 10\n"
			     "same t ffffffff81000100 10\n"
			     "after T ffffffff81000140 0\nshort\n");
	trace_frames_resolve(&frames, "m", "one t 0 20\nzzz t 20");
	cr_expect_str_eq(frames.items[0].query, "one+0x10");
	cr_expect_str_eq(frames.items[1].query, "0xffffffff81000010");
	cr_expect_str_eq(frames.items[2].query, "0xffffffff81000110");
	for (size_t i = 3; i < frames.count; i++)
		cr_expect_null(frames.items[i].query);
	trace_frames_locate(&frames, NULL,
			    "0xffffffff81000010\n./a/x.h:5:3\nb.c:7\n"
			    "0xffffffff81000110\n??:0\n");
	trace_frames_locate(&frames, "m", "0x10\n/s/m\x1b.c:41:9\n");
	again = trace_frames_format(&frames, text, 1);
	cr_expect_str_eq(again, "in one+0x11/0x20 [m] (/s/m?.c:41)\n"
				" two+0x11/0x20 (a/x.h:5, inlined at b.c:7)\n"
				" two+0x11/0x40\n"
				" two+0x11/0x50\n"
				" gone+0x11/0x20\n"
				" one+0x91/0xa0 [m]\n"
				" one+0x11/0x20\n");
}

Test(trace, a_place_is_of_a_module)
{
	static const struct {
		const char *text, *file;
		unsigned int line;
	} rows[] = {
		{ "f+0x1/0x2 (a.c:1)\n g+0x1/0x2 [m] (/s/m.c:41)\n", "/s/m.c",
		  41 },
		{ "f+0x1/0x2 [m]\n g+0x1/0x2 [m] (/s/m.c:41, inlined at b.c:2)",
		  "/s/m.c", 41 },
		{ "g+0x1/0x2 [m] (a.h:1, inlined at b.h:2, inlined at /s/m.c:41)",
		  "/s/m.c", 41 },
		{ "g+0x1/0x2 [m] (a.h:1, inlined at m.c:41)", "m.c", 41 },
		{ " ? f+0x1/0x2 [m] (b.c:3)\n g+0x1/0x2 [m] (m.c:41)", "m.c", 41 },
		{ "[  1.0] (a.c:1)", NULL, 0 },
		{ "] (a.c:1)", NULL, 0 },
		{ "f+0x1/0x2 [m] (a.c)", NULL, 0 },
		{ "f+0x1/0x2 [m] (a.c:x)", NULL, 0 },
		{ "", NULL, 0 },
	};

	for (size_t i = 0; i < array_size(rows); i++) {
		unsigned int line = 0;
		_cleanup_free_ char *file = trace_find_place(rows[i].text, &line);

		cr_expect_eq(!file, !rows[i].file, "%s", rows[i].text);
		if (file && rows[i].file)
			cr_expect_str_eq(file, rows[i].file);
		cr_expect(!file || line == rows[i].line);
	}
}

/** As who has built it may have them. */
Test(trace, as_many_symbols_as_there_may_be_are_searched, .timeout = 120)
{
	_cleanup_trace_frames_ struct trace_frames frames = { 0 };
	_cleanup_string_builder_ struct string_builder symbols = { 0 };

	for (size_t i = 0; i < 400000; i++)
		string_builder_append(&symbols, "f T 10 1\n");
	string_builder_append(&symbols, "g T 20 1\n");
	trace_frames_add(&frames, "f+0x1/0x10\ng+0x0/0x10\n", 0);
	trace_frames_resolve(&frames, NULL, symbols.text);
	cr_assert_eq(frames.count, 2);
	cr_expect_null(frames.items[0].query);
	cr_expect_str_eq(frames.items[1].query, "0x20");
}

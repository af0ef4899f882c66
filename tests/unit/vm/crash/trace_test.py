# SPDX-License-Identifier: LGPL-2.1-or-later

import importlib.util
import pathlib
import unittest

SCRIPT = pathlib.Path(__file__).parents[4] / "vm/crash/trace.py"
spec = importlib.util.spec_from_file_location("vmtest_trace", SCRIPT)
trace = importlib.util.module_from_spec(spec)
spec.loader.exec_module(trace)

TEXT = ("in one+0x11/0x20 [m]\n two+0x11/0x20\n two+0x11/0x40\n two+0x11/0x50\n"
        " gone+0x11/0x20\n one+0x91/0xa0 [m]\n one+0x11/0x20\n")
KERNEL = ("two t ffffffff81000000 20\nend t ffffffff81000020 1\ntwo t ffffffff81000100 10\n"
          "same t ffffffff81000100 10\nafter T ffffffff81000140 0\nshort\nnone U         \n")


class TraceTest(unittest.TestCase):
    def test_frames_of_each_architecture_are_found(self):
        # As x86, arm64, s390x, ppc64, riscv64 and arm write them.
        for line, *expected in (
                (" vfs_read+0x31/0x1f0\n", "vfs_read", None, 0x30, 0x1f0),
                ("RIP: 0010:f.isra.0+0x31/0x40 [m_1]\n", "f.isra.0", "m_1", 0x31, 0x40),
                ("BUG: KASAN: x in f+0x5/0x8 [m]", "f", "m", 4, 8),
                (" f+0x5/0x8 [m 0123abcd]\n", "f", "m", 4, 8),
                (" f+0x5/0x8 [m (O)]\n", "f", None, 4, 8),
                ("pc : f+0x0/0x8", "f", None, 0, 8),
                ("lr : f+0x4/0x8", "f", None, 3, 8),
                (" [<0000000000123456>] f+0x4/0x8 \n", "f", None, 3, 8),
                ("[c00000000123] [c000000] f+0x4/0x8 (unreliable)", "f", None, 3, 8),
                ("NIP [c0000000001] f+0x4/0x8", "f", None, 4, 8),
                ("[<ffffffff80005>] f+0x4/0x8", "f", None, 3, 8),
                (" a from f+0x4/0x8", "f", None, 3, 8),
                ("0x12+0x4/0x8",), ("+0x4/0x8",), ("f+0x/0x8 f+0x4 f+0x4/8",), ("f+0x",)):
            with self.subTest(line):
                found = [[f.symbol, f.module, f.offset, f.size] for f in trace.find_frames(line)]
                self.assertEqual(found, [expected] if expected else [])

    def test_there_is_a_limit_of_frames(self):
        self.assertEqual(len(trace.find_frames("f+0x1/0x2 " * 5, 3)), 3)
        self.assertEqual(len(trace.find_frames("f+0x1/0x2 ", 0)), 0)

    def test_texts_get_the_places_that_are_known(self):
        frames = trace.find_frames(TEXT)
        kernel = trace.read_symbols(KERNEL)
        module = trace.read_symbols("one t 0 20\nzzz t 20")
        queries = [frame.query(module if frame.module else kernel) for frame in frames]
        # Of the two, the size says which.
        self.assertEqual(queries, ["one+0x10", "0xffffffff81000010", "0xffffffff81000110",
                                   None, None, None, None])
        frames[0].places, = trace.read_places("0x10\n/s/m.c:41:9\n")
        frames[1].places, frames[2].places, = trace.read_places(
            "0xffffffff81000010\n./a/x.h:5:3\nb.c:7\n0xffffffff81000110\n??:0\n")
        self.assertEqual(trace.decode(TEXT, frames), TEXT
                         .replace("in one+0x11/0x20 [m]", "in one+0x11/0x20 [m] (/s/m.c:41)")
                         .replace("two+0x11/0x20", "two+0x11/0x20 (a/x.h:5, inlined at b.c:7)"))

    def test_a_place_is_of_a_module(self):
        for text, places, expected in (
                ("f+0x1/0x2\n g+0x1/0x2 [m]", ["a.c:1", "/s/m.c:41"], ("/s/m.c", 41)),
                ("f+0x1/0x2 [m]\n g+0x1/0x2 [m]", ["", "/s/m.c:41\nb.c:2"], ("/s/m.c", 41)),
                ("g+0x1/0x2 [m]", ["a.h:1\nb.h:2\n/s/m.c:41"], ("/s/m.c", 41)),
                ("g+0x1/0x2 [m]", ["a.h:1\nm.c:41"], ("m.c", 41)),
                (" ? f+0x1/0x2 [m]\n g+0x1/0x2 [m]", ["b.c:3", "m.c:41"], ("m.c", 41)),
                ("g+0x1/0x2 [m]", ["m.c:0\nm.c\nm.c:x\n??:3"], None),
                ("", [], None)):
            with self.subTest(text):
                frames = trace.find_frames(text)
                for frame, lines in zip(frames, places):
                    frame.places, = trace.read_places(f"0x1\n{lines}\n")
                self.assertEqual(trace.find_place(frames), expected)


if __name__ == "__main__":
    unittest.main()

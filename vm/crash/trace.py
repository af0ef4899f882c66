# SPDX-License-Identifier: LGPL-2.1-or-later
"""
Where in the source the frames of a kernel's stack traces are: each
`SYMBOL+OFFSET/SIZE [MODULE]` gets ` (FILE:LINE)`, and one that is inlined is followed by
where it is called, by elfutils and the debug information of vmlinux and modules.

Run as `trace.py TEXTS KERNEL [MODULE]`: TEXTS is a file with what vmtest-vm knows of a
run, as JSON; KERNEL a package's directory, and MODULE one that is not of it. Prints the
same texts, and which file and line of a module the first splat is about.
"""

import itertools
import json
import os
import re
import subprocess
import sys

# Which are the arguments of one program.
FRAME_LIMIT = 1000

FRAME = re.compile(r"(?<![\w.$])([A-Za-z_.$][\w.$]*)\+0x([0-9A-Fa-f]+)/0x([0-9A-Fa-f]+)"
                   r"(?: \[([\w.$-]+)(?: [0-9a-f]*)?\])?", re.ASCII)
# What is in front of the instruction itself. Others name the one to which a call
# returns, which may be another line's.
EXACT = re.compile(r"RIP: |pc : |PC is at |NIP \[")
# From what was on the stack, of which the kernel is not sure.
UNSURE = re.compile(r" *\? ")
SYMBOL = re.compile(r"^(\S+) \S ([0-9a-f]+) ?([0-9a-f]*)", re.MULTILINE)
PLACE = re.compile(r"(?:\./)?(?!\?\?)(.*?):(\d+)(?::\d+)?$")


class Frame:
    def __init__(self, match):
        line = match.string[match.string.rfind("\n", 0, match.start()) + 1:match.start()]
        self.symbol, offset, size, self.module = match.groups()
        self.offset, self.size, self.end = int(offset, 16), int(size, 16), match.end()
        if self.offset and not EXACT.search(line):
            self.offset -= 1
        self.is_unsure = UNSURE.match(line)
        self.places = []

    def query(self, symbols):
        """What to look up; nothing if it is not known."""
        found = symbols.get(self.symbol, [])
        if len(found) > 1 and not self.module:
            # The one that ends where the next begins, as the kernel takes it. Addresses
            # in a module are those of its sections: they do not tell.
            found = [symbol for symbol in found if symbol[2] == self.size]
        # eu-addr2line says nothing of what is behind a symbol.
        if len(found) != 1 or (self.module and self.offset >= found[0][1]):
            return None
        return (f"{self.symbol}+{self.offset:#x}" if self.module
                else f"{found[0][0] + self.offset:#x}")

    def own_place(self):
        """Of a module's, that in its own source: the kernel's headers have no absolute paths."""
        for file, line in self.places:
            if file.startswith("/"):
                return file, line
        return self.places[-1]


def find_frames(text, room=FRAME_LIMIT):
    return [Frame(match) for match in itertools.islice(FRAME.finditer(text), room)]


def read_symbols(output):
    """What `eu-nm -n -f posix` prints, by name: address, size, and how far the next one is."""
    symbols, here, following = {}, None, 0
    for name, address, size in reversed(SYMBOL.findall(output)):
        address = int(address, 16)
        if address != here:
            here, following = address, here or 0
        symbols.setdefault(name, []).append((address, int(size or "0", 16), following - address))
    return symbols


def read_places(output):
    """What `eu-addr2line -a -i` prints: of each query, its places, the innermost first."""
    blocks = re.split(r"^0x.*\n?", output, flags=re.MULTILINE)[1:]
    found = [[PLACE.match(line) for line in block.splitlines()] for block in blocks]
    return [[(match[1], int(match[2])) for match in matches if match and int(match[2])]
            for matches in found]


def decode(text, frames):
    """The text, with what is known of its frames."""
    done, parts = 0, []
    for frame in frames:
        if frame.places:
            places = ", inlined at ".join(f"{file}:{line}" for file, line in frame.places)
            parts += [text[done:frame.end], f" ({places})"]
            done = frame.end
    return "".join(parts) + text[done:]


def find_place(frames):
    """Where in a module the first frame is that has a place."""
    for frame in frames:
        if frame.module and frame.places and not frame.is_unsure:
            return frame.own_place()
    return None


def find_file(kernel, own, module):
    """What has the debug information of a module, or of the kernel."""
    if not module:
        return os.path.join(kernel, "build/vmlinux")
    paths = list(own)
    try:
        with open(os.path.join(kernel, "modules.dep"), encoding="utf-8") as file:
            paths += [os.path.join(kernel, line.split(":")[0]) for line in file]
    except OSError:
        pass
    for path in paths:
        name, suffix = os.path.splitext(os.path.basename(path))
        if suffix == ".ko" and name.replace("-", "_") == module:
            return path
    return None


def run(*words):
    return subprocess.run(words, check=False, capture_output=True, text=True,
                          errors="replace").stdout


def locate(frames, path):
    """Find the places of frames that are all of one file."""
    symbols = read_symbols(run("eu-nm", "-n", "-f", "posix", path))
    queries = [frame.query(symbols) for frame in frames]
    asked = [frame for frame, query in zip(frames, queries) if query]
    if not asked:
        return
    output = run("eu-addr2line", "-a", "-i", "-e", path, *filter(None, queries))
    for frame, places in zip(asked, read_places(output)):
        frame.places = places


def main(path, kernel, *own):
    with open(path, encoding="utf-8") as file:
        told = json.load(file)
    count = len(told["splats"])
    texts = [told["report"] or "", told["log"] or "", *told["splats"], *told["traces"]]
    frames, room = [], FRAME_LIMIT
    for text in texts:
        frames.append(find_frames(text, room))
        room -= len(frames[-1])
    for module in {frame.module for some in frames for frame in some}:
        path = find_file(kernel, own, module)
        if path and os.path.exists(path):
            locate([frame for some in frames for frame in some if frame.module == module], path)
    report, log, *texts = map(decode, texts, frames)
    # Tasks that could not go on need not be at fault.
    of_log, place = find_place(frames[1]) if told["is_lost"] else None, None
    for i, trace in enumerate(frames[2 + count:]):
        here = find_place(frames[2 + i])
        caller = None if here else find_place(trace)
        if caller:
            texts[i] += "; called from {}:{}".format(*caller)
        place = place or here or caller
    file, line = place or of_log or (None, None)
    json.dump({"report": report, "log": log, "splats": texts[:count], "traces": texts[count:],
               "file": file, "line": line}, sys.stdout)


if __name__ == "__main__":
    main(*sys.argv[1:])

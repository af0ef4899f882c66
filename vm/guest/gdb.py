# SPDX-License-Identifier: LGPL-2.1-or-later
"""
For gdb: symbols of modules, read when the guest's kernel loads them.

    vmtest-modules DIRECTORY [FILE...]

DIRECTORY is a kernel with its modules.dep; each FILE is a module beside these.
"""

import os
import shlex

import gdb


def module_name(path):
    return os.path.basename(path).split(".ko")[0].replace("-", "_")


def find_modules(directory, files):
    """The file of each module, by its name."""
    paths = list(files)
    try:
        with open(os.path.join(directory, "modules.dep"), encoding="utf-8") as file:
            paths += [os.path.join(directory, line.split(":")[0]) for line in file]
    except FileNotFoundError:
        pass
    # Of two with the same name, the one that was named is what is loaded.
    return {module_name(path): path for path in reversed(paths)}


def field_names(value):
    return {field.name for field in value.type.strip_typedefs().fields()}


def sections(module):
    """Where the kernel has put each of its sections."""
    known = module["sect_attrs"].dereference()
    attributes = known["attrs"]
    if "nsections" in field_names(known):
        count = int(known["nsections"])
    else:
        # From 6.14 on.
        count = 0
        while int(known["grp"]["bin_attrs"][count]):
            count += 1
    found = {}
    for number in range(count):
        attribute = attributes[number]
        names = field_names(attribute)
        if "name" in names:  # before 5.8
            name = attribute["name"]
        elif "battr" in names:
            name = attribute["battr"]["attr"]["name"]
        else:
            name = attribute["attr"]["name"]
        address = attribute["address"] if "address" in names else attribute["private"]
        found[name.string()] = int(address.cast(gdb.lookup_type("unsigned long")))
    return found


class ModuleLoaded(gdb.Breakpoint):
    """Where the kernel begins to initialise a module, which is in its place then."""

    def __init__(self, files):
        # Of hardware: what is written before the kernel is unpacked is lost.
        super().__init__("do_init_module", type=gdb.BP_HARDWARE_BREAKPOINT, internal=True)
        self.silent = True
        self.files = files
        self.added = {}

    def stop(self):
        try:
            self.add(gdb.parse_and_eval("mod").dereference())
        except (gdb.error, KeyError) as error:
            print(f"vmtest: the symbols of a module are not known: {error}")
        return False

    def add(self, module):
        name = module["name"].string()
        path = self.files.get(name)
        if not path or not path.endswith(".ko"):
            return
        places = sections(module)
        text = places.pop(".text", 0)
        if name in self.added:
            gdb.execute(f"remove-symbol-file -a {self.added.pop(name):#x}", to_string=True)
        more = " ".join(f"-s {section} {address:#x}" for section, address in places.items())
        gdb.execute(f"add-symbol-file {shlex.quote(path)} {text:#x} {more}", to_string=True)
        self.added[name] = text


class Modules(gdb.Command):
    """vmtest-modules DIRECTORY [FILE...]: read the symbols of modules when they are loaded."""

    def __init__(self):
        super().__init__("vmtest-modules", gdb.COMMAND_FILES)

    def invoke(self, argument, from_tty):
        directory, *files = gdb.string_to_argv(argument)
        ModuleLoaded(find_modules(directory, files))


Modules()

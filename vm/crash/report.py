# SPDX-License-Identifier: LGPL-2.1-or-later
"""
What drgn says of a guest that was lost or hung, as text: the kernel's last messages,
memory, what processors and blocked tasks were doing, and who waits for whom.

Run by `drgn -c DUMP -s VMLINUX report.py`. Each part is one that may not work with a
kernel; the others are still told. Frames that drgn cannot name, as those of modules
that it does not know, are written as the kernel does: SYMBOL+OFFSET/SIZE [MODULE].
"""

import struct
import sys

from drgn import FaultError, Object
from drgn.helpers.linux.cpumask import for_each_online_cpu
from drgn.helpers.linux.list import list_for_each_entry
from drgn.helpers.linux.percpu import per_cpu
from drgn.helpers.linux.pid import for_each_task
from drgn.helpers.linux.printk import get_printk_records
from drgn.helpers.linux.sched import task_state_to_char

TASKS = 20
MESSAGES = 50
# A kernel's lists may lead anywhere.
STEPS = 10000
STACK = 64 << 10

# What waits on the stack of a task, and what it is for, whose holder is the owner
# without its lowest bits.
LOCKS = {
    "mutex": ("mutex_lock", "struct mutex_waiter", "struct mutex"),
    "rw_semaphore": ("rwsem_down_", "struct rwsem_waiter", "struct rw_semaphore"),
}


def name_of(task):
    comm = task.comm.string_().decode(errors="replace")
    return f"{comm} ({task.pid.value_()})"


class Modules:
    """Their symbols, as the kernel itself knows them."""

    def __init__(self):
        try:
            head = prog["modules"].address_of_()
            self.modules = list(list_for_each_entry("struct module", head, "list"))
        except Exception:
            self.modules = []

    @staticmethod
    def holds(module, address):
        try:
            parts = list(module.mem)
        except AttributeError:
            parts = [module.core_layout]
        return any(p.base.value_() <= address < p.base.value_() + p.size.value_()
                   for p in parts)

    def find(self, address):
        """SYMBOL+OFFSET/SIZE [MODULE]; nothing if there is none."""
        for module in self.modules:
            if not self.holds(module, address):
                continue
            table = module.kallsyms.read_()
            count, size = table.num_symtab.value_(), struct.calcsize("=IBBHQQ")
            data = prog.read(table.symtab.value_(), count * size)
            best = max((symbol for symbol in struct.iter_unpack("=IBBHQQ", data)
                        if symbol[0] and 0 < symbol[4] <= address), key=lambda s: s[4])
            name = prog.read(table.strtab.value_() + best[0], 256).split(b"\0")[0].decode()
            offset = f"+{address - best[4]:#x}/{best[5]:#x}"
            return name, offset, module.name.string_().decode()
        return None


modules = Modules()


def symbol_of(address):
    """A name for a lock."""
    try:
        return prog.symbol(address).name
    except LookupError:
        found = modules.find(address)
        return f"{found[0]} [{found[2]}]" if found else f"{address:#x}"


def print_trace(trace, indent):
    for frame in trace:
        try:
            where = "{}:{}".format(*frame.source()[:2])
        except LookupError:
            where = None
        if frame.name and where:
            print(f"{indent}{frame.name} ({where})")
            continue
        try:
            address = frame.pc
        except LookupError:
            return
        found = modules.find(address)
        # Behind what it cannot unwind.
        if not found and not frame.name:
            return
        print(f"{indent}{found[0]}{found[1]} [{found[2]}]" if found
              else f"{indent}{frame.name}")


class Waits:
    """Which lock each blocked task waits for, and who holds it."""

    def __init__(self, tasks):
        self.tasks = {task.value_(): task for task in tasks}

    def walk(self, waiter, words, waiter_type, lock_type):
        """From one waiter along the list of all to the lock."""
        offset = prog.type(waiter_type).member("list").bit_offset // 8
        ring, node = set(), waiter.list.address_of_().value_()
        while node - offset not in ring and len(ring) < STEPS:
            other = Object(prog, waiter_type, address=node - offset)
            if other.task.value_() not in self.tasks:
                head = prog.type(lock_type).member("wait_list").bit_offset // 8
                return Object(prog, lock_type, address=node - head)
            ring.add(other.address_)
            node = other.list.next.value_()
        # Since Linux 7.1, the list has no head: the lock points to the first waiter. It is
        # on the stack, too, as what was called with it.
        first = prog.type(lock_type).member("first_waiter").bit_offset // 8
        for word in words:
            try:
                if prog.read_u64(word + first) in ring:
                    lock = Object(prog, lock_type, address=word)
                    if self.owner_of(lock) in self.tasks:
                        return lock
            except (FaultError, OverflowError):
                pass
        return None

    @staticmethod
    def owner_of(lock):
        return lock.owner.counter.value_() & ~7 & (1 << 64) - 1

    def find(self, task, trace):
        """Kind, lock and holder; nothing if it waits for none, or nobody holds it."""
        names = [frame.name or "" for frame in trace]
        for kind, (function, waiter_type, lock_type) in LOCKS.items():
            if not any(function in name for name in names):
                continue
            offset = prog.type(waiter_type).member("task").bit_offset // 8
            stack = trace[0].sp
            end = min(stack + STACK, (stack | 0x3fff) + 1)
            words = struct.unpack(f"={(end - stack) // 8}Q", prog.read(stack, end - stack))
            outside = [word for word in words if not stack <= word < end]
            for i, word in enumerate(words):
                if word != task.value_():
                    continue
                try:
                    waiter = Object(prog, waiter_type, address=stack + 8 * i - offset)
                    lock = self.walk(waiter, outside, waiter_type, lock_type)
                    owner = self.owner_of(lock)
                except (AttributeError, FaultError, LookupError):
                    continue
                if owner in self.tasks:
                    return kind, lock.address_, self.tasks[owner]
        return None


def describe(wait):
    kind, address, holder = wait
    return f"waits for {kind} {symbol_of(address)}, held by {name_of(holder)}"


def report_tasks():
    tasks = list(for_each_task(prog))
    waits, found, blocked = Waits(tasks), {}, []
    for task in tasks:
        if task_state_to_char(task) != "D":
            continue
        trace = prog.stack_trace(task)
        blocked.append((task, trace))
        wait = waits.find(task, trace)
        if wait:
            found[task.value_()] = wait
    print("blocked tasks:" if blocked else "blocked tasks: none")
    for task, trace in blocked[:TASKS]:
        wait = found.get(task.value_())
        print(f"  {name_of(task)}" + (f" {describe(wait)}" if wait else ""))
        print_trace(trace, "    ")
    if len(blocked) > TASKS:
        print(f"  and {len(blocked) - TASKS} more")
    report_deadlocks(found, waits)


def report_deadlocks(found, waits):
    told = set()
    for task in found:
        chain = []
        while task in found and task not in chain and task not in told:
            chain.append(task)
            task = found[task][2].value_()
        if task in chain:
            print("deadlock:")
            for member in chain[chain.index(task):]:
                print(f"  {name_of(waits.tasks[member])} {describe(found[member])}")
        told.update(chain)


def report_processors():
    print("processors:")
    for cpu in for_each_online_cpu(prog):
        task = per_cpu(prog["runqueues"], cpu).curr
        print(f"  CPU {cpu} ran {name_of(task)}")
        if task.pid:
            print_trace(prog.stack_trace(task), "    ")


def report_memory():
    page = prog["PAGE_SIZE"].value_() >> 10
    total = prog["_totalram_pages"].counter.value_() * page
    counts = prog["vm_zone_stat"]
    free = counts[prog["NR_FREE_PAGES"]].counter.value_() * page
    print(f"memory: {total >> 10} MB, of which {free >> 10} MB are free")


def report_messages():
    print("last messages:")
    for record in get_printk_records(prog)[-MESSAGES:]:
        text = record.text.decode(errors="replace")
        print(f"  [{record.timestamp / 1e9:12.6f}] {text}")


# What matters most comes last: the ends of logs are shown.
for part in (report_messages, report_memory, report_processors, report_tasks):
    try:
        part()
    except Exception as error:
        print(f"{part.__name__.split('_')[1]}: not known: {error}")
    sys.stdout.flush()

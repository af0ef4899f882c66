# SPDX-License-Identifier: LGPL-2.1-or-later
"""
The block devices that keep their requests. These tests drive the module: they
submit I/O, and look for it in the kernel's memory.
"""

import ctypes
import errno
import fcntl
import mmap
import os
import struct
import time
from pathlib import Path

from drgn import Object, sizeof
from drgn.helpers.linux.block import disk_name, for_each_disk
from drgn.helpers.linux.list import list_for_each
from drgn.helpers.linux.xarray import xa_load

import support
from support import has_member, has_object, prog

FLUSH = 0x4C00
READ, WRITE = 0, 1
IN_FLIGHT = 1
ATOM_STARTED = 1
SECTOR = 512
PAGE = mmap.PAGESIZE
# io_setup, io_getevents and io_submit: include/uapi/asm-generic/unistd.h and the
# architectures' own tables.
SYSTEM_CALLS = {
    "x86_64": (206, 208, 209),
    "aarch64": (0, 4, 2),
    "ppc64le": (227, 229, 230),
    "riscv64": (0, 4, 2),
    "s390x": (243, 245, 246),
    "armv7l": (243, 245, 246),
}


class Aio:
    """Direct I/O that nobody waits for. libc has no functions for it."""

    SETUP, GETEVENTS, SUBMIT = SYSTEM_CALLS.get(support.MACHINE, (None, None, None))

    def __init__(self, descriptor):
        self.descriptor = descriptor
        self.libc = ctypes.CDLL(None, use_errno=True)
        self.context = ctypes.c_ulong(0)
        self.pending = []
        self.call(self.SETUP, 64, ctypes.byref(self.context))

    def call(self, *arguments):
        result = self.libc.syscall(*arguments)
        if result < 0:
            raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
        return result

    def submit(self, operation, page):
        """One page; returns its buffer."""
        buffer = mmap.mmap(-1, PAGE)
        buffer.write(b"x" * PAGE)
        where = ctypes.addressof(ctypes.c_char.from_buffer(buffer))
        block = ctypes.create_string_buffer(struct.pack(
            "=QIIHHIQQqQII", 0, 0, 0, operation, 0, self.descriptor, where, PAGE,
            page * PAGE, 0, 0, 0))
        array = (ctypes.c_void_p * 1)(ctypes.addressof(block))
        self.pending.append((buffer, block, array))
        self.call(self.SUBMIT, self.context, 1, array)
        return buffer

    def wait(self):
        """Until all are done; returns their results."""
        results = []
        events = ctypes.create_string_buffer(32 * 64)
        while len(results) < len(self.pending):
            got = self.call(self.GETEVENTS, self.context,
                            len(self.pending) - len(results), 64, events, None)
            results += [struct.unpack_from("=QQqq", events, 32 * i)[2]
                        for i in range(got)]
        self.pending.clear()
        return results


def operation(request):
    flags = request.cmd_flags.value_()
    if support.VERSION < (4, 10):
        # Linux kernel commit ef295ecf090d ("block: better op and flags encoding")
        # (in v4.10)
        return flags >> 61
    return flags & 0xFF


def is_started(request):
    if has_member(request[0], "state"):
        return int(request.state) == IN_FLIGHT
    # Linux kernel commit 1d9bd5161ba3 ("blk-mq: replace timeout synchronization
    # with a RCU and generation based scheme") (in v4.16)
    return bool(request.atomic_flags.value_() >> ATOM_STARTED & 1)


class Disk:
    def __init__(self, index):
        self.name = f"drgntestb{index}"
        self.sysfs = Path("/sys/block") / self.name
        self.device = prog["drgn_test_blkdevs"][index]
        self.descriptor = os.open(f"/dev/{self.name}", os.O_RDWR | os.O_DIRECT)
        self.aio = Aio(self.descriptor)

    def close(self):
        self.write("truant", "0")
        self.write("queue/scheduler", "none")
        self.aio.wait()
        os.close(self.descriptor)

    def read(self, name):
        return (self.sysfs / name).read_text().strip()

    def write(self, name, text):
        (self.sysfs / name).write_text(text)

    def flush(self):
        fcntl.ioctl(self.descriptor, FLUSH, 0)

    def loafing(self):
        """Requests on the list, which runs through the data behind each."""
        size = sizeof(prog.type("struct request"))
        return [
            Object(prog, "struct request *", node.value_() - size)
            for node in list_for_each(self.device.loafing_requests.address_of_())
        ]

    def queues(self):
        """Hardware queues of the disk."""
        queue = self.device.disk.queue
        for i in range(queue.nr_hw_queues):
            if has_member(queue[0], "hctx_table"):
                # Linux kernel commit 4e5cc99e1e48 ("blk-mq: manage hctx map via
                # xarray") (in v5.18)
                yield Object(prog, "struct blk_mq_hw_ctx *",
                             xa_load(queue.hctx_table.address_of_(), i).value_())
            else:
                yield queue.queue_hw_ctx[i]

    def in_flight(self):
        """Addresses of started requests, by the driver's tags."""
        found = set()
        for queue in self.queues():
            for i in range(queue.tags.nr_tags):
                request = queue.tags.rqs[i]
                if request and request.q == self.device.disk.queue \
                        and is_started(request):
                    found.add(request.value_())
        return found


class BlockCase(support.TestCase):
    INDEX = 0

    def setUp(self):
        if not os.path.exists(f"/dev/drgntestb{self.INDEX}"):
            self.skipTest(f"no drgntestb{self.INDEX} on {support.RELEASE}")
        if Aio.SETUP is None:
            self.skipTest("system calls are known by number on some machines only")
        self.disk = Disk(self.INDEX)
        self.addCleanup(self.disk.close)


class BlockTest(BlockCase):
    def test_name(self):
        found = disk_name(self.disk.device.disk)
        self.assertEqual(found.decode(), self.disk.name)

    def test_drgn_lists_the_disk(self):
        try:
            found = [disk_name(disk).decode() for disk in for_each_disk(prog)]
        except AttributeError as error:
            self.skipTest(f"for_each_disk() of drgn 0.0.22: {error}")
        self.assertIn(self.disk.name, found)

    def test_is_idle_at_first(self):
        self.assertEqual(self.disk.read("truant"), "0")
        self.assertEqual(self.disk.read("num_loafing"), "0")
        self.assertEqual(self.disk.loafing(), [])

    def test_size_and_cache(self):
        self.assertGreater(int(self.disk.read("size")) * SECTOR, 11 << 16)
        self.assertLessEqual(int(self.disk.read("queue/logical_block_size")), PAGE)
        self.assertEqual(self.disk.read("queue/write_cache"), "write back")

    def test_tags(self):
        tags = [queue.tags.nr_tags.value_() for queue in self.disk.queues()]
        self.assertEqual(set(tags), {4 if self.INDEX else 2})
        cpus = len(os.sched_getaffinity(0))
        self.assertEqual(len(tags), min(cpus, 2))

    def test_queue_function_is_called_where_a_request_is_submitted(self):
        flags = self.disk.device.tag_set.flags
        self.assertFalse(flags & prog["BLK_MQ_F_BLOCKING"])
        shared = "BLK_MQ_F_TAG_HCTX_SHARED"
        if has_object(shared):
            self.assertEqual(bool(flags & prog[shared]), bool(self.INDEX))

    def test_open_device_keeps_the_module(self):
        self.assertNotEqual(Path("/sys/module/drgn_test/refcnt").read_text(), "0\n")

    def test_major_is_listed(self):
        devices = Path("/proc/devices").read_text()
        self.assertRegex(devices, r"(?m)^ *\d+ drgntest$")

    def test_done_at_once_and_reads_zeroes(self):
        self.disk.aio.submit(WRITE, 0)
        self.assertEqual(self.disk.aio.wait(), [PAGE])
        buffer = self.disk.aio.submit(READ, 0)
        self.assertEqual(self.disk.aio.wait(), [PAGE])
        self.assertEqual(buffer[:], bytes(PAGE))

    def test_flush_is_done_at_once(self):
        start = time.monotonic()
        self.disk.flush()
        self.assertLess(time.monotonic() - start, 5)

    def test_flush_has_arrived_when_the_ioctl_returns(self):
        """
        No other task of a processor runs while one does that is of the class FIFO
        and does not sleep.
        """
        processors = os.sched_getaffinity(0)
        self.addCleanup(os.sched_setaffinity, 0, processors)
        self.addCleanup(os.sched_setscheduler, 0, os.SCHED_OTHER, os.sched_param(0))
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(50))
        for processor in [*processors] * 3:
            os.sched_setaffinity(0, [processor])
            self.disk.write("truant", "1")
            self.disk.flush()
            self.assertEqual(self.disk.read("num_loafing"), "1")
            self.disk.write("truant", "0")

    def test_flush_behind_one_that_loafs_is_refused(self):
        self.disk.write("truant", "1")
        self.disk.flush()
        for _ in range(2):
            start = time.monotonic()
            with self.assertRaises(OSError) as caught:
                self.disk.flush()
            self.assertEqual(caught.exception.errno, errno.EBUSY)
            self.assertLess(time.monotonic() - start, 5)
        self.assertEqual(self.disk.read("num_loafing"), "1")
        self.disk.write("truant", "0")
        self.disk.flush()

    def test_other_ioctl_are_refused(self):
        with self.assertRaises(OSError) as caught:
            fcntl.ioctl(self.disk.descriptor, FLUSH + 1, 0)
        self.assertEqual(caught.exception.errno, errno.ENOTTY)

    def test_truant_refuses_all_but_two(self):
        for text in ("2", "y", "-1"):
            with self.subTest(text):
                with self.assertRaises(OSError) as caught:
                    self.disk.write("truant", text)
                self.assertEqual(caught.exception.errno, errno.EINVAL)

    def test_write_loafs(self):
        self.disk.write("truant", "1\n")
        self.assertEqual(self.disk.read("truant"), "1")
        self.disk.aio.submit(WRITE, 6)
        self.assertEqual(self.disk.read("num_loafing"), "1")
        request = self.disk.loafing()[0]
        self.assertEqual(operation(request), prog["REQ_OP_WRITE"])
        self.assertEqual(request.member_("__sector").value_() * SECTOR, 6 * PAGE)
        self.assertEqual(request.member_("__data_len"), PAGE)
        self.assertTrue(is_started(request))

    def test_loafing_ends_with_the_mode(self):
        self.disk.write("truant", "1")
        self.disk.aio.submit(WRITE, 6)
        self.disk.write("truant", "0\n")
        self.assertEqual(self.disk.aio.wait(), [PAGE])
        self.assertEqual(self.disk.read("num_loafing"), "0")
        self.assertEqual(self.disk.loafing(), [])

    def assert_loafing_is_in_flight(self):
        found = [request.value_() for request in self.disk.loafing()]
        self.assertEqual(set(found), self.disk.in_flight())
        self.assertEqual(str(len(found)), self.disk.read("num_loafing"))

    def test_flush_and_read_are_found_by_tags(self):
        self.disk.write("queue/scheduler", "none")
        self.disk.write("truant", "1")
        self.disk.flush()
        self.assertEqual([operation(request) for request in self.disk.loafing()],
                         [prog["REQ_OP_FLUSH"]])
        self.disk.aio.submit(READ, 1)
        self.assertEqual([operation(request) for request in self.disk.loafing()],
                         [prog["REQ_OP_FLUSH"], prog["REQ_OP_READ"]])
        self.assert_loafing_is_in_flight()

    def test_loafing_is_in_the_order_of_arrival(self):
        self.disk.write("queue/scheduler", "none")
        self.disk.write("truant", "1")
        # As many as there are tags for, and not by rising sector.
        for page in (5, 3):
            self.disk.aio.submit(READ, page)
        self.assertEqual([request.member_("__sector").value_() * SECTOR
                          for request in self.disk.loafing()], [5 * PAGE, 3 * PAGE])

    def test_with_a_scheduler(self):
        if "mq-deadline" not in self.disk.read("queue/scheduler"):
            self.skipTest("the kernel is without mq-deadline")
        self.disk.write("queue/scheduler", "mq-deadline")
        self.disk.write("queue/nr_requests", "128")
        self.disk.write("truant", "1")
        self.disk.flush()
        for page in (2, 4, 6, 8, 10):
            self.disk.aio.submit(READ, page)
        self.assert_loafing_is_in_flight()
        self.disk.write("truant", "0")
        self.assertEqual(self.disk.aio.wait(), [PAGE] * 5)


class SharedTagsTest(BlockTest):
    INDEX = 1

# SPDX-License-Identifier: LGPL-2.1-or-later
"""
Calling functions of the running kernel on x86-64, as a debugger does it: by a module
that is made for one call. Its memory has what pointers among the arguments point to,
and the result; it is read before the module goes.
"""

import ctypes
import os
import re
import struct
from pathlib import Path

from drgn import sizeof

from support import KMOD, prog

NAME = "drgn_test_call"
MODULE_TYPE = ".gnu.linkonce.this_module"
R_X86_64_64 = 1
SHT_PROGBITS, SHT_SYMTAB, SHT_STRTAB, SHT_RELA = 1, 2, 3, 4
WRITE, ALLOC, EXEC = 1, 2, 4
# System calls of x86-64.
INIT_MODULE, DELETE_MODULE = 175, 176
# What loads an immediate number to the registers of the first six arguments, and what
# loads the address of something in the data, which rbx points to.
IMMEDIATE = [b"\x48\xbf", b"\x48\xbe", b"\x48\xba", b"\x48\xb9", b"\x49\xb8", b"\x49\xb9"]
ADDRESS = [b"\x48\x8d\xbb", b"\x48\x8d\xb3", b"\x48\x8d\x93", b"\x48\x8d\x8b",
           b"\x4c\x8d\x83", b"\x4c\x8d\x8b"]
TO_RAX, ADDRESS_TO_RAX = b"\x48\xb8", b"\x48\x8d\x83"


def number(value):
    return struct.pack("<Q", value & (1 << 64) - 1)


def code(function, arguments):
    """
    A function that calls another one. Of the arguments, bytes are of the data, where
    they follow each other from the second word on, and their address is what is passed.
    """
    offset = 8
    registers, stack = b"", []
    for i, argument in enumerate(arguments):
        immediate, address = (IMMEDIATE[i], ADDRESS[i]) if i < 6 \
            else (TO_RAX, ADDRESS_TO_RAX)
        if isinstance(argument, bytes):
            load = address + struct.pack("<i", offset)
            offset += len(argument) + 7 & ~7
        else:
            load = immediate + number(argument)
        if i < 6:
            registers += load
        else:
            stack.append(load + b"\x50")  # push rax
    if len(stack) % 2:
        stack.append(b"\x50")
    return b"".join([
        b"\xf3\x0f\x1e\xfa",  # endbr64
        b"\x53\x48\xbb", bytes(8),  # push rbx; mov DATA, rbx
        *reversed(stack), registers,
        TO_RAX, number(function), b"\xff\xd0",  # call *rax
        b"\x48\x89\x03",  # mov rax, (rbx)
        b"\x48\x81\xc4", struct.pack("<i", 8 * len(stack)),  # add ..., rsp
        b"\x31\xc0\x5b\xc3",  # xor eax, eax; pop rbx; ret
    ])


def sections(path):
    """Contents of the named sections of an ELF file."""
    image = Path(path).read_bytes()
    start, = struct.unpack_from("<Q", image, 40)
    size, count, names = struct.unpack_from("<HHH", image, 58)
    headers = [struct.unpack_from("<IIQQQQIIQQ", image, start + i * size)
               for i in range(count)]
    strings = headers[names][4]
    return {image[strings + header[0]:].split(b"\0", 1)[0].decode():
            image[header[4]:header[4] + header[5]]
            for header in headers if header[1] != 8}


def module(text, data):
    """An ELF file of a module with this code and data, for the kernel of KMOD."""
    given = sections(KMOD)
    kind = prog.type("struct module")
    offsets = {name: prog.type("struct module").member(name).offset
               for name in ("name", "init", "exit")}
    this = bytearray(sizeof(kind))
    this[offsets["name"]:offsets["name"] + len(NAME)] = NAME.encode()
    magic = re.search(rb"vermagic=[^\0]*\0", given[".modinfo"])[0]
    # Symbols: of the code (0x10 is a global one), of its end, which only returns, and of
    # the data.
    symbols = bytes(24) + b"".join(
        struct.pack("<IBBHQQ", 0, info, 0, section, value, 0)
        for info, section, value in ((3, 1, 0), (3, 2, 0)))
    rows = [
        (".text", SHT_PROGBITS, ALLOC | EXEC, text, 0, 0, 0),
        (".data", SHT_PROGBITS, WRITE | ALLOC, data, 0, 0, 0),
        (".modinfo", SHT_PROGBITS, ALLOC, magic + b"license=GPL\0name=" + NAME.encode()
         + b"\0", 0, 0, 0),
        (MODULE_TYPE, SHT_PROGBITS, WRITE | ALLOC, bytes(this), 0, 0, 0),
        (".rela.text", SHT_RELA, 0,
         struct.pack("<QQq", text.index(b"\x53\x48\xbb") + 3, 2 << 32 | R_X86_64_64, 0),
         7, 1, 24),
        (f".rela{MODULE_TYPE}", SHT_RELA, 0,
         struct.pack("<QQq", offsets["init"], 1 << 32 | R_X86_64_64, 0)
         + struct.pack("<QQq", offsets["exit"], 1 << 32 | R_X86_64_64, len(text) - 1),
         7, 4, 24),
        (".symtab", SHT_SYMTAB, 0, symbols, 8, 3, 24),
        (".strtab", SHT_STRTAB, 0, b"\0", 0, 0, 0),
    ]
    # With MODVERSIONS, those of all symbols: it has but one, which is among them.
    rows += [(name, SHT_PROGBITS, ALLOC, content, 0, 0, 0)
             for name, content in given.items()
             if name in ("__versions", "__version_ext_crcs", "__version_ext_names")]
    names = "\0".join(["", *(row[0] for row in rows), ".shstrtab", ""]).encode()
    rows.append((".shstrtab", SHT_STRTAB, 0, names, 0, 0, 0))
    body, headers = b"", bytes(64)
    for name, type_, flags, content, link, info, entry in rows:
        body += bytes(-len(body) % 16)
        headers += struct.pack("<IIQQQQIIQQ", names.index(f"\0{name}\0".encode()) + 1,
                               type_, flags, 0, 64 + len(body), len(content), link,
                               info, 16, entry)
        body += content
    body += bytes(-len(body) % 16)
    return struct.pack("<16sHHIQQQIHHHHHH", b"\x7fELF\x02\x01\x01", 1, 62, 1, 0, 0,
                       64 + len(body), 0, 64, 0, 0, 64, len(rows) + 1, len(rows)) \
        + body + headers


def system_call(*arguments):
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.syscall(*arguments) < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()), NAME)


def call(function, *arguments):
    """
    Call a function, by its name, with numbers and with pointers to bytes. Returns the
    64 bits of its result, and what the bytes are afterwards.
    """
    pointed = [argument for argument in arguments if isinstance(argument, bytes)]
    data = bytes(8) + b"".join(part.ljust(len(part) + 7 & ~7, b"\0") for part in pointed)
    image = module(code(prog.symbol(function).address, arguments), data)
    system_call(INIT_MODULE, image, ctypes.c_ulong(len(image)), b"")
    try:
        where = int(Path("/sys/module", NAME, "sections/.data").read_text(), 16)
        data = prog.read(where, len(data))
    finally:
        system_call(DELETE_MODULE, NAME.encode(), os.O_NONBLOCK)
    found, offset = [], 8
    for part in pointed:
        found.append(data[offset:offset + len(part)])
        offset += len(part) + 7 & ~7
    return int.from_bytes(data[:8], "little"), found

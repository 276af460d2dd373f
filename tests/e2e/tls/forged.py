# SPDX-License-Identifier: Apache-2.0
"""Files that are not what they seem: a libssl with the build-id of another and its functions elsewhere, and ELF files that are
broken in each place that a reader goes by."""
import os
import random
import re
import struct
import subprocess

from probed import instructions

FUNCTIONS = ("SSL_new", "SSL_free", "SSL_read", "SSL_read_ex", "SSL_write", "SSL_write_ex", "SSL_set_fd")
LONG = 10  # bytes of movabs


def build_id(path):
    out = subprocess.run(["readelf", "-n", path], capture_output=True, text=True, check=True).stdout
    return re.search(r"Build ID: ([0-9a-f]+)", out)[1]


def source(shift, size):
    """Functions, then instructions as long as they come, from @shift on."""
    lines = [".text"]
    for name in FUNCTIONS:
        lines += [f".globl {name}", f".type {name}, @function", f"{name}: push %rbp", "mov %rsp, %rbp", "sub $0x20, %rsp",
                  "xor %eax, %eax", "leave", "ret", f".size {name}, . - {name}"]
    lines += [".balign 64", f".rept {shift}", "nop", ".endr", f".rept {size // LONG}", "movabs $0x1122334455667788, %rax", ".endr"]
    return "\n".join(lines) + "\n.section .note.GNU-stack,\"\",@progbits\n"


def assemble(path, genuine, shift, size):
    asm = path + ".s"
    with open(asm, "w", encoding="ascii") as f:
        f.write(source(shift, size))
    subprocess.run(["gcc", "-shared", "-nostdlib", f"-Wl,--build-id=0x{build_id(genuine)}", "-Wl,-soname,libssl.so.3",
                    "-Wl,-z,noseparate-code", asm, "-o", path], check=True)
    os.unlink(asm)


def libssl(path, genuine, avoid):
    """Writes @path: build-id, name and size of @genuine, and instructions that begin at as few of the offsets @avoid as can be.
    Returns how many of them lie inside one."""
    inside = {}
    for shift in [*range(LONG), None]:
        if shift is None:
            shift = max(inside, key=inside.get)
        assemble(path, genuine, shift, max(avoid))
        inside[shift] = len(set(avoid) - instructions(path))
        if inside[shift] == len(avoid):
            break
    if os.path.getsize(path) < os.path.getsize(genuine):
        os.truncate(path, os.path.getsize(genuine))
    return inside[shift]


def sections(elf):
    """[(name, offset of the header)] of a 64-bit ELF file."""
    shoff, = struct.unpack_from("<Q", elf, 40)
    shnum, shstrndx = struct.unpack_from("<HH", elf, 60)
    strings, = struct.unpack_from("<Q", elf, shoff + shstrndx * 64 + 24)
    out = {}
    for i in range(shnum):
        name, = struct.unpack_from("<I", elf, shoff + i * 64)
        out[elf[strings + name:elf.index(b"\0", strings + name)].decode()] = shoff + i * 64
    return out


def put(elf, offset, form, value):
    copy = bytearray(elf)
    struct.pack_into(form, copy, offset, value)
    return bytes(copy)


def broken_heads(elf):
    shoff, = struct.unpack_from("<Q", elf, 40)
    for n in (0, 10, 63, 64, 65, 200, len(elf) // 2, shoff + 10, shoff + 64 * 3):
        yield f"cut-{n}", elf[:n]
    for value in (0, 1, len(elf) - 1, 1 << 40, (1 << 64) - 64, (1 << 64) - 1):
        yield f"shoff-{value:x}", put(elf, 40, "<Q", value)
        yield f"phoff-{value:x}", put(elf, 32, "<Q", value)
    for field, offset in (("phentsize", 54), ("phnum", 56), ("shentsize", 58), ("shnum", 60), ("shstrndx", 62)):
        for value in (0, 1, 0xfffe, 0xffff):
            yield f"{field}-{value:x}", put(elf, offset, "<H", value)
    # No number in the head: it stands in the first section, and is absurd.
    yield "shnum-extended", put(put(elf, 60, "<H", 0), shoff + 32, "<Q", (1 << 64) - 1)


def broken_tables(elf):
    where = sections(elf)
    for name in (".dynsym", ".dynstr", ".text"):
        for field, offset, form in (("offset", 24, "<Q"), ("size", 32, "<Q"), ("link", 40, "<I"), ("entsize", 56, "<Q")):
            for value in (0, 1, 0xfffffff0, (1 << 64) - 8):
                yield f"{name[1:]}-{field}-{value:x}", put(elf, where[name] + offset, form, value & (0xffffffff if form == "<I" else -1))
    start, size = struct.unpack_from("<QQ", elf, where[".dynsym"] + 24)
    for what, at, form, value in (("name", 0, "<I", 0xffffffff), ("value", 8, "<Q", (1 << 64) - 1), ("size", 16, "<Q", (1 << 64) - 1)):
        copy = bytearray(elf)
        for symbol in range(start, start + size, 24):
            struct.pack_into(form, copy, symbol + at, value)
        yield f"symbols-{what}", bytes(copy)


def flipped(elf, seed, n):
    """@n copies with bytes changed at random where a reader looks."""
    rnd = random.Random(seed)
    where = sections(elf)
    spans = [(0, 64 + 56 * 12), (len(elf) - 64 * len(where), len(elf))]
    for name in (".dynsym", ".dynstr"):
        offset, size = struct.unpack_from("<QQ", elf, where[name] + 24)
        spans.append((offset, offset + size))
    for i in range(n):
        copy = bytearray(elf)
        for _ in range(rnd.choice((1, 4, 30, 300))):
            start, end = rnd.choice(spans)
            copy[rnd.randrange(start, end)] = rnd.randrange(256)
        if copy[:4] == b"\x7fELF":
            yield f"flipped-{i}", bytes(copy)


def broken(path, seed=1):
    with open(path, "rb") as f:
        elf = f.read()
    yield from broken_heads(elf)
    yield from broken_tables(elf)
    yield from flipped(elf, seed, 20)

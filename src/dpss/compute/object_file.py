"""Loader of Linux object files (ELF) whose code refers to the C library only.

LLVM's linker would need LLVM, which is half of an installation. The object files that numba makes
of this program's loops hold code and constants, with few kinds of relocations.
"""

from __future__ import annotations

import ctypes
import mmap
import platform
import struct
import sys
from dataclasses import dataclass
from typing import Any

_MACHINES = {"x86_64": 62, "aarch64": 183}
"""Number of a processor in an object file."""
_HEADER = b"\x7fELF\x02\x01"
_NOBITS, _SYMBOLS, _RELOCATIONS = 8, 2, 4
"""Types of sections: without bytes in the file, of symbols, of relocations with addends."""
_WRITE, _ALLOCATED = 1, 2
"""Flags of sections: writable, and allocated in memory."""
_UNDEFINED = 0
_IGNORED = (".eh_frame",)
"""Sections that only exceptions and debuggers read."""
_STUBS = {
    # jmp *2(%rip), two bytes to fill, the address
    "x86_64": b"\xff\x25\x02\0\0\0\0\0",
    # ldr x16, .+8; br x16; the address
    "aarch64": b"\x50\0\0\x58\0\x02\x1f\xd6",
}
"""Code that jumps to the 64-bit address stored after it, by processor."""


@dataclass(frozen=True)
class Section:
    """A section of an object file: position, size, type and flags."""

    name: str
    kind: int
    flags: int
    offset: int
    size: int
    link: int
    info: int
    alignment: int


@dataclass(frozen=True)
class Symbol:
    """A symbol: its name, its section and its offset there."""

    name: str
    section: int
    value: int


@dataclass(frozen=True)
class LoadedObject:
    """An object file in executable memory, which is freed with this object."""

    memory: mmap.mmap
    addresses: dict[str, int]

    def address_of(self, symbol: str) -> int:
        """Return the address of a function.

        Raises:
            ValueError: There is no such function.
        """
        if symbol not in self.addresses:
            raise ValueError(f"no {symbol} in the object file")
        return self.addresses[symbol]


def load_object(code: bytes) -> LoadedObject:
    """Load an object file into executable memory.

    Raises:
        ValueError: The file is for another system or processor, is damaged, or needs an unsupported
            feature: another relocation, writable data, an unknown function.
        OSError: The system refuses executable memory.
    """
    machine = platform.machine()
    if sys.platform != "linux" or machine not in _MACHINES:
        raise ValueError(f"no loader for {sys.platform} on {machine}")
    try:
        sections, symbols = _read(code, _MACHINES[machine])
        return _place(code, sections, symbols, machine)
    except (struct.error, IndexError, UnicodeDecodeError) as error:
        raise ValueError("the object file is damaged") from error


def _read(code: bytes, machine: int) -> tuple[list[Section], list[Symbol]]:
    """Return the sections and symbols of an object file."""
    if code[:6] != _HEADER or struct.unpack_from("<HH", code, 16) != (1, machine):
        raise ValueError("no object file for this processor")
    (start,) = struct.unpack_from("<Q", code, 40)
    n_sections, names = struct.unpack_from("<HH", code, 60)
    raw = [struct.unpack_from("<IIQQQQIIQQ", code, start + 64 * i) for i in range(n_sections)]
    sections = [
        Section(_text(code, raw[names][4] + r[0]), r[1], r[2], r[4], r[5], r[6], r[7], max(r[8], 1))
        for r in raw
    ]
    symbols = []
    for section in sections:
        if section.kind == _SYMBOLS:
            strings = sections[section.link].offset
            for at in range(section.offset, section.offset + section.size, 24):
                name, _, _, index, value, _ = struct.unpack_from("<IBBHQQ", code, at)
                symbols.append(Symbol(_text(code, strings + name), index, value))
    return sections, symbols


def _text(code: bytes, at: int) -> str:
    """Return the zero-terminated name at an offset."""
    return code[at : code.index(b"\0", at)].decode()


def _place(
    code: bytes, sections: list[Section], symbols: list[Symbol], machine: str
) -> LoadedObject:
    """Lay out sections and stubs, relocate, and make the memory executable."""
    offsets: dict[int, int] = {}
    size = 0
    for i, section in enumerate(sections):
        if section.flags & _ALLOCATED and section.size and section.name not in _IGNORED:
            if section.flags & _WRITE or section.kind == _NOBITS:
                raise ValueError(f"{section.name} is written to")
            size = -(-size // section.alignment) * section.alignment
            offsets[i] = size
            size += section.size
    undefined = [s.name for s in symbols if s.section == _UNDEFINED and s.name]
    stubs = {name: -(-size // 16) * 16 + 16 * i for i, name in enumerate(undefined)}
    size = max([size, *(at + 16 for at in stubs.values())])
    memory = mmap.mmap(-1, max(size, 1))
    base = ctypes.addressof(ctypes.c_char.from_buffer(memory))
    for i, at in offsets.items():
        section = sections[i]
        memory[at : at + section.size] = code[section.offset : section.offset + section.size]
    for name, at in stubs.items():
        memory[at : at + 16] = _STUBS[machine] + struct.pack("<Q", _library_address(name))
    addresses = [
        base + stubs[s.name] if s.name in stubs and s.section == _UNDEFINED
        else base + offsets[s.section] + s.value if s.section in offsets
        else None
        for s in symbols
    ]  # fmt: skip
    relocate = {"x86_64": _relocate_x86, "aarch64": _relocate_arm}[machine]
    for section in sections:
        if section.kind == _RELOCATIONS and section.info in offsets:
            for at in range(section.offset, section.offset + section.size, 24):
                place, info, addend = struct.unpack_from("<QQq", code, at)
                target = addresses[info >> 32]
                if target is None:
                    raise ValueError("a relocation to nowhere")
                place += offsets[section.info]
                relocate(memory, place, info & 0xFFFFFFFF, target + addend, base + place)
    _make_executable(base, len(memory))
    found = zip(symbols, addresses, strict=True)
    return LoadedObject(memory, {s.name: at for s, at in found if at and s.section != _UNDEFINED})


def _relocate_x86(memory: Any, place: int, kind: int, target: int, here: int) -> None:
    """Write one relocation of x86-64."""
    match kind:
        case 1:  # R_X86_64_64
            struct.pack_into("<Q", memory, place, target & (1 << 64) - 1)
        case 2 | 4:  # R_X86_64_PC32, PLT32: in range, as all is in one piece of memory
            struct.pack_into("<i", memory, place, target - here)
        case 24:  # R_X86_64_PC64
            struct.pack_into("<q", memory, place, target - here)
        case _:
            raise ValueError(f"relocation {kind} of x86-64")


def _relocate_arm(memory: Any, place: int, kind: int, target: int, here: int) -> None:
    """Write one relocation of 64-bit ARM."""
    if kind == 257:  # R_AARCH64_ABS64
        struct.pack_into("<Q", memory, place, target & (1 << 64) - 1)
        return
    (word,) = struct.unpack_from("<I", memory, place)
    match kind:
        case 263 | 264 | 265 | 266 | 267 | 268 | 269:  # R_AARCH64_MOVW_UABS_G0 to G3
            part = target >> 16 * ((kind - 263) // 2) & 0xFFFF
            word = word & ~(0xFFFF << 5) | part << 5
        case 275:  # R_AARCH64_ADR_PREL_PG_HI21
            pages = (target >> 12) - (here >> 12)
            word = (
                word & ~(3 << 29 | 0x7FFFF << 5) | (pages & 3) << 29 | (pages >> 2 & 0x7FFFF) << 5
            )
        case 277:  # R_AARCH64_ADD_ABS_LO12_NC
            word = word & ~(0xFFF << 10) | (target & 0xFFF) << 10
        case 282 | 283:  # R_AARCH64_JUMP26, CALL26: in range, as all is in one piece of memory
            word = word & ~0x3FFFFFF | (target - here) >> 2 & 0x3FFFFFF
        case _:
            raise ValueError(f"relocation {kind} of aarch64")
    struct.pack_into("<I", memory, place, word)


def c_library() -> ctypes.CDLL:
    """Return the C library of this process; functions are attributes of it."""
    return ctypes.CDLL("msvcrt" if sys.platform == "win32" else None)


def _library_address(name: str) -> int:
    """Return the address of a function of the C library."""
    try:
        found = ctypes.cast(getattr(c_library(), name), ctypes.c_void_p).value
    except AttributeError as error:
        raise ValueError(f"needs {name}") from error
    return int(found or 0)


def _make_executable(base: int, size: int) -> None:
    """Make memory executable and read-only; Linux then renews ARM's instruction cache."""
    libc = ctypes.CDLL(None, use_errno=True)
    protect = libc.mprotect
    protect.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int]
    if protect(base, size, mmap.PROT_READ | mmap.PROT_EXEC):
        raise OSError(ctypes.get_errno(), "memory can't be made executable")

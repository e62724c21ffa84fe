"""Ways to damage bytes and text, each decided by a random generator alone."""

from __future__ import annotations

import re
from random import Random

TOKENS = (
    *(b"", b"0", b"-1", b"-0", b"1e999", b"nan", b"NaN", b"inf", b"-Infinity", b"NA", b"0x10"),
    *(b"2147483648", b"4294967296", b"9223372036854775808", b"99999999999999999999999999"),
    *(b"1e-400", b"1.5.5", b"1,5", b"\xff\xfe", b"\0", b'"', b'""', b"'", b"#", b"%", b"\xc2"),
    *(b"MT-ND1", b"ENSG00000000003", b"AAACCTGAGAAACCAT-1", b"a" * 300, b"\xe2\x80\xa8"),
)
"""What a field of text may be replaced by."""
SEPARATORS = (b",", b"\t", b";", b" ", b"  ", b"\n", b"\r\n", b"\r", b"\n\n", b"\0")
NUMBERS = (0, 1, -1, 2, 127, 128, 255, 256, 32768, 65535, 1 << 16, (1 << 31) - 1, -(1 << 31))
_FIELD = re.compile(rb"[^,;\t\r\n ]+")


def damage_bytes(rng: Random, data: bytes, most: int = 8) -> bytes:
    """Flip, overwrite, repeat, move, insert or cut bytes, in one place or several."""
    out = bytearray(data)
    for _ in range(rng.choice((1, 1, 1, 2, 4, most))):
        if not out:
            break
        # The first bytes decide most: every other damage is done there.
        at = rng.randrange(min(len(out), rng.choice((16, 512, 4096, len(out), len(out)))))
        piece = rng.choice((1, 2, 4, 8))
        match rng.randrange(9):
            case 0 | 1:
                out[at] ^= 1 << rng.randrange(8)
            case 2:
                out[at] = rng.choice((0, 1, 0x7F, 0x80, 0xFE, 0xFF, rng.randrange(256)))
            case 3:
                out[at : at + piece] = rng.choice((b"\0", b"\xff", b"\x7f")) * piece
            case 4:
                order = rng.choice(("little", "big"))
                number = rng.choice(NUMBERS) % (1 << (8 * piece))
                out[at : at + piece] = number.to_bytes(piece, order)  # type: ignore[arg-type]
            case 5:
                other = rng.randrange(len(out))
                n = rng.choice((1, 8, 32, 512))
                out[at : at + n] = out[other : other + n]
            case 6:
                out[at:at] = out[at : at + rng.choice((1, 8, 64))]
            case 7:
                del out[at : at + piece]
            case _:
                if rng.randrange(3) == 0:
                    del out[at:]
    return bytes(out)


def damage_text(rng: Random, data: bytes) -> bytes:
    """Replace fields and separators, repeat, swap, join or drop lines; now and then bytes."""
    for _ in range(rng.choice((1, 1, 2, 4))):
        match rng.randrange(8):
            case 0 | 1 | 2:
                fields = list(_FIELD.finditer(data[: rng.choice((200, len(data), len(data)))]))
                if fields:
                    found = rng.choice(fields)
                    data = data[: found.start()] + rng.choice(TOKENS) + data[found.end() :]
            case 3:
                one, other = rng.choice(SEPARATORS), rng.choice(SEPARATORS)
                data = data.replace(one, other, rng.choice((1, 3, -1)))
            case 4 | 5:
                data = b"".join(_damage_lines(rng, data.splitlines(keepends=True)))
            case 6:
                data = data[: rng.randrange(len(data) + 1)]
            case _:
                data = damage_bytes(rng, data, 2)
    return data


def _damage_lines(rng: Random, lines: list[bytes]) -> list[bytes]:
    if not lines:
        return lines
    at, other = rng.randrange(len(lines)), rng.randrange(len(lines))
    match rng.randrange(5):
        case 0:
            lines[at], lines[other] = lines[other], lines[at]
        case 1:
            del lines[at]
        case 2:
            lines.insert(at, lines[other])
        case 3:
            lines[at] = lines[at].rstrip(b"\r\n")
        case _:
            lines[at] *= rng.choice((2, 50, 5000))
    return lines


def damage_members(rng: Random, members: dict[str, bytes]) -> dict[str, bytes]:
    """Damage, drop, swap or empty the files of a folder."""
    members = dict(members)
    for _ in range(rng.choice((1, 1, 2, 3))):
        if not members:
            break
        path, other = rng.choice(list(members)), rng.choice(list(members))
        match rng.randrange(8):
            case 0:
                del members[path]
            case 1:
                members[path], members[other] = members[other], members[path]
            case 2:
                members[path] = b""
            case 3 | 4:
                members[path] = damage_bytes(rng, members[path])
            case _:
                members[path] = damage_text(rng, members[path])
    return members

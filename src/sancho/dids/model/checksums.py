"""What checksums of files look like, here and in the database. Pure."""

import re

ADLER32 = re.compile(r"[0-9a-f]{8}")
"""What a checksum looks like outside of the database."""
MD5 = re.compile(r"[0-9a-f]{32}")
"""What an MD5 looks like outside of the database."""


def pack_adler32(text: str) -> int:
    """Make the database's form, a signed 32-bit number, of 8 lower-case hex digits."""
    return (int(text, 16) ^ 0x80000000) - 0x80000000


def unpack_adler32(number: int) -> str:
    """Make 8 lower-case hex digits of the database's form."""
    return f"{number & 0xFFFFFFFF:08x}"

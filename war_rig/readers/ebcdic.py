"""Text in EBCDIC, as mainframes export it: code pages 037 and 1047.

The two differ in six characters of a listing; the brackets tell them apart.
Lines end with NEL or LF, or are records of 80 characters without any end.
"""

_RANGES = (
    (0x15, 0x15), (0x25, 0x25), (0x40, 0x40), (0x4A, 0x50), (0x5A, 0x61), (0x6B, 0x6F),
    (0x79, 0x7F), (0x81, 0x89), (0x91, 0x99), (0xA2, 0xA9), (0xAD, 0xAD), (0xBA, 0xBB),
    (0xBD, 0xBD), (0xC1, 0xC9), (0xD1, 0xD9), (0xE2, 0xE9), (0xF0, 0xF9),
)  # fmt: skip
_TEXT = frozenset(byte for first, last in _RANGES for byte in range(first, last + 1))
_LEAST_TEXT = 0.95
_RECORD = 80
# Where code page 1047 has what 037 has elsewhere: the brackets, the caret and the not sign.
_1047_TO_037 = bytes.maketrans(
    bytes([0xAD, 0xBD, 0xBA, 0xBB, 0x5F, 0xB0]), bytes([0xBA, 0xBB, 0xAD, 0xBD, 0xB0, 0x5F])
)


def decode_ebcdic(data: bytes) -> tuple[str, str] | None:
    """Return (code page, text) where *data* is EBCDIC text, None where it is not."""
    if not data or data.count(0x40) <= data.count(0x20):
        return None
    if sum(byte in _TEXT for byte in data) < _LEAST_TEXT * len(data):
        return None
    is_1047 = 0xAD in data or 0xBD in data
    text = (data.translate(_1047_TO_037) if is_1047 else data).decode("cp037")
    text = text.replace("\x85", "\n")
    if "\n" not in text and len(text) > _RECORD and len(text) % _RECORD == 0:
        records = (text[at : at + _RECORD].rstrip() for at in range(0, len(text), _RECORD))
        text = "\n".join(records)
    return ("cp1047" if is_1047 else "cp037"), text

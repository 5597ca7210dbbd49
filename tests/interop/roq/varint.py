"""Variable-length integers of QUIC (RFC 9000, section 16)."""


def encode(value):
    for prefix, length in enumerate((1, 2, 4, 8)):
        if value < 1 << (8 * length - 2):
            return (prefix << (8 * length - 2) | value).to_bytes(length, "big")
    raise ValueError(f"{value} does not fit a variable-length integer")


def decode(data):
    """The integer at the start of `data` and the bytes that it takes; None if it is cut short."""
    if not data:
        return None
    length = 1 << (data[0] >> 6)
    if len(data) < length:
        return None
    value = int.from_bytes(data[:length], "big") & (1 << (8 * length - 2)) - 1
    return value, length

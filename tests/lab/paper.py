"""A receipt printer: reads bytes by the commands of devices 2.3, and knows nothing of the code that
made them; anything it does not know stops it."""

CUT = b"\x1dVB\0"


class Receipt:
    """What came out."""

    def __init__(self, data):
        self.lines = []
        self.barcodes = []
        self.qr_codes = []
        self.cuts = 0
        line, stored = b"", b""
        while data:
            length = command_length(data)
            command, data = data[:length], data[length:]
            if command == b"\n":
                self.lines.append(line.decode("gb18030").strip())
                line = b""
            elif command.startswith(b"\x1dk\x49"):
                self.barcodes.append(code128(command[4:]))
            elif command.startswith(b"\x1d(k"):
                if command[5:8] == b"1P0":
                    stored = command[8:]
                elif command[5:8] == b"1Q0":
                    self.qr_codes.append(stored.decode())
            elif command == CUT:
                self.cuts += 1
            elif command[0] >= 0x20:
                line += command
        assert not line, f"it ends within a line: {line}, after {vars(self)}"


def command_length(data):
    """How many bytes the first command or character takes."""
    first, second = data[:1], data[1:2]
    # Printers ignore zeros.
    if first in b"\n\0" or b" " <= first <= b"~":
        return 1
    if first >= b"\x81" and second >= b"\x40":
        return 2
    # The zeros that end what may have been cut in two.
    if second == b"\0":
        return 2
    if data.startswith(b"\x1dk\x49"):
        return 4 + data[3]
    if first == b"\x1d" and second == b"(":
        return 5 + data[3] + 256 * data[4]
    if data.startswith(b"\x1dv0"):
        return 8 + (data[4] + 256 * data[5]) * (data[6] + 256 * data[7])
    lengths = [
        (b"\x1b", b"@2", 2), (b"\x1b", b"E-3adtJM", 3), (b"\x1b", b"p", 5),
        (b"\x1c", b"&.", 2), (b"\x1c", b"!-", 3),
        (b"\x1d", b"!HhwrIa", 3), (b"\x1d", b"V", 4),
        # Questions that are answered immediately.
        (b"\x10", b"\x04", 3),
    ]
    for lead, kinds, length in lengths:
        if first == lead and second and second in kinds:
            return length
    raise AssertionError(f"no command: {data[:8]}")


def code128(data):
    """What a scanner reads from a barcode with these code sets and characters."""
    text, pairs = "", False
    while data:
        if data[:2] in (b"{B", b"{C"):
            pairs, data = data[:2] == b"{C", data[2:]
        elif pairs:
            text, data = text + f"{data[0]:02}", data[1:]
        else:
            text, data = text + chr(data[0]), data[2:] if data[:2] == b"{{" else data[1:]
    return text

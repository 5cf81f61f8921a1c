"""The till on the guest's first console, as the person in front of it sees it."""

import base64
import contextlib
import itertools
import json

from waiting import DEADLINE, wait_for

# An ordinary user's folder, in the guest's memory.
HOME = "/tmp/cashier"
COLUMNS = 80


class Bank:
    """The simulated gateway, in the guest too. Every code belongs to another customer."""

    def __init__(self, guest):
        self.guest = guest
        self.codes = itertools.count(1)
        guest.run(f"mkdir -p {HOME} && chown cashier {HOME}")
        guest.run(f"su cashier -c 'cd {HOME} && exec paytill simulator --write-config gateway' >/tmp/bank.log 2>&1 &")
        wait_for("the gateway", lambda: guest.says(f"test -e {HOME}/gateway/paytill.toml && netstat -ltn | grep -q 8443"))

    def submissions(self):
        """The numbers of all orders for which a payment was requested."""
        lines = self.guest.text("/tmp/bank.log").splitlines()
        return [line.split("/pay/micropay: ")[1].split()[0] for line in lines if "/pay/micropay: " in line]

    def code(self, digits=None):
        """A payment code. Its last four digits say what its customer does; by default, pay at once."""
        number = next(self.codes)
        return f"13{number:012}{digits or 6000 + number % 1000}"


class Till:
    """The real binary, from its start to its end."""

    def __init__(self, guest, keyboard, name, config):
        self.guest = guest
        self.keyboard = keyboard
        self.folder = f"{HOME}/{name}"
        self.guest.run(
            f"cp -r {HOME}/gateway {self.folder} && cat >>{self.folder}/paytill.toml <<'END'\n{config}\nEND\n"
            f"sed -i 's/^id = \"T01\"/&\\nlanguage = \"en\"/' {self.folder}/paytill.toml\n"
            f"chown -R cashier {self.folder}"
        )
        self.process = None

    def open(self):
        """Starts it on a console that nobody has written to."""
        start = (
            f"cd {self.folder}; rm -f exit; echo $$ >pid; "
            f"exec env -i HOME={self.folder} TERM=linux TZ=UTC /bin/paytill --config paytill.toml"
        )
        self.guest.run(
            f"rm -f {self.folder}/pid; printf '\\033c' >/dev/tty1; "
            f"(setsid -c su cashier -c '{start}' </dev/tty1 >/dev/tty1 2>&1; echo $? >{self.folder}/exit) >/dev/null 2>&1 &"
        )
        self.process = int(wait_for("the till's process", lambda: self.guest.text(f"{self.folder}/pid")))
        return self

    def screen(self):
        """The lines on the screen now."""
        cells = base64.b64decode(self.guest.run("base64 /dev/vcsu1")).decode("utf-32-le")
        return "\n".join(cells[start : start + COLUMNS].rstrip() for start in range(0, len(cells), COLUMNS))

    def see(self, *words, seconds=DEADLINE):
        """Waits until all of these are on the screen together, wherever their lines break."""
        shown = lambda: (screen := flowing(self.screen())) and all(flowing(word) in screen for word in words)
        wait_for(f"on the screen: {words}", shown, seconds)

    def shows(self, word):
        return flowing(word) in flowing(self.screen())

    def charge(self, amount):
        """Enters an amount, up to the request for the customer's code."""
        wait_for("a question for an amount", lambda: self.shows("Enter the amount.") or self.shows("enter the next amount."))
        self.keyboard.type(f"{amount}\n")
        self.see("Scan the customer's payment code.")

    def orders(self):
        """What its journal says, newest first."""
        text = self.guest.run(f"cd {self.folder}; su cashier -c 'paytill orders --json --config paytill.toml'")
        return [json.loads(line) for line in text.splitlines()]

    def is_running(self):
        return self.process is not None and self.guest.says(f"test -d /proc/{self.process}")

    def close(self):
        """Quits it by its key, and waits for it to end."""
        self.keyboard.press("ctrl-q")
        status = wait_for("the till's end", lambda: self.guest.text(f"{self.folder}/exit"))
        assert status == "0", f"the till ended with {status}"
        self.process = None

    @contextlib.contextmanager
    def standing_still(self):
        """For the duration of the block, none of its threads gets a processor."""
        self.guest.run(f"kill -STOP {self.process}")
        try:
            yield
        finally:
            self.guest.run(f"kill -CONT {self.process}")

    def kill(self):
        if self.is_running():
            self.guest.run(f"kill -9 {self.process}; while test -d /proc/{self.process}; do sleep 0.1; done")
        self.process = None


def flowing(text):
    """Without blanks, line breaks and frames."""
    return "".join(letter for letter in text if not letter.isspace() and letter not in "▌│┃")
